// A service's own rate limit, the strict reading of "N requests in any W": a log of the last N admissions.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace reelbatch {

class RequestMeter {
 public:
  /// At most `limit` (at least 1) admissions in any span of `width_us` (more than 0).
  RequestMeter(int limit, std::int64_t width_us) : limit_(limit), width_us_(width_us) {}

  /// How long until a request would be admitted; 0 is now. `now_us` never goes back.
  std::int64_t wait_us(std::int64_t now_us) const {
    if (admitted_us_.size() < static_cast<std::size_t>(limit_)) return 0;
    const std::int64_t free_us = admitted_us_.front() + width_us_;
    return free_us > now_us ? free_us - now_us : 0;
  }

  /// Counts a request, to be called only when wait_us() is 0: a refused request takes no slot.
  void admit(std::int64_t now_us) {
    admitted_us_.push_back(now_us);
    if (admitted_us_.size() > static_cast<std::size_t>(limit_)) admitted_us_.pop_front();
  }

 private:
  int limit_;
  std::int64_t width_us_;
  std::deque<std::int64_t> admitted_us_;  ///< the last `limit_`, oldest first
};

}  // namespace reelbatch
