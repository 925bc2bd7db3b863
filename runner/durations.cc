#include "runner/durations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <optional>

namespace reelbatch {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMillisMax = std::int64_t{3650} * 24 * 3600 * 1000;
constexpr std::int64_t kWindowMillisMax = std::int64_t{31} * 24 * 3600 * 1000;
constexpr int kWindowLimitMax = 1'000'000;

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 24 * 3600 * 1000}}};

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

tl::unexpected<Error> no_duration(std::string_view text) {
  return usage_error(
      fmt::format("'{}' is no duration: write a whole number and a unit, such as 100ms, 3s, 20m, 5h or 7d", text));
}

/// Reads exactly `width` digits at `at`.
std::optional<int> field(std::string_view text, std::size_t at, std::size_t width, int least, int most) {
  if (text.size() < at + width) return std::nullopt;
  const std::string_view part = text.substr(at, width);
  if (!std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const std::optional<std::int64_t> value = digits(part);
  if (!value || *value < least || *value > most) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<milliseconds> parse_fraction(std::string_view& rest) {
  if (rest.empty() || rest.front() != '.') return milliseconds(0);
  rest.remove_prefix(1);
  int value = 0;
  int scale = 100;
  std::size_t count = 0;
  for (; count < rest.size() && rest[count] >= '0' && rest[count] <= '9'; ++count, scale /= 10) {
    value += (rest[count] - '0') * scale;
  }
  rest.remove_prefix(count);
  if (count == 0) return std::nullopt;
  return milliseconds(value);
}

/// `Z` or `+01:00`.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const std::optional<int> hours = field(text, 1, 2, 0, 23);
  const std::optional<int> minutes = field(text, 4, 2, 0, 59);
  if (!hours || !minutes) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return text[0] == '-' ? -offset : offset;
}

struct HourMinute {
  int hour = 0;
  int minute = 0;
};

std::optional<HourMinute> parse_hour_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<int> hour = field(text, 0, 2, 0, 23);
  const std::optional<int> minute = field(text, 3, 2, 0, 59);
  if (!hour || !minute) return std::nullopt;
  return HourMinute{*hour, *minute};
}

/// Every moment that local clocks show as `at` on the day `days` after that of `today`: none, one or two.
struct LocalMoments {
  std::vector<std::time_t> shown;
  std::time_t otherwise = -1;  ///< when none: the same time by the offset from before the clock was put forward
};

LocalMoments local_moments(const std::tm& today, int days, HourMinute at) {
  LocalMoments moments;
  // mktime() takes the offset from us, so both are tried; a wrong guess shows as another hour in the way back.
  for (const int dst : {1, 0}) {
    std::tm wanted{};
    wanted.tm_year = today.tm_year;
    wanted.tm_mon = today.tm_mon;
    wanted.tm_mday = today.tm_mday + days;
    wanted.tm_hour = at.hour;
    wanted.tm_min = at.minute;
    wanted.tm_isdst = dst;
    const std::time_t moment = std::mktime(&wanted);
    if (moment == -1) continue;
    std::tm back{};
    localtime_r(&moment, &back);
    if (back.tm_hour == at.hour && back.tm_min == at.minute) {
      moments.shown.push_back(moment);
    } else if (dst == 0) {
      moments.otherwise = moment;
    }
  }
  std::sort(moments.shown.begin(), moments.shown.end());
  return moments;
}

std::optional<WallTime> next_local(HourMinute at, WallTime now) {
  const std::time_t now_seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::tm today{};
  localtime_r(&now_seconds, &today);
  for (int days = 0; days <= 2; ++days) {
    LocalMoments moments = local_moments(today, days, at);
    if (moments.shown.empty() && moments.otherwise != -1) moments.shown.push_back(moments.otherwise);
    for (const std::time_t moment : moments.shown) {
      const WallTime time{std::chrono::seconds(moment)};
      if (time > now) return time;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  const auto y = field(text, 0, 4, 1970, 9999);
  const auto mon = field(text, 5, 2, 1, 12);
  const auto d = field(text, 8, 2, 1, 31);
  const auto h = field(text, 11, 2, 0, 23);
  const auto min = field(text, 14, 2, 0, 59);
  const auto s = field(text, 17, 2, 0, 60);
  if (!y || !mon || !d || !h || !min || !s) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mon)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  std::string_view rest = text.substr(19);
  const std::optional<milliseconds> fraction = parse_fraction(rest);
  const std::optional<minutes> offset = parse_offset(rest);
  if (!fraction || !offset) return std::nullopt;
  return WallTime(sys_days(date).time_since_epoch() + hours(*h) + minutes(*min) + seconds(*s) + *fraction - *offset);
}

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{};
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> value = digits(text.substr(0, unit_at));
  const std::string_view name = text.substr(unit_at);
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  if (unit_at == 0 || unit == kUnits.end()) return no_duration(text);
  if (!value || *value > kMillisMax / unit->millis) {
    return usage_error(fmt::format("'{}' is too long: at most 3650d", text));
  }
  return milliseconds(*value * unit->millis);
}

std::string to_text(Duration duration) {
  const std::int64_t millis = std::chrono::duration_cast<milliseconds>(duration).count();
  if (millis == 0) return "0s";
  const auto unit = std::find_if(kUnits.rbegin(), kUnits.rend(), [&](const Unit& u) { return millis % u.millis == 0; });
  return fmt::format("{}{}", millis / unit->millis, unit->name);
}

Result<RateWindow> parse_rate_window(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<std::int64_t> limit = digits(text.substr(0, slash));
  if (slash == std::string_view::npos || !limit) {
    return usage_error(
        fmt::format("'{}' is no rate: write most requests and the time they may come in, such as 10/1s", text));
  }
  const std::string_view width_text = text.substr(slash + 1);
  // `10/s` is how many others write it.
  const bool bare_unit =
      std::any_of(kUnits.begin(), kUnits.end(), [&](const Unit& unit) { return unit.name == width_text; });
  if (bare_unit) return usage_error(fmt::format("'{0}' is no rate: write {1}/1{2}", text, *limit, width_text));
  const Result<Duration> width = parse_duration(width_text);
  if (!width) return usage_error(fmt::format("'{}' is no rate: {}", text, width.error().message));
  if (*limit < 1 || *limit > kWindowLimitMax) {
    return usage_error(fmt::format("'{}' is no rate: the number of requests is from 1 to {}", text, kWindowLimitMax));
  }
  if (*width <= Duration{} || *width > milliseconds(kWindowMillisMax)) {
    return usage_error(fmt::format("'{}' is no rate: the time is more than 0 and at most 31d", text));
  }
  return RateWindow{static_cast<int>(*limit), *width};
}

Result<std::vector<RateWindow>> parse_rate_windows(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t";
  std::vector<RateWindow> windows;
  for (std::size_t at = text.find_first_not_of(kSeparators); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
    const Result<RateWindow> window = parse_rate_window(text.substr(at, end - at));
    if (!window) return tl::unexpected<Error>(window.error());
    windows.push_back(*window);
    at = text.find_first_not_of(kSeparators, end);
  }
  if (windows.empty()) return usage_error("empty: write a rate such as 10/1s");
  return windows;
}

std::string to_text(const std::vector<RateWindow>& windows) {
  std::string text;
  for (const RateWindow& window : windows) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}/{}", window.limit, to_text(window.width));
  }
  return text;
}

Result<Deadline> parse_deadline(std::string_view text, WallTime now) {
  if (const Result<Duration> after = parse_duration(text)) {
    if (*after <= Duration{}) return usage_error(fmt::format("'{}' leaves no time: write more than 0", text));
    return Deadline{std::nullopt, *after};
  }
  if (const std::optional<WallTime> at = parse_rfc3339(text)) return Deadline{*at, std::nullopt};
  if (const std::optional<HourMinute> clock = parse_hour_minute(text)) {
    if (const std::optional<WallTime> at = next_local(*clock, now)) return Deadline{*at, std::nullopt};
  }
  return usage_error(
      fmt::format("'{}' is no deadline: write a duration (5h), a local time (06:30) or RFC 3339 with its offset "
                  "(2026-11-22T06:30:00Z)",
                  text));
}

Result<long> parse_whole(std::string_view text, long least, long most) {
  const std::optional<std::int64_t> value = digits(text);
  if (!value || *value < least || *value > most) {
    const std::string range =
        most >= 1'000'000'000 ? fmt::format("from {} up", least) : fmt::format("from {} to {}", least, most);
    return usage_error(fmt::format("'{}' is no whole number {}", text, range));
  }
  return static_cast<long>(*value);
}

std::string about(Duration duration) {
  const std::int64_t seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds < 100) return fmt::format("{} s", seconds);
  if (seconds < 100 * 60) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 72 * 3600) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds / 3600 % 24);
}

}  // namespace reelbatch
