// Local days, weeks and months, as people account by them. Local is the C library's time zone (TZ), as for budgets.
#pragma once

#include <string>
#include <string_view>

#include "jobs/error.h"
#include "runner/clock.h"

namespace reelbatch {

enum class Span { Day, Week, Month };

/// A local day, week (from Monday on) or month.
struct Period {
  WallTime from;     ///< its first moment
  WallTime to;       ///< the first that is not in it
  std::string name;  ///< `2026-11-21`, `2026-W47` (ISO 8601), `2026-11`
};

/// The period that `time` is in. It begins where start_of_day() or start_of_month() says.
Period period_of(WallTime time, Span span);

/// A local date, `2026-11-01`, or RFC 3339 with its offset. A date means its first moment, or with `whole_day` the
/// first after it, so that what is meant to go on until a day has that day in it.
Result<WallTime> parse_moment(std::string_view text, bool whole_day);

/// The local time zone at a moment, for people: `UTC+01:00 (CET)`.
std::string zone_name(WallTime time);

}  // namespace reelbatch
