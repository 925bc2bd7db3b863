#include "runner/decide.h"

#include <algorithm>

namespace reelbatch {
namespace {

/// The latest job for which `fits` holds, or nullptr.
template <typename Predicate>
const KnownJob* latest(std::span<const KnownJob> jobs, Predicate fits) {
  const auto found = std::find_if(jobs.rbegin(), jobs.rend(), fits);
  return found == jobs.rend() ? nullptr : &*found;
}

bool is_open(State state) {
  return state == State::InFlight || state == State::TimedOut;
}
bool is_in_doubt(State state) {
  return state == State::Held || state == State::Submitting;
}
bool has_failed(State state) {
  return state == State::Failed || state == State::Dropped;
}

/// The row's content failed before, or was given up.
Decision decide_failed(std::span<const KnownJob> jobs, const KnownJob& failed, const DecidePolicy& policy) {
  if (failed.state == State::Dropped) return {Action::Skip, Reason::Dropped, failed.id, 0};
  const auto failures = std::count_if(jobs.begin(), jobs.end(),
                                      [](const KnownJob& job) { return job.same_content && has_failed(job.state); });
  // The first failure is the listing's own; every further one was a retry.
  const bool may_retry = policy.retry_failed && failures - 1 < policy.retry_limit;
  if (may_retry) return {Action::Submit, Reason::Retry, 0, 0};
  return {Action::Skip, Reason::FailedBefore, failed.id, 0};
}

}  // namespace

Decision decide(std::span<const KnownJob> jobs, const DecidePolicy& policy) {
  if (const auto* held = latest(jobs, [](const KnownJob& job) { return is_in_doubt(job.state); })) {
    return {Action::Hold, Reason::Held, held->id, 0};
  }
  if (const auto* open = latest(jobs, [](const KnownJob& job) { return is_open(job.state); })) {
    return {Action::Resume, Reason::InFlight, open->id, 0};
  }
  if (const auto* same =
          latest(jobs, [](const KnownJob& job) { return job.same_content && job.state == State::Done; })) {
    return {Action::Skip, Reason::Unchanged, same->id, 0};
  }
  const auto* failed = latest(jobs, [](const KnownJob& job) { return job.same_content && has_failed(job.state); });
  const auto* planned = latest(jobs, [](const KnownJob& job) { return job.state == State::Planned; });
  if (planned != nullptr && planned->same_content && failed != nullptr && failed->id < planned->id) {
    // A retry that was decided and never taken, or that the operator asked for.
    return {Action::Submit, Reason::Retry, planned->id, 0};
  }
  if (failed != nullptr) return decide_failed(jobs, *failed, policy);

  const JobId go_on_with = planned == nullptr ? 0 : planned->id;
  if (const auto* done = latest(jobs, [](const KnownJob& job) { return job.state == State::Done; })) {
    if (policy.on_change == OnChange::Skip) return {Action::Skip, Reason::Changed, done->id, done->id};
    return {Action::Submit, Reason::Changed, go_on_with, done->id};
  }
  if (const auto* other = latest(jobs, [](const KnownJob& job) { return has_failed(job.state); })) {
    return {Action::Submit, Reason::Changed, go_on_with, other->id};
  }
  return {Action::Submit, Reason::New, go_on_with, 0};
}

std::string_view name_of(Action action) {
  switch (action) {
    case Action::Submit:
      return "submit";
    case Action::Resume:
      return "resume";
    case Action::Skip:
      return "skip";
    case Action::Hold:
      return "hold";
    case Action::Invalid:
      return "invalid";
  }
  return "unknown";
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::New:
      return "new";
    case Reason::Changed:
      return "changed";
    case Reason::Retry:
      return "retry";
    case Reason::InFlight:
      return "in_flight";
    case Reason::Unchanged:
      return "unchanged";
    case Reason::FailedBefore:
      return "failed_before";
    case Reason::Dropped:
      return "dropped";
    case Reason::Held:
      return "held";
    case Reason::Invalid:
      return "invalid";
  }
  return "unknown";
}

}  // namespace reelbatch
