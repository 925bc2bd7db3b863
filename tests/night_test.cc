// Whole nights in the simulated world: the real loop, limiter, ledger and kind against the model of the service.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "tests/simulation/nights.h"

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

/// Nights of which a test expects that they come to their end.
class WorldRun : public Nights {
 public:
  using Nights::Nights;

  RunReport night() {
    const NightEnd end = Nights::night();
    INFO(end.error.message);
    REQUIRE(end.how == NightEnd::How::Ended);
    return end.run->report;
  }

  void check_promises() {
    world.crash_now = nullptr;
    check_books();
    INFO("seed " << world.options.seed);
    for (const std::string& violation : auditor.violations()) FAIL_CHECK(violation);
  }
};

WorldOptions quick_service(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.service.seed = seed;
  options.service.clip_ms = 20'000;
  options.service.render_ms = 10'000;
  options.service.credits = Credits::whole(100'000);
  return options;
}

/// A service whose jobs take as long as `duration_of` says, by time alone.
class TimedService {
 public:
  TimedService(World& world, std::function<Duration(int)> duration_of)
      : world_(world), duration_of_(std::move(duration_of)) {
    world.answer = [this](const Exchange& exchange) { return serve(exchange); };
  }
  Duration longest() const { return longest_; }
  Duration sum(Duration grid) const {
    Duration sum{};
    for (const Duration d : durations_) sum += (d + grid - 1ns) / grid * grid;
    return sum;
  }
  std::int64_t polls_needed(Duration grid) const {
    std::int64_t polls = 0;
    for (const Duration d : durations_) polls += (d + grid - 1ns) / grid;
    return polls;
  }

 private:
  std::optional<Completion> serve(const Exchange& exchange) {
    Completion completion;
    completion.answered = true;
    completion.status = 200;
    if (exchange.method == "POST") {
      const int id = static_cast<int>(ends_.size());
      const Duration duration = duration_of_(id);
      durations_.push_back(duration);
      longest_ = std::max(longest_, duration);
      ends_.push_back(world_.now() + duration);
      completion.status = 201;
      completion.body = fmt::format(R"({{"id":"job-{}","status":"PENDING"}})", id);
      return completion;
    }
    const auto id = static_cast<std::size_t>(std::stoi(exchange.url.substr(exchange.url.rfind('-') + 1)));
    completion.body = world_.now() >= ends_[id] ? R"({"status":"DONE","url":"https://cdn.test/v.mp4"})"
                                                : R"({"status":"GENERATING_VIDEO"})";
    return completion;
  }

  World& world_;
  std::function<Duration(int)> duration_of_;
  std::vector<Duration> durations_;
  std::vector<Instant> ends_;
  Duration longest_{};
};

}  // namespace

TEST_CASE("night: every listing gets its video, once; the same again costs nothing; a change is one submission") {
  WorldRun run(quick_service(1));
  run.write_listings(200);
  const RunReport first = run.night();
  CHECK(first.counts.of(RowState::Done) == 200);
  CHECK(run.world.accepted().size() == 200);
  run.check_promises();

  const std::size_t sends = run.world.sends.size();
  const RunReport second = run.night();
  CHECK(second.counts.of(RowState::Done) == 200);
  CHECK(second.counts.submissions == 0);
  CHECK(run.world.sends.size() == sends);
}

TEST_CASE("night: 500 listings, 50 in flight: as fast as the limits allow") {
  struct Case {
    const char* name;
    RateWindow rate, submit_rate;
    int in_flight;
    Duration from, to;
  };
  const Case cases[] = {
      {"submissions bind", {50, 1s}, {1, 1s}, 50, 20s, 40s},
      {"the cap binds", {100, 1s}, {10, 1s}, 50, 60s, 180s},
      {"requests bind", {10, 1s}, {5, 1s}, 50, 60s, 90s},
      {"long windows", {300, 60s}, {30, 60s}, 50, 30s, 60s},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    WorldRun run;
    run.world.options.latency = 1ms;
    TimedService service(run.world, [&](int id) {
      SeededRandom rng(static_cast<std::uint64_t>(id));
      return c.from +
             Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>((c.to - c.from).count()))));
    });
    run.options.accounts[0].rate = {c.rate};
    run.options.accounts[0].submit_rate = {c.submit_rate};
    run.options.accounts[0].max_in_flight = c.in_flight;
    run.write_listings(500);
    const Instant start = run.world.now();
    const RunReport report = run.night();
    CHECK(report.counts.of(RowState::Done) == 500);
    const Duration makespan = run.world.now() - start;

    const Duration grid = run.options.poll_interval;
    const auto at_rate = [](std::int64_t n, const RateWindow& window) { return window.width * n / window.limit; };
    const Duration by_requests = at_rate(500 + service.polls_needed(grid), c.rate);
    const Duration by_submissions = at_rate(500, c.submit_rate);
    const Duration by_cap = service.sum(grid) / c.in_flight;
    Duration bound = std::max({by_requests, by_submissions, by_cap});
    Duration allowed = Duration(static_cast<std::int64_t>(static_cast<double>(bound.count()) * 1.02));
    if (bound == by_cap || bound == by_submissions) allowed += service.longest();
    CHECK(makespan <= allowed);
    CHECK(busiest_span(run.world.sends, c.rate.width, false) <= c.rate.limit);
    CHECK(busiest_span(run.world.sends, c.submit_rate.width, true) <= c.submit_rate.limit);
    MESSAGE(std::string(c.name) << ": makespan " << makespan / 1s << " s, bound " << bound / 1s << " s");
  }
}

/// Where the process is made to die.
enum class Moment { Commit, Turn, DiskBefore, DiskTorn, DiskAfter };

TEST_CASE("night: a crash at every commit, every turn and every write of a small run, and again while it recovers") {
  for (const SimulatedDisk::End end : {SimulatedDisk::End::Killed, SimulatedDisk::End::PowerLoss}) {
    for (const Moment moment :
         {Moment::Commit, Moment::Turn, Moment::DiskBefore, Moment::DiskTorn, Moment::DiskAfter}) {
      for (int at = 1; at < 1000; ++at) {
        CAPTURE(static_cast<int>(end));
        CAPTURE(static_cast<int>(moment));
        CAPTURE(at);
        WorldOptions options = quick_service(7);
        options.service.clip_ms = 4'000;
        options.service.render_ms = 2'000;
        options.connect = 30ms;
        options.latency = 200ms;
        WorldRun run(options);
        run.options.accounts[0].rate = {{50, 1s}};
        run.options.accounts[0].submit_rate = {{5, 1s}};
        run.disk.checkpoint_at = 20;
        run.write_listings(3);
        int countdown = at, crashes = 0;
        const auto die = [&] {
          if (--countdown != 0 || crashes == 2) return false;
          ++crashes;
          countdown = 1 + at % 7;  // the second one soon after, while the first is being recovered from
          return true;
        };
        if (moment == Moment::Commit) {
          run.crash_at_commit = [&](bool) { return die(); };
        } else if (moment == Moment::Turn) {
          run.world.crash_now = die;
        } else {
          run.disk.fate = [&](SimulatedDisk::Op) {
            if (!die()) return SimulatedDisk::Fate::Done;
            return moment == Moment::DiskBefore  ? SimulatedDisk::Fate::DiesBefore
                   : moment == Moment::DiskAfter ? SimulatedDisk::Fate::DiesAfter
                                                 : SimulatedDisk::Fate::DiesTorn;
          };
        }
        NightEnd last;
        for (int night = 0; night < 5 && last.how != NightEnd::How::Ended; ++night) {
          last = static_cast<Nights&>(run).night(false, end);
        }
        INFO(last.error.message);
        REQUIRE(last.how == NightEnd::How::Ended);
        run.disk.fate = nullptr;
        run.crash_at_commit = nullptr;
        run.check_promises();
        const RowCounts& counts = last.run->report.counts;
        CHECK(counts.of(RowState::Held) <= run.auditor.doubtful());
        CHECK(counts.of(RowState::Done) + counts.of(RowState::Held) == 3);
        if (crashes == 0) {
          REQUIRE(at > 15);  // the run was shorter than `at`: everything was crashed at
          break;
        }
      }
    }
  }
}

TEST_CASE(
    "night: a disk that is full, or fails to sync, at every write of a small run stops it before anything is paid "
    "twice") {
  using Fate = SimulatedDisk::Fate;
  for (const bool full : {true, false}) {
    int broken = 0;
    for (int at = 1; at < 1000; ++at) {
      CAPTURE(full);
      CAPTURE(at);
      WorldOptions options = quick_service(9);
      options.service.clip_ms = 4'000;
      options.service.render_ms = 2'000;
      options.latency = 200ms;
      WorldRun run(options);
      run.options.accounts[0].rate = {{50, 1s}};
      run.options.accounts[0].submit_rate = {{5, 1s}};
      run.disk.checkpoint_at = 20;
      run.write_listings(3);
      int countdown = at;
      run.disk.fate = [&](SimulatedDisk::Op op) {
        if (op == (full ? SimulatedDisk::Op::Write : SimulatedDisk::Op::Sync)) --countdown;
        // A full disk stays full; a sync fails once.
        if (full ? countdown <= 0 && op == SimulatedDisk::Op::Write : countdown == 0 && op == SimulatedDisk::Op::Sync) {
          return full ? Fate::Full : Fate::Fails;
        }
        return Fate::Done;
      };
      const NightEnd first = static_cast<Nights&>(run).night();
      REQUIRE(first.how != NightEnd::How::Crashed);
      broken += first.how == NightEnd::How::Broken;
      if (countdown > 0) break;  // the run was shorter: every write had its turn
      run.disk.fate = nullptr;
      const NightEnd second = static_cast<Nights&>(run).night();
      INFO(second.error.message);
      REQUIRE(second.how == NightEnd::How::Ended);
      run.check_promises();
      const RowCounts& counts = second.run->report.counts;
      CHECK(counts.of(RowState::Done) + counts.of(RowState::Held) == 3);
    }
    CHECK(broken > 10);
  }
}

// ---- What takes hours -----------------------------------------------------------------------------------------------

namespace {

/// Accepts every submission; polls are answered with what `poll` says.
void script_polls(World& world, std::function<Completion()> poll) {
  world.answer = [poll = std::move(poll), number = 0](const Exchange& exchange) mutable {
    Completion completion;
    if (exchange.method == "POST") {
      completion.answered = true;
      completion.status = 201;
      completion.body = fmt::format(R"({{"id":"job-{}","status":"PENDING"}})", ++number);
      return std::optional(completion);
    }
    return std::optional(poll());
  };
}

Completion answer(int status, const std::string& body = "") {
  Completion completion;
  completion.answered = true;
  completion.status = status;
  completion.body = body;
  return completion;
}

}  // namespace

TEST_CASE("night: a 404 is 'not yet' for ten minutes, then the service no longer knows the job") {
  {
    WorldRun run;
    run.write_listings(1);
    script_polls(run.world, [&] {
      return run.world.now() < Instant(9min) ? answer(404)
                                             : answer(200, R"({"status":"DONE","url":"https://c.test/v"})");
    });
    CHECK(run.night().counts.of(RowState::Done) == 1);
  }

  Instant accepted{};
  WorldRun never;
  never.write_listings(1);
  script_polls(never.world, [] { return answer(404); });
  const RunReport report = never.night();
  CHECK(report.counts.of(RowState::Failed) == 1);
  REQUIRE(report.examples.size() == 1);
  CHECK(report.examples[0].reason.find("no longer knows") != std::string::npos);
  CHECK(never.world.now() - accepted >= Instant(10min) - Instant{});
  CHECK(never.world.now() - accepted < Instant(11min) - Instant{});
}

TEST_CASE("night: where the service knows no job of an account at all, its key is asked about") {
  WorldRun run;
  run.write_listings(1);
  Completion said = answer(200, R"({"status":"GENERATING_VIDEO"})");
  script_polls(run.world, [&] { return said; });
  CHECK(run.night().counts.of(RowState::TimedOut) == 1);
  said = answer(404);  // as with the key of another workspace
  const RunReport lost = run.night();
  CHECK(lost.counts.of(RowState::Failed) == 1);
  REQUIRE_FALSE(lost.examples.empty());
  CHECK(lost.examples[0].reason.find("the service no longer knows the job, nor was any other of this account seen") !=
        std::string::npos);
}

TEST_CASE("night: a job that timed out is waited for again, after a day polled once a run, after seven days given up") {
  WorldRun run;
  run.write_listings(1);
  script_polls(run.world, [] { return answer(200, R"({"status":"GENERATING_VIDEO"})"); });
  const auto polls = [&] { return run.world.sends.size() - 1; };
  CHECK(run.night().counts.of(RowState::TimedOut) == 1);
  CHECK(run.outcome.stopped_by == "job_timeout");
  const std::size_t first = polls();
  CHECK(first >= 390);  // 20 minutes, every 3 s
  CHECK(run.night().counts.of(RowState::TimedOut) == 1);
  CHECK(polls() >= first + 390);

  run.world.wall_step += 25h;
  const std::size_t second = polls();
  CHECK(run.night().counts.of(RowState::TimedOut) == 1);
  CHECK(polls() == second + 1);

  run.world.wall_step += 24h * 7;
  const RunReport last = run.night();
  CHECK(polls() == second + 2);
  CHECK(last.counts.of(RowState::Failed) == 1);
  CHECK(last.examples[0].reason.find("given up") != std::string::npos);
  // It failed with this content: nothing is paid for again by itself.
  const std::size_t sends = run.world.sends.size();
  run.night();
  CHECK(run.world.sends.size() == sends);
}

TEST_CASE("night: a video that is ready when the last poll comes is not lost") {
  WorldRun run;
  run.write_listings(1);
  bool done = false;
  script_polls(run.world, [&] {
    return answer(200, done ? R"({"status":"DONE","url":"https://c.test/v"})" : R"({"status":"PENDING"})");
  });
  run.night();
  run.world.wall_step += 24h * 8;
  done = true;
  CHECK(run.night().counts.of(RowState::Done) == 1);
}

TEST_CASE("night: an outage stops the account after the outage timeout; what is in flight goes on the next night") {
  WorldRun run;
  run.write_listings(3);
  bool out = true;
  script_polls(run.world, [&] {
    Completion lost;
    lost.error = "connection refused";
    lost.may_have_left = false;
    return out ? lost : answer(200, R"({"status":"DONE","url":"https://c.test/v"})");
  });
  const RunReport first = run.night();
  CHECK(run.outcome.stopped_by == "outage");
  CHECK(first.counts.of(RowState::InFlight) == 3);
  CHECK(run.world.now() - Instant{} < 17min);
  out = false;
  const RunReport second = run.night();
  CHECK(second.counts.of(RowState::Done) == 3);
  CHECK(second.counts.submissions == 0);
}

TEST_CASE("night: a Retry-After beyond the outage timeout stops the account and names the time") {
  WorldRun run;
  run.write_listings(1);
  script_polls(run.world, [&] {
    Completion held = answer(429);
    held.retry_after = "7200";
    return held;
  });
  const RunReport report = run.night();
  CHECK(run.outcome.stopped_by == "outage");
  CHECK(run.outcome.stopped_detail.find("2027-01-15T10:00") != std::string::npos);
  CHECK(report.counts.of(RowState::InFlight) == 1);
  CHECK(run.world.now() - Instant{} < 1min);
}

TEST_CASE("night: a wall clock that steps either way causes no burst and loses nothing") {
  for (const std::chrono::milliseconds step : {-3h, 3h}) {
    WorldRun run(quick_service(3));
    run.write_listings(30);
    int countdown = 100;
    run.world.crash_now = [&] {
      if (--countdown == 0) run.world.wall_step += step;
      return false;
    };
    CHECK(run.night().counts.of(RowState::Done) == 30);
    run.check_promises();
    run.write_listings(31);
    CHECK(run.night().counts.of(RowState::Done) == 31);
    run.check_promises();
  }
}

TEST_CASE("night: a budget is never passed while no job costs more than it reserves") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    WorldOptions options = quick_service(seed);
    options.service.used_per_job = seed % 2 == 0;
    WorldRun run(options);
    run.options.accounts[0].submit_rate = {{10, 1s}};
    run.options.accounts[0].rate = {{100, 1s}};
    run.options.accounts[0].max_price = {{"iacrea.auto", Credits::whole(1)}};  // one image, one clip, one credit
    run.options.max_credits = Credits::whole(7);
    run.write_listings(20);
    const RunReport report = run.night();
    CHECK(report.counts.of(RowState::Done) == 7);
    CHECK(report.counts.of(RowState::Planned) == 13);
    CHECK(run.outcome.stopped_by == "budget");
    CHECK(run.world.accepted().size() == 7);
  }
}

TEST_CASE(
    "night: a budget without a known price finds it out one job at a time, and held jobs do not keep the run waiting") {
  for (const bool per_job : {false, true}) {
    WorldOptions options = quick_service(5);
    options.service.used_per_job = per_job;
    WorldRun run(options);
    run.options.max_credits = Credits::whole(4);
    run.write_listings(10);
    run.night();
    CHECK(run.outcome.stopped_by == "budget");
    CHECK(run.world.accepted().size() <= 4);
    CHECK(run.world.accepted().size() >= 3);
  }
  WorldRun held(quick_service(6));
  held.options.max_credits = Credits::whole(4);
  held.options.accounts[0].max_price = {{"iacrea.auto", Credits::whole(1)}};
  held.write_listings(10);
  int posts = 0;
  held.world.answer = [&](const Exchange& exchange) -> std::optional<Completion> {
    if (exchange.method != "POST" || ++posts % 2 == 0) return std::nullopt;
    return answer(500);
  };
  const RunReport report = held.night();
  CHECK(held.outcome.stopped_by == "budget");
  CHECK(report.counts.of(RowState::Held) == 2);
  CHECK(report.counts.of(RowState::Done) == 2);
}

namespace {

/// Listings of agencies in turn, `per_agency` of each.
void write_agencies(WorldRun& run, const std::vector<std::string>& agencies, int per_agency, bool in_turn) {
  std::string csv = "id,image_urls,description,agency\n";
  const int count = per_agency * static_cast<int>(agencies.size());
  for (int i = 0; i < count; ++i) {
    const auto agency = static_cast<std::size_t>(in_turn ? i % static_cast<int>(agencies.size()) : i / per_agency);
    csv += fmt::format("L-{0},https://img.test/{0}.jpg,\"{1}\",{2}\n", i, Nights::description(i), agencies[agency]);
  }
  run.write_manifest(csv, static_cast<std::size_t>(count));
}

Budget by_agency(std::optional<Credits> lyon, std::optional<Credits> nice) {
  Budget budget;
  budget.labels = {{"agency", "Lyon", lyon, {}, {}}, {"agency", "Nice", {}, nice, {}}};
  return budget;
}

}  // namespace

TEST_CASE("night: the budget of one label value stops its rows and no other") {
  for (const bool in_turn : {true, false}) {
    for (const bool per_job : {true, false}) {
      CAPTURE(in_turn);
      CAPTURE(per_job);
      WorldOptions options = quick_service(3);
      options.service.used_per_job = per_job;
      WorldRun run(options);
      run.options.accounts[0].submit_rate = {{10, 1s}};
      run.options.accounts[0].rate = {{100, 1s}};
      run.options.accounts[0].credits = per_job ? CreditMeaning::Job : CreditMeaning::Account;
      run.options.accounts[0].max_price = {{"iacrea.auto", Credits::whole(1)}};
      run.options.accounts[0].budget = by_agency(Credits::whole(7), Credits::whole(40));
      write_agencies(run, {"Lyon", "Nice", "Paris"}, 300, in_turn);
      const RunReport report = run.night();
      CHECK(report.counts.of(RowState::Done) == 7 + 40 + 300);
      CHECK(run.world.accepted().size() == 7 + 40 + 300);
      CHECK(run.outcome.stopped_by == "budget");
      REQUIRE(run.outcome.budgets_reached.size() == 2);
      // Figures of the account tell no price of jobs side by side.
      const auto assumed = [&](const char* sum) {
        return per_job ? "" : fmt::format(", {} of it assumed for jobs of unknown price", sum);
      };
      CHECK(run.outcome.budgets_reached[0].why ==
            fmt::format("the budget run of agency=Lyon: 7 of 7 spent{}, the next job may cost 1", assumed("7")));
      CHECK(run.outcome.budgets_reached[1].why ==
            fmt::format("the budget day of agency=Nice: 40 of 40 spent{}, the next job may cost 1", assumed("40")));
      run.check_promises();

      run.options.accounts[0].budget = {};
      CHECK(run.night().counts.of(RowState::Done) == 900);
      CHECK(run.world.accepted().size() == 900);
      run.check_promises();
    }
  }
}

TEST_CASE("night: rows of a label value wait for its open jobs while others go on, and prices are found out in it") {
  WorldOptions options = quick_service(4);
  options.service.used_per_job = true;
  WorldRun run(options);
  run.options.accounts[0].submit_rate = {{10, 1s}};
  run.options.accounts[0].rate = {{100, 1s}};
  run.options.accounts[0].credits = CreditMeaning::Job;
  SUBCASE("a price that is far too high") {
    run.options.accounts[0].max_price = {{"iacrea.auto", Credits::whole(20)}};
    run.options.accounts[0].budget = by_agency(Credits::whole(40), {});
    write_agencies(run, {"Lyon", "Paris"}, 60, false);
    const RunReport report = run.night();
    CHECK(report.counts.of(RowState::Done) == 60 + 21);  // the 22nd may cost 20
  }
  SUBCASE("no price at all") {
    run.options.accounts[0].budget = by_agency(Credits::whole(40), {});
    write_agencies(run, {"Lyon", "Paris"}, 60, false);
    const RunReport report = run.night();
    CHECK(report.counts.of(RowState::Done) == 60 + 40);
  }
  SUBCASE("soft") {
    run.options.accounts[0].max_in_flight = 4;
    run.options.accounts[0].budget = by_agency(Credits::whole(10), {});
    run.options.accounts[0].budget.mode = Budget::Mode::Soft;
    write_agencies(run, {"Lyon"}, 60, false);
    const RunReport report = run.night();
    CHECK(report.counts.of(RowState::Done) >= 10);
    CHECK(report.counts.of(RowState::Done) <= 10 + 3);
  }
  run.check_promises();
}

TEST_CASE("night: soft and cautious budgets of an account") {
  for (const Budget::Mode mode : {Budget::Mode::Soft, Budget::Mode::Cautious}) {
    WorldOptions options = quick_service(5);
    options.service.used_per_job = true;
    WorldRun run(options);
    run.options.accounts[0].submit_rate = {{10, 1s}};
    run.options.accounts[0].rate = {{100, 1s}};
    run.options.accounts[0].credits = CreditMeaning::Job;
    run.options.accounts[0].max_in_flight = 5;
    run.options.accounts[0].max_price = {{"iacrea.auto", Credits::whole(9)}};
    run.options.accounts[0].budget.day = Credits::whole(20);
    run.options.accounts[0].budget.mode = mode;
    run.write_listings(40);
    const RunReport report = run.night();
    CHECK(run.outcome.stopped_by == "budget");
    CHECK(report.counts.of(RowState::Done) >= 20);
    CHECK(report.counts.of(RowState::Done) <= (mode == Budget::Mode::Soft ? 24 : 20));
    run.night();
    CHECK(run.world.accepted().size() == static_cast<std::size_t>(report.counts.of(RowState::Done)));
  }
}
