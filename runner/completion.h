// Completion of command lines: made of the same tables as the help, so that it knows every command and option.
#pragma once

#include <string>

namespace reelbatch {

enum class Shell { Bash, Zsh, Fish };

/// A script for the shell to read: `source <(reelbatch completion bash)`.
std::string completion_script(Shell shell);

}  // namespace reelbatch
