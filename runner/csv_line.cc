#include "runner/csv_line.h"

#include <algorithm>
#include <charconv>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace reelbatch {
namespace {

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

/// What is among the bytes of a cell. Separators are commas and line ends; others are quotation marks and what is shown
/// as `?`.
enum class Marks { None, Separators, Others };

Marks marks_in(std::string_view text) {
  Marks found = Marks::None;
  for (const char c : text) {
    if (c == '"' || is_control(c)) return Marks::Others;
    if (c == ',' || c == '\n' || c == '\r') found = Marks::Separators;
  }
  return found;
}

#ifdef __SSE2__
/// Sixteen bytes at a time: which are commas, and which need a closer look.
class MarkFinder {
 public:
  void look_at(__m128i bytes) {
    commas_ = _mm_or_si128(commas_, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    others_ = _mm_or_si128(others_, _mm_or_si128(control, _mm_or_si128(quote, del)));
  }
  /// Line ends among the others are rare enough for a closer look.
  Marks found(std::string_view text, int inside = 0xffff) const {
    if ((_mm_movemask_epi8(others_) & inside) != 0) return marks_in(text);
    return (_mm_movemask_epi8(commas_) & inside) != 0 ? Marks::Separators : Marks::None;
  }

 private:
  __m128i commas_ = _mm_setzero_si128(), others_ = _mm_setzero_si128();
};

const __m128i* block(const char* at) {
  return reinterpret_cast<const __m128i*>(at);
}
#endif

/// Copies a text that is not empty, and says what is in it. Sixteen more bytes can be read behind `to`.
Marks copy_marked(char* to, std::string_view text) {
#ifdef __SSE2__
  MarkFinder marks;
  const char* from = text.data();
  if (text.size() < 16) {
    text.copy(to, text.size());
    marks.look_at(_mm_loadu_si128(block(to)));
    return marks.found(text, (1 << text.size()) - 1);
  }
  const auto copy = [&](std::size_t at) {
    const __m128i bytes = _mm_loadu_si128(block(from + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    marks.look_at(bytes);
  };
  for (std::size_t at = 0; at + 16 < text.size(); at += 16) copy(at);
  copy(text.size() - 16);  // the last sixteen; some of them twice
  return marks.found(text);
#else
  text.copy(to, text.size());
  return marks_in(text);
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

void CsvLine::cell(std::string_view text) {
  char* to = open(text.size());
  if (text.empty()) return;
  const Marks marks = copy_marked(to, text);
  if (marks == Marks::Others || is_formula_start(text.front())) {
    const std::string careful = csv_cell(text);
    first_ = true;  // its comma is there
    to = open(careful.size());
    return close(to + careful.copy(to, careful.size()));
  }
  if (marks == Marks::None) return close(to + text.size());
  *to++ = '"';
  to += text.copy(to, text.size());
  *to++ = '"';
  close(to);
}

void CsvLine::written(std::string_view cells) {
  first_ = true;  // they begin with a comma
  char* to = open(cells.size());
  close(to + cells.copy(to, cells.size()));
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
  to += date_.copy(to, date_.size());
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
