// The small texts of options: durations, rate windows, deadlines, whole numbers. Read the same way from a flag, from
// the environment and from the configuration. Messages quote the text and say what would be right; callers put the
// option's name in front.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/clock.h"
#include "runner/options.h"

namespace reelbatch {

/// `100ms`, `3s`, `20m`, `5h`, `7d`: a whole number and one unit; `0` needs none. At most 3650 days.
/// Fails with Fault::Usage on anything else.
Result<Duration> parse_duration(std::string_view text);

/// The shortest form that parse_duration() reads back: `90s`, `20m`, `7d`, `0s`. Below a millisecond is cut off.
///
/// duration  >= 0.
std::string to_text(Duration duration);

/// For people, two units at most: `12 s`, `3 min 20 s`, `27 h 46 min`, `3 d 4 h`.
std::string about(Duration duration);

/// `10/1s`: a limit of 1 to 1,000,000 and a width of more than 0, at most 31 days.
Result<RateWindow> parse_rate_window(std::string_view text);

/// One window or several, separated by commas or blanks: `10/1s, 300/1m`. Never empty.
Result<std::vector<RateWindow>> parse_rate_windows(std::string_view text);

/// `10/1s`, several joined with `, `.
std::string to_text(const std::vector<RateWindow>& windows);

/// A duration from the start (`5h`), RFC 3339 with its offset (`2026-11-22T06:00:00+01:00`; a space for the `T` is
/// fine), or `HH:MM`, the next such local time after `now`, today or tomorrow.
///
/// Local time is the C library's (TZ). On the night a clock is put back the earlier of two equal times counts if it is
/// still to come; a time that is skipped when a clock is put forward means as long after midnight as it says.
Result<Deadline> parse_deadline(std::string_view text, WallTime now);

/// `2026-11-22T06:00:00+01:00`, with its offset or `Z`; a space for the `T` is fine. Nothing for anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// A whole number from `least` to `most`, digits only (no sign, no blanks, no exponent).
Result<long> parse_whole(std::string_view text, long least, long most);

}  // namespace reelbatch
