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

/// A job that was accepted and is not finished. While it waits it is this record and an entry in its account's heap,
/// nothing more.
struct Runner::Flight {
  JobId id = 0;
  Account* account = nullptr;
  const JobKind* kind = nullptr;
  std::string remote_id;
  State state = State::InFlight;
  bool counted = true;       ///< takes one of the account's places in flight
  bool last_chance = false;  ///< polled once: it timed out more than a day ago
  bool give_up = false;      ///< and if that does not finish it, it has failed
  Instant due;
  Instant wait_until;  ///< the job timeout
  Instant known_by;    ///< until then a 404 is "not yet"
  int failures = 0;    ///< polls in a row that brought nothing
  std::int64_t polls = 0;
};

/// A row that waits to be submitted, or is being submitted.
struct Runner::Pending {
  PlannedRow row;
  const JobKind* kind = nullptr;
  std::vector<Spending::Group> groups;  ///< of the account's budgets by label
};

struct Runner::OpenExchange {
  Account* account = nullptr;
  bool submission = false;
  bool sent = false;
  Instant sent_at;
  Pending pending;            ///< of a submission; its job is pending.row.job
  std::vector<JobId> polled;  ///< of a poll
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
  std::function<void(std::string&)> redact;
  AccountGate gate;
  std::string last_failure;  ///< why the last exchange brought nothing, for people
  CreditBook book;
  CreditEvidence evidence;
  Spending spending;
  Credits in_doubt;                           ///< reserved by held jobs: the balance may not show them yet
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
  };
  std::vector<LabelGroup> by_label;
  bool passing = false;        ///< rows were passed over this turn, and there are more to look at
  bool told_no_price = false;  ///< it was said that a budget cannot be kept

  struct Due {
    Instant at;
    JobId job;
    bool operator>(const Due& other) const { return std::tie(at, job) > std::tie(other.at, other.job); }
  };
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;  ///< each waiting flight once

  std::deque<Pending> ready;  ///< rows read ahead, in manifest order
  RowNumber read_up_to = 0;
  bool read_all = false;
  std::map<std::string_view, Duration>
      usual_duration;  ///< by kind, of past jobs: what a deadline has to leave room for
};

}  // namespace reelbatch
