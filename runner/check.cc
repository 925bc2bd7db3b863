#include "runner/check.h"

#include <unistd.h>

#include <cstdio>

namespace reelbatch {

void check_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr,
               "reelbatch: internal error at %s:%d: %s does not hold\n"
               "reelbatch: stopped before recording anything untrue; please report this, then run again to continue\n",
               file, line, what);
  std::fflush(nullptr);
  _exit(70);
}

}  // namespace reelbatch
