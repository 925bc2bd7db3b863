// A row's fields as text and back: how the ledger keeps what was read.
#pragma once

#include <string>
#include <string_view>

#include "jobs/error.h"
#include "jobs/job.h"

namespace reelbatch {

/// One JSON object; text as a string, lists and maps as they are. Equal fields give equal text.
std::string to_json(const RawFields& fields);

/// The inverse. Fails on anything that to_json() does not write.
Result<RawFields> raw_fields_from_json(std::string_view text);

}  // namespace reelbatch
