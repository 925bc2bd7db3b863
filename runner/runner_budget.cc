// Budgets that count every job of an account or of the run: their caps, and whether one more job has room in them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "jobs/registry.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

/// Past jobs that an average price is made from.
constexpr std::size_t kPastPrices = 200;

}  // namespace

Result<void> Runner::load_credits(Account& account) {
  const Result<LastFigures> last = ledger_.last_figures(account.record.id);
  if (!last) return tl::unexpected(last.error());
  account.book.start(last->figures);
  if (Result<void> done = load_unshown(account, *last); !done) return done;
  for (const JobKind* kind : all_kinds()) {
    if (kind->service() != account.options.service->name) continue;
    const Result<std::optional<Credits>> price = ledger_.highest_price(account.record.id, kind->name());
    if (!price) return tl::unexpected(price.error());
    if (*price) account.price[kind->name()] = **price;
    if (account.options.budget.mode == Budget::Mode::Cautious) {
      const auto jobs = ledger_.past_jobs(account.record.id, kind->name(), kPastPrices);
      if (!jobs) return tl::unexpected(jobs.error());
      Account::Average& usual = account.usual_price[kind->name()];
      for (const Ledger::PastJob& job : *jobs) usual.sum = usual.sum + job.cost;
      usual.jobs = static_cast<std::int64_t>(jobs->size());
    }
    const Result<std::vector<Duration>> past = ledger_.past_durations(kind->name(), options_.job_timeout, 200);
    if (!past) return tl::unexpected(past.error());
    if (!past->empty()) account.usual_duration[kind->name()] = (*past)[past->size() * 9 / 10];
  }
  return renew_budget(account);
}

/// What earlier runs left to be charged.
Result<void> Runner::load_unshown(Account& account, const LastFigures& last) {
  UnshownCharges& unshown = account.book.unshown();
  account.unshown = last.unshown;
  unshown.start(last.unshown);
  for (const LastFigures::Doubtful& job : last.in_doubt) unshown.found(job.job, job.reserved);
  if (last.unshown == Credits{}) return {};
  // Where nothing tells the balance but the answers to jobs, an old one is no reason never to submit one again.
  const WallTime now = clock_.wall();
  const bool is_asked_for = !account.options.service->balance_path.empty();
  const WallTime shown = is_asked_for ? std::min(now, last.balance_at.value_or(now)) : now;
  const auto within = std::chrono::duration_cast<std::chrono::milliseconds>(UnshownCharges::kShownWithin);
  const Result<std::vector<EndedJob>> ended = ledger_.jobs_ended_since(account.record.id, shown - within);
  if (!ended) return tl::unexpected(ended.error());
  for (const EndedJob& job : *ended) {
    unshown.found_ended(job.cost, started_ - std::max<Duration>(now - job.at, Duration::zero()));
  }
  return {};
}

/// What a job of the kind reserves: the configured price, else the highest seen; and what it costs on average. Nothing
/// while neither is known.
Spending::Price Runner::price_of(const Account& account, const JobKind& kind) const {
  Spending::Price price;
  const auto usual = account.usual_price.find(kind.name());
  if (usual != account.usual_price.end() && usual->second.jobs > 0) {
    price.likely = Credits{(usual->second.sum.milli + usual->second.jobs - 1) / usual->second.jobs};
  }
  const auto configured = account.options.max_price.find(std::string(kind.name()));
  const auto seen = account.price.find(kind.name());
  if (configured != account.options.max_price.end()) {
    price.highest = configured->second;
  } else if (seen != account.price.end()) {
    price.highest = seen->second;
  }
  return price;
}

/// True if the budgets that count every job have room for one more of the kind now. Otherwise `why` says what is in the
/// way; it stays empty while open jobs have yet to tell a price or the balance.
bool Runner::has_budget(const Account& account, const JobKind& kind, std::string& why) const {
  const std::optional<Credits>& keep = account.options.budget.keep;
  if (account.spending.unlimited() && run_spending_.unlimited() && !keep) return true;
  const bool anything_open = account.spending.has_open() || run_spending_.has_open();
  const Spending::Price price = price_of(account, kind);
  // Until a price is known, one at a time: also where an open job counts as nothing, for it would be anything.
  if (!price.known() && anything_open) return false;
  const Credits needed = price.highest.value_or(Credits{});
  why = account.spending.passed_by(price);
  if (why.empty()) why = run_spending_.passed_by(price);
  const std::optional<Credits>& remaining = account.book.last().remaining;
  // A balance that nobody has told yet is found out by one job; one that was found in flight may have taken it all.
  if (why.empty() && keep && !remaining && (account.spending.has_open() || account.found_open > 0)) return false;
  const Credits claimed = account.book.claimed();
  if (why.empty() && keep && remaining && *remaining - claimed - needed < *keep) {
    const bool late = claimed > account.book.unshown().reserved();
    why = fmt::format("{} credits are to be kept: {} remain, {} of them {}", to_text(*keep), to_text(*remaining),
                      to_text(claimed), late ? "reserved or not charged yet" : "reserved");
    if (price.known()) why += fmt::format(", the next job may cost {}", to_text(needed));
  }
  return why.empty();
}

/// The same; stops the account's submissions if there never will be room again.
bool Runner::fits_budget(Account& account, const JobKind& kind) {
  std::string why;
  if (has_budget(account, kind, why)) return true;
  // Open jobs may turn out cheaper than what they reserve.
  const bool anything_open = account.spending.has_open() || run_spending_.has_open();
  if (why.empty() || anything_open || account.found_open > 0) return false;
  if (account.found_ended) {
    // The ledger knows what they cost as soon as this turn is written: the caps are set anew from it.
    account.budget_day = account.budget_month = WallTime{};
    account.passing = true;
    return false;
  }
  stop_submitting(account, StopCause::Budget, why);
  return false;
}

/// Budgets that were passed by what was open when they were spent. One that stopped the account has said so, and a hard
/// one is passed by overruns alone, each of which was told of.
void Runner::tell_passed_budgets() {
  for (const auto& account : accounts_) {
    if (account->spending.mode() == Budget::Mode::Hard || account->gate.cause() == StopCause::Budget) continue;
    for (const std::string& passed : account->spending.passed()) {
      progress_.alarm(fmt::format("{}: {}", account->record.name, passed));
    }
  }
}

/// Sets the caps at the start, and again when jobs that were found in flight have ended; those of the day and the month
/// also when one begins.
Result<void> Runner::renew_budget(Account& account) {
  const Budget& budget = account.options.budget;
  const WallTime wall = clock_.wall();
  const auto set = [&](const std::optional<Credits>& limit, std::optional<Credits> LabelBudget::*by_label,
                       std::string_view name, RunId run, WallTime since) -> Result<void> {
    if (limit) {
      const Result<Credits> spent = ledger_.spent(account.record.id, run, since);
      if (!spent) return tl::unexpected(spent.error());
      account.spending.set_cap({fmt::format("the budget {} of account {}", name, account.record.name), *limit, *spent});
    }
    return renew_label_budgets(account, by_label, name, run, since);
  };
  const WallTime day = start_of_day(wall);
  if (account.budget_day == day) return {};
  if (account.budget_day == WallTime{}) {
    if (std::exchange(account.found_ended, false)) {
      if (Result<void> done = set_max_credits(); !done) return done;
    }
    if (Result<void> done = set(budget.run, &LabelBudget::run, "run", run_, WallTime{}); !done) return done;
  }
  account.budget_day = day;
  if (Result<void> done = set(budget.day, &LabelBudget::day, "day", 0, day); !done) return done;
  const WallTime month = start_of_month(wall);
  if (account.budget_month == month) return {};
  account.budget_month = month;
  return set(budget.month, &LabelBudget::month, "month", 0, month);
}

/// The same for the budgets by label, all values of a label with one look into the ledger.
///
/// only  this one's, or kAll.
Result<void> Runner::renew_label_budgets(Account& account, std::optional<Credits> LabelBudget::*limit,
                                         std::string_view name, RunId run, WallTime since, Spending::Group only) {
  const std::vector<LabelBudget>& budgets = account.options.budget.labels;
  std::map<std::string_view, std::map<std::string, Credits>> known;  // label, value
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    const LabelBudget& budget = budgets[i];
    if (!(budget.*limit) || (only != Spending::kAll && only != i + 1)) continue;
    const auto [spent, is_new] = known.try_emplace(budget.label);
    if (is_new) {
      auto found = ledger_.spent_by_label(account.record.id, run, since, budget.label);
      if (!found) return tl::unexpected(found.error());
      spent->second = std::move(*found);
    }
    const auto value = spent->second.find(budget.value);
    account.spending.set_cap({fmt::format("the budget {} of {}={}", name, budget.label, budget.value), *(budget.*limit),
                              value == spent->second.end() ? Credits{} : value->second, i + 1});
    account.by_label[i].full.clear();
  }
  return {};
}

/// The cap of the whole run, with what it has spent before if it is resumed.
Result<void> Runner::set_max_credits() {
  if (!options_.max_credits) return {};
  // Also of accounts that have nothing left to do in this run.
  const Result<std::vector<AccountRecord>> all = ledger_.accounts();
  if (!all) return tl::unexpected(all.error());
  Credits before;
  for (const AccountRecord& account : *all) {
    const Result<Credits> spent = ledger_.spent(account.id, run_, WallTime{});
    if (!spent) return tl::unexpected(spent.error());
    before = before + *spent;
  }
  run_spending_.set_cap({"--max-credits", *options_.max_credits, before});
  return {};
}

}  // namespace reelbatch
