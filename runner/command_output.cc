#include "runner/command_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "runner/durations.h"

extern char** environ;

namespace reelbatch {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

class SpawnSetup {
 public:
  SpawnSetup(int standard_output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, standard_output, STDOUT_FILENO);
    // Signals that we block or ignore must be able to end the command.
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Milliseconds until `end`, never negative, as poll() wants them.
int left(SteadyClock::time_point end) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()).count();
  return rest < 0 ? 0 : static_cast<int>(std::min<decltype(rest)>(rest, 60'000));
}

tl::unexpected<Error> too_slow(Duration time) {
  return usage_error(fmt::format("it took longer than {}", to_text(time)));
}

/// Reads up to the end of the output. The command may still be running afterwards.
Result<std::string> read_all(int fd, SteadyClock::time_point end, Duration time, std::size_t bytes) {
  std::string output;
  std::array<char, 4096> buffer;
  while (true) {
    pollfd wanted{fd, POLLIN, 0};
    const int ready = poll(&wanted, 1, left(end));
    if (ready == 0 && SteadyClock::now() >= end) return too_slow(time);
    if (ready <= 0) continue;
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return usage_error(fmt::format("cannot read its output: {}", std::strerror(errno)));
    if (count == 0) return output;
    output.append(buffer.data(), static_cast<std::size_t>(count));
    if (output.size() > bytes) return usage_error(fmt::format("it printed more than {} bytes", bytes));
  }
}

/// The exit status, or nothing when time is up.
std::optional<int> wait_for_exit(pid_t child, SteadyClock::time_point end) {
  while (true) {
    int status = 0;
    const pid_t done = waitpid(child, &status, WNOHANG);
    if (done == child) return status;
    if (SteadyClock::now() >= end) return std::nullopt;
    // Its output has ended, so it is about to exit; there is no descriptor to wait on.
    poll(nullptr, 0, std::min(left(end), 5));
  }
}

void kill_and_reap(pid_t child) {
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) return fmt::format("it was ended by signal {}", WTERMSIG(status));
  return fmt::format("it exited with status {}", WEXITSTATUS(status));
}

}  // namespace

Result<std::string> command_output(const std::string& command, Duration time, std::size_t bytes) {
  const SteadyClock::time_point end = SteadyClock::now() + time;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return usage_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const SpawnSetup setup(writing.get());
  std::array<std::string, 3> words = {"sh", "-c", command};
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", setup.actions(), setup.attributes(), arguments.data(), environ);
  if (error != 0) return usage_error(fmt::format("cannot start /bin/sh: {}", std::strerror(error)));
  writing.close();

  Result<std::string> output = read_all(reading.get(), end, time, bytes);
  if (!output) {
    kill_and_reap(child);
    return output;
  }
  const std::optional<int> status = wait_for_exit(child, end);
  if (!status) {
    kill_and_reap(child);
    return too_slow(time);
  }
  if (*status != 0) return usage_error(describe_exit(*status));
  return output;
}

}  // namespace reelbatch
