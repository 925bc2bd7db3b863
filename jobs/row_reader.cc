#include "jobs/row_reader.h"

#include <algorithm>

#include "jobs/json_quote.h"

namespace reelbatch {
namespace {

void read_into(Normalised& normal, const FieldSpec& spec, FieldReader reader, const RawValue& value) {
  FieldReading reading = reader(value);
  for (std::string& problem : reading.problems) normal.problems.push_back({std::string(spec.name), std::move(problem)});
  for (std::string& remark : reading.remarks) normal.remarks.push_back({std::string(spec.name), std::move(remark)});
  if (reading.json) normal.fields.push_back({&spec, std::move(*reading.json)});
}

}  // namespace

Normalised read_row(std::span<const FieldSpec> specs, std::span<const FieldReader> readers, const RawFields& raw) {
  Normalised normal;
  normal.fields.reserve(raw.size());
  // Fields as read come in the order of the specs, but for those that a version with another order has kept.
  auto likely = raw.begin();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto same_name = [&](const RawField& field) { return field.name == specs[i].name; };
    const bool guessed = likely != raw.end() && same_name(*likely);
    const auto field = guessed ? likely : std::find_if(raw.begin(), raw.end(), same_name);
    if (field == raw.end()) continue;
    read_into(normal, specs[i], readers[i], field->value);
    likely = field + 1;
  }
  return normal;
}

bool are_plain(std::span<const FieldSpec> specs, std::span<const FieldGlance> glances, std::size_t required,
               std::span<const FieldText> fields) {
  // Mostly they are the very names.
  const auto same = [](std::string_view a, std::string_view b) {
    return a.size() == b.size() && (a.data() == b.data() || a == b);
  };
  std::size_t i = 0;
  for (const FieldText& field : fields) {
    const std::size_t skipped = i;
    while (i < specs.size() && !same(specs[i].name, field.name)) ++i;
    if (i == specs.size() || (skipped < required && i > skipped)) return false;
    if (glances[i] == nullptr || !glances[i](field)) return false;
    ++i;
  }
  return i >= required;
}

const NormalField* find_field(std::span<const NormalField> fields, std::string_view name) {
  for (const NormalField& field : fields) {
    if (field.spec->name == name) return &field;
  }
  return nullptr;
}

bool has_problem(const Normalised& normal, std::string_view name) {
  return std::any_of(normal.problems.begin(), normal.problems.end(),
                     [&](const Problem& problem) { return problem.field == name; });
}

void require_field(Normalised& normal, std::string_view name, std::string_view message) {
  if (find_field(normal.fields, name) || has_problem(normal, name)) return;
  normal.problems.push_back({std::string(name), std::string(message)});
}

std::string field_text(std::span<const NormalField> fields, std::string_view name) {
  const NormalField* field = find_field(fields, name);
  return field ? json_unquote(field->json) : std::string();
}

std::string fields_as_object(std::span<const NormalField> fields) {
  std::string body = "{";
  for (const NormalField& field : fields) {
    if (body.size() > 1) body.push_back(',');
    append_json_quoted(body, field.spec->api_name);
    body.push_back(':');
    body += field.json;
  }
  body.push_back('}');
  return body;
}

}  // namespace reelbatch
