// What the tests of manifests share: texts as files, and what was read of them as lines.
#pragma once

#include <string>
#include <vector>

#include "runner/manifest.h"
#include "tests/scoped_folder.h"

namespace reelbatch {

struct ManifestRead {
  std::vector<ManifestRow> rows;
  std::vector<std::vector<Place>> places;  ///< of the fields of each row
  std::vector<std::string> warnings;
  std::string error;

  /// `id kind @account field=value ... label:value ... !remark`, one line a row.
  std::vector<std::string> shown;
};

struct ManifestText {
  std::string name;
  std::string text;
};

/// Reads files as the commands do. Every row without a remark is checked to have been glanced at, and to have looked
/// then as it came to the sink. Messages name files without their folder.
ManifestRead read_texts(const std::vector<ManifestText>& files, const ManifestOptions& options = {});

/// One table, `f.csv`.
ManifestRead read_csv(const std::string& text, const ManifestOptions& options = {});

/// `text` with the files of `folder` by their names alone.
std::string without(const ScopedFolder& folder, std::string text);

using Lines = std::vector<std::string>;

}  // namespace reelbatch
