// A night in the simulated world: a manifest, a ledger on disk, the real loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runner/options.h"
#include "runner/report.h"
#include "runner/runner.h"
#include "runner/sqlite_ledger.h"
#include "tests/scoped_folder.h"
#include "tests/world.h"

namespace reelbatch {

/// A ledger that can die before or after any of its commits.
class MortalLedger;

class WorldRun {
 public:
  explicit WorldRun(const WorldOptions& options = {});

  /// The manifest: `count` listings whose descriptions are their own.
  void write_listings(int count, const std::string& suffix = "");
  static std::string description(int number, const std::string& suffix = "");

  /// One process: takes in the manifest and works until it ends. Throws Crash where the world or the ledger is told to.
  RunReport night();
  /// Nights until none crashes, at most `most`.
  RunReport nights_until_done(int most);

  /// Everything that must hold after any number of nights; the message names the seed.
  void check_promises(const RunReport& last);

  World world;
  Options options;  ///< limits and so on; one account
  RunnerOptions loop;
  RunOutcome outcome;  ///< of the last night
  SilentProgress progress;
  StopAt stop;
  /// Asked before and after each commit of the loop; true ends the process there.
  std::function<bool(bool before)> crash_at_commit;
  std::int64_t commits = 0;
  std::int64_t open_intents = 0;  ///< on disk, without an outcome
  std::int64_t lost = 0;          ///< submissions that were open at a crash

 private:
  ScopedFolder folder_;
  int nights_ = 0;
};

/// The most sends found in any closed span of `width`; paid ones alone if asked.
int busiest_span(const std::vector<World::Send>& sends, Duration width, bool paid_only);

}  // namespace reelbatch
