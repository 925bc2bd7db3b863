#include "runner/poller.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace reelbatch;
using std::chrono::milliseconds;

namespace {

struct Pipe {
  Pipe() { REQUIRE(::pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0); }
  ~Pipe() {
    if (fd[0] >= 0) ::close(fd[0]);
    if (fd[1] >= 0) ::close(fd[1]);
  }
  void write() { REQUIRE(::write(fd[1], "x", 1) == 1); }
  int fd[2] = {-1, -1};
};

std::vector<PollEvent> events_of(Poller& poller) {
  std::vector<PollEvent> events;
  CHECK(poller.wait(Duration::zero(), [&](const PollEvent& event) { events.push_back(event); }));
  return events;
}

}  // namespace

TEST_CASE("events come as wanted, to the owner") {
  Poller poller;
  Pipe pipe;
  int owner = 0;
  pipe.write();
  CHECK(events_of(poller).empty());
  poller.want(pipe.fd[0], true, false, &owner);
  poller.want(pipe.fd[1], false, true, nullptr);
  const std::vector<PollEvent> events = events_of(poller);
  REQUIRE(events.size() == 2);
  for (const PollEvent& event : events) {
    CHECK(event.readable == (event.fd == pipe.fd[0]));
    CHECK(event.writable == (event.fd == pipe.fd[1]));
    CHECK(event.owner == (event.fd == pipe.fd[0] ? &owner : nullptr));
  }
}

TEST_CASE("a hang-up counts as what was wanted") {
  Poller poller;
  Pipe pipe;
  poller.want(pipe.fd[0], true, false, nullptr);
  ::close(pipe.fd[1]);
  pipe.fd[1] = -1;
  REQUIRE(events_of(poller).size() == 1);
  CHECK(events_of(poller)[0].readable);
}

TEST_CASE("what is not wanted is not delivered, wanted again it is") {
  for (const bool announced : {false, true}) {
    CAPTURE(announced);
    Poller poller;
    Pipe pipe;
    if (announced) poller.opened(pipe.fd[0]);
    poller.want(pipe.fd[0], true, false, nullptr);
    poller.want(pipe.fd[0], false, false, nullptr);
    pipe.write();
    CHECK(events_of(poller).empty());
    poller.want(pipe.fd[0], true, false, nullptr);
    CHECK(events_of(poller).size() == 1);
  }
}

TEST_CASE("a number that is used again is a new descriptor") {
  for (const bool announced_again : {false, true}) {
    CAPTURE(announced_again);
    Poller poller;
    Pipe first;
    const int number = first.fd[0];
    poller.opened(number);
    poller.want(number, true, false, nullptr);
    poller.closing(number);
    Pipe second;
    REQUIRE(::dup2(second.fd[0], number) == number);  // closes the first
    if (announced_again) poller.opened(number);
    poller.want(number, true, false, nullptr);
    second.write();
    CHECK(events_of(poller).size() == 1);
  }
}

TEST_CASE("a descriptor that nobody announced may be closed without a word once nothing is wanted of it") {
  Poller poller;
  Pipe first;
  const int number = first.fd[0];
  poller.want(number, true, false, nullptr);
  poller.want(number, false, false, nullptr);
  Pipe second;
  REQUIRE(::dup2(second.fd[0], number) == number);
  poller.want(number, true, false, nullptr);
  second.write();
  CHECK(events_of(poller).size() == 1);
}

TEST_CASE("an event's handler may end what a later event is about") {
  Poller poller;
  Pipe a;
  Pipe b;
  for (Pipe* pipe : {&a, &b}) {
    poller.want(pipe->fd[0], true, false, pipe);
    pipe->write();
  }
  int delivered = 0;
  poller.wait(Duration::zero(), [&](const PollEvent& event) {
    ++delivered;
    const Pipe& other = event.owner == &a ? b : a;
    poller.want(other.fd[0], false, false, nullptr);
  });
  CHECK(delivered == 1);
}
