// Which row of an account has its turn, and when.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/raw_fields.h"
#include "jobs/registry.h"
#include "runner/check.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

/// Rows read ahead from the ledger, per account.
constexpr std::size_t kReadAhead = 64;
/// Rows passed over in one turn, so that polls are not late for them.
constexpr int kPassedInTurn = 512;

}  // namespace

/// When the account's next row may be submitted or followed: never, if it has none or must not now.
Result<Instant> Runner::row_due(Account& account, Instant now) {
  const AccountGate& gate = account.gate;
  const Instant earliest = gate.submit_at(false);
  if (earliest == kNever ? !gate.may_poll() : earliest > now) return earliest;
  // Read only when a row could be sent, so that an unchanged catalogue is not walked through in advance.
  const Result<NextRow> next = next_row(account);
  if (!next) return tl::unexpected(next.error());
  account.next = *next;
  if (next->row == nullptr) return kNever;
  if (Result<void> done = prepare(*next->row); !done) return tl::unexpected(done.error());
  if (!next->row->followed.empty()) return may_follow(account, next->row->followed) ? now : kNever;
  const Instant at = gate.submit_at(next->group == nullptr || next->group->counted == 0);
  if (at == kNever || at > now) return at;
  if (account.balance == Account::Balance::NotTold) return kNever;
  const JobKind& kind = *next->row->kind;
  if (fits_deadline(account, kind, now) && fits_budget(account, kind)) return at;
  return gate.may_submit() ? kNever : row_due(account, now);
}

/// There is a place in flight, or the job has one by another row.
bool Runner::may_follow(const Account& account, const std::string& job) const {
  if (account.gate.has_place()) return true;
  const auto group = account.groups.find(job);
  if (group != account.groups.end()) return group->second.counted > 0;
  const auto flight = account.alone.find(job);
  return flight != account.alone.end() && flights_.at(flight->second).counted;
}

/// The account's row that is submitted next, of those that no budget by label refuses now. Those that one refuses wait
/// for open jobs of that label value, or are passed over when there are none.
Result<Runner::NextRow> Runner::next_row(Account& account) {
  account.passing = false;
  if (!account.gate.may_submit()) return next_followed(account);
  take_up_waiting(account);
  for (int passed = 0;; ++passed) {
    const Result<NextRow> next = row_in_turn(account);
    if (next && next->row != nullptr && next->row->repair && !may_repair(account, *next->row)) {
      drop_repair(account, *next);
      continue;
    }
    if (!next || next->row == nullptr || next->row->groups.empty()) return next;
    if (Result<void> done = prepare(*next->row); !done) return tl::unexpected(done.error());
    std::string why;
    const Spending::Group label = next->row->followed.empty() ? refused_by(account, *next->row, why) : Spending::kAll;
    if (label == Spending::kAll) return next;
    if (passed == kPassedInTurn) {
      account.passing = true;
      return NextRow{};
    }
    pass_over(account, take_out(account, *next), label, std::move(why));
  }
}

/// Once nothing is submitted any more: the next row that only follows a job. The others stay planned.
Result<Runner::NextRow> Runner::next_followed(Account& account) {
  for (int passed = 0;; ++passed) {
    if (Result<void> done = refill(account); !done) return tl::unexpected(done.error());
    if (account.ready.empty()) return NextRow{};
    Pending& front = account.ready.front();
    if (front.kind->may_follow()) {
      if (Result<void> done = prepare(front); !done) return tl::unexpected(done.error());
      if (!front.followed.empty()) return NextRow{&front, nullptr};
    }
    if (passed == kPassedInTurn) {
      account.passing = true;
      return NextRow{};
    }
    account.ready.pop_front();
  }
}

/// The next row in manifest order, but for those of one subject, which go together.
Result<Runner::NextRow> Runner::row_in_turn(Account& account) {
  for (;;) {
    if (!account.ready_groups.empty()) {
      Group* group = account.ready_groups.front();
      if (!group->waiting.empty() && !group->submitting && !group->polling)
        return NextRow{&group->waiting.front(), group};
      account.ready_groups.pop_front();
      group->queued = false;
      continue;
    }
    if (Result<void> done = refill(account); !done) return tl::unexpected(done.error());
    if (account.ready.empty()) return NextRow{};
    Pending& front = account.ready.front();
    const bool in_group = account.gathered.erase(front.row.number) > 0;
    if (!in_group && front.row.subject.empty()) return NextRow{&front, nullptr};
    const std::string subject = front.row.subject;
    account.ready.pop_front();
    if (in_group) continue;
    if (Result<void> done = gather_in_turn(account, subject); !done) return tl::unexpected(done.error());
  }
}

Result<void> Runner::refill(Account& account) {
  if (!account.ready.empty() || account.read_all) return {};
  Result<std::vector<PlannedRow>> rows =
      ledger_.planned_rows(run_, account.record.name, account.read_up_to, kReadAhead);
  if (!rows) return tl::unexpected(rows.error());
  account.read_all = rows->size() < kReadAhead;
  for (PlannedRow& row : *rows) {
    account.read_up_to = row.number;
    Result<Pending> pending = pending_of(account, std::move(row));
    if (!pending) return tl::unexpected(pending.error());
    account.ready.push_back(std::move(*pending));
  }
  return {};
}

Result<Runner::Pending> Runner::pending_of(const Account& account, PlannedRow row) const {
  Pending pending;
  pending.kind = find_kind(row.kind);
  CHECK(pending.kind != nullptr);
  pending.row = std::move(row);
  Result<std::vector<Spending::Group>> groups = groups_of(account, pending.row.labels);
  if (!groups) return tl::unexpected(groups.error());
  pending.groups = std::move(*groups);
  return pending;
}

Runner::Pending Runner::take_out(Account& account, const NextRow& next) {
  Pending pending = std::move(*next.row);
  if (next.group != nullptr) {
    next.group->waiting.pop_front();
    next.group->queued = false;
    account.ready_groups.pop_front();
    queue(account, *next.group);
  } else {
    account.ready.pop_front();
  }
  return pending;
}

/// Reads what the row says.
Result<void> Runner::prepare(Pending& pending) {
  if (pending.prepared) return {};
  const Result<std::string> text = ledger_.fields_of(pending.row.content);
  if (!text) return tl::unexpected(text.error());
  const Result<RawFields> raw = raw_fields_from_json(*text);
  if (!raw) return tl::unexpected(raw.error());
  Normalised normalised = pending.kind->normalise(*raw);
  // Intake sent only valid rows here, and the same version reads them.
  CHECK(normalised.problems.empty());
  pending.followed = pending.kind->followed(normalised.fields);
  pending.fields = std::move(normalised.fields);
  pending.prepared = true;
  return {};
}

Duration Runner::usual_duration(const Account& account, const JobKind& kind) const {
  const auto usual = account.usual_duration.find(kind.name());
  return usual == account.usual_duration.end() ? options_.job_timeout : usual->second;
}

/// True if the job would, by past ones of its kind, be finished before the deadline; otherwise the account submits no
/// more.
bool Runner::fits_deadline(Account& account, const JobKind& kind, Instant now) {
  const Instant end = deadline(now);
  const Duration needed = usual_duration(account, kind);
  if (end == kNever || now + needed <= end) return true;
  stop_submitting(account, StopCause::Deadline,
                  fmt::format("a job takes about {:%Q%q}, which would not end before the deadline",
                              std::chrono::duration_cast<std::chrono::seconds>(needed)));
  return false;
}

/// Rows that may still have their turn in this run.
bool Runner::has_rows(const Account& account) const {
  const bool has_next = !account.ready.empty() || !account.read_all;
  if (has_next || !account.gate.may_submit()) return has_next;
  return !account.ready_groups.empty() ||
         std::any_of(account.by_label.begin(), account.by_label.end(),
                     [](const Account::LabelGroup& label) { return !label.waiting.empty(); });
}

}  // namespace reelbatch
