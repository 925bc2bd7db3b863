// What a run would do, for a person and as plan.json.
#pragma once

#include <string>

#include "runner/ledger.h"
#include "runner/options.h"

namespace reelbatch {

/// Reads the manifests, decides every row against the ledger, prints the counts by reason and what they may cost and
/// take, and writes `plan_file` if one is named.
///
/// ledger  nullptr for a first night.
///
/// Returns the exit code: 0, or 2 if the run would be refused as a mass change (the plan is printed and written all the
/// same). Fails like take_in().
Result<int> make_plan(Ledger* ledger, const Options& options, const std::string& plan_file);

}  // namespace reelbatch
