#include "runner/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kStride = 64;
constexpr std::string_view kMark = "\xEF\xBB\xBF";

/// Line ends in `text`: LF, CRLF and CR each count once.
std::uint64_t count_lines(std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ++count;
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1))
    if (at + 1 == text.size() || text[at + 1] != '\n') ++count;
  return count;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Code points in well-formed UTF-8: bytes that are no continuation. Asked for every field of every row.
std::size_t count_characters(const char* data, std::size_t size) {
  std::size_t count = 0;
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i last_tail = _mm_set1_epi8(static_cast<char>(0xBF));
  while (at + 16 <= size) {
    // Sixteen counters of one byte each, so at most 255 rounds before they are summed.
    __m128i heads = _mm_setzero_si128();
    for (int round = 0; round < 255 && at + 16 <= size; ++round, at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
      heads = _mm_sub_epi8(heads, _mm_cmpgt_epi8(bytes, last_tail));
    }
    const __m128i sums = _mm_sad_epu8(heads, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  for (; at < size; ++at) count += is_continuation(data[at]) ? 0U : 1U;
  return count;
}

}  // namespace

CsvReader::CsvReader(ByteSource& source, std::string_view file, CsvDialect dialect, std::size_t block)
    : source_(source), file_(file), dialect_(dialect), block_(std::max<std::size_t>(block, 1)), ahead_(block_ / 4) {}

void CsvReader::set_dialect(CsvDialect dialect) {
  dialect_ = dialect;
  marks_size_ = 0;
}

Result<bool> CsvReader::next() {
  while (true) {
    begin_ = next_;
    line_ = next_line_;
    Scan result = Scan::Incomplete;
    while (true) {
      const bool ready = filled_ > begin_ && !at_start_;
      if (ready) result = scan();
      const bool sees_next = source_ended_ || result != Scan::Whole || filled_ - next_ >= ahead_;
      if (ready && result != Scan::Incomplete && sees_next) break;
      if (source_ended_) return false;
      if (ready && filled_ - cell_begin_ > kMaxCell + 1) return refuse(Scan::LongCell);
      if (ready && count_lines({data() + cell_begin_, filled_ - cell_begin_}) > kMaxLines)
        return refuse(Scan::ManyLines);
      if (filled_ - begin_ > kMaxRecord) return refuse(Scan::LongRecord);
      if (Result<void> more = refill(); !more) return tl::unexpected<Error>(more.error());
    }
    if (result != Scan::Whole) return refuse(result);
    if (skip_blank()) continue;
    rewrite();
    if (has_nul_) find_nul();
    return true;
  }
}

bool CsvReader::is_quoted(std::size_t cell) const {
  return dialect_.quotes && starts_[cell] < end_ && buffer_[starts_[cell]] == '"';
}

CsvReader::Behind CsvReader::behind(std::size_t most) {
  behind_.clear();
  Behind behind;
  std::size_t at = next_;
  for (std::size_t line = at; line < filled_;) {  // blank lines, with whatever cannot be seen in them
    const std::string_view rest(data() + line, filled_ - line);
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    if (!trim(rest.substr(0, end)).empty()) break;
    const bool crlf = rest.substr(end, 2) == "\r\n";
    line = at = line + std::min(end + (crlf ? 2 : 1), rest.size());
    ++behind.blank_lines;
  }
  while (std::string_view(data() + at, filled_ - at).starts_with(kMark)) at += kMark.size();
  behind.text = {data() + at, filled_ - at};
  behind.is_all = source_ended_;
  const std::string_view text = behind.text;
  if (text.empty() || trim(text) == kEndOfFile || text[0] == '#' || (text[0] == '"' && dialect_.quotes)) return behind;
  while (behind_.size() < most) {
    const std::optional<std::string_view> cell = take_behind(at);
    if (!cell) return behind;
    behind_.push_back(*cell);
    if (at == filled_ || buffer_[at] != dialect_.delimiter) break;
    at += dialect_.second == 0 ? 1 : 2;
  }
  behind.cells = behind_;
  return behind;
}

/// A cell of the record behind this one, and past it. Nothing if its end is not in the buffer for sure.
std::optional<std::string_view> CsvReader::take_behind(std::size_t& at) {
  const std::size_t from = at;
  const bool is_quoted = at < filled_ && buffer_[at] == '"' && dialect_.quotes;
  if (is_quoted) {
    if (dialect_.backslashes || dialect_.second != 0) return std::nullopt;
    while (true) {
      at = std::string_view(data(), filled_).find('"', at + 1);
      if (at == std::string_view::npos) return std::nullopt;
      if (++at == filled_ || buffer_[at] != '"') break;
    }
  }
  const std::size_t close = at;
  at = find_end(at);
  if (at == filled_ && !source_ended_) return std::nullopt;
  if (is_quoted) return std::string_view(data() + from + 1, close - from - 2);
  return std::string_view(data() + from, at - from);
}

Result<void> CsvReader::refill() {
  // The record so far moves to the front; the buffer doubles when it is full of it, so that a record of n bytes is
  // scanned fewer than 2n bytes in all.
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
  filled_ -= begin_;
  next_ -= begin_;
  well_formed_ -= std::min(well_formed_, begin_);
  begin_ = 0;
  marks_size_ = 0;
  if (filled_ + block_ + kStride > buffer_.size()) buffer_.resize(2 * filled_ + block_ + kStride);

  const std::size_t old = filled_;
  const std::size_t wanted = buffer_.size() - kStride;
  while (filled_ < wanted) {
    const Result<std::size_t> taken = source_.read(buffer_.data() + filled_, wanted - filled_);
    if (!taken) {
      source_ended_ = true;
      return tl::unexpected<Error>(taken.error());
    }
    if (*taken == 0) {
      source_ended_ = true;
      break;
    }
    filled_ += *taken;
  }
  check_utf8();
  has_nul_ = has_nul_ || std::memchr(buffer_.data() + old, 0, filled_ - old) != nullptr;
  if (at_start_ && (filled_ >= 3 || source_ended_)) {
    at_start_ = false;
    if (std::string_view(data(), filled_).starts_with(kMark)) begin_ = next_ = kMark.size();
  }
  return {};
}

/// Of what came in: far cheaper for the whole than for one record after the other.
void CsvReader::check_utf8() {
  // A last character may be cut off.
  std::size_t end = filled_;
  while (end > well_formed_ && filled_ - end < 3 && is_continuation(buffer_[end - 1])) --end;
  if (end > well_formed_ && static_cast<unsigned char>(buffer_[end - 1]) >= 0xC0U) --end;
  if (is_utf8({data() + well_formed_, end - well_formed_})) well_formed_ = end;
}

bool CsvReader::is_well_formed() const {
  return end_ <= well_formed_ || is_utf8(raw());
}

CsvReader::Scan CsvReader::scan() {
  cells_.clear();
  starts_.clear();
  rewritten_.clear();
  problems_.clear();
  if (dialect_.record_end != 0 && !skip_to_record()) return Scan::Incomplete;
  if (begin_ < filled_ && buffer_[begin_] == kMark[0] && !skip_mark()) return Scan::Incomplete;
  next_line_ = line_ + (dialect_.record_end == 0 ? 1 : 0);
  std::size_t at = begin_;
  while (true) {
    cell_begin_ = at;
    starts_.push_back(at);
    if (at < filled_ && buffer_[at] == '"' && dialect_.quotes) {
      const Scan quoted = scan_quoted(at);
      if (quoted != Scan::Whole) return quoted;
    } else {
      const std::size_t from = at;
      at = find_end(at);
      if (at == filled_ && !source_ended_) return Scan::Incomplete;
      cells_.emplace_back(data() + from, at - from);
    }
    if (at - cell_begin_ > kMaxCell) return Scan::LongCell;
    if (at == filled_ || buffer_[at] != dialect_.delimiter) break;
    if (cells_.size() == kMaxColumns) return Scan::ManyColumns;
    at += dialect_.second == 0 ? 1 : 2;
  }
  end_ = at;
  newline_ = at < filled_;
  if (dialect_.record_end != 0) {
    next_line_ = line_ + count_lines({data() + begin_, at - begin_});
  } else if (newline_ && buffer_[at] == '\r') {
    if (at + 1 == filled_ && !source_ended_) return Scan::Incomplete;
    const bool crlf = at + 1 < filled_ && buffer_[at + 1] == '\n';
    (crlf ? line_ends_.crlf : line_ends_.cr) = true;
    if (crlf) ++at;
  } else if (newline_) {
    line_ends_.lf = true;
  }
  next_ = newline_ ? at + 1 : at;
  return Scan::Whole;
}

/// Past the blanks and line ends between records that something else ends. False if there is nothing behind them yet.
bool CsvReader::skip_to_record() {
  for (; begin_ < filled_; ++begin_) {
    const char c = buffer_[begin_];
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') break;
    if (c == '\n') ++line_;
  }
  next_ = begin_;
  return begin_ < filled_;
}

/// Past byte order marks: left in front of a quote they would make it an ordinary one. False if there may be more of
/// them.
bool CsvReader::skip_mark() {
  while (std::string_view(data() + begin_, filled_ - begin_).starts_with(kMark)) {
    begin_ += kMark.size();
    next_ = begin_;
    if (line_of_mark_ == 0) line_of_mark_ = line_;
  }
  return source_ended_ || filled_ - begin_ >= kMark.size() ||
         !kMark.starts_with(std::string_view(data() + begin_, filled_ - begin_));
}

/// Whether a quote ends its cell; the byte behind it is in the buffer, or there is none.
bool CsvReader::closes(std::size_t quote, std::size_t open) const {
  if (dialect_.backslashes) {
    std::size_t from = quote;
    while (from > open + 1 && buffer_[from - 1] == '\\') --from;
    if ((quote - from) % 2 == 1) return false;
  }
  if (dialect_.second == 0 || quote + 1 == filled_) return true;
  const char next = buffer_[quote + 1];
  if (next == '\r' || next == '\n') return true;
  return next == dialect_.delimiter && (quote + 2 == filled_ || buffer_[quote + 2] == dialect_.second);
}

CsvReader::Scan CsvReader::scan_quoted(std::size_t& at) {
  const std::size_t open = at;
  std::size_t close = open + 1;
  bool doubled = false;
  while (true) {
    const void* found = std::memchr(data() + close, '"', filled_ - close);
    if (found == nullptr) return source_ended_ ? Scan::UnclosedQuote : Scan::Incomplete;
    close = static_cast<std::size_t>(static_cast<const char*>(found) - data());
    if (close + (dialect_.second == 0 ? 1 : 3) >= filled_ && !source_ended_) return Scan::Incomplete;
    const bool special = dialect_.backslashes || dialect_.second != 0;
    const bool twice = close + 1 < filled_ && buffer_[close + 1] == '"';
    if (!twice && (!special || closes(close, open))) break;
    // A backslash in front, or `5""!#`: the second quote is a matter of its own.
    const bool alone =
        twice && ((dialect_.backslashes && !closes(close, open)) || (dialect_.second != 0 && closes(close + 1, open)));
    if (alone) {
      doubled = true;
      ++close;
      continue;
    }
    doubled = true;
    close += twice ? 2 : 1;
  }
  at = find_end(close + 1);
  if (at == filled_ && !source_ended_) return Scan::Incomplete;

  const std::string_view text(data() + open + 1, close - open - 1);
  next_line_ += count_lines(text);
  if (next_line_ - line_ > kMaxLines) return Scan::ManyLines;
  const bool more = at != close + 1;
  if (doubled || more) rewritten_.push_back({cells_.size(), open + 1, close, at});
  if (more && problems_.empty())
    problems_.push_back({cells_.size(), place_of(close + 1),
                         "text after a closing quote (a quote inside a quoted cell is written twice)",
                         "text_after_quote"});
  cells_.push_back(text);
  return Scan::Whole;
}

std::uint64_t CsvReader::marks_at(std::size_t at) const {
  std::uint64_t marks = 0;
#ifdef __SSE2__
  const __m128i delimiter = _mm_set1_epi8(dialect_.delimiter);
  const __m128i cr = _mm_set1_epi8(dialect_.record_end == 0 ? '\r' : dialect_.record_end);
  const __m128i lf = _mm_set1_epi8(dialect_.record_end == 0 ? '\n' : dialect_.record_end);
  for (unsigned part = 0; part < kStride / 16; ++part) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data() + at + std::size_t{16} * part));
    const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiter),
                                      _mm_or_si128(_mm_cmpeq_epi8(bytes, cr), _mm_cmpeq_epi8(bytes, lf)));
    marks |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hits))) << (16U * part);
  }
#else
  for (std::size_t i = 0; i < kStride; ++i) {
    const char c = data()[at + i];
    const bool end = dialect_.record_end == 0 ? c == '\r' || c == '\n' : c == dialect_.record_end;
    if (c == dialect_.delimiter || end) marks |= std::uint64_t{1} << i;
  }
#endif
  return marks;
}

/// The end of a cell that is not quoted, or of what follows a quoted one: a delimiter or the end of the record.
std::size_t CsvReader::find_end(std::size_t at) {
  at = find_mark(at);
  if (dialect_.second == 0) return at;
  while (at < filled_ && buffer_[at] == dialect_.delimiter) {
    if (at + 1 == filled_) return filled_;
    if (buffer_[at + 1] == dialect_.second) return at;
    at = find_mark(at + 1);
  }
  return at;
}

/// The next byte at or after `at` that may end a cell, or filled_. The buffer has kStride bytes more than input.
std::size_t CsvReader::find_mark(std::size_t at) {
  while (at < filled_) {
    if (at - marks_from_ >= marks_size_) {
      marks_from_ = at;
      marks_size_ = kStride;
      marks_ = marks_at(at);
    }
    const std::uint64_t rest = marks_ >> (at - marks_from_);
    if (rest != 0) return std::min(at + static_cast<std::size_t>(std::countr_zero(rest)), filled_);
    at = marks_from_ + kStride;
  }
  return filled_;
}

void CsvReader::rewrite() {
  if (rewritten_.empty()) return;
  std::size_t size = 0;
  for (const Rewritten& cell : rewritten_) size += cell.end - cell.begin;
  scratch_.clear();
  scratch_.reserve(size);  // so that views into it stay valid
  for (const Rewritten& cell : rewritten_) {
    const std::size_t from = scratch_.size();
    std::size_t at = cell.begin;
    while (at < cell.close) {
      const void* quote = std::memchr(data() + at, '"', cell.close - at);
      const std::size_t end =
          quote == nullptr ? cell.close : static_cast<std::size_t>(static_cast<const char*>(quote) - data()) + 1;
      scratch_.append(data() + at, end - at);
      const bool escaped = quote != nullptr && dialect_.backslashes && end >= at + 2 && buffer_[end - 2] == '\\';
      if (escaped) scratch_.replace(scratch_.size() - 2, 2, 1, '"');
      at = end + (quote != nullptr && !escaped && end < cell.close && buffer_[end] == '"' ? 1 : 0);
    }
    scratch_.append(data() + cell.close + 1, cell.end - cell.close - 1);
    cells_[cell.cell] = std::string_view(scratch_.data() + from, scratch_.size() - from);
  }
}

void CsvReader::find_nul() {
  const std::size_t nul = raw().find('\0');
  if (nul == std::string_view::npos || !problems_.empty()) return;
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), begin_ + nul);
  problems_.push_back(
      {static_cast<std::size_t>(after - starts_.begin()) - 1, place_of(begin_ + nul), "a NUL character", "nul"});
}

bool CsvReader::skip_blank() {
  if (end_ != begin_) return false;
  if (newline_) ++blank_lines_;
  return true;
}

Place CsvReader::place_of(std::size_t offset) const {
  const char* start = data() + begin_;
  const std::size_t size = offset - begin_;
  const std::uint64_t lines = next_line_ - line_;
  if (lines == (dialect_.record_end == 0 ? 1U : 0U)) return {line_, count_characters(start, size) + 1};

  const void* lf = ::memrchr(start, '\n', size);
  const void* cr = ::memrchr(start, '\r', size);
  const char* last = static_cast<const char*>(std::max(lf, cr, std::less<>()));
  const char* from = last == nullptr ? start : last + 1;
  const auto same_line = static_cast<std::size_t>(data() + offset - from);
  return {line_ + count_lines({start, size}), count_characters(from, same_line) + 1};
}

std::vector<Place> CsvReader::places() const {
  std::vector<Place> out;
  out.reserve(starts_.size());
  Place place{line_, 1};
  std::size_t at = begin_;
  for (const std::size_t start : starts_) {
    for (; at < start; ++at) {
      const char c = buffer_[at];
      const bool crlf = c == '\r' && buffer_[at + 1] == '\n';
      if ((c == '\n' || c == '\r') && !crlf) {
        place = {place.line + 1, 1};
      } else if (!is_continuation(c) && !crlf) {
        ++place.column;
      }
    }
    out.push_back(place);
  }
  return out;
}

Place CsvReader::place(std::size_t cell) const {
  return cell < starts_.size() ? place_of(starts_[cell]) : place_of(end_);
}

Place CsvReader::place_in(std::size_t cell, std::size_t offset) const {
  if (cell >= starts_.size() || buffer_[starts_[cell]] == '"') return place(cell);
  return place_of(starts_[cell] + std::min(offset, cells_[cell].size()));
}

tl::unexpected<Error> CsvReader::error_at(Place place, std::string_view message) const {
  return usage_error(fmt::format("{}:{}:{}: {}", file_, place.line, place.column, message));
}

Result<bool> CsvReader::refuse(Scan why) {
  const Place place = place_of(cell_begin_);
  source_ended_ = true;
  next_ = filled_;
  switch (why) {
    case Scan::UnclosedQuote:
      return error_at(place, "a quote is opened here and never closed");
    case Scan::LongRecord:
      return error_at(place_of(begin_), fmt::format("a record is longer than {} MiB", kMaxRecord >> 20U));
    case Scan::ManyColumns:
      return error_at(place, fmt::format("more than {} cells in one record", kMaxColumns));
    case Scan::ManyLines:
      return error_at(place, fmt::format("a record goes on for more than {} lines; is a quote opened here and never "
                                         "closed?",
                                         kMaxLines));
    default:
      return error_at(place, fmt::format("a cell is longer than {} MiB; is a quote opened here and never closed?",
                                         kMaxCell >> 20U));
  }
}

}  // namespace reelbatch
