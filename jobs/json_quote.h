// Texts as JSON strings and back. Apart from json.h, whose parser is a header of the size of all others together.
#pragma once

#include <string>
#include <string_view>

namespace reelbatch {

/// `text` as a JSON string with its quotes. Control characters are escaped; malformed UTF-8 becomes U+FFFD.
std::string json_quote(std::string_view text);
/// The same, appended.
void append_json_quoted(std::string& out, std::string_view text);

/// The inverse: the text of a JSON string; empty if `json` is none.
std::string json_unquote(std::string_view json);

}  // namespace reelbatch
