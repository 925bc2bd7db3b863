// Which ids were seen, and where: to find the same id twice among millions of rows, or two that are nearly the same.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runner/huge_pages.h"

namespace reelbatch {

/// Stands for an id. Equal `alike` means ids that differ at most in letter case (ASCII), blanks and leading zeros,
/// equal `exact` as well the same id.
struct IdDigest {
  std::uint64_t alike = 0;
  std::uint64_t exact = 0;
  auto operator<=>(const IdDigest&) const = default;
};

IdDigest digest_of_id(std::string_view id);

/// Keeps no id, only two 64-bit hashes (XXH3) and a place: 24 bytes an entry, 32 to 40 a row with what finds them. Two
/// ids of a billion share both by chance with a probability below 10^-20, two that are alike with one of 10^-19 a pair.
///
/// Nearly every id is new, and that is told by one byte of its hash, in a table small enough for the processor's cache.
/// The entries themselves stand in the order in which they came and are looked at only where that byte is there
/// already.
class IdTable {
 public:
  struct Place {
    std::uint32_t file = 0;  ///< below 2^23
    std::uint64_t line = 0;  ///< below 2^40
  };
  struct Seen {
    Place place;
    bool same = false;   ///< the very id, not only one like it
    bool again = false;  ///< it was found the same before
  };

  /// Where the id, or else the first one like it, was seen before. If it was not itself, it is remembered as standing
  /// at `place`.
  std::optional<Seen> insert(const IdDigest& id, Place place);
  std::optional<Seen> insert(std::string_view id, Place place) { return insert(digest_of_id(id), place); }

  /// Asks for the memory that insert() will look at: a caller who has other things to do with the row meanwhile need
  /// not wait for it.
  void expect(const IdDigest& id) const;

  std::size_t bytes() const;  ///< of memory in use; the rest of the last block is only reserved

 private:
  struct Entry {
    IdDigest id;
    std::uint64_t place = 0;
  };
  std::size_t slot_of(const IdDigest& id) const;
  Entry& entry(std::size_t position) { return blocks_[position / kBlock][position % kBlock]; }
  void grow();

  static constexpr std::size_t kBlock = std::size_t{1} << 18U;  ///< three huge pages
  std::vector<std::vector<Entry, HugePages<Entry>>> blocks_;    ///< of equal size, so that none is ever copied
  std::size_t used_ = 0;                                        ///< entries
  std::vector<std::uint8_t, HugePages<std::uint8_t>>
      tags_;  ///< open addressing: one byte of the entry's hash; 0 is free
  std::vector<std::uint32_t, HugePages<std::uint32_t>>
      positions_;  ///< parallel to tags_: where the entry is; more than 2^32 fit no memory
};

}  // namespace reelbatch
