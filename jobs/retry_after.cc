#include "jobs/retry_after.h"

#include <algorithm>
#include <array>
#include <string>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

constexpr milliseconds kLongest = std::chrono::years(10);

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 7> kLongDays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Eats a date from the left. Every step is false, and the rest unspecified, if the text does not go on like that.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  bool literal(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  template <typename Int>
  bool digits(std::size_t count, Int& out) {
    if (text_.size() < count) return false;
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (!is_digit(c)) return false;
      value = value * 10 + (c - '0');
    }
    out = static_cast<Int>(value);
    text_.remove_prefix(count);
    return true;
  }

  /// One of `names`, which have to be such that none begins another; `out` counts from 0.
  template <std::size_t N>
  bool name(const std::array<std::string_view, N>& names, unsigned& out) {
    for (unsigned i = 0; i < N; ++i) {
      if (literal(names[i])) return out = i, true;
    }
    return false;
  }

  bool month(Fields& fields) {
    if (!name(kMonths, fields.month)) return false;
    ++fields.month;
    return true;
  }

  bool clock(Fields& fields) {
    return digits(2, fields.hour) && literal(":") && digits(2, fields.minute) && literal(":") &&
           digits(2, fields.second) && fields.hour < 24 && fields.minute < 60 && fields.second <= 60;
  }

  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

/// `sun, 06 nov 1994 08:49:37 gmt`
std::optional<Fields> read_imf(std::string_view text) {
  DateReader in(text);
  Fields f;
  unsigned weekday = 0;
  if (in.name(kDays, weekday) && in.literal(", ") && in.digits(2, f.day) && in.literal(" ") && in.month(f) &&
      in.literal(" ") && in.digits(4, f.year) && in.literal(" ") && in.clock(f) && in.literal(" gmt") && in.at_end()) {
    return f;
  }
  return std::nullopt;
}

/// `sunday, 06-nov-94 08:49:37 gmt`
std::optional<Fields> read_rfc850(std::string_view text, int year_now) {
  DateReader in(text);
  Fields f;
  unsigned weekday = 0;
  if (!(in.name(kLongDays, weekday) && in.literal(", ") && in.digits(2, f.day) && in.literal("-") && in.month(f) &&
        in.literal("-") && in.digits(2, f.year) && in.literal(" ") && in.clock(f) && in.literal(" gmt") &&
        in.at_end())) {
    return std::nullopt;
  }
  // A year that seems more than 50 years ahead is the last one with these digits; so none is further back than that.
  f.year += year_now / 100 * 100;
  if (f.year > year_now + 50) f.year -= 100;
  if (f.year <= year_now - 50) f.year += 100;
  return f;
}

/// `sun nov  6 08:49:37 1994`
std::optional<Fields> read_asctime(std::string_view text) {
  DateReader in(text);
  Fields f;
  unsigned weekday = 0;
  if (!(in.name(kDays, weekday) && in.literal(" ") && in.month(f) && in.literal(" "))) return std::nullopt;
  const bool one_digit = in.literal(" ");
  if (in.digits(one_digit ? 1 : 2, f.day) && in.literal(" ") && in.clock(f) && in.literal(" ") &&
      in.digits(4, f.year) && in.at_end()) {
    return f;
  }
  return std::nullopt;
}

std::optional<Time> time_of(const Fields& f) {
  const std::chrono::year_month_day date{std::chrono::year(f.year), std::chrono::month(f.month),
                                         std::chrono::day(f.day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(f.hour) + std::chrono::minutes(f.minute) +
         std::chrono::seconds(f.second);
}

std::optional<Time> read_date(std::string_view text, Time now) {
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  std::optional<Fields> fields = read_imf(text);
  if (!fields) fields = read_rfc850(text, static_cast<int>(today.year()));
  if (!fields) fields = read_asctime(text);
  return fields ? time_of(*fields) : std::nullopt;
}

milliseconds read_seconds(std::string_view digits) {
  std::chrono::seconds seconds{0};
  for (const char c : digits) {
    seconds = seconds * 10 + std::chrono::seconds(c - '0');
    if (seconds >= kLongest) return kLongest;
  }
  return seconds;
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value, Time now) {
  const std::string text = ascii_lower(trim_blanks(value));
  if (text.empty()) return std::nullopt;
  if (std::all_of(text.begin(), text.end(), is_digit)) return read_seconds(text);
  const std::optional<Time> until = read_date(text, now);
  if (!until || *until < now) return std::nullopt;
  return std::min(*until - now, kLongest);
}

}  // namespace reelbatch
