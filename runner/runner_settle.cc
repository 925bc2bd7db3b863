// What came back, and what it means for the job, the row and the account (PRODUCT.md 4.5 to 4.7).
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/http_rules.h"
#include "jobs/retry_after.h"
#include "runner/check.h"
#include "runner/credentials.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPollBackoffMost = 60s;

/// One word of a command that an operator may copy.
std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool has_redacted(std::string_view text) {
  return text.find(kRedacted) != std::string_view::npos;
}

std::chrono::seconds whole_seconds(Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration);
}

}  // namespace

void Runner::note_sent(const Ready& ready) {
  const auto found = exchanges_.find(ready.id);
  if (found == exchanges_.end()) return;
  OpenExchange& exchange = found->second;
  exchange.account->gate.sent(exchange.submission(), ready.at, exchange.sent);
  exchange.sent = true;
  exchange.sent_at = ready.at;
}

void Runner::settle(Completion& completion) {
  const auto found = exchanges_.find(completion.id);
  if (found == exchanges_.end()) return;  // given up while the run was stopping
  OpenExchange exchange = std::move(found->second);
  exchanges_.erase(found);
  Account& account = *exchange.account;
  if (!exchange.sent) {
    account.gate.never_sent(exchange.submission());
    exchange.sent_at = completion.at;
  }
  if (account.redact) {
    exchange.redacted = account.redact(completion.body);
    account.redact(completion.error);
    account.redact(completion.location);
  }
  note_health(account, exchange, completion);
  switch (exchange.errand) {
    case Errand::Submission:
      return settle_row(exchange, completion);
    case Errand::Poll:
      return settle_poll(exchange, completion);
    case Errand::Balance:
      return settle_balance(account, exchange, completion);
    case Errand::Search:
      return settle_search(account, exchange, completion);
  }
}

/// What the exchange says of the service itself, whatever it was about.
void Runner::note_health(Account& account, const OpenExchange& exchange, const Completion& completion) {
  if (completion.answered && completion.status == 429) return throttle(account, completion);
  if (completion.answered && completion.status < 500) {
    if (completion.status != 401) account.gate.answered();
    return;
  }
  account.last_failure = completion.answered ? describe_status(completion.status) : completion.error;
  const bool untaken = exchange.submission() && (!completion.may_have_left || is_known_not_taken(account, completion));
  const bool again = !exchange.submission() || untaken;  // one that may have been taken is held, and says so itself
  if (again && account.gate.outage_at() == kNever && !stopping_) {
    progress_.warn(fmt::format("{}: {}; trying again", account.record.name, account.last_failure));
  }
  account.gate.failed(completion.at, untaken, rng_);
}

bool Runner::is_known_not_taken(const Account& account, const Completion& completion) const {
  const std::vector<int>& known = account.options.not_taken;
  return completion.answered && std::find(known.begin(), known.end(), completion.status) != known.end();
}

void Runner::throttle(Account& account, const Completion& completion) {
  const std::optional<std::chrono::milliseconds> wait = parse_retry_after(completion.retry_after, clock_.wall());
  const Duration held = account.gate.throttled(completion.at, wait ? std::optional<Duration>(*wait) : std::nullopt);
  account.last_failure = describe_status(429);
  const Instant until = completion.at + held;
  const bool too_long = held > options_.outage_timeout || until >= deadline(completion.at);
  const std::string words =
      fmt::format("the service asks to wait until {} ({})",
                  to_rfc3339(clock_.wall() + std::chrono::ceil<std::chrono::milliseconds>(held)), describe_status(429));
  if (too_long) {
    stop_account(account, StopCause::Outage, words + ", which is longer than this run may wait");
  } else {
    progress_.detail(fmt::format("{}: {}", account.record.name, words));
  }
}

// ---- Submissions ----------------------------------------------------------------------------------------------------

void Runner::settle_row(OpenExchange& exchange, const Completion& completion) {
  Account& account = *exchange.account;
  account.gate.submission_ended(exchange.needs_place);
  const std::string subject = exchange.pending.row.subject;
  if (!subject.empty()) account.groups[subject].submitting = false;
  settle_submission(exchange, completion);
  if (!subject.empty()) group_goes_on(account, subject, completion.at);
}

void Runner::settle_submission(OpenExchange& exchange, const Completion& completion) {
  Account& account = *exchange.account;
  Pending& row = exchange.pending;
  if (!completion.answered) {
    if (!completion.may_have_left) return not_taken(account, row, completion.error, false);
    return hold(account, row, completion.error);
  }
  if (is_known_not_taken(account, completion)) return not_taken(account, row, describe_status(completion.status), true);

  const SubmitVerdict verdict = row.kind->read_submit({completion.status, completion.body});
  Credited about{row.row.job, row.row.subject.empty() ? std::string_view(verdict.remote_id) : row.row.subject};
  if (row.repair) about.job = flights_.contains(row.repair->of) ? row.repair->of : 0;
  see_credits(account, exchange, about, verdict.credits, completion.at);
  switch (verdict.outcome) {
    case SubmitOutcome::Accepted:
      if (exchange.redacted && has_redacted(verdict.remote_id)) {
        return hold(account, row,
                    "the service took it and gave it an id with the account's key in it, which is kept "
                    "nowhere: it cannot be followed");
      }
      return accept(account, row, verdict);
    case SubmitOutcome::Throttled:
      return not_taken(account, row, verdict.detail, true);
    case SubmitOutcome::RowRefused:
      return refuse(account, row, verdict.detail);
    case SubmitOutcome::Unknown:
      return hold(account, row, verdict.detail);
    case SubmitOutcome::AddressRefused:
      // The address is right, since it took the job that has the part: it is the part that is not known.
      if (row.repair) return refuse(account, row, verdict.detail);
      break;
    case SubmitOutcome::KeyRefused:
    case SubmitOutcome::NoCredits:
      break;
  }
  not_taken(account, row, verdict.detail, true);
  if (verdict.outcome == SubmitOutcome::KeyRefused) {
    stop_submitting(account, StopCause::Key, fmt::format("the service refused the key: {}", verdict.detail));
  } else if (verdict.outcome == SubmitOutcome::NoCredits) {
    stop_submitting(account, StopCause::Credits, fmt::format("no credits left: {}", verdict.detail));
  } else {
    const std::string to = completion.location.empty() ? "" : fmt::format(" to {}", completion.location);
    stop_submitting(account, StopCause::Address,
                    fmt::format("{}{}: check base_url ({})", verdict.detail, to, account.options.base_url));
  }
}

/// False for an id that another job got in this turn, which the ledger does not know yet.
bool Runner::is_first_in_turn(const Account& account, std::string_view remote_id) {
  return accepted_in_turn_.insert(fmt::format("{} {} {}", account.record.service, account.record.origin, remote_id))
      .second;
}

void Runner::accept(Account& account, const Pending& row, const SubmitVerdict& verdict) {
  const JobId job = row.row.job;
  // A new video cannot be one that another row follows.
  const auto followers = row.row.subject.empty() ? Ledger::Followers::Counted : Ledger::Followers::Ignored;
  const Result<JobId> other = ledger_.job_with_remote_id(account.record.id, verdict.remote_id, job, followers);
  if ((other && *other != 0) || !is_first_in_turn(account, verdict.remote_id)) {
    // So its figures are no price of this row's.
    commit_.credits.push_back({account.record.id, job, clock_.wall(), {}, std::nullopt, false, true});
    return hold(account, row, fmt::format("the answer names job {}, which another row has", verdict.remote_id));
  }
  account.gate.accepted();
  account.balance_moved = true;
  accepted_any_ = true;
  Step step = step_of(job, State::Submitting, Event::Accept, "");
  step.remote_id = verdict.remote_id;
  commit_.steps.push_back(std::move(step));
  adopt_lines_.push_back(fmt::format("reelbatch resolve {} adopt {} --kind {} --account {}", shell_quoted(row.row.id),
                                     shell_quoted(verdict.remote_id), row.kind->name(),
                                     shell_quoted(account.record.name)));
  progress_.detail(fmt::format("{}: accepted as {}", row.row.id, verdict.remote_id));
  --counts_.planned;
  Flight& flight = take_off(account, job, *row.kind, verdict.remote_id, row.row.subject);
  if (row.repair) {
    flight.repairs = row.repair->of;
    repair_accepted(account, row);
  }
  if (row.row.subject.empty()) schedule(flight, clock_.now() + options_.poll_interval);
  if (!account.gate.may_poll()) leave_price_unknown(account, job);  // it is polled by a later run
}

/// A job is in flight from now on; when it is polled is for the caller to say.
Runner::Flight& Runner::take_off(Account& account, JobId job, const JobKind& kind, std::string remote_id,
                                 std::string subject) {
  Flight flight;
  flight.id = job;
  flight.account = &account;
  flight.kind = &kind;
  flight.remote_id = std::move(remote_id);
  flight.subject = std::move(subject);
  const Instant now = clock_.now();
  flight.wait_until = now + options_.job_timeout;
  flight.known_by = now + kNotYet;
  flight.believed_from = now + kPastLasts;
  return enter(std::move(flight));
}

void Runner::refuse(Account& account, const Pending& row, const std::string& why) {
  commit_.steps.push_back(step_of(row.row.job, State::Submitting, Event::Refuse, why));
  account.gate.accepted();  // an answer that leaves no doubt ends the streak of doubtful ones
  forget_price(account, row.row.job);
  progress_.detail(fmt::format("{}: refused: {}", row.row.id, why));
  --counts_.planned;
  ++counts_.failed;
}

/// Nothing was bought.
void Runner::forget_price(Account& account, JobId job) {
  account.book.close(job);
  account.book.unshown().release(job);
  account.spending.release(job);
  run_spending_.release(job);
}

/// What the job reserved stays spent in this run.
void Runner::leave_price_unknown(Account& account, JobId job) {
  account.spending.settle(job, std::nullopt);
  run_spending_.settle(job, std::nullopt);
}

/// Certainly not accepted: the row waits for its turn again, at the front. `left` says whether a request reached the
/// wire.
void Runner::not_taken(Account& account, Pending& row, const std::string& why, bool left) {
  Step step = step_of(row.row.job, State::Submitting, Event::NotTaken, why);
  if (!left) step.unsent_row = row.row.number;
  commit_.steps.push_back(std::move(step));
  forget_price(account, row.row.job);
  progress_.detail(fmt::format("{}: not taken: {}", row.row.id, why));
  put_back(account, row);
}

/// To where its turn comes next.
void Runner::put_back(Account& account, Pending& row) {
  if (row.row.subject.empty()) return account.ready.push_front(std::move(row));
  Group& group = account.groups[row.row.subject];
  group.waiting.push_front(std::move(row));
  queue(account, group);
}

/// Maybe accepted: never sent again by itself.
void Runner::hold(Account& account, const Pending& row, const std::string& why) {
  commit_.steps.push_back(step_of(row.row.job, State::Submitting, Event::Lose, why));
  // Its reservation stays spent in this run; waiting for it to be settled would be waiting for an operator.
  leave_price_unknown(account, row.row.job);
  account.gate.doubtful(clock_.now());
  account.balance_moved = true;
  look_for(account, {row.row.job, row.kind, row.row.id, marker_of(run_uid_, row.row.job), kLooks, true});
  progress_.warn(
      fmt::format("{} is held and not sent again by itself, it may have been accepted: {}", row.row.id, why));
  --counts_.planned;
  ++counts_.held;
}

// ---- Polls ----------------------------------------------------------------------------------------------------------

void Runner::settle_poll(const OpenExchange& exchange, Completion& completion) {
  std::vector<PolledJob> jobs;
  for (const JobId id : exchange.polled) jobs.push_back({flights_.at(id).remote_id, flights_.at(id).subject});
  Account& account = *exchange.account;
  const std::string subject = flights_.at(exchange.polled.front()).subject;
  std::vector<PollVerdict> verdicts;
  if (completion.answered) {
    const Response response{completion.status, std::move(completion.body)};
    verdicts = flights_.at(exchange.polled.front()).kind->read_poll(jobs, response);
    CHECK(verdicts.size() == jobs.size());
  } else {
    PollVerdict lost;
    lost.detail = completion.error;
    verdicts.assign(jobs.size(), lost);
  }
  if (!subject.empty()) account.groups[subject].polling = false;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    Flight& flight = flights_.at(exchange.polled[i]);
    Credited about = credited(flight);
    about.ends = verdicts[i].outcome == PollOutcome::Done || verdicts[i].outcome == PollOutcome::Failed;
    see_credits(account, exchange, about, verdicts[i].credits, completion.at);
    settle_verdict(flight, verdicts[i], exchange, completion);
  }
  if (!subject.empty()) {
    group_polled(account, subject, completion.at);
  } else if (exchange.polled.size() > 1 && completion.answered) {
    const bool refused = std::all_of(verdicts.begin(), verdicts.end(), [](const PollVerdict& verdict) {
      return verdict.outcome == PollOutcome::AskAlone;
    });
    account.groups_refused = refused ? account.groups_refused + 1 : 0;
  }
}

void Runner::settle_verdict(Flight& flight, const PollVerdict& verdict, const OpenExchange& exchange,
                            const Completion& completion) {
  Account& account = *flight.account;
  const Instant sent_at = exchange.sent_at;
  // Counted from when it was due, so that waits for company do not add up; from when it was sent if it was late.
  const Instant next = (sent_at <= flight.due + company() ? flight.due : sent_at) + options_.poll_interval;
  Instant last_look = kNever;
  const bool asked_alone = exchange.polled.size() == 1;
  if (asked_alone && verdict.outcome != PollOutcome::NotKnown) flight.alone = false;
  const bool ended = verdict.outcome == PollOutcome::Done || verdict.outcome == PollOutcome::Failed;
  account.knows_jobs = account.knows_jobs || ended || verdict.outcome == PollOutcome::Running;
  const bool may_be_past = flight.kind->may_answer_with_the_past() || flight.subject == flight.remote_id;
  if (ended && may_be_past && exchange.sent_at < flight.believed_from) {
    flight.failures = 0;
    return wait_on(flight, completion.at, "still shows what was there before", next);
  }
  switch (verdict.outcome) {
    case PollOutcome::Done:
      flight.at_end = verdict.credits;
      if (exchange.redacted && has_redacted(verdict.url)) {
        std::string why =
            "the video's address has the account's key in it, which is kept nowhere: get it at the service";
        progress_.warn(fmt::format("job {}: {}", flight.remote_id, why));
        return end_flight(flight, Event::Finish, std::move(why), verdict.url);
      }
      return end_flight(flight, Event::Finish, "", verdict.url);
    case PollOutcome::Failed:
      flight.at_end = verdict.credits;
      return end_flight(flight, Event::Fail, verdict.detail, "");
    case PollOutcome::NotKnown:
      if (completion.at < flight.known_by && !flight.give_up) {
        return wait_on(flight, completion.at, verdict.detail, next);
      }
      return end_flight(flight, Event::Fail,
                        flight.found && !account.knows_jobs
                            ? fmt::format("{}, nor was any other of this account seen in this run: is its key that of "
                                          "the workspace that paid for it?",
                                          kNoLongerKnown)
                            : std::string(kNoLongerKnown),
                        "");
    case PollOutcome::Running:
      flight.failures = 0;
      flight.believed_from = exchange.sent_at;  // what was there before is over
      note_parts(flight, verdict, completion.at);
      return wait_on(flight, completion.at, verdict.detail, next);
    case PollOutcome::Throttled:
      --flight.polls;
      return schedule(flight, completion.at);  // waits for the account's hold
    case PollOutcome::KeyRefused:
      last_look = account.gate.key_refused(completion.at);
      if (completion.at >= last_look) {
        stop_account(account, StopCause::Key, fmt::format("the service refused the key: {}", verdict.detail));
      }
      break;
    case PollOutcome::AskAlone:
      if (asked_alone) break;  // it is
      flight.alone = true;
      return schedule(flight, completion.at);
    case PollOutcome::TryAgain:
      break;
  }
  Instant due = completion.at + backoff_delay(++flight.failures, options_.poll_interval, kPollBackoffMost, rng_);
  if (const auto floor = parse_retry_after(completion.retry_after, clock_.wall()))
    due = std::max(due, completion.at + *floor);
  due = std::min(due, std::max(last_look, completion.at + options_.poll_interval));
  progress_.detail(fmt::format("job {}: {}; polled again in {:%Q%q}", flight.remote_id, verdict.detail,
                               whole_seconds(due - completion.at)));
  wait_on(flight, completion.at, verdict.detail, due);
}

/// Not finished: polled again at `due`, unless its time is up.
void Runner::wait_on(Flight& flight, Instant now, const std::string& why, Instant due) {
  if (flight.give_up) {
    return end_flight(flight, Event::Fail,
                      fmt::format("given up {:%Q%q} after it was accepted; its price is unknown",
                                  std::chrono::duration_cast<std::chrono::hours>(options_.give_up_after)),
                      "");
  }
  if (flight.last_chance) return forget(flight);  // stays timed out
  // A service that asks to wait beyond the timeout will not be asked again before it.
  if (now < flight.wait_until && due < flight.wait_until + options_.poll_interval + kPollBackoffMost)
    return schedule(flight, due);
  end_flight(flight, Event::WaitOut, why, "");
}

/// The run has one more job to poll.
Runner::Flight& Runner::enter(Flight flight) {
  Account& account = *flight.account;
  if (flight.counted) ++counts_.in_flight;
  if (flight.subject.empty() && flight.counted) account.gate.job_opened();
  const JobId id = flight.id;
  Flight& entered = flights_.emplace(id, std::move(flight)).first->second;
  if (!entered.subject.empty()) {
    join_group(entered);
  } else if (account.groups.contains(entered.remote_id) && entered.kind->may_be_overtaken()) {
    account.book.is_worked_on(id, entered.remote_id);
    work_on(entered);
  } else if (entered.kind->may_follow()) {
    account.alone.emplace(entered.remote_id, id);
  }
  return entered;
}

/// To be polled at `due`; or, if its group is busy, when that is no longer so.
void Runner::schedule(Flight& flight, Instant due) {
  flight.due = due;
  const auto group = flight.account->groups.find(flight.subject);
  if (group != flight.account->groups.end() && (group->second.submitting || group->second.polling)) return;
  flight.waits = true;
  flight.account->due.push({due, flight.id});
}

void Runner::end_flight(Flight& flight, Event event, std::string detail, std::string url) {
  Account& account = *flight.account;
  Step step = step_of(flight.id, flight.state, event, std::move(detail));
  step.url = std::move(url);
  step.polls = flight.polls;
  progress_.detail(
      fmt::format("job {}: {}{}{}", flight.remote_id, name_of(event), step.detail.empty() ? "" : ": ", step.detail));
  switch (event) {
    case Event::Finish:
      ++counts_.done;
      break;
    case Event::Fail:
      ++counts_.failed;
      break;
    default:
      ++counts_.timed_out;
      break;
  }
  timed_out_any_ |= event == Event::WaitOut;
  if (event == Event::WaitOut) {
    // Nothing more is learnt of its price in this run: what it reserved stays spent.
    leave_price_unknown(account, flight.id);
    settle_repairs(account, flight.id);
  } else {
    step.cost_alone = settle_credits(account, flight, event == Event::Fail);
  }
  commit_.steps.push_back(std::move(step));
  mendings_.erase(flight.id);
  drop_repairs(flight);
  forget(flight);
}

/// The run does nothing more for it.
void Runner::forget(Flight& flight) {
  if (flight.counted) --counts_.in_flight;
  if (flight.found) {
    Account& account = *flight.account;
    --account.found_open;
    account.found_ended = true;
    for (const Spending::Group group : flight.groups) {
      --account.by_label[group - 1].found_open;
      account.by_label[group - 1].found_ended = true;
    }
  }
  if (!flight.subject.empty()) {
    leave_group(flight);
  } else {
    flight.account->alone.erase(flight.remote_id);
    if (flight.counted) flight.account->gate.job_closed();
  }
  flights_.erase(flight.id);
}

// ---- Credits --------------------------------------------------------------------------------------------------------

/// What a repair costs is in the figures of the job that has the part, for as long as that one's own answers would tell
/// them.
Runner::Credited Runner::credited(const Flight& flight) const {
  const std::string_view whose = flight.subject.empty() ? flight.remote_id : flight.subject;
  if (flight.repairs == 0) return {flight.id, whose};
  return {flights_.contains(flight.repairs) ? flight.repairs : 0, whose};
}

void Runner::see_credits(Account& account, const OpenExchange& exchange, const Credited& about,
                         const CreditFigures& figures, Instant at) {
  if (!figures.any()) return;
  const CreditBook::Seen seen = account.book.see(about.job, figures, {exchange.sent_at, at});
  // A balance that is asked for may move with the end of a job whose figure does not: a refund, a late charge. That it
  // is older than this is known by the record.
  const bool outdates = about.ends && figures.used && !account.options.service->balance_path.empty();
  if (seen.is_new || outdates) {
    commit_.credits.push_back({account.record.id, about.job, clock_.wall(), figures, account.book.own(about.job),
                               seen.overtaken, seen.cost_lost});
  }
  AccountRecord& record = account.record;
  if (about.whose.empty() || account.options.credits != CreditMeaning::Auto || !record.credit_meaning.empty()) return;
  // A subject was there, and had its cost, before the job that works on it.
  const bool begins = exchange.submission() && exchange.pending.row.subject.empty();
  account.evidence.observe({std::string(about.whose), begins, exchange.sent_at.time_since_epoch().count(),
                            at.time_since_epoch().count(), figures});
  if (account.evidence.meaning() == CreditEvidence::Meaning::Undecided) return;
  record.credit_meaning = account.evidence.meaning() == CreditEvidence::Meaning::Job ? "job" : "account";
  record.credit_evidence = account.evidence.evidence();
  progress_.detail(
      fmt::format("{}: the credits used are the {}'s: {}", record.name, record.credit_meaning, record.credit_evidence));
  commit_.meanings.push_back({record.id, record.credit_meaning, record.credit_evidence});
}

/// Closes the job's part of the book. Returns what it cost if it was open alone.
std::optional<Credits> Runner::settle_credits(Account& account, const Flight& flight, bool failed) {
  if (flight.repairs != 0) {
    // Settled with the job that has the part. If that has ended, nothing more is learnt of it.
    if (!flights_.contains(flight.repairs)) settle_repair(account, flight.id);
    return std::nullopt;
  }
  const CreditBook::Closed closed = account.book.close(flight.id, flight.at_end);
  const bool by_job = account.record.credit_meaning == "job";
  if (closed.at_least && account.record.credit_meaning != "account")
    commit_.credits.push_back({account.record.id, flight.id, clock_.wall(), {}, std::nullopt, false, true});
  // Repairs are in it, and count for themselves: a budget of a day may count them and not the job.
  const auto without_repairs = [&](Credits all) {
    return std::max(all - reserved_by_repairs(account, flight.id), Credits{});
  };
  const std::optional<Credits> told = by_job && closed.used ? closed.used : closed.alone;
  std::optional<Credits> cost, at_least;
  if (told) cost = at_least = without_repairs(*told);
  if (!cost && by_job && closed.at_least) at_least = without_repairs(*closed.at_least);
  std::optional<Credits> reserved = account.spending.reserved_for(flight.id);
  if (!reserved) reserved = flight.reserved_before;
  // 0 is what a job is said to have cost, but nothing that the next one may reserve: failed ones are often free.
  if (at_least && at_least->milli > 0) {
    Credits& price = account.price[flight.kind->name()];
    price = std::max(price, *at_least);
  }
  // A job that was not refunded is not free: it is charged later than it says.
  const bool charged_later = !failed && by_job && closed.used == Credits{};
  if (cost && !charged_later) {
    Account::Average& usual = account.usual_price[flight.kind->name()];
    usual.sum = usual.sum + *cost;
    ++usual.jobs;
  }
  // A budget that is not kept by the highest price is not broken by a higher one.
  const bool limited =
      (account.spending.has_caps() && account.spending.mode() == Budget::Mode::Hard) || !run_spending_.unlimited();
  const bool overran = at_least && reserved && *at_least > *reserved;
  if (limited && overran) {
    const std::string why =
        fmt::format("job {} cost {}{} credits, more than the {} reserved for it: an overrun", flight.remote_id,
                    cost ? "" : "at least ", to_text(*at_least), to_text(*reserved));
    // Said even where nothing else is, also when no row is left to be stopped.
    progress_.alarm(fmt::format("{}: {}; say in max_price what such a job may cost", account.record.name, why));
    account.gate.stop_submitting(StopCause::Budget, why);
  }
  const std::optional<Credits> counts = overran ? at_least : charged_later ? std::nullopt : cost;
  account.balance_moved = true;
  using Cost = UnshownCharges::Cost;
  // A balance that came with the end of a job which tells no cost is taken to show it.
  const Cost unknown = flight.at_end.remaining ? Cost::AtMost : Cost::Reserved;
  const Cost known = failed ? Cost::AtMost : Cost::Known;
  account.book.unshown().end(flight.id, counts ? known : unknown, counts.value_or(Credits{}), clock_.now());
  account.spending.settle(flight.id, counts);
  run_spending_.settle(flight.id, counts);
  settle_repairs(account, flight.id);
  if (!cost) warn_of_prices(account, *flight.kind);
  return closed.alone;
}

/// A budget that nothing can be counted against would be passed in silence.
void Runner::warn_of_prices(Account& account, const JobKind& kind) {
  const bool limited =
      account.spending.has_caps() || !run_spending_.unlimited() || account.options.budget.keep.has_value();
  if (!limited || account.told_no_price || price_of(account, kind).known()) return;
  // Figures that may be the account's come to tell a price in time.
  const bool may_tell = account.record.credit_meaning != "job" && account.book.last().any();
  if (may_tell) return;
  account.told_no_price = true;
  progress_.alarm(fmt::format(
      "{0}: its budget cannot be kept: the service does not tell what a job cost and no price is known; say what one "
      "costs at most, accounts: {{{0}: {{max_price: {{{1}: N}}}}}}",
      account.record.name, kind.name()));
}

// ---- Stopping -------------------------------------------------------------------------------------------------------

void Runner::stop_submitting(Account& account, StopCause cause, std::string why) {
  if (account.gate.may_submit())
    progress_.warn(fmt::format("{}: no further submissions in this run: {}", account.record.name, why));
  account.gate.stop_submitting(cause, std::move(why));
}

void Runner::stop_account(Account& account, StopCause cause, std::string why) {
  if (account.gate.may_poll()) progress_.warn(fmt::format("{}: stopped: {}", account.record.name, why));
  account.gate.stop(cause, std::move(why));
  // Nothing more is learnt of its jobs' prices in this run: who waits for one to be settled would wait for ever.
  for (const auto& [id, flight] : flights_) {
    if (flight.account == &account) leave_price_unknown(account, id);
  }
}

Step Runner::step_of(JobId job, State from, Event event, std::string detail) const {
  Step step;
  step.job = job;
  step.from = from;
  step.event = event;
  step.at = clock_.wall();
  step.detail = std::move(detail);
  return step;
}

}  // namespace reelbatch
