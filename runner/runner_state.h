// What the loop keeps in memory. Private to runner.cc and runner_settle.cc.
#pragma once

#include <deque>
#include <map>
#include <queue>
#include <tuple>

#include "jobs/credit_evidence.h"
#include "runner/credit_book.h"
#include "runner/runner.h"
#include "runner/spending.h"

namespace reelbatch {

/// How long after acceptance a 404 is "not yet".
inline constexpr Duration kNotYet = std::chrono::minutes(10);
/// How long after acceptance an end may still be that of what was there before.
inline constexpr Duration kPastLasts = std::chrono::minutes(1);

/// How often a submission of this run whose answer was lost is looked for, and one of an earlier run.
inline constexpr int kLooks = 4;
inline constexpr int kLooksLater = 1;
/// The parts of a list that one look goes through at most.
inline constexpr int kListPartsMax = 50;

/// By which a submission is found again at a service that lists its jobs.
std::string marker_of(std::string_view run_uid, JobId job);

/// A job that was accepted and is not finished. While it waits it is this record and an entry in its account's heap,
/// nothing more.
struct Runner::Flight {
  JobId id = 0;
  Account* account = nullptr;
  const JobKind* kind = nullptr;
  std::string remote_id;
  std::string subject;  ///< of its group; its own id while parts of it are made again
  bool followed = false;
  JobId repairs = 0;  ///< the job of which it makes a part again
  State state = State::InFlight;
  bool found = false;                      ///< another process submitted it
  std::optional<Credits> reserved_before;  ///< and reserved that
  std::vector<Spending::Group> groups;     ///< of the account's budgets by label, if another process submitted it
  bool counted = true;       ///< takes a place in flight: the account's, or one with the others of its subject
  bool last_chance = false;  ///< polled once: it timed out more than a day ago
  bool give_up = false;      ///< and if that does not finish it, it has failed
  bool alone = false;        ///< the service would not tell of it in an answer about several
  bool waits = false;        ///< for its next poll, at `due`
  Instant due;
  Instant wait_until;     ///< the job timeout
  Instant known_by;       ///< until then a 404 is "not yet"
  Instant believed_from;  ///< until then an end may be that of what was there before
  int failures = 0;       ///< polls in a row that brought nothing
  std::int64_t polls = 0;
  CreditFigures at_end;  ///< of the answer that ended it
};

/// A row that waits to be submitted, or is being submitted.
struct Runner::Pending {
  PlannedRow row;
  const JobKind* kind = nullptr;
  bool prepared = false;  ///< the rest is there: read when the row's turn comes
  std::vector<NormalField> fields;
  std::string followed;                 ///< JobKind::followed()
  std::optional<NewRepair> repair;      ///< it makes a part of another job again
  std::vector<Spending::Group> groups;  ///< of the account's budgets by label
};

/// The jobs on one subject: submitted one after the other, then polled with one request. Together they take one place
/// in flight.
struct Runner::Group {
  std::deque<Pending> waiting;  ///< planned rows, in manifest order
  std::vector<JobId> open;      ///< in flight
  int counted = 0;              ///< of them, those that count as in flight
  bool queued = false;          ///< in Account::ready_groups
  bool submitting = false;
  bool polling = false;
};

/// The parts of a job that are in error, and the jobs of this run that make some of them again.
struct Runner::Mending {
  struct Part {
    std::string id;
    Instant since;
    bool settled = false;  ///< asked for, or not to be asked for any more
  };
  std::vector<Part> broken;
  std::vector<JobId> repairs;  ///< accepted ones, whose price is in the job's own
};

/// A job that may have been accepted, at a service that can be asked for it.
struct Runner::LostJob {
  JobId id = 0;
  const JobKind* kind = nullptr;
  std::string ref, marker;
  int looks_left = 0;
  bool counted = false;  ///< among the progress' held rows
};

/// What a request is for.
enum class Runner::Errand { Poll, Submission, Balance, Search };

struct Runner::OpenExchange {
  Account* account = nullptr;
  Errand errand = Errand::Poll;
  bool sent = false;
  bool needs_place = true;  ///< of a submission: not if its subject has one
  bool redacted = false;    ///< the answer had a secret of the account in it, which was blanked out
  Instant sent_at;
  Pending pending;            ///< of a submission; its job is pending.row.job
  std::vector<JobId> polled;  ///< of a poll
  std::vector<JobId> sought;  ///< of a search
  int part = 1;               ///< of a search: of the list, as the service divides it
  const JobKind* kind = nullptr;
  bool submission() const { return errand == Errand::Submission; }
};

struct Runner::Account {
  Account(RunnerAccount parts, Duration outage_timeout, Instant now)
      : record(std::move(parts.record)),
        options(std::move(parts.options)),
        headers(std::move(parts.headers)),
        redact(std::move(parts.redact)),
        gate(options, outage_timeout, now),
        spending(options.budget.mode),
        by_label(options.budget.labels.size()) {}

  AccountRecord record;
  AccountOptions options;
  HeaderSet headers;
  std::function<bool(std::string&)> redact;
  AccountGate gate;
  std::string last_failure;  ///< why the last exchange brought nothing, for people
  CreditBook book;
  CreditEvidence evidence;
  Spending spending;
  Credits unshown;                            ///< by the book, as the ledger has it
  std::int64_t found_open = 0;                ///< jobs that were found in flight and have not ended
  bool found_ended = false;                   ///< some have, since the caps were set with what they reserved
  WallTime budget_day, budget_month;          ///< for which the budget's day and month are counted
  std::map<std::string_view, Credits> price;  ///< by kind: the highest seen
  struct Average {
    Credits sum;
    std::int64_t jobs = 0;
  };
  std::map<std::string_view, Average> usual_price;  ///< by kind, of past jobs and this run's

  /// What the rows of one label value wait for: the budget of the same place in options.budget.labels, which is the
  /// group of spending one further on.
  struct LabelGroup {
    std::deque<Pending> waiting;  ///< for open jobs of the group, which may turn out cheaper
    std::string full;             ///< why its rows are passed over: no open job is left that could make room
    std::string passed;           ///< the last reason for which a row was passed over
    std::int64_t found_open = 0;  ///< jobs of the group that were found in flight and have not ended
    bool found_ended = false;     ///< some have, since its caps were set with what they reserved
    bool renew = false;           ///< its caps are to be set anew
  };
  std::vector<LabelGroup> by_label;
  RowNumber taken_up = 0;       ///< the last row that waited and has its turn now
  bool passing = false;         ///< rows were passed over this turn, and there are more to look at
  bool knows_jobs = false;      ///< the service was seen to know a job of it
  bool told_no_price = false;   ///< it was said that a budget cannot be kept
  bool told_long_list = false;  ///< it was said that the list of jobs is not read to its end

  struct Due {
    Instant at;
    JobId job;
    bool operator>(const Due& other) const { return std::tie(at, job) > std::tie(other.at, other.job); }
  };
  /// Every waiting flight at its due time. An entry whose flight has gone, or waits for another time, counts nothing.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  int groups_refused = 0;  ///< questions about several jobs in a row that were not answered

  NextRow next;               ///< what row_due() spoke of
  std::deque<Pending> ready;  ///< rows read ahead, in manifest order
  RowNumber read_up_to = 0;
  bool read_all = false;
  std::map<std::string, Group, std::less<>> groups;  ///< by subject, those with anything in them
  std::deque<Group*> ready_groups;                   ///< with a row that may be submitted now
  /// Jobs in flight in no group, of kinds whose rows may follow one, by their ids, in the flights' memory.
  std::unordered_map<std::string_view, JobId> alone;
  std::unordered_set<RowNumber> gathered;  ///< rows that are in a group before they were read

  std::vector<LostJob> lost;
  Instant search_at = kNever;
  Duration search_after{};  ///< how long after the last search
  /// Where a search goes on: the list's next part.
  struct ListPart {
    const JobKind* kind = nullptr;
    std::string path;  ///< from the base URL on
    int number = 1;
  };
  std::optional<ListPart> next_part;

  enum class Balance { NotTold, Settled };
  Balance balance = Balance::Settled;  ///< NotTold: to be asked for before anything is submitted
  Instant balance_at = kNever;         ///< when to ask
  int balance_tries = 0;
  bool balance_moved = false;  ///< something may have been charged since it was told
  std::map<std::string_view, Duration>
      usual_duration;  ///< by kind, of past jobs: what a deadline has to leave room for
};

}  // namespace reelbatch
