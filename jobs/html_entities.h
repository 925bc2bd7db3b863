// Character references of HTML: `&eacute;`, `&#233;`, `&#xE9;`.
#pragma once

#include <cstddef>
#include <string_view>

namespace reelbatch {

/// A character reference and how many bytes it took; 0 bytes if there is none.
struct EntityRead {
  char32_t point = 0;
  std::size_t size = 0;
};

/// The reference that `text` begins with. Names are those of HTML 4; one without its semicolon counts where browsers
/// take it so. Numbers from 80 to 9F are what they mean in windows-1252; those of no character are no reference. Looks
/// at no more than a dozen bytes.
EntityRead read_entity(std::string_view text);

/// Whether `text` is the front part of a reference that it lacks the rest of: `&#`, `&#23`, or three letters of a name
/// or more, as `&eacut`; `R&D` is none.
bool is_cut_entity(std::string_view text);

}  // namespace reelbatch
