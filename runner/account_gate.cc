#include "runner/account_gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kThrottleFirst = 1s;
constexpr Duration kThrottleMost = 60s;
constexpr Duration kDoubtFirst = 5s;
constexpr Duration kDoubtMost = 60s;
constexpr Duration kUntakenFirst = 1s;
constexpr Duration kUntakenMost = 60s;
constexpr Duration kKeyPatience = 60s;

}  // namespace

std::string_view name_of(StopCause cause) {
  switch (cause) {
    case StopCause::None:
      return "";
    case StopCause::Key:
      return "key";
    case StopCause::Credits:
      return "credits";
    case StopCause::Budget:
      return "budget";
    case StopCause::Deadline:
      return "deadline";
    case StopCause::Address:    // the service is there, but not at this address
    case StopCause::HoldLimit:  // it answers, but says nothing that can be believed
    case StopCause::Outage:
      return "outage";
  }
  return "outage";
}

AccountGate::AccountGate(const AccountOptions& options, Duration outage_timeout, Instant now)
    : max_in_flight_(options.max_in_flight),
      hold_limit_(options.hold_limit),
      outage_timeout_(outage_timeout),
      all_(options.rate),
      submissions_(options.submit_rate),
      held_until_(now),
      submit_after_(now),
      retry_after_(now) {}

Instant AccountGate::poll_at() const {
  if (stopped_) return kNever;
  return std::max(all_.next_free(), held_until_);
}

Instant AccountGate::submit_at(bool needs_place) const {
  if (!may_submit() || (needs_place && !has_place())) return kNever;
  // In doubt, or after a failure to reach the service: one at a time.
  if ((doubtful_in_a_row_ > 0 || untaken_in_a_row_ > 0) && submitting_ > 0) return kNever;
  return std::max({all_.next_free(), submissions_.next_free(), held_until_, submit_after_, retry_after_});
}

void AccountGate::poll_starts() {
  all_.take();
}

void AccountGate::submit_starts(bool needs_place) {
  all_.take();
  submissions_.take();
  ++submitting_;
  places_reserved_ += needs_place;
}

void AccountGate::sent(bool submission, Instant at, bool again) {
  if (again) {
    all_.sent_again(at);
    if (submission) submissions_.sent_again(at);
  } else {
    all_.sent(at);
    if (submission) submissions_.sent(at);
  }
}

void AccountGate::never_sent(bool submission) {
  all_.give_back();
  if (submission) submissions_.give_back();
}

void AccountGate::answered() {
  failing_since_.reset();
  key_refused_since_.reset();
  throttles_in_a_row_ = 0;
  untaken_in_a_row_ = 0;
  retry_after_ = Instant::min();
}

void AccountGate::failed(Instant now, bool submission_untaken, Rng& rng) {
  if (!failing_since_) failing_since_ = now;
  // Those that were already out when the wait began failed for the same reason.
  if (!submission_untaken || retry_after_ > now) return;
  ++untaken_in_a_row_;
  retry_after_ = now + backoff_delay(untaken_in_a_row_, kUntakenFirst, kUntakenMost, rng);
}

Duration AccountGate::throttled(Instant now, std::optional<Duration> retry_after) {
  if (!failing_since_) failing_since_ = now;
  // Answers to requests that were already out when the hold began name the same moment: the later one stands.
  if (!retry_after && held_until_ <= now) ++throttles_in_a_row_;
  const Duration wait = retry_after.value_or(doubling(throttles_in_a_row_, kThrottleFirst, kThrottleMost));
  held_until_ = retry_after || held_until_ <= now ? std::max(held_until_, now + wait) : held_until_;
  return held_until_ - now;
}

Instant AccountGate::key_refused(Instant now) {
  if (!key_refused_since_) key_refused_since_ = now;
  return *key_refused_since_ + kKeyPatience;
}

void AccountGate::submission_ended(bool needed_place) {
  --submitting_;
  places_reserved_ -= needed_place;
}
void AccountGate::accepted() {
  doubtful_in_a_row_ = 0;
}

void AccountGate::doubtful(Instant now) {
  ++doubtful_in_a_row_;
  submit_after_ = std::max(submit_after_, now + doubling(doubtful_in_a_row_, kDoubtFirst, kDoubtMost));
  if (doubtful_in_a_row_ >= hold_limit_) {
    stop_submitting(StopCause::HoldLimit,
                    fmt::format("{} submissions in a row are held: it is unknown whether the service took them",
                                doubtful_in_a_row_));
  }
}

void AccountGate::stop_submitting(StopCause cause, std::string why) {
  if (cause_ == StopCause::None) {
    cause_ = cause;
    why_ = std::move(why);
  }
  submit_stopped_ = true;
}

void AccountGate::stop(StopCause cause, std::string why) {
  stop_submitting(cause, std::move(why));
  stopped_ = true;
}

Instant AccountGate::outage_at() const {
  return failing_since_ && !stopped_ ? *failing_since_ + outage_timeout_ : kNever;
}

}  // namespace reelbatch
