#include "runner/id_table.h"

#include "runner/check.h"

namespace reelbatch {
namespace {

constexpr unsigned kLineBits = 40;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kBlock = 1024;

/// Any byte but 0. The slot is chosen by the other half of the hash.
std::uint8_t tag_of(const Digest& id) {
  const auto tag = static_cast<std::uint8_t>(id.high);
  return tag == 0 ? std::uint8_t{1} : tag;
}

}  // namespace

/// Where the search for an id begins. The number of slots is a power of two.
std::size_t IdTable::slot_of(const Digest& id) const {
  return static_cast<std::size_t>(id.low) & (tags_.size() - 1);
}

const IdTable::Entry& IdTable::entry(std::size_t position) const {
  return blocks_[position / kBlock][position % kBlock];
}

void IdTable::grow() {
  const std::size_t slots = tags_.empty() ? kFirstSlots : 2 * tags_.size();
  CHECK(slots / 2 <= UINT32_MAX);
  tags_.assign(slots, 0);
  positions_.assign(slots, 0);
  for (std::size_t position = 0; position < used_; ++position) {
    const Digest& id = entry(position).id;
    std::size_t slot = slot_of(id);
    while (tags_[slot] != 0) slot = (slot + 1) & (slots - 1);
    tags_[slot] = tag_of(id);
    positions_[slot] = static_cast<std::uint32_t>(position);
  }
}

void IdTable::expect(const Digest& id) const {
  if (tags_.empty()) return;
  const std::size_t slot = slot_of(id);
  __builtin_prefetch(&tags_[slot], 1);
  __builtin_prefetch(&positions_[slot], 1);
}

std::optional<IdTable::Seen> IdTable::insert(const Digest& id, Seen place) {
  // At most five eighths are taken: a new id meets four others at most, on average.
  if (used_ * 8 >= tags_.size() * 5) grow();
  const std::uint8_t tag = tag_of(id);
  std::size_t slot = slot_of(id);
  for (; tags_[slot] != 0; slot = (slot + 1) & (tags_.size() - 1)) {
    if (tags_[slot] != tag) continue;
    const Entry& known = entry(positions_[slot]);
    if (known.id != id) continue;
    constexpr std::uint64_t kLines = (std::uint64_t{1} << kLineBits) - 1;
    return Seen{static_cast<std::uint32_t>(known.place >> kLineBits), known.place & kLines};
  }
  if (used_ % kBlock == 0) blocks_.emplace_back().reserve(kBlock);
  blocks_.back().push_back({id, std::uint64_t{place.file} << kLineBits | place.line});
  tags_[slot] = tag;
  positions_[slot] = static_cast<std::uint32_t>(used_++);
  return std::nullopt;
}

std::size_t IdTable::bytes() const {
  return sizeof(*this) + blocks_.size() * (kBlock * sizeof(Entry) + sizeof(blocks_[0])) +
         tags_.size() * (sizeof(tags_[0]) + sizeof(positions_[0]));
}

}  // namespace reelbatch
