// The auditor's books of money: what was charged, against what the program may spend, reserves and says.
#include <fmt/format.h>

#include <algorithm>

#include "runner/calendar.h"
#include "runner/credit_use.h"
#include "tests/simulation/auditor.h"

namespace reelbatch {

// ---- Budgets --------------------------------------------------------------------------------------------------------

/// In every period that it falls into.
void Auditor::count_spent(const World::Acceptance& acceptance, Credits amount) {
  const auto add = [&](Credits& sum) { sum = sum + amount; };
  const std::size_t service = acceptance.service;
  const std::string& run = run_of_life_[acceptance.life];
  const WallTime day = start_of_day(acceptance.started_at), month = start_of_month(acceptance.started_at);
  add(spent_by_run_[run]);
  add(spent_by_account_[{service, run}]);
  add(spent_by_day_[{service, day}]);
  add(spent_by_month_[{service, month}]);
  if (!labelled || !labelled(acceptance.description)) return;
  add(spent_by_label_run_[{service, run}]);
  add(spent_by_label_day_[{service, day}]);
  add(spent_by_label_month_[{service, month}]);
}

/// What was counted for jobs that cost nothing in the end.
void Auditor::take_refunds() {
  if (!world_.options.service.refunds) return;
  for (std::size_t service = 0; service < world_.service_count(); ++service) {
    for (const ServiceJob& job : world_.service(service).jobs()) {
      const auto made = acceptances_.find({service, job.id});
      if (!job.refunded || made == acceptances_.end() || !refunded_.insert(made->first).second) continue;
      count_spent(made->second, Credits{} - made->second.charged);
      ++world_.reached["refunded job"];
      if (charges_late(service)) ++world_.reached["refunded job where charges are late"];
    }
  }
}

Credits Auditor::refunded_of(const World::Acceptance& acceptance) const {
  return refunded_.count({acceptance.service, acceptance.id}) > 0 ? acceptance.charged : Credits{};
}

/// What the services charged, at every acceptance.
void Auditor::check_budgets(const World::Acceptance& acceptance) {
  take_refunds();
  count_spent(acceptance, acceptance.charged);
  const std::string& run = run_of_life_[acceptance.life];
  const WallTime day = start_of_day(acceptance.started_at), month = start_of_month(acceptance.started_at);
  const Credits by_run = spent_by_run_[run];
  const auto open_in = [&](const std::string& uid) {
    return std::any_of(acceptances_.begin(), acceptances_.end(), [&](const auto& entry) {
      return entry.first.first == acceptance.service && run_of_life_[entry.second.life] == uid;
    });
  };
  if (options_.max_credits && by_run + acceptance.charged > *options_.max_credits && open_in(run)) {
    ++world_.reached["budget reached with jobs in flight"];
  }
  if (!prices_reserved) return;
  const Budget& budget = options_.accounts[acceptance.service].budget;
  const auto within = [&](Credits spent, const std::optional<Credits>& limit, const char* what) {
    if (!limit) return;
    check(spent <= *limit, fmt::format("{} spent, {} {} allowed", to_text(spent), what, to_text(*limit)));
  };
  within(by_run, options_.max_credits, "--max-credits");
  check_keep(acceptance.service);
  if (budget.mode == Budget::Mode::Soft || (budget.mode == Budget::Mode::Cautious && !one_price)) return;
  within(spent_by_account_[{acceptance.service, run}], budget.run, "a run");
  within(spent_by_day_[{acceptance.service, day}], budget.day, "a day");
  within(spent_by_month_[{acceptance.service, month}], budget.month, "a month");
  if (!labelled || !labelled(acceptance.description)) return;
  for (const LabelBudget& label : budget.labels) {
    within(spent_by_label_run_[{acceptance.service, run}], label.run, "a run of the label's value");
    within(spent_by_label_day_[{acceptance.service, day}], label.day, "a day of the label's value");
    within(spent_by_label_month_[{acceptance.service, month}], label.month, "a month of the label's value");
  }
}

/// A job may be over, and its balance still show less than it cost.
bool Auditor::charges_late(std::size_t service) const {
  return world_.options.service.charge_late_ms > 0 && world_.options.service_name(service) == "creatify";
}

void Auditor::check_keep(std::size_t service) {
  const Budget& budget = options_.accounts[service].budget;
  // What is charged late is waited for by the wall clock, from one process to the next.
  const bool jumps = world_.reached.count("clock set forward") + world_.reached.count("suspended") != 0;
  if (charges_late(service) && jumps) return;
  // A service that tells an old balance is believed: it looks the same as credits that were bought.
  if (world_.old_balance_told[service]) return;
  if (budget.keep && world_.balance_told[service]) {
    Credits spent;
    for (const ServiceJob& job : world_.service(service).jobs()) {
      if (!job.refunded) spent = spent + job.price;
    }
    const Credits credits = world_.options.credits_of(service);
    check(credits - spent >= *budget.keep,
          fmt::format("{} spent of {}, {} are to be kept", to_text(spent), to_text(credits), to_text(*budget.keep)));
  }
}

/// A submission starts: by the ledger, spent and reserved together are within the budgets, in every period and mode.
void Auditor::check_spending(std::size_t service) {
  if (ledger_ == nullptr || !prices_reserved) return;
  const auto found = std::find_if(service_of_account_.begin(), service_of_account_.end(),
                                  [&](const auto& entry) { return entry.second == service; });
  if (found == service_of_account_.end()) return;
  const AccountId account = found->first;
  const Budget& budget = options_.accounts[service].budget;
  if (budget.mode == Budget::Mode::Cautious) return;  // what it may pass is checked where it was charged
  Credits ended_run, ended_day, ended_month;
  const WallTime day = start_of_day(world_.wall()), month = start_of_month(world_.wall());
  if (budget.mode == Budget::Mode::Soft) {
    const auto read = ledger_->for_each_credit_fact(
        [&](const PaidJob& job) -> Result<void> {
          if (job.account != account || job.open) return {};
          const Credits cost = job.cost.value_or(Credits{});
          if (job.run == run_) ended_run = ended_run + cost;
          if (job.submitted_at >= day) ended_day = ended_day + cost;
          if (job.submitted_at >= month) ended_month = ended_month + cost;
          return {};
        },
        [](const FigureSeen&) { return Result<void>(); });
    if (!read) return;
  }
  const auto within = [&](const std::optional<Credits>& limit, RunId run, WallTime since, Credits ended,
                          const char* what) {
    if (!limit) return;
    if (budget.mode == Budget::Mode::Soft) {
      return check(ended < *limit, fmt::format("a submission starts with {} spent of {} for {}", to_text(ended),
                                               to_text(*limit), what));
    }
    const Result<Credits> spent = ledger_->spent(account, run, since);
    check(!spent || *spent <= *limit, fmt::format("{} spent and reserved of {} for {}",
                                                  spent ? to_text(*spent) : std::string(), to_text(*limit), what));
  };
  within(budget.run, run_, WallTime{}, ended_run, "a run");
  within(budget.day, 0, day, ended_day, "a day");
  within(budget.month, 0, month, ended_month, "a month");
}

// ---- What is said afterwards ----------------------------------------------------------------------------------------

Credits Auditor::charged_by(const std::string& run_uid, std::size_t service) const {
  Credits charged;
  for (const auto& [key, acceptance] : acceptances_) {
    // What a repair cost is the cost of the job that has the part.
    const auto owner = acceptances_.find({service, acceptance.of});
    const auto run = run_of_life_.find(owner == acceptances_.end() ? acceptance.life : owner->second.life);
    if (key.first == service && run != run_of_life_.end() && run->second == run_uid) {
      charged = charged + acceptance.charged - refunded_of(acceptance);
    }
  }
  return charged;
}

/// The sums of a run's report against what the services charged for its jobs.
void Auditor::check_sums(Ledger& ledger, const RunReport& report) {
  const auto accounts = ledger.accounts();
  if (!accounts) return;
  for (const auto& [account, sums] : report.credits) {
    const auto found = std::find_if(accounts->begin(), accounts->end(),
                                    [&, &name = account](const auto& a) { return a.name == name; });
    if (found == accounts->end() || service_of_account_.count(found->id) == 0 || !sums.used) continue;
    const std::size_t service = service_of_account_.at(found->id);
    const Credits charged = charged_by(report.run.uid, service);
    // A job that was refunded a moment ago may still show what it was charged before.
    check(*sums.used <= charged || world_.options.service.refunds,
          fmt::format("{} are said to be used on {}, {} were charged", to_text(*sums.used), account, to_text(charged)));
    // Nothing unknown, nothing held and nothing out: then it is all of it.
    bool settled = sums.unknown_jobs == 0 && doubtful() == 0;
    const auto read = ledger.for_each_credit_fact(
        [&](const PaidJob& job) -> Result<void> {
          settled &= !job.open;
          return {};
        },
        [](const FigureSeen&) { return Result<void>(); });
    check(!read || !settled || *sums.used == charged,
          fmt::format("{} are said to be used on {}, {} were charged", to_text(*sums.used), account, to_text(charged)));
  }
}

/// The whole record adds up: every key divides the same sums, and no cost is left that no balance shows.
void Auditor::check_credits(Ledger& ledger) {
  std::set<std::string> told;  // accounts whose balance is as new as what is known of their jobs
  const auto read = ledger.for_each_credit_fact([](const PaidJob&) { return Result<void>(); },
                                                [&](const FigureSeen& seen) -> Result<void> {
                                                  const auto service = service_of_account_.find(seen.account);
                                                  if (service == service_of_account_.end()) return {};
                                                  const std::string& name = options_.accounts[service->second].name;
                                                  if (seen.figures.remaining && !seen.overtaken) told.insert(name);
                                                  if (!seen.figures.remaining) told.erase(name);
                                                  if (seen.overtaken) ++world_.reached["balance that was overtaken"];
                                                  return {};
                                                });
  check(read.has_value(), "the credits cannot be read");
  std::optional<CreditLine> all;
  for (const CreditQuery::By by : {CreditQuery::By::Account, CreditQuery::By::Run, CreditQuery::By::Day,
                                   CreditQuery::By::Month, CreditQuery::By::Kind, CreditQuery::By::Label}) {
    const Result<CreditReport> report = make_credit_report(ledger, {by, "third", {}, {}});
    if (!report) return check(by == CreditQuery::By::Label, "the credits cannot be added up");
    if (!all) all = report->sums;
    Credits used,
        unattributed = report->unattributed ? report->unattributed->unattributed.value_or(Credits{}) : Credits{};
    std::int64_t jobs = 0, unknown = 0;
    for (const CreditLine& line : report->lines) {
      used = used + line.used.value_or(Credits{});
      unattributed = unattributed + line.unattributed.value_or(Credits{});
      jobs += line.jobs;
      unknown += line.unknown_jobs;
    }
    check(used == all->used.value_or(Credits{}) && unattributed == all->unattributed.value_or(Credits{}) &&
              jobs == all->jobs && unknown == all->unknown_jobs,
          fmt::format("the lines of credits do not make up their sums, by key {}", static_cast<int>(by)));
    if (by == CreditQuery::By::Account) {
      for (const AccountCredits& account : report->accounts) {
        check_account(account, told.count(account.sums.key) > 0);
      }
    }
  }
}

std::size_t Auditor::service_named(const std::string& account) const {
  std::size_t service = 0;
  for (std::size_t i = 0; i < options_.accounts.size(); ++i) {
    if (options_.accounts[i].name == account) service = i;
  }
  return service;
}

/// What one account's credits went to, against what its service charged.
///
/// is_told  its balance is as new as what is known of its jobs.
void Auditor::check_account(const AccountCredits& account, bool is_told) {
  const std::size_t service = service_named(account.sums.key);
  Credits charged;  // before refunds, which may not have been seen
  for (const ServiceJob& job : world_.service(service).jobs()) charged = charged + job.price;
  const Credits used = account.sums.used.value_or(Credits{});
  check(used <= charged, fmt::format("{} are said to be used on {}, {} were charged", to_text(used), account.sums.key,
                                     to_text(charged)));
  // An old answer brings an old balance.
  if (!account.balance || world_.reached.count("state that goes backwards") != 0) return;
  const BalanceChange& balance = *account.balance;
  check(!is_told || balance.elsewhere == Credits{},
        fmt::format("{} of the credits of {} show in no balance", to_text(balance.elsewhere), account.sums.key));
  check(balance.first <= world_.options.credits_of(service) && balance.first - balance.last <= charged,
        fmt::format("the balance of {} fell from {} to {}, {} were charged", account.sums.key, to_text(balance.first),
                    to_text(balance.last), to_text(charged)));
  const Credits unattributed = account.sums.unattributed.value_or(Credits{});
  // What was out at the very first answer is known by the clock alone.
  const bool nothing_hidden = account.sums.unknown_jobs == 0 && doubtful() == 0 && !charges_late(service) &&
                              world_.reached.count("clock set back") == 0;
  check(!nothing_hidden || !is_told || unattributed == Credits{},
        fmt::format("{} credits of {} are unattributed, and every job's cost is known", to_text(unattributed),
                    account.sums.key));
}

}  // namespace reelbatch
