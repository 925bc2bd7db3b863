#include "runner/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "runner/config_account.h"
#include "runner/config_reader.h"
#include "runner/durations.h"

namespace reelbatch {
namespace {

constexpr std::size_t kCatalogueBytesMax = 64;

std::string_view expectation(const Setting& setting) {
  if (setting.shape == Setting::Shape::Flag) return "true or false";
  return "a value";
}

/// Every name by which a manifest may call a field, `kind` and `account` among them.
std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names = {"kind", "account"};
  for (const JobKind* kind : all_kinds()) {
    for (const FieldSpec& field : kind->fields()) {
      for (const std::string_view name : {field.name, field.api_name}) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
  }
  return names;
}

class Reading {
 public:
  Reading(const std::string& path, WallTime now)
      : reader_(path), folder_(std::filesystem::path(path).parent_path()), now_(now) {}

  Result<Config> read(const YamlNode& root) {
    reader_.map({root, ""}, top_members());
    if (!reader_.problems().empty()) return usage_error(reader_.problems());
    return std::move(config_);
  }

 private:
  std::vector<ConfigMember> top_members() {
    std::vector<ConfigMember> members = {
        {"ledger", [this](const ConfigValue& value) { read_ledger(value); }},
        {"catalogue", [this](const ConfigValue& value) { read_catalogue(value); }},
        {"outputs", [this](const ConfigValue& value) { read_setting("output", value); }},
        {"accounts", [this](const ConfigValue& value) { read_accounts(value); }},
        {"manifest", [this](const ConfigValue& value) { read_manifest(value); }},
        {"map", [this](const ConfigValue& value) { read_map(value); }},
        {"polling", [this](const ConfigValue& value) { read_polling(value); }},
        {"repair", [this](const ConfigValue& value) { read_repair(value); }},
        {"retry_limit", [this](const ConfigValue& value) { read_int(value, 0, 1000, config_.options.retry_limit); }}};
    for (const Setting& setting : all_settings()) {
      if (setting.name == "ledger" || setting.name == "map") continue;
      members.push_back({setting.key(), [this, &setting](const ConfigValue& value) { read_setting(setting, value); }});
    }
    return members;
  }

  void read_int(const ConfigValue& value, long least, long most, int& target) {
    const std::string* const text = reader_.scalar(value, "a whole number");
    if (text == nullptr) return;
    const Result<long> number = parse_whole(*text, least, most);
    if (!number) return reader_.problem(value, number.error().message);
    target = static_cast<int>(*number);
  }

  /// Notes that a setting is given here. False, after a problem, if it was given before under another key.
  bool claim(std::string_view setting, const ConfigValue& value) {
    const auto [before, is_new] = given_.emplace(setting, value.name);
    if (is_new) return true;
    reader_.problem(value, fmt::format("is the same as {}, which is also given: keep one of them", before->second));
    return false;
  }

  void apply(const Setting& setting, const ConfigValue& value, std::vector<std::string> texts) {
    if (texts.empty() || !claim(setting.name, value)) return;
    if (setting.is_path) {
      for (std::string& text : texts) text = path_in_config(folder_, text);
    }
    SettingTarget target{config_.options, config_.pace, now_};
    if (const Result<void> applied = setting.apply(target, texts); !applied) {
      reader_.problem(value, applied.error().message);
    }
  }

  void read_setting(std::string_view name, const ConfigValue& value) { read_setting(*find_setting(name), value); }

  void read_setting(const Setting& setting, const ConfigValue& value) {
    const bool many = setting.shape == Setting::Shape::Many || setting.shape == Setting::Shape::Greedy;
    if (many) return apply(setting, value, reader_.scalars(value, expectation(setting)));
    if (const std::string* const text = reader_.scalar(value, expectation(setting))) apply(setting, value, {*text});
  }

  void read_ledger(const ConfigValue& value) {
    if (value.node.kind == YamlNode::Kind::Scalar) return read_setting("ledger", value);
    const std::array<ConfigMember, 3> members = {
        {{"path", [this](const ConfigValue& inner) { read_setting("ledger", inner); }},
         {"must_exist", [this](const ConfigValue& inner) { read_must_exist(inner); }},
         {"keep_runs",
          [this](const ConfigValue& inner) { read_int(inner, 1, 1'000'000, config_.options.keep_runs); }}}};
    reader_.map(value, members);
  }

  void read_must_exist(const ConfigValue& value) {
    const std::string* const text = reader_.scalar(value, "true or false");
    if (text != nullptr) reader_.store(value, parse_flag(*text), config_.options.ledger_must_exist);
  }

  void read_catalogue(const ConfigValue& value) {
    const std::string* const text = reader_.scalar(value, "a name");
    if (text == nullptr) return;
    const bool plain = std::none_of(text->begin(), text->end(),
                                    [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
    if (text->empty() || !plain || text->size() > kCatalogueBytesMax) {
      return reader_.problem(
          value, fmt::format("a name has 1 to {} bytes, without blanks or control characters", kCatalogueBytesMax));
    }
    config_.options.catalogue = *text;
  }

  void read_polling(const ConfigValue& value) {
    const std::array<ConfigMember, 3> members = {
        {{"interval", [this](const ConfigValue& inner) { read_setting("poll-interval", inner); }},
         {"job_timeout", [this](const ConfigValue& inner) { read_setting("job-timeout", inner); }},
         {"give_up_after", [this](const ConfigValue& inner) { read_duration(inner, config_.options.give_up_after); }}}};
    reader_.map(value, members);
  }

  void read_duration(const ConfigValue& value, Duration& target) {
    const std::string* const text = reader_.scalar(value, "a duration");
    if (text == nullptr) return;
    const Result<Duration> duration = parse_duration(*text);
    if (duration && *duration <= Duration{}) {
      return reader_.problem(value, fmt::format("'{}' is too short: write more than 0", *text));
    }
    reader_.store(value, duration, target);
  }

  /// That it is there is the wish for it.
  void read_repair(const ConfigValue& value) {
    RepairPolicy& repair = config_.options.repair;
    repair.times = 1;
    const std::array<ConfigMember, 2> members = {
        {{"after", [&](const ConfigValue& inner) { read_duration(inner, repair.after); }},
         {"times", [&](const ConfigValue& inner) { read_int(inner, 0, 10, repair.times); }}}};
    reader_.map(value, members);
  }

  // ---- manifest ----

  void read_manifest(const ConfigValue& value) {
    std::vector<ConfigMember> members = {{"map", [this](const ConfigValue& inner) { read_map(inner); }},
                                         {"labels", [this](const ConfigValue& inner) { read_labels(inner); }},
                                         {"defaults", [this](const ConfigValue& inner) { read_defaults(inner); }}};
    for (const std::string_view name : {"preset", "encoding", "delimiter", "skip-lines", "no-header",
                                        "images-separator", "media-base", "strip-contacts", "repair-mojibake",
                                        "on-duplicate", "id-from", "min-rows", "allow-invalid-start", "ignore"}) {
      const Setting& setting = *find_setting(name);
      members.push_back({setting.key(), [this, &setting](const ConfigValue& inner) { read_setting(setting, inner); }});
    }
    reader_.map(value, members);
  }

  /// Whether a manifest has a field of that name; a problem if not.
  bool is_field(std::string_view name, const ConfigValue& value, bool id_too) {
    std::vector<std::string_view> names = field_names();
    if (id_too) names.push_back("id");
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    reader_.problem(value, fmt::format("no kind has a field '{}'{}", name, did_you_mean(name, names)));
    return false;
  }

  void read_map(const ConfigValue& value) {
    std::vector<std::string> pairs;
    reader_.map(value, {}, [&](std::string_view field, const ConfigValue& column) {
      const std::string* const text = reader_.scalar(column, "a column's name");
      if (is_field(field, column, true) && text != nullptr) pairs.push_back(fmt::format("{}={}", field, *text));
      return true;
    });
    apply(*find_setting("map"), value, std::move(pairs));
  }

  void read_labels(const ConfigValue& value) {
    std::vector<std::string> labels;
    // An empty list is a choice: no labels.
    const bool none = value.node.kind == YamlNode::Kind::List && value.node.items.empty();
    if (!none) labels = reader_.scalars(value, "a column's name");
    config_.options.manifest.labels = std::move(labels);
  }

  void read_defaults(const ConfigValue& value) {
    reader_.map(value, {}, [&](std::string_view field, const ConfigValue& inner) {
      if (!is_field(field, inner, false)) return true;
      RawValue& target = config_.options.manifest.defaults[std::string(field)];
      if (inner.node.kind == YamlNode::Kind::List || inner.node.kind == YamlNode::Kind::Map) {
        target = RawValue{RawValue::Form::Json, to_json(inner.node)};
      } else if (const std::string* const text = reader_.scalar(inner, "a value")) {
        target = RawValue{RawValue::Form::Text, *text};
      }
      return true;
    });
  }

  void read_accounts(const ConfigValue& value) {
    reader_.map(value, {}, [&](std::string_view name, const ConfigValue& inner) {
      if (std::optional<AccountConfig> account = read_account(reader_, folder_, name, inner)) {
        config_.accounts.push_back(*std::move(account));
      }
      return true;
    });
  }

  ConfigReader reader_;
  std::filesystem::path folder_;
  WallTime now_;
  Config config_;
  std::map<std::string, std::string, std::less<>> given_;  ///< Setting::name to the key that gave it
};

}  // namespace

Result<Config> read_config(std::istream& in, const std::string& path, WallTime now) {
  const Result<YamlNode> root = parse_yaml(in, path);
  if (!root) return tl::unexpected<Error>(root.error());
  Result<Config> config = Reading(path, now).read(*root);
  if (config) config->options.config_file = path;
  return config;
}

Result<Config> read_config_file(const std::string& path, WallTime now) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return usage_error(fmt::format("cannot read configuration '{}': it is a folder", path));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return usage_error(fmt::format("cannot open configuration '{}': {}", path, std::strerror(errno)));
  return read_config(in, path, now);
}

}  // namespace reelbatch
