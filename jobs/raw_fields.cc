#include "jobs/raw_fields.h"

#include "jobs/json.h"
#include "jobs/json_quote.h"

namespace reelbatch {

std::string to_json(const RawFields& fields) {
  std::string out = "{";
  for (const RawField& field : fields) {
    if (out.size() > 1) out += ',';
    append_json_quoted(out, field.name);
    out += ':';
    if (field.value.form == RawValue::Form::Text) {
      append_json_quoted(out, field.value.text);
    } else {
      out += field.value.text;
    }
  }
  out += '}';
  return out;
}

Result<RawFields> raw_fields_from_json(std::string_view text) {
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(text);
  if (!root) return tl::unexpected(root.error());
  simdjson::dom::object members;
  if (root->get(members) != simdjson::SUCCESS) return ground_error("a row's fields are no JSON object");
  RawFields fields;
  for (const auto member : members) {
    RawField field{std::string(member.key), {}};
    std::string_view scalar;
    if (member.value.get(scalar) == simdjson::SUCCESS) {
      field.value.text = scalar;
    } else {
      field.value = {RawValue::Form::Json, json_text(member.value)};
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace reelbatch
