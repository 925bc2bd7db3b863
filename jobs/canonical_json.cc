#include "jobs/canonical_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "jobs/json_quote.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Whole numbers below this are exact in a double, so that they can be written as what they are.
constexpr double kExactMax = 9007199254740992;  // 2^53

}  // namespace

std::string canonical_number(double number) {
  if (number == std::trunc(number) && std::abs(number) < kExactMax) {
    return fmt::format("{}", static_cast<std::int64_t>(number));
  }
  return fmt::format("{}", number);
}

Result<JsonMembers> canonical_members(simdjson::dom::object object) {
  JsonMembers members;
  for (const auto& [name, value] : object) {
    Result<std::string> text = canonical_json(value);
    if (!text) return tl::unexpected<Error>(text.error());
    if (!members.emplace(std::string(name), std::move(*text)).second) {
      return usage_error(fmt::format("has '{}' twice in one map", printable(name, 60)));
    }
  }
  return members;
}

std::string json_object(const JsonMembers& members) {
  std::string out = "{";
  for (const auto& [name, text] : members) {
    if (out.size() > 1) out.push_back(',');
    append_json_quoted(out, name);
    out.push_back(':');
    out += text;
  }
  out.push_back('}');
  return out;
}

Result<std::string> canonical_json(JsonElement value) {
  simdjson::dom::object object;
  if (!value.get(object)) {
    Result<JsonMembers> members = canonical_members(object);
    if (!members) return tl::unexpected<Error>(members.error());
    return json_object(*members);
  }
  simdjson::dom::array array;
  if (!value.get(array)) {
    std::string out = "[";
    for (const JsonElement item : array) {
      Result<std::string> text = canonical_json(item);
      if (!text) return text;
      if (out.size() > 1) out.push_back(',');
      out += *text;
    }
    return out + "]";
  }
  std::string_view text;
  if (!value.get(text)) return json_quote(text);
  // By type: a whole number can be had as a double as well, and would lose its last digits.
  double number = 0;
  if (value.type() == simdjson::dom::element_type::DOUBLE && !value.get(number)) return canonical_number(number);
  return json_text(value);
}

}  // namespace reelbatch
