// From the words of a command line, already told apart into flags and arguments, to commands. Part of command_line.cc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "jobs/error.h"
#include "runner/command_help.h"
#include "runner/command_line.h"

namespace reelbatch {

struct Words {
  /// By name without dashes, what was given, in order; `true` or `false` for flags without a value. Never empty lists.
  std::map<std::string, std::vector<std::string>> flags;
  std::vector<std::string> arguments;
};

/// The command's own struct. Fails with Fault::Usage if a flag of its own or an argument is wrong.
Result<Command> command_of(const CommandSpec& spec, const Words& words);

/// Fails with Fault::Usage if a file that would be written is also read, or is to be written twice: an output that is a
/// manifest, the ledger, the configuration or the log.
Result<void> check_files_differ(const Invocation& invocation);

/// What to say about words that begin with no command; `words` is not empty.
tl::unexpected<Exit> unknown_command(const std::vector<std::string>& words);

}  // namespace reelbatch
