// One run on an open session, in three phases: prepare, work, end. What surrounds it (the lock, files, signals, the
// network) is given, so that the simulated world runs the very same sequence.
#pragma once

#include "runner/clock.h"
#include "runner/intake.h"
#include "runner/options.h"
#include "runner/progress.h"
#include "runner/report.h"
#include "runner/runner.h"
#include "runner/session.h"
#include "runner/stop.h"

namespace reelbatch {

/// What a run works with. Everything must outlive it.
struct RunSetting {
  const Options& options;
  const Clock& clock;
  Progress& progress;
  Session& session;
};

/// A run's uid: its start and a few random bits.
std::string make_run_uid(WallTime now, std::uint32_t random);

/// Holds what a run that died left open, then reads the manifests into a new run, all or nothing (take_in), and binds
/// the accounts that it needs. `run` has its uid and start; it gets its number.
Result<IntakeCounts> prepare_run(const RunSetting& setting, RunRecord& run, const RemarkSink& remark);

/// The same for a run of the ledger that goes on (take_up).
Result<void> prepare_resumed_run(const RunSetting& setting, const RunRecord& run);

/// The loop until nothing is left to do.
Result<RunOutcome> work_on_run(const RunSetting& setting, const RunRecord& run, Transport& transport,
                               const StopRequest& stop, Rng& rng);

struct EndedRun {
  RunReport report;  ///< with the end in it
  int exit_code = 0;
  Result<void> recorded;  ///< that the run ended; without it, it counts as one that died
};

/// Sums a run up, decides its exit code and records its end.
///
/// outcome  of the loop; with an error the end is not recorded and the code is 7.
Result<EndedRun> end_run(const RunSetting& setting, RunRecord run, const Result<RunOutcome>& outcome);

}  // namespace reelbatch
