#include "runner/sandbox.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runner/sandbox_server.h"
#include "runner/say.h"

namespace reelbatch {
namespace {

/// The stopping signals as a descriptor, for as long as it lives.
class StopSignals {
 public:
  StopSignals() {
    sigset_t stops;
    sigemptyset(&stops);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&stops, signal);
    ::sigprocmask(SIG_BLOCK, &stops, &before_);
    fd_ = ::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &pipe_before_);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() {
    // The signal that stopped us is taken here: unblocked while pending it would end the process by force.
    signalfd_siginfo taken{};
    while (::read(fd_, &taken, sizeof taken) > 0) {
    }
    ::close(fd_);
    ::sigaction(SIGPIPE, &pipe_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  sigset_t before_{};
  struct sigaction pipe_before_ {};
};

int say_and_exit(const Error& error) {
  say(stderr, "reelbatch: {}\n", error.message);
  return error.fault == Fault::Usage ? 2 : error.fault == Fault::Conflict ? 6 : 7;
}

/// A path may hold anything that a client sent: control bytes must not reach a terminal.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, 200));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

void log_request(const ServiceRequest& request, const SandboxAnswer& answer) {
  const std::string fate = answer.answered ? std::to_string(answer.reply.status) : "no answer";
  const std::string fault = answer.fault.empty() ? "" : fmt::format(" ({})", answer.fault);
  say(stderr, "{} {} {}{}\n", printable(request.method), printable(request.path), fate, fault);
}

}  // namespace

int run_sandbox(const SandboxOptions& options) {
  const StopSignals stop;
  if (stop.fd() < 0)
    return say_and_exit({Fault::Ground, fmt::format("cannot watch signals: {}", std::strerror(errno))});
  const SystemClock clock;
  const auto server = SandboxServer::listen(options, clock, options.verbose ? SandboxLog(log_request) : SandboxLog());
  if (!server) return say_and_exit(server.error());
  say("sandbox listening on {}\n", (*server)->base_url());
  std::fflush(stdout);
  const auto served = (*server)->serve(stop.fd());
  return served ? 0 : say_and_exit(served.error());
}

}  // namespace reelbatch
