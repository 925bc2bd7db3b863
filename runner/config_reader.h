// Walking a YAML tree against what is known, and gathering what is wrong on the way. Part of config.cc.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/yaml.h"

namespace reelbatch {

/// A value and how people call it: `accounts.main.rate`; the top of the file has no name.
struct ConfigValue {
  const YamlNode& node;
  std::string name;
};

/// A key that a map may have.
struct ConfigMember {
  std::string name;
  std::function<void(const ConfigValue& value)> read;
};

class ConfigReader {
 public:
  /// file  how messages call it.
  explicit ConfigReader(std::string file) : file_(std::move(file)) {}

  /// Adds `file:line:column: name: message`.
  void problem(const ConfigValue& value, std::string_view message);
  /// One line each, empty if all is well.
  const std::string& problems() const { return problems_; }

  /// Reads a map, in its order. A key that is not among `members` goes to `other`, which says whether it knows it, and
  /// is a problem with a suggestion otherwise. An empty value (`accounts:`) is an empty map.
  void map(const ConfigValue& value, std::span<const ConfigMember> members,
           const std::function<bool(std::string_view key, const ConfigValue& value)>& other = {});

  /// A scalar's text, or nullptr after a problem. `expected` says what would be right: `a number`.
  const std::string* scalar(const ConfigValue& value, std::string_view expected);
  /// A scalar, or a list of one or more of them. Empty after a problem.
  std::vector<std::string> scalars(const ConfigValue& value, std::string_view expected);

  /// Takes what a parser made of a value, or adds its problem.
  template <typename T, typename Target>
  void store(const ConfigValue& value, const Result<T>& parsed, Target& target) {
    if (parsed) {
      target = *parsed;
    } else {
      problem(value, parsed.error().message);
    }
  }

 private:
  std::string file_;
  std::string problems_;
};

}  // namespace reelbatch
