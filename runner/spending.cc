#include "runner/spending.h"

#include <fmt/format.h>

namespace reelbatch {

std::string Spending::passed_by(Credits price) const {
  const Credits unpriced{price.milli * unpriced_};
  for (const Cap& cap : caps_) {
    const Credits counted = cap.spent_before + spent_ + reserved_sum_ + unpriced;
    if (counted + price > cap.limit || counted >= cap.limit) {
      return fmt::format("{} of {} credits is reached: {} are spent or reserved, the next job may cost {}", cap.name,
                         to_text(cap.limit), to_text(counted),
                         price == Credits{} ? "an unknown price" : to_text(price));
    }
  }
  return {};
}

void Spending::reserve(std::int64_t job, std::optional<Credits> price) {
  reserved_[job] = price;
  reserved_sum_ = reserved_sum_ + price.value_or(Credits{});
}

std::optional<Credits> Spending::reserved_for(std::int64_t job) const {
  const auto found = reserved_.find(job);
  return found == reserved_.end() ? std::nullopt : found->second;
}

void Spending::release(std::int64_t job) {
  const auto found = reserved_.find(job);
  if (found == reserved_.end()) return;
  reserved_sum_ = reserved_sum_ - found->second.value_or(Credits{});
  reserved_.erase(found);
}

void Spending::settle(std::int64_t job, std::optional<Credits> cost) {
  const auto found = reserved_.find(job);
  if (found == reserved_.end()) return;
  const std::optional<Credits> known = cost ? cost : found->second;
  if (known) {
    spent_ = spent_ + *known;
  } else {
    ++unpriced_;
  }
  release(job);
}

}  // namespace reelbatch
