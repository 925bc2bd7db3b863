#include "runner/id_table.h"

#include <utility>

namespace reelbatch {
namespace {

constexpr unsigned kLineBits = 40;
constexpr std::size_t kFirstSize = 64;

/// Spreads a hash over `size` slots without a division: the high half of a product.
std::size_t slot_of(std::uint64_t hash, std::size_t size) {
  const std::uint64_t top = hash >> 32U;
  return static_cast<std::size_t>(top * size >> 32U);
}

}  // namespace

IdTable::Entry& IdTable::find(std::vector<Entry>& entries, const Entry& wanted) {
  std::size_t at = slot_of(wanted.low, entries.size());
  while (entries[at].place != 0 && (entries[at].high != wanted.high || entries[at].low != wanted.low))
    at = at + 1 == entries.size() ? 0 : at + 1;
  return entries[at];
}

void IdTable::grow(Part& part) {
  const std::size_t size = part.entries.empty() ? kFirstSize : part.entries.size() + part.entries.size() / 4;
  std::vector<Entry> entries(size);
  for (const Entry& entry : part.entries)
    if (entry.place != 0) find(entries, entry) = entry;
  part.entries = std::move(entries);
}

void IdTable::expect(const Digest& id) const {
  const Part& part = parts_[id.high % parts_.size()];
  if (!part.entries.empty()) __builtin_prefetch(&part.entries[slot_of(id.low, part.entries.size())], 1);
}

std::optional<IdTable::Seen> IdTable::insert(const Digest& hash, Seen place) {
  Part& part = parts_[hash.high % parts_.size()];
  if (part.used * 4 >= part.entries.size() * 3) grow(part);

  const std::uint64_t packed = (std::uint64_t{place.file} + 1) << kLineBits | place.line;
  Entry& entry = find(part.entries, {hash.high, hash.low, 0});
  if (entry.place != 0) {
    return Seen{static_cast<std::uint32_t>((entry.place >> kLineBits) - 1),
                entry.place & ((std::uint64_t{1} << kLineBits) - 1)};
  }
  entry = {hash.high, hash.low, packed};
  ++part.used;
  return std::nullopt;
}

std::size_t IdTable::bytes() const {
  std::size_t entries = 0;
  for (const Part& part : parts_) entries += part.entries.capacity();
  return sizeof(*this) + entries * sizeof(Entry);
}

}  // namespace reelbatch
