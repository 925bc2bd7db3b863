// Host names beyond ASCII, as far as they can be encoded without the tables of IDNA.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

/// One label of a host name (`château`) in its ASCII form (`xn--chteau-xta`); an ASCII label as it is, in lower case.
///
/// Encodes the letters whose lower case and normal form need no table: Latin-1, basic Cyrillic, kana, and unified
/// ideographs. Returns nothing for any other, and for malformed UTF-8: guessing there would name another host.
/// Source: RFC 3492 (Punycode), RFC 5891.
std::optional<std::string> ascii_label(std::string_view label);

}  // namespace reelbatch
