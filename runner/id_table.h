// Which ids were seen, and where: to find the same id twice among millions of rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runner/digest.h"

namespace reelbatch {

/// Keeps no id, only a 128-bit hash (XXH3) and a place: 24 bytes an entry, 32 to 40 a row with what finds them. Two ids
/// of a billion share a hash by chance with a probability below 10^-20.
///
/// Nearly every id is new, and that is told by one byte of its hash, in a table small enough for the processor's cache.
/// The entries themselves stand in the order in which they came and are looked at only where that byte is there
/// already.
class IdTable {
 public:
  struct Seen {
    std::uint32_t file = 0;  ///< below 2^24
    std::uint64_t line = 0;  ///< below 2^40
  };

  /// Where the id was seen before. If it was not, it is remembered as standing at `place`.
  std::optional<Seen> insert(std::string_view id, Seen place) { return insert(digest_of(id), place); }
  /// The same for an id's digest.
  std::optional<Seen> insert(const Digest& id, Seen place);

  /// Asks for the memory that insert() will look at: a caller who has other things to do with the row meanwhile need
  /// not wait for it.
  void expect(const Digest& id) const;

  std::size_t bytes() const;  ///< of memory in use

 private:
  struct Entry {
    Digest id;
    std::uint64_t place = 0;
  };
  std::size_t slot_of(const Digest& id) const;
  const Entry& entry(std::size_t position) const;
  void grow();

  std::vector<std::vector<Entry>> blocks_;  ///< of equal size, so that none is ever copied
  std::size_t used_ = 0;                    ///< entries
  std::vector<std::uint8_t> tags_;          ///< open addressing: one byte of the entry's hash; 0 is free
  std::vector<std::uint32_t> positions_;    ///< parallel to tags_: where the entry is; more than 2^32 fit no memory
};

}  // namespace reelbatch
