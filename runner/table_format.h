// How a table is written, found by trial on its first bytes: delimiters, quotes, what stands in front of the header,
// and whose export it is. Decided once a file; nothing of it costs anything for a row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/error.h"
#include "runner/column_kinds.h"
#include "runner/csv.h"
#include "runner/feed_presets.h"
#include "runner/name_rules.h"

namespace reelbatch {

struct TableFormat {
  CsvDialect dialect;
  const Preset* preset = nullptr;
  bool has_header = true;
  std::vector<std::string> header;  ///< where it is not the first record: that of a file in sections
  std::uint64_t header_line = 0;    ///< with `header`
  std::size_t width = 0;            ///< without a header: of most rows, without what `trailing` says; 0: not known
  ColumnKinds kinds;                ///< of its columns, where a shifted row may be as wide as others
  bool trailing = false;            ///< every record but the header, or most without one, end with a delimiter
  bool trailing_bare = false;       ///< and what stands behind that is nothing, not the empty quotes of a cell
  bool in_sections = false;         ///< `#HEADER#`, `#DEFINITION#`, `#DATA#`, `#END#`
  std::optional<std::uint64_t> rows_stated;  ///< in sections: how many the file says it has
  std::size_t skip_bytes = 0;                ///< up to the header, or to the first record; a byte order mark included
  std::uint64_t first_line = 1;              ///< where that is
  std::uint64_t skip_lines = 0;  ///< in front of a line that looks more like a header than the one taken; 0: none
  std::vector<std::pair<std::uint64_t, std::string>> notices;  ///< line and what was skipped or found
};

/// A delimiter for people: `comma`, `tab`, `'!#'`.
std::string shown(const CsvDialect& dialect);

/// `,`, `;`, `tab`, `|`, `!#` and other single characters: what `--delimiter` takes.
Result<CsvDialect> parse_delimiter(std::string_view text);

/// Tells the format from the first bytes.
///
/// sample     UTF-8 as far as it is text; the first bytes of the file.
/// whole      whether that is all of it.
/// by_ending  the delimiter that the file's name speaks for: a tie-breaker.
///
/// Fails, without the file's name, if more than one delimiter or preset may be meant, sections are broken, or rows
/// without a header are as often of one width as of another.
Result<TableFormat> find_table_format(std::string_view sample, bool whole, char by_ending, const NameRules& rules);

/// Whether a record looks like one of data: an address is in it, or most of it is numbers.
bool looks_like_data(const std::vector<std::string>& cells);

}  // namespace reelbatch
