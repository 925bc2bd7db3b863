// Nights in the simulated world: a manifest, a ledger on a simulated disk, and the program's own sequence of a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/run_phases.h"
#include "tests/scoped_folder.h"
#include "tests/simulation/auditor.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/world.h"

namespace reelbatch {

/// How a process ended.
struct NightEnd {
  enum class How {
    Ended,    ///< the run came to its end; `run` tells how
    Refused,  ///< it ended before the first request: `error`
    Broken,   ///< the ledger could not be written: `error`
    Crashed,  ///< it died
  };
  How how = How::Crashed;
  std::optional<EndedRun> run;
  Error error;
};

class Nights {
 public:
  explicit Nights(const WorldOptions& world = {});
  Nights(const Nights&) = delete;
  Nights& operator=(const Nights&) = delete;

  /// The manifest: `count` listings with descriptions of their own, which end in `suffix`.
  void write_listings(int count, const std::string& suffix = "");
  static std::string description(int number, const std::string& suffix = "");
  /// The manifest as it is. rows  how many it has.
  void write_manifest(const std::string& csv, std::size_t rows);

  /// One process from its start to its end, however that comes. Afterwards the next one can be started.
  ///
  /// resume  takes up the last run instead of reading the manifest.
  /// end     what becomes of what was not synced, if the process dies.
  NightEnd night(bool resume = false, SimulatedDisk::End end = SimulatedDisk::End::Killed);

  /// The operator's word on every held job; returns how many had one.
  enum class Word { Adopt, Resubmit, Drop };
  int resolve(Word word);

  /// What must hold once everything that was sent has had its effect.
  void check_books();

  World world;
  SimulatedDisk disk;
  Options options;  ///< limits and so on; one account for each of the world's services
  Auditor auditor;
  SilentProgress progress;
  StopAt stop;
  RunOutcome outcome;  ///< of the last run that ended
  /// Asked before and after each commit of the loop; true ends the process there.
  std::function<bool(bool before)> crash_at_commit;
  std::int64_t commits = 0;
  std::string phase;  ///< what the process does: `opening`, `preparing`, `working`, `ending`

 private:
  class WatchedLedger;
  Result<std::unique_ptr<SqliteLedger>> open_ledger();
  NightEnd run(bool resume);
  NightEnd failed(const Error& error, bool before_work) const;
  std::optional<std::string> unknown_job_of(const HeldJob& held, Ledger& ledger) const;
  void check_secrets(const NightEnd& end);
  void check_told(const std::vector<std::pair<std::size_t, std::string>>& told);

  ScopedFolder folder_;
  std::size_t rows_ = 0;
  std::uint32_t uids_ = 0;
  SeededRandom chance_;  ///< what the power takes, and what the loop draws
};

/// The most sends found in any closed span of `width`; paid ones alone if asked.
int busiest_span(const std::vector<World::Send>& sends, Duration width, bool paid_only);

}  // namespace reelbatch
