#include "runner/spending.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {

void Spending::set_cap(Cap cap) {
  Counter counter;
  counter.cap = std::move(cap);
  counter.from = reservations_ + 1;
  const auto same = std::find_if(caps_.begin(), caps_.end(),
                                 [&](const Counter& other) { return other.cap.name == counter.cap.name; });
  if (same == caps_.end()) {
    caps_.push_back(std::move(counter));
  } else {
    *same = std::move(counter);
  }
}

std::string Spending::passed_by(Credits price) const {
  for (const Counter& counter : caps_) {
    const Cap& cap = counter.cap;
    const Credits unpriced{price.milli * counter.unpriced};
    const Credits counted = cap.spent_before + counter.spent + counter.reserved + unpriced;
    if (counted + price > cap.limit || counted >= cap.limit) {
      return fmt::format("{} of {} credits is reached: {} are spent or reserved, the next job may cost {}", cap.name,
                         to_text(cap.limit), to_text(counted),
                         price == Credits{} ? "an unknown price" : to_text(price));
    }
  }
  return {};
}

void Spending::reserve(std::int64_t job, std::optional<Credits> price) {
  open_[job] = {price, ++reservations_};
  const Credits reserved = price.value_or(Credits{});
  reserved_ = reserved_ + reserved;
  for (Counter& counter : caps_) counter.reserved = counter.reserved + reserved;
}

std::optional<Credits> Spending::reserved_for(std::int64_t job) const {
  const auto found = open_.find(job);
  return found == open_.end() ? std::nullopt : found->second.price;
}

/// Ends a reservation; its number is 0 if there is none.
Spending::Reservation Spending::take(std::int64_t job) {
  const auto found = open_.find(job);
  if (found == open_.end()) return {};
  const Reservation taken = found->second;
  open_.erase(found);
  const Credits reserved = taken.price.value_or(Credits{});
  reserved_ = reserved_ - reserved;
  for (Counter& counter : caps_) {
    if (taken.number >= counter.from) counter.reserved = counter.reserved - reserved;
  }
  return taken;
}

void Spending::release(std::int64_t job) {
  take(job);
}

void Spending::settle(std::int64_t job, std::optional<Credits> cost) {
  const Reservation taken = take(job);
  const std::optional<Credits> known = cost ? cost : taken.price;
  for (Counter& counter : caps_) {
    if (taken.number == 0 || taken.number < counter.from) continue;
    if (known) {
      counter.spent = counter.spent + *known;
    } else {
      ++counter.unpriced;
    }
  }
}

}  // namespace reelbatch
