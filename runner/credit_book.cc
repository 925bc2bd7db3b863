#include "runner/credit_book.h"

#include <algorithm>

namespace reelbatch {

void CreditBook::open(std::int64_t job, std::string_view subject) {
  for (auto& [id, other] : jobs_) {
    other.alone = false;
    // What that one cost would be taken for this one's.
    if (!subject.empty() && other.subject == subject && !other.told) forget(subject);
  }
  Job& opened = jobs_[job] = {};
  opened.before = last_;
  opened.alone = is_base_ && jobs_.size() == 1;
  opened.subject = subject;
}

void CreditBook::found(std::int64_t job, std::string_view subject) {
  open(job, subject);
  jobs_[job].alone = false;
  // Its first answer was another process's.
  jobs_[job].told = !subject.empty();
}

CreditBook::Seen CreditBook::see(std::int64_t job, const CreditFigures& figures, Way way) {
  if (!figures.any()) return {};
  is_base_ = true;
  Seen seen;
  const bool balance_moved = figures.remaining && figures.remaining != last_.remaining;
  const bool crossed = balance_at_ && way.sent_at < *balance_at_;
  seen.overtaken = crossed && balance_moved && *figures.remaining > *last_.remaining;
  if (figures.remaining && !seen.overtaken) {
    last_.remaining = figures.remaining;
    balance_at_ = way.arrived_at;
  }
  if (figures.used) last_.used = figures.used;
  const auto found = jobs_.find(job);
  seen.is_new = true;
  if (found == jobs_.end()) return seen;
  if (figures.used) see_used(found->second, *figures.used);
  // An answer may tell one of the two alone.
  CreditFigures own = found->second.own;
  if (figures.remaining) own.remaining = figures.remaining;
  if (figures.used) own.used = figures.used;
  seen.is_new = found->second.own != own || balance_moved;
  found->second.own = own;
  return seen;
}

void CreditBook::see_used(Job& job, Credits used) {
  if (job.subject.empty()) {
    job.cost = used;
    return;
  }
  const auto [stood, is_new] = subjects_.try_emplace(job.subject, used);
  if (!job.told && !is_new && used >= stood->second) job.cost = used - stood->second;
  job.told = true;
  // An old answer says less than was known.
  stood->second = std::max(stood->second, used);
}

std::optional<Credits> CreditBook::own(std::int64_t job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? std::nullopt : found->second.cost;
}

CreditBook::Closed CreditBook::close(std::int64_t job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return {};
  const Job ended = found->second;
  jobs_.erase(found);
  Closed closed{std::nullopt, ended.cost};
  if (!ended.alone) return closed;
  if (ended.before.remaining && ended.own.remaining && *ended.own.remaining <= *ended.before.remaining) {
    closed.alone = *ended.before.remaining - *ended.own.remaining;
  } else if (ended.before.used && ended.own.used && *ended.own.used >= *ended.before.used) {
    closed.alone = *ended.own.used - *ended.before.used;
  }
  return closed;
}

}  // namespace reelbatch
