// A list of addresses out of one cell, and the one form in which an address is compared and sent.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"

namespace reelbatch {

struct AddressList {
  std::vector<std::string> addresses;  ///< normalised, in order, without exact duplicates
  std::vector<std::string> remarks;    ///< what was mended, for people: `dropped 1 duplicate`
};

/// Splits a value where an address starts, so that commas and pipes inside an address survive. Accepts, in this order:
/// a JSON value (RawValue::Form::Json, or text that begins with `[` or `{`), a Python list literal, and plain text with
/// addresses separated by `|`, `;`, `,` or white space, a spelt-out `\n` among it. A new address begins only at the
/// start or after a separator, so `?u=https://...` stays whole. Behind a bar that follows the name of a photo stands a
/// file name or a caption, whatever is in it. Objects in a list are sorted by their member `Order` where each has one,
/// and those that are no public photo by `MediaCategory`, `MediaType` and `Permission` are left out (RESO's Media), as
/// are those whose address is null or empty. Source: the survey of feeds, FORMATS 2 and 4.
///
/// Fails if an item is no http(s) address, or more than one in a path, quoting the first such item and saying why. An
/// empty value is an empty list.
Result<AddressList> parse_address_list(const RawValue& value);

/// Addresses that are in their one form already, photos as far as can be told, and each there once.
struct PlainAddresses {
  static constexpr std::size_t kMost = 64;    ///< with more, looking for duplicates one by one would take its time
  std::array<std::string_view, kMost> items;  ///< views of the text
  std::size_t count = 0;                      ///< at least one
};

/// Of a text with nothing but `|` between them, or of a compact JSON list, which then is its own normal form. False,
/// with anything in `out`, where parse_address_list() has something to say, or there are too many.
bool read_plain_addresses(RawValue::Form form, std::string_view text, PlainAddresses& out);

/// The images of one value as a JSON list, for what is not to be guessed: split at `separator` where one is given, and
/// with `base` in front of those that are file names, whose `?` and `#` are encoded; numbers alone are none. The same
/// for each text in a list, and for the addresses of objects, which stay objects. What parse_address_list() might split
/// although it is one address by this is `{"whole": "https://..."}`, which it takes as it is. Anything else is left for
/// it to judge.
Result<std::string> complete_images(const RawValue& value, const std::optional<std::string>& separator,
                                    std::string_view base);

/// Whether the name of an image file is in it: `.jpg` and the like.
bool has_image_name(std::string_view text);

/// One address: trimmed, `//host` and `www.` completed with https, spaces and non-ASCII percent-encoded, never twice.
/// Fails if it is not an absolute http or https address with a host.
Result<std::string> normalise_address(std::string_view text);

}  // namespace reelbatch
