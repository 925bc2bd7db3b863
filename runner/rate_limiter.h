// At most N requests in any span of W, exactly, for several N/W at once. Told the time, never asks it.
//
// A log of the last sends and not a bucket: a bucket that starts full allows 2N in one window, one that starts empty
// wastes slots; only the log is both legal and fastest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runner/clock.h"
#include "runner/options.h"

namespace reelbatch {

/// One account's limits. A slot is taken when a request starts, because its moment on the wire is not known yet; it
/// blocks the windows until the connection is reported ready, and counts for W from then on. A request that never left
/// gives it back.
///
/// Why that is exact: take any span of W and the request in it that took its slot last. Every other one in the span was
/// at that moment either open, or sent less than W ago, so it was counted, and they were fewer than N.
class RateLimiter {
 public:
  explicit RateLimiter(std::span<const RateWindow> windows);

  /// When the next slot is free if nothing else happens: `now` or earlier means at once, kNever while only the report
  /// of an open request can free one.
  Instant next_free() const;

  /// Takes a slot. Requires next_free() <= now.
  void take();
  /// A taken slot's request leaves at `at`.
  void sent(Instant at);
  /// A taken slot's request ended without having left.
  void give_back();
  /// A request that was reported as sent already leaves once more, on another connection: it counts again.
  void sent_again(Instant at);

  /// A send of an earlier run, `at` possibly before the clock's origin.
  void remember(Instant at);
  /// As if every window of at most `longest` had been filled at `now`: for the run after one that did not end cleanly.
  void assume_full(Instant now, Duration longest);

  /// Sends that the longest window still counts, oldest first: what a clean end stores.
  std::vector<Instant> recent(Instant now) const;
  /// The longest window; zero without windows.
  Duration longest() const;

 private:
  /// The last `limit` sends, sorted: the next may go when the oldest that matters has left the window.
  struct Window {
    Duration width;
    std::vector<Instant> ring;
    std::size_t head = 0;  ///< where the next goes; the oldest stands there
  };
  void log(Instant at);

  std::vector<Window> windows_;
  std::size_t taken_ = 0;  ///< slots whose request has not been reported yet
};

}  // namespace reelbatch
