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
  options.service.charge_late_ms = options.service.regenerate_lag_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(command.late).count();
  options.service.job_error_rate = command.failures;
  options.service.reject_rate = command.rejections;
  options.service.clip_stuck_rate = command.stuck;
  options.service.refunds = command.refunds;
  options.rate = command.rate;
  options.verbose = command.verbose;
  for (const std::string& text : command.faults) {
    if (const Result<void> added = add_faults(text, options.faults); !added) return report_error(added.error());
  }
  return run_sandbox(options);
}

}  // namespace reelbatch
