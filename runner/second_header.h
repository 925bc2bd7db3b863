// A header in the middle of a table, as files have that were joined from several. One that repeats the first is a row
// like others, and no listing; behind one with its columns in another order every cell is another column's.
#pragma once

#include <bitset>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reelbatch {

class SecondHeader {
 public:
  /// names  of the columns, as the header has them.
  void learn(std::span<const std::string> names);

  /// Other names that an id may have, as fold_name() makes them, which the header of another export may have.
  void expect(std::span<const std::string_view> names) { expected_.insert(names.begin(), names.end()); }

  /// Whether the cell is one of these. Asked for every row.
  bool is_expected(std::string_view cell) const;

  /// Asked for every row, so that few have to be looked at.
  ///
  /// cell  the one in the column of the ids, trimmed.
  bool may_be_one(std::string_view cell) const {
    return !cell.empty() && cell.size() < kSizes && sizes_[cell.size()] && starts_[byte(cell)];
  }

  /// Two names and more of the header, at least half of what the cells say, and where one of the header's names stood
  /// there is another text.
  bool is_in_another_order(std::span<const std::string_view> cells) const;

  /// Each name stands where it stood.
  bool repeats(std::span<const std::string_view> cells) const;

 private:
  static constexpr std::size_t kSizes = 64;
  /// In lower case, if it is a letter.
  static std::size_t byte(std::string_view text) { return static_cast<unsigned char>(text[0]) | 0x20U; }

  std::vector<std::string> folded_;           ///< the names, as fold_name() makes them
  std::set<std::string, std::less<>> known_;  ///< the same
  std::set<std::string, std::less<>> expected_;
  std::bitset<kSizes> sizes_;  ///< of the names, in bytes
  std::bitset<256> starts_;    ///< their first bytes
};

}  // namespace reelbatch
