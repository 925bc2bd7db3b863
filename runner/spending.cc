#include "runner/spending.h"

#include <fmt/format.h>

namespace reelbatch {

std::string Spending::passed_by(Credits price) const {
  for (const Cap& cap : caps_) {
    const Credits counted = cap.spent_before + spent_ + reserved_sum_;
    if (counted + price > cap.limit || counted == cap.limit) {
      return fmt::format("{} of {} credits is reached: {} are spent or reserved", cap.name, to_text(cap.limit),
                         to_text(counted));
    }
  }
  return {};
}

void Spending::reserve(std::int64_t job, Credits price) {
  reserved_[job] = price;
  reserved_sum_ = reserved_sum_ + price;
}

std::optional<Credits> Spending::reserved_for(std::int64_t job) const {
  const auto found = reserved_.find(job);
  if (found == reserved_.end()) return std::nullopt;
  return found->second;
}

void Spending::release(std::int64_t job) {
  const auto found = reserved_.find(job);
  if (found == reserved_.end()) return;
  reserved_sum_ = reserved_sum_ - found->second;
  reserved_.erase(found);
}

void Spending::settle(std::int64_t job, std::optional<Credits> cost) {
  const auto found = reserved_.find(job);
  if (found == reserved_.end()) return;
  spent_ = spent_ + cost.value_or(found->second);
  release(job);
}

}  // namespace reelbatch
