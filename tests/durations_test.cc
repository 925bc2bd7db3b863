#include "runner/durations.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "tests/scoped_env.h"

namespace reelbatch {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime utc(const char* text) {
  return *parse_deadline(text, WallTime{}).value().at;
}

std::string message_of(const Error& error) {
  return error.message;
}

}  // namespace

TEST_CASE("durations are a whole number and a unit") {
  struct Case {
    const char* text;
    Duration expected;
  };
  const std::vector<Case> cases = {{"100ms", milliseconds(100)}, {"3s", seconds(3)},
                                   {"20m", minutes(20)},         {"5h", hours(5)},
                                   {"7d", hours(168)},           {"0", Duration{}},
                                   {"0s", Duration{}},           {"007s", seconds(7)},
                                   {"3650d", hours(87600)},      {"1000ms", milliseconds(1000)}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<Duration> parsed = parse_duration(c.text);
    REQUIRE(parsed);
    CHECK(*parsed == c.expected);
  }
  for (const char* bad : {"", "s", "3", "3 s", " 3s", "-3s", "+3s", "1.5s", "3S", "3sec", "1h30m", "3s ", "1e3s"}) {
    CAPTURE(bad);
    const Result<Duration> parsed = parse_duration(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().fault == Fault::Usage);
    CHECK(parsed.error().message ==
          "'" + std::string(bad) +
              "' is no duration: write a whole number and a unit, such as 100ms, 3s, 20m, 5h or 7d");
  }
  for (const char* bad : {"3651d", "99999999999999999999d", "9223372036854775807h"}) {
    CAPTURE(bad);
    const Result<Duration> parsed = parse_duration(bad);
    REQUIRE_FALSE(parsed);
    CHECK(message_of(parsed.error()) == "'" + std::string(bad) + "' is too long: at most 3650d");
  }
}

TEST_CASE("durations are printed in the largest unit that keeps them whole") {
  CHECK(to_text(milliseconds(100)) == "100ms");
  CHECK(to_text(milliseconds(1500)) == "1500ms");
  CHECK(to_text(seconds(90)) == "90s");
  CHECK(to_text(minutes(20)) == "20m");
  CHECK(to_text(hours(168)) == "7d");
  CHECK(to_text(Duration{}) == "0s");
  for (const char* text : {"1ms", "59s", "61m", "25h", "3650d"}) CHECK(to_text(*parse_duration(text)) == text);
}

TEST_CASE("rates are a number of requests and a time") {
  CHECK(*parse_rate_window("10/1s") == RateWindow{10, seconds(1)});
  CHECK(*parse_rate_window("30/10s") == RateWindow{30, seconds(10)});
  CHECK(*parse_rate_window("1/500ms") == RateWindow{1, milliseconds(500)});
  CHECK(*parse_rate_windows("10/1s, 300/1m") == std::vector<RateWindow>{{10, seconds(1)}, {300, minutes(1)}});
  CHECK(*parse_rate_windows(" 10/1s 300/1m ,") == std::vector<RateWindow>{{10, seconds(1)}, {300, minutes(1)}});
  CHECK(to_text(*parse_rate_windows("10/1000ms 300/60s")) == "10/1s, 300/1m");

  struct Case {
    const char* text;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"10", "'10' is no rate: write most requests and the time they may come in, such as 10/1s"},
      {"/1s", "'/1s' is no rate: write most requests and the time they may come in, such as 10/1s"},
      {"-1/1s", "'-1/1s' is no rate: write most requests and the time they may come in, such as 10/1s"},
      {"10/s", "'10/s' is no rate: write 10/1s"},
      {"0/1s", "'0/1s' is no rate: the number of requests is from 1 to 1000000"},
      {"1000001/1s", "'1000001/1s' is no rate: the number of requests is from 1 to 1000000"},
      {"1/0s", "'1/0s' is no rate: the time is more than 0 and at most 31d"},
      {"1/32d", "'1/32d' is no rate: the time is more than 0 and at most 31d"},
      {"1/x",
       "'1/x' is no rate: 'x' is no duration: write a whole number and a unit, such as 100ms, 3s, 20m, 5h or 7d"},
      {"", "empty: write a rate such as 10/1s"},
      {" , ", "empty: write a rate such as 10/1s"}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto parsed = parse_rate_windows(c.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message == c.message);
  }
}

TEST_CASE("a deadline is a duration, a moment or a local time") {
  const WallTime now = utc("2026-11-21T12:00:00Z");
  CHECK(*parse_deadline("5h", now)->after == hours(5));
  CHECK_FALSE(parse_deadline("5h", now)->at);
  CHECK(*parse_deadline("2026-11-22T06:00:00Z", now)->at == now + hours(18));
  CHECK(*parse_deadline("2026-11-22 06:00:00.25+01:00", now)->at == now + hours(17) + milliseconds(250));
  CHECK(*parse_deadline("2026-11-21T23:30:00-05:30", now)->at == now + hours(17));
  for (const char* bad : {"", "0", "0s", "6:30", "24:00", "06:60", "2026-11-22", "2026-02-30T00:00:00Z",
                          "2026-11-22T06:00:00", "2026-11-22T06:00:00+1:00", "2026-11-22T06:00:00.Z", "tomorrow"}) {
    CAPTURE(bad);
    const Result<Deadline> parsed = parse_deadline(bad, now);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().fault == Fault::Usage);
  }
}

TEST_CASE("a local time is the next one, also where clocks change") {
  struct Case {
    const char* name;
    const char* zone;
    const char* now;
    const char* text;
    const char* expected;
  };
  const std::vector<Case> cases = {
      {"later today", "UTC", "2026-11-21T12:00:00Z", "18:30", "2026-11-21T18:30:00Z"},
      {"tomorrow", "UTC", "2026-11-21T12:00:00Z", "06:30", "2026-11-22T06:30:00Z"},
      {"this very minute is over", "UTC", "2026-11-21T12:00:00Z", "12:00", "2026-11-22T12:00:00Z"},
      {"local, not UTC", "Europe/Paris", "2026-11-21T12:00:00Z", "13:30", "2026-11-21T12:30:00Z"},
      {"the local day has begun", "Europe/Paris", "2026-11-21T23:30:00Z", "06:00", "2026-11-22T05:00:00Z"},
      {"end of a year", "Europe/Paris", "2026-12-31T22:00:00Z", "06:00", "2027-01-01T05:00:00Z"},
      {"over the spring change", "Europe/Paris", "2026-03-28T22:00:00Z", "06:00", "2026-03-29T04:00:00Z"},
      {"over the autumn change", "Europe/Paris", "2026-10-24T22:00:00Z", "06:00", "2026-10-25T05:00:00Z"},
      {"a time the spring change skips", "Europe/Paris", "2026-03-28T22:00:00Z", "02:30", "2026-03-29T01:30:00Z"},
      {"the first of two", "Europe/Paris", "2026-10-24T22:00:00Z", "02:30", "2026-10-25T00:30:00Z"},
      {"the second of two", "Europe/Paris", "2026-10-25T00:45:00Z", "02:30", "2026-10-25T01:30:00Z"},
      {"after both", "Europe/Paris", "2026-10-25T01:45:00Z", "02:30", "2026-10-26T01:30:00Z"},
      {"south", "Australia/Sydney", "2026-10-03T12:00:00Z", "06:00", "2026-10-03T19:00:00Z"},
      {"half hours", "Asia/Kolkata", "2026-11-21T12:00:00Z", "18:00", "2026-11-21T12:30:00Z"}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const ScopedEnv zone("TZ", c.zone);
    tzset();
    const Result<Deadline> parsed = parse_deadline(c.text, utc(c.now));
    REQUIRE(parsed);
    REQUIRE(parsed->at);
    CHECK((*parsed->at - utc(c.expected)).count() == 0);
  }
  tzset();
}

TEST_CASE("whole numbers are digits in a range") {
  CHECK(*parse_whole("0", 0, 10) == 0);
  CHECK(*parse_whole("10", 0, 10) == 10);
  CHECK(parse_whole("11", 0, 10).error().message == "'11' is no whole number from 0 to 10");
  CHECK(parse_whole("x", 1, 2'000'000'000).error().message == "'x' is no whole number from 1 up");
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.0", "1e1", "0x1", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_whole(bad, 0, 2'000'000'000));
  }
}

}  // namespace reelbatch
