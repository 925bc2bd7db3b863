// The ledger as one SQLite file (WAL, synchronous=EXTRA), readable by other processes while a run writes.
#pragma once

#include <memory>
#include <string>

#include "runner/ledger.h"
#include "runner/sqlite.h"

namespace reelbatch {

class SqliteLedger : public Ledger {
 public:
  enum class Mode {
    Read,           ///< for views; the file must exist
    Write,          ///< for the one process that holds the lock; made if missing, for its owner alone
    WriteExisting,  ///< the same, but it must be there ...
    WriteRest,      ///< ... though perhaps without the journal that a run left beside it
  };

  /// Fails with Fault::Usage if the file is no ledger or a newer one, Fault::Ground if it cannot be read or written.
  ///
  /// vfs  the registered SQLite VFS that holds the file, for tests; nullptr: the file system.
  static Result<std::unique_ptr<SqliteLedger>> open(const std::string& path, Mode mode, const char* vfs = nullptr);
  ~SqliteLedger() override;

  Result<std::vector<AccountRecord>> accounts() override;
  Result<void> put_account(AccountRecord& account) override;

  Result<std::optional<RunRecord>> run(std::string_view uid) override;
  Result<void> end_run(const RunRecord& run, std::span<const AccountId> accounts, std::span<const SendRecord> sends,
                       int keep_runs) override;
  Result<void> reopen_run(RunId run) override;
  Result<PastSends> begin_work(std::span<const AccountId> accounts) override;

  Result<void> begin_intake(RunRecord& run) override;
  Result<void> commit_intake() override;
  void abandon_intake() override;
  Result<ListingId> listing(AccountId account, std::string_view kind, std::string_view ref) override;
  Result<ContentId> content(ListingId listing, std::string_view fields, std::optional<Digest> text = {}) override;
  Result<void> add_row(const RowRecord& row) override;
  Result<void> add_unchanged_row(const UnchangedRow& row) override;
  Result<void> know_job(JobId job, const Digest& text) override;
  Result<void> note_feed(std::string_view feed) override;
  Result<void> update_row(RunId run, const RowRecord& row) override;

  Result<ListingId> find_listing(std::string_view account, std::string_view kind, std::string_view ref) override;
  Result<std::vector<JobOfListing>> jobs_of(ListingId listing) override;
  Result<std::string> fields_of(ContentId content) override;
  Result<void> for_each_paid(const std::function<void(const Digest&, JobId)>& visit) override;
  Result<void> for_each_paid_content(const std::function<Result<void>(const PaidContent&)>& visit) override;

  JobId next_job_id() override;
  Result<std::int64_t> planned_count(RunId run) override;
  Result<std::int64_t> leave_replaced(RunId run) override;
  Result<std::int64_t> hold_interrupted(RunId run, WallTime at) override;
  Result<std::vector<PlannedRow>> planned_rows(RunId run, std::string_view account, RowNumber after,
                                               std::size_t most) override;
  Result<std::vector<PlannedRow>> planned_rows_of(RunId run, std::string_view account,
                                                  std::string_view subject) override;
  Result<std::vector<OpenJob>> open_jobs() override;
  Result<RepairHistory> repairs_of(JobId job, RunId run) override;
  Result<JobId> job_with_remote_id(AccountId account, std::string_view remote_id, JobId job,
                                   Followers followers = Followers::Ignored) override;
  Result<void> commit(const Commit& commit) override;
  Result<std::vector<Duration>> past_durations(std::string_view kind, Duration longest, std::size_t most) override;
  Result<std::optional<Credits>> highest_price(AccountId account, std::string_view kind) override;
  Result<std::vector<PastJob>> past_jobs(AccountId account, std::string_view kind, std::size_t most) override;
  Result<Credits> spent(AccountId account, RunId run, WallTime since) override;
  Result<std::map<std::string, Credits>> spent_by_label(AccountId account, RunId run, WallTime since,
                                                        std::string_view label) override;
  Result<LastFigures> last_figures(AccountId account) override;
  Result<std::vector<EndedJob>> jobs_ended_since(AccountId account, WallTime since) override;
  Result<std::optional<Credits>> used_on(AccountId account, std::string_view subject) override;

  Result<void> for_each_row(RunId run, const std::function<Result<void>(const RowView&)>& visit,
                            const std::function<void(const PackedRow&)>& packed = {}) override;
  Result<void> for_each_changing_row(RunId run, const std::function<Result<void>(const RowView&)>& visit) override;
  Result<std::vector<RowCount>> count_changing_rows(RunId run) override;
  Result<UnchangedCounts> unchanged_rows(RunId run) override;
  Result<std::optional<RowsBefore>> rows_before(std::string_view feed) override;
  Result<std::vector<std::string>> label_names(RunId run) override;
  Result<std::vector<HeldJob>> held_jobs() override;
  Result<std::vector<HeldJob>> adopted_jobs() override;
  Result<CreditSums> credit_sums(AccountId account, RunId run) override;
  Result<void> for_each_credit_fact(const std::function<Result<void>(const PaidJob&)>& job,
                                    const std::function<Result<void>(const FigureSeen&)>& figure) override;
  Result<std::map<RunId, std::string>> run_names() override;
  Result<LedgerCounts> counts() override;
  Result<void> for_each_gone(std::string_view feed, const ListingsSeen& seen,
                             const std::function<void(const ListingName&)>& visit) override;

  /// The manifests whose rows are kept of a run, as they were named.
  Result<std::vector<std::string>> manifests_of(RunId run);
  Result<std::vector<std::string>> verify() override;
  Result<void> backup(const std::string& path) override;
  Result<std::vector<ListingView>> listings_named(std::string_view ref) override;

 protected:
  /// For a ledger that adds to this one, as tests do.
  SqliteLedger(SqliteLedger&& other) noexcept;

 private:
  struct Statements;
  explicit SqliteLedger(Database database);

  Result<std::vector<HeldJob>> jobs_to_decide(std::string_view which);

  Result<void> know_text(ListingId listing, ContentId content, const Digest& text);
  void note_label(std::string_view name);
  Result<void> write_label_names();
  Result<void> end_pack();
  Result<std::int64_t> write_pack(const Digest& digest);
  /// The facts of finished jobs as a pack has them.
  Result<std::string> facts_of(std::span<const JobId> jobs);
  Result<RunId> last_run_of(std::string_view feed);
  Result<std::vector<ListingId>> listings_unseen(RunId run, const ListingsSeen& seen);
  Result<std::vector<RowNumber>> rows_paid_in_later_packs(RunId run);
  Result<void> forget_rows(int keep_runs, RunId ending);
  Result<void> verify_packs(std::vector<std::string>& findings);
  Result<void> read_paid_jobs(const std::function<Result<void>(const PaidJob&)>& visit);
  Result<void> read_figures(const std::function<Result<void>(const FigureSeen&)>& visit);
  Result<void> write_intent(RunId run, const Intent& intent);
  Result<void> write_repair(RunId run, const Intent& intent);
  Result<void> write_first_step(RunId run, const Intent& intent, Event event);
  Result<void> write_step(RunId run, const Step& step);
  Result<void> write_credits(RunId run, const CreditSeen& seen);
  Result<void> write_meaning(const MeaningFound& found);
  Result<void> write_unshown(const Unshown& unshown);
  Result<void> write_send(const SendRecord& send);
  Result<void> renew_marks();

  friend class PackedRows;
  std::unique_ptr<Database> database_;  ///< stays where it is: statements point at it
  std::unique_ptr<Statements> statements_;
  Result<void> check_place();

  std::optional<Transaction> intake_;
  RunId intake_run_ = 0;
  PackWriter pack_;
  std::vector<std::string> label_names_;                                 ///< of the intake
  using Place = std::optional<std::pair<std::uint64_t, std::uint64_t>>;  ///< device and inode
  using Places = std::pair<Place, Place>;                                ///< of the file, and of the journal beside it
  Places place_now() const;
  Places place_;  ///< when it was opened, and when work began
  bool has_places_ = false;
  std::string saved_as_;      ///< where what it has is, if its place is lost
  bool marks_wait_ = false;   ///< for a reader, between the two marks
  int checkpoint_pages_ = 0;  ///< while a run works: of the journal, before they are moved
  JobId last_job_id_ = 0;
};

}  // namespace reelbatch
