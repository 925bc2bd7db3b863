// What jobs cost that the balance of their account does not show yet. Services charge late and in steps (PROVIDERS.md
// 2.8), so a balance may stand higher than it is going to: what is kept of it is held against both. Pure; told the
// time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "jobs/credits.h"
#include "runner/clock.h"

namespace reelbatch {

/// A sum with two rules. A job adds what it reserves, corrected to what it cost as soon as that is known; a fall of the
/// balance takes off as much, whoever made it. And it is never more than what open jobs reserve and those cost that
/// ended within the last hour before the balance was asked for: what has not shown by then never will.
///
/// What the balance rose by is not taken for a charge when it falls again: it may have been a refund. Nor does a job
/// that failed and cost less than it reserved make room for others before its hour is over: it may have been charged
/// and get that back.
class UnshownCharges {
 public:
  /// How long after a job's end a balance may not show all of what it cost. No vendor gives a time; minutes were seen.
  static constexpr Duration kShownWithin = std::chrono::hours(1);

  // What earlier processes left, before anything else.
  void start(Credits sum) { sum_ = sum; }
  /// A job that may be charged yet, in flight or in doubt.
  void found(std::int64_t job, Credits reserved);
  /// A job that ended; oldest first.
  void found_ended(Credits cost, Instant at);

  void reserve(std::int64_t job, Credits price);
  /// It was not taken, and is not charged.
  void release(std::int64_t job);
  enum class Cost {
    Known,     ///< all of what it is charged
    AtMost,    ///< less than it may have been charged for a while
    Reserved,  ///< unknown: what it reserved
  };
  void end(std::int64_t job, Cost how, Credits cost, Instant at);
  /// The balance was told, by an answer to a request of that time.
  ///
  /// before  what it was; nothing the first time, when all that could be charged so far is taken to be in it.
  void see(const std::optional<Credits>& before, Credits now, Instant sent_at);

  Credits sum() const { return std::min(sum_, bound()); }
  /// By jobs that are open or in doubt.
  Credits reserved() const { return reserved_; }

 private:
  struct Ended {
    Instant at;  ///< the last of them had ended by then
    Credits cost;
  };
  Credits bound() const { return reserved_ + ended_sum_; }
  void settle();
  Credits take(std::int64_t job);

  std::unordered_map<std::int64_t, Credits> open_;
  Credits reserved_;
  std::deque<Ended> ended_;  ///< those of a minute together
  Credits ended_sum_;
  Credits sum_;
  Credits risen_;   ///< what the balance rose by and has not fallen by again
  Credits beyond_;  ///< what it fell by beyond the sum since some job is open, which may cost more than it reserved
};

}  // namespace reelbatch
