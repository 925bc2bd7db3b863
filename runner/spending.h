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

/// Limits on what some jobs may cost, each with what it counts: `spent_before`, and every job that is reserved after
/// the limit was set. Pure; knows no time: who owns it sets the caps of a day or a month anew when that begins. A job
/// that was open then stays with the cap before it.
class Spending {
 public:
  struct Cap {
    std::string name;  ///< for people: `--max-credits 200`; one cap a name
    Credits limit;
    Credits spent_before;  ///< by all that was reserved before the cap is set, open jobs at what they reserve
  };

  /// Adds a cap, or puts it in the place of the one of that name.
  void set_cap(Cap cap);
  bool unlimited() const { return caps_.empty(); }

  /// The first cap that another `price` would pass, in words; empty if it fits all.
  std::string passed_by(Credits price) const;

  /// The price is unknown while a budget exists: only one job at a time may be open, so that it becomes known.
  bool has_open() const { return !open_.empty(); }

  /// price  nothing while it is unknown.
  void reserve(std::int64_t job, std::optional<Credits> price);
  /// The submission was not taken: nothing is spent.
  void release(std::int64_t job);
  /// The job ended, or it is held and may never be settled. An unknown cost counts as what was reserved, or, when that
  /// is unknown too, as the price of the next job asked about.
  void settle(std::int64_t job, std::optional<Credits> cost);

  std::optional<Credits> reserved_for(std::int64_t job) const;
  /// By all open jobs.
  Credits reserved() const { return reserved_; }

 private:
  struct Reservation {
    std::optional<Credits> price;
    std::uint64_t number = 0;  ///< in the order of reserving
  };
  struct Counter {
    Cap cap;
    std::uint64_t from = 0;  ///< the first reservation that it counts
    Credits spent, reserved;
    std::int64_t unpriced = 0;  ///< jobs that ended without a known cost or reservation
  };
  Reservation take(std::int64_t job);

  std::vector<Counter> caps_;
  std::unordered_map<std::int64_t, Reservation> open_;
  Credits reserved_;
  std::uint64_t reservations_ = 0;
};

}  // namespace reelbatch
