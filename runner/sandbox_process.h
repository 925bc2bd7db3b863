// A sandbox that belongs to this run: started as a child, ended with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "jobs/error.h"

namespace reelbatch {

class SandboxProcess {
 public:
  /// Starts `program` with `args` (without the program's own name), e.g. {"sandbox", "--port", "0", "--state", FILE},
  /// and waits for the line that says where it listens.
  ///
  /// The child is in a process group of its own, so that Ctrl-C at the terminal ends the run and not the service under
  /// it, and it is told to end (SIGTERM) when this process dies, however that happens. To be called from the main
  /// thread: the kernel watches the thread that started the child. Its standard error is ours, its standard input is
  /// empty.
  ///
  /// ready_within  how long to wait for that line.
  /// program       what to run; this program by default.
  ///
  /// Fails with Ground if it cannot be started, ends, or does not say so in time; no child is then left.
  static Result<std::unique_ptr<SandboxProcess>> start(
      const std::vector<std::string>& args, std::chrono::milliseconds ready_within = std::chrono::seconds(10),
      const std::string& program = "/proc/self/exe");

  SandboxProcess(const SandboxProcess&) = delete;
  SandboxProcess& operator=(const SandboxProcess&) = delete;

  /// Ends the child (SIGTERM, SIGKILL if it is still there after 2 s) and waits for it.
  ~SandboxProcess();

  const std::string& base_url() const { return base_url_; }  ///< `http://127.0.0.1:8080`
  pid_t pid() const { return pid_; }

 private:
  explicit SandboxProcess(pid_t pid, int out) : pid_(pid), out_(out) {}
  Result<void> wait_until_ready(std::chrono::milliseconds within);

  pid_t pid_;
  int out_;  ///< the reading end of its standard output; kept open so that it never writes into a broken pipe
  std::string base_url_;
};

}  // namespace reelbatch
