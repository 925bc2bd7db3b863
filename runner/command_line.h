// What was typed: one command with its own arguments, and the options that flags, environment, configuration and
// defaults give together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "jobs/credits.h"
#include "runner/clock.h"
#include "runner/completion.h"
#include "runner/credit_table.h"
#include "runner/image_probe.h"
#include "runner/options.h"
#include "runner/settings.h"

namespace reelbatch {

struct CheckCommand {
  bool all = false;                   ///< every problem, not ten of a kind
  bool mapping = false;               ///< also how each file is read
  std::optional<ProbeOptions> probe;  ///< also look at what is behind the addresses
};

struct PlanCommand {
  std::string plan_file;  ///< `plan.json`; empty: none
};

struct RunCommand {
  std::string plan_file;  ///< to keep to; empty: none
};

struct ResumeCommand {
  std::string run;  ///< empty: the last
};

struct StatusCommand {
  std::vector<std::string> refs;  ///< listings to show; empty: the ledger as a whole
};

struct ReportCommand {
  std::string run;  ///< empty: the last
};

struct CreditsCommand {
  CreditQuery query;
  CreditFormat format = CreditFormat::Table;
};

/// The operator's word on held jobs.
struct ResolveCommand {
  enum class Word { Adopt, Resubmit, Drop };
  Word word = Word::Drop;
  bool all = false;       ///< every held job that `kind` and `account` leave; never with Adopt
  std::string ref;        ///< empty if `all`
  std::string remote_id;  ///< Adopt only
  std::string kind;       ///< JobKind::name, empty: any
  std::string account;    ///< empty: any
  bool yes = false;       ///< do not ask
};

struct LedgerVerifyCommand {};

struct LedgerBackupCommand {
  std::string file;
};

/// Serves the APIs on loopback until it is stopped. Has no Options: it reads no configuration and no environment.
struct SandboxCommand {
  int port = 8080;                         ///< 0: any free one
  double speed = 60;                       ///< model seconds in one real second, more than 0
  std::string state;                       ///< file that keeps its jobs between starts; empty: forgets them
  std::vector<RateWindow> rate;            ///< beyond it the answer is 429; empty: never
  std::vector<std::string> faults;         ///< as given, for the sandbox to read
  Credits credits = Credits::whole(1000);  ///< what each key begins with
  std::optional<std::uint64_t> seed;       ///< of everything that is left to chance; none: drawn
  bool used_per_job = false;               ///< what a figure of credits used means
  Duration late{};                         ///< of the services' time: how late charges and regenerations show
  double failures = 0;                     ///< the share of jobs that fail, 0 to 1
  double rejections = 0;                   ///< the share that is rejected, where a service does that
  double stuck = 0;                        ///< the share of clips that stay in error until they are made again
  bool refunds = false;                    ///< neither costs anything in the end
  bool verbose = false;                    ///< one line a request
  std::string key;                         ///< the only one accepted; empty: any
};

/// Files to start from.
struct InitCommand {
  std::string folder;  ///< empty: the current one
};

/// Prints what a shell needs to complete command lines.
struct CompletionCommand {
  Shell shell = Shell::Bash;
};

using Command = std::variant<CheckCommand, PlanCommand, RunCommand, ResumeCommand, StatusCommand, ReportCommand,
                             CreditsCommand, ResolveCommand, LedgerVerifyCommand, LedgerBackupCommand, SandboxCommand,
                             InitCommand, CompletionCommand>;

struct Invocation {
  Command command;
  Options options;
};

/// There is nothing to run: print this and exit.
struct Exit {
  int code = 0;
  std::string out;  ///< for standard output: help, version
  std::string err;  ///< for standard error: what is wrong and what would be right
};

/// What there is around a command line.
struct Surroundings {
  Environment environment;
  WallTime now;
  std::string folder;  ///< the current one, where `reelbatch.yaml` is looked for; empty: the process's
};

/// Reads arguments (`argv[0]` is not used), then configuration and environment. --help and --version touch no file.
///
/// The configuration is --config, else REELBATCH_CONFIG, else `reelbatch.yaml` in the current folder, else
/// `reelbatch/reelbatch.yaml` in XDG_CONFIG_HOME or ~/.config; the first two must exist.
///
/// With --sandbox the accounts of the configuration, its ledger and what is Setting::real_only are left out, and the
/// sandbox's own defaults stand in for them.
///
/// Returns an Exit with code 0 for help and version, and with 2 for everything that is wrong, all of it at once as far
/// as it can be told apart.
tl::expected<Invocation, Exit> parse_command_line(int argc, const char* const* argv, const Surroundings& around);

}  // namespace reelbatch
