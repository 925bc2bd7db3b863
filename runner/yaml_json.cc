// The JSON side of YAML trees; apart from yaml.cc because it needs no YAML library.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "jobs/json_quote.h"
#include "runner/yaml.h"

namespace reelbatch {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// RFC 8259 numbers that a 64-bit reader can hold: a longer one would make the whole document unreadable.
bool is_json_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::size_t first = negative ? 1 : 0;
  std::size_t at = skip_digits(text, first);
  if (at == first || (text[first] == '0' && at != first + 1)) return false;
  if (at == text.size()) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    const char* end = text.data() + text.size();
    return negative ? std::from_chars(text.data(), end, small).ec == std::errc()
                    : std::from_chars(text.data(), end, large).ec == std::errc();
  }
  if (text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = skip_digits(text, fraction);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, exponent);
    if (at == exponent) return false;
  }
  return at == text.size() && std::isfinite(std::strtod(std::string(text).c_str(), nullptr));
}

void append_json(std::string& out, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      out += "null";
      return;
    case YamlNode::Kind::Scalar:
      if (!node.quoted && (node.scalar == "true" || node.scalar == "false" || is_json_number(node.scalar)))
        out += node.scalar;
      else
        append_json_quoted(out, node.scalar);
      return;
    case YamlNode::Kind::List:
      out += '[';
      for (const YamlNode& item : node.items) {
        if (&item != &node.items.front()) out += ',';
        append_json(out, item);
      }
      out += ']';
      return;
    case YamlNode::Kind::Map:
      out += '{';
      for (const auto& member : node.members) {
        if (&member != &node.members.front()) out += ',';
        append_json_quoted(out, member.first.scalar);
        out += ':';
        append_json(out, member.second);
      }
      out += '}';
      return;
  }
}

}  // namespace

std::string to_json(const YamlNode& node) {
  std::string out;
  append_json(out, node);
  return out;
}

}  // namespace reelbatch
