#include <fmt/format.h>

#include <ctime>
#include <fstream>

#include "runner/clock.h"

namespace reelbatch {

Instant SystemClock::now() const {
  timespec reading{};
  ::clock_gettime(CLOCK_MONOTONIC, &reading);
  return Instant(std::chrono::seconds(reading.tv_sec) + std::chrono::nanoseconds(reading.tv_nsec));
}

WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// Source: random(4), boot_id. Of each boot of the machine, and of nothing else.
std::int64_t SystemClock::boot() const {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  std::uint64_t number = 0;
  for (const char c : id) number = number * 31 + static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(number);
}

namespace {

/// Local midnight of the day, or of the first of its month.
WallTime local_midnight(WallTime time, bool first_of_month) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  local.tm_hour = local.tm_min = local.tm_sec = 0;
  if (first_of_month) local.tm_mday = 1;
  local.tm_isdst = -1;  // midnight may be on the other side of a change of the clocks
  return WallTime(std::chrono::seconds(std::mktime(&local)));
}

}  // namespace

WallTime start_of_day(WallTime time) {
  return local_midnight(time, false);
}
WallTime start_of_month(WallTime time) {
  return local_midnight(time, true);
}

std::string to_rfc3339(WallTime time, bool fraction) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (fraction && clock.subseconds().count() != 0) text += fmt::format(".{:03}", clock.subseconds().count());
  return text + 'Z';
}

}  // namespace reelbatch
