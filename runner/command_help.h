// The commands, what they take, and the help about them. Plain text of at most 80 columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runner/settings.h"

namespace reelbatch {

/// A flag that only one or a few commands have, beside those of settings.h.
struct OwnFlag {
  std::string_view name;   ///< without the dashes
  char letter;             ///< or 0
  std::string_view value;  ///< what the help calls its value; empty: it takes none
  std::string_view help;
  bool repeatable = false;
};

/// One word, or two: `ledger backup`.
struct CommandSpec {
  std::string_view name;
  unsigned bit;                ///< CommandBit, 0: none of the shared options
  std::string_view arguments;  ///< `MANIFEST...`, for the usage line; `[REF]...` if there may be none
  std::string_view summary;    ///< one line
  std::string_view help;       ///< more of it
  std::span<const OwnFlag> flags;
};

std::span<const CommandSpec> all_commands();
/// nullptr if there is none of that name.
const CommandSpec* find_command(std::string_view name);

/// Flags of every command that works on a ledger or reads a configuration: --config, --sandbox.
std::span<const OwnFlag> shared_flags(const CommandSpec& command);

std::string top_help();
std::string command_help(const CommandSpec& command);
/// Of the commands that begin with `word`, which is no command by itself: `ledger`. Empty if there are none.
std::string group_help(std::string_view word);

}  // namespace reelbatch
