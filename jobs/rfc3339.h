// Moments as the services write them into their answers.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace reelbatch {

using Moment = std::chrono::sys_time<std::chrono::nanoseconds>;

/// `2026-10-03T13:42:43.964728-07:00`: any number of decimals (those beyond nanoseconds do not count), `Z` or an
/// offset, a blank in the place of the `T`. Nothing for anything else, and for years before 1970 or after 2200.
/// Source: RFC 3339 section 5.6; that services write it in several ways: PROVIDERS 2.2.
std::optional<Moment> parse_moment(std::string_view text);

}  // namespace reelbatch
