#include "runner/csv_line.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace reelbatch {
namespace {

/// What may be written or read behind the bytes that a cell asked for.
constexpr std::size_t kSlack = 32;

/// A spreadsheet runs what begins with one of these.
bool is_formula_start(char c) {
  return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
}

/// A plain number may begin with a sign.
bool is_number(std::string_view text) {
  bool digits = false, dot = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      digits = true;
    } else if (c == '.' && !dot) {
      dot = true;
    } else if (i != 0 || (c != '-' && c != '+')) {
      return false;
    }
  }
  return digits;
}

/// What is among the bytes of a cell.
enum class Marks { None, Separators, Others };

/// Separators are commas and line ends; others are quotation marks and what is shown as `?`.
Marks marks_one_by_one(std::string_view text) {
  Marks found = Marks::None;
  for (const char c : text) {
    if (c == '"' || is_control(c)) return Marks::Others;
    if (c == ',' || c == '\n' || c == '\r') found = Marks::Separators;
  }
  return found;
}

/// kSlack more bytes can be read behind the text.
Marks marks_in(const char* text, std::size_t size) {
#ifdef __SSE2__
  const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'), del = _mm_set1_epi8(0x7f);
  const __m128i last_control = _mm_set1_epi8(0x1f);
  Marks found = Marks::None;
  for (std::size_t at = 0; at < size; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + at));
    const __m128i commas = _mm_cmpeq_epi8(bytes, comma);
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i others =
        _mm_or_si128(_mm_or_si128(control, _mm_cmpeq_epi8(bytes, quote)), _mm_cmpeq_epi8(bytes, del));
    const std::size_t left = size - at;
    const unsigned inside = left >= 16 ? 0xffffU : (1U << left) - 1U;
    // Line ends are rare enough for a closer look.
    if ((static_cast<unsigned>(_mm_movemask_epi8(others)) & inside) != 0) return marks_one_by_one({text, size});
    if ((static_cast<unsigned>(_mm_movemask_epi8(commas)) & inside) != 0) found = Marks::Separators;
  }
  return found;
#else
  return marks_one_by_one({text, size});
#endif
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string cell;
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) cell += '"';
  if (!text.empty() && is_formula_start(text.front()) && !is_number(text)) cell += '\'';
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += is_control(c) ? '?' : c;
  }
  if (quoted) cell += '"';
  return cell;
}

/// Room for a cell of `size` bytes, behind its comma.
char* CsvLine::open(std::size_t size) {
  const std::size_t needed = used_ + 1 + size + kSlack;
  if (buffer_.size() < needed) buffer_.resize(2 * needed);
  if (!first_) buffer_[used_++] = ',';
  first_ = false;
  return buffer_.data() + used_;
}

void CsvLine::cell(std::string_view text) {
  char* to = open(text.size());
  if (text.empty()) return;
  std::memcpy(to, text.data(), text.size());
  const Marks marks = is_formula_start(text.front()) ? Marks::Others : marks_in(to, text.size());
  if (marks == Marks::None) return close(to + text.size());
  if (marks == Marks::Separators) {
    *to = '"';
    std::memcpy(to + 1, text.data(), text.size());
    to[text.size() + 1] = '"';
    return close(to + text.size() + 2);
  }
  const std::string careful = csv_cell(text);
  first_ = true;  // its comma is there
  to = open(careful.size());
  std::memcpy(to, careful.data(), careful.size());
  close(to + careful.size());
}

void CsvLine::number(std::int64_t number) {
  char* to = open(0);
  close(std::to_chars(to, to + kSlack, number).ptr);
}

void CsvLine::time(WallTime time) {
  constexpr std::int64_t kDay = 24 * 60 * 60;
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const std::int64_t day = second >= 0 ? second / kDay : (second - kDay + 1) / kDay;
  // Videos of one night share their date.
  if (day != day_) {
    date_ = to_rfc3339(WallTime(std::chrono::seconds(day * kDay)));
    date_.resize(date_.find('T') + 1);
    day_ = day;
  }
  char* to = open(date_.size());
  std::memcpy(to, date_.data(), date_.size());
  to += date_.size();
  const auto of_day = static_cast<unsigned>(second - day * kDay);
  const auto put = [&](unsigned part, char behind) {
    *to++ = static_cast<char>('0' + part / 10);
    *to++ = static_cast<char>('0' + part % 10);
    *to++ = behind;
  };
  put(of_day / 3600, ':');
  put(of_day / 60 % 60, ':');
  put(of_day % 60, 'Z');
  close(to);
}

void CsvLine::seconds(std::chrono::milliseconds time) {
  char* to = open(0);
  // A clock that was set back may have ended a job before it began.
  if (time.count() < 0) *to++ = '-';
  const auto ms = static_cast<std::uint64_t>(time.count() < 0 ? -time.count() : time.count());
  to = std::to_chars(to, to + kSlack - 8, ms / 1000).ptr;
  unsigned rest = static_cast<unsigned>(ms % 1000);
  if (rest != 0) *to++ = '.';
  for (unsigned unit = 100; rest != 0; rest %= unit, unit /= 10) *to++ = static_cast<char>('0' + rest / unit);
  close(to);
}

std::string_view CsvLine::end() {
  first_ = true;
  char* to = open(2);
  *to++ = '\r';
  *to++ = '\n';
  close(to);
  const std::string_view line(buffer_.data(), used_);
  used_ = 0;
  first_ = true;
  return line;
}

}  // namespace reelbatch
