#include "runner/flat_object.h"

#include <cstring>

#include "jobs/json_quote.h"
#include "jobs/plain_text.h"

namespace reelbatch {
namespace {

/// What the parser gives of a value goes up to the next one.
std::string_view without_blanks_behind(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

}  // namespace

bool FlatObject::read(const JsonLine& line) {
  line_ = line.text;
  members_.clear();
  if (!lists_.empty()) lists_.clear();
  has_escapes_ = std::memchr(line_.data(), '\\', line_.size()) != nullptr;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser_.iterate(line_.data(), line_.size(), line_.size() + kJsonPadding).get(document)) return false;
  if (document.get_object().get(object)) return false;
  // Every value is read, since one that is passed over is not looked at: `{"a": tru}`.
  for (simdjson::simdjson_result<simdjson::ondemand::field> next : object) {
    if (next.error()) return false;
    simdjson::ondemand::field& field = next.value_unsafe();
    FlatMember& member = members_.emplace_back();
    if (!read_key(field, member.key) || !read_value(field.value(), member)) return false;
  }
  // Nothing stands behind it.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

bool FlatObject::read_key(simdjson::ondemand::field& field, std::string_view& key) const {
  const std::string_view rest = line_.substr(static_cast<std::size_t>(field.key().raw() - line_.data()));
  key = rest.substr(0, unmarked_run(rest));
  if (key.size() == rest.size()) return false;
  return rest[key.size()] == '"' || !field.unescaped_key().get(key);
}

bool FlatObject::read_value(Value& value, FlatMember& member) {
  const std::string_view token = without_blanks_behind(value.raw_json_token());
  member.at = static_cast<std::size_t>(token.data() - line_.data());
  member.kind = FlatMember::Kind::Plain;
  member.value = token;
  switch (token.empty() ? '\0' : token.front()) {
    case '"':
      member.kind = FlatMember::Kind::Text;
      return read_text(value, token, member.value);
    case '[': {
      simdjson::ondemand::array items;
      return !value.get_array().get(items) && read_list(items, member);
    }
    case '{':
      return false;
    case 't':
    case 'f':
      return !value.get_bool().error();
    case 'n': {
      member.kind = FlatMember::Kind::Null;
      bool is_null = false;
      return !value.is_null().get(is_null) && is_null;
    }
    default:
      return !value.get_number().error();
  }
}

bool FlatObject::read_text(Value& value, std::string_view token, std::string_view& text) const {
  if (token.size() < 2 || token.back() != '"') return false;
  text = token.substr(1, token.size() - 2);
  if (has_escapes_ && text.find('\\') != std::string_view::npos) return !value.get_string().get(text);
  return !value.get_raw_json_string().error();
}

bool FlatObject::read_list(simdjson::ondemand::array& items, FlatMember& member) {
  member.kind = FlatMember::Kind::List;
  items_.clear();
  std::size_t at = member.at + 1;
  bool is_compact = true;  // nothing escaped, and no blanks
  for (simdjson::simdjson_result<Value> next : items) {
    if (next.error()) return false;
    const std::string_view token = without_blanks_behind(next.value_unsafe().raw_json_token());
    std::string_view& text = items_.emplace_back();
    if (!token.starts_with('"') || !read_text(next.value_unsafe(), token, text)) return false;
    // Where the item would stand: behind its quote, with another quote and a comma or bracket to come.
    is_compact = is_compact && text.data() == line_.data() + at + 1;
    at += text.size() + 3;
  }
  const std::size_t size = items_.empty() ? 2 : at - member.at;
  member.value = line_.substr(member.at, size);
  if (is_compact && member.value.size() == size && member.value.back() == ']') return true;
  std::string& list = lists_.emplace_back("[");
  for (const std::string_view text : items_) {
    if (list.size() > 1) list += ',';
    append_json_quoted(list, text);
  }
  member.value = list += ']';
  return true;
}

}  // namespace reelbatch
