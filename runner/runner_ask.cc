// What is asked of a service beside its jobs: the balance, before anything is bought and once more at the end; and,
// where it lists its jobs, whether a submission is among them whose answer was lost.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "jobs/http_rules.h"
#include "jobs/registry.h"
#include "runner/accounts.h"
#include "runner/backoff.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAskAgainMost = 60s;
/// A service that answers, but not with a balance, is asked so often before its jobs are submitted without.
constexpr int kBalanceTries = 5;
/// At the end, where nothing waits for the figure any more.
constexpr int kLastBalanceTries = 2;

}  // namespace

Result<bool> has_old_balance(Ledger& ledger, AccountId account) {
  const Result<CreditSums> sums = ledger.credit_sums(account, std::numeric_limits<RunId>::max());
  if (!sums) return tl::unexpected(sums.error());
  return sums->remaining && !sums->unattributed;
}

std::string marker_of(std::string_view run_uid, JobId job) {
  return fmt::format("rb-{}-{}", run_uid, job);
}

/// When a balance or a search is due; never if neither is.
Instant Runner::ask_due(Account& account) {
  if (!account.gate.may_poll() || stopping_) return kNever;
  // The last figure of a run: what its jobs cost is held against it.
  const bool has_balance = !account.options.service->balance_path.empty();
  if (has_balance && account.balance_moved && account.balance_at == kNever && !has_work(account) &&
      !has_open_exchange(account)) {
    account.balance_at = clock_.now();
    account.balance_tries = kBalanceTries - kLastBalanceTries;
  }
  return std::min(account.balance_at, account.search_at);
}

bool Runner::has_open_exchange(const Account& account) const {
  return std::any_of(exchanges_.begin(), exchanges_.end(),
                     [&](const auto& open) { return open.second.account == &account; });
}

void Runner::start_ask(Account& account, Instant now) {
  OpenExchange exchange;
  exchange.account = &account;
  Request request;
  request.method = "GET";
  if (account.balance_at <= now) {
    account.balance_at = kNever;
    account.balance_moved = false;
    exchange.errand = Errand::Balance;
    request.path = account.options.service->balance_path;
  } else {
    account.search_at = kNever;
    exchange.errand = Errand::Search;
    if (const auto part = std::exchange(account.next_part, std::nullopt)) {
      exchange.kind = part->kind;
      exchange.part = part->number;
      request.path = part->path;
    } else {
      exchange.kind = account.lost.front().kind;
      request = *exchange.kind->search();
    }
    for (LostJob& lost : account.lost) {
      if (lost.kind != exchange.kind) continue;
      if (exchange.part == 1) --lost.looks_left;
      exchange.sought.push_back(lost.id);
    }
  }
  account.gate.poll_starts();
  start(account, request, std::move(exchange));
}

// ---- The balance ----------------------------------------------------------------------------------------------------

void Runner::settle_balance(Account& account, const OpenExchange& exchange, const Completion& completion) {
  const auto go_on = [&] { account.balance = Account::Balance::Settled; };
  const auto ask_again = [&](Duration after) { account.balance_at = completion.at + after; };
  if (completion.answered && completion.status == 429) return ask_again(Duration::zero());  // the account is held
  if (completion.answered && (completion.status == 401 || completion.status == 403)) {
    stop_submitting(account, StopCause::Key,
                    fmt::format("the service refused the key: {}", describe_status(completion.status)));
    return go_on();
  }
  CreditFigures figures;
  if (completion.answered && completion.status / 100 == 2) {
    figures = account.options.service->read_balance({completion.status, completion.body});
  }
  if (figures.remaining) {
    see_credits(account, exchange, {}, figures, completion.at);
    account.balance_tries = 0;
    return go_on();
  }
  // Not reached at all: nothing is bought from a service that does not answer, and the outage timeout bounds the wait.
  const bool is_waited_for = account.balance == Account::Balance::NotTold;
  if (completion.answered || !is_waited_for) ++account.balance_tries;
  if (account.balance_tries < kBalanceTries) {
    const int failures = std::max(account.balance_tries, 1);
    return ask_again(backoff_delay(failures, options_.poll_interval, kAskAgainMost, rng_));
  }
  progress_.warn(fmt::format("{}: the service does not tell its balance ({}); going on without", account.record.name,
                             completion.answered ? describe_status(completion.status) : completion.error));
  go_on();
}

// ---- Submissions whose answer was lost
// --------------------------------------------------------------------------------

/// Those that earlier runs left; and a last balance that one of them was kept from asking for.
Result<void> Runner::load_lost_jobs() {
  for (const auto& account : accounts_) {
    if (account->options.service->balance_path.empty()) continue;
    const Result<bool> is_old = has_old_balance(ledger_, account->record.id);
    if (!is_old) return tl::unexpected(is_old.error());
    if (!*is_old) continue;
    account->balance_at = started_;
    account->balance_tries = kBalanceTries - 1;
  }
  const Result<std::vector<HeldJob>> held = ledger_.held_jobs();
  if (!held) return tl::unexpected(held.error());
  for (const HeldJob& job : *held) {
    const JobKind* kind = find_kind(job.kind);
    for (const auto& account : accounts_) {
      if (kind == nullptr || account->record.id != job.account_id) continue;
      look_for(*account, {job.id, kind, job.ref, marker_of(job.run_uid, job.id), kLooksLater, false});
      account->book.found(job.id);
      if (account->search_at != kNever) account->search_at = started_;
    }
  }
  return {};
}

/// Looks for it soon, and a few times more: what the service has taken need not be listed at once.
void Runner::look_for(Account& account, LostJob lost) {
  if (!lost.kind->search()) return;
  account.lost.push_back(std::move(lost));
  account.search_after = options_.poll_interval;
  account.search_at = std::min(account.search_at, clock_.now() + account.search_after);
}

void Runner::settle_search(Account& account, const OpenExchange& exchange, const Completion& completion) {
  std::vector<LostJob> sought;
  std::vector<std::string> markers;
  for (const LostJob& lost : account.lost) {
    if (std::find(exchange.sought.begin(), exchange.sought.end(), lost.id) == exchange.sought.end()) continue;
    sought.push_back(lost);
    markers.push_back(lost.marker);
  }
  if (completion.answered) {
    const SearchVerdict verdict = exchange.kind->read_search(markers, {completion.status, completion.body});
    for (std::size_t i = 0; i < verdict.remote_ids.size() && i < sought.size(); ++i) {
      if (verdict.outcome == SearchVerdict::Outcome::Listed && !verdict.remote_ids[i].empty()) {
        adopt(account, sought[i], verdict.remote_ids[i]);
      }
    }
    note_next_part(account, exchange, verdict.next);
    if (account.next_part) {
      account.search_at = completion.at;
      return;
    }
  }
  std::erase_if(account.lost, [](const LostJob& lost) { return lost.looks_left <= 0; });
  if (account.lost.empty()) return;
  account.search_after = std::min<Duration>(account.search_after * 2, kAskAgainMost);
  account.search_at = std::min(account.search_at, completion.at + account.search_after);
}

/// A list that is told in parts is gone through while anything is sought in it.
///
/// address  of the next part, as the service has it; empty if there is none.
void Runner::note_next_part(Account& account, const OpenExchange& exchange, const std::string& address) {
  const bool sought = std::any_of(account.lost.begin(), account.lost.end(),
                                  [&](const LostJob& lost) { return lost.kind == exchange.kind; });
  if (address.empty() || !sought) return;
  if (exchange.part >= kListPartsMax) {
    if (std::exchange(account.told_long_list, true)) return;
    return progress_.warn(
        fmt::format("{}: the list of jobs has more than {} parts, and the held submissions are not in those: they stay "
                    "held, look for them at the service",
                    account.record.name, kListPartsMax));
  }
  // Whatever it says, the key goes nowhere but below the account's own address.
  std::string path = path_below(account.options.base_url, exchange.kind->search()->path, address);
  if (path.empty())
    return progress_.detail(account.record.name +
                            ": the list of jobs goes on at an address that is not the account's, which is not asked");
  account.next_part = {exchange.kind, std::move(path), exchange.part + 1};
}

/// It was accepted after all.
void Runner::adopt(Account& account, const LostJob& lost, const std::string& remote_id) {
  const JobId id = lost.id;
  const auto forget_it = [&] { std::erase_if(account.lost, [id](const LostJob& other) { return other.id == id; }); };
  const Result<JobId> other = ledger_.job_with_remote_id(account.record.id, remote_id, id);
  const bool is_new = is_first_in_turn(account, remote_id);
  if (!other || *other != 0 || !is_new) {
    progress_.warn(
        fmt::format("{} stays held: the service lists it as {}, which another row has", lost.ref, remote_id));
    return forget_it();
  }
  Step step = step_of(id, State::Held, Event::Adopt, "");
  step.remote_id = remote_id;
  commit_.steps.push_back(std::move(step));
  progress_.warn(fmt::format("{} was accepted after all: found at the service as {}", lost.ref, remote_id));
  if (lost.counted) --counts_.held;
  account.gate.accepted();
  account.balance_moved = true;
  schedule(take_off(account, id, *lost.kind, remote_id, ""), clock_.now() + options_.poll_interval);
  forget_it();
}

}  // namespace reelbatch
