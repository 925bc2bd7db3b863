// Markup out of a text: what HTML in a feed's cell says when it is read aloud.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

/// What one pass over markup gave.
struct HtmlText {
  std::string text;       ///< line ends where elements begin or end lines, not yet tidied
  bool decoded = false;   ///< there were character references
  std::string left_open;  ///< `<script>` or `<!--` if one is never closed: what follows it is gone
  std::size_t work = 0;   ///< how many bytes were looked at: a fixed number of times the size of the input
};

/// Drops tags and keeps their text; drops comments, declarations, and script, style, head, noscript, button, svg and
/// iframe with what is in them. `<br>` ends a line; paragraphs, divisions, headings and table rows have a blank line
/// around them; a list item is a line that begins with `- `. A `<` that begins no tag stays, as in `surface < 50 m2`.
///
/// text    UTF-8, any length.
/// decode  character references as well (html_entities.h).
HtmlText read_html(std::string_view text, bool decode);

}  // namespace reelbatch
