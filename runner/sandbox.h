// The `sandbox` command: serves the services' models on loopback until it is told to stop.
#pragma once

#include "runner/sandbox_core.h"

namespace reelbatch {

/// Prints one line on standard output once it serves, `sandbox listening on http://127.0.0.1:PORT`, and ends on
/// SIGTERM, SIGINT or SIGHUP. Blocks these signals and ignores SIGPIPE while it runs, and puts both back.
///
/// Returns the exit code of PRODUCT.md: 0 stopped, 2 wrong options or port taken, 6 the state is another sandbox's, 7
/// the state cannot be read or written. What went wrong is said on standard error.
int run_sandbox(const SandboxOptions& options);

}  // namespace reelbatch
