#include "runner/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "runner/progress_printer.h"
#include "runner/say.h"
#include "runner/session.h"

namespace reelbatch {

int report_error(const Error& error) {
  say(stderr, "reelbatch: {}\n", for_terminal(error.message));
  return exit_code_of(error);
}

int command_completion(const CompletionCommand& command) {
  say("{}", completion_script(command.shell));
  return 0;
}

int run_command(const Invocation& invocation) {
  const Options& options = invocation.options;
  struct {
    const Options& options;
    int operator()(const CheckCommand& command) const { return command_check(options, command); }
    int operator()(const PlanCommand& command) const { return command_plan(options, command); }
    int operator()(const RunCommand& command) const { return command_run(options, command); }
    int operator()(const ResumeCommand& command) const { return command_resume(options, command); }
    int operator()(const StatusCommand& command) const { return command_status(options, command); }
    int operator()(const ReportCommand& command) const { return command_report(options, command); }
    int operator()(const CreditsCommand& command) const { return command_credits(options, command); }
    int operator()(const ResolveCommand& command) const { return command_resolve(options, command); }
    int operator()(const LedgerVerifyCommand&) const { return command_ledger_verify(options); }
    int operator()(const LedgerBackupCommand& command) const { return command_ledger_backup(options, command); }
    int operator()(const SandboxCommand& command) const { return command_sandbox(command); }
    int operator()(const InitCommand& command) const { return command_init(command); }
    int operator()(const CompletionCommand& command) const { return command_completion(command); }
  } dispatch{options};
  return std::visit(dispatch, invocation.command);
}

}  // namespace reelbatch
