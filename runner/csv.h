// Records of separated text, as a stream: RFC 4180, and what real files do beyond it.
//
// Made to be fast where files are dull: no allocation for a cell, no copy of one without doubled quotes, and places are
// counted only when asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/byte_source.h"
#include "runner/manifest.h"

namespace reelbatch {

/// Why the cells of a record cannot be trusted, although the record could be told from the next one.
struct CsvProblem {
  std::size_t cell = 0;  ///< from 0
  Place place;
  std::string message;
  std::string_view code;  ///< Remark::code
};

/// How cells and records are told apart.
struct CsvDialect {
  char delimiter = ',';
  char second = 0;           ///< after the delimiter, for one of two bytes (`!#`); 0: one byte
  bool quotes = true;        ///< a cell may be in double quotes
  bool backslashes = false;  ///< a quote in a quoted cell may be written `\"`
  char record_end = 0;       ///< instead of line ends, which are then ordinary; 0: line ends

  constexpr CsvDialect() = default;
  constexpr CsvDialect(char one) : delimiter(one) {}  // NOLINT: a delimiter is a dialect
  bool operator==(const CsvDialect&) const = default;
};

class CsvReader {
 public:
  static constexpr std::size_t kMaxCell = std::size_t{16} << 20U;     ///< bytes, as written
  static constexpr std::size_t kMaxRecord = std::size_t{256} << 20U;  ///< bytes, as written
  static constexpr std::size_t kMaxColumns = 100'000;
  static constexpr std::uint64_t kMaxLines = 100'000;  ///< of one record
  /// What DOS programs write behind the last line.
  static constexpr std::string_view kEndOfFile = "\x1A";

  /// source  must outlive the reader.
  /// file    for messages.
  /// block   how much is read at once, at least 1; the buffer grows with the longest record.
  CsvReader(ByteSource& source, std::string_view file, CsvDialect dialect, std::size_t block = std::size_t{1} << 18U);

  /// Reads the next record that is not a blank line. True if there is one, false at the end. A record ends with LF,
  /// CRLF or CR outside quotes (or with CsvDialect::record_end, and blanks in front of a record are then skipped), or
  /// with the file; a byte order mark in front of one is skipped, since joined files have them in their middle. A quote
  /// that is not the first character of its cell is an ordinary one; between delimiters of two bytes also one that no
  /// delimiter or line end follows.
  ///
  /// Fails with `file:line:column: ...` on a quote that is never closed, naming where it was opened, on what exceeds
  /// the limits above, and when the source fails; there is nothing more to read then.
  Result<bool> next();

  /// The record's cells, at least one. Valid until next().
  std::span<const std::string_view> cells() const { return cells_; }
  /// The record as written, without its line end. Valid until next().
  std::string_view raw() const { return {data() + begin_, end_ - begin_}; }
  /// Whether the record is well-formed UTF-8. Told for whole blocks where they are.
  bool is_well_formed() const;
  /// Text after a closing quote, or a NUL: at most one a record, the first one.
  const std::vector<CsvProblem>& problems() const { return problems_; }
  /// False for a last record that the file ends in.
  bool ended_by_newline() const { return newline_; }
  /// The record behind this one, blank lines left out, for a look ahead. Views are valid until next().
  struct Behind {
    /// As they are written, those in quotes without them. None if there is no record; nor where it begins like a remark
    /// (`#`) or in quotes, or is longer than what is in the buffer.
    std::span<const std::string_view> cells;
    std::size_t blank_lines = 0;  ///< in front of it
    std::string_view text;        ///< it and what follows, as far as it is in the buffer
    bool is_all = false;          ///< nothing follows `text`
  };
  /// Of a dialect whose records end with lines.
  ///
  /// most  so many cells are looked for; a record with more has as many for now.
  Behind behind(std::size_t most);
  /// Whether a cell of the record was written in quotes.
  bool is_quoted(std::size_t cell) const;
  /// Of a dialect whose records end with lines: a quoted cell has line ends in it.
  bool goes_on_over_lines() const { return dialect_.record_end == 0 && next_line_ > line_ + 1; }

  std::uint64_t line() const { return line_; }                 ///< where the record starts, from 1
  std::vector<Place> places() const;                           ///< of every cell, in one pass
  Place place(std::size_t cell) const;                         ///< where a cell starts, its quote included
  Place place_in(std::size_t cell, std::size_t offset) const;  ///< of a byte of a cell; of its start if it was quoted
  std::uint64_t blank_lines() const { return blank_lines_; }
  /// The first with a byte order mark in front that is not the file's, from 1; 0: none so far.
  std::uint64_t line_of_mark() const { return line_of_mark_; }

  /// For the records after this one.
  void set_dialect(CsvDialect dialect);
  const CsvDialect& dialect() const { return dialect_; }

  /// Before the first record: what the source gives next stands on this line of its file.
  void start_at_line(std::uint64_t line) { line_ = next_line_ = line; }

  /// Records that ended with LF, with CRLF and with CR.
  struct LineEnds {
    bool lf = false, crlf = false, cr = false;
  };
  const LineEnds& line_ends() const { return line_ends_; }

 private:
  enum class Scan { Whole, Incomplete, UnclosedQuote, LongCell, LongRecord, ManyColumns, ManyLines };

  /// A cell whose text is not a part of the buffer: doubled quotes, or text after the closing one.
  struct Rewritten {
    std::size_t cell;
    std::size_t begin;  ///< after the opening quote
    std::size_t close;  ///< the closing quote
    std::size_t end;    ///< of the cell
  };

  const char* data() const { return buffer_.data(); }
  Result<void> refill();
  Scan scan();
  Scan scan_quoted(std::size_t& at);
  std::optional<std::string_view> take_behind(std::size_t& at);
  std::size_t find_mark(std::size_t at);
  std::size_t find_end(std::size_t at);
  bool closes(std::size_t quote, std::size_t open) const;
  bool skip_to_record();
  bool skip_mark();
  void check_utf8();
  std::uint64_t marks_at(std::size_t at) const;
  void rewrite();
  void find_nul();
  bool skip_blank();
  Place place_of(std::size_t offset) const;
  tl::unexpected<Error> error_at(Place place, std::string_view message) const;
  Result<bool> refuse(Scan why);

  ByteSource& source_;
  std::string file_;
  CsvDialect dialect_;
  LineEnds line_ends_;
  std::size_t block_;
  std::size_t ahead_;  ///< so much of what comes is in the buffer behind a record
  std::vector<char> buffer_;
  std::size_t filled_ = 0;  ///< bytes of the buffer that are input
  bool source_ended_ = false;
  bool at_start_ = true;
  bool has_nul_ = false;

  std::size_t begin_ = 0;       ///< of the record in the buffer
  std::size_t end_ = 0;         ///< of the record, before its line end
  std::size_t next_ = 0;        ///< after its line end
  std::size_t cell_begin_ = 0;  ///< of the cell being scanned
  bool newline_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t next_line_ = 1;
  std::size_t well_formed_ = 0;  ///< the buffer is UTF-8 up to here, which is no middle of a character
  std::uint64_t blank_lines_ = 0;
  std::uint64_t line_of_mark_ = 0;
  std::vector<std::string_view> cells_;
  std::vector<std::size_t> starts_;  ///< parallel to cells_: where each stands in the buffer
  std::vector<Rewritten> rewritten_;
  std::vector<std::string_view> behind_;  ///< what behind() gave
  std::string scratch_;
  std::vector<CsvProblem> problems_;

  std::size_t marks_from_ = 0;  ///< where the block of `marks_` starts
  std::size_t marks_size_ = 0;  ///< 0: `marks_` is of no use
  std::uint64_t marks_ = 0;     ///< one bit a byte: delimiter, CR or LF, or what ends a record
};

}  // namespace reelbatch
