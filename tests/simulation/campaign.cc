#include "tests/simulation/campaign.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>

#include "tests/simulation/nights.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Seconds of the longest audio that Aurora takes.
constexpr std::int64_t kLongestSpeech = 60;

/// Of the rows that make a clip again; listings have lower numbers.
constexpr std::int64_t kFirstRemake = 1000;

/// Events of one process after which it is taken not to end.
constexpr std::int64_t kEventsMost = 400'000;

/// The job timeout of the calm, where some jobs would never end.
constexpr auto kCalmTimeout = std::chrono::minutes(10);

/// A quarter of an hour before midnight, local time, of the nights in which the clocks of central Europe are changed.
constexpr milliseconds kSpring{1'806'187'500'000};
constexpr milliseconds kAutumn{1'824'932'700'000};
/// The same before the first of February 2027.
constexpr milliseconds kMonthEnd{1'801'435'500'000};

double share(std::int64_t thousandths) {
  return static_cast<double>(thousandths) / 1000;
}

Credits credits(std::int64_t whole) {
  return Credits::whole(whole);
}

WorldOptions world_options(const Scenario& s) {
  WorldOptions world;
  world.seed = static_cast<std::uint64_t>(s.seed);
  world.connect = milliseconds(s.connect_ms);
  world.latency = milliseconds(s.latency_ms);
  for (std::int64_t i = 2; i <= s.accounts; ++i) world.origins.push_back(fmt::format("https://service-{}.test", i));
  world.services.assign(world.origins.size(), "iacrea");
  for (std::int64_t i = 1; i <= s.aurora_accounts; ++i) {
    world.origins.push_back(fmt::format("https://voices-{}.test", i));
    world.services.emplace_back("creatify");
  }
  world.service.seed = world.seed;
  world.service.refuse_ids = s.refuse_ids != 0;
  world.service.list_max = static_cast<std::size_t>(s.list_max);
  world.service.credits = credits(s.balance);
  // Where a job costs much more, the account has more.
  for (const std::string& service : world.services) {
    world.credits.push_back(credits(service == "iacrea" || s.balance >= 100 ? s.balance : s.balance * kLongestSpeech));
  }
  world.service.charge_late_ms = s.charge_late_s * 1000;
  world.service.refunds = s.refunds != 0;
  world.service.used_per_job = s.per_job != 0;
  world.tells_credits = s.tells_none == 0;
  world.service.clip_ms = s.clip_ms;
  world.service.render_ms = s.render_ms;
  world.service.clip_error_rate = share(s.clip_errors);
  world.service.job_error_rate = share(s.job_errors);
  world.service.clip_stuck_rate = share(s.stuck_clips);
  world.service.regenerate_lag_ms = s.remake_lag_ms;
  return world;
}

WorldFaults world_faults(const Scenario& s, Instant start) {
  WorldFaults faults;
  faults.never_left = share(s.never_left);
  faults.lost_request = share(s.lost_request);
  faults.lost_answer = share(s.lost_answer);
  faults.slow = share(s.slow);
  faults.error_before = share(s.error_before);
  faults.error_after = share(s.error_after);
  faults.unavailable = share(s.unavailable);
  faults.too_many = share(s.too_many);
  faults.retry = static_cast<WorldFaults::Retry>(s.retry_form);
  faults.cut = share(s.cut);
  faults.html = share(s.html);
  faults.other_id = share(s.other_id);
  faults.refuse_row = share(s.refuse_row);
  faults.stale = share(s.stale);
  faults.hides_used = share(s.hides_used);
  faults.echo = share(s.echo);
  faults.unknown_for = milliseconds(s.unknown_ms);
  if (s.outage_s > 0) {
    faults.outage_from = start + seconds(s.outage_at_s);
    faults.outage_until = faults.outage_from + seconds(s.outage_s);
  }
  if (s.key_refused_s > 0) {
    faults.key_refused_from = start + seconds(s.key_refused_at_s);
    faults.key_refused_until = faults.key_refused_from + seconds(s.key_refused_s);
  }
  return faults;
}

class Campaign {
 public:
  Campaign(const Scenario& scenario, const std::function<void(const std::string&)>& trace);
  CampaignResult run();

 private:
  // The operator's side.
  void configure();
  void write_manifest(bool may_miss_rows);
  void change_listings();
  void ask_for_remakes();
  std::int64_t row_count() const { return s_.rows + static_cast<std::int64_t>(remakes_.size()); }
  // A process.
  void live();
  void arm();
  void name_rows();
  void name_all_rows();
  void disarm();
  NightEnd night(bool resume);
  void note_end(const NightEnd& end);
  // The calm.
  void calm();
  Duration calm_time() const;

  bool chance(std::int64_t thousandths) { return static_cast<std::int64_t>(random_.below(1000)) < thousandths; }
  std::int64_t about(std::int64_t mean) {
    return 1 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * mean)));
  }
  void reach(const std::string& what, std::int64_t times = 1) {
    if (times > 0) nights_.world.reached[what] += times;
  }

  const Scenario s_;
  SeededRandom random_;
  Nights nights_;
  std::vector<int> versions_;
  struct Remake {
    std::size_t account;
    std::string video;
    std::string clip;  ///< empty: the row only follows the video
  };
  std::vector<Remake> remakes_;  ///< rows for the rest of the campaign, numbered from kFirstRemake
  std::int64_t events_ = 0;
  bool after_crash_ = false;
  CampaignResult result_;
};

Campaign::Campaign(const Scenario& scenario, const std::function<void(const std::string&)>& trace)
    : s_(scenario), random_(mix(static_cast<std::uint64_t>(scenario.seed), 2)), nights_(world_options(scenario)) {
  // By rule and not by name: a machine need not know every time zone.
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  if (s_.dst_night == 1) nights_.world.wall_start = WallTime(kSpring);
  if (s_.dst_night == 2) nights_.world.wall_start = WallTime(kAutumn);
  if (s_.dst_night == 3) nights_.world.wall_start = WallTime(kMonthEnd);
  nights_.world.trace = trace;
  nights_.progress.keep_details = true;
  versions_.assign(static_cast<std::size_t>(s_.rows), 0);
  configure();
}

// ---- The operator ---------------------------------------------------------------------------------------------------

void Campaign::configure() {
  Options& options = nights_.options;
  options.poll_interval = milliseconds(s_.poll_ms);
  options.job_timeout = seconds(s_.job_timeout_s);
  options.outage_timeout = seconds(s_.outage_timeout_s);
  options.max_connections = static_cast<int>(s_.connections);
  options.allow_mass_change = true;
  options.allow_shrink = true;  // rows leave the feed by chance
  options.repair.times = static_cast<int>(s_.repair_times);
  options.repair.after = seconds(s_.repair_after_s);
  options.retry_failed = s_.retry_failed != 0;
  options.retry_limit = static_cast<int>(s_.retry_limit);
  if (s_.keep_runs > 0) options.keep_runs = static_cast<int>(s_.keep_runs);
  if (s_.catalogue != 0) options.catalogue = "lyon";
  if (s_.max_credits > 0) options.max_credits = credits(s_.max_credits);
  for (AccountOptions& account : options.accounts) {
    account.rate = {{static_cast<int>(s_.rate), milliseconds(s_.rate_ms)}};
    if (s_.long_rate > 0) account.rate.push_back({static_cast<int>(s_.long_rate), seconds(s_.long_rate_s)});
    account.submit_rate = {{static_cast<int>(s_.submit_rate), milliseconds(s_.submit_ms)}};
    account.max_in_flight = static_cast<int>(s_.in_flight);
    account.hold_limit = static_cast<int>(s_.hold_limit);
    if (s_.not_taken_503 != 0) account.not_taken = {503};
    if (s_.meaning != 0) account.credits = s_.per_job != 0 ? CreditMeaning::Job : CreditMeaning::Account;
    // A second of speech costs a credit.
    const bool speaks = account.service->name != "iacrea";
    const std::int64_t dearer = speaks ? kLongestSpeech : 1;
    if (s_.max_price > 0) {
      account.max_price = {{speaks ? "creatify.aurora" : "iacrea.auto", credits(s_.max_price * dearer)}};
      if (!speaks) account.max_price["iacrea.video"] = credits(s_.max_price);
      if (!speaks) account.max_price["iacrea.sequence"] = credits(1);
    }
    if (s_.run_budget > 0) account.budget.run = credits(s_.run_budget * dearer);
    if (s_.day_budget > 0) account.budget.day = credits(s_.day_budget * dearer);
    if (s_.month_budget > 0) account.budget.month = credits(s_.month_budget * dearer);
    account.budget.mode = static_cast<Budget::Mode>(std::min<std::int64_t>(s_.budget_mode, 2));
    if (s_.keep > 0) account.budget.keep = credits(s_.keep * dearer);
    LabelBudget label{"third", "yes", {}, {}, {}};
    if (s_.label_run_budget > 0) label.run = credits(s_.label_run_budget);
    if (s_.label_day_budget > 0) label.day = credits(s_.label_day_budget);
    if (s_.label_month_budget > 0) label.month = credits(s_.label_month_budget);
    if (label.run || label.day || label.month) account.budget.labels = {label};
  }
  nights_.auditor.labelled = [this](const std::string& description) {
    const std::size_t at = description.find("number ");
    return at != std::string::npos && std::stoll(description.substr(at + 7)) % 3 == 0;
  };
  options.on_change = s_.skip_changed != 0 ? OnChange::Skip : OnChange::Submit;
  nights_.auditor.prices_reserved = s_.max_price >= s_.photos;
  nights_.auditor.one_price = s_.photos == 1 && s_.aurora_accounts == 0;
  nights_.auditor.retries = options.retry_failed;
}

void Campaign::write_manifest(bool may_miss_rows) {
  const std::vector<AccountOptions>& accounts = nights_.options.accounts;
  std::string csv =
      "id,kind,account,image_urls,description,audio,image,text_prompt,video,third,agency,video_id,sequence_id,url\n";
  std::size_t rows = 0;
  for (std::int64_t i = 0; i < s_.rows; ++i) {
    if (may_miss_rows && chance(s_.leaves)) {
      reach("listing that left the feed");
      continue;
    }
    std::string photos, sequences;
    for (std::int64_t photo = 0; photo <= i % std::max<std::int64_t>(s_.photos, 1); ++photo) {
      const std::string address = fmt::format("https://img.test/{}-{}.jpg", i, photo);
      photos += (photo == 0 ? "" : "|") + address;
      sequences += fmt::format(
          R"({}{{""order"":{},""duration"":5,""type"":""video"",""animationType"":""AUTO_EFFECTS"",""url"":""{}""}})",
          photo == 0 ? "" : ",", photo, address);
    }
    const std::string text =
        Nights::description(static_cast<int>(i), fmt::format(" v{}", versions_[static_cast<std::size_t>(i)]));
    const AccountOptions& account = accounts[static_cast<std::size_t>(i) % accounts.size()];
    const std::string_view third = i % 3 == 0 ? "yes" : "no";
    const std::string agency =
        s_.labels == 0 ? "" : fmt::format("agency {}", random_.below(static_cast<std::uint64_t>(s_.labels)));
    if (account.service->name == "iacrea" && s_.videos != 0 && i % 2 == 1) {
      csv += fmt::format(
          "L-{},iacrea.video,{},,,,,,\"{{\"\"format\"\":\"\"square\"\",\"\"colors\"\":[\"\"#000000\"\",\"\"#ffffff\"\"]"
          ","
          "\"\"description\"\":\"\"{}\"\",\"\"sequences\"\":[{}]}}\",{},{},,,\n",
          i, account.name, text, sequences, third, agency);
      reach("row of explicit sequences");
    } else if (account.service->name == "iacrea") {
      csv += fmt::format("L-{},iacrea.auto,{},{},\"{}\",,,,,{},{},,,\n", i, account.name, photos, text, third, agency);
    } else {
      csv +=
          fmt::format("L-{0},creatify.aurora,{1},,,https://m.test/{0}.mp3,https://m.test/{0}.png,\"{2}\",,{3},{4},,,\n",
                      i, account.name, text, third, agency);
      reach("row of Aurora");
    }
    ++rows;
  }
  for (std::size_t i = 0; i < remakes_.size(); ++i) {
    if (may_miss_rows && chance(s_.leaves)) continue;
    const std::int64_t number = kFirstRemake + static_cast<std::int64_t>(i);
    if (remakes_[i].clip.empty()) {
      csv += fmt::format("L-{},iacrea.video,{},,,,,,,{},,{},,\n", number, accounts[remakes_[i].account].name,
                         number % 3 == 0 ? "yes" : "no", remakes_[i].video);
      nights_.auditor.follows(fmt::format("L-{}", number), remakes_[i].video);
      ++rows;
      continue;
    }
    csv += fmt::format("L-{},iacrea.sequence,{},,,,,,,{},,{},{},{}\n", number, accounts[remakes_[i].account].name,
                       number % 3 == 0 ? "yes" : "no", remakes_[i].video, remakes_[i].clip, remake_url(number));
    ++rows;
  }
  nights_.write_manifest(csv, rows);
}

/// Some clips of videos that are there, finished or not, are to be made again, and some videos only followed.
void Campaign::ask_for_remakes() {
  const auto at_random = [&](std::size_t count) { return static_cast<std::size_t>(random_.below(count)); };
  for (std::int64_t i =
           s_.remakes == 0 ? 0 : static_cast<std::int64_t>(at_random(static_cast<std::size_t>(s_.remakes) + 1));
       i > 0; --i) {
    const std::size_t account = at_random(nights_.options.accounts.size());
    const std::vector<World::Video>& videos = nights_.world.videos(account);
    if (videos.empty()) continue;
    const World::Video& video = videos[at_random(videos.size())];
    const bool follows = random_.below(4) == 0;
    remakes_.push_back({account, video.id, follows ? "" : video.clips[at_random(video.clips.size())]});
  }
}

/// Some listings get a new text, or go back to the one before: that must not be paid for again.
void Campaign::change_listings() {
  for (int& version : versions_) {
    if (!chance(s_.changes)) continue;
    const bool back = version > 0 && random_.below(3) == 0;
    version += back ? -1 : 1;
    reach(back ? "listing changed back" : "listing changed");
  }
}

// ---- A process ------------------------------------------------------------------------------------------------------

/// What will happen to the next process, apart from the network.
void Campaign::arm() {
  events_ = 0;
  const std::int64_t crash_at = s_.crash_after > 0 ? about(s_.crash_after) : 0;
  nights_.world.crash_now = [this, crash_at] {
    ++events_;
    if (events_ > kEventsMost) {
      nights_.auditor.find("a process does not end");
      return true;
    }
    if (chance(s_.clock_steps)) {
      const auto step = seconds(static_cast<std::int64_t>(random_.below(6 * 3600)) - 3 * 3600);
      nights_.world.wall_step += step;
      reach(step < 0s ? "clock set back" : "clock set forward");
    }
    if (chance(s_.suspends)) nights_.world.suspend(seconds(random_.below(4 * 3600)));
    return crash_at != 0 && events_ == crash_at;
  };
  const std::int64_t dies_at = s_.crash_in_write > 0 && random_.below(2) == 0 ? about(s_.crash_in_write) : 0;
  const std::int64_t full_at = s_.disk_full_after > 0 && random_.below(3) == 0 ? about(s_.disk_full_after) : 0;
  nights_.disk.ops = 0;
  nights_.disk.checkpoint_at = static_cast<int>(5 + random_.below(200));
  nights_.disk.fate = [this, dies_at, full_at](SimulatedDisk::Op op) {
    using Fate = SimulatedDisk::Fate;
    const std::string where = fmt::format(" while {}", nights_.phase);
    if (dies_at != 0 && nights_.disk.ops == dies_at) {
      reach("crash in a write" + where);
      const std::uint64_t how = random_.below(3);
      return how == 0 ? Fate::DiesBefore : how == 1 ? Fate::DiesTorn : Fate::DiesAfter;
    }
    if (full_at != 0 && nights_.disk.ops >= full_at && op == SimulatedDisk::Op::Write) {
      reach("disk full" + where);
      return Fate::Full;
    }
    if (op == SimulatedDisk::Op::Sync && chance(s_.sync_fails)) {
      reach("sync failed" + where);
      return Fate::Fails;
    }
    return Fate::Done;
  };
  Instant stop_at = kNever;
  if (s_.signal_s > 0 && random_.below(2) == 0) {
    stop_at = nights_.world.now() + milliseconds(about(s_.signal_s * 1000));
  }
  nights_.stop.set(stop_at);
  nights_.world.wake_at = stop_at;
  nights_.options.deadline.reset();
  if (s_.deadline_s > 0) {
    const seconds in{about(s_.deadline_s)};
    const bool by_the_clock = random_.below(2) == 0;
    nights_.options.deadline =
        by_the_clock ? Deadline{nights_.world.wall() + in, std::nullopt} : Deadline{std::nullopt, in};
  }
  if (s_.only > 0 && random_.below(3) == 0) name_rows();
  if (s_.limit > 0 && random_.below(2) == 0) nights_.options.limit = about(s_.limit) - 1;
}

/// --only for the next process: some rows, which may be missing from its manifest.
void Campaign::name_rows() {
  for (std::int64_t i = 0; i < s_.only; ++i) {
    const std::string id = fmt::format("L-{}", random_.below(static_cast<std::uint64_t>(s_.rows)));
    if (nights_.auditor.only.insert(id).second) nights_.options.only.push_back(id);
  }
  reach("some rows only");
}

void Campaign::name_all_rows() {
  nights_.options.only.clear();
  nights_.auditor.only.clear();
}

void Campaign::disarm() {
  nights_.world.crash_now = [this] {
    if (++events_ <= kEventsMost) return false;
    nights_.auditor.find("a process does not end");
    return true;
  };
  nights_.disk.fate = nullptr;
  nights_.stop.set(kNever);
  nights_.options.deadline.reset();
  nights_.options.limit.reset();
  name_all_rows();
  events_ = 0;
}

NightEnd Campaign::night(bool resume) {
  const bool power = chance(s_.power_loss);
  auto& reached = nights_.world.reached;
  const auto before = reached;
  NightEnd end = nights_.night(resume, power ? SimulatedDisk::End::PowerLoss : SimulatedDisk::End::Killed);
  ++result_.processes;
  if (after_crash_) {
    for (const char* fault : {"429", "lost answer", "outage", "500 after"}) {
      const auto had = before.find(fault);
      if (reached[fault] > (had == before.end() ? 0 : had->second)) reach(fmt::format("{} during recovery", fault));
    }
  }
  note_end(end);
  after_crash_ = end.how == NightEnd::How::Crashed;
  return end;
}

void Campaign::note_end(const NightEnd& end) {
  switch (end.how) {
    case NightEnd::How::Crashed:
      reach(fmt::format("crash while {}", nights_.phase));
      reach("crash with submissions out", nights_.auditor.last_end.out);
      reach("crash between an acceptance and its record", nights_.auditor.last_end.unrecorded);
      reach("crash with an intent that may be on disk", nights_.auditor.last_end.intents);
      reach("power loss", nights_.disk.damage.lost + nights_.disk.damage.torn > 0);
      reach("power loss: torn writes", nights_.disk.damage.torn);
      reach("power loss: lost writes", nights_.disk.damage.lost);
      reach("power loss: reordered writes", nights_.disk.damage.reordered);
      nights_.disk.damage = {};
      break;
    case NightEnd::How::Broken:
      reach("ledger broken");
      reach("adopt line", static_cast<std::int64_t>(nights_.progress.alarms.size()));
      break;
    case NightEnd::How::Refused:
      reach("run refused");
      break;
    case NightEnd::How::Ended:
      reach(fmt::format("exit {}", end.run->exit_code));
      if (!end.run->report.run.budgets_reached.empty()) reach("budget of a label value reached");
      for (const std::string& why : end.run->report.run.accounts_stopped) {
        reach("balance to be kept reached with charges to come", why.find("not charged yet") != std::string::npos);
      }
      if (!end.run->report.run.stopped_by.empty()) reach("stopped by " + end.run->report.run.stopped_by);
      for (const RowState state : kRowStates) {
        reach(fmt::format("row {}", name_of(state)), end.run->report.counts.of(state));
      }
      break;
  }
  nights_.progress.alarms.clear();
}

void Campaign::live() {
  if (chance(s_.resolve)) {
    const auto word = static_cast<Nights::Word>(random_.below(3));
    constexpr const char* kWords[] = {"adopted", "resubmitted", "dropped"};
    reach(kWords[static_cast<int>(word)], nights_.resolve(word));
  }
  change_listings();
  ask_for_remakes();
  write_manifest(true);
  nights_.world.faults = world_faults(s_, nights_.world.now());
  arm();
  const bool resume = chance(s_.resume);
  if (resume) {  // those of the run that it takes up count
    nights_.options.limit.reset();
    name_all_rows();
  }
  night(resume);
  disarm();
  if (s_.pause_s > 0) {
    nights_.world.pass(seconds(random_.below(static_cast<std::uint64_t>(s_.pause_s))));
    nights_.world.reached["pause between two runs"]++;
  }
}

// ---- The calm -------------------------------------------------------------------------------------------------------

/// How long a run without faults may take at most: every limit one after the other, and half as much again.
Duration Campaign::calm_time() const {
  const Duration job = milliseconds((2 * s_.clip_ms + s_.render_ms) * 13 / 10) + 12 * milliseconds(s_.poll_ms) +
                       12 * milliseconds(s_.connect_ms + s_.latency_ms);
  const std::int64_t polls = job / milliseconds(s_.poll_ms) + 1;
  const std::int64_t requests = row_count() * (polls + 2);
  const auto windows = [](std::int64_t n, std::int64_t limit, Duration width) { return width * (n / limit + 2); };
  Duration time = windows(requests, s_.rate, milliseconds(s_.rate_ms)) +
                  windows(row_count(), s_.submit_rate, milliseconds(s_.submit_ms));
  if (s_.long_rate > 0) time += windows(requests, s_.long_rate, seconds(s_.long_rate_s)) + seconds(s_.long_rate_s);
  time += (job + milliseconds(s_.remake_lag_ms)) * (row_count() / s_.in_flight + 2);
  time += milliseconds(s_.connect_ms + s_.latency_ms) * (requests / s_.connections + 2);
  // A video with a clip that stays in error is waited for until its time is up, and again after each repair.
  if (s_.stuck_clips > 0) time += kCalmTimeout * (1 + s_.repair_times * s_.photos) * (row_count() / s_.in_flight + 2);
  // Windows start full after a crash.
  return time + time / 2 + 2min;
}

void Campaign::calm() {
  nights_.world.faults = {};
  Options& options = nights_.options;
  options.max_credits.reset();
  options.job_timeout = s_.stuck_clips > 0 ? kCalmTimeout : 24h;
  options.outage_timeout = 15min;
  options.retry_failed = false;
  for (AccountOptions& account : options.accounts) account.budget = {};
  change_listings();
  ask_for_remakes();
  write_manifest(false);
  disarm();
  const Instant began = nights_.world.now();
  const NightEnd last = night(false);
  if (last.how != NightEnd::How::Ended) {
    return nights_.auditor.find("a run in the calm did not end: " + last.error.message);
  }
  const Duration took = nights_.world.now() - began;
  if (took > calm_time()) {
    nights_.auditor.find(fmt::format("the calm took {} s, {} s are enough", took / 1s, calm_time() / 1s));
  }
  const RowCounts& counts = last.run->report.counts;
  const bool no_credits = last.run->report.run.stopped_by == "credits";
  if (counts.of(RowState::Planned) > 0 && !no_credits) nights_.auditor.find("rows are left planned in the calm");
  if (counts.of(RowState::InFlight) > 0) nights_.auditor.find("jobs are left in flight in the calm");
  nights_.check_books();

  // What was in flight with an older content may be submitted anew; what timed out with one has to end first, for which
  // each of its parts may have to be made again.
  bool timed_out = counts.of(RowState::TimedOut) > 0;
  NightEnd second = night(false);
  for (std::int64_t more = 0; timed_out && more <= 1 + s_.repair_times * s_.photos; ++more) {
    if (second.how != NightEnd::How::Ended) break;
    timed_out = second.run->report.counts.of(RowState::TimedOut) > 0;
    second = night(false);
  }
  if (second.how != NightEnd::How::Ended) return nights_.auditor.find("the second night in the calm did not end");

  // What is done now is what the manifest says now.
  if (s_.skip_changed == 0 && !timed_out) {
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      nights_.auditor.contents[fmt::format("L-{}", i)] =
          Nights::description(static_cast<int>(i), fmt::format(" v{}", versions_[i]));
    }
    for (std::int64_t i = s_.rows; i < row_count(); ++i) {
      const std::int64_t number = kFirstRemake + i - s_.rows;
      if (remakes_[static_cast<std::size_t>(i - s_.rows)].clip.empty()) continue;
      nights_.auditor.contents[fmt::format("L-{}", number)] = remake_description(number);
    }
  }

  // The night after pays nothing, and asks nothing unless something is still open.
  const RowCounts& left = second.run->report.counts;
  const bool looked_for = s_.aurora_accounts > 0 && left.of(RowState::Held) > 0;
  const bool open = looked_for || left.of(RowState::Planned) + left.of(RowState::TimedOut) > 0;
  const std::size_t sends = nights_.world.sends.size();
  const NightEnd again = night(false);
  if (again.how != NightEnd::How::Ended) return nights_.auditor.find("the night after did not end");
  if (!open && nights_.world.sends.size() != sends) {
    nights_.auditor.find(fmt::format("the night after sent {} requests", nights_.world.sends.size() - sends));
  }
  nights_.check_books();
}

CampaignResult Campaign::run() {
  for (std::int64_t life = 0; life < s_.lives && nights_.auditor.violations().empty(); ++life) live();
  if (nights_.auditor.violations().empty()) calm();
  result_.violations = nights_.auditor.violations();
  result_.reached = nights_.world.reached;
  result_.checks = nights_.auditor.checks;
  return result_;
}

}  // namespace

CampaignResult run_scenario(const Scenario& scenario, const std::function<void(const std::string&)>& trace) {
  return Campaign(scenario, trace).run();
}

std::vector<std::string_view> rare_cases() {
  return {"row of Aurora",
          "row of explicit sequences",
          "part made again",
          "balance that was overtaken",
          "refunded job",
          "refunded job where charges are late",
          "row on a video in flight",
          "row on a video that has ended",
          "row throws a render away",
          "row overtaken by another",
          "row that only follows a video",
          "row that follows behind a stop",
          "429 during recovery",
          "lost answer during recovery",
          "crash while opening",
          "crash while preparing",
          "crash while working",
          "crash while ending",
          "crash with submissions out",
          "crash between an acceptance and its record",
          "crash with an intent that may be on disk",
          "power loss: torn writes",
          "power loss: lost writes",
          "power loss: reordered writes",
          "sync failed while working",
          "disk full while preparing",
          "disk full while working",
          "adopt line",
          "budget reached with jobs in flight",
          "budget of a label value reached",
          "stopped by budget",
          "stopped by credits",
          "stopped by deadline",
          "stopped by job_timeout",
          "stopped by key",
          "stopped by outage",
          "stopped by signal",
          "adopted",
          "resubmitted",
          "dropped",
          "clock set back",
          "clock set forward",
          "end without what was used",
          "what was used told at the end alone",
          "balance to be kept reached with charges to come",
          "suspended",
          "404 at first",
          "state that goes backwards",
          "id of another job",
          "answer cut",
          "page instead of an answer",
          "500 after",
          "500 with the request's headers",
          "request timeout",
          "listing changed back",
          "listing that left the feed",
          "row held",
          "row timed_out"};
}

}  // namespace reelbatch
