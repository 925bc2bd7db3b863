// What of a plan.json a later run keeps to: `run --plan`.
#pragma once

#include <string>

#include "jobs/error.h"
#include "runner/options.h"

namespace reelbatch {

/// The members `digest`, `manifests` and `options` of a plan: what was read, how it was asked for, and what came out.
std::string plan_head_json(const Options& options, const PlanDigests& digests);

/// Makes `options` those of the plan: its manifests (unless others are named), which rows and what of them, and the
/// decisions to keep to.
///
/// Fails with Fault::Usage, naming the file, if it cannot be read, is no plan, or was made with another `limit`,
/// `only`, `retry_failed` or `on_change` than `options` already has.
Result<void> keep_to_plan(const std::string& file, Options& options);

}  // namespace reelbatch
