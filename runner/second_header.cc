#include "runner/second_header.h"

#include <algorithm>

#include "runner/manifest_text.h"

namespace reelbatch {

void SecondHeader::learn(std::span<const std::string> names) {
  for (const std::string& written : names) {
    const std::string_view name = trim(written);
    folded_.push_back(fold_name(name));
    if (name.empty() || name.size() >= kSizes) continue;
    known_.insert(folded_.back());
    sizes_.set(name.size());
    starts_.set(byte(name));
  }
}

bool SecondHeader::is_expected(std::string_view cell) const {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (cell.empty() || cell.size() >= kSizes || std::any_of(cell.begin(), cell.end(), is_digit)) return false;
  return expected_.contains(fold_name(cell));
}

bool SecondHeader::repeats(std::span<const std::string_view> cells) const {
  return std::equal(cells.begin(), cells.end(), folded_.begin(), folded_.end(),
                    [](std::string_view cell, const std::string& name) { return fold_name(cell) == name; });
}

bool SecondHeader::is_in_another_order(std::span<const std::string_view> cells) const {
  std::size_t filled = 0, names = 0;
  bool moved = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].empty()) continue;
    ++filled;
    // Longer ones are no names that are known.
    const std::string text = cells[i].size() < 2 * kSizes ? fold_name(cells[i]) : std::string();
    if (known_.contains(text)) ++names;
    moved = moved || (i < folded_.size() && text != folded_[i]);
  }
  return moved && names >= 2 && 2 * names >= filled;
}

}  // namespace reelbatch
