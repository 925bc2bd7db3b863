// The end of a run in words: what is done, what is not and why, what it cost, what to do next.
#pragma once

#include <string>
#include <vector>

#include "runner/report.h"

namespace reelbatch {

/// The exit code of a finished run (PRODUCT.md section 2): selected rows decide.
///
/// key_refused, address_refused  as in RunOutcome.
int exit_code_of(const RowCounts& counts, bool key_refused, bool address_refused);

/// `36 rows: 30 done (20 from earlier runs), 6 failed`
std::string counts_line(const RowCounts& counts);

/// Listings of the last run that the manifest no longer names: how many, and which, the first ten unless `all`. At
/// least one; lines with their ends, further ones indented.
std::string gone_text(const std::vector<ListingName>& gone, bool all);

struct SummaryContext {
  std::vector<std::string> outputs;
  std::vector<HeldJob> held;      ///< all of the ledger
  std::int64_t others_open = 0;   ///< jobs in flight that are not of this run's rows
  std::vector<ListingName> gone;  ///< listings that left the feed
  bool list_gone = false;         ///< name all of them
  std::string ledger;
  std::string go_on;  ///< the command that does what --limit left out; empty without --limit
};

/// A few lines of plain text, safe for a terminal.
std::string summary_text(const RunReport& report, const SummaryContext& context);

}  // namespace reelbatch
