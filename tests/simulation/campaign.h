// A scenario from its first process to the calm after the last fault, with every promise checked on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/scenario.h"

namespace reelbatch {

struct CampaignResult {
  std::vector<std::string> violations;  ///< empty: every promise was kept
  std::map<std::string, std::int64_t> reached;
  std::int64_t checks = 0;
  std::int64_t processes = 0;
};

/// Faults, crashes and an operator for `lives` processes; then calm, in which everything that is not held must finish
/// within a time computed from the limits; then one run more, which must send nothing.
///
/// trace  told of every event in words; may be empty.
CampaignResult run_scenario(const Scenario& scenario, const std::function<void(const std::string&)>& trace = {});

/// What a campaign of some thousand seeds must have come across to be worth anything.
std::vector<std::string_view> rare_cases();

}  // namespace reelbatch
