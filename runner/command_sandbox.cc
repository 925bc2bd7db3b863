// `sandbox`: from what was typed to what is served.
#include "jobs/service_faults.h"
#include "runner/commands.h"
#include "runner/sandbox.h"

namespace reelbatch {

int command_sandbox(const SandboxCommand& command) {
  SandboxOptions options;
  options.port = command.port;
  options.speed = command.speed;
  options.state = command.state;
  options.seed = command.seed;
  options.service.key = command.key;
  options.service.credits = command.credits;
  options.service.used_per_job = command.used_per_job;
  options.rate = command.rate;
  options.verbose = command.verbose;
  for (const std::string& text : command.faults) {
    if (const Result<void> added = add_faults(text, options.faults); !added) return report_error(added.error());
  }
  return run_sandbox(options);
}

}  // namespace reelbatch
