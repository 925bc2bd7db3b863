#include "jobs/service_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "jobs/http_rules.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr int kDepthMax = 6;
constexpr std::size_t kTextsMax = 20;
constexpr std::size_t kPointsMax = 300;

/// What a text belongs to when an error is an object: the names that validators use for it.
std::string field_of(simdjson::dom::object object) {
  for (const std::string_view name : {"field", "param", "path", "loc", "property"}) {
    JsonElement value;
    if (object.at_key(name).get(value)) continue;
    std::string_view text;
    if (!value.get(text)) return std::string(text);
    simdjson::dom::array parts;
    if (value.get(parts)) continue;
    std::string joined;
    for (const JsonElement part : parts) {
      std::string_view piece;
      const std::string step = part.get(piece) ? json_text(part) : std::string(piece);
      joined += joined.empty() ? step : "." + step;
    }
    return joined;
  }
  return {};
}

class Texts {
 public:
  explicit Texts(bool any_member) : any_member_(any_member) {}

  void read(JsonElement element, const std::string& field, int depth) {
    if (depth > kDepthMax) return;
    std::string_view text;
    if (!element.get(text)) return add(text, field);
    simdjson::dom::array array;
    if (!element.get(array)) {
      for (const JsonElement item : array) read(item, field, depth + 1);
      return;
    }
    simdjson::dom::object object;
    if (!element.get(object)) read_object(object, field, depth);
  }

  std::vector<ServiceText> take() { return std::move(texts_); }

 private:
  void read_object(simdjson::dom::object object, const std::string& outer, int depth) {
    const std::string own = field_of(object);
    const std::string& field = own.empty() ? outer : own;
    const std::size_t before = texts_.size();
    for (const std::string_view name : {"message", "msg", "error", "detail", "reason", "errors"}) {
      JsonElement value;
      if (!object.at_key(name).get(value)) read(value, field, depth + 1);
    }
    // Below the top every map is a message, or it would not have come here.
    if (texts_.size() > before || (depth == 0 && !any_member_)) return;
    for (const auto& [name, value] : object) {
      const bool general = name == "non_field_errors" || name == "_errors" || name == "fieldErrors";
      read(value, general ? field : std::string(name), depth + 1);
    }
  }

  void add(std::string_view text, const std::string& field) {
    text = trim_blanks(text);
    if (text.empty() || texts_.size() >= kTextsMax) return;
    const auto same = [&](const ServiceText& known) { return known.text == text && known.field == field; };
    if (std::none_of(texts_.begin(), texts_.end(), same)) texts_.push_back({field, std::string(text)});
  }

  bool any_member_;
  std::vector<ServiceText> texts_;
};

std::vector<ServiceText> read_texts(JsonElement element, bool any_member) {
  Texts texts(any_member);
  texts.read(element, "", 0);
  return texts.take();
}

bool is_html(std::string_view body) {
  const std::string start = ascii_lower(trim_blanks(body).substr(0, 512));
  return start.starts_with('<') || start.find("<html") != std::string::npos;
}

std::string words_in_body(std::string_view body, std::string_view status_name) {
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(body);
  if (!json) return is_html(body) ? std::string() : printable(body, kPointsMax);
  std::vector<ServiceText> texts = texts_in(*json);
  // `{"error": "Bad Request", "message": "..."}`: half of it has been said.
  std::erase_if(texts, [&](const ServiceText& text) { return ascii_lower(text.text) == ascii_lower(status_name); });
  return one_line(texts);
}

}  // namespace

std::vector<ServiceText> texts_in(JsonElement body) {
  return read_texts(body, true);
}
std::vector<ServiceText> messages_in(JsonElement answer) {
  return read_texts(answer, false);
}

std::string one_line(const std::vector<ServiceText>& texts) {
  std::string line;
  for (const ServiceText& text : texts) {
    if (!line.empty()) line += "; ";
    line += text.field.empty() ? text.text : fmt::format("{}: {}", text.field, text.text);
  }
  return printable(line, kPointsMax);
}

std::string describe_refusal(const Response& response) {
  const std::string status = describe_status(response.status);
  const std::string_view name = std::string_view(status).substr(std::min(status.size(), status.find(' ') + 1));
  const std::string words = words_in_body(response.body, name);
  if (words.empty() || ascii_lower(words) == ascii_lower(name)) return status;
  return fmt::format("{}: {}", status, words);
}

}  // namespace reelbatch
