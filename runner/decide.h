// What the next night does with a listing (the table of PRODUCT.md 4.1). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runner/options.h"
#include "runner/transition.h"

namespace reelbatch {

using JobId = std::int64_t;

/// The words of `plan -o`; the numbers are stored in ledgers.
enum class Action { Submit = 0, Resume = 1, Skip = 2, Hold = 3, Invalid = 4 };
enum class Reason {
  New = 0,
  Changed = 1,
  Retry = 2,
  InFlight = 3,
  Unchanged = 4,
  FailedBefore = 5,
  Dropped = 6,
  Held = 7,
  Invalid = 8,
};
std::string_view name_of(Action action);
std::string_view name_of(Reason reason);

/// An earlier job of a listing.
struct KnownJob {
  JobId id = 0;
  State state = State::Planned;
  bool same_content = false;  ///< as the row's, both as this version normalises them
};

struct DecidePolicy {
  bool retry_failed = false;
  int retry_limit = 3;
  OnChange on_change = OnChange::Submit;
};

struct Decision {
  Action action = Action::Submit;
  Reason reason = Reason::New;
  JobId job = 0;           ///< whose outcome the row shows, or a planned one to go on with; 0 for none
  JobId compare_with = 0;  ///< the job whose content the change is told against, with Reason::Changed
};

/// jobs  every job of the listing, oldest first.
Decision decide(std::span<const KnownJob> jobs, const DecidePolicy& policy);

}  // namespace reelbatch
