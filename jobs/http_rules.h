// What an HTTP status means by default, before a kind looks at the body (PRODUCT.md 4.5 and 4.7).
#pragma once

#include <string_view>

#include "jobs/job.h"

namespace reelbatch {

/// The verdict on a submission for any status but 2xx; for 2xx it is Unknown, the kind has to read the body.
SubmitOutcome submit_outcome_of_status(int status);

/// The verdict on a poll for any status but 2xx; for 2xx it is TryAgain, the kind has to read the body.
PollOutcome poll_outcome_of_status(int status);

/// `404 Not Found`, or just the number where the status has no usual name.
std::string describe_status(int status);

/// Percent-encodes everything but RFC 3986's unreserved characters, so that opaque text is one path segment.
std::string encode_path_segment(std::string_view text);

}  // namespace reelbatch
