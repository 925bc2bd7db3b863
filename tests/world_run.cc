#include "tests/world_run.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/registry.h"
#include "runner/intake.h"

namespace reelbatch {

class MortalLedger final : public SqliteLedger {
 public:
  MortalLedger(std::unique_ptr<SqliteLedger> ledger, WorldRun& run) : SqliteLedger(std::move(*ledger)), run_(run) {}
  Result<void> commit(const Commit& commit) override {
    if (commit.empty()) return {};
    ++run_.commits;
    if (run_.crash_at_commit && run_.crash_at_commit(true)) throw Crash();
    Result<void> done = SqliteLedger::commit(commit);
    run_.open_intents += static_cast<std::int64_t>(commit.intents.size());
    for (const Step& step : commit.steps) run_.open_intents -= step.from == State::Submitting && run_.open_intents > 0;
    if (run_.crash_at_commit && run_.crash_at_commit(false)) throw Crash();
    return done;
  }

 private:
  WorldRun& run_;
};

WorldRun::WorldRun(const WorldOptions& chosen) : world(chosen), stop(world) {
  AccountOptions account;
  account.name = "iacrea";
  account.service = find_service("iacrea");
  account.base_url = "https://service.test";
  account.rate = {{10, std::chrono::seconds(1)}};
  account.submit_rate = {{1, std::chrono::seconds(1)}};
  options.accounts = {account};
  options.ledger = (folder_.path() / "reelbatch.db").string();
}

std::string WorldRun::description(int number, const std::string& suffix) {
  return fmt::format("A bright house with a garden, number {}{}", number, suffix);
}

void WorldRun::write_listings(int count, const std::string& suffix) {
  std::string text = "id,image_urls,description\n";
  for (int i = 0; i < count; ++i) {
    text += fmt::format("L-{0},https://img.test/{0}.jpg,\"{1}\"\n", i, description(i, suffix));
  }
  options.manifests = {folder_.write("listings.csv", text)};
}

RunReport WorldRun::night() {
  Result<std::unique_ptr<SqliteLedger>> opened = SqliteLedger::open(options.ledger, SqliteLedger::Mode::Write);
  REQUIRE(opened);
  MortalLedger ledger(std::move(*opened), *this);
  const Result<std::int64_t> interrupted = ledger.hold_interrupted(0, world.wall());
  REQUIRE(interrupted);
  open_intents = 0;
  AccountRecord record{0, "iacrea", "iacrea", "https://service.test", "", ""};
  const auto bind = [&](const std::string&) -> Result<AccountId> {
    if (Result<void> put = ledger.put_account(record); !put) return tl::unexpected(put.error());
    return record.id;
  };
  RunRecord run;
  run.uid = fmt::format("night-{}", ++nights_);
  run.started_at = world.wall();
  const Result<IntakeCounts> taken = take_in(ledger, options, bind, run, [](const Remark&) {});
  if (!taken) FAIL(taken.error().message);

  SeededRandom rng(world.options.seed);
  Runner runner(world, world, ledger, stop, progress, rng, loop, {{record, options.accounts[0], nullptr, nullptr}});
  const Result<RunOutcome> ended = runner.run(run);
  if (!ended) FAIL(ended.error().message);
  outcome = *ended;
  run.finished_at = world.wall();
  run.exit_code = 0;
  run.stopped_by = outcome.stopped_by;
  run.stopped_detail = outcome.stopped_detail;
  run.accounts_stopped = outcome.accounts_stopped;
  REQUIRE(ledger.end_run(run, outcome.accounts, outcome.sends, 30));
  const Result<std::vector<std::string>> findings = ledger.verify();
  REQUIRE(findings);
  for (const std::string& finding : *findings) FAIL_CHECK(finding);
  const Result<RunReport> report = make_report(ledger, run);
  REQUIRE(report);
  return *report;
}

RunReport WorldRun::nights_until_done(int most) {
  for (int i = 0; i < most; ++i) {
    try {
      return night();
    } catch (const Crash&) {
      lost += std::exchange(open_intents, 0);
      world.reboot();
    }
  }
  FAIL("crashed every night, seed " << world.options.seed);
  return {};
}

void WorldRun::check_promises(const RunReport& last) {
  world.crash_now = nullptr;
  world.settle();
  INFO("seed " << world.options.seed);
  std::int64_t accepted = 0;
  for (const auto& [description, times] : world.accepted()) {
    INFO(description);
    CHECK(times == 1);
    ++accepted;
  }
  const RowCounts& counts = last.counts;
  CHECK(counts.of(RowState::Done) + counts.of(RowState::Failed) + counts.of(RowState::InFlight) +
            counts.of(RowState::TimedOut) <=
        accepted);
  CHECK(counts.of(RowState::Done) + counts.of(RowState::Failed) + counts.of(RowState::InFlight) +
            counts.of(RowState::TimedOut) + counts.of(RowState::Held) >=
        accepted);
  for (const RateWindow& window : options.accounts[0].rate)
    CHECK(busiest_span(world.sends, window.width, false) <= window.limit);
  for (const RateWindow& window : options.accounts[0].submit_rate) {
    CHECK(busiest_span(world.sends, window.width, true) <= window.limit);
  }
}

int busiest_span(const std::vector<World::Send>& sends, Duration width, bool paid_only) {
  std::vector<Instant> times;
  for (const World::Send& send : sends) {
    if (send.paid || !paid_only) times.push_back(send.at);
  }
  int most = 0;
  for (std::size_t first = 0, last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] > width) ++first;
    most = std::max(most, static_cast<int>(last - first + 1));
  }
  return most;
}

}  // namespace reelbatch
