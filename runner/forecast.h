// What submissions are expected to cost and how long they take, from the ledger's own history and the limits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/ledger.h"
#include "runner/options.h"

namespace reelbatch {

/// The least and the most that a past job like this one cost, and what they cost on average.
struct CostRange {
  Credits low, likely, high;
};

/// What one account and kind is expected to need.
struct KindForecast {
  std::string account, kind;
  std::int64_t submissions = 0;
  std::int64_t history = 0;          ///< past jobs that it is made from
  std::optional<CostRange> credits;  ///< of all submissions; unknown without any history
  std::optional<Credits> at_most;    ///< by the configured max_price, if there is one
};

struct Forecast {
  std::vector<KindForecast> kinds;
  std::optional<CostRange> credits;  ///< of all; unknown if that of one kind is
  Duration submitting{};             ///< by the limits, at least until the last one is sent
  std::optional<Duration> time;      ///< until the last one is finished; unknown if a kind's past times are
};

/// Submissions by account, kind and the number of items in their lists.
class Forecaster {
 public:
  /// ledger  may be nullptr: no history. Both must outlive this.
  Forecaster(Ledger* ledger, const Options& options) : ledger_(ledger), options_(options) {}

  void add(const std::string& account, const std::string& kind, std::size_t items) {
    ++submissions_[{account, kind}][items];
  }

  /// Prices come from the last 200 finished jobs of that account and kind whose cost is known; where three or more of
  /// them had as many items, from those alone. Accounts work side by side.
  Result<Forecast> make();

 private:
  Result<KindForecast> price(const std::string& account, const std::string& kind,
                             const std::map<std::size_t, std::int64_t>& by_items);
  Result<void> add_time(Forecast& forecast, const std::string& account);

  Ledger* ledger_;
  const Options& options_;
  std::map<std::pair<std::string, std::string>, std::map<std::size_t, std::int64_t>> submissions_;
};

}  // namespace reelbatch
