// The forms that nearly all text of a feed has, in which nothing needs to be mended. The rules of field_rules.h and
// address.h say what becomes of any text; what is recognised here is what they leave as it is, told without looking at
// code points one by one.
#pragma once

#include <cstddef>
#include <string_view>

namespace reelbatch {

/// How many bytes at the front of `text` are printable ASCII other than `"` and `\`.
std::size_t plain_run(std::string_view text);
/// How many are anything but control characters of ASCII, `"` and `\`: of well-formed UTF-8 what in quotes is JSON.
std::size_t unmarked_run(std::string_view text);

/// Well-formed UTF-8 without control characters (line breaks and tabs among them), `"` and `\`: nothing to clean, and
/// in quotes it is JSON.
bool is_clean_text(std::string_view text);

/// Of well-formed UTF-8 that neither begins nor ends with a blank: read_prose_text() of prose.h leaves it as it is and
/// has nothing to say. False for some that it would leave as well.
bool is_plain_prose(std::string_view text);

/// What feeds write for an empty cell: `NULL`, `nan`, `None`, `N/A`, `-`.
bool says_nothing(std::string_view text);

/// An http or https address that is its own normal form: a host name in lower case, no port, and nothing behind it that
/// has to be encoded or that separates addresses in a list (`|`, `;`, `,`, `#`, quotes).
bool is_plain_address(std::string_view text);

/// Reads such addresses from the front of texts, one after the other, as they stand in a list.
class PlainAddressReader {
 public:
  /// The size of the address, up to the first byte that it cannot have; 0: there is none. What it shares with the one
  /// before, whose text must still be there, is not looked at again.
  std::size_t read(std::string_view text);
  /// Whether `?` or `&` may be in the one that was read last.
  bool may_have_signs() const { return may_have_signs_; }

 private:
  std::string_view before_;
  std::size_t host_end_ = 0;  ///< in before_
  bool may_have_signs_ = false;
};

}  // namespace reelbatch
