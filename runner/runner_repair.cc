// Parts of a running job that stay in error and are made again, where the configuration allows it. A repair is a job of
// its own on the subject that is the job with the part: recorded, sent, held and counted in budgets like any other, and
// polled with that job. What it costs is in that one's figures.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/raw_fields.h"
#include "jobs/registry.h"
#include "runner/check.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

/// A part that is made again may get another id, that of the repair: both are the same part.
std::string_view first_id(const std::vector<RepairJob>& repairs, std::string_view part) {
  // From the newest on, so that the walk back ends.
  for (auto repair = repairs.rbegin(); repair != repairs.rend(); ++repair) {
    if (!repair->remote_id.empty() && repair->remote_id == part) part = repair->part;
  }
  return part;
}

}  // namespace

void Runner::warn_of_repairs() {
  if (options_.repair.times == 0 || options_.repair.after < options_.job_timeout) return;
  progress_.warn(
      fmt::format("repair.after is {:%Q%q} and the job timeout {:%Q%q}: no part will be in error for so long",
                  std::chrono::duration_cast<std::chrono::seconds>(options_.repair.after),
                  std::chrono::duration_cast<std::chrono::seconds>(options_.job_timeout)));
}

/// Notes which parts of a job are in error, and has those made again that have been for long enough.
void Runner::note_parts(Flight& flight, const PollVerdict& verdict, Instant now) {
  // A job that is followed costs nothing, and stays so.
  const bool wanted = options_.repair.times > 0 && flight.repairs == 0 && !flight.followed && !flight.last_chance;
  if (!wanted || !verdict.broken) return;
  const std::vector<std::string>& broken = *verdict.broken;
  if (broken.empty() && !mendings_.contains(flight.id)) return;
  std::vector<Mending::Part>& parts = mendings_[flight.id].broken;
  const auto is_whole = [&](const Mending::Part& part) {
    return part.since <= now && std::find(broken.begin(), broken.end(), part.id) == broken.end();
  };
  for (const Mending::Part& part : parts) {
    if (part.settled && is_whole(part)) drop_repairs(flight, part.id);
  }
  std::erase_if(parts, is_whole);
  for (const std::string& id : broken) {
    const auto known = std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.id == id; });
    if (known == parts.end()) parts.push_back({id, now});
  }
  for (Mending::Part& part : parts) {
    if (!part.settled && now - part.since >= options_.repair.after) part.settled = ask_for_repair(flight, part.id);
  }
}

/// Gives the part its turn among the account's submissions. False if it may be asked for again later.
bool Runner::ask_for_repair(Flight& flight, const std::string& part) {
  Account& account = *flight.account;
  const std::optional<Repair> repair = flight.kind->repair(flight.remote_id, part);
  if (!repair || !account.gate.may_submit() || stopping_) return !repair;
  const Result<RepairHistory> history = ledger_.repairs_of(flight.id, run_);
  if (!history) return false;

  Pending pending;
  pending.repair =
      NewRepair{flight.id, part, account.record.id, std::string(repair->kind), "", to_json(repair->fields)};
  const std::string_view first = first_id(history->repairs, part);
  int times = 0;
  for (const RepairJob& before : history->repairs) {
    const bool in_doubt =
        before.state == State::Submitting || before.state == State::Held || before.state == State::Dropped;
    if (in_doubt) {
      // If it was taken, its part may have another id by now, and this may be it.
      progress_.detail(
          fmt::format("{}: part {} is not made again, as it may be the one of repair {}, of which nobody "
                      "knows whether it was taken",
                      history->ref, part, before.id));
      return true;
    }
    if (first_id(history->repairs, before.part) != first) continue;
    // Certainly not taken, and not sent since.
    if (before.state == State::Planned && before.part == part) {
      pending.row.job = before.id;
      continue;
    }
    ++times;
  }
  if (times >= options_.repair.times) return true;

  pending.kind = find_kind(repair->kind);
  CHECK(pending.kind != nullptr);
  Normalised normalised = pending.kind->normalise(repair->fields);
  if (!normalised.problems.empty()) return true;  // an id that the service would not take back
  pending.fields = std::move(normalised.fields);
  pending.prepared = true;
  pending.repair->ref = fmt::format("{}/repair", history->ref);
  pending.row.number = history->row;
  pending.row.id = pending.repair->ref;
  pending.row.kind = pending.repair->kind;
  pending.row.subject = flight.remote_id;
  pending.row.labels = history->labels;
  Result<std::vector<Spending::Group>> groups = groups_of(account, pending.row.labels);
  if (!groups) return false;
  pending.groups = std::move(*groups);
  if (!may_repair(account, pending)) return false;

  progress_.detail(fmt::format("{}: part {} has been in error for {:%Q%q} and is made again", history->ref, part,
                               std::chrono::duration_cast<std::chrono::seconds>(options_.repair.after)));
  const Result<Group*> group = gather(account, flight.remote_id);
  if (!group) return false;
  work_on(flight);
  (*group)->waiting.push_back(std::move(pending));
  queue(account, **group);
  ++counts_.planned;
  return true;
}

/// It waits for nothing: where a budget or the deadline has no room for it now, it is left for another poll to ask for.
bool Runner::may_repair(Account& account, const Pending& pending) {
  std::string why;
  const Instant now = clock_.now();
  return has_budget(account, *pending.kind, why) && refused_by(account, pending, why) == Spending::kAll &&
         (deadline(now) == kNever || now + usual_duration(account, *pending.kind) <= deadline(now));
}

void Runner::drop_repair(Account& account, const NextRow& next) {
  const Pending dropped = take_out(account, next);
  --counts_.planned;
  const auto mending = mendings_.find(dropped.repair->of);
  if (mending == mendings_.end()) return;
  for (Mending::Part& part : mending->second.broken) {
    if (part.id == dropped.repair->part) part.settled = false;
  }
}

/// What waits to be made again of the job is no longer wanted: one part, which is in error no longer, or all of them.
void Runner::drop_repairs(const Flight& flight, std::string_view part) {
  const auto group = flight.account->groups.find(flight.subject);
  if (flight.subject != flight.remote_id || group == flight.account->groups.end()) return;
  counts_.planned -= static_cast<std::int64_t>(std::erase_if(group->second.waiting, [&](const Pending& row) {
    return row.repair && row.repair->of == flight.id && (part.empty() || row.repair->part == part);
  }));
}

/// The job has as much time again, and the part may be in error once more.
void Runner::repair_accepted(Account& account, const Pending& pending) {
  const auto flight = flights_.find(pending.repair->of);
  if (flight == flights_.end()) return;
  flight->second.wait_until = clock_.now() + options_.job_timeout;
  Mending& mending = mendings_[flight->first];
  mending.repairs.push_back(pending.row.job);
  for (Mending::Part& part : mending.broken) {
    // For a while the service may still tell of the one before.
    if (part.id == pending.repair->part) part = {part.id, clock_.now() + kPastLasts};
  }
  progress_.detail(fmt::format("{}: part {} of {} is made again", account.record.name, pending.repair->part,
                               flight->second.remote_id));
}

Credits Runner::reserved_by_repairs(const Account& account, JobId job) const {
  Credits reserved;
  const auto mending = mendings_.find(job);
  if (mending == mendings_.end()) return reserved;
  for (const JobId repair : mending->second.repairs) {
    reserved = reserved + account.spending.reserved_for(repair).value_or(Credits{});
  }
  return reserved;
}

/// What one of them cost nobody tells: it counts as what it reserved.
void Runner::settle_repair(Account& account, JobId repair) {
  leave_price_unknown(account, repair);
  account.book.unshown().end(repair, UnshownCharges::Cost::Reserved, {}, clock_.now());
}

void Runner::settle_repairs(Account& account, JobId job) {
  const auto mending = mendings_.find(job);
  if (mending == mendings_.end()) return;
  for (const JobId repair : mending->second.repairs) settle_repair(account, repair);
}

}  // namespace reelbatch
