// The readers behind read_manifests(), one for tables and one for what has keys. Each delivers its rows to the run and
// tells it what is wrong with the file; a Result that fails ends the reading of all files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "jobs/error.h"
#include "runner/byte_source.h"
#include "runner/manifest_run.h"
#include "runner/table_format.h"
#include "runner/text_source.h"

namespace reelbatch {

/// Anything in rows and cells. `source` gives UTF-8 as far as it is text, from the first byte of the file on; `text` is
/// the same source where it knows its encoding.
Result<void> read_table(ByteSource& source, const TableFormat& format, ManifestRun& run,
                        const TextSource* text = nullptr);

using Keys = std::span<const std::string>;

/// `defaults:` and `jobs:`, or a list of jobs.
///
/// first_keys  of the first jobs, which show whose export it is; the very first one is looked at as well.
Result<void> read_yaml_jobs(ByteSource& source, ManifestRun& run, Keys first_keys = {});
/// list  the member at the top that holds the jobs.
Result<void> read_json_jobs(ByteSource& source, ManifestRun& run, std::string_view list = "jobs", Keys first_keys = {});

/// One job a line.
Result<void> read_json_lines(ByteSource& source, ManifestRun& run, Keys first_keys = {});

}  // namespace reelbatch
