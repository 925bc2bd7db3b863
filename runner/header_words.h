// What is said about a header that will not do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reelbatch {

/// `'a', 'b' and 3 more`, at most `count` of them.
std::string quoted_list(const std::vector<std::string>& names, std::size_t count);

/// No column is the id: which columns there are and which of them may be meant, or that this is no header.
///
/// skip_lines  how many lines stand in front of a line that would do; 0: none would.
std::string no_id_column(const std::vector<std::string>& header, std::uint64_t skip_lines);

}  // namespace reelbatch
