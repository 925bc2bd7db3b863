#include "runner/config_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/edit_distance.h"

namespace reelbatch {
namespace {

std::string_view kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::Null:
      return "nothing";
    case YamlNode::Kind::Scalar:
      return "a single value";
    case YamlNode::Kind::List:
      return "a list";
    case YamlNode::Kind::Map:
      break;
  }
  return "a map";
}

/// A misspelt name, or all the names there are.
std::string suggestion(std::string_view key, std::span<const ConfigMember> members) {
  std::vector<std::string_view> names;
  for (const ConfigMember& member : members) names.push_back(member.name);
  std::string text = did_you_mean(key, names);
  constexpr std::size_t kListed = 12;
  if (text.empty() && !names.empty() && names.size() <= kListed) {
    text = " (known here:";
    for (const std::string_view name : names) text += fmt::format("{} {}", name == names.front() ? "" : ",", name);
    text += ')';
  }
  return text;
}

}  // namespace

void ConfigReader::problem(const ConfigValue& value, std::string_view message) {
  if (!problems_.empty()) problems_ += '\n';
  problems_ += fmt::format("{}:{}:{}: ", file_, value.node.line, value.node.column);
  if (!value.name.empty()) problems_ += fmt::format("{}: ", value.name);
  problems_ += message;
}

void ConfigReader::map(const ConfigValue& value, std::span<const ConfigMember> members,
                       const std::function<bool(std::string_view, const ConfigValue&)>& other) {
  if (value.node.kind == YamlNode::Kind::Null) return;
  if (value.node.kind != YamlNode::Kind::Map) {
    return problem(value, fmt::format("expected keys and values, got {}", kind_name(value.node.kind)));
  }
  for (const auto& [key, node] : value.node.members) {
    const std::string& word = key.scalar;
    const ConfigValue inner{node, value.name.empty() ? word : fmt::format("{}.{}", value.name, word)};
    const auto known = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == word; });
    if (known != members.end()) {
      known->read(inner);
    } else if (!other || !other(word, inner)) {
      problem({key, value.name}, fmt::format("unknown key '{}'{}", word, suggestion(word, members)));
    }
  }
}

const std::string* ConfigReader::scalar(const ConfigValue& value, std::string_view expected) {
  if (value.node.kind == YamlNode::Kind::Scalar) return &value.node.scalar;
  if (value.node.kind == YamlNode::Kind::Null) {
    problem(value, fmt::format("has no value: give {}, or remove the key", expected));
  } else {
    problem(value, fmt::format("expected {}, got {}", expected, kind_name(value.node.kind)));
  }
  return nullptr;
}

std::vector<std::string> ConfigReader::scalars(const ConfigValue& value, std::string_view expected) {
  if (value.node.kind != YamlNode::Kind::List) {
    const std::string* const text = scalar(value, fmt::format("{} or a list", expected));
    if (text == nullptr) return {};
    return {*text};
  }
  if (value.node.items.empty()) problem(value, fmt::format("is an empty list: give {}, or remove the key", expected));
  std::vector<std::string> texts;
  for (const YamlNode& item : value.node.items) {
    const std::string* const text = scalar({item, value.name}, expected);
    if (text == nullptr) return {};
    texts.push_back(*text);
  }
  return texts;
}

}  // namespace reelbatch
