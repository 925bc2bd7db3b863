// What may still be spent: a limit and not a hope, because every submission reserves its price before it is sent
// (PRODUCT.md 4.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "jobs/credits.h"
#include "runner/options.h"

namespace reelbatch {

/// Limits on what some jobs may cost, each with what it counts: `spent_before`, and every job that is reserved after
/// the limit was set. Pure; knows no time: who owns it sets the caps of a day or a month anew when that begins. A job
/// that was open then stays with the cap before it.
///
/// What an open job counts as, and when another one is too much, by mode:
/// - hard      its highest price. Not passed while no job costs more than that.
/// - cautious  its likely price, which is what jobs of its kind cost on average; the highest where no average is known.
///             Not expected to be passed: it stops before the job that would, and may be passed by what the open ones
///             cost above average.
/// - soft      nothing. Another one is too much once the cap is spent; passed by what is open then.
/// In every mode a job that ended and did not tell its price counts as what it would have counted while open (soft: its
/// highest price).
class Spending {
 public:
  /// Jobs that some caps count and others do not: those of one label value. Every job is in kAll.
  using Group = std::size_t;
  static constexpr Group kAll = 0;

  struct Cap {
    std::string name;  ///< for people: `--max-credits 200`; one cap a name
    Credits limit;
    Credits spent_before;  ///< by all that was reserved before the cap is set, open jobs at what they reserve
    Group group = kAll;
  };

  /// What a job may cost; nothing while it is unknown.
  struct Price {
    std::optional<Credits> highest, likely;
    Price() = default;
    Price(Credits price) : highest(price), likely(price) {}
    Price(std::optional<Credits> most, std::optional<Credits> usual) : highest(most), likely(usual) {}
    bool known() const { return highest.has_value(); }
  };

  explicit Spending(Budget::Mode mode = Budget::Mode::Hard) : mode_(mode) {}
  Budget::Mode mode() const { return mode_; }

  /// Adds a cap, or puts it in the place of the one of that name.
  void set_cap(Cap cap);
  /// No cap counts this group alone; for kAll, none that counts every job.
  bool unlimited(Group group = kAll) const;
  bool has_caps() const { return !caps_.empty(); }

  /// The caps of which more is spent than they allow, some of it since they were set, each in words with its sum.
  std::vector<std::string> passed() const;

  /// The first cap of the group that another job of `price` would pass, in words; empty if it fits all of them.
  std::string passed_by(const Price& price, Group group = kAll) const;

  bool has_open(Group group = kAll) const;

  /// groups  beside kAll.
  void reserve(std::int64_t job, const Price& price, std::vector<Group> groups = {});
  /// The submission was not taken: nothing is spent.
  void release(std::int64_t job);
  /// The job ended, or it is held and may never be settled. An unknown cost counts as what was reserved, or, when that
  /// is unknown too, as the price of the next job asked about, or as the highest that another one counted as.
  void settle(std::int64_t job, std::optional<Credits> cost);

  /// The highest price of an open job.
  std::optional<Credits> reserved_for(std::int64_t job) const;
  /// By all open jobs, at their highest prices.
  Credits reserved() const { return reserved_; }

 private:
  struct Reservation {
    Price price;
    std::vector<Group> groups;
    std::uint64_t number = 0;  ///< in the order of reserving
  };
  struct Counter {
    Cap cap;
    std::uint64_t from = 0;  ///< the first reservation that it counts
    Credits spent, reserved;
    Credits assumed;            ///< of `spent`: by jobs that ended without a known cost
    Credits highest;            ///< that a job it counts has cost or reserved
    std::int64_t unpriced = 0;  ///< jobs that ended without a known cost or reservation
  };
  Credits counted_as(const Price& price) const;
  std::string words(const Counter& counter, const Price& price, Credits spent) const;
  static std::string spent_words(const Counter& counter, Credits spent);
  static bool counts(const Counter& counter, const Reservation& reservation);
  Reservation take(std::int64_t job);

  Budget::Mode mode_;
  std::vector<Counter> caps_;
  std::unordered_map<std::int64_t, Reservation> open_;
  std::unordered_map<Group, std::int64_t> open_in_;  ///< how many
  Credits reserved_;
  std::uint64_t reservations_ = 0;
};

}  // namespace reelbatch
