// Telephone numbers, e-mail and web addresses out of a text that is read aloud.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

struct WithoutContacts {
  std::string text;       ///< blanks may be left where contacts were
  std::size_t count = 0;  ///< how many were taken out
};

/// Takes out what is surely a way to reach somebody, and a word such as `Tel.:` in front of it.
///
/// A web address begins with http, https or www, or is a host under a well-known top-level domain (`agence-lyon.fr`). A
/// telephone number begins with `+`, `00` or `0` and has 9 to 15 digits, or is written as in North America
/// (`555-010-0199`), or has 6 digits or more behind a word for telephone. Prices, dates and areas stay.
WithoutContacts strip_contacts(std::string_view text);

}  // namespace reelbatch
