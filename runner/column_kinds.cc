#include "runner/column_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kRowsMin = 3;       ///< with so many cells of one sort a column is taken for one of that sort
constexpr std::size_t kOneInSoMany = 10;  ///< may be of another

bool is_few(std::size_t some, std::size_t all) {
  return some <= std::max<std::size_t>(1, all / kOneInSoMany);
}

bool begins_with_blank(std::string_view cell) {
  return cell.size() > 1 && cell[0] == ' ' && !trim(cell).empty();
}

/// Whether a cell stands in the record as it is, without quotes.
bool is_bare(std::string_view cell, std::string_view raw) {
  const bool inside = cell.data() >= raw.data() && cell.data() + cell.size() <= raw.data() + raw.size();
  return inside && (cell.data() == raw.data() || cell.data()[-1] != '"');
}

}  // namespace

ColumnKinds::Kind ColumnKinds::kind_of(std::string_view cell) {
  const std::string_view text = trim(cell);
  if (text.empty()) return Kind::Empty;
  if (std::string_view("hH/wW").find(text[0]) != std::string_view::npos) {
    const std::string start = ascii_lower(text.substr(0, 8));
    for (const std::string_view scheme : {"http://", "https://", "//", "www."})
      if (start.starts_with(scheme)) return Kind::Address;
    return Kind::Words;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_of_number = [&](char c) { return is_digit(c) || (c >= '+' && c <= '.') || c == ' '; };
  const bool is_number =
      std::all_of(text.begin(), text.end(), is_of_number) && std::any_of(text.begin(), text.end(), is_digit);
  return is_number ? Kind::Number : Kind::Words;
}

void ColumnKinds::learn(std::span<const std::vector<std::string>> rows, bool in_commas) {
  std::vector<std::array<std::size_t, 4>> counts;
  std::size_t blanks = 0;
  for (const std::vector<std::string>& row : rows) {
    if (counts.size() < row.size()) counts.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) ++counts[i].at(static_cast<std::size_t>(kind_of(row[i])));
    if (std::any_of(row.begin() + 1, row.end(), begins_with_blank)) ++blanks;
  }
  blanks_tell_ = in_commas && rows.size() >= kRowsMin && is_few(blanks, rows.size());
  is_ragged_ = std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.size() < counts.size(); });
  for (const auto& count : counts) {
    Kind kind = Kind::Any;
    const std::size_t filled = std::accumulate(count.begin() + 1, count.end(), std::size_t{0});  // the first is Empty
    for (const Kind one : {Kind::Address, Kind::Number, Kind::Words}) {
      const std::size_t such = count.at(static_cast<std::size_t>(one));
      if (such >= kRowsMin && is_few(filled - such, filled)) kind = one;
    }
    if (kind != Kind::Any) told_.push_back(kinds_.size());
    kinds_.push_back(kind);
  }
}

bool ColumnKinds::misfits(std::size_t column, std::string_view cell) const {
  if (kinds_[column] == Kind::Any) return false;
  const Kind kind = kind_of(cell);
  return kind != Kind::Empty && kind != kinds_[column];
}

/// Whether every cell from the column on would fit where it stands if the row were moved back by that many. It may then
/// be empty.
bool ColumnKinds::fits_moved(std::span<const std::string_view> cells, std::size_t from, std::ptrdiff_t by) const {
  const auto moved = [&](std::size_t column) {
    const std::size_t at = column + static_cast<std::size_t>(by);  // wraps around below 0, and is then none
    return at < cells.size() ? cells[at] : std::string_view();
  };
  for (std::size_t column = from; column < kinds_.size(); ++column)
    if (misfits(column, moved(column))) return false;
  return true;
}

/// Whether the only cell of another sort than its column is a word for what is not known or goes without a number, or
/// ends the row or has a cell of its own sort behind it, where no cell is missing and no blank in front says otherwise.
bool ColumnKinds::stands_alone(std::span<const std::string_view> cells, std::size_t odd, bool follows_blank) const {
  constexpr std::array<std::string_view, 26> kWords{"poa",          "p.o.a.",
                                                    "p.o.a",        "price on application",
                                                    "on request",   "on application",
                                                    "upon request", "call",
                                                    "contact us",   "tba",
                                                    "tbc",          "tbd",
                                                    "nc",           "n.c.",
                                                    "sur demande",  "nous consulter",
                                                    "auf anfrage",  "a consultar",
                                                    "consultar",    "trattativa riservata",
                                                    "studio",       "ph",
                                                    "penthouse",    "none",
                                                    "no",           "sold"};
  const std::string word = ascii_lower(trim(cells[odd]));
  const bool is_known = stands_for_nothing(word) || std::find(kWords.begin(), kWords.end(), word) != kWords.end();
  const auto has_own = [&](std::size_t column) {
    return kinds_[column] != Kind::Any && kind_of(cells[column]) == kinds_[column];
  };
  const std::size_t last = kinds_.size() - 1;
  const bool is_whole = cells.size() == kinds_.size() && !is_ragged_ && !follows_blank;
  return is_known || (is_whole && (odd == last || has_own(odd + 1)) && !trim(cells[last]).empty());
}

/// Asked for every row: false only where nothing misfits and nothing begins with a blank.
bool ColumnKinds::looks_odd(std::span<const std::string_view> cells) const {
  for (const std::size_t column : told_) {
    if (column >= cells.size()) break;
    const std::string_view cell = cells[column];
    if (cell.empty()) continue;
    const char c = cell[0];
    const bool fits = kinds_[column] == Kind::Address ? cell.starts_with("http")
                      : kinds_[column] == Kind::Words ? (c > '9' && c != 'h' && c != 'H' && c != 'w' && c != 'W')
                                                      : false;
    if (!fits && misfits(column, cell)) return true;
  }
  return blanks_tell_ &&
         std::any_of(cells.begin(), cells.end(), [](std::string_view cell) { return !cell.empty() && cell[0] == ' '; });
}

std::optional<ColumnKinds::Shift> ColumnKinds::find_shift(std::span<const std::string_view> cells,
                                                          std::string_view raw) const {
  if (!looks_odd(cells)) return std::nullopt;
  const std::size_t width = std::min(cells.size(), kinds_.size());
  std::size_t first = width, odd = 0;
  for (std::size_t i = 0; i < width; ++i)
    if (misfits(i, cells[i])) {
      first = std::min(first, i);
      ++odd;
    }
  std::size_t blank = cells.size(), blanks = 0;
  for (std::size_t i = cells.size(); blanks_tell_ && i-- > 1;)
    if (begins_with_blank(cells[i]) && kind_of(cells[i - 1]) == Kind::Words && is_bare(cells[i], raw)) {
      blank = i;
      ++blanks;
    }
  // What belongs into some odd column has to stand beside it, unless a blank shows already that something is amiss.
  const auto belongs = [&](std::size_t from, std::ptrdiff_t by) {
    bool is_there = by > 0 && blank <= first;
    for (std::size_t i = from; i < width && !is_there; ++i) {
      const std::size_t beside = i + static_cast<std::size_t>(by);
      is_there = misfits(i, cells[i]) && beside < cells.size() && kind_of(cells[beside]) == kinds_[i];
    }
    return is_there && fits_moved(cells, from, by);
  };
  // Of a cell that is missing nothing stands anywhere.
  if (odd > 0 && !belongs(first, 1) && !belongs(first, -1) && !belongs(first + 1, -1)) odd = 0;
  const bool is_blank = blank < cells.size() && (odd == 0 || blank <= first);
  if (odd == 0 && !is_blank) return std::nullopt;

  Shift shift;
  // A blank in the cell itself says that it was behind a comma.
  const bool alone = odd == 1 && blank != first && stands_alone(cells, first, is_blank);
  shift.alone = alone && !is_blank;
  shift.sure =
      odd + (is_blank ? blanks : 0) > 1 && ((odd > 0 && !alone) || is_ragged_ || cells.size() != kinds_.size());
  shift.cell = is_blank ? blank : first;
  if (is_blank)
    shift.says = fmt::format("'{}' begins with a blank, as hardly any other cell does", printable(cells[blank], 40));
  if (odd > 0) shift.says += (is_blank ? ", and " : "") + misfit(first, cells[first]);
  return shift;
}

bool ColumnKinds::fits_behind(std::span<const std::string_view> cells, std::size_t column, std::size_t by) const {
  return known() && fits_moved(cells, column + by, -static_cast<std::ptrdiff_t>(by));
}

std::string ColumnKinds::misfit(std::size_t column, std::string_view cell) const {
  if (column >= kinds_.size() || !misfits(column, cell)) return {};
  return fmt::format("'{}' stands in column {}, where other rows have {}", printable(cell, 40), column + 1,
                     kinds_[column] == Kind::Address  ? "an address"
                     : kinds_[column] == Kind::Number ? "a number"
                                                      : "words");
}

}  // namespace reelbatch
