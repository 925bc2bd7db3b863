#include "runner/label.h"

#include "jobs/json.h"
#include "jobs/json_quote.h"

namespace reelbatch {

std::string labels_json(const std::vector<Label>& labels) {
  if (labels.empty()) return {};
  std::string out = "{";
  for (const Label& label : labels) {
    if (out.size() > 1) out += ',';
    append_json_quoted(out, label.name);
    out += ':';
    append_json_quoted(out, label.value);
  }
  return out + '}';
}

Result<void> read_labels_json(std::string_view json, JsonReader& reader, std::vector<Label>& labels) {
  labels.clear();
  if (json.empty()) return {};
  const Result<JsonElement> root = reader.parse(json);
  if (!root) return tl::unexpected(root.error());
  simdjson::dom::object members;
  if (root->get(members) != simdjson::SUCCESS) return ground_error("a row's labels are no JSON object");
  for (const auto member : members) {
    std::string_view value;
    if (member.value.get(value) == simdjson::SUCCESS) labels.push_back({std::string(member.key), std::string(value)});
  }
  return {};
}

}  // namespace reelbatch
