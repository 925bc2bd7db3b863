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
  if (invocation) return run_command(*invocation);
  std::fputs(invocation.error().out.c_str(), stdout);
  std::fputs(invocation.error().err.c_str(), stderr);
  return invocation.error().code;
}
