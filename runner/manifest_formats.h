// The readers behind read_manifests(), one for tables and one for what has keys. Each delivers its rows to the run and
// tells it what is wrong with the file; a Result that fails ends the reading of all files.
#pragma once

#include "jobs/error.h"
#include "runner/byte_source.h"
#include "runner/manifest_run.h"

namespace reelbatch {

/// CSV and TSV.
Result<void> read_table(ByteSource& source, char delimiter, ManifestRun& run);

/// `defaults:` and `jobs:`, or a list of jobs.
Result<void> read_yaml_jobs(ByteSource& source, ManifestRun& run);
Result<void> read_json_jobs(ByteSource& source, ManifestRun& run);

/// One job a line.
Result<void> read_json_lines(ByteSource& source, ManifestRun& run);

}  // namespace reelbatch
