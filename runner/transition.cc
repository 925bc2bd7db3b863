#include "runner/transition.h"

namespace reelbatch {

std::string_view name_of(State state) {
  switch (state) {
    case State::Planned:
      return "planned";
    case State::Submitting:
      return "submitting";
    case State::InFlight:
      return "in_flight";
    case State::TimedOut:
      return "timed_out";
    case State::Held:
      return "held";
    case State::Done:
      return "done";
    case State::Failed:
      return "failed";
    case State::Dropped:
      return "dropped";
  }
  return "unknown";
}

std::string_view name_of(Event event) {
  switch (event) {
    case Event::Submit:
      return "submit";
    case Event::Accept:
      return "accept";
    case Event::NotTaken:
      return "not_taken";
    case Event::Refuse:
      return "refuse";
    case Event::Lose:
      return "lose";
    case Event::Finish:
      return "finish";
    case Event::Fail:
      return "fail";
    case Event::WaitOut:
      return "wait_out";
    case Event::Resume:
      return "resume";
    case Event::Adopt:
      return "adopt";
    case Event::Resubmit:
      return "resubmit";
    case Event::Drop:
      return "drop";
    case Event::Follow:
      return "follow";
  }
  return "unknown";
}

}  // namespace reelbatch
