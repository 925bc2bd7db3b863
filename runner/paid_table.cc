#include "runner/paid_table.h"

#include <bit>

namespace reelbatch {

std::size_t PaidTable::slot_of(const Digest& text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(text.low) & mask;
  while (slots_[at] != 0 && entries_[slots_[at] - 1].text != text) at = (at + 1) & mask;
  return at;
}

void PaidTable::build() {
  slots_.assign(std::bit_ceil(entries_.size() + entries_.size() / 2 + 1), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::uint32_t& slot = slots_[slot_of(entries_[i].text)];
    if (slot != 0) entries_[slot - 1].job = 0;
    slot = static_cast<std::uint32_t>(i + 1);
  }
  next_ = 0;
}

JobId PaidTable::find(const Digest& text) {
  if (entries_.empty()) return 0;
  if (next_ >= entries_.size() || entries_[next_].job == 0 || entries_[next_].text != text) {
    const std::uint32_t slot = slots_[slot_of(text)];
    if (slot == 0) return 0;
    next_ = slot - 1;
  }
  return entries_[next_++].job;
}

}  // namespace reelbatch
