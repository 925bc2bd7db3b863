// What the tests of feeds share: files read as the commands read them, and what was said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runner/manifest.h"
#include "tests/scoped_folder.h"

namespace reelbatch {

struct Said {
  std::vector<std::string> errors, warnings;  ///< of rows; of files
  std::string refused;                        ///< the error that ended the reading
  std::vector<std::string> ids;               ///< of valid rows
  std::vector<Remark> rejects;
  std::vector<RawFields> fields;  ///< of valid rows
};

/// Reads files of a folder as the commands do. Messages name them without it.
Said read_in(const ScopedFolder& place, const std::vector<std::string>& names, const ManifestOptions& options);

/// Reads one file.
Said read(const std::string& name, std::string_view bytes, ManifestOptions options = {});

/// A row of the columns id, image_urls and description.
std::string row(std::string_view id, std::string_view description = "A quiet flat near the park");

inline const std::string kHeader = "id,image_urls,description\n";

}  // namespace reelbatch
