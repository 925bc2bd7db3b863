// "Did you mean": how far two names are apart, and which known names are near a given one. Pure text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reelbatch {

/// The least number of characters to insert, delete or replace that turns `a` into `b` (Levenshtein), or `limit` + 1 if
/// that is more than `limit`. Counts code points; malformed UTF-8 counts by bytes. Case matters.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// Those of `names` that someone who wrote `word` may have meant, nearest first, at most `count`: at most a third of
/// the letters differ (at least 1, at most 4), letter case aside, or one begins with the other (3 letters or more).
std::vector<std::string> nearest_names(std::string_view word, std::span<const std::string_view> names,
                                       std::size_t count = 3);

/// ` (did you mean 'jobs'?)`, with a space in front, or nothing when no name is near: to put behind a message.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> names);

}  // namespace reelbatch
