#include "runner/credit_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "jobs/edit_distance.h"

namespace reelbatch {
namespace {

/// Sums of which some parts may be unknown.
struct Sums {
  std::int64_t jobs = 0, unknown = 0;
  std::int64_t open = 0, open_unpriced = 0;
  Credits used, reserved;
  bool balance_seen = false;
  Credits unattributed;

  void add(const PaidJob& job) {
    ++jobs;
    if (job.cost) {
      used = used + *job.cost;
    } else {
      ++unknown;
    }
    if (!job.open) return;
    ++open;
    if (job.reserved) {
      reserved = reserved + std::max(*job.reserved - job.cost.value_or(Credits{}), Credits{});
    } else if (!job.cost) {
      ++open_unpriced;
    }
  }
  void add_unattributed(Credits amount) {
    balance_seen = true;
    unattributed = unattributed + amount;
  }

  CreditLine line(std::string key) const {
    CreditLine line;
    line.key = std::move(key);
    line.jobs = jobs;
    line.unknown_jobs = unknown;
    if (jobs == 0 || unknown < jobs) line.used = used;
    if (open == 0 || open_unpriced < open) line.reserved = reserved;
    if (balance_seen) line.unattributed = unattributed;
    return line;
  }
};

}  // namespace

struct CreditUse::Bucket {
  std::string name;
  std::int64_t order = 0;
  Sums sums;
};

/// What is known of a job while the figures go by.
struct CreditUse::Note {
  JobId id = 0;
  WallTime submitted_at;
  std::optional<Credits> cost;
  bool derived = false;         ///< PaidJob
  bool repaired = false;        ///< PaidJob
  std::optional<Credits> told;  ///< of it, by the figures so far
};

struct CreditUse::Account {
  AccountRecord record;
  Sums sums;  ///< of what was asked for
  std::optional<Credits> balance;
  WallTime balance_at;
  std::optional<std::pair<Credits, WallTime>> stood;  ///< before the time asked for
  Credits pending;                                    ///< known by answers without a balance since the last one with
  Credits pending_here;                               ///< of it, in the time asked for
  std::optional<WallTime> told_at;                    ///< BalanceChange, in the time asked for
  std::optional<BalanceChange> change;

  // Where it began: see CreditUse.
  WallTime began_at;
  bool began_here = false;   ///< in the time asked for
  std::size_t began_in = 0;  ///< bucket
  JobId began_with = 0;      ///< whose answer was the very first, and did not tell what it cost
  Credits told_later;        ///< what the next one told of that: it was charged before
  Credits early;             ///< known cost of other jobs that were out then
  Credits early_left;        ///< unattributed when the last of them was told, less what later jobs told of it
  Credits left_since_began;  ///< unattributed since then, without what came back
};

CreditUse::CreditUse(CreditQuery query, std::vector<AccountRecord> accounts, std::map<RunId, std::string> runs)
    : query_(std::move(query)), runs_(std::move(runs)) {
  for (AccountRecord& record : accounts) {
    accounts_.emplace_back();
    accounts_.back().record = std::move(record);
  }
}

CreditUse::~CreditUse() = default;

bool CreditUse::asked_for(WallTime at) const {
  return (!query_.since || at >= *query_.since) && (!query_.until || at < *query_.until);
}

CreditUse::Account& CreditUse::account(AccountId id) {
  const auto found =
      std::find_if(accounts_.begin(), accounts_.end(), [&](const Account& known) { return known.record.id == id; });
  if (found != accounts_.end()) return *found;
  accounts_.emplace_back();
  accounts_.back().record.id = id;
  return accounts_.back();
}

// ---- Lines ----------------------------------------------------------------------------------------------------------

std::size_t CreditUse::bucket(std::string_view name, std::int64_t order) {
  const auto [found, is_new] = by_name_.emplace(name, buckets_.size());
  if (is_new) buckets_.push_back({std::string(name), order, {}});
  return found->second;
}

std::size_t CreditUse::bucket_at(WallTime at) {
  if (!period_.name.empty() && at >= period_.from && at < period_.to) return period_bucket_;
  const Span span = query_.by == CreditQuery::By::Day    ? Span::Day
                    : query_.by == CreditQuery::By::Week ? Span::Week
                                                         : Span::Month;
  period_ = period_of(at, span);
  period_bucket_ = bucket(period_.name, period_.from.time_since_epoch().count());
  return period_bucket_;
}

std::size_t CreditUse::bucket_of_run(RunId run) {
  const auto known = by_run_.find(run);
  if (known != by_run_.end()) return known->second;
  const auto name = runs_.find(run);
  const std::size_t found = bucket(name == runs_.end() ? std::string() : name->second, run);
  by_run_.emplace(run, found);
  return found;
}

/// Of the label that is asked for; empty if the job has none.
Result<std::string_view> CreditUse::label_of(std::string_view labels) {
  if (Result<void> read = read_labels_json(labels, json_, labels_); !read) return tl::unexpected(read.error());
  std::string_view value;
  for (const Label& label : labels_) {
    if (label.name == query_.label) value = label.value;
    if (label_names_.find(label.name) == label_names_.end()) label_names_.insert(label.name);
  }
  return value;
}

Result<std::size_t> CreditUse::bucket_of(const PaidJob& job) {
  switch (query_.by) {
    case CreditQuery::By::Run:
      return bucket_of_run(job.run);
    case CreditQuery::By::Account:
      return bucket(account(job.account).record.name, 0);
    case CreditQuery::By::Kind:
      return bucket(job.kind, 0);
    case CreditQuery::By::Label: {
      const Result<std::string_view> value = label_of(job.labels);
      if (!value) return tl::unexpected(value.error());
      return bucket(*value, 0);
    }
    default:
      return bucket_at(job.submitted_at);
  }
}

std::size_t CreditUse::bucket_of(const FigureSeen& seen) {
  if (query_.by == CreditQuery::By::Run) return bucket_of_run(seen.run);
  if (query_.by == CreditQuery::By::Account) return bucket(account(seen.account).record.name, 0);
  return bucket_at(seen.at);
}

// ---- Jobs and figures -----------------------------------------------------------------------------------------------

Result<void> CreditUse::add(const PaidJob& job) {
  notes_.push_back({job.id, job.submitted_at, job.cost, job.derived, job.repaired, {}});
  if (!asked_for(job.submitted_at)) {
    // Labels are named as wrong only if no job ever had them.
    if (query_.by != CreditQuery::By::Label) return {};
    const Result<std::string_view> read = label_of(job.labels);
    return read ? Result<void>() : tl::unexpected(read.error());
  }
  account(job.account).sums.add(job);
  const Result<std::size_t> found = bucket_of(job);
  if (!found) return tl::unexpected(found.error());
  buckets_[*found].sums.add(job);
  return {};
}

CreditUse::Note* CreditUse::note(JobId job) {
  if (job == 0) return nullptr;
  // Nearly always every job is a paid one.
  if (static_cast<std::size_t>(job) <= notes_.size() && notes_[static_cast<std::size_t>(job) - 1].id == job) {
    return &notes_[static_cast<std::size_t>(job) - 1];
  }
  const auto found =
      std::lower_bound(notes_.begin(), notes_.end(), job, [](const Note& known, JobId id) { return known.id < id; });
  return found == notes_.end() || found->id != job ? nullptr : &*found;
}

/// What this answer says of its job's cost that was not known before it.
Credits CreditUse::newly_known(const FigureSeen& seen, const Account& account, Note* note) const {
  if (note == nullptr || !note->cost) return {};
  Credits known = *note->cost;
  if (account.record.credit_meaning == "job" && seen.own) {
    known = *seen.own;
  } else if (account.record.credit_meaning == "job" && !note->derived) {
    if (!seen.figures.used) return {};
    known = *seen.figures.used;
  } else if (!seen.figures.remaining) {
    return {};  // what the job cost shows in the balance alone
  }
  const Credits more = known - note->told.value_or(Credits{});
  note->told = known;
  return more;
}

void CreditUse::add(const FigureSeen& seen) {
  Account& account = this->account(seen.account);
  Note* const job = note(seen.job);
  const bool is_first_of_job = job != nullptr && !job->told;
  Credits known = newly_known(seen, account, job);
  if (job != nullptr && job->told && job->id == account.began_with) {
    account.began_with = 0;
    account.told_later = std::exchange(known, {});
  }
  if (known.milli > 0 && asked_for(seen.at)) account.told_at = seen.at;
  if (!seen.figures.remaining) {
    account.pending = account.pending + known;
    if (asked_for(seen.at)) account.pending_here = account.pending_here + known;
    return;
  }
  const bool begins = !account.balance;
  // What an overtaken answer tells of its job was charged by the balance that overtook it.
  const bool overtaken = seen.overtaken && !begins;
  const Credits now = overtaken ? *account.balance : *seen.figures.remaining;
  const WallTime now_at = overtaken ? account.balance_at : seen.at;
  const Credits pending = overtaken ? Credits{} : std::exchange(account.pending, {});
  if (!overtaken) account.pending_here = {};
  const Credits before = begins ? now + known : *account.balance;
  const Credits left = begins ? Credits{} : before - now - known - pending;
  const bool here = asked_for(seen.at);
  if (here) {
    const std::size_t at = divides_balance() ? bucket_of(seen) : 0;
    if (divides_balance()) buckets_[at].sums.add_unattributed(left);
    account.sums.add_unattributed(left);
    if (!account.change)
      account.change = BalanceChange{before, begins ? seen.at : account.balance_at, now, now_at, {}, {}, {}};
    account.change->last = now;
    account.change->last_at = now_at;
    if (begins) account.began_in = at;
  } else if (query_.since && seen.at < *query_.since) {
    account.stood = {now, now_at};
  }
  account.balance = now;
  account.balance_at = now_at;
  if (begins) {
    account.began_at = seen.at;
    account.began_here = here;
    if (job != nullptr && !job->told && !job->repaired) account.began_with = job->id;
    return;
  }
  // What came back, or was bought, is no cost that was charged before the beginning.
  if (left.milli + known.milli >= 0) account.left_since_began = account.left_since_began + left;
  if (is_first_of_job && job->told && job->submitted_at <= account.began_at) {
    account.early = account.early + known;
    account.early_left = account.left_since_began;
  } else {
    // A fall that was there when the last of them was told turns out to be a later job's.
    account.early_left = std::min(account.early_left, account.left_since_began);
  }
}

// ---- The report -----------------------------------------------------------------------------------------------------

Result<CreditReport> CreditUse::finish() {
  if (query_.by == CreditQuery::By::Label && !notes_.empty() && label_names_.count(query_.label) == 0) {
    const std::vector<std::string_view> names(label_names_.begin(), label_names_.end());
    return usage_error(
        fmt::format("no job has a label '{}'{}: {}", query_.label, did_you_mean(query_.label, names),
                    names.empty() ? "none has any" : fmt::format("there are {}", fmt::join(names, ", "))));
  }
  CreditReport report;
  Sums all;
  for (Account& account : accounts_) {
    if (account.began_here && account.change) {
      const Credits raise = std::clamp(Credits{} - account.early_left, Credits{}, std::max(account.early, Credits{}));
      account.sums.unattributed = account.sums.unattributed + raise;
      account.change->first = account.change->first + raise + account.told_later;
      if (divides_balance()) {
        Sums& began = buckets_[account.began_in].sums;
        began.unattributed = began.unattributed + raise;
      }
    }
    if (!account.change && account.stood) {
      const auto& [balance, at] = *account.stood;
      account.change = BalanceChange{balance, at, balance, at, {}, {}, {}};
    }
    if (account.sums.jobs == 0 && !account.change) continue;
    if (account.change) {
      BalanceChange& change = *account.change;
      change.told_at = account.told_at;
      if (account.balance_at == change.last_at) change.after_last = account.pending_here;
      change.elsewhere = account.sums.used + account.sums.unattributed - (change.first - change.last);
    }
    all.jobs += account.sums.jobs;
    all.unknown += account.sums.unknown;
    all.open += account.sums.open;
    all.open_unpriced += account.sums.open_unpriced;
    all.used = all.used + account.sums.used;
    all.reserved = all.reserved + account.sums.reserved;
    if (account.sums.balance_seen) all.add_unattributed(account.sums.unattributed);
    report.accounts.push_back({account.sums.line(account.record.name), account.change, account.record.credit_meaning,
                               account.record.credit_evidence});
  }
  std::sort(buckets_.begin(), buckets_.end(), [](const Bucket& a, const Bucket& b) {
    return std::tuple(a.name.empty(), a.order, std::string_view(a.name)) <
           std::tuple(b.name.empty(), b.order, std::string_view(b.name));
  });
  for (const Bucket& bucket : buckets_) report.lines.push_back(bucket.sums.line(bucket.name));
  if (!divides_balance() && all.balance_seen) {
    CreditLine rest = Sums().line("unattributed");
    rest.unattributed = all.unattributed;
    report.unattributed = std::move(rest);
  }
  report.sums = all.line("");
  report.query = std::move(query_);
  return report;
}

Result<CreditReport> make_credit_report(Ledger& ledger, const CreditQuery& query) {
  Result<std::vector<AccountRecord>> accounts = ledger.accounts();
  if (!accounts) return tl::unexpected(accounts.error());
  Result<std::map<RunId, std::string>> runs = ledger.run_names();
  if (!runs) return tl::unexpected(runs.error());
  CreditUse use(query, std::move(*accounts), std::move(*runs));
  const Result<void> read = ledger.for_each_credit_fact([&](const PaidJob& job) { return use.add(job); },
                                                        [&](const FigureSeen& seen) -> Result<void> {
                                                          use.add(seen);
                                                          return {};
                                                        });
  if (!read) return tl::unexpected(read.error());
  return use.finish();
}

}  // namespace reelbatch
