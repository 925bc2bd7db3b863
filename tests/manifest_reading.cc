#include "tests/manifest_reading.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace reelbatch {
namespace {

std::string shown_text(std::string_view id, const JobKind* kind, std::string_view account,
                       std::span<const FieldText> fields, std::span<const LabelText> labels, std::string_view file,
                       std::uint64_t line) {
  std::string out = fmt::format("{}|{}|{}|{}:{}", id, kind->name(), account, file, line);
  for (const FieldText& field : fields)
    out += fmt::format("|{}{}{}", field.name, field.form == RawValue::Form::Json ? ":=" : "=", field.text);
  for (const LabelText& label : labels) out += fmt::format("|{}:{}", label.name, label.value);
  return out;
}

}  // namespace

std::string without(const ScopedFolder& folder, std::string text) {
  const std::string path = folder.path().string() + '/';
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path)) text.erase(at, path.size());
  return text;
}

ManifestRead read_texts(const std::vector<ManifestText>& files, const ManifestOptions& options) {
  const ScopedFolder folder;
  std::vector<std::string> paths;
  for (const ManifestText& file : files) paths.push_back(folder.write(file.name, file.text));
  ManifestRead out;
  std::string glanced;
  const auto glance = [&](const RowText& row) -> Result<bool> {
    CHECK(glanced.empty());
    glanced = shown_text(row.id, row.kind, row.account, row.fields, row.labels, row.file, row.line);
    return false;
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    std::vector<LabelText> labels;
    for (const Label& label : row.labels) labels.push_back({label.name, label.value});
    if (row.valid()) {
      CHECK(glanced ==
            shown_text(row.id, row.kind, row.account, texts_of(row.fields), labels, row.file, row.place.line));
    } else {
      CHECK(glanced == "");
    }
    glanced.clear();
    std::string line = row.id;
    if (!row.account.empty()) line += " @" + row.account;
    for (const RawField& field : row.fields)
      line += ' ' + field.name + (field.value.form == RawValue::Form::Json ? ":=" : "=") + field.value.text;
    for (const Label& label : row.labels) line += ' ' + label.name + ':' + label.value;
    for (const Remark& remark : row.remarks) line += " !" + without(folder, remark.text());
    std::vector<Place> places;
    for (std::size_t i = 0; i < row.fields.size(); ++i) places.push_back(row.place_of_field(i));
    out.places.push_back(places);
    CHECK(row.valid() == row.remarks.empty());
    out.shown.push_back(line);
    out.rows.push_back(row);
    return {};
  };
  const auto remark = [&](const Remark& said) {
    if (said.level != Remark::Level::File) out.warnings.push_back(without(folder, said.text()));
  };
  const Result<void> done = read_manifests(paths, options, sink, remark, glance);
  if (!done) out.error = without(folder, done.error().message);
  return out;
}

ManifestRead read_csv(const std::string& text, const ManifestOptions& options) {
  return read_texts({{"f.csv", text}}, options);
}

}  // namespace reelbatch
