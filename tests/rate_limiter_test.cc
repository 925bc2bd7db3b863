#include "runner/rate_limiter.h"

#include <doctest/doctest.h>

#include <deque>
#include <random>

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

Instant at(Duration since_start) {
  return Instant(since_start);
}

/// The most sends found in any half-open span of `width`.
int busiest_span(const std::vector<Instant>& sends, Duration width) {
  int most = 0;
  for (std::size_t first = 0, last = 0; last < sends.size(); ++last) {
    while (sends[last] - sends[first] > width) ++first;  // closed spans: stricter than the promise
    most = std::max(most, static_cast<int>(last - first + 1));
  }
  return most;
}

}  // namespace

TEST_CASE("limiter: N at once, the next exactly one window later") {
  const std::vector<RateWindow> windows = {{3, 1s}};
  RateLimiter limiter(windows);
  for (int i = 0; i < 3; ++i) {
    CHECK(limiter.next_free() <= at(0s));
    limiter.take();
    limiter.sent(at(0s));
  }
  CHECK(limiter.next_free() == at(1s) + 1ns);
}

TEST_CASE("limiter: a taken slot blocks until it is reported, and is free again if nothing left") {
  const std::vector<RateWindow> windows = {{1, 1s}};
  RateLimiter limiter(windows);
  limiter.take();
  CHECK(limiter.next_free() == kNever);
  limiter.give_back();
  CHECK(limiter.next_free() <= at(0s));
  limiter.take();
  limiter.sent(at(5s));
  CHECK(limiter.next_free() == at(6s) + 1ns);
}

TEST_CASE("limiter: every window holds, and no slot is wasted while work is ready") {
  const std::vector<RateWindow> windows = {{10, 1s}, {60, 10s}};
  RateLimiter limiter(windows);
  std::vector<Instant> sends;
  Instant now = at(0s);
  while (now < at(60s)) {
    const Instant free = limiter.next_free();
    REQUIRE(free != kNever);
    now = std::max(now, free);
    limiter.take();
    limiter.sent(now);
    sends.push_back(now);
  }
  CHECK(busiest_span(sends, 1s) == 10);
  CHECK(busiest_span(sends, 10s) == 60);
  // 60 in each of six spans, and the one that ended the loop.
  CHECK(sends.size() == 361);
}

TEST_CASE("limiter: exact with slow connections, restarts on another connection and reports out of order") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 rng(seed);
    const auto draw = [&](long most) { return static_cast<long>(rng() % static_cast<std::uint64_t>(most + 1)); };
    const std::vector<RateWindow> windows = {{static_cast<int>(1 + draw(5)), 1s}, {static_cast<int>(4 + draw(9)), 3s}};
    RateLimiter limiter(windows);
    std::vector<Instant> sends;
    std::deque<std::pair<Instant, bool>> open;  // when reported, and whether it left
    Instant now = at(0s);
    for (int step = 0; step < 400; ++step) {
      if (limiter.next_free() <= now) {
        limiter.take();
        open.emplace_back(now + std::chrono::milliseconds(draw(400)), draw(9) > 0);
      }
      now += std::chrono::milliseconds(draw(60));
      std::shuffle(open.begin(), open.end(), rng);
      while (!open.empty() && open.front().first <= now) {
        if (open.front().second) {
          limiter.sent(open.front().first);
          sends.push_back(open.front().first);
        } else {
          limiter.give_back();
        }
        open.pop_front();
      }
    }
    std::sort(sends.begin(), sends.end());
    INFO("seed " << seed);
    for (const RateWindow& window : windows) CHECK(busiest_span(sends, window.width) <= window.limit);
  }
}

TEST_CASE("limiter: remembers the sends of an earlier run") {
  const std::vector<RateWindow> windows = {{2, 10s}};
  RateLimiter before(windows);
  for (const Duration when : {1s, 4s}) {
    before.take();
    before.sent(at(when));
  }
  const std::vector<Instant> kept = before.recent(at(5s));
  REQUIRE(kept == std::vector{at(1s), at(4s)});
  CHECK(before.recent(at(12s)) == std::vector{at(4s)});

  RateLimiter after(windows);
  for (const Instant send : kept) after.remember(send);
  CHECK(after.next_free() == at(11s) + 1ns);
}

TEST_CASE("limiter: after an unclean end short windows start full, long ones do not") {
  const std::vector<RateWindow> windows = {{5, 1min}, {100, 1h}};
  RateLimiter limiter(windows);
  limiter.assume_full(at(0s), 1min);
  CHECK(limiter.next_free() == at(1min) + 1ns);
}

TEST_CASE("limiter: without windows everything may go") {
  RateLimiter limiter(std::span<const RateWindow>{});
  CHECK(limiter.next_free() <= at(0s));
}
