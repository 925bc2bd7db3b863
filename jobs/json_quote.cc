#include "jobs/json_quote.h"

#include <fmt/format.h>

#include "jobs/json.h"
#include "jobs/plain_text.h"
#include "jobs/unicode.h"

namespace reelbatch {

std::string json_quote(std::string_view text) {
  std::string out;
  append_json_quoted(out, text);
  return out;
}

void append_json_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  bool is_checked = false, is_well_formed = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t run = is_well_formed ? unmarked_run(text.substr(at)) : plain_run(text.substr(at));
    out.append(text, at, run);
    at += run;
    if (at == text.size()) break;
    if (!is_checked && static_cast<unsigned char>(text[at]) >= 0x80) {
      is_checked = true;
      is_well_formed = is_utf8(text.substr(at));
      if (is_well_formed) continue;
    }
    const CodePoint point = code_point_at(text, at);
    at += point.size;
    switch (point.value) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (point.value < 0x20 || point.value == 0x7F) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(point.value));
        } else {
          append_code_point(out, point.value);
        }
    }
  }
  out.push_back('"');
}

std::string json_unquote(std::string_view json) {
  const bool quoted = json.size() >= 2 && json.front() == '"' && json.back() == '"';
  if (quoted && json.find('\\') == std::string_view::npos) return std::string(json.substr(1, json.size() - 2));
  JsonReader reader;
  const Result<JsonElement> element = reader.parse(json);
  std::string_view text;
  return element && !element->get(text) ? std::string(text) : std::string();
}

}  // namespace reelbatch
