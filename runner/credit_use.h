// What the credits went to, from what the ledger knows: what jobs are known to have cost, and what the balances fell by
// beyond that. Exact, and it adds up: see CreditUse.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jobs/credits.h"
#include "jobs/json.h"
#include "runner/calendar.h"
#include "runner/ledger.h"

namespace reelbatch {

struct CreditQuery {
  enum class By { Day, Week, Month, Run, Account, Kind, Label };
  By by = By::Month;
  std::string label;              ///< Label only: its name
  std::optional<WallTime> since;  ///< from then on
  std::optional<WallTime> until;  ///< up to then, without it
};

/// Sums over some jobs and some figures. Nothing is unknown, and no false 0.
struct CreditLine {
  std::string key;
  std::int64_t jobs = 0;
  std::optional<Credits> used;      ///< what they are known to have cost; nothing if there are jobs and none is known
  std::optional<Credits> reserved;  ///< what open ones may still come to cost; nothing if there are some and none says
  std::optional<Credits> unattributed;  ///< nothing if no balance was seen, or for a key that does not divide it
  std::int64_t unknown_jobs = 0;        ///< those of `jobs` whose cost is not known
};

/// A balance over the time asked for.
struct BalanceChange {
  Credits first;  ///< the last figure before that time; without one, what it was before the first answer that told it
  WallTime first_at;
  Credits last;  ///< the last figure seen
  WallTime last_at;
  /// Costs that count here and show outside of the two figures, less those for which it is the other way round: a job
  /// submitted before midnight and charged after it. `used + unattributed == first - last + elsewhere`.
  Credits elsewhere;
  std::optional<WallTime> told_at;  ///< the last answer that told a cost
  Credits after_last;  ///< of `elsewhere`: told by answers after the last figure, and since then no balance was told
};

struct AccountCredits {
  CreditLine sums;  ///< the key is the account's name
  std::optional<BalanceChange> balance;
  std::string meaning, evidence;  ///< AccountRecord
};

struct CreditReport {
  CreditQuery query;
  std::vector<CreditLine> lines;           ///< in the order of time, runs too, others by name
  std::optional<CreditLine> unattributed;  ///< of a key that does not divide the balance: kind, label
  CreditLine sums;
  std::vector<AccountCredits> accounts;  ///< with jobs or figures in the time asked for, in the ledger's order
};

/// Puts the report together. Every job comes first, then every figure, as Ledger::for_each_credit_fact() gives them.
///
/// `used` counts a job where it was submitted, by its last figure, whenever that came. `unattributed` of a balance
/// figure is what the balance fell by since the one before it, less what jobs are known to have cost by the answers in
/// between and its own; it counts where the figure was seen. So answers that tell a cost and the fall that it made
/// cancel each other out, and what is left is
/// - above 0: spent by others on the account, or by jobs whose cost is unknown;
/// - below 0: refunded, or bought.
/// A balance that was overtaken (CreditSeen) counts as the one that overtook it.
///
/// The figure that an account began with has none before it. What its own answer says that its job cost was charged
/// before it; of other jobs that were out by then it is open, and they are taken to be charged before as far as that
/// makes nothing be left over.
class CreditUse {
 public:
  CreditUse(CreditQuery query, std::vector<AccountRecord> accounts, std::map<RunId, std::string> runs);
  ~CreditUse();
  CreditUse(const CreditUse&) = delete;
  CreditUse& operator=(const CreditUse&) = delete;

  /// Fails with Fault::Ground if its labels cannot be read.
  Result<void> add(const PaidJob& job);
  void add(const FigureSeen& seen);

  /// Fails with Fault::Usage if no job has the label that was asked for, and names those there are.
  Result<CreditReport> finish();

 private:
  struct Bucket;
  struct Account;
  struct Note;
  bool asked_for(WallTime at) const;
  bool is_by_time() const { return query_.by <= CreditQuery::By::Month; }
  bool divides_balance() const { return query_.by <= CreditQuery::By::Account; }
  Account& account(AccountId id);
  std::size_t bucket(std::string_view name, std::int64_t order);
  std::size_t bucket_at(WallTime at);
  std::size_t bucket_of_run(RunId run);
  Result<std::size_t> bucket_of(const PaidJob& job);
  Result<std::string_view> label_of(std::string_view labels);
  std::size_t bucket_of(const FigureSeen& seen);
  Note* note(JobId job);
  Credits newly_known(const FigureSeen& seen, const Account& account, Note* note) const;

  CreditQuery query_;
  std::vector<Account> accounts_;
  std::map<RunId, std::string> runs_;
  std::vector<Note> notes_;  ///< by job id
  std::vector<Bucket> buckets_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<RunId, std::size_t> by_run_;
  Period period_;
  std::size_t period_bucket_ = 0;
  JsonReader json_;
  std::vector<Label> labels_;
  std::set<std::string, std::less<>> label_names_;
};

/// Everything that the ledger knows of it.
Result<CreditReport> make_credit_report(Ledger& ledger, const CreditQuery& query);

}  // namespace reelbatch
