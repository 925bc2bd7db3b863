// One account's credit figures as they come in: what is worth recording, which balances are old, and what a job that
// was open alone must have cost. Pure; the order of calls is the order of answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "jobs/credits.h"
#include "runner/clock.h"
#include "runner/unshown_charges.h"

namespace reelbatch {

class CreditBook {
 public:
  /// The account's last figures in the ledger, if any. Others may have spent since, so that they are not what the next
  /// job starts from: an answer has to tell that.
  void start(const CreditFigures& last) {
    last_ = last;
    is_base_ = false;
  }

  /// A submission starts: from now on it may be charged.
  ///
  /// subject  what it works on at the service, if that was there before it: a `used` in answers about it is then taken
  ///          for the subject's, and what the job cost for its rise.
  void open(std::int64_t job, std::string_view subject = {});
  /// A job is found in flight: it may have been charged before the last figures, or after them.
  ///
  /// cost  what earlier answers said that it cost itself.
  void found(std::int64_t job, std::string_view subject = {}, std::optional<Credits> cost = {});
  /// What the subject has used so far, for the job on it that is opened next, where no answer has told since.
  void stands_at(std::string_view subject, Credits used);
  /// A job that is open made the subject that others work on: beyond what it cost so far it costs what the subject's
  /// figure rises by without them. Where one of them is unknown, so is this one's from its next answer on.
  void is_worked_on(std::int64_t job, std::string_view subject);
  /// No job on the subject is left to open.
  void forget(std::string_view subject);
  /// When an answer's request left, and when it arrived: between the two the service wrote it.
  struct Way {
    Instant sent_at, arrived_at;
  };
  struct Seen {
    bool is_new = false;     ///< differs from the job's last figures, or the balance from the account's: to be recorded
    bool overtaken = false;  ///< the balance is not the account's last one
    bool cost_lost = false;  ///< what the job was known to have cost is not all of it, and can no longer be told
  };
  /// Takes the figures of an answer about a job.
  ///
  /// Which of two answers the service wrote first is unknown if both were out at the same time. Then the lower balance
  /// is taken for the later one: a refund is seen all the same, with the next answer.
  Seen see(std::int64_t job, const CreditFigures& figures, Way way);
  /// What `used` in the answers says that the job itself has cost so far, where it is not the account's.
  std::optional<Credits> own(std::int64_t job) const;
  /// The job ended, or was not taken.
  struct Closed {
    /// What it cost, if no other job of the account was open meanwhile and the account's figures before it are known:
    /// the fall of the balance, or the rise of what is used where there is no balance.
    std::optional<Credits> alone;
    std::optional<Credits> used;      ///< own(), at the end
    std::optional<Credits> at_least;  ///< own() where that is not known to be all: what it was charged so far
  };
  /// at_end  what the answer said that ended it. Figures of a job that is not finished are no price: services charge
  ///         step by step and late, and a first answer says 0 (PROVIDERS 2.8).
  Closed close(std::int64_t job, const CreditFigures& at_end = {});

  const CreditFigures& last() const { return last_; }
  /// What the balance may yet fall by; see() tells it of the balance, the rest is for the caller to tell.
  UnshownCharges& unshown() { return unshown_; }
  const UnshownCharges& unshown() const { return unshown_; }
  /// How much of the balance is not to be counted on: open jobs may each cost what they reserve, whatever was charged
  /// for them already.
  Credits claimed() const { return std::max(unshown_.reserved(), unshown_.sum()); }

 private:
  struct Job {
    CreditFigures before;  ///< the account's, when it was opened
    CreditFigures own;     ///< the last of its own answers
    std::string subject;
    bool told = false;             ///< an answer said what was used since it was opened
    std::optional<Credits> stood;  ///< what its subject had used when it was opened
    bool is_owner = false;         ///< it made its subject
    std::optional<Credits> cost;
  };
  struct Subject {
    std::optional<Credits> used;
    std::int64_t owner = 0;   ///< the job that made it, while its cost can be told from that of the others
    std::int64_t untold = 0;  ///< jobs on it of which no answer has told yet
  };
  void see_used(Job& job, Credits used);
  CreditFigures last_;
  UnshownCharges unshown_;
  std::optional<Instant> balance_at_;  ///< when an answer of this process last told the balance of last_
  bool is_base_ = true;
  std::int64_t alone_ = 0;  ///< the job that no other has been open beside since it was opened; 0: none
  std::unordered_map<std::int64_t, Job> jobs_;
  std::unordered_map<std::string, Subject> subjects_;
};

}  // namespace reelbatch
