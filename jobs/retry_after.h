// The Retry-After header.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace reelbatch {

/// How long the server asks to wait.
///
/// value  seconds, or a date in any of the three forms of HTTP, blanks around it allowed.
/// now    the wall time at which the answer arrived; only a date needs it.
///
/// Returns >= 0 ms, at most ten years. Nothing for a date in the past and for what cannot be read.
/// Source: RFC 9110 sections 10.2.3 and 5.6.7.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace reelbatch
