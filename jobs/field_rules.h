// One field's value as read into the JSON that is sent: the rules that several kinds share.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"

namespace reelbatch {

/// What reading one value found. Without a problem and without JSON the value is empty, so the field is absent.
struct FieldReading {
  std::optional<std::string> json;    ///< canonical: equal values have equal text
  std::vector<std::string> problems;  ///< what is wrong and what would be right, without the field's name
  std::vector<std::string> remarks;   ///< what was mended
};

/// A text of several lines. Blanks around it go, line breaks become line feeds, control characters are dropped (those
/// of windows-1252 that came as C1 become what they mean there); tabs stay. NUL and malformed UTF-8 are problems, as is
/// a text of fewer than `points_min` code points after trimming.
FieldReading read_text(const RawValue& value, std::size_t points_min);

/// A description as prose.h reads it, of at least `points_min` code points afterwards. Nothing but markup in it is a
/// problem; a word for nothing, such as `N/A`, is no description. Takes prose_with_options() as well.
FieldReading read_prose(const RawValue& value, std::size_t points_min);
/// Of well-formed UTF-8: true only if read_prose() would take it as it is, but for blanks around it, without a word.
bool is_plain_description(RawValue::Form form, std::string_view text, std::size_t points_min);

/// The same as read_text() on one line: a line break or tab inside is a problem.
FieldReading read_line(const RawValue& value);

/// true, false, yes, no, 1, 0 in any case.
FieldReading read_boolean(const RawValue& value);

/// The id of something at a service, as a person copied it: opaque, but neither an address nor dots, which would be a
/// direction in a path, and at most 255 characters.
FieldReading read_service_id(const RawValue& value);

/// One of `choices` in any case, sent as it is spelt there; a near miss gets a suggestion.
FieldReading read_choice(const RawValue& value, std::span<const std::string_view> choices);

/// The same where `choices` are not all there are: another word is sent as it stands, with a remark.
FieldReading read_open_choice(const RawValue& value, std::span<const std::string_view> choices);

/// A number from `min` to `max`, both included, such as `2`, `2.0` or `1.5`. Equal numbers have equal JSON.
FieldReading read_number(const RawValue& value, double min, double max);

/// One http or https address.
FieldReading read_address(const RawValue& value);

/// A list of addresses, all of which are sent. A list of which nothing usable is left is a problem.
FieldReading read_addresses(const RawValue& value);

/// Exactly two colours, background and text: a list, or a text with `|`, `;`, `,` or blanks between. `#rgb` and
/// `#rrggbb` in any case become `#rrggbb` in lower case.
FieldReading read_color_pair(const RawValue& value);
/// True only if read_color_pair() would take it without a word: `#1a1a2e|#ffffff` or the same as compact JSON.
bool is_plain_color_pair(RawValue::Form form, std::string_view text);

}  // namespace reelbatch
