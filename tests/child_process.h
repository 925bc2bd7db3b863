// A program started for a test: its first line is read, and it ends with the test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace reelbatch {

/// Killed with the object. Its standard input is a pipe that ends should the test itself die, for it to watch.
class ChildProcess {
 public:
  /// argv[0] is a path. Throws std::runtime_error if it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& argv);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The next line of its standard output, without the line end; empty at its end.
  std::string read_line();

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
};

/// Runs a program to its end, its output thrown away. Returns its exit code, or -1 if it was not started or killed.
int run_program(const std::vector<std::string>& argv);

}  // namespace reelbatch
