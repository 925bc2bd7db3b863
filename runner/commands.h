// What each command does, with everything real. Each returns its exit code; results go to standard output, everything
// else to standard error.
#pragma once

#include "runner/command_line.h"

namespace reelbatch {

/// Runs what the command line asked for.
int run_command(const Invocation& invocation);

// The commands themselves, by file: command_run.cc, command_views.cc, command_listing.cc, command_credits.cc,
// command_resolve.cc, command_sandbox.cc, command_init.cc, commands.cc.
int command_run(const Options& options, const RunCommand& command);
int command_resume(const Options& options, const ResumeCommand& command);
int command_check(const Options& options, const CheckCommand& command);
int command_plan(const Options& options, const PlanCommand& command);
int command_status(const Options& options, const StatusCommand& command);
int command_report(const Options& options, const ReportCommand& command);
int command_credits(const Options& options, const CreditsCommand& command);
int command_resolve(const Options& options, const ResolveCommand& command);
int command_ledger_verify(const Options& options);
int command_ledger_backup(const Options& options, const LedgerBackupCommand& command);
int command_sandbox(const SandboxCommand& command);
int command_init(const InitCommand& command);
int command_completion(const CompletionCommand& command);

/// Prints what the ledger has of these listings; returns the exit code.
int show_listings(const Options& options, const std::vector<std::string>& refs);

/// Prints `reelbatch: MESSAGE`, one line each, to standard error and returns the exit code for it.
int report_error(const Error& error);

}  // namespace reelbatch
