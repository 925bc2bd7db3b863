// Lines of CSV, written for millions of rows: cells go straight into one buffer, and whether one needs care is told
// sixteen bytes at a time once they stand there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runner/clock.h"

namespace reelbatch {

/// The CSV cell for a text: quoted where needed, and guarded where a spreadsheet would run it. Control characters other
/// than line ends and tabs, which mean something to a terminal that shows the file and nothing to a table, become `?`.
std::string csv_cell(std::string_view text);

/// One line after the other.
class CsvLine {
 public:
  void cell(std::string_view text);  ///< as csv_cell()
  void number(std::int64_t number);
  void time(WallTime time);                      ///< as to_rfc3339()
  void seconds(std::chrono::milliseconds time);  ///< with as many decimals as there are
  void empty() { open(0); }
  void written(std::string_view cells);  ///< more than one, as they stand in a line, with a comma in front

  /// The line with its CRLF, valid until the next call; the next cell begins another line.
  std::string_view end();

 private:
  /// What may be written behind the bytes that a cell asked for.
  static constexpr std::size_t kSlack = 32;

  /// Room for a cell of `size` bytes, behind its comma.
  char* open(std::size_t size) {
    const std::size_t needed = used_ + 1 + size + kSlack;
    if (buffer_.size() < needed) buffer_.resize(2 * needed);
    if (!first_) buffer_[used_++] = ',';
    first_ = false;
    return buffer_.data() + used_;
  }
  void close(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool first_ = true;
  std::int64_t day_ = INT64_MIN;  ///< that `date_` shows
  std::string date_;
};

}  // namespace reelbatch
