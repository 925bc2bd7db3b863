// Where a text that the JSON reader refused is wrong, in words for people: the reader itself says only that it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

struct TextFault {
  std::size_t at = 0;     ///< the byte
  std::string message;    ///< `expected ',' or '}', found 'x'`
  bool in_value = false;  ///< a string or a number is wrong, and the text is in its form all the same
};

/// The first thing that is against the form of JSON, or else the first string or number that cannot be read. Nothing if
/// all is well. Takes time in proportion to the text, whatever it says.
std::optional<TextFault> find_json_fault(std::string_view text);

}  // namespace reelbatch
