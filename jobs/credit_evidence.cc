#include "jobs/credit_evidence.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

/// Answers kept. More than there are connections, so that one from before the present request is among them.
constexpr std::size_t kRecentMax = 256;

/// Jobs that must show the same figure while the balance falls by it.
constexpr std::size_t kSteadyEnough = 3;

std::string figures_text(const CreditFigures& figures) {
  if (!figures.remaining) return fmt::format("used {}", to_text(*figures.used));
  return fmt::format("used {} and remaining {}", to_text(*figures.used), to_text(*figures.remaining));
}

}  // namespace

void CreditEvidence::observe(const CreditObservation& seen) {
  if (meaning_ != Meaning::Undecided || !seen.figures.used) return;
  for (const CreditObservation& earlier : recent_) {
    if (earlier.job == seen.job || earlier.answer_received >= seen.request_sent) continue;
    compare(earlier, seen);
    if (meaning_ != Meaning::Undecided) return recent_.clear();
  }
  recent_.push_back(seen);
  if (recent_.size() > kRecentMax) recent_.pop_front();
}

void CreditEvidence::compare(const CreditObservation& earlier, const CreditObservation& later) {
  const CreditFigures& a = earlier.figures;
  const CreditFigures& b = later.figures;
  const bool balances = a.remaining && b.remaining;
  if (*b.used < *a.used && !(balances && *b.remaining > *a.remaining)) {
    meaning_ = Meaning::Job;
    evidence_ = fmt::format("credits used are counted per job: one job's answer said {}, a later one of another job {}",
                            figures_text(a), figures_text(b));
    return;
  }
  if (balances && *a.used == *b.used) return compare_steady(earlier, later);
  if (!balances || *a.remaining == *b.remaining) return;
  if (*a.used <= Credits{} || *b.used <= Credits{}) return;
  if (*a.remaining + *a.used != *b.remaining + *b.used) return;
  if (!began_after(later, earlier.answer_received)) return;
  meaning_ = Meaning::Account;
  evidence_ = fmt::format(
      "credits used are counted for the whole account: one job's answer said {}, a later job's {}, the same sum",
      figures_text(a), figures_text(b));
}

/// Both say the same figure.
void CreditEvidence::compare_steady(const CreditObservation& earlier, const CreditObservation& later) {
  const Credits price = *later.figures.used;
  const Credits fall = *earlier.figures.remaining - *later.figures.remaining;
  if (price <= Credits{} || fall < price || fall.milli % price.milli != 0) return;
  if (!began_after(later, earlier.answer_received)) return;
  // Jobs that may have been charged between: their answers did not come before the earlier request.
  std::int64_t charged = later.paid ? 1 : 0;
  for (const CreditObservation& known : recent_) {
    if (known.paid && known.job != earlier.job && known.answer_received > earlier.request_sent) ++charged;
  }
  if (fall.milli / price.milli > charged) return;
  steady_.insert(later.job);
  if (steady_.size() < kSteadyEnough) return;
  meaning_ = Meaning::Job;
  evidence_ = fmt::format(
      "credits used are counted per job: answers of {} jobs said used {}, each after the balance had fallen by that "
      "for "
      "every job since, last {}",
      steady_.size() + 1, to_text(price), figures_text(later.figures));
}

/// True if the job that `seen` is about is known to have been submitted after `time`.
bool CreditEvidence::began_after(const CreditObservation& seen, std::int64_t time) const {
  if (seen.paid) return seen.request_sent > time;
  return std::any_of(recent_.begin(), recent_.end(), [&](const CreditObservation& known) {
    return known.job == seen.job && known.paid && known.request_sent > time;
  });
}

}  // namespace reelbatch
