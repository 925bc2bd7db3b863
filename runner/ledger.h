// The durable record: every listing, every job, every submission and its outcome, every credit figure seen. It is the
// truth; results are views of it. One narrow interface, so that another store can stand behind it; SqliteLedger is the
// one there is.
//
// A failed call changes nothing. Fault::Ground means that the record can no longer be trusted to take anything: stop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/credits.h"
#include "jobs/error.h"
#include "jobs/job.h"
#include "runner/clock.h"
#include "runner/decide.h"
#include "runner/digest.h"
#include "runner/label.h"
#include "runner/row_pack.h"
#include "runner/transition.h"

namespace reelbatch {

using AccountId = std::int64_t;
using ListingId = std::int64_t;
using ContentId = std::int64_t;
using RunId = std::int64_t;
/// A row's place in its run, from 1, in manifest order.
using RowNumber = std::int64_t;

// ---- Accounts and runs ----------------------------------------------------------------------------------------------

struct AccountRecord {
  AccountId id = 0;
  std::string name;
  std::string service;          ///< ServiceSpec::name
  std::string origin;           ///< of its base URL when last used
  std::string credit_meaning;   ///< `job`, `account`, or empty while undecided
  std::string credit_evidence;  ///< what it was concluded from, for people
};

/// A budget of a label value that had no room for rows of it, while others went on.
struct BudgetStop {
  std::string account, label, value;
  std::string why;  ///< the budget and its sum, in words
  bool operator==(const BudgetStop&) const = default;
};

struct RunRecord {
  RunId id = 0;
  std::string uid;  ///< what `--run` takes: `20261121T183122Z-4f2a`
  WallTime started_at;
  std::optional<WallTime> finished_at;  ///< nothing while it goes on, or when it died
  std::optional<int> exit_code;
  std::string stopped_by;                     ///< PRODUCT.md section 3; empty if it was not stopped
  std::string stopped_detail;                 ///< the same in words
  std::vector<std::string> accounts_stopped;  ///< one sentence for each account that stopped early
  std::vector<BudgetStop> budgets_reached;
  bool sandbox = false;
};

/// A request that counts for the limits of the account's next run.
struct SendRecord {
  AccountId account = 0;
  bool submission = false;
  WallTime at;
  /// The same moment as clock.now() gave it, in ms; meaningful where `boot` is the clock's.
  std::int64_t uptime = 0;
  std::int64_t boot = 0;
};

// ---- Intake: a manifest's rows, in one transaction ------------------------------------------------------------------

/// A row of a run, as decided when its manifest was read.
struct RowRecord {
  RowNumber number = 0;
  std::string id;  ///< as in the manifest
  std::string kind;
  std::string account;    ///< name
  ListingId listing = 0;  ///< 0 for rows without a usable id or kind
  ContentId content = 0;  ///< 0 for invalid rows
  JobId job = 0;          ///< whose outcome the row shows; 0 as long as there is none
  Action action = Action::Invalid;
  Reason reason = Reason::Invalid;
  std::string detail;    ///< the fields that changed, or what is invalid
  bool selected = true;  ///< by --only and --limit
  std::string file;
  std::uint64_t line = 0;
  std::vector<Label> labels;  ///< in the manifest's order
  std::string subject;        ///< JobKind::subject()
};

// ---- Work: what the loop reads and writes ---------------------------------------------------------------------------

/// A row that waits to be submitted.
struct PlannedRow {
  RowNumber number = 0;
  std::string id;  ///< as in the manifest
  std::string kind;
  ListingId listing = 0;
  ContentId content = 0;
  JobId job = 0;        ///< a planned job to go on with, or 0
  std::string subject;  ///< JobKind::subject()
  std::string labels;   ///< read_labels_json()
};

/// A job that was accepted and is not finished.
struct OpenJob {
  JobId id = 0;
  AccountId account = 0;
  std::string kind;
  std::string remote_id;
  State state = State::InFlight;  ///< or TimedOut
  WallTime accepted_at;
  std::optional<Credits> reserved;
  std::int64_t polls = 0;
  std::string subject;
  bool followed = false;        ///< it was there before its row: remote_id is what it works on
  JobId repairs = 0;            ///< the job of which it makes a part again, or 0
  std::optional<Credits> used;  ///< what it is known to have cost itself, where services count that by job
  bool worked_on = false;       ///< there are jobs whose subject it is, other than repairs
  std::string labels;           ///< of its row when it was submitted: read_labels_json()
};

/// A job that makes a part of another one again.
struct RepairJob {
  JobId id = 0;
  std::string part;  ///< JobKind::repair()
  State state = State::Planned;
  std::string remote_id;
};

/// What is known of a job whose parts may be made again.
struct RepairHistory {
  std::string ref;                 ///< its listing's id, with its catalogue
  std::string labels;              ///< read_labels_json()
  RowNumber row = 0;               ///< of the present run that shows it, or 0
  std::vector<RepairJob> repairs;  ///< oldest first
};

/// A new job that makes a part of another one again: it has a listing of its own, which no manifest names.
struct NewRepair {
  JobId of = 0;
  std::string part;
  AccountId account = 0;
  std::string kind, ref;
  std::string fields;  ///< to_json(RawFields)
};

/// The decision to send a paid request, on disk before its first byte leaves; or to follow a job that is there.
struct Intent {
  JobId job = 0;
  bool is_new = true;  ///< the job does not exist yet
  RowNumber row = 0;
  ListingId listing = 0;
  ContentId content = 0;
  std::optional<Credits> reserved;
  WallTime at;
  std::string subject;
  std::string followed;  ///< the job's id at the service: no request, and it is in flight
  /// For one that makes a part of another job again; `row` then shows that one. Its listing and content are made if the
  /// job is new.
  std::optional<NewRepair> repair;
};

/// One step of a job (transition.h), with what came with it.
struct Step {
  JobId job = 0;
  State from = State::Planned;
  Event event = Event::Submit;
  WallTime at;
  std::string detail;                 ///< for people; becomes the job's reason when it fails or is held
  std::string remote_id;              ///< Accept and Adopt
  std::string url;                    ///< Finish
  std::optional<std::int64_t> polls;  ///< so far
  std::optional<Credits> cost_alone;  ///< the rise of the account's figure while the job alone was open
  RowNumber unsent_row = 0;           ///< NotTaken without a byte sent: the submission of this row does not count
};

/// Figures of an answer. Append-only.
struct CreditSeen {
  AccountId account = 0;
  JobId job = 0;
  WallTime at;
  CreditFigures figures;
  std::optional<Credits> own;  ///< what `used` says that the job itself has cost so far; nothing: it does not tell
  bool overtaken = false;      ///< the balance is older than the one recorded before it: CreditBook::see()
  bool cost_lost = false;      ///< what was known of it is not all of it, and can no longer be told
};

/// The last figures of an account, and how far they can be relied on.
struct LastFigures {
  CreditFigures figures;
  std::optional<WallTime> balance_at;  ///< when the balance was recorded
  /// Submissions that may have been charged without showing in the figures, with what they reserved. Without any, what
  /// the figures change by from here on was spent from here on.
  struct Doubtful {
    JobId job = 0;
    Credits reserved;
  };
  std::vector<Doubtful> in_doubt;
  Credits unshown;  ///< the last Unshown
};

/// A job that is over, and what it cost or, where that is unknown, reserved.
struct EndedJob {
  WallTime at;
  Credits cost;
};

/// What an account's jobs cost that its balance does not show yet: UnshownCharges::sum().
struct Unshown {
  AccountId account = 0;
  Credits sum;
};

/// What an account's figures were found to mean.
struct MeaningFound {
  AccountId account = 0;
  std::string meaning;
  std::string evidence;
};

/// Everything one turn of the loop has to write, in one transaction with one fsync. Steps are written before intents,
/// so that a job that was not taken can be sent again in the same turn.
struct Commit {
  RunId run = 0;
  std::vector<Intent> intents;
  std::vector<Step> steps;
  std::vector<CreditSeen> credits;
  std::vector<MeaningFound> meanings;
  std::vector<SendRecord> sends;
  std::vector<Unshown> unshown;
  bool empty() const {
    return intents.empty() && steps.empty() && credits.empty() && meanings.empty() && sends.empty() && unshown.empty();
  }
  void clear() {
    unshown.clear();
    intents.clear();
    steps.clear();
    credits.clear();
    meanings.clear();
    sends.clear();
  }
};

// ---- Views ----------------------------------------------------------------------------------------------------------

/// A row of a run with what became of it.
struct RowView {
  RowRecord row;
  std::optional<State> state;  ///< of row.job
  std::string url, remote_id, reason;
  std::optional<WallTime> submitted_at, accepted_at, finished_at;
  std::optional<std::int64_t> polls;
  std::optional<Credits> cost;
  std::int64_t submissions = 0;  ///< paid requests of this run of which a byte left, or may have
  std::string previous_url;      ///< of the listing's latest finished video, when the row submits a change
  std::string overtaken_by;      ///< the row whose job made anew what this done one made, by id
  std::int64_t repairs = 0;      ///< parts of its job that were made again
  std::string repair_in_doubt;   ///< the id of one of which it is unknown whether the service took it
};

/// A row that was unchanged when its run began: `done`, with the video of an earlier night. In the memory of its pack,
/// valid until the next row.
struct PackedRow {
  const UnchangedRow& row;  ///< without `file`, `labels` and `text`
  const JobFacts& facts;
  std::string_view file;
  std::span<const std::string_view> label_names, label_values;
  std::optional<Credits> cost;
  bool new_shape = true;  ///< false: kind, account, file and label names are those of the packed row before
};

/// How the reason of a job begins whose service answers that there is none of its id.
inline constexpr std::string_view kNoLongerKnown = "the service no longer knows the job";

/// A job that an operator may decide about, for `status`, the summary and `resolve`.
struct HeldJob {
  JobId id = 0;
  State state = State::Held;
  std::string ref;  ///< the listing's id, with its catalogue
  AccountId account_id = 0;
  std::string kind, account, reason;
  WallTime submitted_at;
  std::string run_uid;  ///< that submitted it
};

/// A job of one listing.
struct ListingJob {
  State state = State::Planned;
  std::string remote_id, url, reason;
  std::optional<WallTime> submitted_at, finished_at;
  std::optional<Credits> cost;
};

/// What a listing said at some time, and the jobs that were made from it, oldest first. Without any it waits.
struct ListingContent {
  std::string fields;  ///< to_json(RawFields)
  std::vector<ListingJob> jobs;
};

struct ListingView {
  std::string account, kind;
  std::string ref;  ///< with its catalogue
  std::vector<ListingContent> contents;
};

struct CreditSums {
  std::optional<Credits> used;          ///< what the run's jobs are known to have cost
  std::optional<Credits> reserved;      ///< by jobs that are not settled
  std::optional<Credits> remaining;     ///< the last figure seen
  std::optional<WallTime> old_since;    ///< when that was, if jobs were submitted or charged after it
  std::optional<Credits> unattributed;  ///< the rest of the balance's fall since the last figure before the run
  std::int64_t unknown_jobs = 0;        ///< jobs of the run whose cost is not known
};

/// A job of which a paid request was taken, or may have been. Followed jobs are none.
struct PaidJob {
  JobId id = 0;
  AccountId account = 0;
  std::string_view kind;
  RunId run = 0;  ///< that submitted it last
  WallTime submitted_at;
  bool open = false;                ///< not settled: it may still come to cost more
  std::optional<Credits> cost;      ///< as the last figures say, unknown where they do not
  bool derived = false;             ///< the cost is not what its answers call used, but found by comparing figures
  bool repaired = false;            ///< parts of it were made again, which it cost later than the rest
  std::optional<Credits> reserved;  ///< when it was submitted
  std::string_view labels;          ///< of its row then: read_labels_json()
};

/// A credit figure that was seen.
struct FigureSeen {
  AccountId account = 0;
  RunId run = 0;  ///< 0: outside of a run
  JobId job = 0;  ///< that the answer was about; 0 for none
  WallTime at;
  CreditFigures figures;
  bool overtaken = false;      ///< CreditSeen
  std::optional<Credits> own;  ///< CreditSeen; nothing in ledgers of older versions
};

/// A listing by what it is known by.
struct ListingName {
  std::string ref;  ///< with its catalogue
  std::string kind, account;
};

/// The listings that a manifest names, gathered row by row: a bit for each listing, or for the job that stands for it.
class ListingsSeen {
 public:
  void add_listing(ListingId listing) { set(listings_, listing); }
  void add_job(JobId job) { set(jobs_, job); }
  bool has_listing(ListingId listing) const { return is_set(listings_, listing); }
  bool has_job(JobId job) const { return is_set(jobs_, job); }

 private:
  static void set(std::vector<bool>& bits, std::int64_t at);
  static bool is_set(const std::vector<bool>& bits, std::int64_t at) {
    return static_cast<std::uint64_t>(at) < bits.size() && bits[static_cast<std::size_t>(at)];
  }
  std::vector<bool> listings_, jobs_;
};

/// Rows of a run that were unchanged when it began.
struct UnchangedCounts {
  std::int64_t rows = 0;
  std::int64_t selected = 0;
};

/// How many rows of a run have the same outcome.
struct RowCount {
  Action action = Action::Submit;
  std::optional<State> state;  ///< of the row's job
  bool selected = true;
  std::int64_t rows = 0;
  std::int64_t submissions = 0;
};

struct LedgerCounts {
  std::map<State, std::int64_t> jobs;
  std::int64_t listings = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  // Accounts and runs.
  virtual Result<std::vector<AccountRecord>> accounts() = 0;
  /// Adds the account, or records its new origin and what its figures mean. Sets `account.id`.
  virtual Result<void> put_account(AccountRecord& account) = 0;

  /// The run of that uid, or the last one for an empty uid. Nothing if there is none.
  virtual Result<std::optional<RunRecord>> run(std::string_view uid) = 0;
  /// Marks the end of a run. `sends` are those of `accounts` that the limits of the next run still have to count; those
  /// recorded for other accounts stay.
  virtual Result<void> end_run(const RunRecord& run, std::span<const AccountId> accounts,
                               std::span<const SendRecord> sends, int keep_runs) = 0;
  /// A run that ended goes on, or one that died: its end is forgotten.
  virtual Result<void> reopen_run(RunId run) = 0;
  struct PastSends {
    std::vector<SendRecord> sends;      ///< that earlier runs recorded, oldest first
    std::vector<AccountId> incomplete;  ///< accounts whose last work did not end, so that not all of them are recorded
  };
  /// Work with these accounts begins: from here to end_run() it counts as not cleanly ended, and so does the file
  /// alone, without what is beside it.
  virtual Result<PastSends> begin_work(std::span<const AccountId> accounts) = 0;

  // Intake. Rows added between begin_intake() and commit_intake() exist all or not at all.
  virtual Result<void> begin_intake(RunRecord& run) = 0;
  virtual Result<void> commit_intake() = 0;
  virtual void abandon_intake() = 0;
  /// Finds or makes the listing; during an intake only.
  virtual Result<ListingId> listing(AccountId account, std::string_view kind, std::string_view ref) = 0;
  /// Finds or makes a listing's content, given as to_json(RawFields); during an intake only. Content that no submission
  /// ever carried is replaced, so that a listing keeps one content for each job and one that waits.
  ///
  /// text  by which for_each_paid() will know a job with this content. Without one its rows are always looked at
  ///       closely.
  virtual Result<ContentId> content(ListingId listing, std::string_view fields, std::optional<Digest> text = {}) = 0;
  /// Rows come in the order of their numbers.
  virtual Result<void> add_row(const RowRecord& row) = 0;
  virtual Result<void> add_unchanged_row(const UnchangedRow& row) = 0;
  /// The row's text says what a finished job was made for, if not in the same words: for_each_paid() knows it by that
  /// from now on. During an intake only.
  virtual Result<void> know_job(JobId job, const Digest& text) = 0;
  /// The run that is taken in is the last one that read `feed`, a name of the caller's choice; during an intake only.
  virtual Result<void> note_feed(std::string_view feed) = 0;
  /// Records decisions made again for a row of an earlier intake.
  virtual Result<void> update_row(RunId run, const RowRecord& row) = 0;

  // What is known of a listing; also outside an intake.
  virtual Result<ListingId> find_listing(std::string_view account, std::string_view kind, std::string_view ref) = 0;
  /// Every job of a listing, oldest first, each with its content's fields as to_json(RawFields) wrote them.
  struct JobOfListing {
    KnownJob job;
    std::string fields;
  };
  virtual Result<std::vector<JobOfListing>> jobs_of(ListingId listing) = 0;
  virtual Result<std::string> fields_of(ContentId content) = 0;
  /// Every finished job whose video is its listing's for as long as the listing's text stays the same: the text's
  /// digest as content() got it, oldest job first. Jobs of listings with another job that is open or held are left out.
  virtual Result<void> for_each_paid(const std::function<void(const Digest& text, JobId job)>& visit) = 0;
  /// What was paid for, or may have been, and may still become a video. The texts are valid during the visit.
  struct PaidContent {
    ListingId listing = 0;
    std::string_view account, kind;
    std::string_view ref;     ///< with its catalogue
    std::string_view fields;  ///< to_json(RawFields)
  };
  virtual Result<void> for_each_paid_content(const std::function<Result<void>(const PaidContent&)>& visit) = 0;

  // Work.
  /// A number for a new job; each call gives another one.
  virtual JobId next_job_id() = 0;
  /// How many selected rows of a run wait to be submitted.
  virtual Result<std::int64_t> planned_count(RunId run) = 0;
  /// Planned rows of a run whose listing is in a later run too are left to that one: no longer selected. Returns how
  /// many.
  virtual Result<std::int64_t> leave_replaced(RunId run) = 0;
  /// Jobs found with an intent and without an outcome become held. Returns how many.
  virtual Result<std::int64_t> hold_interrupted(RunId run, WallTime at) = 0;
  virtual Result<std::vector<PlannedRow>> planned_rows(RunId run, std::string_view account, RowNumber after,
                                                       std::size_t most) = 0;
  /// The planned rows of one subject, in manifest order.
  virtual Result<std::vector<PlannedRow>> planned_rows_of(RunId run, std::string_view account,
                                                          std::string_view subject) = 0;
  virtual Result<std::vector<OpenJob>> open_jobs() = 0;
  virtual Result<RepairHistory> repairs_of(JobId job, RunId run) = 0;
  enum class Followers { Ignored, Counted };
  /// The job, other than `job`, that has this remote id at the account's service and origin, under whatever account
  /// name; 0 if none has.
  ///
  /// followers  whether jobs that only follow it count.
  virtual Result<JobId> job_with_remote_id(AccountId account, std::string_view remote_id, JobId job,
                                           Followers followers = Followers::Ignored) = 0;
  virtual Result<void> commit(const Commit& commit) = 0;
  /// How long finished jobs of a kind took from acceptance, shortest first, of the last `most` that ended in the run
  /// that submitted them, in at most `longest`: what another one found ended may have been so for long. Those behind
  /// many of other kinds are not found.
  virtual Result<std::vector<Duration>> past_durations(std::string_view kind, Duration longest, std::size_t most) = 0;
  /// The highest price seen for a kind in an account.
  virtual Result<std::optional<Credits>> highest_price(AccountId account, std::string_view kind) = 0;
  /// What some of the last finished jobs of a kind in an account are known to have cost, newest first, at most `most`.
  struct PastJob {
    Credits cost;
    std::string fields;  ///< to_json(RawFields)
  };
  virtual Result<std::vector<PastJob>> past_jobs(AccountId account, std::string_view kind, std::size_t most) = 0;
  /// What the account's jobs of one run, or (0) those submitted since a time, have cost or reserve.
  virtual Result<Credits> spent(AccountId account, RunId run, WallTime since) = 0;
  /// The same by the value of a label, of those that have it.
  virtual Result<std::map<std::string, Credits>> spent_by_label(AccountId account, RunId run, WallTime since,
                                                                std::string_view label) = 0;
  virtual Result<LastFigures> last_figures(AccountId account) = 0;
  /// The account's paid jobs that ended since then, oldest first.
  virtual Result<std::vector<EndedJob>> jobs_ended_since(AccountId account, WallTime since) = 0;
  /// What the jobs that made a subject and that worked on it are known to have cost together: what the service calls
  /// used of it, where it counts by subject. Nothing if one is unknown or somebody else made it.
  virtual Result<std::optional<Credits>> used_on(AccountId account, std::string_view subject) = 0;

  // Views.
  /// In manifest order.
  ///
  /// packed  gets the rows that unchanged_rows() counts; empty: they go to `visit` like all others.
  virtual Result<void> for_each_row(RunId run, const std::function<Result<void>(const RowView&)>& visit,
                                    const std::function<void(const PackedRow&)>& packed = {}) = 0;
  /// The same, without those that unchanged_rows() counts.
  virtual Result<void> for_each_changing_row(RunId run, const std::function<Result<void>(const RowView&)>& visit) = 0;
  /// The same, counted: a fraction of what it takes to show them.
  virtual Result<std::vector<RowCount>> count_changing_rows(RunId run) = 0;
  virtual Result<UnchangedCounts> unchanged_rows(RunId run) = 0;
  /// The last run that read `feed` (note_feed); nothing if there is none, or if its rows are no longer kept.
  struct RowsBefore {
    std::string run;  ///< its uid
    std::int64_t rows = 0;
  };
  virtual Result<std::optional<RowsBefore>> rows_before(std::string_view feed) = 0;
  /// Of every label that any row of the run has, in the order first met: rows of several manifests may differ.
  virtual Result<std::vector<std::string>> label_names(RunId run) = 0;
  virtual Result<std::vector<HeldJob>> held_jobs() = 0;
  /// Jobs that were held and adopted, by an id that may still prove wrong: in flight, timed out, or failed as the
  /// service knows none of that id, and not submitted anew since.
  virtual Result<std::vector<HeldJob>> adopted_jobs() = 0;
  virtual Result<CreditSums> credit_sums(AccountId account, RunId run) = 0;
  /// Every paid job by id, then every figure in the order seen, all as of one moment. The texts are valid during the
  /// visit.
  virtual Result<void> for_each_credit_fact(const std::function<Result<void>(const PaidJob&)>& job,
                                            const std::function<Result<void>(const FigureSeen&)>& figure) = 0;
  /// The uid of every run, by number.
  virtual Result<std::map<RunId, std::string>> run_names() = 0;
  virtual Result<LedgerCounts> counts() = 0;
  /// Visits the listings of the last run that read `feed` (note_feed) which are not among `seen`: they left it. None if
  /// no run read it, or if its rows are no longer kept.
  virtual Result<void> for_each_gone(std::string_view feed, const ListingsSeen& seen,
                                     const std::function<void(const ListingName&)>& visit) = 0;

  // Care.
  /// Everything that is wrong with the record, one sentence each; empty if nothing is.
  virtual Result<std::vector<std::string>> verify() = 0;
  virtual Result<void> backup(const std::string& path) = 0;

  /// The listings of that id, catalogue included: several accounts and kinds may have one each.
  virtual Result<std::vector<ListingView>> listings_named(std::string_view ref) = 0;
};

}  // namespace reelbatch
