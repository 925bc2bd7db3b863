// HTTP around the sandbox: the only file that includes libmicrohttpd. One thread, on loopback only; an answer that has
// to wait leaves its connection suspended, and the others go on. A body of more than 4 MiB is answered 413.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "jobs/error.h"
#include "runner/clock.h"
#include "runner/sandbox_core.h"

namespace reelbatch {

/// Told of every request when its fate is decided; `answer.answered` false is a connection that will be closed.
using SandboxLog = std::function<void(const ServiceRequest& request, const SandboxAnswer& answer)>;

class SandboxServer {
 public:
  /// Listens on 127.0.0.1:`port` (0: any free port) and restores the services; requests are answered by serve().
  ///
  /// clock  lives longer than the server.
  /// log    may be empty.
  ///
  /// Fails with Usage if the port is taken, with Ground if there is no socket to be had, or like SandboxCore::make().
  static Result<std::unique_ptr<SandboxServer>> listen(const SandboxOptions& options, const Clock& clock,
                                                       SandboxLog log);

  virtual ~SandboxServer() = default;

  /// `http://127.0.0.1:8080`
  virtual const std::string& base_url() const = 0;

  /// Serves until `stop_fd` is readable (it is not read). Answers that still wait are then sent at once.
  /// Fails with Ground if the state file could not be written any more, or the poll fails.
  virtual Result<void> serve(int stop_fd) = 0;
};

}  // namespace reelbatch
