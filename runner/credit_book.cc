#include "runner/credit_book.h"

namespace reelbatch {

void CreditBook::open(std::int64_t job) {
  for (auto& [id, other] : jobs_) other.alone = false;
  jobs_[job] = Job{last_, {}, is_base_ && jobs_.empty()};
}

void CreditBook::found(std::int64_t job) {
  open(job);
  jobs_[job].alone = false;
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
  // An answer may tell one of the two alone.
  CreditFigures own = found->second.own;
  if (figures.remaining) own.remaining = figures.remaining;
  if (figures.used) own.used = figures.used;
  if (found->second.own == own && !balance_moved) return false;
  found->second.own = own;
  return true;
}

CreditBook::Closed CreditBook::close(std::int64_t job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return {};
  const Job ended = found->second;
  jobs_.erase(found);
  Closed closed{std::nullopt, ended.own.used};
  if (!ended.alone) return closed;
  if (ended.before.remaining && ended.own.remaining && *ended.own.remaining <= *ended.before.remaining) {
    closed.alone = *ended.before.remaining - *ended.own.remaining;
  } else if (ended.before.used && ended.own.used && *ended.own.used >= *ended.before.used) {
    closed.alone = *ended.own.used - *ended.before.used;
  }
  return closed;
}

}  // namespace reelbatch
