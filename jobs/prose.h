// The text of a description: what a cell of a feed says, without what its website or its exporter added.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"

namespace reelbatch {

/// What is done to descriptions only where it is asked for.
struct ProseOptions {
  bool strip_contacts = false;   ///< jobs/contacts.h
  bool repair_mojibake = false;  ///< jobs/mojibake.h
  bool any() const { return strip_contacts || repair_mojibake; }
};

struct Prose {
  std::string text;                  ///< at most half as long again as what it was read from
  std::vector<std::string> remarks;  ///< what was mended or cannot be, the same words for the same thing
  std::size_t work = 0;              ///< how many bytes markup was looked for in: linear in the size of the input
};

/// Reads a description, in this order (FORMATS 5):
///
/// 1. a `\n` that is spelt out is a line end, if there is no real one;
/// 2. markup goes (html_text.h), then character references become characters, at most twice, each time followed by a
///    look for markup that came to light;
/// 3. WordPress shortcodes go, what they enclose stays; other brackets and Markdown are text;
/// 4. characters that were mangled are remarked on, or repaired;
/// 5. line ends become line feeds, C1 controls what they mean in windows-1252, and no-break spaces spaces; other
///    controls and what has no width go;
///    blanks are collapsed, with at most one empty line in a row, and trimmed;
/// 6. contacts go, if that is asked for.
///
/// text  UTF-8 without NUL, any length.
///
/// What was read is not changed by being read again, unless there is `<`, `&`, `[` or `\` in it: markup that is nested
/// in markup or encoded three times is left, and would be found then.
Prose read_prose_text(std::string_view text, const ProseOptions& options = {});

/// Whether nothing is left of a text that is not blank, once its markup has gone. Costs little where a word comes
/// first.
bool is_only_markup(std::string_view text);

/// A description together with what is to be done to it, as JSON. Kept in the place of the description itself, so that
/// what the options do is part of what is compared, and the description is there as it was read.
std::string prose_with_options(std::string_view text, const ProseOptions& options);

/// The inverse; nothing if `json` is anything else.
struct ProseRequest {
  std::string text;
  ProseOptions options;
};
std::optional<ProseRequest> read_prose_with_options(std::string_view json);

}  // namespace reelbatch
