// Told what happens in a run, never asked: output styles need no `if` in the loop.
#pragma once

#include <cstdint>
#include <string_view>

#include "runner/clock.h"

namespace reelbatch {

/// Jobs of this run and those found in flight, each in one place.
struct ProgressCounts {
  std::int64_t planned = 0;    ///< not accepted yet
  std::int64_t in_flight = 0;  ///< accepted, not finished
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t held = 0;
  std::int64_t timed_out = 0;
  std::int64_t requests = 0;
  bool operator==(const ProgressCounts&) const = default;
};

class Progress {
 public:
  virtual ~Progress() = default;
  /// After every turn in which something changed, and at least every few seconds.
  virtual void update(const ProgressCounts& counts, Instant now) = 0;
  /// Something an operator should know now: a service that does not answer, an account that stops.
  virtual void warn(std::string_view text) = 0;
  /// One step of one job, for a detailed log.
  virtual void detail(std::string_view text) = 0;
  /// A line that must reach the operator even if nothing else can be written any more.
  virtual void alarm(std::string_view text) = 0;
};

}  // namespace reelbatch
