// Two kinds of time. An Instant is for waiting and never jumps; a WallTime is for the record and for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace reelbatch {

using Duration = std::chrono::nanoseconds;

/// Monotonic. Stops while the machine sleeps (CLOCK_MONOTONIC), so that waking up causes no burst.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;
inline constexpr Instant kNever = Instant::max();

/// Milliseconds since 1970 in UTC. May step either way between two readings.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
  /// The same as long as instants count from the same beginning, also in other processes; 0: not known.
  virtual std::int64_t boot() const { return 0; }
};

/// The real one.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
  std::int64_t boot() const override;
};

/// Midnight, and the first midnight of the month, before `time` in the local time zone.
WallTime start_of_day(WallTime time);
WallTime start_of_month(WallTime time);

/// `2026-11-21T18:31:22Z`, UTC, whole seconds; `.250` is added when there are milliseconds and `fraction` asks.
std::string to_rfc3339(WallTime time, bool fraction = false);

}  // namespace reelbatch
