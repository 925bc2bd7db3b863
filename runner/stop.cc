#include "runner/stop.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string_view>

#include "runner/check.h"

namespace reelbatch {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> works{false};
std::atomic<int> signals_seen{0};
std::array<int, 2> wake_pipe = {-1, -1};

extern "C" void on_signal(int) {
  if (!works) {
    constexpr std::string_view kSaid = "reelbatch: stopped by a signal; nothing was submitted\n";
    static_cast<void>(!write(STDERR_FILENO, kSaid.data(), kSaid.size()));
    _exit(3);
  }
  if (signals_seen.fetch_add(1) > 0) _exit(3);
  const char byte = 0;
  static_cast<void>(!write(wake_pipe[1], &byte, 1));
}

}  // namespace

SignalStop::SignalStop() {
  CHECK(wake_pipe[0] == -1);
  CHECK(pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  signals_seen = 0;
  works = false;
  // A peer or a reader of our output that went away is an error of that write, not the end of the run.
  ::signal(SIGPIPE, SIG_IGN);
  // So is a file that reached the size it may have (ulimit -f): as a disk that is full.
  ::signal(SIGXFSZ, SIG_IGN);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : kSignals) {
    // nohup, and a shell's background jobs, start programs with signals ignored on purpose.
    struct sigaction old = {};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

SignalStop::~SignalStop() {
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
  for (int& fd : wake_pipe) {
    close(fd);
    fd = -1;
  }
}

void SignalStop::expect_work() {
  works = true;
}

bool SignalStop::requested() const {
  if (signals_seen == 0) return false;
  // Who asks is awake. Left full, the pipe would keep the loop spinning while it waits for what is on the wire.
  std::array<char, 16> taken;
  while (read(wake_pipe[0], taken.data(), taken.size()) > 0) {
  }
  return true;
}
int SignalStop::wake_fd() const {
  return wake_pipe[0];
}

}  // namespace reelbatch
