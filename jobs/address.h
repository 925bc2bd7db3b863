// One address, read and brought into the form that is sent; normalise_address of address_list.h with what was mended.
#pragma once

#include <string>
#include <string_view>

#include "jobs/error.h"

namespace reelbatch {

struct ReadAddress {
  std::string text;         ///< scheme and host in lower case, nothing left that has to be percent-encoded
  bool completed = false;   ///< the scheme was missing: `//host/a` or `www.host/a`
  bool had_entity = false;  ///< `&amp;` was read as `&`
};

/// As normalise_address().
Result<ReadAddress> read_address_text(std::string_view text);

/// Without an HTML line break at the end, `<br>` or `<br />`, also one whose last sign was trimmed off.
std::string_view without_line_break(std::string_view text);

/// `'...'` for a message: one printable line, at most 80 code points of it.
std::string in_quotes(std::string_view text);

/// True if `text` begins with `http://` or `https://`, in any case, and goes on without control characters. For
/// addresses that others made and that are to stay as they are.
bool is_http_address(std::string_view text);

}  // namespace reelbatch
