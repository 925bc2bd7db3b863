#include "jobs/json.h"

#include <fmt/format.h>

#include <cmath>

namespace reelbatch {
namespace {

/// More than this is no amount of credits.
constexpr double kCreditsMax = 1e12;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::optional<Credits> credits_of(double number) {
  if (!std::isfinite(number) || std::abs(number) > kCreditsMax) return std::nullopt;
  // The shortest text and not the exact binary value: 2.4 is two credits and four tenths.
  const std::string shortest = fmt::format("{}", number);
  if (shortest.find('e') == std::string::npos) return parse_credits(shortest);
  return parse_credits(fmt::format("{:.6f}", number));
}

}  // namespace

Result<JsonElement> JsonReader::parse(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  JsonElement element;
  const simdjson::error_code error = parser_.parse(text.data(), text.size()).get(element);
  if (error) return fail(Fault::Theirs, fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  return element;
}

std::optional<std::string_view> json_string(JsonElement from, std::string_view member) {
  std::string_view text;
  if (!from.is_object() || from.at_key(member).get(text)) return std::nullopt;
  return text;
}

std::optional<Credits> json_credits(JsonElement from, std::string_view member) {
  JsonElement value;
  if (!from.is_object() || from.at_key(member).get(value)) return std::nullopt;
  std::int64_t whole = 0;
  if (!value.get(whole)) {
    if (std::abs(static_cast<double>(whole)) > kCreditsMax) return std::nullopt;
    return Credits::whole(whole);
  }
  double number = 0;
  if (!value.get(number)) return credits_of(number);
  std::string_view text;
  if (!value.get(text)) return parse_credits(text);
  return std::nullopt;
}

namespace {

using TextVisit = std::function<void(std::string_view member, std::string_view text)>;

// As deep as the parser allows, which is 1024.
void visit_texts(std::string_view member, JsonElement element, const TextVisit& visit) {
  std::string_view text;
  simdjson::dom::array items;
  simdjson::dom::object members;
  if (element.get(text) == simdjson::SUCCESS) {
    visit(member, text);
  } else if (element.get(items) == simdjson::SUCCESS) {
    for (const JsonElement item : items) visit_texts(member, item, visit);
  } else if (element.get(members) == simdjson::SUCCESS) {
    for (const auto inner : members) visit_texts(inner.key, inner.value, visit);
  }
}

}  // namespace

void for_each_text(JsonReader& reader, std::string_view json, const TextVisit& visit) {
  if (const Result<JsonElement> root = reader.parse(json)) visit_texts({}, *root, visit);
}

std::string json_text(JsonElement element) {
  return simdjson::minify(element);
}

}  // namespace reelbatch
