// What the columns of a table hold. Without a header, or where rows leave out empty cells at their end, a row that an
// unquoted delimiter shifted may be as wide as any other: it is told by nothing but what it says.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reelbatch {

class ColumnKinds {
 public:
  /// A row that looks shifted.
  struct Shift {
    std::size_t cell = 0;  ///< the first that should stand elsewhere, from 0
    bool sure = false;  ///< more than one thing speaks for it: a number may be missing, a text may begin with a blank
    /// A single cell of another sort speaks for it, as `on request` for a price, with all others where they belong.
    bool alone = false;
    std::string says;  ///< what speaks for it, for people
  };

  static bool is_address(std::string_view cell) { return kind_of(cell) == Kind::Address; }

  /// rows  of the table, none shifted but a few; cells may be missing at their end.
  /// in_commas  what stands between cells are commas: those of a text have a blank behind them.
  void learn(std::span<const std::vector<std::string>> rows, bool in_commas);

  /// Whether there was anything to learn from: nothing is a shift otherwise.
  bool known() const { return !kinds_.empty(); }

  /// Looks for a cell of another sort than nearly all of its column, with what belongs there in the cell beside it, and
  /// so on to the end of the row; and for one that begins with a blank where hardly any does, as what stands behind a
  /// comma in a text: that alone is not sure in a row that has a cell for every column, where all
  /// have.
  ///
  /// cells  of a row, parts of `raw` unless they were in quotes.
  std::optional<Shift> find_shift(std::span<const std::string_view> cells, std::string_view raw) const;

  /// Whether the cells of a row from the column on would fit so many columns further to the right.
  bool fits_behind(std::span<const std::string_view> cells, std::size_t column, std::size_t by) const;

  /// Whether nearly all that stands in a column are numbers, or addresses.
  bool holds_numbers(std::size_t column) const { return holds(column, Kind::Number); }
  bool holds_addresses(std::size_t column) const { return holds(column, Kind::Address); }

  /// A cell of another sort than nearly all of its column, for people; empty if it is none.
  std::string misfit(std::size_t column, std::string_view cell) const;

 private:
  enum class Kind { Empty, Address, Number, Words, Any };
  bool holds(std::size_t column, Kind kind) const { return column < kinds_.size() && kinds_[column] == kind; }
  static Kind kind_of(std::string_view cell);
  bool looks_odd(std::span<const std::string_view> cells) const;
  bool misfits(std::size_t column, std::string_view cell) const;
  bool stands_alone(std::span<const std::string_view> cells, std::size_t odd, bool follows_blank) const;
  bool fits_moved(std::span<const std::string_view> cells, std::size_t from, std::ptrdiff_t by) const;

  std::vector<Kind> kinds_;        ///< of the columns
  std::vector<std::size_t> told_;  ///< columns that are not of any kind
  bool is_ragged_ = false;         ///< some rows leave out cells at their end
  bool blanks_tell_ = false;       ///< hardly any cell begins with one
};

}  // namespace reelbatch
