#include "runner/mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/unicode.h"
#include "runner/wrapped_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kValues = 2;
constexpr std::size_t kValueWidth = 60;  // characters
constexpr std::size_t kNameWidth = 40;
constexpr std::size_t kFamilyShown = 2;
constexpr std::size_t kFileColumn = 14;
constexpr std::size_t kFieldColumn = 18;

std::string_view words_of(Target::By by) {
  switch (by) {
    case Target::By::Map:
      return "--map";
    case Target::By::Preset:
      return "preset";
    case Target::By::Name:
      return "name";
    case Target::By::Synonym:
      return "synonym";
  }
  return {};
}

std::string family_text(const std::vector<std::size_t>& from, std::span<const std::string> shown) {
  std::string out;
  const std::size_t count = from.size() > kFamilyShown + 1 ? kFamilyShown : from.size();
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + shown[from[i]];
  if (count < from.size()) out += fmt::format(" and {} more, to {}", from.size() - count, shown[from.back()]);
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string shown_column(std::string_view name, std::size_t position) {
  const std::string quoted = fmt::format("'{}'", printable(name, kNameWidth));
  return position == 0 ? quoted : fmt::format("{} ({})", quoted, position);
}

FieldMapping field_mapping(std::string_view field, const Arranged& arranged, std::span<const std::string> shown,
                           const RawValue* otherwise) {
  FieldMapping mapping{std::string(field), {}, {}};
  for (const Arranged::Alternative& alternative : arranged.alternatives) {
    if (!mapping.from.empty()) mapping.from += "; if empty, ";
    if (alternative.family) {
      mapping.from += family_text(alternative.from, shown);
    } else {
      for (std::size_t i = 0; i < alternative.from.size(); ++i)
        mapping.from += (i == 0 ? "" : " and then ") + shown[alternative.from[i]];
    }
  }
  if (!mapping.from.empty()) mapping.by = words_of(arranged.by);
  if (otherwise == nullptr) return mapping;
  mapping.from += fmt::format("{}the default '{}'", mapping.from.empty() ? "" : "; if empty, ",
                              printable(otherwise->text, kNameWidth));
  if (mapping.by.empty()) mapping.by = "default";
  return mapping;
}

void MappingReport::see(const ManifestRow& row) {
  keep(row, "id", row.id);
  keep(row, "account", row.account);
  for (const RawField& field : row.fields) keep(row, field.name, field.value.text);
}

void MappingReport::keep(const ManifestRow& row, std::string_view field, std::string_view value) {
  if (value.empty()) return;
  std::vector<std::string>& values = values_[{row.file, row.kind, std::string(field)}];
  if (values.size() < kValues) values.push_back(printable(value, kValueWidth));
}

std::string MappingReport::text() const {
  std::string out;
  for (const FileMapping& file : files_) {
    out += fmt::format("{}\n", printable(file.file, SIZE_MAX));
    append_entry(out, "  format", file.format, kFileColumn);
    append_entry(out, "  preset", file.preset, kFileColumn);
    for (const KindMapping& kind : file.kinds) append_kind(out, file, kind);
  }
  return out;
}

void MappingReport::append_kind(std::string& out, const FileMapping& file, const KindMapping& kind) const {
  out += fmt::format("  {}\n", kind.kind->name());
  std::vector<std::string> nowhere;
  for (const FieldMapping& field : kind.fields) {
    if (field.from.empty()) {
      nowhere.push_back(field.field);
      continue;
    }
    append_entry(out, "    " + field.field, fmt::format("{} [{}]", field.from, field.by), kFieldColumn);
    const auto values = values_.find({file.file, kind.kind, field.field});
    if (values == values_.end()) continue;
    for (const std::string& value : values->second) out += fmt::format("{:{}}{}\n", "", kFieldColumn, value);
  }
  append_entry(out, "    not given", joined(nowhere), kFieldColumn);
  append_entry(out, "    labels", joined(kind.labels), kFieldColumn);
  append_entry(out, "    not used", joined(kind.not_used), kFieldColumn);
}

}  // namespace reelbatch
