#include "runner/id_table.h"

#include <algorithm>
#include <array>

#include "runner/check.h"
#include "runner/digest.h"

namespace reelbatch {
namespace {

constexpr unsigned kLineBits = 40;
constexpr std::uint64_t kLines = (std::uint64_t{1} << kLineBits) - 1;
constexpr std::uint64_t kRepeated = std::uint64_t{1} << 63U;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kFoldedMax = 256;  ///< bytes of an id that are looked at for likeness

/// Any byte but 0. The slot is chosen by the other end of the hash.
std::uint8_t tag_of(const IdDigest& id) {
  const auto tag = static_cast<std::uint8_t>(id.alike >> 56U);
  return tag == 0 ? std::uint8_t{1} : tag;
}

IdTable::Place place_of(std::uint64_t packed) {
  return {static_cast<std::uint32_t>((packed & ~kRepeated) >> kLineBits), packed & kLines};
}

}  // namespace

IdDigest digest_of_id(std::string_view id) {
  std::array<char, kFoldedMax> folded;
  std::size_t size = 0;
  for (const char c : id.substr(std::min(id.find_first_not_of("0 "), id.size())).substr(0, kFoldedMax)) {
    const bool upper = c >= 'A' && c <= 'Z';
    folded[size] = static_cast<char>(c + (upper ? 'a' - 'A' : 0));
    size += c == ' ' ? 0U : 1U;  // without a branch: most ids have both kinds of letters
  }
  return {short_digest_of({folded.data(), size}), short_digest_of(id)};
}

/// Where the search for an id begins. The number of slots is a power of two.
std::size_t IdTable::slot_of(const IdDigest& id) const {
  return static_cast<std::size_t>(id.alike) & (tags_.size() - 1);
}

void IdTable::grow() {
  const std::size_t slots = tags_.empty() ? kFirstSlots : 2 * tags_.size();
  CHECK(slots / 2 <= UINT32_MAX);
  tags_.assign(slots, 0);
  positions_.assign(slots, 0);
  for (std::size_t position = 0; position < used_; ++position) {
    const IdDigest& id = entry(position).id;
    std::size_t slot = slot_of(id);
    while (tags_[slot] != 0) slot = (slot + 1) & (slots - 1);
    tags_[slot] = tag_of(id);
    positions_[slot] = static_cast<std::uint32_t>(position);
  }
}

void IdTable::expect(const IdDigest& id) const {
  if (tags_.empty()) return;
  const std::size_t slot = slot_of(id);
  __builtin_prefetch(&tags_[slot], 1);
  __builtin_prefetch(&positions_[slot], 1);
}

std::optional<IdTable::Seen> IdTable::insert(const IdDigest& id, Place place) {
  // At most five eighths are taken: a new id meets four others at most, on average.
  if (used_ * 8 >= tags_.size() * 5) grow();
  std::optional<Seen> seen;
  const std::uint8_t tag = tag_of(id);
  std::size_t slot = slot_of(id);
  for (; tags_[slot] != 0; slot = (slot + 1) & (tags_.size() - 1)) {
    if (tags_[slot] != tag) continue;
    Entry& known = entry(positions_[slot]);
    if (known.id.alike != id.alike) continue;
    if (known.id.exact == id.exact) {
      const bool again = (known.place & kRepeated) != 0;
      known.place |= kRepeated;
      return Seen{place_of(known.place), true, again};
    }
    if (!seen) seen = Seen{place_of(known.place), false, false};
  }
  if (used_ % kBlock == 0) blocks_.emplace_back().reserve(kBlock);
  blocks_.back().push_back({id, std::uint64_t{place.file} << kLineBits | place.line});
  tags_[slot] = tag;
  positions_[slot] = static_cast<std::uint32_t>(used_++);
  return seen;
}

std::size_t IdTable::bytes() const {
  return sizeof(*this) + blocks_.size() * sizeof(blocks_[0]) + used_ * sizeof(Entry) +
         tags_.size() * (sizeof(tags_[0]) + sizeof(positions_[0]));
}

}  // namespace reelbatch
