#include "tests/simulation/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "jobs/seeded_random.h"

namespace reelbatch {
namespace {

#define FIELD(name)        \
  ScenarioField {          \
#name, &Scenario::name \
  }
constexpr std::array kFields = {FIELD(seed),
                                FIELD(rows),
                                FIELD(lives),
                                FIELD(changes),
                                FIELD(leaves),
                                FIELD(resume),
                                FIELD(resolve),
                                FIELD(retry_failed),
                                FIELD(retry_limit),
                                FIELD(skip_changed),
                                FIELD(limit),
                                FIELD(only),
                                FIELD(keep_runs),
                                FIELD(catalogue),
                                FIELD(labels),
                                FIELD(pause_s),
                                FIELD(accounts),
                                FIELD(aurora_accounts),
                                FIELD(videos),
                                FIELD(repair_times),
                                FIELD(repair_after_s),
                                FIELD(remakes),
                                FIELD(remake_lag_ms),
                                FIELD(rate),
                                FIELD(rate_ms),
                                FIELD(long_rate),
                                FIELD(long_rate_s),
                                FIELD(submit_rate),
                                FIELD(submit_ms),
                                FIELD(in_flight),
                                FIELD(connections),
                                FIELD(poll_ms),
                                FIELD(job_timeout_s),
                                FIELD(outage_timeout_s),
                                FIELD(deadline_s),
                                FIELD(hold_limit),
                                FIELD(photos),
                                FIELD(balance),
                                FIELD(per_job),
                                FIELD(meaning),
                                FIELD(max_price),
                                FIELD(max_credits),
                                FIELD(hides_used),
                                FIELD(charge_late_s),
                                FIELD(refunds),
                                FIELD(tells_none),
                                FIELD(run_budget),
                                FIELD(day_budget),
                                FIELD(month_budget),
                                FIELD(keep),
                                FIELD(budget_mode),
                                FIELD(label_run_budget),
                                FIELD(label_day_budget),
                                FIELD(label_month_budget),
                                FIELD(clip_ms),
                                FIELD(render_ms),
                                FIELD(clip_errors),
                                FIELD(job_errors),
                                FIELD(stuck_clips),
                                FIELD(connect_ms),
                                FIELD(latency_ms),
                                FIELD(slow),
                                FIELD(never_left),
                                FIELD(lost_request),
                                FIELD(lost_answer),
                                FIELD(error_before),
                                FIELD(error_after),
                                FIELD(unavailable),
                                FIELD(not_taken_503),
                                FIELD(too_many),
                                FIELD(retry_form),
                                FIELD(cut),
                                FIELD(html),
                                FIELD(other_id),
                                FIELD(refuse_row),
                                FIELD(stale),
                                FIELD(echo),
                                FIELD(unknown_ms),
                                FIELD(refuse_ids),
                                FIELD(list_max),
                                FIELD(outage_at_s),
                                FIELD(outage_s),
                                FIELD(key_refused_at_s),
                                FIELD(key_refused_s),
                                FIELD(dst_night),
                                FIELD(clock_steps),
                                FIELD(suspends),
                                FIELD(crash_after),
                                FIELD(crash_in_write),
                                FIELD(power_loss),
                                FIELD(sync_fails),
                                FIELD(disk_full_after),
                                FIELD(signal_s)};
#undef FIELD
static_assert(sizeof(Scenario) == kFields.size() * sizeof(std::int64_t), "every field is listed");

/// Draws in words: how often a thing is there at all, and then how much of it.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::int64_t between(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(to - from + 1)));
  }
  /// One time in `times`.
  bool once_in(std::int64_t times) { return between(1, times) == 1; }
  /// 0, or one time in `times` between `from` and `to`.
  std::int64_t sometimes(std::int64_t times, std::int64_t from, std::int64_t to) {
    const std::int64_t drawn = between(from, to);
    return once_in(times) ? drawn : 0;
  }

 private:
  SeededRandom random_;
};

}  // namespace

std::span<const ScenarioField> scenario_fields() {
  return kFields;
}

Scenario draw_scenario(std::uint64_t seed) {
  Draw draw(mix(seed, 1));
  Scenario s;
  s.seed = static_cast<std::int64_t>(seed);
  s.rows = draw.once_in(20) ? draw.between(30, 80) : draw.between(1, 15);
  s.lives = draw.between(1, 5);
  s.changes = draw.sometimes(3, 50, 500);
  s.leaves = draw.sometimes(4, 50, 300);
  s.resume = draw.sometimes(3, 100, 700);
  s.resolve = draw.sometimes(2, 100, 1000);
  s.retry_failed = draw.sometimes(4, 1, 1);
  s.skip_changed = draw.sometimes(8, 1, 1);
  s.limit = draw.sometimes(6, 1, 10);
  s.pause_s = draw.sometimes(2, 1, 7200);

  s.accounts = draw.once_in(4) ? 2 : 1;
  s.rate = draw.between(3, 40);
  s.rate_ms = draw.once_in(3) ? draw.between(200, 10'000) : 1000;
  s.long_rate = draw.sometimes(4, 60, 400);
  s.submit_rate = draw.between(1, 5);
  s.submit_ms = draw.once_in(3) ? draw.between(200, 5000) : 1000;
  s.in_flight = draw.once_in(3) ? draw.between(1, 4) : 20;
  s.connections = draw.once_in(5) ? draw.between(1, 4) : 128;
  s.poll_ms = draw.between(1000, 5000);
  s.job_timeout_s = draw.once_in(5) ? draw.between(5, 60) : 1200;
  s.outage_timeout_s = draw.once_in(5) ? draw.between(20, 200) : 900;
  s.deadline_s = draw.sometimes(10, 5, 120);
  s.hold_limit = draw.once_in(4) ? draw.between(1, 3) : draw.between(5, 50);

  s.photos = draw.between(1, 3);
  s.balance = draw.once_in(6) ? draw.between(1, 30) : 100'000;
  s.per_job = draw.between(0, 1);
  s.meaning = draw.between(0, 1);
  s.max_price = draw.once_in(2) ? draw.between(1, 4) : 0;
  s.max_credits = draw.sometimes(6, 1, 25);
  s.run_budget = draw.sometimes(8, 1, 25);
  s.day_budget = draw.sometimes(8, 1, 40);
  s.keep = s.balance < 100 ? draw.sometimes(2, 1, 15) : 0;

  s.clip_ms = draw.between(500, 12'000);
  s.render_ms = draw.between(500, 8000);
  s.clip_errors = draw.sometimes(2, 10, 300);
  s.job_errors = draw.sometimes(3, 10, 300);
  s.connect_ms = draw.sometimes(2, 1, 400);
  s.latency_ms = draw.once_in(3) ? draw.between(500, 4000) : draw.between(1, 300);
  s.slow = draw.sometimes(6, 1, 50);
  // A life with every fault at once hides what each does: a few at a time.
  const std::int64_t fault = 4;
  s.never_left = draw.sometimes(fault, 1, 200);
  s.lost_request = draw.sometimes(fault, 1, 60);
  s.lost_answer = draw.sometimes(fault, 1, 80);
  s.error_before = draw.sometimes(fault, 1, 80);
  s.error_after = draw.sometimes(fault, 1, 80);
  s.unavailable = draw.sometimes(fault, 1, 80);
  s.not_taken_503 = s.unavailable > 0 ? draw.between(0, 1) : 0;
  s.too_many = draw.sometimes(fault, 1, 200);
  s.retry_form = s.too_many > 0 ? draw.between(0, 5) : 0;
  s.cut = draw.sometimes(fault, 1, 60);
  s.html = draw.sometimes(fault, 1, 60);
  s.other_id = draw.sometimes(fault, 1, 100);
  s.refuse_row = draw.sometimes(fault, 1, 100);
  s.stale = draw.sometimes(fault, 1, 200);
  s.echo = draw.sometimes(fault, 1, 40);
  s.unknown_ms = draw.sometimes(fault, 500, 60'000);
  s.outage_s = draw.sometimes(6, 1, 400);
  s.outage_at_s = draw.between(0, 120);
  s.key_refused_s = draw.sometimes(12, 1, 200);
  s.key_refused_at_s = draw.between(0, 120);

  s.dst_night = draw.sometimes(5, 1, 2);
  s.clock_steps = draw.sometimes(6, 1, 20);
  s.suspends = draw.sometimes(6, 1, 10);
  s.crash_after = draw.sometimes(2, 5, 300);
  s.crash_in_write = draw.sometimes(2, 10, 1500);
  s.power_loss = draw.once_in(2) ? draw.between(0, 1000) : 0;
  s.sync_fails = draw.sometimes(8, 1, 20);
  s.disk_full_after = draw.sometimes(8, 10, 1500);
  s.signal_s = draw.sometimes(5, 1, 90);
  // Sends of more than a minute ago are known from the wall clock alone, so it must be right.
  if (s.long_rate > 0 && s.clock_steps == 0 && s.suspends == 0 && draw.once_in(2)) s.long_rate_s = 150;
  s.aurora_accounts = draw.sometimes(3, 1, 2);
  s.refuse_ids = draw.sometimes(6, 1, 1);
  s.list_max = draw.sometimes(6, 1, 5);
  s.label_run_budget = draw.sometimes(6, 1, 8);
  s.label_day_budget = draw.sometimes(6, 1, 15);
  s.videos = draw.sometimes(2, 1, 1);
  s.stuck_clips = s.videos != 0 ? draw.sometimes(2, 50, 500) : 0;
  s.repair_times = s.stuck_clips > 0 && !draw.once_in(4) ? draw.between(1, 2) : 0;
  s.repair_after_s = draw.between(1, 30);
  s.month_budget = draw.sometimes(8, 1, 40);
  s.label_month_budget = draw.sometimes(8, 1, 15);
  s.budget_mode = draw.sometimes(3, 1, 2);
  s.tells_none = draw.sometimes(10, 1, 1);
  s.retry_limit = draw.once_in(2) ? draw.between(0, 1) : 3;
  s.only = draw.sometimes(8, 1, 5);
  s.keep_runs = draw.sometimes(4, 1, 3);
  s.catalogue = draw.sometimes(4, 1, 1);
  s.labels = draw.sometimes(3, 1, 4);
  s.remakes = s.videos != 0 ? draw.sometimes(2, 1, 4) : 0;
  s.remake_lag_ms = s.remakes > 0 ? draw.sometimes(3, 500, 20'000) : 0;
  s.hides_used = draw.once_in(4) ? (draw.once_in(4) ? 1000 : draw.between(50, 900)) : 0;
  s.charge_late_s = s.aurora_accounts > 0 ? draw.sometimes(2, 1, 1800) : 0;
  if (s.charge_late_s > 0 && draw.once_in(2)) {
    // Several runs in a row on little, none of which sees all of what the one before was charged.
    s.rows = draw.between(15, 25);
    s.balance = draw.between(2, 5);
    s.keep = 1;
    s.photos = s.max_price = 1;
    s.max_credits = s.run_budget = s.day_budget = 0;
    s.limit = draw.between(1, 6);
    s.lives = draw.between(3, 5);
    s.pause_s = draw.between(1, 300);
  }
  if (s.dst_night == 0 && s.month_budget + s.label_month_budget > 0) s.dst_night = draw.sometimes(2, 3, 3);
  s.refunds = s.aurora_accounts > 0 && s.job_errors > 0 ? draw.between(0, 1) : 0;
  return s;
}

std::string to_text(const Scenario& scenario) {
  std::string text;
  const Scenario plain;
  for (const ScenarioField& field : kFields) {
    if (scenario.*field.member == plain.*field.member && field.name != "seed") continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", field.name, scenario.*field.member);
  }
  return text;
}

Result<void> set_field(Scenario& scenario, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  for (const ScenarioField& field : kFields) {
    if (field.name != name || equals == std::string_view::npos) continue;
    const std::string_view number = text.substr(equals + 1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || value < 0) break;
    scenario.*field.member = value;
    return {};
  }
  return usage_error(fmt::format("'{}' is not FIELD=NUMBER of a scenario", text));
}

Scenario shrink(Scenario failing, const std::function<bool(const Scenario&)>& fails, int tries) {
  const Scenario plain;
  bool smaller = true;
  while (smaller && tries > 0) {
    smaller = false;
    for (const ScenarioField& field : kFields) {
      if (field.name == "seed") continue;
      std::int64_t Scenario::*const member = field.member;
      const std::int64_t rest = plain.*member;
      const std::int64_t halved = rest + (failing.*member - rest) / 2;
      for (const std::int64_t value : {rest, halved}) {
        if (value == failing.*member || tries-- <= 0) continue;
        Scenario candidate = failing;
        candidate.*member = value;
        if (!fails(candidate)) continue;
        failing = candidate;
        smaller = true;
        break;
      }
    }
  }
  return failing;
}

}  // namespace reelbatch
