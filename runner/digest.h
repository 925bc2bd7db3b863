// 128 bits that stand for a text: XXH3, whose results are the same in every version and on every machine since 0.8.
//
// Not cryptographic: a text can be made to have another's digest. Where one decides, a mistake must cost nothing but
// the mistaken text's own worth; each place that relies on that says so.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace reelbatch {

struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Digest&) const = default;
};

Digest digest_of(std::string_view text);

/// 64 bits, which are not those of the other; for tables in memory.
std::uint64_t short_digest_of(std::string_view text);

}  // namespace reelbatch
