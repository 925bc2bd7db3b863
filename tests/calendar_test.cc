#include "runner/calendar.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "runner/durations.h"

using namespace reelbatch;

namespace {

/// The C library's time zone, as long as it lives.
class Zone {
 public:
  explicit Zone(const char* name) {
    const char* before = std::getenv("TZ");
    had_ = before != nullptr;
    if (had_) before_ = before;
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    if (had_) {
      setenv("TZ", before_.c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  bool had_ = false;
  std::string before_;
};

std::string from(std::string_view time, Span span) {
  const Period period = period_of(*parse_rfc3339(time), span);
  return period.name + " " + to_rfc3339(period.from) + " " + to_rfc3339(period.to);
}

}  // namespace

TEST_CASE("calendar: days, weeks and months are local, and as long as clocks make them") {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  CHECK(from("2026-11-21T23:30:00Z", Span::Day) == "2026-11-22 2026-11-21T23:00:00Z 2026-11-22T23:00:00Z");
  CHECK(from("2026-10-25T12:00:00Z", Span::Day) == "2026-10-25 2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
  CHECK(from("2026-10-25T12:00:00Z", Span::Week) == "2026-W43 2026-10-18T22:00:00Z 2026-10-25T23:00:00Z");
  CHECK(from("2026-12-31T22:59:59Z", Span::Month) == "2026-12 2026-11-30T23:00:00Z 2026-12-31T23:00:00Z");
  CHECK(from("2027-01-02T12:00:00Z", Span::Week) == "2026-W53 2026-12-27T23:00:00Z 2027-01-03T23:00:00Z");
  CHECK(period_of(*parse_rfc3339("2026-11-21T23:30:00Z"), Span::Day).from ==
        start_of_day(*parse_rfc3339("2026-11-21T23:30:00Z")));
  CHECK(zone_name(*parse_rfc3339("2026-11-21T23:30:00Z")) == "UTC+01:00 (CET)");
  CHECK(zone_name(*parse_rfc3339("2026-07-21T23:30:00Z")) == "UTC+02:00 (CEST)");
}

TEST_CASE("calendar: moments") {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  CHECK(to_rfc3339(*parse_moment("2026-11-01", false)) == "2026-10-31T23:00:00Z");
  CHECK(to_rfc3339(*parse_moment("2026-11-30", true)) == "2026-11-30T23:00:00Z");
  CHECK(to_rfc3339(*parse_moment("2026-11-30T06:00:00+01:00", true)) == "2026-11-30T05:00:00Z");
  for (const char* wrong : {"", "2026", "2026-02-29", "2026-13-01", "2026-1-1", "21.11.2026", "2026-11-21T06:00"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_moment(wrong, false));
  }
}
