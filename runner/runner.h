// The loop: one thread that submits what is planned and polls what is in flight until nothing is left to do, writing
// every step to the ledger before it is believed. The shape of a turn: wait, settle what came back, choose what starts,
// commit, start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "jobs/job.h"
#include "runner/account_gate.h"
#include "runner/clock.h"
#include "runner/ledger.h"
#include "runner/options.h"
#include "runner/progress.h"
#include "runner/spending.h"
#include "runner/stop.h"
#include "runner/transport.h"

namespace reelbatch {

/// An account with what it needs to send.
struct RunnerAccount {
  AccountRecord record;
  AccountOptions options;
  HeaderSet headers;
  std::function<bool(std::string&)>
      redact;  ///< blanks out secrets in text from outside, true if there was one; may be empty
};

struct RunnerOptions {
  Duration poll_interval = std::chrono::seconds(3);
  Duration job_timeout = std::chrono::minutes(20);
  Duration give_up_after = std::chrono::hours(24 * 7);
  Duration outage_timeout = std::chrono::minutes(15);
  std::optional<Instant> deadline;
  std::optional<WallTime> deadline_wall;  ///< instead of `deadline`: follows the wall clock
  std::optional<Credits> max_credits;
  RepairPolicy repair;
  Duration request_timeout = std::chrono::seconds(30);  ///< of the transport: from connecting to the last byte
  int max_connections = 128;
};

/// How a run ended, apart from what its rows say.
struct RunOutcome {
  std::string stopped_by;                     ///< PRODUCT.md section 3; empty if nothing stopped it
  std::string stopped_detail;                 ///< the same in words
  std::vector<std::string> accounts_stopped;  ///< one sentence each
  std::vector<BudgetStop> budgets_reached;
  bool key_refused = false;
  bool address_refused = false;     ///< and nothing was accepted in this run
  std::vector<AccountId> accounts;  ///< with `sends`, for Ledger::end_run
  std::vector<SendRecord> sends;
};

/// Costs came after the account's last balance: until the next one is told, its credits do not add up.
Result<bool> has_old_balance(Ledger& ledger, AccountId account);

class Runner {
 public:
  /// Everything must outlive the runner. `accounts` are those of the configuration; a job in flight of any other is
  /// left alone.
  Runner(const Clock& clock, Transport& transport, Ledger& ledger, const StopRequest& stop, Progress& progress,
         Rng& rng, const RunnerOptions& options, std::vector<RunnerAccount> accounts);
  ~Runner();

  /// Submits the planned rows of a run and polls everything in flight, until all is settled or stopped.
  ///
  /// Fails only with Fault::Ground, when the ledger cannot be read or written: nothing was started after that, and for
  /// every acceptance that could not be recorded the line that adopts it was given to progress.
  Result<RunOutcome> run(const RunRecord& run);

 private:
  struct Account;
  struct Flight;
  struct Pending;
  struct Group;
  struct LostJob;
  struct Mending;
  enum class Errand;
  struct OpenExchange;
  /// A row whose turn it is; of a group, if its job works on a subject.
  struct NextRow {
    Pending* row = nullptr;
    Group* group = nullptr;
  };

  // Setting up.
  Result<void> set_max_credits();
  Result<void> load_limits();
  Duration age_of(const SendRecord& send) const;
  SendRecord record_of(const Account& account, bool submission, Instant sent_at) const;
  Result<void> load_credits(Account& account);
  Result<void> load_unshown(Account& account, const LastFigures& last);
  Result<void> load_open_jobs();
  Result<void> find_in_book(Account& account, const OpenJob& job);
  Result<void> load_lost_jobs();

  // A turn.
  void check_limits(Instant now);
  Result<void> choose_starts(Instant now);
  Result<void> choose_starts(Account& account, Instant now);
  Result<void> start_row(Account& account, Instant now);
  Result<void> follow(Account& account, Pending pending, Instant now);
  void start_submission(Account& account, Pending pending, Group* group);
  void start_poll(Account& account, Instant now);
  void start(Account& account, const Request& request, OpenExchange exchange);
  Result<void> commit();
  void tell_unrecorded();
  Duration company() const;
  Instant next_wakeup(Instant now);
  bool finished();
  RunOutcome outcome(Instant now);

  bool has_connection() const;
  bool has_work(Account& account);
  Intent intent_of(Pending& pending);
  Instant poll_due(Account& account);
  Instant deadline(Instant now) const;

  // Whose turn it is (runner_rows.cc).
  Result<Instant> row_due(Account& account, Instant now);
  bool may_follow(const Account& account, const std::string& job) const;
  Result<NextRow> next_row(Account& account);
  Result<NextRow> next_followed(Account& account);
  Result<NextRow> row_in_turn(Account& account);
  Result<void> refill(Account& account);
  Result<Pending> pending_of(const Account& account, PlannedRow row) const;
  Pending take_out(Account& account, const NextRow& next);
  Result<void> prepare(Pending& pending);
  Duration usual_duration(const Account& account, const JobKind& kind) const;
  bool fits_deadline(Account& account, const JobKind& kind, Instant now);
  bool has_rows(const Account& account) const;

  // Budgets by label (runner_labels.cc).
  void take_up_waiting(Account& account);
  Spending::Group refused_by(Account& account, const Pending& row, std::string& why) const;
  void pass_over(Account& account, Pending row, Spending::Group group, std::string why);
  Result<std::vector<Spending::Group>> groups_of(const Account& account, std::string_view labels) const;
  bool may_make_room(Account& account, Spending::Group group);
  Result<void> renew_groups(Account& account);
  Result<void> warn_of_labels(const Account& account);
  bool has_budget(const Account& account, const JobKind& kind, std::string& why) const;
  bool fits_budget(Account& account, const JobKind& kind);
  void tell_passed_budgets();
  Spending::Price price_of(const Account& account, const JobKind& kind) const;
  Result<void> renew_budget(Account& account);
  Result<void> renew_label_budgets(Account& account, std::optional<Credits> LabelBudget::*limit, std::string_view name,
                                   RunId run, WallTime since, Spending::Group only = Spending::kAll);

  // What came back (runner_settle.cc).
  void note_sent(const Ready& ready);
  void settle(Completion& completion);
  void note_health(Account& account, const OpenExchange& exchange, const Completion& completion);
  bool is_known_not_taken(const Account& account, const Completion& completion) const;
  void throttle(Account& account, const Completion& completion);
  void put_back(Account& account, Pending& row);
  void settle_row(OpenExchange& exchange, const Completion& completion);
  void settle_submission(OpenExchange& exchange, const Completion& completion);
  bool is_first_in_turn(const Account& account, std::string_view remote_id);
  void accept(Account& account, const Pending& row, const SubmitVerdict& verdict);
  void refuse(Account& account, const Pending& row, const std::string& why);
  void not_taken(Account& account, Pending& row, const std::string& why, bool left);
  void hold(Account& account, const Pending& row, const std::string& why);
  void forget_price(Account& account, JobId job);
  void leave_price_unknown(Account& account, JobId job);
  Flight& enter(Flight flight);
  Flight& take_off(Account& account, JobId job, const JobKind& kind, std::string remote_id, std::string subject);
  void settle_poll(const OpenExchange& exchange, Completion& completion);
  void settle_verdict(Flight& flight, const PollVerdict& verdict, const OpenExchange& exchange,
                      const Completion& completion);
  /// What figures are about.
  struct Credited {
    JobId job = 0;             ///< or 0: no job
    std::string_view whose{};  ///< what the service counts `used` for, if not for the account: a job, or a subject
    bool ends = false;         ///< the job has ended
  };
  Credited credited(const Flight& flight) const;
  void see_credits(Account& account, const OpenExchange& exchange, const Credited& about, const CreditFigures& figures,
                   Instant at);
  std::optional<Credits> settle_credits(Account& account, const Flight& flight, bool failed);
  void warn_of_prices(Account& account, const JobKind& kind);

  // What is asked beside the jobs (runner_ask.cc).
  bool has_open_exchange(const Account& account) const;
  Instant ask_due(Account& account);
  void start_ask(Account& account, Instant now);
  void settle_balance(Account& account, const OpenExchange& exchange, const Completion& completion);
  void look_for(Account& account, LostJob lost);
  void settle_search(Account& account, const OpenExchange& exchange, const Completion& completion);
  void note_next_part(Account& account, const OpenExchange& exchange, const std::string& address);
  void adopt(Account& account, const LostJob& lost, const std::string& remote_id);

  // Jobs on one subject (runner_groups.cc).
  Result<Group*> gather(Account& account, const std::string& subject);
  Result<void> gather_in_turn(Account& account, const std::string& subject);
  Result<void> gather_if_in_flight(Account& account, const std::string& subject);
  std::optional<Instant> next_poll_of_group(const Flight& flight) const;
  void queue(Account& account, Group& group);
  void join_group(Flight& flight);
  void leave_group(Flight& flight);
  void group_goes_on(Account& account, const std::string& subject, Instant now);
  void leave_if_idle(Account& account, const std::string& subject);
  void work_on(Flight& flight);
  void group_polled(Account& account, const std::string& subject, Instant now);

  // Parts that are made again (runner_repair.cc).
  void warn_of_repairs();
  void note_parts(Flight& flight, const PollVerdict& verdict, Instant now);
  bool ask_for_repair(Flight& flight, const std::string& part);
  bool may_repair(Account& account, const Pending& pending);
  void drop_repair(Account& account, const NextRow& next);
  void drop_repairs(const Flight& flight, std::string_view part = {});
  void repair_accepted(Account& account, const Pending& pending);
  Credits reserved_by_repairs(const Account& account, JobId job) const;
  void settle_repair(Account& account, JobId repair);
  void settle_repairs(Account& account, JobId job);

  // Flights.
  void schedule(Flight& flight, Instant due);
  void wait_on(Flight& flight, Instant now, const std::string& why, Instant due);
  void end_flight(Flight& flight, Event event, std::string detail, std::string url);
  void forget(Flight& flight);

  // Stopping.
  void stop_all(Instant now, std::string by, std::string detail);
  void stop_account(Account& account, StopCause cause, std::string why);
  void stop_submitting(Account& account, StopCause cause, std::string why);
  void abandon_exchanges();

  Step step_of(JobId job, State from, Event event, std::string detail) const;

  const Clock& clock_;
  Transport& transport_;
  Ledger& ledger_;
  const StopRequest& stop_;
  Progress& progress_;
  Rng& rng_;
  const RunnerOptions options_;

  std::vector<std::unique_ptr<Account>> accounts_;
  std::unordered_map<JobId, Flight> flights_;
  std::unordered_map<JobId, Mending> mendings_;  ///< of flights with parts that are in error, or were made again
  std::unordered_map<ExchangeId, OpenExchange> exchanges_;
  ExchangeId last_exchange_ = 0;

  RunId run_ = 0;
  std::string run_uid_;
  Instant started_;
  Commit commit_;
  std::vector<Exchange> starts_;
  std::unordered_set<std::string> accepted_in_turn_;
  std::vector<std::string> adopt_lines_;  ///< for acceptances that the next commit records

  bool stopping_ = false;  ///< no new work; what is on the wire is waited for
  Instant drain_until_ = kNever;
  std::string stopped_by_;
  std::string stopped_detail_;
  ProgressCounts counts_;
  Spending run_spending_;  ///< --max-credits, over all accounts
  bool accepted_any_ = false;
  bool timed_out_any_ = false;
};

}  // namespace reelbatch
