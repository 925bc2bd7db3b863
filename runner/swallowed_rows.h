// A quote that nobody meant to open ends at the next one that closes a cell, maybe rows later. If as many cells stand
// in front of the one as of the other, the record has its right width, and one listing has the text and photos of
// another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "runner/csv.h"

namespace reelbatch {

struct SwallowedRows {
  std::size_t cell = 0;     ///< whose quote was opened by mistake
  std::uint64_t lines = 0;  ///< behind the one where it was opened
};

/// Looks for a quoted cell of several lines that, cut at its line ends and delimiters, are rows of the table's width:
/// the first with what stands in front of the cell, the last with what stands behind it. That alone may be a text with
/// commas; so one of their cells begins like an address too, or the delimiters stand as no text has them, and most of
/// them look like rows of this table.
///
/// cells  of a record over more than one line.
/// width  of the table; rows that are as wide as this record are looked for as well.
/// is_row whether the cells of one look like that.
std::optional<SwallowedRows> find_swallowed_rows(std::span<const std::string_view> cells, const CsvDialect& dialect,
                                                 std::size_t width,
                                                 const std::function<bool(std::span<const std::string_view>)>& is_row);

}  // namespace reelbatch
