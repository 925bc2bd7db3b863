#include "runner/calendar.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>
#include <optional>

#include "runner/durations.h"

namespace reelbatch {
namespace {

std::tm local_of(WallTime time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

/// Local midnight of a day; the day of the month may lie outside of its month.
WallTime midnight(int year, int month, int day) {
  std::tm local{};
  local.tm_year = year - 1900;
  local.tm_mon = month - 1;
  local.tm_mday = day;
  local.tm_isdst = -1;  // midnight may be on the other side of a change of the clocks
  return WallTime(std::chrono::seconds(std::mktime(&local)));
}

std::optional<std::chrono::year_month_day> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int parts[3] = {};
  const std::string_view words[3] = {text.substr(0, 4), text.substr(5, 2), text.substr(8, 2)};
  for (int i = 0; i < 3; ++i) {
    const char* const end = words[i].data() + words[i].size();
    const auto [stop, error] = std::from_chars(words[i].data(), end, parts[i]);
    if (error != std::errc() || stop != end || parts[i] < 0) return std::nullopt;
  }
  if (parts[0] < 1970) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(parts[0]),
                                         std::chrono::month(static_cast<unsigned>(parts[1])),
                                         std::chrono::day(static_cast<unsigned>(parts[2]))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

}  // namespace

Period period_of(WallTime time, Span span) {
  const std::tm local = local_of(time);
  const int year = local.tm_year + 1900, month = local.tm_mon + 1, day = local.tm_mday;
  if (span == Span::Month) {
    return {midnight(year, month, 1), midnight(year, month + 1, 1), fmt::format("{:04}-{:02}", year, month)};
  }
  if (span == Span::Day) {
    return {midnight(year, month, day), midnight(year, month, day + 1),
            fmt::format("{:04}-{:02}-{:02}", year, month, day)};
  }
  const int since_monday = (local.tm_wday + 6) % 7;
  char name[16] = {};
  std::strftime(name, sizeof(name), "%G-W%V", &local);
  return {midnight(year, month, day - since_monday), midnight(year, month, day - since_monday + 7), name};
}

Result<WallTime> parse_moment(std::string_view text, bool whole_day) {
  if (const std::optional<WallTime> at = parse_rfc3339(text)) return *at;
  if (const std::optional<std::chrono::year_month_day> date = parse_date(text)) {
    return midnight(static_cast<int>(date->year()), static_cast<int>(static_cast<unsigned>(date->month())),
                    static_cast<int>(static_cast<unsigned>(date->day())) + (whole_day ? 1 : 0));
  }
  return usage_error(
      fmt::format("'{}' is no date: write 2026-11-01, or RFC 3339 with its offset (2026-11-01T06:30:00Z)", text));
}

std::string zone_name(WallTime time) {
  const std::tm local = local_of(time);
  const long minutes = local.tm_gmtoff / 60;
  if (minutes == 0) return "UTC";
  const long size = minutes < 0 ? -minutes : minutes;
  const std::string offset = fmt::format("UTC{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
  const std::string_view name = local.tm_zone == nullptr ? "" : local.tm_zone;
  return name.empty() || name[0] == '+' || name[0] == '-' ? offset : fmt::format("{} ({})", offset, name);
}

}  // namespace reelbatch
