#include <doctest/doctest.h>

#include <chrono>

#include "runner/clock.h"

using namespace reelbatch;

TEST_CASE("times are written as RFC 3339 in UTC") {
  struct Case {
    const char* name;
    std::int64_t ms;
    bool fraction;
    const char* text;
  };
  const Case cases[] = {
      {"epoch", 0, false, "1970-01-01T00:00:00Z"},
      {"whole second, fraction asked", 1795285882000, true, "2026-11-21T18:31:22Z"},
      {"milliseconds dropped", 1795285882999, false, "2026-11-21T18:31:22Z"},
      {"milliseconds", 1795285882250, true, "2026-11-21T18:31:22.250Z"},
      {"leading zeros of milliseconds", 1795285882005, true, "2026-11-21T18:31:22.005Z"},
      {"leap day", 1709164799000, false, "2024-02-28T23:59:59Z"},
      {"after it", 1709251199000, false, "2024-02-29T23:59:59Z"},
      {"before 1970 rounds down", -1, true, "1969-12-31T23:59:59.999Z"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(to_rfc3339(WallTime(std::chrono::milliseconds(c.ms)), c.fraction) == c.text);
  }
}

TEST_CASE("the monotonic reading does not go back") {
  const SystemClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.now();
    REQUIRE(now >= last);
    last = now;
  }
  CHECK(to_rfc3339(clock.wall()) > "2024");
}
