// Jobs on one subject, such as the clips of one video: each submission undoes what the ones before have set going, so
// all rows are submitted one after the other, and only then polled, with one request.
#include <algorithm>

#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {

/// The group of a subject, with all its planned rows of this run.
Result<Runner::Group*> Runner::gather(Account& account, const std::string& subject) {
  const auto [place, is_new] = account.groups.try_emplace(subject);
  Group& group = place->second;
  if (!is_new) return &group;
  Result<std::vector<PlannedRow>> rows = ledger_.planned_rows_of(run_, account.record.name, subject);
  if (!rows) return tl::unexpected(rows.error());
  const Result<std::optional<Credits>> used = ledger_.used_on(account.record.id, subject);
  if (!used) return tl::unexpected(used.error());
  if (*used) account.book.stands_at(subject, **used);
  for (PlannedRow& row : *rows) {
    account.gathered.insert(row.number);
    Result<Pending> pending = pending_of(account, std::move(row));
    if (!pending) return tl::unexpected(pending.error());
    group.waiting.push_back(std::move(*pending));
  }
  for (auto& [id, flight] : flights_) {
    if (flight.account != &account || flight.remote_id != subject || !flight.kind->may_be_overtaken()) continue;
    if (!group.waiting.empty()) account.book.is_worked_on(id, subject);
    work_on(flight);
  }
  queue(account, group);
  return &group;
}

/// The same while a turn chooses what to start: what its answers told of the subject has to be in the ledger first.
Result<void> Runner::gather_in_turn(Account& account, const std::string& subject) {
  if (!commit_.credits.empty() && !account.groups.contains(subject)) {
    if (Result<void> done = commit(); !done) return done;
  }
  const Result<Group*> group = gather(account, subject);
  if (!group) return tl::unexpected(group.error());
  return {};
}

/// A job that is in flight by itself, and of which another row wants to know as well, becomes a group.
Result<void> Runner::gather_if_in_flight(Account& account, const std::string& subject) {
  return account.alone.contains(subject) ? gather_in_turn(account, subject) : Result<void>();
}

/// When the others of its group are asked for.
std::optional<Instant> Runner::next_poll_of_group(const Flight& flight) const {
  if (flight.subject.empty()) return std::nullopt;
  for (const JobId id : flight.account->groups.at(flight.subject).open) {
    if (id != flight.id) return flights_.at(id).due;
  }
  return std::nullopt;
}

/// From now on the job is polled together with those that work on it, and shares their place in flight.
void Runner::work_on(Flight& flight) {
  if (!flight.subject.empty()) return;
  Account& account = *flight.account;
  if (flight.counted) account.gate.job_closed();
  account.alone.erase(flight.remote_id);
  flight.subject = flight.remote_id;
  join_group(flight);
  Group& group = account.groups[flight.subject];
  const auto asks_for_it = [&](const auto& open) {
    const std::vector<JobId>& polled = open.second.polled;
    return std::find(polled.begin(), polled.end(), flight.id) != polled.end();
  };
  if (!std::any_of(exchanges_.begin(), exchanges_.end(), asks_for_it)) return;
  // Its own last question is the group's.
  group.polling = true;
  for (const JobId id : group.open) flights_.at(id).waits = false;
}

/// Lets the group's next row have its turn, if it may.
void Runner::queue(Account& account, Group& group) {
  if (group.queued || group.waiting.empty() || group.submitting || group.polling) return;
  group.queued = true;
  // One that has its place in flight is finished before another begins.
  if (group.counted > 0) {
    account.ready_groups.push_front(&group);
  } else {
    account.ready_groups.push_back(&group);
  }
}

void Runner::join_group(Flight& flight) {
  Group& group = flight.account->groups[flight.subject];
  // What they make anew is over for none of them before it is for all.
  Instant latest{};
  for (const JobId id : group.open) {
    Flight& other = flights_.at(id);
    if (flight.subject != flight.remote_id) other.believed_from = std::max(other.believed_from, flight.believed_from);
    latest = std::max(latest, other.believed_from);
  }
  if (flight.subject == flight.remote_id) flight.believed_from = latest;
  group.open.push_back(flight.id);
  if (flight.counted && group.counted++ == 0) flight.account->gate.job_opened();
}

void Runner::leave_group(Flight& flight) {
  Group& group = flight.account->groups.at(flight.subject);
  std::erase(group.open, flight.id);
  if (flight.counted && --group.counted == 0) flight.account->gate.job_closed();
}

/// A group with nothing left to do goes.
void Runner::leave_if_idle(Account& account, const std::string& subject) {
  const Group& group = account.groups.at(subject);
  if (!group.open.empty() || !group.waiting.empty() || group.queued) return;
  account.book.forget(subject);
  account.groups.erase(subject);
}

/// A submission of the group ended: the next one has its turn, and the jobs are polled when no more can follow.
void Runner::group_goes_on(Account& account, const std::string& subject, Instant now) {
  Group& group = account.groups.at(subject);
  queue(account, group);
  Instant due = now + options_.poll_interval;
  if (group.queued) {
    const Instant next = account.gate.submit_at(false);
    // If it cannot be submitted then, because a budget waits for these very jobs, they are polled all the same.
    if (next != kNever) due = std::max(due, next + options_.poll_interval);
  }
  for (const JobId id : group.open) {
    Flight& flight = flights_.at(id);
    flight.believed_from = now + kPastLasts;
    schedule(flight, due);
  }
  leave_if_idle(account, subject);
}

void Runner::group_polled(Account& account, const std::string& subject, Instant now) {
  Group& group = account.groups.at(subject);
  for (const JobId id : group.open) {
    Flight& flight = flights_.at(id);
    if (!flight.waits) schedule(flight, now + options_.poll_interval);  // it joined them meanwhile
  }
  queue(account, group);
  leave_if_idle(account, subject);
}

}  // namespace reelbatch
