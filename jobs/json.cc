#include "jobs/json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "jobs/plain_text.h"
#include "jobs/unicode.h"

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

std::string json_quote(std::string_view text) {
  std::string out;
  append_json_quoted(out, text);
  return out;
}

void append_json_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t plain = plain_run(text.substr(at));
    out.append(text, at, plain);
    at += plain;
    if (at == text.size()) break;
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

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::size_t count_code_points(std::string_view text) {
  // Every code point has exactly one byte that continues none. Eight bytes at a time: long texts are counted often.
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::size_t continuing = 0;
  std::size_t at = 0;
  for (std::uint64_t bytes = 0; at + sizeof(bytes) <= text.size(); at += sizeof(bytes)) {
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    // The product's highest byte is the sum of the eight. std::popcount() is a call on the plainest of machines.
    continuing += (((bytes >> 7U) & ~(bytes >> 6U) & kOnes) * kOnes) >> 56U;
  }
  for (; at < text.size(); ++at) continuing += std::size_t{(static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U};
  return text.size() - continuing;
}

}  // namespace reelbatch
