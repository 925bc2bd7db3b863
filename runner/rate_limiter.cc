#include "runner/rate_limiter.h"

#include <algorithm>

#include "runner/check.h"

namespace reelbatch {
namespace {

constexpr Instant kLongAgo = Instant::min();
// A span of W that starts exactly at a send must not hold the one that follows N later.
constexpr Duration kStrictly{1};

}  // namespace

RateLimiter::RateLimiter(std::span<const RateWindow> windows) {
  for (const RateWindow& window : windows) {
    CHECK(window.limit > 0 && window.width > Duration::zero());
    windows_.push_back({window.width, std::vector<Instant>(static_cast<std::size_t>(window.limit), kLongAgo), 0});
  }
}

Instant RateLimiter::next_free() const {
  Instant free = kLongAgo;
  for (const Window& window : windows_) {
    const std::size_t limit = window.ring.size();
    if (taken_ >= limit) return kNever;
    // With `taken_` requests still to be counted, the one that many places after the oldest has to leave first.
    const Instant blocking = window.ring[(window.head + taken_) % limit];
    if (blocking != kLongAgo) free = std::max(free, blocking + window.width + kStrictly);
  }
  return free;
}

void RateLimiter::take() {
  ++taken_;
}

void RateLimiter::sent(Instant at) {
  CHECK(taken_ > 0);
  --taken_;
  log(at);
}

void RateLimiter::give_back() {
  CHECK(taken_ > 0);
  --taken_;
}

void RateLimiter::sent_again(Instant at) {
  log(at);
}
void RateLimiter::remember(Instant at) {
  log(at);
}

void RateLimiter::log(Instant at) {
  for (Window& window : windows_) {
    const std::size_t limit = window.ring.size();
    // A send older than all of a full ring changes nothing: N newer ones are there.
    if (at < window.ring[window.head]) continue;
    const auto place = [&](std::size_t age) -> Instant& { return window.ring[(window.head + age) % limit]; };
    window.head = (window.head + 1) % limit;
    // The oldest makes room. Reports of one turn may come out of order, and the ring stays sorted.
    std::size_t age = limit - 1;
    for (; age > 0 && place(age - 1) > at; --age) place(age) = place(age - 1);
    place(age) = at;
  }
}

void RateLimiter::assume_full(Instant now, Duration longest) {
  for (Window& window : windows_) {
    if (window.width <= longest) std::fill(window.ring.begin(), window.ring.end(), now);
  }
}

std::vector<Instant> RateLimiter::recent(Instant now) const {
  std::vector<Instant> sends;
  if (windows_.empty()) return sends;
  // Every window logs every send, so the one that holds the most holds what any other does.
  const Window& most = *std::max_element(
      windows_.begin(), windows_.end(), [](const Window& a, const Window& b) { return a.ring.size() < b.ring.size(); });
  for (std::size_t age = 0; age < most.ring.size(); ++age) {
    const Instant at = most.ring[(most.head + age) % most.ring.size()];
    if (at != kLongAgo && at + longest() > now) sends.push_back(at);
  }
  return sends;
}

Duration RateLimiter::longest() const {
  Duration longest{};
  for (const Window& window : windows_) longest = std::max(longest, window.width);
  return longest;
}

}  // namespace reelbatch
