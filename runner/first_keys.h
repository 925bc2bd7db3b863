// Which keys the first jobs of a document have: what the header is to a table. A program leaves out of a job what the
// listing does not have, so that one job alone does not show whose export it is.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runner/content_type.h"
#include "runner/manifest_run.h"

namespace reelbatch {

/// The keys of the jobs that the beginning of a file has, each once; of none that it cuts, nor of any behind a mistake.
///
/// head    text of YAML, JSON or JSON Lines.
/// list    the member at the top that holds the jobs.
std::vector<std::string> first_keys(std::string_view head, ManifestFormat format, std::string_view list);

/// What the names of the first jobs' keys decide for the file: the preset, and which of them has the ids.
///
/// place  of the first job.
void take_first_keys(std::span<const std::string_view> names, Place place, ManifestRun& run);

}  // namespace reelbatch
