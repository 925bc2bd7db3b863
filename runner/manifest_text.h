// What manifests do to text before it means anything: names that are written differently, cells that a spreadsheet
// changed, bytes that are no text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

/// Without blanks at both ends: ASCII and Unicode spaces, zero-width characters, byte order marks.
std::string_view trim(std::string_view text);

/// A name without what people vary: trimmed, in lower case (ASCII and Latin-1 letters), and each run of spaces, line
/// ends, `_`, `-` and `.` as one `_`. Equal folded names are the same name unless an exact one is there.
std::string fold_name(std::string_view name);

/// `*` stands for any characters, `?` for one byte; brackets are ordinary (`image[*].url`).
bool matches_glob(std::string_view pattern, std::string_view name);

/// The first number in `name` at or after `from`, or -1. Beyond 10^15 it is 10^15.
long long number_in(std::string_view name, std::size_t from);

/// Looks like an id that a spreadsheet shortened: `1,55552E+12`, `1.5E+11`, `1.5E11`, `2E+15`.
bool is_shortened_number(std::string_view text);

/// What a spreadsheet shows where it has no value: `#REF!`, `#N/A`, or `####` for a column that is too narrow.
bool is_spreadsheet_error(std::string_view text);

/// The first character that cannot be seen and is no blank: zero-width ones, marks of direction, soft hyphens; 0 if
/// there is none.
char32_t find_invisible(std::string_view text);

/// Says in words that there is nothing, as programs write it: `NULL`, `nan`, `None`, `N/A`, `-`.
bool stands_for_nothing(std::string_view text);

/// Said of a file that ends in its last row. No error: many programs write no last line end.
inline constexpr std::string_view kNoLineEnd =
    "the last line has no line end: if the file was still being written, its last row is cut";

/// What a spreadsheet's guard against formulas hides: `="00123"` is `00123`, `'=1+2` and `'-5'` lose the quote marks.
std::optional<std::string> without_formula_guard(std::string_view cell);

/// Offset of the first byte that is not part of well-formed UTF-8, or npos.
std::size_t find_malformed(std::string_view text);

/// With U+FFFD for each malformed byte.
std::string repair_utf8(std::string_view text);

/// Any C0, DEL or C1 control character, tab and line ends included.
bool has_control_character(std::string_view text);

/// Of images that stand in `other` and are not sent, as `used` has some already: what is said, and what to do.
std::string left_out(std::string_view other, std::string_view used, std::string_view field);

}  // namespace reelbatch
