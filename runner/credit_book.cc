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

bool CreditBook::see(std::int64_t job, const CreditFigures& figures) {
  if (!figures.any()) return false;
  is_base_ = true;
  // Answers can overtake each other: then the balance recorded last is an old one.
  const bool balance_moved = figures.remaining && figures.remaining != last_.remaining;
  if (figures.remaining) last_.remaining = figures.remaining;
  if (figures.used) last_.used = figures.used;
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return true;
  if (figures.used) see_used(found->second, *figures.used);
  // An answer may tell one of the two alone.
  CreditFigures own = found->second.own;
  if (figures.remaining) own.remaining = figures.remaining;
  if (figures.used) own.used = figures.used;
  if (found->second.own == own && !balance_moved) return false;
  found->second.own = own;
  return true;
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
