// reelbatch: reads what was typed and runs it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "runner/command_line.h"
#include "runner/commands.h"

namespace {

/// What is opened first gets the lowest number that is free: a ledger in the place of a closed standard error would get
/// warnings written into it. Writing to what is put there fails, as it would have.
void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) == -1) static_cast<void>(::open("/dev/null", O_RDONLY));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace reelbatch;
  fill_standard_descriptors();
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
