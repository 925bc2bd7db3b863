#include "runner/forecast.h"

#include <algorithm>

#include "jobs/raw_fields.h"
#include "jobs/registry.h"
#include "runner/intake.h"

namespace reelbatch {
namespace {

constexpr std::size_t kPastJobs = 200;
/// Past jobs with as many items that are enough to go by them alone.
constexpr std::size_t kEnough = 3;

CostRange operator*(const CostRange& one, std::int64_t times) {
  return {Credits{one.low.milli * times}, Credits{one.likely.milli * times}, Credits{one.high.milli * times}};
}

CostRange operator+(const CostRange& a, const CostRange& b) {
  return {a.low + b.low, a.likely + b.likely, a.high + b.high};
}

/// `costs` is not empty.
CostRange range_of(const std::vector<Credits>& costs) {
  const auto [low, high] = std::minmax_element(costs.begin(), costs.end());
  Credits sum;
  for (const Credits cost : costs) sum = sum + cost;
  return {*low, Credits{sum.milli / static_cast<std::int64_t>(costs.size())}, *high};
}

const AccountOptions* options_of(const Options& options, const std::string& account) {
  const auto found = std::find_if(options.accounts.begin(), options.accounts.end(),
                                  [&](const AccountOptions& candidate) { return candidate.name == account; });
  return found == options.accounts.end() ? nullptr : &*found;
}

/// What past jobs cost, all together and by the number of items in their lists.
struct History {
  std::vector<Credits> all;
  std::map<std::size_t, std::vector<Credits>> by_items;
};

Result<History> history_of(Ledger& ledger, const std::string& account, const JobKind& kind) {
  History history;
  const Result<std::vector<AccountRecord>> records = ledger.accounts();
  if (!records) return tl::unexpected(records.error());
  for (const AccountRecord& record : *records) {
    if (record.name != account) continue;
    const Result<std::vector<Ledger::PastJob>> jobs = ledger.past_jobs(record.id, kind.name(), kPastJobs);
    if (!jobs) return tl::unexpected(jobs.error());
    for (const Ledger::PastJob& job : *jobs) {
      const Result<RawFields> raw = raw_fields_from_json(job.fields);
      if (!raw) return tl::unexpected(raw.error());
      history.all.push_back(job.cost);
      history.by_items[items_in_lists(kind.normalise(*raw).fields)].push_back(job.cost);
    }
  }
  return history;
}

}  // namespace

Result<KindForecast> Forecaster::price(const std::string& account, const std::string& kind,
                                       const std::map<std::size_t, std::int64_t>& by_items) {
  KindForecast forecast;
  forecast.account = account;
  forecast.kind = kind;
  for (const auto& [items, count] : by_items) forecast.submissions += count;
  if (const AccountOptions* configured = options_of(options_, account)) {
    const auto price = configured->max_price.find(kind);
    if (price != configured->max_price.end()) forecast.at_most = Credits{price->second.milli * forecast.submissions};
  }
  if (ledger_ == nullptr) return forecast;
  const Result<History> history = history_of(*ledger_, account, *find_kind(kind));
  if (!history) return tl::unexpected(history.error());
  forecast.history = static_cast<std::int64_t>(history->all.size());
  if (history->all.empty()) return forecast;
  CostRange sum;
  for (const auto& [items, count] : by_items) {
    const auto alike = history->by_items.find(items);
    const bool enough = alike != history->by_items.end() && alike->second.size() >= kEnough;
    sum = sum + range_of(enough ? alike->second : history->all) * count;
  }
  forecast.credits = sum;
  return forecast;
}

/// Adds what the account's limits make of its submissions.
Result<void> Forecaster::add_time(Forecast& forecast, const std::string& account) {
  const AccountOptions* limits = options_of(options_, account);
  std::int64_t submissions = 0;
  Duration longest{}, open{};  // of one job; of all, one after the other
  double requests = 0;
  bool known = limits != nullptr;
  for (const auto& [group, by_items] : submissions_) {
    if (group.first != account) continue;
    std::int64_t count = 0;
    for (const auto& [items, some] : by_items) count += some;
    submissions += count;
    std::vector<Duration> past;
    if (ledger_ != nullptr) {
      Result<std::vector<Duration>> durations = ledger_->past_durations(group.second, options_.job_timeout, kPastJobs);
      if (!durations) return tl::unexpected(durations.error());
      past = std::move(*durations);
    }
    known &= !past.empty();
    if (past.empty()) continue;
    const Duration usual = past[past.size() / 2];
    longest = std::max(longest, usual);
    open += usual * count;
    requests += static_cast<double>(count) * (2 + static_cast<double>(usual / options_.poll_interval));
  }
  if (limits == nullptr) return {};
  Duration submitting{};
  for (const RateWindow& window : limits->submit_rate) {
    submitting = std::max(submitting, window.width * ((submissions - 1) / window.limit));
  }
  forecast.submitting = std::max(forecast.submitting, submitting);
  if (!known) {
    forecast.time.reset();
    return {};
  }
  Duration needed = std::max(submitting, open / limits->max_in_flight);
  for (const RateWindow& window : limits->rate) {
    const double windows = requests / window.limit;
    needed =
        std::max(needed, Duration(static_cast<Duration::rep>(static_cast<double>(window.width.count()) * windows)));
  }
  if (forecast.time) forecast.time = std::max(*forecast.time, needed + longest);
  return {};
}

Result<Forecast> Forecaster::make() {
  Forecast forecast;
  forecast.time = Duration{};
  forecast.credits = CostRange{};
  std::string last;
  for (const auto& [group, by_items] : submissions_) {
    Result<KindForecast> kind = price(group.first, group.second, by_items);
    if (!kind) return tl::unexpected(kind.error());
    if (forecast.credits && kind->credits) {
      forecast.credits = *forecast.credits + *kind->credits;
    } else {
      forecast.credits.reset();
    }
    forecast.kinds.push_back(std::move(*kind));
    if (group.first == last) continue;
    last = group.first;
    if (Result<void> added = add_time(forecast, last); !added) return tl::unexpected(added.error());
  }
  return forecast;
}

}  // namespace reelbatch
