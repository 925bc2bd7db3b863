// The options of PRODUCT.md section 2, one table: each is a flag, an environment variable and a key of the
// configuration, read by the same code, so that the three can never disagree.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/clock.h"
#include "runner/options.h"

namespace reelbatch {

/// Environment variables by name. Only what options need; never a key.
using Environment = std::map<std::string, std::string, std::less<>>;

/// Of this process: `REELBATCH_*`, `*_BASE_URL` and what says where configurations are.
Environment system_environment();

/// The limits that an account may have for itself. What is not set is left to the next level.
struct Pace {
  std::optional<std::vector<RateWindow>> rate;
  std::optional<std::vector<RateWindow>> submit_rate;
  std::optional<int> max_in_flight;
};

/// What a setting writes to.
struct SettingTarget {
  Options& options;
  Pace& pace;
  WallTime now;  ///< for deadlines
};

/// The commands that have options of this table; values are bits.
enum CommandBit : unsigned {
  kCheckBit = 1U << 0U,
  kPlanBit = 1U << 1U,
  kRunBit = 1U << 2U,
  kResumeBit = 1U << 3U,
  kStatusBit = 1U << 4U,
  kReportBit = 1U << 5U,
  kResolveBit = 1U << 6U,
  kLedgerBit = 1U << 7U,
  kCreditsBit = 1U << 8U,
};

/// One option.
struct Setting {
  enum class Shape {
    Flag,   ///< true or false
    One,    ///< one value; on a command line the last counts
    Many,   ///< a list; on a command line repeatable
    Greedy  ///< the same, and a flag takes several values at once
  };
  std::string_view name;  ///< `poll-interval`: of the flag `--poll-interval`
  char letter = 0;        ///< of the short flag, or 0
  Shape shape = Shape::One;
  unsigned commands = 0;        ///< CommandBits: which have the flag
  std::string_view group;       ///< headline in the help
  std::string_view value = {};  ///< what the help calls its value; empty for flags
  std::string_view help;        ///< with unit and default
  char separator = 0;           ///< between values in the environment, 0: there is only one
  bool is_path = false;         ///< in a configuration relative to its folder
  bool real_only = false;       ///< tuned for real accounts: only a flag counts for the sandbox
  /// Replaces what lower levels set; `map` only for the fields it names. Fails without the option's name in the
  /// message, leaving the target as it was. `values` has at least one. Null for what only a command line has.
  Result<void> (*apply)(SettingTarget& target, const std::vector<std::string>& values) = nullptr;

  std::string key() const;       ///< `poll_interval`, in the configuration
  std::string variable() const;  ///< `REELBATCH_POLL_INTERVAL`
};

/// In the order of the help.
std::span<const Setting> all_settings();
/// By Setting::name; nullptr if there is none.
const Setting* find_setting(std::string_view name);

/// Applies every setting that `environment` has (an empty variable is as good as none), and adds what is wrong to
/// `problems`, one line each. A `REELBATCH_` variable that is nearly one of ours is taken for a slip.
///
/// sandbox  leave out what is real_only.
void apply_environment(const Environment& environment, bool sandbox, SettingTarget& target,
                       std::vector<std::string>& problems);

/// `true`, `yes`, `1`, `false`, `no`, `0`, in any case.
Result<bool> parse_flag(std::string_view text);
/// An amount of credits, 0 or more.
Result<Credits> parse_amount(std::string_view text);

}  // namespace reelbatch
