// UTF-8 that was read as windows-1252 or Latin-1 on its way: `Ã©` where `é` was meant, `â€™` where an apostrophe was;
// or as windows-1251: `РџСЂРёРІРµС‚` where `Привет` was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

/// What was found in a text.
struct Mojibake {
  std::size_t count = 0;  ///< characters that are surely mangled
  std::string mangled;    ///< the first of them, as it stands: `Ã©`
  std::string meant;      ///< what it was: `é`
};

/// Counts what hardly any text has on purpose: `Ã` or `Â` in front of a sign beyond ASCII, `â€` and `ðŸ` with what
/// belongs to them; of Cyrillic text pairs such as `Рџ` or `ÐŸ`, where there is no letter outside of them. `text` is
/// UTF-8, looked at before blanks are tidied, since a no-break space can be half of a character. Cyrillic text that
/// lost the bytes which its wrong encoding does not have is not found.
Mojibake find_mojibake(std::string_view text);

/// The text with every character that was mangled like this as it was meant; unchanged if find_mojibake() counts none.
std::string repair_mojibake(std::string_view text);

}  // namespace reelbatch
