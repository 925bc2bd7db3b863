// Assertions that stay on in every build: a bug stops the program before it records anything untrue (exit 70).
#pragma once

namespace reelbatch {

/// Prints where and what to standard error and ends the process at once with status 70.
[[noreturn]] void check_failed(const char* file, int line, const char* what);

}  // namespace reelbatch

#define CHECK(condition)                                                         \
  do {                                                                           \
    if (!(condition)) ::reelbatch::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)
