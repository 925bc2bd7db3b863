// What can be known of the way out before the first exchange.
#pragma once

#include <string>

#include "jobs/error.h"

namespace reelbatch {

/// Whether `path`, unless empty, is a readable file with at least one PEM certificate. Fails with Fault::Usage.
Result<void> check_roots(const std::string& path);

/// Raises the soft limit on open files to what that many connections need (twice as many and 64) if it is lower.
/// Fails with Fault::Ground, the limit unchanged, if the hard one is lower.
Result<void> make_room_for_files(int max_connections);

}  // namespace reelbatch
