#include "runner/account_gate.h"

#include <doctest/doctest.h>

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

AccountOptions options() {
  AccountOptions account;
  account.rate = {{100, 1s}};
  account.submit_rate = {{50, 1s}};
  account.max_in_flight = 3;
  account.hold_limit = 5;
  return account;
}

Instant at(Duration since_start) {
  return Instant(since_start);
}

/// A submission that leaves at once.
void submit(AccountGate& gate, Instant now) {
  gate.submit_starts();
  gate.sent(true, now, false);
}

}  // namespace

TEST_CASE("gate: a 429 holds polls and submissions for exactly the time it names") {
  AccountGate gate(options(), 15min, at(0s));
  CHECK(gate.throttled(at(10s), 7s) == 7s);
  CHECK(gate.poll_at() == at(17s));
  CHECK(gate.submit_at() == at(17s));
  CHECK(gate.throttled(at(11s), 2s) == 6s);  // an earlier end does not shorten the hold
  CHECK(gate.poll_at() == at(17s));
}

TEST_CASE("gate: a 429 without a time is 1 s, doubling to 60 s, until an answer comes") {
  AccountGate gate(options(), 15min, at(0s));
  Instant now = at(0s);
  for (const Duration expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CHECK(gate.throttled(now, std::nullopt) == expected);
    // What was already on the wire says the same and does not double.
    CHECK(gate.throttled(now, std::nullopt) == expected);
    now += expected;
  }
  gate.answered();
  CHECK(gate.throttled(now, std::nullopt) == 1s);
}

TEST_CASE("gate: in flight and unanswered submissions together stay below the cap") {
  AccountGate gate(options(), 15min, at(0s));
  submit(gate, at(0s));
  submit(gate, at(0s));
  gate.job_opened();
  CHECK(gate.submit_at() == kNever);
  gate.submission_ended();
  CHECK(gate.submit_at() <= at(0s));
  gate.job_opened();
  CHECK(gate.submit_at() == kNever);
  gate.job_closed();
  CHECK(gate.submit_at() <= at(0s));
}

TEST_CASE("gate: after a doubtful submission one at a time, 5 s doubling to 60 s, and none after five in a row") {
  AccountGate gate(options(), 15min, at(0s));
  Instant now = at(0s);
  for (const Duration expected : {5s, 10s, 20s, 40s}) {
    submit(gate, now);
    gate.submission_ended();
    gate.doubtful(now);
    CHECK(gate.submit_at() == now + expected);
    now += expected;
  }
  submit(gate, now);
  CHECK(gate.submit_at() == kNever);  // one at a time
  gate.submission_ended();
  gate.doubtful(now);
  CHECK_FALSE(gate.may_submit());
  CHECK(gate.may_poll());
  CHECK(gate.cause() == StopCause::HoldLimit);
}

TEST_CASE("gate: an acceptance ends the streak") {
  AccountGate gate(options(), 15min, at(0s));
  gate.doubtful(at(0s));
  gate.accepted();
  gate.doubtful(at(100s));
  CHECK(gate.submit_at() == at(105s));
}

TEST_CASE("gate: an outage is counted from the first failure after the last answer") {
  SeededRandom rng(1);
  AccountGate gate(options(), 15min, at(0s));
  CHECK(gate.outage_at() == kNever);
  gate.failed(at(60s), false, rng);
  gate.failed(at(120s), true, rng);
  CHECK(gate.outage_at() == at(60s + 15min));
  gate.answered();
  CHECK(gate.outage_at() == kNever);
}

TEST_CASE("gate: a submission that never left waits, longer each time, at most a minute") {
  SeededRandom rng(1);
  AccountGate gate(options(), 15min, at(0s));
  Duration most{};
  for (int i = 1; i <= 12; ++i) {
    const Instant now = at(i * 1000s);
    gate.failed(now, true, rng);
    const Duration wait = gate.submit_at() - now;
    CHECK(wait >= doubling(i, 1s, 60s) / 2);
    CHECK(wait <= doubling(i, 1s, 60s));
    most = std::max(most, wait);
  }
  CHECK(most > 30s);
}

TEST_CASE("gate: a refused key is given up a minute after its first refusal") {
  AccountGate gate(options(), 15min, at(0s));
  CHECK(gate.key_refused(at(10s)) == at(70s));
  CHECK(gate.key_refused(at(50s)) == at(70s));
  gate.answered();
  CHECK(gate.key_refused(at(80s)) == at(140s));
}

TEST_CASE("gate: the first cause of a stop is the one that is told") {
  AccountGate gate(options(), 15min, at(0s));
  gate.stop_submitting(StopCause::Credits, "no credits left");
  gate.stop(StopCause::Outage, "gone");
  CHECK(gate.cause() == StopCause::Credits);
  CHECK(gate.why() == "no credits left");
  CHECK_FALSE(gate.may_poll());
}
