#include "runner/unshown_charges.h"

#include <limits>

namespace reelbatch {

void UnshownCharges::found(std::int64_t job, Credits reserved) {
  take(job);
  open_[job] = reserved;
  reserved_ = reserved_ + reserved;
}

void UnshownCharges::found_ended(Credits cost, Instant at) {
  if (cost.milli <= 0) return;
  const Instant minute = std::chrono::ceil<std::chrono::minutes>(at);
  if (ended_.empty() || ended_.back().at < minute) ended_.push_back({minute, {}});
  ended_.back().cost = ended_.back().cost + cost;
  ended_sum_ = ended_sum_ + cost;
}

void UnshownCharges::reserve(std::int64_t job, Credits price) {
  found(job, price);
  sum_ = sum_ + price;
}

/// Ends a reservation and gives what it was.
Credits UnshownCharges::take(std::int64_t job) {
  const auto found = open_.find(job);
  if (found == open_.end()) return {};
  const Credits reserved = found->second;
  open_.erase(found);
  reserved_ = reserved_ - reserved;
  return reserved;
}

void UnshownCharges::release(std::int64_t job) {
  sum_ = sum_ - take(job);
  settle();
}

void UnshownCharges::settle() {
  sum_ = std::clamp(sum_, Credits{}, bound());
  if (open_.empty()) beyond_ = {};
}

void UnshownCharges::end(std::int64_t job, Cost how, Credits cost, Instant at) {
  const Credits reserved = take(job);
  if (how == Cost::Reserved) cost = reserved;
  if (cost > reserved) {
    const Credits charged = std::min(cost - reserved, beyond_);
    beyond_ = beyond_ - charged;
    sum_ = sum_ + cost - reserved - charged;
  } else if (how == Cost::Known) {
    sum_ = sum_ + cost - reserved;
  }
  found_ended(cost, at);
  settle();
}

void UnshownCharges::see(const std::optional<Credits>& before, Credits now, Instant sent_at) {
  if (!before) {
    sum_ = {};
    beyond_ = Credits::whole(std::numeric_limits<std::int32_t>::max());
  } else if (now > *before) {
    risen_ = risen_ + now - *before;
  } else {
    const Credits fall = *before - now;
    const Credits again = std::min(fall, risen_);
    risen_ = risen_ - again;
    sum_ = sum_ - fall + again;
    if (sum_ < Credits{}) beyond_ = beyond_ - sum_;
  }
  while (!ended_.empty() && ended_.front().at + kShownWithin <= sent_at) {
    ended_sum_ = ended_sum_ - ended_.front().cost;
    ended_.pop_front();
  }
  settle();
}

}  // namespace reelbatch
