#include "runner/decide.h"

#include <doctest/doctest.h>

#include "runner/transition.h"

using namespace reelbatch;

namespace {

constexpr bool kSame = true;
constexpr bool kOther = false;

}  // namespace

TEST_CASE("the next night, line by line of the contract's table") {
  struct Case {
    const char* name;
    std::vector<KnownJob> jobs;
    DecidePolicy policy;
    Action action;
    Reason reason;
    JobId job;
  };
  const DecidePolicy plain;
  const DecidePolicy retry{true, 3, OnChange::Submit};
  const DecidePolicy keep{false, 3, OnChange::Skip};
  const std::vector<Case> cases = {
      {"nothing known", {}, plain, Action::Submit, Reason::New, 0},
      {"planned and never sent", {{1, State::Planned, kOther}}, plain, Action::Submit, Reason::New, 1},
      {"in flight", {{1, State::InFlight, kSame}}, plain, Action::Resume, Reason::InFlight, 1},
      {"in flight, newer content waits", {{1, State::InFlight, kOther}}, plain, Action::Resume, Reason::InFlight, 1},
      {"timed out", {{1, State::TimedOut, kSame}}, retry, Action::Resume, Reason::InFlight, 1},
      {"held, same content", {{1, State::Held, kSame}}, plain, Action::Hold, Reason::Held, 1},
      {"held, whatever the content is now",
       {{1, State::Done, kSame}, {2, State::Held, kOther}},
       retry,
       Action::Hold,
       Reason::Held,
       2},
      {"an intent without an outcome", {{1, State::Submitting, kSame}}, plain, Action::Hold, Reason::Held, 1},
      {"done, same content", {{1, State::Done, kSame}}, plain, Action::Skip, Reason::Unchanged, 1},
      {"done, back to an earlier job's content",
       {{1, State::Done, kSame}, {2, State::Done, kOther}},
       plain,
       Action::Skip,
       Reason::Unchanged,
       1},
      {"done, other content", {{1, State::Done, kOther}}, plain, Action::Submit, Reason::Changed, 0},
      {"done, other content, kept", {{1, State::Done, kOther}}, keep, Action::Skip, Reason::Changed, 1},
      {"failed, same content", {{1, State::Failed, kSame}}, plain, Action::Skip, Reason::FailedBefore, 1},
      {"failed, same content, retried", {{1, State::Failed, kSame}}, retry, Action::Submit, Reason::Retry, 0},
      {"failed, retried three times already",
       {{1, State::Failed, kSame}, {2, State::Failed, kSame}, {3, State::Failed, kSame}, {4, State::Failed, kSame}},
       retry,
       Action::Skip,
       Reason::FailedBefore,
       4},
      {"failed, one retry left",
       {{1, State::Failed, kSame}, {2, State::Failed, kSame}, {3, State::Failed, kSame}},
       retry,
       Action::Submit,
       Reason::Retry,
       0},
      {"failures of other content do not count",
       {{1, State::Failed, kOther}, {2, State::Failed, kOther}, {3, State::Failed, kOther}, {4, State::Failed, kSame}},
       retry,
       Action::Submit,
       Reason::Retry,
       0},
      {"failed, other content", {{1, State::Failed, kOther}}, plain, Action::Submit, Reason::Changed, 0},
      {"failed, other content, changes kept", {{1, State::Failed, kOther}}, keep, Action::Submit, Reason::Changed, 0},
      {"the change failed before, the old video stands",
       {{1, State::Done, kOther}, {2, State::Failed, kSame}},
       plain,
       Action::Skip,
       Reason::FailedBefore,
       2},
      {"dropped, same content", {{1, State::Dropped, kSame}}, plain, Action::Skip, Reason::Dropped, 1},
      {"dropped is not retried", {{1, State::Dropped, kSame}}, retry, Action::Skip, Reason::Dropped, 1},
      {"a retry that was never taken goes on",
       {{1, State::Failed, kSame}, {2, State::Planned, kSame}},
       plain,
       Action::Submit,
       Reason::Retry,
       2},
      {"a planned change back to paid content is not needed",
       {{1, State::Done, kSame}, {2, State::Planned, kOther}},
       plain,
       Action::Skip,
       Reason::Unchanged,
       1},
      {"a planned change goes on with its job",
       {{1, State::Done, kOther}, {2, State::Planned, kSame}},
       plain,
       Action::Submit,
       Reason::Changed,
       2},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Decision decision = decide(c.jobs, c.policy);
    CHECK(decision.action == c.action);
    CHECK(decision.reason == c.reason);
    CHECK(decision.job == c.job);
  }
}

TEST_CASE("transitions: every state with every event is in the table or refused") {
  int allowed = 0;
  for (int s = 0; s <= static_cast<int>(State::Dropped); ++s) {
    for (int e = 0; e <= static_cast<int>(Event::Follow); ++e) {
      const auto from = static_cast<State>(s);
      const std::optional<State> to = next(from, static_cast<Event>(e));
      allowed += to.has_value();
      // Money: only Planned may be sent, a terminal state is left by a corrected id alone, a held job moves by an
      // operator's word or a find.
      if (to == State::Submitting) CHECK(from == State::Planned);
      if (is_terminal(from) && to) CHECK((from == State::Failed && static_cast<Event>(e) == Event::Adopt));
      if (from == State::Held && to) CHECK((e >= static_cast<int>(Event::Adopt) && e <= static_cast<int>(Event::Drop)));
    }
  }
  CHECK(allowed == static_cast<int>(kRules.size()));
}
