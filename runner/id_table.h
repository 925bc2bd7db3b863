// Which ids were seen, and where: to find the same id twice among millions of rows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runner/digest.h"

namespace reelbatch {

/// Keeps no id, only a 128-bit hash (XXH3) and a place: 24 bytes an entry, 32 to 40 a row with the free room. Two ids
/// of a billion share a hash by chance with a probability below 10^-20.
///
/// The table is split by hash so that growing copies one part at a time and never holds all of it twice.
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

  /// Asks for the memory that insert() will look at: of millions of ids it is in no cache, and a caller who has other
  /// things to do with the row meanwhile need not wait for it.
  void expect(const Digest& id) const;

  std::size_t bytes() const;  ///< of memory in use

 private:
  struct Entry {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::uint64_t place = 0;  ///< 0: free
  };
  struct Part {
    std::vector<Entry> entries;
    std::size_t used = 0;
  };
  static Entry& find(std::vector<Entry>& entries, const Entry& wanted);
  static void grow(Part& part);

  std::array<Part, 64> parts_;
};

}  // namespace reelbatch
