// The ledger's view of a run as files. Needs nothing from the run itself: `report` writes the same again at any time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runner/atomic_file.h"
#include "runner/ledger.h"
#include "runner/result_row.h"

namespace reelbatch {

/// A row that is shown with its reason.
struct ExampleRow {
  RowState state = RowState::Planned;
  std::string id, reason, file;
  std::uint64_t line = 0;
};

/// What the rows of one account and kind cost that this run submitted, and how many it was told to leave.
struct KindCosts {
  std::int64_t priced = 0;    ///< submitted, with a known cost
  std::int64_t unpriced = 0;  ///< submitted, without
  Credits sum, low, high;     ///< of the priced
  std::int64_t left = 0;      ///< would be submitted, and were left out by --limit
};

/// What a summary and the exit code are made from.
struct RunReport {
  RunRecord run;
  RowCounts counts;
  std::map<std::string, CreditSums> credits;                       ///< by account
  std::map<std::pair<std::string, std::string>, KindCosts> costs;  ///< by account and kind
  std::vector<ExampleRow> examples;  ///< the first few rows of each state but done and planned
};

/// The rows of a run by their state.
Result<RowCounts> count_rows(Ledger& ledger, RunId run);

/// Walks the rows once.
///
/// only  the ids that alone were asked for (--only), if any were: others count as left out by nothing.
Result<RunReport> make_report(Ledger& ledger, const RunRecord& run, std::span<const std::string> only = {});

/// Results as files, the format by the name's ending (output_endings()).
class ReportWriter {
 public:
  /// Opens every output now, so that one that cannot be written stops a run before its first request.
  ///
  /// manifests  files that no output may replace.
  static Result<ReportWriter> open(const std::vector<std::string>& paths, const std::vector<std::string>& manifests);

  /// Writes all rows to every output and puts the files in place. On an error the files that were there before are
  /// untouched, apart from outputs already written.
  Result<void> write(Ledger& ledger, const RunReport& report);

 private:
  std::vector<AtomicFile> files_;
};

}  // namespace reelbatch
