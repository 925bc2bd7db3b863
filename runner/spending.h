// What may still be spent: a limit and not a hope, because every submission reserves its price before it is sent
// (PRODUCT.md 4.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "jobs/credits.h"

namespace reelbatch {

/// One limit with what it counts. Pure; knows no time: who owns it renews the caps when a day or a month begins.
class Spending {
 public:
  struct Cap {
    std::string name;  ///< for people: `--max-credits 200`
    Credits limit;
    Credits spent_before;  ///< by others than the jobs of this budget
  };

  void set_caps(std::vector<Cap> caps) { caps_ = std::move(caps); }
  bool unlimited() const { return caps_.empty(); }

  /// The first cap that another `price` would pass, in words; empty if it fits all.
  std::string passed_by(Credits price) const;

  /// The price is unknown while a budget exists: only one job at a time may be open, so that it becomes known.
  bool has_open() const { return !reserved_.empty(); }

  /// price  nothing while it is unknown.
  void reserve(std::int64_t job, std::optional<Credits> price);
  /// The submission was not taken: nothing is spent.
  void release(std::int64_t job);
  /// The job ended, or it is held and may never be settled. An unknown cost counts as what was reserved, or, when that
  /// is unknown too, as the price of the next job asked about.
  void settle(std::int64_t job, std::optional<Credits> cost);

  std::optional<Credits> reserved_for(std::int64_t job) const;
  Credits spent() const { return spent_; }
  Credits reserved() const { return reserved_sum_; }

 private:
  std::vector<Cap> caps_;
  std::unordered_map<std::int64_t, std::optional<Credits>> reserved_;
  Credits reserved_sum_;
  Credits spent_;
  std::int64_t unpriced_ = 0;  ///< jobs that ended without a known cost or reservation
};

}  // namespace reelbatch
