#include "runner/digest.h"

#define XXH_INLINE_ALL
// The library's own inline functions do not compile without warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xxhash.h>
#pragma GCC diagnostic pop

namespace reelbatch {

Digest digest_of(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

std::uint64_t short_digest_of(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace reelbatch
