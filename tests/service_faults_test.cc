#include "jobs/service_faults.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "jobs/request_meter.h"

namespace reelbatch {
namespace {

FaultOptions faults(std::string_view text) {
  FaultOptions options;
  const auto added = add_faults(text, options);
  REQUIRE_MESSAGE(added, (added ? "" : added.error().message));
  return options;
}

std::map<std::string, int> count(const FaultOptions& options, std::string_view method, int times) {
  SeededRandom random(42);
  std::map<std::string, int> counts;
  for (int i = 0; i < times; ++i) ++counts[std::string(decide_fault(options, method, 0, random).name)];
  return counts;
}

}  // namespace

TEST_CASE("every fault happens about as often as asked, for its methods only") {
  const char* names[] = {"429",         "429-date",   "429-bare", "500-before", "500-after", "503",
                         "lost-before", "lost-after", "slow",     "cut",        "html"};
  constexpr int kTimes = 20'000;
  for (const char* name : names) {
    CAPTURE(std::string(name));
    auto posts = count(faults(fmt::format("post:{}=0.1", name)), "POST", kTimes);
    CHECK(posts[name] > kTimes * 0.09);
    CHECK(posts[name] < kTimes * 0.11);
    CHECK(count(faults(fmt::format("post:{}=0.1", name)), "GET", kTimes)[name] == 0);
    CHECK(count(faults(fmt::format("get:{}=0.1", name)), "GET", kTimes)[name] > kTimes * 0.09);
    CHECK(count(faults(fmt::format("get:{}=0.1", name)), "POST", kTimes)[name] == 0);
    CHECK(count(faults(fmt::format("{}=1", name)), "DELETE", kTimes)[name] == 0);
    CHECK(count(faults(fmt::format("{}=1", name)), "GET", 100)[name] == 100);
    CHECK(count(faults(fmt::format("{}=0", name)), "GET", 100)[name] == 0);
  }
  auto mixed = count(faults("post:500-after=0.3,slow@1s=0.2,get:html=0.5"), "POST", kTimes);
  CHECK(mixed["500-after"] > kTimes * 0.28);
  CHECK(mixed["slow"] > kTimes * 0.18);
  CHECK(mixed["html"] == 0);
  CHECK(mixed[""] > kTimes * 0.48);
}

TEST_CASE("what a fault does") {
  struct Case {
    const char* fault;
    bool handled, answered;
    int status;
    const char* retry_after;
    std::int64_t delay_ms;
    const char* body;
  };
  const ServiceReply real{201, "application/json", R"({"id":"0123456789"})", {}};
  const Case cases[] = {
      {"429", false, true, 429, "5", 0, R"({"error":"Too many requests"})"},
      {"429@1200ms", false, true, 429, "2", 0, R"({"error":"Too many requests"})"},
      {"429-date@3s", false, true, 429, "Sun, 06 Nov 1994 08:49:41 GMT", 0, R"({"error":"Too many requests"})"},
      {"429-bare", false, true, 429, "", 0, R"({"error":"Too many requests"})"},
      {"500-before", false, true, 500, "", 0, R"({"error":"Internal server error"})"},
      {"500-after", true, true, 500, "", 0, R"({"error":"Internal server error"})"},
      {"503", false, true, 503, "", 0, R"({"error":"Service unavailable"})"},
      {"503@1m", false, true, 503, "60", 0, R"({"error":"Service unavailable"})"},
      {"lost-before", false, false, 201, "", 0, nullptr},
      {"lost-after", true, false, 201, "", 0, nullptr},
      {"slow", true, true, 201, "", 5'000, R"({"id":"0123456789"})"},
      {"slow@200ms", true, true, 201, "", 200, R"({"id":"0123456789"})"},
      {"cut", true, true, 201, "", 0, R"({"id":"01)"},
      {"html", true, true, 200, "", 0, "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.fault));
    SeededRandom random(1);
    const FaultAction action = decide_fault(faults(fmt::format("{}=1", one.fault)), "POST", 0, random);
    CHECK(action.handled == one.handled);
    CHECK(action.answered == one.answered);
    CHECK(action.delay_ms == one.delay_ms);
    if (!one.body) continue;
    const ServiceReply reply = faulty_reply(action, real, 784111777);
    CHECK(reply.status == one.status);
    CHECK(reply.body == one.body);
    const bool has_retry_after = !reply.headers.empty();
    CHECK((has_retry_after ? reply.headers[0].second : "") == one.retry_after);
    if (has_retry_after) CHECK(reply.headers[0].first == "Retry-After");
  }
}

TEST_CASE("without faults nothing happens") {
  SeededRandom random(1);
  const FaultAction action = decide_fault({}, "POST", 0, random);
  CHECK(action.handled);
  CHECK(action.answered);
  CHECK(action.name.empty());
  CHECK(faulty_reply(action, {201, "application/json", "{}", {}}, 0).body == "{}");
}

TEST_CASE("an outage closes everything from its beginning to its end") {
  const FaultOptions options = faults("outage@10s+30s,outage@2m+500ms");
  SeededRandom random(1);
  for (const auto& [at_ms, down] : {std::pair{0, false},
                                    {9'999, false},
                                    {10'000, true},
                                    {39'999, true},
                                    {40'000, false},
                                    {120'000, true},
                                    {120'500, false}}) {
    CAPTURE(at_ms);
    CHECK(in_outage(options, at_ms) == down);
    for (const char* method : {"POST", "GET", "DELETE"}) {
      const FaultAction action = decide_fault(options, method, at_ms, random);
      CHECK(action.answered == !down);
      CHECK(action.handled == !down);
    }
  }
}

TEST_CASE("another fault does not move the draws") {
  const auto hits = [](std::string_view text, bool outage) {
    SeededRandom random(5);
    std::string marks;
    const FaultOptions options = faults(text);
    for (int i = 0; i < 200; ++i) {
      const FaultAction action = decide_fault(options, i % 2 ? "GET" : "POST", outage && i < 100 ? 1'000 : 0, random);
      if (i >= 100) marks += action.name == "cut" ? 'x' : '.';
    }
    return marks;
  };
  const std::string alone = hits("cut=0.2", false);
  CHECK(alone.find('x') != std::string::npos);
  CHECK(hits("cut=0.2,html=0.3", false) == alone);
  CHECK(hits("cut=0.2,outage@1s+1s", true) == alone);
}

TEST_CASE("faults that cannot be read are named, and change nothing") {
  struct Case {
    const char* text;
    const char* part;
    const char* why;
  };
  const Case cases[] = {
      {"", "''", "needs a rate"},
      {"cut", "'cut'", "needs a rate"},
      {"cut=", "'cut='", "from 0 to 1"},
      {"cut=1.1", "'cut=1.1'", "from 0 to 1"},
      {"cut=-0.1", "'cut=-0.1'", "from 0 to 1"},
      {"cut=nan", "'cut=nan'", "from 0 to 1"},
      {"cut=0.1x", "'cut=0.1x'", "from 0 to 1"},
      {"cut=0.1,", "''", "needs a rate"},
      {"cutt=0.1", "'cutt=0.1'", "no such fault; there are 429"},
      {"put:cut=0.1", "'put:cut=0.1'", "no such fault"},
      {"get:post:cut=0.1", "'get:post:cut=0.1'", "no such fault"},
      {"cut@1s=0.1", "'cut@1s=0.1'", "takes no duration"},
      {"slow@1=0.1", "'slow@1=0.1'", "the duration"},
      {"slow@-1s=0.1", "'slow@-1s=0.1'", "the duration"},
      {"slow@99999999999h=0.1", "'slow@99999999999h=0.1'", "the duration"},
      {"slow=0.1,post:html=0.5,cut=0.5", "'cut=0.5'", "post add up"},
      {"outage@1s", "'outage@1s'", "like outage@10s+30s"},
      {"outage@+1s", "'outage@+1s'", "like outage@10s+30s"},
      {"outage@1s+x", "'outage@1s+x'", "like outage@10s+30s"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.text));
    FaultOptions options = faults("html=0.1");
    const auto added = add_faults(one.text, options);
    REQUIRE_FALSE(added);
    CHECK(added.error().fault == Fault::Usage);
    CHECK_MESSAGE(added.error().message.find(one.part) != std::string::npos, added.error().message);
    CHECK_MESSAGE(added.error().message.find(one.why) != std::string::npos, added.error().message);
    CHECK(options.rules.size() == 1);
    CHECK(options.outages.empty());
  }
}

TEST_CASE("rates may add up to exactly 1") {
  CHECK(faults("429=0.1,503=0.2,cut=0.3,html=0.4").rules.size() == 4);
  CHECK(faults("post:cut=1,get:cut=1").rules.size() == 2);
}

TEST_CASE("the meter admits no more than its limit in any window") {
  RequestMeter meter(3, 1'000);
  SeededRandom random(3);
  std::vector<std::int64_t> admitted;
  for (std::int64_t now_us = 0; now_us < 50'000; now_us += static_cast<std::int64_t>(random.below(200))) {
    const std::int64_t wait_us = meter.wait_us(now_us);
    if (wait_us == 0) {
      meter.admit(now_us);
      admitted.push_back(now_us);
    } else {
      CHECK(admitted[admitted.size() - 3] + 1'000 == now_us + wait_us);
    }
  }
  for (std::size_t i = 3; i < admitted.size(); ++i) CHECK(admitted[i] - admitted[i - 3] >= 1'000);
  CHECK(admitted.size() > 100);
}

}  // namespace reelbatch
