#include "runner/runner.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/raw_fields.h"
#include "jobs/registry.h"
#include "runner/check.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

/// How long a stopping run waits for what is on the wire.
constexpr Duration kDrainTime = 10s;
/// A job that timed out longer ago than this is polled once a run.
constexpr Duration kPollOnceAfter = 24h;
/// A run after one that did not end cleanly cannot know its sends of this long.
constexpr Duration kUnknownSends = 1min;
/// The loop looks at the wall clock and shows progress at least this often.
constexpr Duration kIdleTurn = 1s;
/// A service that so often in a row would not tell of several jobs at once is not asked that way again in this run.
constexpr int kGroupsRefusedMost = 3;
/// See company(): this part of the interval, and never longer than the second.
constexpr int kIntervalPart = 32;
constexpr Duration kCompanyMost = 100ms;

}  // namespace

Runner::Runner(const Clock& clock, Transport& transport, Ledger& ledger, const StopRequest& stop, Progress& progress,
               Rng& rng, const RunnerOptions& options, std::vector<RunnerAccount> accounts)
    : clock_(clock),
      transport_(transport),
      ledger_(ledger),
      stop_(stop),
      progress_(progress),
      rng_(rng),
      options_(options) {
  started_ = clock_.now();
  for (RunnerAccount& account : accounts) {
    accounts_.push_back(std::make_unique<Account>(std::move(account), options_.outage_timeout, started_));
  }
}

Runner::~Runner() = default;

// ---- Setting up -----------------------------------------------------------------------------------------------------

Result<RunOutcome> Runner::run(const RunRecord& run) {
  run_ = commit_.run = run.id;
  run_uid_ = run.uid;
  if (Result<void> done = set_max_credits(); !done) return tl::unexpected(done.error());
  if (Result<void> done = load_limits(); !done) return tl::unexpected(done.error());
  for (const auto& account : accounts_) {
    if (Result<void> done = load_credits(*account); !done) return tl::unexpected(done.error());
  }
  if (Result<void> done = load_open_jobs(); !done) return tl::unexpected(done.error());
  if (Result<void> done = load_lost_jobs(); !done) return tl::unexpected(done.error());
  const Result<std::int64_t> planned = ledger_.planned_count(run.id);
  if (!planned) return tl::unexpected(planned.error());
  counts_.planned = *planned;
  for (const auto& account : accounts_) {
    if (Result<void> done = refill(*account); !done) return tl::unexpected(done.error());
    if (!account->options.service->balance_path.empty() && has_work(*account)) {
      account->balance = Account::Balance::NotTold;
      account->balance_at = started_;
      account->balance_tries = 0;
    }
    if (Result<void> done = warn_of_labels(*account); !done) return tl::unexpected(done.error());
  }
  warn_of_repairs();
  progress_.update(counts_, started_);

  Happenings happened;
  while (true) {
    const Instant now = clock_.now();
    check_limits(now);
    Result<void> written = choose_starts(now);
    if (written) written = commit();
    if (!written) {
      tell_unrecorded();
      return tl::unexpected(written.error());
    }
    progress_.update(counts_, now);
    if (finished()) {
      tell_passed_budgets();
      return outcome(now);
    }
    transport_.wait_until(next_wakeup(now), happened);
    for (const Ready& ready : happened.ready) note_sent(ready);
    for (Completion& completion : happened.completions) settle(completion);
  }
}

/// Of what counts for a limit: how long ago it left, for all that is known.
Duration Runner::age_of(const SendRecord& send) const {
  // After another boot the wall clock is all there is. Set back since, it makes a send look newer than now: it then
  // counts from now.
  const bool same_boot = send.boot != 0 && send.boot == clock_.boot();
  const Duration ago = same_boot ? started_.time_since_epoch() - std::chrono::milliseconds(send.uptime)
                                 : Duration(clock_.wall() - send.at);
  return std::max(ago, Duration::zero());
}

/// In whole milliseconds, and never too early: a send that is taken for an earlier one would free its slot early.
SendRecord Runner::record_of(const Account& account, bool submission, Instant sent_at) const {
  using std::chrono::milliseconds;
  SendRecord record{account.record.id, submission, {}, 0, clock_.boot()};
  record.at = clock_.wall() + milliseconds(1) - std::chrono::floor<milliseconds>(clock_.now() - sent_at);
  record.uptime = std::chrono::ceil<milliseconds>(sent_at.time_since_epoch()).count();
  return record;
}

Result<void> Runner::load_limits() {
  std::vector<AccountId> ids;
  for (const auto& account : accounts_) ids.push_back(account->record.id);
  const Result<Ledger::PastSends> past = ledger_.begin_work(ids);
  if (!past) return tl::unexpected(past.error());
  for (const auto& account : accounts_) {
    const AccountId id = account->record.id;
    const bool complete = std::find(past->incomplete.begin(), past->incomplete.end(), id) == past->incomplete.end();
    for (const SendRecord& send : past->sends) {
      if (send.account != id) continue;
      Duration ago = age_of(send);
      // Recorded before its connection was made: it left up to so much later.
      if (!complete) ago = std::max(ago - options_.request_timeout, Duration::zero());
      RateLimiter& limiter = send.submission ? account->gate.submissions() : account->gate.all();
      if (ago < limiter.longest()) limiter.remember(started_ - ago);
    }
    if (!complete) {
      account->gate.all().assume_full(started_, kUnknownSends);
      account->gate.submissions().assume_full(started_, kUnknownSends);
    }
  }
  return {};
}

Result<void> Runner::load_open_jobs() {
  const Result<std::vector<OpenJob>> jobs = ledger_.open_jobs();
  if (!jobs) return tl::unexpected(jobs.error());
  const WallTime wall = clock_.wall();
  for (const OpenJob& job : *jobs) {
    const auto account = std::find_if(accounts_.begin(), accounts_.end(),
                                      [&](const auto& candidate) { return candidate->record.id == job.account; });
    const JobKind* kind = find_kind(job.kind);
    if (account == accounts_.end() || kind == nullptr) {
      progress_.warn(fmt::format("job {} stays in flight: its account is not configured", job.remote_id));
      continue;
    }
    Flight flight;
    flight.id = job.id;
    flight.account = account->get();
    flight.kind = kind;
    flight.remote_id = job.remote_id;
    flight.subject = job.subject;
    flight.followed = job.followed;
    flight.repairs = job.repairs;
    flight.state = job.state;
    flight.polls = job.polls;
    flight.found = true;
    flight.reserved_before = job.reserved;
    ++flight.account->found_open;
    flight.account->book.unshown().found(job.id, job.reserved.value_or(Credits{}));
    Result<std::vector<Spending::Group>> groups = groups_of(*flight.account, job.labels);
    if (!groups) return tl::unexpected(groups.error());
    flight.groups = std::move(*groups);
    for (const Spending::Group group : flight.groups) ++flight.account->by_label[group - 1].found_open;
    const Duration age = wall - job.accepted_at;
    flight.wait_until = started_ + options_.job_timeout;
    flight.known_by = started_ + kNotYet;
    flight.believed_from = started_ + kPastLasts - std::clamp<Duration>(age, Duration::zero(), kPastLasts);
    // One that a killed run left has had no time of its own yet, however old it is.
    const bool had_its_time = job.state == State::TimedOut;
    flight.give_up = had_its_time && age > options_.give_up_after;
    flight.last_chance = flight.give_up || (had_its_time && age > kPollOnceAfter);
    flight.counted = !flight.last_chance;
    if (flight.state == State::TimedOut && !flight.last_chance) {
      commit_.steps.push_back(step_of(job.id, State::TimedOut, Event::Resume, ""));
      flight.state = State::InFlight;
    }
    if (Result<void> told = find_in_book(*flight.account, job); !told) return told;
    const bool on_subject = !flight.subject.empty();
    if (on_subject) {
      const Result<Group*> group = gather(*flight.account, flight.subject);
      if (!group) return tl::unexpected(group.error());
    } else if (Result<void> done = gather_if_in_flight(*flight.account, flight.remote_id); !done) {
      return done;
    }
    Flight& found = enter(std::move(flight));
    // The rows that a crash kept back go first.
    const bool more_to_submit = on_subject && !found.account->groups[found.subject].waiting.empty();
    schedule(found, more_to_submit ? started_ + options_.poll_interval : started_);
  }
  // When all are here: after a step of the clock a repair may seem older than the job with the part.
  for (const OpenJob& job : *jobs) {
    const auto owner = flights_.find(job.repairs);
    if (owner != flights_.end() && flights_.contains(job.id)) work_on(owner->second);
  }
  return {};
}

/// Tells the book of a job that another process submitted.
Result<void> Runner::find_in_book(Account& account, const OpenJob& job) {
  if (job.repairs != 0) return {};
  account.book.found(job.id, job.followed ? job.remote_id : job.subject, job.used);
  if (!job.worked_on || job.followed) return {};
  const Result<std::optional<Credits>> used = ledger_.used_on(job.account, job.remote_id);
  if (!used) return tl::unexpected(used.error());
  if (*used) account.book.stands_at(job.remote_id, **used);
  account.book.is_worked_on(job.id, job.remote_id);
  return {};
}

// ---- A turn ---------------------------------------------------------------------------------------------------------

void Runner::check_limits(Instant now) {
  if (!stopping_ && stop_.requested()) stop_all(now, "signal", "a signal asked it to stop");
  if (!stopping_ && deadline(now) <= now) stop_all(now, "deadline", "the deadline passed");
  for (const auto& account : accounts_) {
    if (account->gate.outage_at() <= now) {
      stop_account(*account, StopCause::Outage,
                   fmt::format("no successful exchange for {:%Q%q}: {}",
                               std::chrono::duration_cast<std::chrono::seconds>(options_.outage_timeout),
                               account->last_failure));
    }
  }
  if (stopping_ && now >= drain_until_) abandon_exchanges();
}

/// No new work from now on; what is on the wire has kDrainTime to come back.
void Runner::stop_all(Instant now, std::string by, std::string detail) {
  stopping_ = true;
  drain_until_ = now + kDrainTime;
  if (stopped_by_.empty()) {
    stopped_by_ = std::move(by);
    stopped_detail_ = std::move(detail);
  }
}

/// What did not come back in time: a submission may have been taken, a poll is repeated by the next run.
void Runner::abandon_exchanges() {
  for (auto& [id, exchange] : exchanges_) {
    if (!exchange.submission()) continue;
    // Without a connection that was ready, no byte can have left: the transport does nothing any more.
    if (exchange.sent) {
      hold(*exchange.account, exchange.pending, "the run was stopped while the answer was awaited");
    } else {
      not_taken(*exchange.account, exchange.pending, "the run was stopped before there was a connection", false);
    }
  }
  exchanges_.clear();
}

Instant Runner::deadline(Instant now) const {
  Instant at = options_.deadline.value_or(kNever);
  if (options_.deadline_wall) at = std::min<Instant>(at, now + Duration(*options_.deadline_wall - clock_.wall()));
  return at;
}

Result<void> Runner::choose_starts(Instant now) {
  if (stopping_) return {};
  for (const auto& account : accounts_) {
    if (Result<void> done = renew_budget(*account); !done) return done;
    if (Result<void> done = renew_groups(*account); !done) return done;
    if (Result<void> done = choose_starts(*account, now); !done) return done;
  }
  return {};
}

Result<void> Runner::choose_starts(Account& account, Instant now) {
  while (has_connection()) {
    const bool may_ask = account.gate.poll_at() <= now;
    if (may_ask && ask_due(account) <= now) {
      start_ask(account, now);
      continue;
    }
    const Instant polls = poll_due(account);
    const bool can_poll = may_ask && polls <= now;
    const Result<Instant> row = row_due(account, now);
    if (!row) return tl::unexpected(row.error());
    const bool polls_are_late = polls != kNever && now - polls > options_.poll_interval;
    if (can_poll && (polls <= *row || polls_are_late)) {
      start_poll(account, now);
    } else if (*row <= now && !polls_are_late) {
      if (Result<void> done = start_row(account, now); !done) return done;
    } else {
      return {};
    }
  }
  return {};
}

bool Runner::has_connection() const {
  return transport_.open() + starts_.size() < static_cast<std::size_t>(options_.max_connections);
}

/// When the account's next job is to be polled; never if none waits.
Instant Runner::poll_due(Account& account) {
  while (!account.due.empty()) {
    const Account::Due& next = account.due.top();
    const auto flight = flights_.find(next.job);
    if (flight != flights_.end() && flight->second.waits && flight->second.due == next.at) return next.at;
    account.due.pop();
  }
  return kNever;
}

/// Chooses the earliest due job, and with it as many others of its kind as one request may ask for: those due within
/// half an interval come early, so that jobs which may go together soon do.
void Runner::start_poll(Account& account, Instant now) {
  OpenExchange exchange;
  exchange.account = &account;
  std::vector<PolledJob> jobs;
  Flight& first = flights_.at(account.due.top().job);
  const auto take = [&](Flight& flight) {
    ++flight.polls;
    flight.waits = false;
    flight.due = first.due;
    jobs.push_back({flight.remote_id, flight.subject});
    exchange.polled.push_back(flight.id);
  };
  take(first);
  if (!first.subject.empty()) {
    Group& group = account.groups[first.subject];
    group.polling = true;
    for (const JobId id : group.open) {
      if (id != first.id) take(flights_.at(id));
    }
  } else if (!first.alone && account.groups_refused < kGroupsRefusedMost) {
    const Instant company = std::max(now, first.due + options_.poll_interval / 2);
    while (jobs.size() < first.kind->poll_max() && poll_due(account) <= company) {
      Flight& next = flights_.at(account.due.top().job);
      if (next.kind != first.kind || next.alone) break;
      take(next);
    }
  }
  account.gate.poll_starts();
  start(account, first.kind->poll(jobs), std::move(exchange));
}

/// Submits or follows the row that row_due() spoke of.
Result<void> Runner::start_row(Account& account, Instant now) {
  Pending pending = take_out(account, account.next);
  if (!pending.followed.empty()) return follow(account, std::move(pending), now);
  start_submission(account, std::move(pending), account.next.group);
  return {};
}

/// The decision, with what the row's job is called from now on.
Intent Runner::intent_of(Pending& pending) {
  Intent intent;
  intent.is_new = pending.row.job == 0;
  if (intent.is_new) {
    pending.row.job = ledger_.next_job_id();
    if (pending.repair) pending.row.id = pending.repair->ref += fmt::format("/{}", pending.row.job);
  }
  intent.job = pending.row.job;
  intent.row = pending.row.number;
  intent.listing = pending.row.listing;
  intent.content = pending.row.content;
  intent.at = clock_.wall();
  intent.subject = pending.row.subject;
  intent.followed = pending.followed;
  intent.repair = pending.repair;
  return intent;
}

/// A job that is at the service already is polled from now on.
Result<void> Runner::follow(Account& account, Pending pending, Instant now) {
  if (Result<void> done = gather_if_in_flight(account, pending.followed); !done) return done;
  commit_.intents.push_back(intent_of(pending));
  progress_.detail(fmt::format("{}: follows {}", pending.row.id, pending.followed));
  --counts_.planned;
  account.book.found(pending.row.job, pending.followed);
  Flight& flight = take_off(account, pending.row.job, *pending.kind, pending.followed, "");
  flight.followed = true;
  schedule(flight, next_poll_of_group(flight).value_or(now));
  return {};
}

/// Prepares the row's intent and its request.
void Runner::start_submission(Account& account, Pending pending, Group* group) {
  Intent intent = intent_of(pending);
  const Spending::Price price = price_of(account, *pending.kind);
  intent.reserved = price.highest;
  account.spending.reserve(intent.job, price, pending.groups);
  run_spending_.reserve(intent.job, price);
  account.book.unshown().reserve(intent.job, price.highest.value_or(Credits{}));
  // What a repair costs is told by the job that has the part.
  if (!pending.repair) account.book.open(intent.job, intent.subject);

  OpenExchange exchange;
  exchange.account = &account;
  exchange.errand = Errand::Submission;
  exchange.needs_place = group == nullptr || group->counted == 0;
  if (group != nullptr) {
    group->submitting = true;
    for (const JobId id : group->open) flights_.at(id).waits = false;  // polled after the last of them was submitted
  }
  const Request request = pending.kind->submit(pending.fields, marker_of(run_uid_, intent.job));
  exchange.pending = std::move(pending);
  account.gate.submit_starts(exchange.needs_place);
  commit_.intents.push_back(std::move(intent));
  start(account, request, std::move(exchange));
}

void Runner::start(Account& account, const Request& request, OpenExchange exchange) {
  Exchange wire;
  wire.id = ++last_exchange_;
  wire.method = request.method;
  wire.url = account.options.base_url + request.path;
  wire.headers = account.headers;
  wire.body = request.body;
  wire.paid = exchange.submission();
  wire.list = exchange.errand == Errand::Search;
  // Windows longer than a crash can be waited out need every send on disk before it happens.
  const auto record_send = [&](const RateLimiter& limiter, bool submission) {
    if (limiter.longest() > kUnknownSends) commit_.sends.push_back(record_of(account, submission, clock_.now()));
  };
  record_send(account.gate.all(), false);
  if (exchange.submission()) record_send(account.gate.submissions(), true);
  exchanges_.emplace(wire.id, std::move(exchange));
  starts_.push_back(std::move(wire));
  ++counts_.requests;
}

/// Writes the turn, then does what it says: nothing leaves before it is on disk.
Result<void> Runner::commit() {
  for (const auto& account : accounts_) {
    const Credits sum = account->book.unshown().sum();
    if (std::exchange(account->unshown, sum) != sum) commit_.unshown.push_back({account->record.id, sum});
  }
  if (Result<void> done = ledger_.commit(commit_); !done) return done;
  commit_.clear();
  adopt_lines_.clear();
  accepted_in_turn_.clear();
  for (Exchange& exchange : starts_) transport_.start(std::move(exchange));
  starts_.clear();
  return {};
}

/// How long a due poll waits for others that are due soon: to wake for each would cost more than the polls themselves.
Duration Runner::company() const {
  return std::min(options_.poll_interval / kIntervalPart, kCompanyMost);
}

/// The ledger takes nothing any more: acceptances that it does not know, and those that are still on their way, go to
/// the operator.
void Runner::tell_unrecorded() {
  for (const Exchange& never_started : starts_) exchanges_.erase(never_started.id);
  starts_.clear();
  auto tell = [this, first = true]() mutable {
    if (first && !adopt_lines_.empty()) {
      progress_.alarm("the service accepted these and it could not be recorded; before the next run:");
      first = false;
    }
    for (const std::string& line : adopt_lines_) progress_.alarm(line);
    adopt_lines_.clear();
  };
  tell();
  const auto is_submission = [](const auto& open) { return open.second.submission(); };
  const Instant until = clock_.now() + kDrainTime;
  Happenings happened;
  for (Instant now = clock_.now(); now < until && std::any_of(exchanges_.begin(), exchanges_.end(), is_submission);
       now = clock_.now()) {
    transport_.wait_until(std::min(until, now + kIdleTurn), happened);
    for (const Ready& ready : happened.ready) note_sent(ready);
    for (Completion& completion : happened.completions) settle(completion);
    tell();
  }
}

Instant Runner::next_wakeup(Instant now) {
  Instant wake = now + kIdleTurn;
  if (stopping_) return std::min(wake, drain_until_);
  const bool connection = has_connection();
  for (const auto& account : accounts_) {
    AccountGate& gate = account->gate;
    wake = std::min(wake, gate.outage_at());
    if (!connection) continue;
    if (account->passing && (gate.submit_at() <= now || (gate.may_poll() && !gate.may_submit()))) wake = now;
    const auto consider = [&](Instant due, Instant allowed) {
      if (due != kNever && allowed != kNever) wake = std::min(wake, std::max(due, allowed));
    };
    if (const Instant polls = poll_due(*account); polls != kNever) consider(polls + company(), gate.poll_at());
    consider(ask_due(*account), gate.poll_at());
    // A row that may be sent by the clock but is not sent now waits for an event, not for a time.
    const bool needs_place = account->ready_groups.empty() || account->ready_groups.front()->counted == 0;
    if (const Instant at = gate.submit_at(needs_place); has_rows(*account) && at > now) consider(at, at);
  }
  return std::min(wake, deadline(now));
}

/// Jobs to poll, or rows to submit or follow, apart from what is on the wire.
bool Runner::has_work(Account& account) {
  return account.gate.may_poll() && (has_rows(account) || poll_due(account) != kNever);
}

bool Runner::finished() {
  if (!exchanges_.empty()) return false;
  if (stopping_) return true;
  return std::none_of(accounts_.begin(), accounts_.end(),
                      [&](const auto& account) { return has_work(*account) || ask_due(*account) != kNever; });
}

RunOutcome Runner::outcome(Instant now) {
  RunOutcome outcome;
  outcome.stopped_by = stopped_by_;
  outcome.stopped_detail = stopped_detail_;
  for (const auto& account : accounts_) {
    AccountGate& gate = account->gate;
    outcome.accounts.push_back(account->record.id);
    if (gate.cause() != StopCause::None) {
      outcome.accounts_stopped.push_back(fmt::format("{}: {}", account->record.name, gate.why()));
      outcome.key_refused |= gate.cause() == StopCause::Key;
      outcome.address_refused |= gate.cause() == StopCause::Address && !accepted_any_;
      if (outcome.stopped_by.empty()) {
        outcome.stopped_by = name_of(gate.cause());
        outcome.stopped_detail = outcome.accounts_stopped.back();
      }
    }
    for (std::size_t i = 0; i < account->by_label.size(); ++i) {
      const Account::LabelGroup& label = account->by_label[i];
      if (label.passed.empty()) continue;
      const LabelBudget& budget = account->options.budget.labels[i];
      outcome.budgets_reached.push_back({account->record.name, budget.label, budget.value, label.passed});
    }
    const auto keep = [&](RateLimiter& limiter, bool submission) {
      for (const Instant at : limiter.recent(now)) outcome.sends.push_back(record_of(*account, submission, at));
    };
    keep(gate.all(), false);
    keep(gate.submissions(), true);
  }
  if (outcome.stopped_by.empty() && !outcome.budgets_reached.empty()) {
    outcome.stopped_by = name_of(StopCause::Budget);
    outcome.stopped_detail = outcome.budgets_reached.front().why;
  }
  if (outcome.stopped_by.empty() && timed_out_any_) {
    outcome.stopped_by = "job_timeout";
    outcome.stopped_detail = "some jobs took longer than the job timeout";
  }
  return outcome;
}

}  // namespace reelbatch
