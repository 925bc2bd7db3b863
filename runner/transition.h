// What is durably known about a job, and every way it may change. The one table: the ledger checks against it, `ledger
// verify` replays it, and tools/state-diagram draws it into runner/README.md.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace reelbatch {

/// The numbers are stored in ledgers: never renumber, only append.
enum class State {
  Planned = 0,     ///< nothing accepted, nothing open: may be submitted
  Submitting = 1,  ///< the intent is on disk; a paid request may be on the wire
  InFlight = 2,    ///< accepted, not finished
  TimedOut = 3,    ///< accepted, not finished, no longer waited for in its run
  Held = 4,        ///< it is unknown whether it was accepted: never sent again by itself
  Done = 5,
  Failed = 6,
  Dropped = 7,  ///< the operator gave it up; reports call it failed
};

enum class Event {
  Submit = 0,     ///< the intent to send a paid request
  Accept = 1,     ///< the service named the job
  NotTaken = 2,   ///< certainly not accepted: nothing left, 429, or the account's fault
  Refuse = 3,     ///< the service refused the row
  Lose = 4,       ///< maybe accepted: answer lost, unreadable, or an intent found after a crash
  Finish = 5,     ///< the service says done
  Fail = 6,       ///< the service says failed, or no longer knows the job, or it was given up
  WaitOut = 7,    ///< the job timeout passed
  Resume = 8,     ///< a later run waits for it again
  Adopt = 9,      ///< the job of a held submission was found, by the operator or by a search; or the operator named
                  ///< another one than before
  Resubmit = 10,  ///< the operator's word: it was not accepted
  Drop = 11,      ///< the operator's word: give it up
  Follow = 12,    ///< the job was at the service before its row: nothing is submitted
};

struct Rule {
  State from;
  Event event;
  State to;
};

inline constexpr std::array kRules = {
    Rule{State::Planned, Event::Submit, State::Submitting},  Rule{State::Planned, Event::Follow, State::InFlight},
    Rule{State::Submitting, Event::Accept, State::InFlight}, Rule{State::Submitting, Event::NotTaken, State::Planned},
    Rule{State::Submitting, Event::Refuse, State::Failed},   Rule{State::Submitting, Event::Lose, State::Held},
    Rule{State::InFlight, Event::Finish, State::Done},       Rule{State::InFlight, Event::Fail, State::Failed},
    Rule{State::InFlight, Event::WaitOut, State::TimedOut},  Rule{State::TimedOut, Event::Resume, State::InFlight},
    Rule{State::TimedOut, Event::Finish, State::Done},       Rule{State::TimedOut, Event::Fail, State::Failed},
    Rule{State::Held, Event::Adopt, State::InFlight},        Rule{State::Held, Event::Resubmit, State::Planned},
    Rule{State::Held, Event::Drop, State::Dropped},          Rule{State::InFlight, Event::Adopt, State::InFlight},
    Rule{State::TimedOut, Event::Adopt, State::InFlight},    Rule{State::Failed, Event::Adopt, State::InFlight},
};

/// The state after `event`, or nothing if the table has no such move: a bug of the caller.
constexpr std::optional<State> next(State from, Event event) {
  for (const Rule& rule : kRules) {
    if (rule.from == from && rule.event == event) return rule.to;
  }
  return std::nullopt;
}

/// Nothing will change it any more, but for an operator who corrects the id of a job that failed as unknown.
constexpr bool is_terminal(State state) {
  return state == State::Done || state == State::Failed || state == State::Dropped;
}

/// Names as in the diagram and the ledger's history: `in_flight`, `wait_out`.
std::string_view name_of(State state);
std::string_view name_of(Event event);

}  // namespace reelbatch
