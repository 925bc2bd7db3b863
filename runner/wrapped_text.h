// Text for a terminal of 80 columns: lines broken at blanks, and lists with a name in front of each entry.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

/// Appends `text` and a line end, broken at blanks, each further line indented; the first one begins at column `at`.
/// A word that is longer than a line stays whole.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t at);

/// One entry of a list: a name, and what it is from `column` on; on a line of its own where the name is too long.
void append_entry(std::string& out, std::string_view name, std::string_view text, std::size_t column);

}  // namespace reelbatch
