#include "runner/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "runner/byte_source.h"
#include "runner/content_type.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_run.h"

namespace reelbatch {
namespace {

constexpr std::string_view kEndings = ".csv, .tsv, .yaml, .yml, .json, .jsonl or .ndjson";

Result<void> read_format(ManifestFormat format, ByteSource& source, ManifestRun& run) {
  switch (format) {
    case ManifestFormat::Csv:
      return read_table(source, ',', run);
    case ManifestFormat::Tsv:
      return read_table(source, '\t', run);
    case ManifestFormat::Yaml:
      return read_yaml_jobs(source, run);
    case ManifestFormat::Json:
      return read_json_jobs(source, run);
    case ManifestFormat::JsonLines:
      return read_json_lines(source, run);
  }
  return {};
}

/// One file. What is wrong with it becomes a finding, so that the next ones are looked at too; only an error of the
/// sink is returned.
Result<void> read_file(const std::string& path, ManifestRun& run) {
  run.start_file(path);
  std::optional<ManifestFormat> format = format_by_name(path);
  if (!format && path != "-") {
    run.find({}, {}, fmt::format("what is in it cannot be told by its name: a manifest ends in {}", kEndings));
    return {};
  }
  const auto file = InputFile::open(path);
  if (!file) {
    run.find_said(file.error().message);
    return {};
  }
  const std::string_view head = (*file)->head();
  if (const std::optional<std::string> foreign = foreign_content(head)) {
    run.find({}, {}, *foreign);
    return {};
  }
  if (is_empty_content(head)) {
    run.find({}, {}, "the file is empty: at least a header, or a list of jobs, is needed");
    return {};
  }
  if (!format) format = format_by_content(head);
  const bool table = *format == ManifestFormat::Csv || *format == ManifestFormat::Tsv;
  if (table && format_by_content(head) != ManifestFormat::Csv) {
    run.find({}, {}, "this is JSON: name it .json, or .jsonl if each line is a job of its own");
    return {};
  }
  if (Result<void> read = read_format(*format, **file, run); !read) return read;
  if (const Result<void> same = (*file)->check_unchanged(); !same) run.find_said(same.error().message);
  return {};
}

Place place_of(const ManifestRow& row, std::string_view field) {
  for (std::size_t i = 0; i < row.fields.size() && row.place_of_field; ++i) {
    if (row.fields[i].name != field) continue;
    const Place place = row.place_of_field(i);
    return place.line != 0 ? place : row.place;
  }
  return row.place;
}

void add_remarks(ManifestRow& row, const std::vector<Problem>& problems, Remark::Level level) {
  for (const Problem& problem : problems) {
    Remark remark{level, row.file, place_of(row, problem.field), problem.field, problem.message};
    if (remark.place.line != row.place.line) remark.message += fmt::format(" (row starts on line {})", row.place.line);
    row.remarks.push_back(std::move(remark));
  }
}

}  // namespace

std::string Remark::text() const {
  std::string out = file;
  if (place.line != 0) out += fmt::format("{}{}", out.empty() ? "" : ":", place.line);
  if (place.line != 0 && place.column != 0) out += fmt::format(":{}", place.column);
  if (!field.empty()) out += fmt::format("{}{}", out.empty() ? "" : ": ", field);
  return out + (out.empty() ? "" : ": ") + message;
}

std::vector<FieldText> texts_of(const RawFields& fields) {
  std::vector<FieldText> texts;
  texts.reserve(fields.size());
  for (const RawField& field : fields) texts.push_back({field.name, field.value.form, field.value.text});
  return texts;
}

bool ManifestRow::valid() const {
  return std::none_of(remarks.begin(), remarks.end(),
                      [](const Remark& remark) { return remark.level == Remark::Level::Error; });
}

Result<void> read_manifests(const std::vector<std::string>& paths, const ManifestOptions& options, const RowSink& sink,
                            const RemarkSink& remark, const RowGlance& glance) {
  ManifestRun run(options, sink, remark, glance);
  if (Result<void> usable = run.rules().check(); !usable) return usable;
  if (std::count(paths.begin(), paths.end(), "-") > 1) return usage_error("standard input can be read only once");
  for (const std::string& path : paths) {
    if (Result<void> read = read_file(path, run); !read) return read;
    run.end_file();
  }
  return run.finish();
}

Normalised validate(ManifestRow& row) {
  if (!row.valid() || row.kind == nullptr) return {};
  Normalised normal = row.kind->normalise(row.fields);
  add_remarks(row, normal.problems, Remark::Level::Error);
  add_remarks(row, normal.remarks, Remark::Level::Warning);
  return normal;
}

}  // namespace reelbatch
