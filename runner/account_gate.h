// Whether an account may send now: its limits, its place in flight, what its service last said, and what it was stopped
// for. Pure: told the time and what happened, asked when the next request may start. Knows no job.
#pragma once

#include <optional>
#include <string>

#include "runner/backoff.h"
#include "runner/clock.h"
#include "runner/options.h"
#include "runner/rate_limiter.h"

namespace reelbatch {

/// Why an account stopped, in the words of `stopped_by`.
enum class StopCause { None, Key, Credits, Address, Budget, Deadline, Outage, HoldLimit };

std::string_view name_of(StopCause cause);

class AccountGate {
 public:
  /// now  the start of the run.
  AccountGate(const AccountOptions& options, Duration outage_timeout, Instant now);

  // ---- When a request may start ----

  /// Earliest moment for a poll; kNever while only an event can allow one.
  Instant poll_at() const;
  /// Earliest moment for a submission; kNever while only an event can allow one, or none is allowed in this run any
  /// more.
  ///
  /// needs_place  it takes a place in flight: not so where its subject has one already.
  Instant submit_at(bool needs_place = true) const;
  /// Whether one more job may be in flight.
  bool has_place() const { return in_flight_ + places_reserved_ < max_in_flight_; }

  /// Any request that is no submission.
  void poll_starts();
  void submit_starts(bool needs_place = true);
  /// A request's first byte leaves.
  void sent(bool submission, Instant at, bool again);
  /// An exchange ended before it was reported as sent.
  void never_sent(bool submission);

  // ---- What happened ----

  /// An answer that shows the service at work: ends every back-off but that of doubtful submissions.
  void answered();
  /// No answer, or a 5xx. `submission_untaken`: a submission that certainly was not taken; the next one waits.
  void failed(Instant now, bool submission_untaken, Rng& rng);
  /// 429. Holds everything until `retry_after` from now, or longer with each 429 that names no time.
  /// Returns how long from now the account is held.
  Duration throttled(Instant now, std::optional<Duration> retry_after);
  /// A poll was answered 401. The key is given up if that still is so at the moment returned, a minute after the first.
  Instant key_refused(Instant now);
  /// The outcome of a submission. A doubtful one slows the account down; hold_limit of them in a row stop its
  /// submissions.
  void submission_ended(bool needed_place = true);
  void accepted();
  void doubtful(Instant now);

  /// A job, or the jobs of a subject together, become or are no longer in flight.
  void job_opened() { ++in_flight_; }
  void job_closed() { --in_flight_; }
  int in_flight() const { return in_flight_; }

  // ---- Stopping ----

  /// No further submission in this run; polls go on.
  void stop_submitting(StopCause cause, std::string why);
  /// Nothing at all any more in this run.
  void stop(StopCause cause, std::string why);
  /// When the account has to be stopped because nothing succeeded for the outage timeout; kNever while all is well.
  Instant outage_at() const;

  bool may_poll() const { return !stopped_; }
  bool may_submit() const { return !stopped_ && !submit_stopped_; }
  /// The first cause; later ones are not recorded.
  StopCause cause() const { return cause_; }
  const std::string& why() const { return why_; }

  RateLimiter& all() { return all_; }
  RateLimiter& submissions() { return submissions_; }

 private:
  int max_in_flight_;
  int hold_limit_;
  Duration outage_timeout_;
  RateLimiter all_;
  RateLimiter submissions_;

  int in_flight_ = 0;
  int submitting_ = 0;
  int places_reserved_ = 0;     ///< by submissions that will take one
  Instant held_until_;          ///< by a 429
  int throttles_in_a_row_ = 0;  ///< without a time of their own
  Instant submit_after_;        ///< by a doubtful submission
  Instant retry_after_;         ///< by an untaken one; any answer ends it
  int doubtful_in_a_row_ = 0;
  int untaken_in_a_row_ = 0;
  std::optional<Instant> failing_since_;
  std::optional<Instant> key_refused_since_;

  bool submit_stopped_ = false;
  bool stopped_ = false;
  StopCause cause_ = StopCause::None;
  std::string why_;
};

}  // namespace reelbatch
