#include "runner/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <utility>

#include "jobs/edit_distance.h"
#include "runner/command_help.h"
#include "runner/command_words.h"
#include "runner/config.h"

namespace reelbatch {
namespace {

constexpr int kUsageExit = 2;
constexpr std::string_view kSandboxLedger = "reelbatch-sandbox.db";

tl::unexpected<Exit> say(std::string text) {
  return tl::unexpected<Exit>(Exit{0, std::move(text), {}});
}

tl::unexpected<Exit> refuse(std::string problems, std::string_view hint = {}) {
  problems += '\n';
  if (!hint.empty()) problems += fmt::format("try 'reelbatch {}'\n", hint);
  return tl::unexpected<Exit>(Exit{kUsageExit, {}, std::move(problems)});
}

// ---- words to flags and arguments: all that CLI11 is for ------------------------------------------------------------

std::string flag_names(std::string_view name, char letter) {
  return letter == 0 ? fmt::format("--{}", name) : fmt::format("-{},--{}", letter, name);
}

/// The parser of one command, and what it found.
class Parser {
 public:
  explicit Parser(const CommandSpec& command) : command_(command) {
    app_.set_help_flag("-h,--help");
    app_.allow_extras();
    for (const OwnFlag& flag : shared_flags(command)) add(flag);
    for (const OwnFlag& flag : command.flags) add(flag);
    for (const Setting& setting : all_settings()) {
      if ((setting.commands & command.bit) != 0) add(setting);
    }
    if (!command.arguments.empty()) {
      arguments_ = app_.add_option("argument")->expected(1, -1)->allow_extra_args()->take_all();
      // So that a flag which takes several values leaves the last word.
      arguments_->required(!command.arguments.starts_with('['));
    }
  }

  tl::expected<Words, Exit> parse(std::vector<std::string> words) {
    use_twins(words);
    // A plan names its manifests.
    const bool keeps_to_plan = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      return word == "--plan" || word.starts_with("--plan=");
    });
    if (arguments_ != nullptr && keeps_to_plan) arguments_->required(false);
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
      return say(command_help(command_));
    } catch (const CLI::RequiredError&) {
      if (const std::string unknown = unknown_words(); !unknown.empty()) return refuse_words(unknown);
      return refuse_words(fmt::format("reelbatch {}: {} is missing", command_.name, command_.arguments));
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string what = error.what();
      return refuse_words(
          fmt::format("reelbatch {}: {}: it needs a value", command_.name, what.substr(0, what.find(':'))));
    } catch (const CLI::Error& error) {
      return refuse_words(fmt::format("reelbatch {}: {}", command_.name, error.what()));
    }
    if (const std::string unknown = unknown_words(); !unknown.empty()) return refuse_words(unknown);
    Words words_found = found();
    if (const Result<void> clear = settle_flags(words_found); !clear) return refuse_words(clear.error().message);
    return words_found;
  }

 private:
  void add(const OwnFlag& flag) {
    const std::string names = flag_names(flag.name, flag.letter);
    options_[std::string(flag.name)] = flag.value.empty() ? app_.add_flag(names) : one_value(names);
  }

  void add(const Setting& setting) {
    const std::string names = flag_names(setting.name, setting.letter);
    CLI::Option* option = nullptr;
    switch (setting.shape) {
      case Setting::Shape::Flag:
        option = app_.add_flag(names);
        break;
      case Setting::Shape::One:
      case Setting::Shape::Many:
        option = one_value(names);
        break;
      case Setting::Shape::Greedy:
        twins_[std::string(setting.name)] = one_value(flag_names(twin_name(setting.name), 0));
        option = app_.add_option(names)->expected(1, -1)->allow_extra_args()->take_all();
        break;
    }
    options_[std::string(setting.name)] = option;
  }

  /// `--only=A` takes one value, `--only A B` several: two flags for CLI11, of which the first has a name nobody types.
  static std::string twin_name(std::string_view name) { return fmt::format("{}.one", name); }

  void use_twins(std::vector<std::string>& words) const {
    for (std::string& word : words) {
      if (word == "--") return;
      for (const auto& [name, twin] : twins_) {
        if (word.starts_with(fmt::format("--{}=", name))) word.replace(2, name.size(), twin_name(name));
      }
    }
  }

  CLI::Option* one_value(const std::string& names) {
    return app_.add_option(names)->expected(1)->allow_extra_args(false)->take_all();
  }

  tl::unexpected<Exit> refuse_words(const std::string& problem) const {
    return refuse(problem, fmt::format("{} --help", command_.name));
  }

  Words found() const {
    Words words;
    for (const auto& [name, option] : options_) {
      if (option->count() > 0) words.flags[name] = option->results();
    }
    for (const auto& [name, twin] : twins_) {
      for (const std::string& value : twin->results()) words.flags[name].push_back(value);
    }
    if (arguments_ != nullptr) words.arguments = arguments_->results();
    return words;
  }

  /// Own flags without a value become `true` or `false`: `--sandbox=yes` must not be a real run.
  Result<void> settle_flags(Words& words) const {
    for (const std::span<const OwnFlag> flags : {shared_flags(command_), command_.flags}) {
      for (const OwnFlag& flag : flags) {
        const auto given = words.flags.find(std::string(flag.name));
        if (!flag.value.empty() || given == words.flags.end()) continue;
        const Result<bool> value = parse_flag(given->second.back());
        if (!value) {
          return usage_error(fmt::format("reelbatch {}: --{}: {}", command_.name, flag.name, value.error().message));
        }
        given->second = {*value ? "true" : "false"};
      }
    }
    return {};
  }

  /// What nobody asked for, one line each.
  std::string unknown_words() const {
    std::string lines;
    for (const std::string& word : app_.remaining()) {
      if (word == "--") continue;
      if (!lines.empty()) lines += '\n';
      lines += fmt::format("reelbatch {}: {}", command_.name, describe_unknown(word));
    }
    return lines;
  }

  std::string describe_unknown(const std::string& word) const {
    if (!word.starts_with('-')) return fmt::format("unexpected argument '{}'", word);
    const std::string flag = word.substr(0, word.find('='));
    if (flag.size() > 2 && find_setting(flag.substr(2)) != nullptr) {
      return fmt::format("option '{}' is not one of this command", flag);
    }
    std::vector<std::string> names = {"--help"};
    for (const auto& [name, option] : options_) names.push_back(fmt::format("--{}", name));
    const std::vector<std::string_view> views(names.begin(), names.end());
    return fmt::format("unknown option '{}'{}", flag, did_you_mean(flag, views));
  }

  const CommandSpec& command_;
  CLI::App app_;
  CLI::Option* arguments_ = nullptr;
  std::map<std::string, CLI::Option*> options_;
  std::map<std::string, CLI::Option*> twins_;
};

/// The command that `words` begin with, taken off them; or the answer to words that begin with none.
tl::expected<const CommandSpec*, Exit> take_command(std::vector<std::string>& words) {
  if (words.empty()) return tl::unexpected<Exit>(Exit{kUsageExit, {}, top_help()});
  if (words[0] == "--help" || words[0] == "-h") return say(top_help());
  if (words[0] == "--version") return say("reelbatch " REELBATCH_VERSION "\n");
  if (words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
    return take_command(words);
  }
  std::size_t count = 1;
  const CommandSpec* command = find_command(words[0]);
  if (command == nullptr && words.size() > 1) {
    command = find_command(fmt::format("{} {}", words[0], words[1]));
    count = 2;
  }
  if (command == nullptr) return unknown_command(words);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  return command;
}

// ---- flags over environment over configuration ----------------------------------------------------------------------

bool is_set(const Words& words, const std::string& flag) {
  const auto found = words.flags.find(flag);
  return found != words.flags.end() && found->second.back() == "true";
}

std::string variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

/// The configuration to read, empty if there is none.
std::string find_config(const Words& words, const Surroundings& around) {
  if (const auto flag = words.flags.find("config"); flag != words.flags.end()) return flag->second.back();
  if (std::string named = variable(around.environment, "REELBATCH_CONFIG"); !named.empty()) return named;

  std::error_code ignored;
  const std::filesystem::path here = std::filesystem::path(around.folder) / "reelbatch.yaml";
  if (std::filesystem::exists(here, ignored)) return here.string();
  std::filesystem::path home = variable(around.environment, "XDG_CONFIG_HOME");
  if (!home.is_absolute()) home = std::filesystem::path(variable(around.environment, "HOME")) / ".config";
  if (!home.is_absolute()) return {};
  const std::filesystem::path there = home / "reelbatch" / "reelbatch.yaml";
  return std::filesystem::exists(there, ignored) ? there.string() : "";
}

Result<Config> find_and_read_config(const Words& words, const Surroundings& around) {
  const std::string path = find_config(words, around);
  if (path.empty() && words.flags.contains("config")) return usage_error("--config: empty: give a file");
  if (path.empty()) return Config{};
  return read_config_file(path, around.now);
}

/// What the configuration says of real accounts does not hold for the sandbox.
void forget_real_accounts(Config& config) {
  const Options usual;
  config.options.ledger = std::string(kSandboxLedger);
  config.options.ledger_must_exist = usual.ledger_must_exist;
  config.options.poll_interval = std::chrono::milliseconds(200);
  config.options.sandbox = true;
  config.pace = {};
  config.accounts.clear();
}

void apply_flags(const Words& words, const CommandSpec& command, SettingTarget& target,
                 std::vector<std::string>& problems) {
  for (const Setting& setting : all_settings()) {
    const auto given = words.flags.find(std::string(setting.name));
    if ((setting.commands & command.bit) == 0 || given == words.flags.end()) continue;
    if (const Result<void> applied = setting.apply(target, given->second); !applied) {
      problems.push_back(fmt::format("--{}: {}", setting.name, applied.error().message));
    }
  }
}

Result<std::vector<AccountOptions>> accounts_of(const Config& config, const Pace& given, const Surroundings& around) {
  if (config.options.sandbox) return make_sandbox_accounts(given);
  return make_accounts(config.accounts, config.pace, given, around.environment);
}

Result<Options> merge(const Words& words, const CommandSpec& command, const Surroundings& around) {
  std::vector<std::string> problems;
  Result<Config> read = find_and_read_config(words, around);
  if (!read) problems.push_back(read.error().message);
  Config config = std::move(read).value_or(Config{});
  const bool sandbox = is_set(words, "sandbox");
  if (sandbox) forget_real_accounts(config);

  Pace given;
  SettingTarget target{config.options, given, around.now};
  apply_environment(around.environment, sandbox, target, problems);
  apply_flags(words, command, target, problems);
  Result<std::vector<AccountOptions>> accounts = accounts_of(config, given, around);
  if (!accounts) problems.push_back(accounts.error().message);
  if (!problems.empty()) return usage_error(fmt::format("{}", fmt::join(problems, "\n")));

  config.options.accounts = *std::move(accounts);
  if (config.options.outputs.empty()) config.options.outputs = {"results.csv"};
  if (command.bit == kCheckBit || command.bit == kPlanBit || command.bit == kRunBit) {
    config.options.manifests = words.arguments;
    config.options.manifest.require_columns = true;
  }
  return std::move(config.options);
}

}  // namespace

tl::expected<Invocation, Exit> parse_command_line(int argc, const char* const* argv, const Surroundings& around) {
  std::vector<std::string> typed(argv + std::min(argc, 1), argv + argc);
  const tl::expected<const CommandSpec*, Exit> command = take_command(typed);
  if (!command) return tl::unexpected<Exit>(command.error());
  const CommandSpec& spec = **command;
  const tl::expected<Words, Exit> words = Parser(spec).parse(std::move(typed));
  if (!words) return tl::unexpected<Exit>(words.error());

  Result<Command> own = command_of(spec, *words);
  if (!own)
    return refuse(fmt::format("reelbatch {}: {}", spec.name, own.error().message), fmt::format("{} --help", spec.name));
  Invocation invocation{*std::move(own), {}};
  if (spec.bit == 0) return invocation;

  Result<Options> options = merge(*words, spec, around);
  if (!options) return refuse(options.error().message);
  invocation.options = *std::move(options);
  if (const Result<void> apart = check_files_differ(invocation); !apart) return refuse(apart.error().message);
  return invocation;
}

}  // namespace reelbatch
