#include "jobs/retry_after.h"

#include <doctest/doctest.h>

namespace reelbatch {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

// 1994-11-06 08:49:07 UTC, half a minute before the date in RFC 9110's examples.
constexpr Time kNow{std::chrono::seconds(784111747)};
constexpr std::int64_t kTenYearsMs = 315569520000;

TEST_CASE("Retry-After") {
  struct Case {
    std::string name;
    std::string_view value;
    std::optional<std::int64_t> ms;
  };
  const Case cases[] = {
      {"seconds", "120", 120'000},
      {"zero", "0", 0},
      {"blanks", " \t7 ", 7'000},
      {"leading zeros", "0007", 7'000},
      {"ten years at most", "315569520", kTenYearsMs},
      {"huge", "99999999999999999999999999999999", kTenYearsMs},
      {"negative", "-1", std::nullopt},
      {"decimals", "1.5", std::nullopt},
      {"unit", "5s", std::nullopt},
      {"empty", "", std::nullopt},
      {"blank", "  ", std::nullopt},
      {"word", "soon", std::nullopt},
      {"two values", "1, 2", std::nullopt},
      {"IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", 30'000},
      {"IMF-fixdate, other case, blanks", " sun, 06 nov 1994 08:49:37 gmt ", 30'000},
      {"RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", 30'000},
      {"asctime", "Sun Nov  6 08:49:37 1994", 30'000},
      {"asctime, two digits", "Mon Nov 07 08:49:07 1994", 86'400'000},
      {"now", "Sun, 06 Nov 1994 08:49:07 GMT", 0},
      {"past", "Sun, 06 Nov 1994 08:49:06 GMT", std::nullopt},
      {"far date", "Fri, 31 Dec 9999 23:59:59 GMT", kTenYearsMs},
      {"RFC 850, within 50 years", "Wednesday, 06-Nov-44 08:49:37 GMT", kTenYearsMs},
      {"RFC 850, the last century", "Monday, 06-Nov-45 08:49:37 GMT", std::nullopt},
      {"no such day", "Wed, 31 Nov 1994 08:49:37 GMT", std::nullopt},
      {"leap second", "Sun, 06 Nov 1994 08:49:60 GMT", 53'000},
      {"hour 24", "Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt},
      {"no zone", "Sun, 06 Nov 1994 08:49:37", std::nullopt},
      {"another zone", "Sun, 06 Nov 1994 08:49:37 +0100", std::nullopt},
      {"ISO", "1994-11-06T08:49:37Z", std::nullopt},
      {"cut off", "Sun, 06 Nov 19", std::nullopt},
      {"one digit day", "Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
      {"more behind", "Sun, 06 Nov 1994 08:49:37 GMT x", std::nullopt},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::optional<milliseconds> wait = parse_retry_after(c.value, kNow);
    CHECK(wait.has_value() == c.ms.has_value());
    if (wait && c.ms) CHECK(wait->count() == *c.ms);
  }
}

TEST_CASE("a date counts to the millisecond of now") {
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow + milliseconds(250)) == milliseconds(29'750));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:07 GMT", kNow + milliseconds(1)) == std::nullopt);
}

TEST_CASE("a two-digit year next to the turn of a century is the coming one") {
  const Time end_of_1999{std::chrono::seconds(946684799)};
  CHECK(parse_retry_after("Saturday, 01-Jan-00 00:00:00 GMT", end_of_1999) == milliseconds(1000));
}

}  // namespace
}  // namespace reelbatch
