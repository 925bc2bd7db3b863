// What a service's `used` figure means, found out from its answers: is it the job's or the whole account's?
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>

#include "jobs/credits.h"

namespace reelbatch {

/// One answer that carried figures.
struct CreditObservation {
  std::string job;                ///< what the figures may belong to: jobs on one subject share a name
  bool paid = false;              ///< the answer to the request that made the job: before it, the job had cost nothing
  std::int64_t request_sent = 0;  ///< ns of any one clock
  std::int64_t answer_received = 0;  ///< ns of the same clock, >= request_sent
  CreditFigures figures;
};

/// Decides by evidence, once; the first decision stands. Keeps a bounded number of answers, however many jobs there
/// are, and nothing between runs: the runner stores the conclusion.
///
/// Only answers that cannot have crossed on the way are compared: the later request was sent after the earlier answer
/// had arrived. Then, between answers of two different jobs,
/// - a `used` that is lower in the later one, without `remaining` having risen (a refund or a purchase), is the job's;
/// - equal sums of `remaining` and `used`, both having moved and `used` above 0, are the account's, if the later job
/// did
///   not exist when the earlier answer came. If it did, per-job figures can give equal sums by chance;
/// - a `used` that is the same above 0 although the later job did not exist when the earlier answer came, and the
///   balance fell by just that figure for each of the jobs that were charged between, or for some of them, is the
///   job's, once three jobs have shown it: what an account has used would have risen by what its balance fell. So one
///   constant price decides as well.
class CreditEvidence {
 public:
  enum class Meaning { Undecided, Job, Account };

  void observe(const CreditObservation& seen);

  Meaning meaning() const { return meaning_; }

  /// For people: which figures decided. Empty until then.
  const std::string& evidence() const { return evidence_; }

 private:
  void compare(const CreditObservation& earlier, const CreditObservation& later);
  void compare_steady(const CreditObservation& earlier, const CreditObservation& later);
  bool began_after(const CreditObservation& seen, std::int64_t time) const;

  Meaning meaning_ = Meaning::Undecided;
  std::string evidence_;
  std::deque<CreditObservation> recent_;  ///< oldest first
  std::set<std::string> steady_;          ///< jobs that showed the same figure while the balance fell by it
};

}  // namespace reelbatch
