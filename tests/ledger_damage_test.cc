// A ledger of which a part is missing is refused, or found out by `ledger verify`; it never passes for a smaller one.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/simulation/nights.h"

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPath = "/reelbatch.db";

/// What is known of each job, a line each; nothing if the ledger was refused or is known to be damaged.
std::optional<std::string> read_ledger() {
  Result<std::unique_ptr<SqliteLedger>> ledger =
      SqliteLedger::open(kPath, SqliteLedger::Mode::Write, SimulatedDisk::kVfs);
  if (!ledger) {
    CHECK(ledger.error().message.find(kPath) != std::string::npos);
    return std::nullopt;
  }
  const auto findings = (*ledger)->verify();
  if (!findings || !findings->empty()) return std::nullopt;
  const auto run = (*ledger)->run("");
  if (!run) return std::nullopt;
  std::string text;
  if (!*run) return text;
  const auto walked = (*ledger)->for_each_row((*run)->id, [&](const RowView& row) -> Result<void> {
    text += fmt::format("{} {} {}\n", row.row.id, row.remote_id, row.state ? name_of(*row.state) : "none");
    return {};
  });
  return walked ? std::optional(text) : std::nullopt;
}

void prepare(Nights& nights) {
  nights.world.options.service.clip_ms = 2000;
  nights.options.accounts[0].submit_rate = {{50, 1s}};
  nights.options.accounts[0].rate = {{500, 1s}};
  nights.write_listings(40);
}

}  // namespace

TEST_CASE("ledger: cut off anywhere it is refused, or found to be damaged") {
  Nights nights;
  prepare(nights);
  REQUIRE(nights.night().how == NightEnd::How::Ended);
  const std::string whole = nights.disk.get(kPath);
  REQUIRE(whole.size() > 10 * 4096);
  const auto before = read_ledger();
  REQUIRE(before);
  for (std::size_t size = 1; size < whole.size(); size += size % 4096 < 3 || size % 4096 > 4093 ? 1 : 509) {
    CAPTURE(size);
    nights.disk.put(kPath, whole.substr(0, size));
    const auto after = read_ledger();
    CHECK_FALSE((after && *after != *before));
    CHECK_FALSE(after);
  }
}

TEST_CASE("ledger: a log that is cut off is the ledger of an earlier commit") {
  Nights nights;
  prepare(nights);
  nights.disk.checkpoint_at = 1'000'000;
  std::vector<std::string> states;  // what each commit left
  std::string base, log;
  int commits = 0;
  nights.crash_at_commit = [&](bool before) {
    if (before) return false;
    base = nights.disk.get(kPath);
    log = nights.disk.get(std::string(kPath) + "-wal");
    return ++commits == 30;
  };
  REQUIRE(nights.night().how == NightEnd::How::Crashed);
  REQUIRE(log.size() > 10 * 4096);
  std::string last;
  int different = 0;
  std::size_t jobs = 0;
  // The file alone does not pass for all of it.
  nights.disk.put(kPath, base);
  nights.disk.put(std::string(kPath) + "-wal", "");
  CHECK_FALSE(SqliteLedger::open(kPath, SqliteLedger::Mode::Write, SimulatedDisk::kVfs));
  for (std::size_t size = 1033; size <= log.size(); size += 1033) {
    CAPTURE(size);
    nights.disk.put(kPath, base);
    nights.disk.put(std::string(kPath) + "-wal", log.substr(0, size));
    const auto state = read_ledger();
    REQUIRE(state);  // every commit leaves a ledger that is right in itself
    // A longer log knows more: jobs are never lost again.
    std::size_t known = 0;
    for (std::size_t at = 0; (at = state->find("-", at)) != std::string::npos; ++at) ++known;
    CHECK(known >= jobs);
    jobs = known;
    different += *state != last;
    last = *state;
  }
  CHECK(different > 5);
}
