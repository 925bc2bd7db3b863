// reelbatch: reads what was typed and runs it.
#include <sys/stat.h>

#include <cstdio>

#include "runner/command_line.h"
#include "runner/commands.h"

int main(int argc, char** argv) {
  using namespace reelbatch;
  // Ledgers, results, plans and logs are their owner's alone.
  ::umask(077);
  const auto invocation = parse_command_line(argc, argv, {system_environment(), SystemClock().wall(), {}});
  int code = 0;
  if (invocation) {
    code = run_command(*invocation);
  } else {
    std::fputs(invocation.error().out.c_str(), stdout);
    std::fputs(invocation.error().err.c_str(), stderr);
    code = invocation.error().code;
  }
  // What was to be printed is an output as well.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::perror("reelbatch: cannot write to standard output");
    if (code == 0) code = 7;
  }
  return code;
}
