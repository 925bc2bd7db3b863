// Manifests of every format: rows are the same whole and in pieces, and what is valid has one normal form.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/raw_fields.h"
#include "jobs/unicode.h"
#include "runner/flat_object.h"
#include "runner/json_stream.h"
#include "runner/manifest_formats.h"
#include "tests/fuzz/fuzz.h"

namespace reelbatch {
namespace {

using Reader = std::function<Result<void>(ByteSource& source, ManifestRun& run)>;

struct Read {
  std::vector<std::string> rows, remarks;
  std::string error;
  bool operator==(const Read&) const = default;
};

/// What is sent is what is compared: it is JSON, and normalising it once more changes nothing.
void hold_normal_form(const ManifestRow& row, const Normalised& normal) {
  JsonReader reader;
  RawFields again;
  for (const NormalField& field : normal.fields) {
    must(reader.parse(field.json).has_value(), "a normal field is JSON", field.json);
    again.push_back({std::string(field.spec->name), {RawValue::Form::Json, field.json}});
  }
  const Normalised twice = row.kind->normalise(again);
  // A description in which markup came to light by reading it is another one when it is read again (prose.h).
  const bool split = std::any_of(normal.fields.begin(), normal.fields.end(), [](const NormalField& field) {
    return splits_again(field.json) ||
           (field.spec->name == "description" && json_unquote(field.json).find_first_of("<&[\\") != std::string::npos);
  });
  must(split || twice.problems.empty(), "a normal form is valid",
       twice.problems.empty() ? "" : twice.problems.front().field + ' ' + twice.problems.front().message);
  if (split) return;
  must(twice.fields.size() == normal.fields.size(), "a normal form has the same fields");
  for (std::size_t i = 0; i < normal.fields.size(); ++i)
    must(twice.fields[i].json == normal.fields[i].json, "normalising twice is normalising once",
         normal.fields[i].json + " then " + twice.fields[i].json);
  must(reader.parse(row.kind->submit(normal.fields, "marker").body).has_value(), "a submission is JSON");

  // Numbers inside of lists and maps may come back in another spelling (`1e3` as `1000.0`); nothing else may.
  const Result<RawFields> kept = raw_fields_from_json(to_json(row.fields));
  must(kept && kept->size() == row.fields.size(), "the ledger gives back every field", to_json(row.fields));
  for (std::size_t i = 0; i < kept->size(); ++i) {
    const RawField& field = (*kept)[i];
    must(field.name == row.fields[i].name && field.value.form == row.fields[i].value.form, "a field keeps its form");
    must(field == row.fields[i] || field.value.form == RawValue::Form::Json, "the ledger gives back texts as read");
  }
  const Normalised later = row.kind->normalise(*kept);
  must(later.fields.size() == normal.fields.size(), "what the ledger gives back has the same content");
  for (std::size_t i = 0; i < later.fields.size(); ++i)
    must(later.fields[i].json == normal.fields[i].json, "what the ledger gives back has the same content",
         normal.fields[i].json + " then " + later.fields[i].json);
}

Read read(std::string_view text, std::size_t piece, const Reader& reader, bool hold, const ManifestOptions& options) {
  Read out;
  const RowSink sink = [&](ManifestRow& row) -> Result<void> {
    const Normalised normal = validate(row);
    std::string line = fmt::format("{} {} {} {}", row.id, row.kind_name, row.account, row.place.line);
    for (const RawField& field : row.fields) line += '|' + field.name + '=' + field.value.text;
    for (const Label& label : row.labels) line += '#' + label.name + '=' + label.value;
    for (const Remark& remark : row.remarks) line += '!' + remark.text();
    for (const RawField& field : row.fields) must(is_utf8(field.value.text) || !row.valid(), "a valid field is UTF-8");
    if (row.valid()) {
      must(!row.id.empty() && row.kind != nullptr, "a valid row has an id and a kind");
      if (hold) hold_normal_form(row, normal);
    }
    out.rows.push_back(std::move(line));
    return {};
  };
  const RemarkSink remark = [&](const Remark& found) { out.remarks.push_back(found.text()); };
  ManifestRun run(options, sink, remark);
  must(run.rules().check().has_value(), "the options are good ones");
  run.start_file("feed");
  StringSource source(text, piece);
  if (const Result<void> done = reader(source, run); !done) out.error = done.error().message;
  run.end_file();
  if (const Result<void> done = run.finish(); !done) out.error += done.error().message;
  return out;
}

void hold(std::string_view data, const Reader& reader, const ManifestOptions& options = {}) {
  const Read whole = read(data, SIZE_MAX, reader, true, options);
  must(read(data, 1, reader, false, options) == whole, "the same a byte at a time");
}

std::string decoded(std::string_view data, std::optional<Encoding> encoding) {
  StringSource bytes(data);
  TextSource source(bytes, encoding);
  std::string text(4 * data.size() + 16, '\0');
  std::size_t size = 0;
  while (const Result<std::size_t> taken = source.read(text.data() + size, text.size() - size)) {
    if (*taken == 0) break;
    size += *taken;
  }
  text.resize(size);
  return text;
}

}  // namespace

FUZZ_TARGET(table, 2'500) {
  const bool tabs = take_byte(data) % 2 == 1;
  TableFormat format;
  if (tabs) format.dialect = '\t';
  hold(data, [&](ByteSource& source, ManifestRun& run) { return read_table(source, format, run); });
}

/// A table as a file is read: its encoding, dialect, header and preset found out, or a preset and columns named.
FUZZ_TARGET(feed, 1'100) {
  const unsigned choice = take_byte(data);
  const std::span<const Preset> presets = all_presets();
  ManifestOptions options;
  if (const std::size_t which = choice % (presets.size() + 1); which > 0) options.preset = presets[which - 1].name;
  if (choice >= 128) options.map = {{"id", "#1"}, {"image_urls", "photo_*"}, {"description", "text|summary+space"}};
  const std::optional<Encoding> encoding = find_encoding(data).encoding;
  const std::string head = decoded(data, encoding);
  hold(
      data,
      [&](ByteSource& source, ManifestRun& run) -> Result<void> {
        const Result<TableFormat> format = find_table_format(head, true, ',', run.rules());
        if (!format) {
          run.find({}, {}, format.error().message);
          return {};
        }
        run.set_preset(format->preset);
        TextSource text(source, encoding);
        return read_table(text, *format, run, &text);
      },
      options);
}

FUZZ_TARGET(yaml, 6'000) {
  hold(data, [](ByteSource& source, ManifestRun& run) { return read_yaml_jobs(source, run); });
}

std::vector<std::string> texts_in(JsonElement list) {
  std::vector<std::string> texts;
  for (const JsonElement item : list.get_array().value_unsafe()) texts.emplace_back(item.get_string().value_unsafe());
  return texts;
}

/// A line that is taken apart is valid, and says what the other reader finds in it.
void hold_flat_object(std::string_view line) {
  std::string padded(line);
  padded.append(kJsonPadding, '}');
  FlatObject flat;
  if (!flat.read({std::string_view(padded).substr(0, line.size()), 1, true})) return;
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(line);
  must(root && root->is_object(), "what was taken apart is an object", line);
  auto member = flat.members().begin();
  for (const auto [key, value] : root->get_object().value_unsafe()) {
    must(member != flat.members().end() && member->key == key, "keys are the same", line);
    std::string_view text;
    if (value.is_array()) {
      JsonReader again;
      const Result<JsonElement> list = again.parse(member->value);
      must(member->kind == FlatMember::Kind::List && list && texts_in(*list) == texts_in(value), "lists are", line);
    } else if (!value.get(text)) {
      must(member->kind == FlatMember::Kind::Text && member->value == text, "texts are", line);
    } else {
      const bool is_same = (member->kind == FlatMember::Kind::Null) == value.is_null() &&
                           line.substr(member->at, member->value.size()) == member->value;
      must(is_same && member->kind != FlatMember::Kind::Text, "other values are", line);
    }
    ++member;
  }
  must(member == flat.members().end(), "no member is left over", line);
}

FUZZ_TARGET(json, 4'500) {
  const bool is_lines = take_byte(data) % 2 == 1;
  hold_flat_object(data.substr(0, data.find('\n')));
  if (is_lines) return hold(data, [](ByteSource& source, ManifestRun& run) { return read_json_lines(source, run); });
  hold(data, [](ByteSource& source, ManifestRun& run) { return read_json_jobs(source, run); });
  // Whatever this reader takes for JSON, the other one does, but for numbers beyond its range.
  StringSource source(data);
  JsonSink sink;
  sink.member = [](const YamlNode&, YamlNode&) { return Result<void>(); };
  sink.item = [](YamlNode&) { return Result<void>(); };
  sink.broken = [](const JsonPiece&, const JsonFault&) { return usage_error("no JSON"); };
  if (!stream_json(source, "f.json", "jobs", sink)) return;
  JsonReader reader;
  const Result<JsonElement> same = reader.parse(data);
  const bool blank = data.find_first_not_of(" \t\r\n") == std::string_view::npos;
  must(same || blank || same.error().message.find("umber") != std::string::npos ||
           same.error().message.find("nteger") != std::string::npos ||
           same.error().message.find("UTF") != std::string::npos,
       "both readers agree on what JSON is", same ? "" : same.error().message);
}

}  // namespace reelbatch
