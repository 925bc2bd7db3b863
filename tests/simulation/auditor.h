// Watches a simulated world and its ledger event by event and writes down every promise that is broken (PRODUCT.md
// sections 4 to 6). It keeps books of its own and trusts the program's for nothing but what is on disk.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runner/credit_use.h"
#include "runner/run_phases.h"
#include "tests/simulation/pace_auditor.h"
#include "tests/simulation/world.h"

namespace reelbatch {

class Auditor {
 public:
  /// Both must outlive the auditor; `options` may change between runs.
  Auditor(World& world, const Options& options);

  // ---- What the operator does ----

  /// The next submission of this description is wanted although there was one.
  void allow_again(const std::string& description) { ++allowed_[description]; }
  /// The same for a part of a job of this row.
  void allow_repair_again(const std::string& ref) { ++allowed_repairs_[ref]; }
  /// The operator's word on a held job: the service's side of it is answered for.
  void resolved(const std::string& ref) { resolved_.insert(ref); }

  /// A held job was adopted: the operator may have taken one of an older content.
  void adopted(const std::string& ref) { adopted_.insert(ref); }

  /// The row of this id pays for nothing: it waits for a video that is there.
  void follows(const std::string& ref, const std::string& video) {
    followed_[ref] = video;
    pace.followed[video].insert(ref);
  }

  // ---- A process ----

  /// A process starts to work for a run; `ledger` must live until end().
  void begin(Ledger& ledger, const std::string& run_uid);
  void attempted(const Commit& commit);
  void committed(bool done);
  /// The process is gone, or its ledger is about to be.
  void end();
  /// What was in doubt at the last end.
  struct LastEnd {
    std::int64_t out = 0;         ///< submissions without an answer
    std::int64_t intents = 0;     ///< of a commit whose end is not known
    std::int64_t unrecorded = 0;  ///< answers to submissions that were not recorded
  };
  LastEnd last_end;

  /// What a report must say of a run that ended.
  ///
  /// rows  of the manifest; absent for a run that was taken up, which has those of its own.
  void check_report(Ledger& ledger, const EndedRun& ended, std::optional<std::size_t> rows);
  /// What must hold when nothing is on the way any more: every job the service has is accounted for.
  void check_books(Ledger& ledger);
  /// No secret may be in any of these bytes.
  void check_secret(const std::string& bytes, const char* where);

  void check(bool holds, const std::string& violation);
  void find(std::string violation);
  const std::vector<std::string>& violations() const { return violations_; }

  std::string secret;            ///< of the accounts
  bool prices_reserved = false;  ///< no job costs more than it reserves: hard budgets are exact
  bool one_price = false;        ///< every job costs the same: cautious ones are as well, once it is known
  std::set<std::string> only;    ///< ids of the rows that alone may be submitted; empty: all
  bool retries = false;          ///< what failed may be submitted again
  /// Whether a budget by label counts a job of this description; only with such a budget.
  std::function<bool(const std::string& description)> labelled;
  /// By row: the description a finished row must be about; without one any of its listing will do.
  std::map<std::string, std::string> contents;
  std::int64_t checks = 0;  ///< how often anything was compared
  /// Submissions of which nobody can know whether they were taken: at most so many rows may be held.
  std::int64_t doubtful() const { return world_.doubtful_answers + lost_; }
  PaceAuditor pace;

 private:
  using Windows = std::map<std::pair<std::size_t, std::int64_t>, std::deque<Instant>>;  ///< by service and width
  void sent(const World::Send& send);
  void accepted(const World::Acceptance& acceptance);
  void repaired(const World::Acceptance& acceptance);
  void check_window(Windows& windows, const World::Send& send, const RateWindow& window, const char* what);
  void check_in_flight(const World::Start& start);
  void check_budgets(const World::Acceptance& acceptance);
  void count_spent(const World::Acceptance& acceptance, Credits amount);
  void take_refunds();
  Credits refunded_of(const World::Acceptance& acceptance) const;
  bool charges_late(std::size_t service) const;
  void check_keep(std::size_t service);
  void check_spending(std::size_t service);
  void check_account(const AccountCredits& account, bool is_told);
  std::size_t service_named(const std::string& account) const;
  void check_sums(Ledger& ledger, const RunReport& report);
  void check_credits(Ledger& ledger);
  /// What was charged for the jobs that a run submitted to a service, refunds taken off.
  Credits charged_by(const std::string& run_uid, std::size_t service) const;
  void check_row(const RowView& view, const RunRecord& run);
  void check_followed(const RowView& view, const ResultRow& row, const std::string& video, const RunRecord& run);
  void check_render(const ResultRow& row, const World::Acceptance& made);
  bool is_remade(const World::Acceptance& acceptance) const;
  AccountId account_of(std::size_t service) const;

  World& world_;
  const Options& options_;
  std::vector<std::string> violations_;

  Windows all_, paid_;
  std::map<std::string, int> accepted_times_, allowed_;
  std::set<std::pair<std::size_t, std::string>> given_up_;  ///< jobs that timed out for so long that a retry is allowed
  std::map<std::pair<std::size_t, std::string>, World::Acceptance> acceptances_;  ///< by service and id
  using Part = std::pair<std::size_t, std::string>;                               ///< service and id
  std::map<Part, std::vector<std::string>> remakes_;  ///< of a video, by rows and by repairs, in the service's order
  std::map<Part, std::string> first_id_;              ///< of a part, by the id of what makes it again
  std::map<Part, int> repaired_times_, made_again_;   ///< by that id, and by the id that was sent
  std::map<Part, Credits> repairs_cost_;              ///< by the job with the parts
  std::map<std::string, int> allowed_repairs_;        ///< by row
  std::map<std::uint64_t, std::string> run_of_life_;
  std::set<Part> refunded_;                                                  ///< jobs that cost nothing in the end
  std::map<std::string, Credits> spent_by_run_;                              ///< by uid
  std::map<std::pair<std::size_t, std::string>, Credits> spent_by_account_;  ///< and uid
  std::map<std::pair<std::size_t, WallTime>, Credits> spent_by_day_, spent_by_month_;
  std::map<std::pair<std::size_t, std::string>, Credits> spent_by_label_run_;
  std::map<std::pair<std::size_t, WallTime>, Credits> spent_by_label_day_, spent_by_label_month_;

  Ledger* ledger_ = nullptr;
  RunId run_ = 0;  ///< that the process works for
  std::map<AccountId, std::size_t> service_of_account_;
  std::int64_t intents_in_doubt_ = 0;  ///< of the commit whose end is not known
  bool commit_failed_ = false;
  std::set<RowNumber> rows_submitted_;  ///< by this process
  std::int64_t paid_answers_ = 0;       ///< delivered before the last commit
  std::int64_t intents_recorded_ = 0;   ///< by this process
  std::int64_t answers_before_ = 0;     ///< to earlier ones
  std::int64_t lost_ = 0;               ///< submissions that were open when a process ended
  std::set<std::string> resolved_, adopted_;
  std::map<std::string, std::string> followed_;  ///< by row: the video
};

}  // namespace reelbatch
