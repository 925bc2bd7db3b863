#include "runner/sandbox_process.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace reelbatch {
namespace {

constexpr const char* kListen = "echo sandbox listening on http://127.0.0.1:7; ";

Result<std::unique_ptr<SandboxProcess>> start_shell(const std::string& script, int within_ms = 10'000) {
  return SandboxProcess::start({"-c", script}, std::chrono::milliseconds(within_ms), "/bin/sh");
}

/// True once the process behind `pidfd`, anyone's, has ended; waits 10 s at most.
bool has_ended(int pidfd) {
  pollfd ended{pidfd, POLLIN, 0};
  return ::poll(&ended, 1, 10'000) == 1;
}

int open_pid(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace

TEST_CASE("a sandbox process is ready when it says so, apart from our terminal, and ends with its object") {
  auto process = start_shell(std::string(kListen) + "exec sleep 60");
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message));
  CHECK((*process)->base_url() == "http://127.0.0.1:7");
  const pid_t pid = (*process)->pid();
  CHECK(::getpgid(pid) == pid);
  CHECK(::getpgid(pid) != ::getpgid(0));
  process->reset();
  CHECK(::kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("one that does not listen to SIGTERM is ended all the same") {
  auto process = start_shell(std::string("trap '' TERM; ") + kListen + "exec sleep 60");
  REQUIRE(process);
  const pid_t pid = (*process)->pid();
  process->reset();
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("one that does not come up is an error, and none is left") {
  struct Case {
    std::string script;
    int within_ms;
    const char* why;
  };
  const Case cases[] = {
      {"exit 3", 10'000, "it ended before it listened"},
      {"echo hello; exec sleep 60", 10'000, "it said 'hello'"},
      {"exec sleep 60", 50, "did not say that it listens within 50 ms"},
      {"printf 'sandbox listening'; exec sleep 60", 50, "did not say that it listens within 50 ms"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.script);
    const auto process = start_shell(one.script, one.within_ms);
    REQUIRE_FALSE(process);
    CHECK(process.error().fault == Fault::Ground);
    CHECK_MESSAGE(process.error().message.find(one.why) != std::string::npos, process.error().message);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
  }
  const auto missing = SandboxProcess::start({}, std::chrono::seconds(10), "/nonexistent/program");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "cannot start the sandbox: it ended before it listened");
}

TEST_CASE("it inherits no descriptor, and signals that were blocked here work there") {
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &before);
  const int leaked = ::dup(STDERR_FILENO);  // without close-on-exec
  REQUIRE(leaked >= 3);
  const std::string there = "test -e /proc/self/fd/" + std::to_string(leaked) + " && echo leaked; ";
  auto process = start_shell(there + "read x; " + kListen + "exec sleep 60");  // its input is empty
  ::close(leaked);
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message));
  const int pidfd = open_pid((*process)->pid());
  ::kill((*process)->pid(), SIGTERM);
  CHECK(has_ended(pidfd));
  ::close(pidfd);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("it ends when we are killed") {
  int pipe[2] = {-1, -1};
  REQUIRE(::pipe(pipe) == 0);
  std::fflush(stdout);
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    ::alarm(30);
    auto process = start_shell(std::string(kListen) + "exec sleep 60");
    const pid_t pid = process ? (*process)->pid() : -1;
    const bool written = ::write(pipe[1], &pid, sizeof pid) == sizeof pid;
    while (written) ::pause();
    ::_exit(1);
  }
  pid_t child = -1;
  REQUIRE(::read(pipe[0], &child, sizeof child) == sizeof child);
  ::close(pipe[0]);
  ::close(pipe[1]);
  REQUIRE(child > 0);
  const int pidfd = open_pid(child);
  REQUIRE(pidfd >= 0);
  pollfd running{pidfd, POLLIN, 0};
  CHECK(::poll(&running, 1, 0) == 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(has_ended(pidfd));
  ::close(pidfd);
}

}  // namespace reelbatch
