// UTF-8 as the rules of this program need it: code points, blanks, and text that is safe to show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

/// One code point and how many bytes it took.
struct CodePoint {
  char32_t value = 0xFFFD;  ///< U+FFFD if the bytes are malformed
  std::size_t size = 1;     ///< 1 to 4; of malformed bytes 1, so that reading always moves on
  bool valid = false;
};

/// The code point at `at`, which must be below text.size(). Strict: RFC 3629, no surrogates, no overlong forms.
CodePoint code_point_at(std::string_view text, std::size_t at);

/// Appends `point` as UTF-8. Anything that is no Unicode scalar value becomes U+FFFD.
void append_code_point(std::string& out, char32_t point);

/// True if `text` is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);
/// Unicode code points in well-formed UTF-8.
std::size_t count_code_points(std::string_view text);

/// Unicode white space, and what is invisible at the edge of a cell: zero-width characters, soft hyphen, byte order
/// mark.
bool is_blank_point(char32_t point);

/// C0 without tab, line feed and carriage return, DEL, C1.
bool is_control_point(char32_t point);

/// What the control character `point`, of U+0080 to U+009F, is as a byte of windows-1252: feeds that were read as
/// Latin-1 once carry an apostrophe as U+0092 (FORMATS 5). 0 for what is nothing there, and for all other code points.
char32_t windows_1252_meaning(char32_t point);

/// Without blanks (is_blank_point) at both ends.
std::string_view trim_blanks(std::string_view text);

/// ASCII letters in lower case, all else as it is.
std::string ascii_lower(std::string_view text);

/// One line fit for a message: runs of blanks and control characters become one space, malformed bytes U+FFFD, and what
/// is longer than `points_max` code points ends in an ellipsis.
std::string printable(std::string_view text, std::size_t points_max);

}  // namespace reelbatch
