#include "runner/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runner/byte_source.h"
#include "runner/content_type.h"
#include "runner/excerpt.h"
#include "runner/first_keys.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_run.h"
#include "runner/text_source.h"

namespace reelbatch {
namespace {

constexpr std::string_view kEndings = ".csv, .tsv, .txt, .blm, .yaml, .yml, .json, .jsonl or .ndjson";

bool is_table(ManifestFormat format) {
  return format == ManifestFormat::Csv || format == ManifestFormat::Tsv || format == ManifestFormat::Blm;
}

/// The first bytes as text. Where they end in the middle of a character, it is malformed.
std::string decoded(std::string_view head, std::optional<Encoding> encoding) {
  StringSource bytes(head);
  TextSource source(bytes, encoding);
  std::string text(4 * head.size() + 1, '\0');
  std::size_t size = 0;
  while (const Result<std::size_t> taken = source.read(text.data() + size, text.size() - size)) {
    if (*taken == 0) break;
    size += *taken;
    if (size == text.size()) text.resize(2 * size);
  }
  text.resize(size);
  return text;
}

/// A stated encoding, the one that the first bytes show, or nothing: then it is found while the text is read.
std::optional<Encoding> encoding_of(std::string_view head, ManifestRun& run) {
  const EncodingMark mark = find_encoding(head);
  const std::optional<std::string>& stated = run.rules().options().encoding;
  const std::optional<Encoding> named = stated ? encoding_named(*stated) : std::nullopt;
  if (named) return named;
  if (mark.guessed)
    run.warn({1, 1}, {},
             fmt::format("looks like {} without a byte order mark: read as {}; use --encoding if it is not",
                         name_of(*mark.encoding).substr(0, 6), name_of(*mark.encoding)));
  return mark.encoding;
}

/// JSON and YAML are UTF-8 by their definition, and some programs write them otherwise all the same. Said here, as
/// their readers do not see the bytes; the place is that of the first byte that shows it, if it is near enough.
void say_encoding(const TextSource& source, std::string_view head, ManifestRun& run) {
  if (source.encoding() != Encoding::Windows1252 || run.rules().options().encoding) return;
  const auto beyond =
      std::find_if(head.begin(), head.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80U; });
  Place place;
  std::string where;
  if (beyond != head.end()) {
    place.line = static_cast<std::uint64_t>(std::count(head.begin(), beyond, '\n')) + 1;
    where = fmt::format("; first non-ASCII at line {}", place.line);
  }
  run.warn(place, {},
           fmt::format("read as windows-1252, which is not UTF-8 as it should be{}; use --encoding if it is something "
                       "else",
                       where));
}

std::string_view name_of(ManifestFormat format) {
  switch (format) {
    case ManifestFormat::Yaml:
      return "YAML";
    case ManifestFormat::Json:
      return "JSON";
    case ManifestFormat::JsonLines:
      return "JSON Lines";
    default:
      return "table";
  }
}

std::string words_of(const TableFormat& format) {
  const CsvDialect& dialect = format.dialect;
  const std::string delimiter =
      dialect.delimiter == '\t'
          ? "tab"
          : fmt::format("'{}{}'", dialect.delimiter, dialect.second == 0 ? "" : std::string(1, dialect.second));
  std::string words = fmt::format("{} between cells", delimiter);
  if (format.in_sections) return words + fmt::format(", header on line {}, in sections", format.header_line);
  if (!format.has_header) return words + ", no header";
  return words + fmt::format(", header on line {}", format.first_line);
}

Result<void> read_rows(std::string_view text, bool whole, ManifestFormat format, TextSource& source, ManifestRun& run) {
  const Result<TableFormat> found =
      find_table_format(text, whole, format == ManifestFormat::Tsv ? '\t' : ',', run.rules());
  if (!found) {
    run.find({}, {}, found.error().message);
    return {};
  }
  for (const auto& [line, notice] : found->notices) {
    if (notice.starts_with("read as preset")) {
      run.note({line, 1}, notice);
    } else {
      run.warn({line, 1}, {}, notice);
    }
  }
  run.set_preset(found->preset);
  run.mapping().format = words_of(*found);
  return read_table(source, *found, run, &source);
}

/// An OData answer has its list in `value`.
std::string_view list_in(std::string_view text) {
  const bool odata = text.find("\"@odata.") != std::string_view::npos || text.find("\"value\"") < 200;
  return odata && text.find("\"jobs\"") == std::string_view::npos ? "value" : "jobs";
}

Result<void> read_format(ManifestFormat format, std::string_view text, ByteSource& source, ManifestRun& run) {
  const std::string_view list = format == ManifestFormat::Json ? list_in(text) : "jobs";
  const std::vector<std::string> keys = first_keys(text, format, list);
  if (format == ManifestFormat::Yaml) return read_yaml_jobs(source, run, keys);
  if (format == ManifestFormat::JsonLines) return read_json_lines(source, run, keys);
  return read_json_jobs(source, run, list, keys);
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
  run.identify_file(**file);
  const std::string_view head = (*file)->head();
  if (const std::optional<std::string> foreign = foreign_content(head)) {
    run.find({}, {}, *foreign);
    return {};
  }
  const std::optional<Encoding> encoding = encoding_of(head, run);
  const std::string text = decoded(head, encoding);
  if (is_empty_content(text)) {
    run.find({}, {}, "the file is empty: at least a header, or a list of jobs, is needed (0 listings)");
    return {};
  }
  if (const std::optional<std::string> foreign = foreign_content(text)) {
    run.find({}, {}, *foreign);
    return {};
  }
  if (!format) format = format_by_content(text);
  if (const ManifestFormat content = format_by_content(text); is_table(*format) && content != ManifestFormat::Csv) {
    run.find({}, {},
             content == ManifestFormat::Yaml
                 ? "this is YAML: name it .yaml"
                 : "this is JSON: name it .json, or .jsonl if each line is a job of its own");
    return {};
  }
  if (*format == ManifestFormat::JsonLines && is_json_document(text)) {
    run.find({}, {},
             "each line of a .jsonl file is a job of its own, and this is JSON over more than a line, or a list: name "
             "it .json");
    return {};
  }
  TextSource source(**file, encoding, path);
  const Result<void> read = is_table(*format) ? read_rows(text, (*file)->head_is_whole(), *format, source, run)
                                              : read_format(*format, text, source, run);
  if (!is_table(*format)) say_encoding(source, head, run);
  std::string& words = run.mapping().format;
  words = fmt::format("{}, {}{}{}", name_of(*format), name_of(source.encoding()), words.empty() ? "" : ", ", words);
  if (!read) return read;
  if (const Result<void> same = (*file)->check_unchanged(); !same) run.find_said(same.error().message);
  return {};
}

Result<void> read_files(const std::vector<std::string>& paths, ManifestRun& run) {
  for (const std::string& path : paths) {
    if (Result<void> read = read_file(path, run); !read) return read;
    run.end_file();
  }
  return {};
}

/// A reading of its own in front of the one that counts: a row that went into the ledger cannot be taken back when the
/// last one of its id comes.
Result<void> find_last_rows(const std::vector<std::string>& paths, const ManifestOptions& options, ManifestRun& run) {
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (path == "-" || (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)))
      return usage_error(fmt::format(
          "--on-duplicate last reads manifests twice, and {} can be read only once: write it to a file first",
          path == "-" ? "standard input" : path));
  }
  const RowSink sink = [](ManifestRow&) { return Result<void>(); };
  const RowGlance glance = [](const RowText&) { return Result<bool>(true); };
  const RemarkSink remark;
  ManifestRun scan(options, sink, remark, glance);
  scan.scan_only();
  if (Result<void> read = read_files(paths, scan); !read) return read;
  run.take_last_rows(scan);
  return {};
}

/// All of it: each check that options and paths need, then the files.
Result<void> read_all(const std::vector<std::string>& paths, const ManifestOptions& options, ManifestRun& run) {
  if (Result<void> usable = run.rules().check(); !usable) return usable;
  if (std::count(paths.begin(), paths.end(), "-") > 1) return usage_error("standard input can be read only once");
  if (options.on_duplicate == OnDuplicate::Last)
    if (Result<void> found = find_last_rows(paths, options, run); !found) return found;
  if (Result<void> read = read_files(paths, run); !read) return read;
  return run.finish();
}

bool has_field(const ManifestRow& row, std::string_view name) {
  return std::any_of(row.fields.begin(), row.fields.end(), [&](const RawField& field) { return field.name == name; });
}

void add_remarks(ManifestRow& row, const std::vector<Problem>& problems, Remark::Level level) {
  for (const Problem& problem : problems) {
    Remark remark{level, row.file, place_of(row, problem.field), problem.field, problem.message, kMended};
    if (level == Remark::Level::Error) remark.code = has_field(row, problem.field) ? "invalid_value" : "missing_value";
    if (remark.place.line != row.place.line) remark.message += fmt::format(" (row starts on line {})", row.place.line);
    row.remarks.push_back(std::move(remark));
  }
}

}  // namespace

Place place_of(const ManifestRow& row, std::string_view field) {
  for (std::size_t i = 0; i < row.fields.size() && row.place_of_field; ++i) {
    if (row.fields[i].name != field) continue;
    const Place place = row.place_of_field(i);
    return place.line != 0 ? place : row.place;
  }
  return row.place;
}

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
  return read_all(paths, options, run);
}

Result<void> read_manifests_and_mapping(const std::vector<std::string>& paths, const ManifestOptions& options,
                                        const RowSink& sink, const RemarkSink& remark, const MappingSink& mapping) {
  ManifestRun run(options, sink, remark);
  run.tell_mapping(mapping);
  return read_all(paths, options, run);
}

Normalised validate(ManifestRow& row) {
  if (!row.valid() || row.kind == nullptr) return {};
  Normalised normal = row.kind->normalise(row.fields);
  add_remarks(row, normal.problems, Remark::Level::Error);
  add_remarks(row, normal.remarks, Remark::Level::Warning);
  return normal;
}

void describe(const ManifestRow& row, Remark& error) {
  if (!row.record) return;
  const RecordText record = row.record();
  error.record = record.number;
  error.raw = record.text.substr(0, Remark::kRawMax);
  if (record.line != 0 && error.place.line >= record.line)
    error.excerpt = excerpt(line_of(record.text, error.place.line - record.line), error.place.column);
}

void tell_remarks(const ManifestRow& row, const RemarkSink& remark) {
  for (const Remark& found : row.remarks) {
    if (found.level != Remark::Level::Error) {
      remark(found);
      continue;
    }
    Remark error = found;
    describe(row, error);
    remark(error);
  }
}

}  // namespace reelbatch
