#include "jobs/rfc3339.h"

namespace reelbatch {
namespace {

using std::chrono::nanoseconds;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Eats a moment from the left. Every step is false, and the rest unspecified, if the text does not go on like that.
class MomentReader {
 public:
  explicit MomentReader(std::string_view text) : text_(text) {}

  bool one_of(std::string_view characters, char& found) {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
    found = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  bool literal(char expected) {
    char found = 0;
    return one_of({&expected, 1}, found);
  }
  bool digits(std::size_t count, int& out) {
    if (text_.size() < count) return false;
    out = 0;
    for (const char c : text_.substr(0, count)) {
      if (!is_digit(c)) return false;
      out = out * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return true;
  }
  /// `.964728`, or nothing.
  bool fraction(nanoseconds& out) {
    out = {};
    if (!literal('.')) return true;
    std::int64_t unit = 100'000'000;
    std::size_t count = 0;
    for (; count < text_.size() && is_digit(text_[count]); ++count) {
      out += nanoseconds(unit * (text_[count] - '0'));
      unit /= 10;
    }
    text_.remove_prefix(count);
    return count > 0;
  }
  /// `Z`, `-07:00`, `+0530`.
  bool offset(std::chrono::minutes& out) {
    char sign = 0;
    out = {};
    if (!one_of("Zz+-", sign)) return false;
    if (sign == 'Z' || sign == 'z') return true;
    int hours = 0;
    int minutes = 0;
    if (!digits(2, hours)) return false;
    literal(':');
    if (!digits(2, minutes) || hours > 23 || minutes > 59) return false;
    out = std::chrono::minutes(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return true;
  }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
  MomentReader reader(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char between = 0;
  nanoseconds fraction{};
  std::chrono::minutes offset{};
  const bool whole = reader.digits(4, year) && reader.literal('-') && reader.digits(2, month) && reader.literal('-') &&
                     reader.digits(2, day) && reader.one_of("Tt ", between) && reader.digits(2, hour) &&
                     reader.literal(':') && reader.digits(2, minute) && reader.literal(':') &&
                     reader.digits(2, second) && reader.fraction(fraction) && reader.offset(offset) && reader.at_end();
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // Within what nanoseconds in 64 bits hold. A leap second is the second after.
  if (!whole || year < 1970 || year > 2200 || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + fraction - offset;
}

}  // namespace reelbatch
