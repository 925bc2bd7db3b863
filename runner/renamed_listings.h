// A guard for the night on which names changed and nothing else did: an account was renamed, a catalogue got a name, or
// ids are written in another form. Every listing is new then, and would be paid for again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/digest.h"
#include "runner/ledger.h"

namespace reelbatch {

/// Listings that are new to the ledger, by what they say: about 24 bytes and the id for each.
///
/// Contents go by digests, whose errors may stop a run that need not stop; they let nothing be paid for.
class RenamedListings {
 public:
  /// ref  with its catalogue
  void add_new(const Digest& content, std::string_view ref);

  /// Fails if more than 20 contents of new listings, and more than a fifth of `with_video` and those, were paid for
  /// under names that are not in the manifest. Contents that several listings have count once.
  ///
  /// seen        the listings of the manifest that the ledger knows
  /// content_of  the digest of a content, as given to add_new()
  Result<void> check(Ledger& ledger, const ListingsSeen& seen, std::int64_t with_video,
                     const std::function<Result<Digest>(const Ledger::PaidContent&)>& content_of);

 private:
  struct Entry {
    Digest content;
    std::uint32_t ref = 0;  ///< where in refs_
    bool paid = false;
  };
  Entry* find(const Digest& content);

  std::vector<Entry> entries_;
  std::string refs_;  ///< each with a zero byte behind it
};

}  // namespace reelbatch
