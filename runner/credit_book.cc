#include "runner/credit_book.h"

#include <algorithm>

namespace reelbatch {

void CreditBook::open(std::int64_t job, std::string_view subject) {
  Job& opened = jobs_[job] = {};
  opened.before = last_;
  alone_ = is_base_ && jobs_.size() == 1 ? job : 0;
  opened.subject = subject;
  if (subject.empty()) return;
  Subject& worked_on = subjects_[opened.subject];
  if (worked_on.untold++ == 0) {
    opened.stood = worked_on.used;
    return;
  }
  // What one of them costs would be taken for another's.
  for (auto& [id, other] : jobs_) {
    if (!other.told && other.subject == opened.subject) other.stood.reset();
  }
}

void CreditBook::found(std::int64_t job, std::string_view subject, std::optional<Credits> cost) {
  open(job, subject);
  Job& found = jobs_[job];
  alone_ = 0;
  found.cost = cost;
  if (subject.empty()) return;
  // Its first answer was another process's.
  found.told = true;
  --subjects_[found.subject].untold;
}

void CreditBook::stands_at(std::string_view subject, Credits used) {
  // An answer may have told less since: an old one.
  Subject& known = subjects_[std::string(subject)];
  known.used = std::max(known.used.value_or(used), used);
}

void CreditBook::is_worked_on(std::int64_t job, std::string_view subject) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || !found->second.subject.empty()) return;
  Job& owner = found->second;
  owner.subject = subject;
  owner.told = true;
  owner.is_owner = true;
  Subject& worked_on = subjects_[owner.subject];
  // Up to here nobody else was in its figure, which says more than the ledger may know yet.
  if (owner.own.used) worked_on.used = owner.own.used;
  if (owner.cost && worked_on.used) worked_on.owner = job;
}

void CreditBook::forget(std::string_view subject) {
  const auto known = subjects_.find(std::string(subject));
  if (known == subjects_.end()) return;
  known->second.used.reset();
  if (known->second.owner == 0 && known->second.untold == 0) subjects_.erase(known);
}

CreditBook::Seen CreditBook::see(std::int64_t job, const CreditFigures& figures, Way way) {
  if (!figures.any()) return {};
  is_base_ = true;
  Seen seen;
  const bool balance_moved = figures.remaining && figures.remaining != last_.remaining;
  const bool crossed = balance_at_ && way.sent_at < *balance_at_;
  seen.overtaken = crossed && balance_moved && *figures.remaining > *last_.remaining;
  if (figures.remaining && !seen.overtaken) {
    unshown_.see(last_.remaining, *figures.remaining, way.sent_at);
    last_.remaining = figures.remaining;
    balance_at_ = way.arrived_at;
  }
  if (figures.used) last_.used = figures.used;
  const auto found = jobs_.find(job);
  seen.is_new = true;
  if (found == jobs_.end()) return seen;
  if (figures.used) see_used(found->second, *figures.used);
  Job& of = found->second;
  if (of.is_owner && of.cost && figures.used && subjects_[of.subject].owner != job) {
    of.cost.reset();
    seen.cost_lost = true;
  }
  // An answer may tell one of the two alone.
  CreditFigures own = found->second.own;
  if (figures.remaining) own.remaining = figures.remaining;
  if (figures.used) own.used = figures.used;
  seen.is_new = found->second.own != own || balance_moved || seen.cost_lost;
  found->second.own = own;
  return seen;
}

void CreditBook::see_used(Job& job, Credits used) {
  if (job.subject.empty()) {
    job.cost = used;
    return;
  }
  Subject& subject = subjects_[job.subject];
  const Credits rise = used - std::min(subject.used.value_or(used), used);
  if (!job.told) {
    job.told = true;
    --subject.untold;
    if (job.stood && used >= *job.stood) job.cost = used - *job.stood;
  } else if (subject.owner != 0) {
    // What one of which nobody knows may have cost is in the figure from here on.
    if (!subject.used || subject.untold > 0) subject.owner = 0;
    if (subject.owner != 0) jobs_[subject.owner].cost = *jobs_[subject.owner].cost + rise;
  }
  // An old answer says less than was known.
  subject.used = std::max(subject.used.value_or(used), used);
}

std::optional<Credits> CreditBook::own(std::int64_t job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? std::nullopt : found->second.cost;
}

CreditBook::Closed CreditBook::close(std::int64_t job, const CreditFigures& at_end) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return {};
  const Job ended = found->second;
  jobs_.erase(found);
  if (const auto known = subjects_.find(ended.subject); known != subjects_.end()) {
    if (!ended.told) --known->second.untold;
    if (known->second.owner == job) known->second.owner = 0;
  }
  // What a job on a subject costs is the rise that its submission made.
  const bool of_subject = !ended.subject.empty() && !ended.is_owner;
  const bool is_told = of_subject || at_end.used;
  Closed closed;
  (is_told ? closed.used : closed.at_least) = ended.cost;
  if (alone_ != job) return closed;
  alone_ = 0;
  if (ended.before.remaining && at_end.remaining && *at_end.remaining <= *ended.before.remaining) {
    closed.alone = *ended.before.remaining - *at_end.remaining;
  } else if (ended.before.used && at_end.used && *at_end.used >= *ended.before.used) {
    closed.alone = *at_end.used - *ended.before.used;
  }
  return closed;
}

}  // namespace reelbatch
