#include "runner/sandbox_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace reelbatch {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::string_view kReady = "sandbox listening on ";

/// In the child, between fork and exec: only what may be called there. Never returns.
[[noreturn]] void become(const char* program, char* const* argv, int out, int in, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // A parent that died before the line above is not noticed by the kernel any more.
  if (::getppid() != parent) ::_exit(0);
  // Blocked and ignored signals are inherited through exec: it must end when told.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  if (::dup2(out, STDOUT_FILENO) < 0 || ::dup2(in, STDIN_FILENO) < 0) ::_exit(127);
  // A lock or a database that somebody opened without close-on-exec must not live on in here.
  ::close_range(3, ~0U, 0);
  ::execv(program, argv);
  ::_exit(127);
}

int left_ms(Steady::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

/// Waits for the end of a child without reaping it; false if it is still there at `until`.
bool ends_by(pid_t pid, Steady::time_point until) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return false;
  pollfd ended{fd, POLLIN, 0};
  int found = 0;
  do {
    found = ::poll(&ended, 1, left_ms(until));
  } while (found < 0 && errno == EINTR);
  ::close(fd);
  return found > 0;
}

tl::unexpected<Error> cannot_start(std::string_view why) {
  return ground_error(fmt::format("cannot start the sandbox: {}", why));
}

}  // namespace

Result<std::unique_ptr<SandboxProcess>> SandboxProcess::start(const std::vector<std::string>& args,
                                                              std::chrono::milliseconds ready_within,
                                                              const std::string& program) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return cannot_start(std::strerror(errno));
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  std::string name = "reelbatch";
  std::vector<std::string> words = args;
  std::vector<char*> argv = {name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  const int fork_errno = errno;
  if (pid == 0) become(program.c_str(), argv.data(), pipe[1], null, parent);
  if (null >= 0) ::close(null);
  ::close(pipe[1]);
  if (pid < 0) {
    ::close(pipe[0]);
    return cannot_start(std::strerror(fork_errno));
  }
  ::setpgid(pid, pid);  // also here: whoever comes first, no Ctrl-C slips in between
  std::unique_ptr<SandboxProcess> process(new SandboxProcess(pid, pipe[0]));
  if (const auto ready = process->wait_until_ready(ready_within); !ready) return tl::unexpected(ready.error());
  return process;
}

SandboxProcess::~SandboxProcess() {
  ::close(out_);
  ::kill(pid_, SIGTERM);
  if (!ends_by(pid_, Steady::now() + std::chrono::seconds(2))) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<void> SandboxProcess::wait_until_ready(std::chrono::milliseconds within) {
  const Steady::time_point until = Steady::now() + within;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    pollfd said{out_, POLLIN, 0};
    const int found = ::poll(&said, 1, left_ms(until));
    if (found < 0 && errno == EINTR) continue;
    if (found == 0) return cannot_start(fmt::format("it did not say that it listens within {} ms", within.count()));
    std::array<char, 256> buffer{};
    const ssize_t got = found < 0 ? -1 : ::read(out_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_start(std::strerror(errno));
    if (got == 0) return cannot_start("it ended before it listened");
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::string line = text.substr(0, text.find('\n'));
  if (!line.starts_with(kReady)) return cannot_start(fmt::format("it said '{}'", line.substr(0, 200)));
  base_url_ = line.substr(kReady.size());
  return {};
}

}  // namespace reelbatch
