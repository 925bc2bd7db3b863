#include "tests/feed_reading.h"

#include <fmt/format.h>

#include "tests/manifest_reading.h"

namespace reelbatch {
Said read_in(const ScopedFolder& place, const std::vector<std::string>& names, const ManifestOptions& options) {
  Said said;
  const std::string folder = place.path().string() + '/';
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(folder + name);
  const RemarkSink remark = [&](const Remark& found) {
    if (found.level == Remark::Level::Error) said.errors.push_back(without(place, found.text()));
    if (found.level == Remark::Level::Warning) said.warnings.push_back(without(place, found.text()));
    if (found.level == Remark::Level::Error || found.level == Remark::Level::File) said.rejects.push_back(found);
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    validate(row);
    tell_remarks(row, remark);
    if (row.valid()) {
      said.ids.push_back(row.id);
      said.fields.push_back(row.fields);
    }
    return {};
  };
  const Result<void> done = read_manifests(paths, options, sink, remark);
  if (!done) said.refused = without(place, done.error().message);
  return said;
}

Said read(const std::string& name, std::string_view bytes, ManifestOptions options) {
  const ScopedFolder folder;
  folder.write(name, std::string(bytes));
  options.require_columns = true;
  return read_in(folder, {name}, options);
}

std::string row(std::string_view id, std::string_view description) {
  return fmt::format("{},https://img.example.test/{}.jpg,{}\n", id, id, description);
}

}  // namespace reelbatch
