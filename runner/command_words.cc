#include "runner/command_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "runner/calendar.h"
#include "runner/durations.h"

namespace reelbatch {
namespace {

constexpr double kSpeedMax = 1'000'000;
constexpr long kProbesMost = 1000;
constexpr long kMegabytesMost = 1'000'000;

bool has(const Words& words, const char* flag) {
  const auto found = words.flags.find(flag);
  return found != words.flags.end() && found->second.back() == "true";
}

std::string text_of(const Words& words, const char* flag) {
  const auto found = words.flags.find(flag);
  return found == words.flags.end() ? "" : found->second.back();
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

Result<Command> check_command(const Words& words) {
  CheckCommand command;
  command.all = has(words, "all");
  command.mapping = has(words, "mapping");
  ProbeOptions probe;
  if (const auto rates = words.flags.find("probe-rate"); rates != words.flags.end()) {
    probe.rate.clear();
    for (const std::string& text : rates->second) {
      const Result<std::vector<RateWindow>> windows = parse_rate_windows(text);
      if (!windows) return usage_error(fmt::format("--probe-rate: {}", windows.error().message));
      probe.rate.insert(probe.rate.end(), windows->begin(), windows->end());
    }
  }
  if (words.flags.contains("probe-open")) {
    const Result<long> open = parse_whole(text_of(words, "probe-open"), 1, kProbesMost);
    if (!open) return usage_error(fmt::format("--probe-open: {}", open.error().message));
    probe.open = static_cast<int>(*open);
  }
  if (words.flags.contains("probe-timeout")) {
    const std::string text = text_of(words, "probe-timeout");
    const Result<Duration> timeout = parse_duration(text);
    if (!timeout) return usage_error(fmt::format("--probe-timeout: {}", timeout.error().message));
    if (*timeout <= Duration{}) return usage_error(fmt::format("--probe-timeout: '{}' is too short", text));
    probe.timeout = *timeout;
  }
  if (words.flags.contains("probe-size")) {
    const Result<long> megabytes = parse_whole(text_of(words, "probe-size"), 1, kMegabytesMost);
    if (!megabytes) return usage_error(fmt::format("--probe-size: {}", megabytes.error().message));
    probe.size_max = static_cast<std::uint64_t>(*megabytes) * 1'000'000;
  }
  if (has(words, "probe-images")) {
    command.probe = std::move(probe);
    return command;
  }
  for (const char* flag : {"probe-rate", "probe-open", "probe-timeout", "probe-size"}) {
    if (words.flags.contains(flag)) return usage_error(fmt::format("--{} goes with --probe-images", flag));
  }
  return command;
}

Result<Command> plan_command(const Words& words) {
  const std::string file = text_of(words, "output");
  if (words.flags.contains("output") && std::filesystem::path(file).extension() != ".json") {
    return usage_error(fmt::format("--output: '{}': a plan is written as .json", file));
  }
  return PlanCommand{file};
}

Result<std::string> run_id(const Words& words) {
  std::string id = text_of(words, "run");
  if (id.empty() && words.flags.contains("run")) return usage_error("--run: empty: give the id of a run");
  return id;
}

constexpr std::string_view kLabelPrefix = "label:";

Result<void> read_by(const std::string& text, CreditQuery& query) {
  using By = CreditQuery::By;
  constexpr std::array<std::pair<std::string_view, By>, 6> kKeys = {{{"day", By::Day},
                                                                     {"week", By::Week},
                                                                     {"month", By::Month},
                                                                     {"run", By::Run},
                                                                     {"account", By::Account},
                                                                     {"kind", By::Kind}}};
  for (const auto& [name, by] : kKeys) {
    if (name != text) continue;
    query.by = by;
    return {};
  }
  if (text.starts_with(kLabelPrefix) && text.size() > kLabelPrefix.size()) {
    query.by = By::Label;
    query.label = text.substr(kLabelPrefix.size());
    return {};
  }
  const std::vector<std::string_view> names = {"day", "week", "month", "run", "account", "kind", "label:NAME"};
  const std::string near =
      text == "label" || text == kLabelPrefix ? " (did you mean 'label:NAME'?)" : did_you_mean(text, names);
  return usage_error(fmt::format("--by: '{}' is not one of {}{}", text, fmt::join(names, ", "), near));
}

Result<void> read_moment(const Words& words, const char* flag, bool whole_day, std::optional<WallTime>& moment) {
  if (!words.flags.contains(flag)) return {};
  const Result<WallTime> read = parse_moment(text_of(words, flag), whole_day);
  if (!read) return usage_error(fmt::format("--{}: {}", flag, read.error().message));
  moment = *read;
  return {};
}

Result<Command> credits_command(const Words& words) {
  CreditsCommand command;
  CreditQuery& query = command.query;
  if (words.flags.contains("by")) {
    if (Result<void> read = read_by(text_of(words, "by"), query); !read) return tl::unexpected<Error>(read.error());
  }
  if (Result<void> read = read_moment(words, "since", false, query.since); !read)
    return tl::unexpected<Error>(read.error());
  if (Result<void> read = read_moment(words, "until", true, query.until); !read)
    return tl::unexpected<Error>(read.error());
  if (query.since && query.until && *query.since >= *query.until) {
    return usage_error(
        fmt::format("--until: '{}' is not after --since '{}'", text_of(words, "until"), text_of(words, "since")));
  }
  if (words.flags.contains("format")) {
    const std::string text = text_of(words, "format");
    const std::vector<std::string_view> names = {"table", "csv", "json"};
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) {
      return usage_error(
          fmt::format("--format: '{}' is not one of {}{}", text, fmt::join(names, ", "), did_you_mean(text, names)));
    }
    command.format = static_cast<CreditFormat>(found - names.begin());
  }
  return command;
}

std::optional<ResolveCommand::Word> resolve_word(std::string_view text) {
  if (text == "adopt") return ResolveCommand::Word::Adopt;
  if (text == "resubmit") return ResolveCommand::Word::Resubmit;
  if (text == "drop") return ResolveCommand::Word::Drop;
  return std::nullopt;
}

Result<void> check_kind(const std::string& name) {
  if (name.empty() || find_kind(name) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const JobKind* kind : all_kinds()) names.push_back(kind->name());
  return usage_error(fmt::format("--kind: there is no kind '{}'{}", name, did_you_mean(name, names)));
}

Result<Command> resolve_command(const Words& words) {
  using Word = ResolveCommand::Word;
  ResolveCommand command;
  command.all = has(words, "all");
  command.yes = has(words, "yes");
  command.kind = text_of(words, "kind");
  command.account = text_of(words, "account");
  if (const Result<void> known = check_kind(command.kind); !known) return tl::unexpected<Error>(known.error());

  std::vector<std::string> rest = words.arguments;
  if (!command.all) {
    command.ref = rest.front();
    rest.erase(rest.begin());
  }
  if (rest.empty()) return usage_error(fmt::format("'{}': say adopt ID, resubmit or drop", command.ref));
  const std::optional<Word> word = resolve_word(rest.front());
  if (!word) {
    const std::vector<std::string_view> known = {"adopt", "resubmit", "drop"};
    return usage_error(
        fmt::format("'{}' is not adopt, resubmit or drop{}", rest.front(), did_you_mean(rest.front(), known)));
  }
  command.word = *word;
  if (command.all && *word == Word::Adopt)
    return usage_error("--all goes with resubmit or drop: every job has its own ID");
  const std::size_t wanted = *word == Word::Adopt ? 2 : 1;
  if (rest.size() < wanted) return usage_error("adopt: say the job ID that the service shows");
  if (rest.size() > wanted) return usage_error(fmt::format("unexpected argument '{}'", rest[wanted]));
  if (*word == Word::Adopt) command.remote_id = rest[1];
  if (!command.all && command.ref.empty()) return usage_error("REF is empty: give the row's id");
  if (*word == Word::Adopt && command.remote_id.empty()) return usage_error("adopt: the job ID is empty");
  return command;
}

Result<Command> status_command(const Words& words) {
  if (std::find(words.arguments.begin(), words.arguments.end(), "") != words.arguments.end()) {
    return usage_error("REF is empty: give the row's id");
  }
  return StatusCommand{words.arguments};
}

Result<Command> backup_command(const Words& words) {
  if (words.arguments.size() > 1) return usage_error(fmt::format("unexpected argument '{}'", words.arguments[1]));
  if (words.arguments.front().empty()) return usage_error("FILE is empty");
  return LedgerBackupCommand{words.arguments.front()};
}

Result<void> sandbox_numbers(const Words& words, SandboxCommand& command) {
  if (words.flags.contains("port")) {
    const Result<long> port = parse_whole(text_of(words, "port"), 0, 65535);
    if (!port) return usage_error(fmt::format("--port: {}", port.error().message));
    command.port = static_cast<int>(*port);
  }
  if (words.flags.contains("speed")) {
    const std::string text = text_of(words, "speed");
    const std::optional<double> speed = number_of<double>(text);
    // Written so that a NaN fails.
    if (!speed || !(*speed > 0 && *speed <= kSpeedMax)) {
      return usage_error(fmt::format("--speed: '{}' is no number of more than 0 and at most {}", text, kSpeedMax));
    }
    command.speed = *speed;
  }
  if (words.flags.contains("seed")) {
    const std::string text = text_of(words, "seed");
    command.seed = number_of<std::uint64_t>(text);
    if (!command.seed) return usage_error(fmt::format("--seed: '{}' is no whole number from 0 up", text));
  }
  return {};
}

/// A share of something, left alone if the flag is not given.
Result<void> read_share(const Words& words, const char* flag, double& share) {
  if (!words.flags.contains(flag)) return {};
  const std::string text = text_of(words, flag);
  const std::optional<double> number = number_of<double>(text);
  if (!number || !(*number >= 0 && *number <= 1)) {
    return usage_error(fmt::format("--{}: '{}' is no share from 0 to 1", flag, text));
  }
  share = *number;
  return {};
}

/// What becomes of jobs and charges.
Result<void> sandbox_manners(const Words& words, SandboxCommand& command) {
  if (words.flags.contains("late")) {
    const Result<Duration> late = parse_duration(text_of(words, "late"));
    if (!late) return usage_error(fmt::format("--late: {}", late.error().message));
    command.late = *late;
  }
  if (const Result<void> read = read_share(words, "failures", command.failures); !read) return read;
  if (const Result<void> read = read_share(words, "rejections", command.rejections); !read) return read;
  if (const Result<void> read = read_share(words, "stuck", command.stuck); !read) return read;
  if (command.failures + command.rejections > 1) return usage_error("--failures and --rejections are more than all");
  command.used_per_job = has(words, "used-per-job");
  command.refunds = has(words, "refunds");
  return {};
}

Result<Command> sandbox_command(const Words& words) {
  SandboxCommand command;
  if (const Result<void> read = sandbox_numbers(words, command); !read) return tl::unexpected<Error>(read.error());
  if (const Result<void> read = sandbox_manners(words, command); !read) return tl::unexpected<Error>(read.error());
  if (words.flags.contains("credits")) {
    const Result<Credits> credits = parse_amount(text_of(words, "credits"));
    if (!credits) return usage_error(fmt::format("--credits: {}", credits.error().message));
    command.credits = *credits;
  }
  if (const auto rates = words.flags.find("rate"); rates != words.flags.end()) {
    for (const std::string& text : rates->second) {
      const Result<std::vector<RateWindow>> windows = parse_rate_windows(text);
      if (!windows) return usage_error(fmt::format("--rate: {}", windows.error().message));
      command.rate.insert(command.rate.end(), windows->begin(), windows->end());
    }
  }
  if (const auto faults = words.flags.find("fault"); faults != words.flags.end()) command.faults = faults->second;
  command.state = text_of(words, "state");
  command.key = text_of(words, "key");
  command.verbose = has(words, "verbose");
  return command;
}

Result<Command> init_command(const Words& words) {
  if (words.arguments.size() > 1) return usage_error(fmt::format("unexpected argument '{}'", words.arguments[1]));
  if (words.arguments.empty()) return InitCommand{};
  if (words.arguments.front().empty()) return usage_error("FOLDER is empty");
  return InitCommand{words.arguments.front()};
}

Result<Command> completion_command(const Words& words) {
  if (words.arguments.size() > 1) return usage_error(fmt::format("unexpected argument '{}'", words.arguments[1]));
  const std::string& name = words.arguments.front();
  const std::vector<std::string_view> names = {"bash", "zsh", "fish"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return usage_error(fmt::format("'{}' is not one of {}{}", name, fmt::join(names, ", "), did_you_mean(name, names)));
  }
  return CompletionCommand{static_cast<Shell>(found - names.begin())};
}

/// The command that `word` may be a slip for: `rnu` is two steps from `run`, too far for did_you_mean().
std::string suggest_command(std::string_view word) {
  std::vector<std::string_view> names;
  for (const CommandSpec& command : all_commands()) names.push_back(command.name.substr(0, command.name.find(' ')));
  if (std::string text = did_you_mean(word, names); !text.empty()) return text;
  const auto steps = [&](std::string_view name) { return edit_distance(word, name, 2); };
  const auto best = std::min_element(names.begin(), names.end(), [&](auto a, auto b) { return steps(a) < steps(b); });
  return steps(*best) <= 2 && word.size() >= 3 ? fmt::format(" (did you mean '{}'?)", *best) : "";
}

/// A file by its place, so that two ways to write it are seen as one.
std::string place_of(const std::string& file) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(file, error);
  return error ? std::filesystem::absolute(file).lexically_normal().string() : whole.string();
}

}  // namespace

Result<Command> command_of(const CommandSpec& spec, const Words& words) {
  if (spec.name == "check") return check_command(words);
  if (spec.name == "plan") return plan_command(words);
  if (spec.name == "run") {
    const std::string file = text_of(words, "plan");
    if (file.empty() && words.flags.contains("plan")) return usage_error("--plan: empty: give a plan.json");
    return RunCommand{file};
  }
  if (spec.name == "resume" || spec.name == "report") {
    const Result<std::string> id = run_id(words);
    if (!id) return tl::unexpected<Error>(id.error());
    if (spec.name == "report") return ReportCommand{*id};
    return ResumeCommand{*id};
  }
  if (spec.name == "status") return status_command(words);
  if (spec.name == "credits") return credits_command(words);
  if (spec.name == "resolve") return resolve_command(words);
  if (spec.name == "ledger verify") return LedgerVerifyCommand{};
  if (spec.name == "ledger backup") return backup_command(words);
  if (spec.name == "init") return init_command(words);
  if (spec.name == "completion") return completion_command(words);
  return sandbox_command(words);
}

Result<void> check_files_differ(const Invocation& invocation) {
  const Options& options = invocation.options;
  std::vector<std::string> written;
  if (std::holds_alternative<RunCommand>(invocation.command) ||
      std::holds_alternative<ResumeCommand>(invocation.command) ||
      std::holds_alternative<ReportCommand>(invocation.command)) {
    written = options.outputs;
  }
  if (!options.rejects.empty() && !options.manifests.empty()) written.push_back(options.rejects);
  if (const auto* const plan = std::get_if<PlanCommand>(&invocation.command); plan && !plan->plan_file.empty()) {
    written.push_back(plan->plan_file);
  }
  if (const auto* const backup = std::get_if<LedgerBackupCommand>(&invocation.command)) written.push_back(backup->file);
  std::map<std::string, std::string> taken;  // place to what it is
  taken.emplace(place_of(options.ledger), "the ledger");
  if (const auto* const run = std::get_if<RunCommand>(&invocation.command); run && !run->plan_file.empty()) {
    taken.emplace(place_of(run->plan_file), "the plan");
  }
  if (!options.config_file.empty()) taken.emplace(place_of(options.config_file), "the configuration");

  for (const std::string& manifest : options.manifests) {
    if (manifest != "-") taken.emplace(place_of(manifest), "a manifest");
  }
  if (!options.log_file.empty()) {
    const auto [other, is_new] = taken.emplace(place_of(options.log_file), "the log");
    if (!is_new) {
      return usage_error(fmt::format("--log-file: '{}' is {}: choose another file", options.log_file, other->second));
    }
  }
  for (const std::string& file : written) {
    const auto [other, is_new] = taken.emplace(place_of(file), "another output");
    if (!is_new)
      return usage_error(fmt::format("'{}' would be written over {}: choose another file", file, other->second));
  }
  return {};
}

tl::unexpected<Exit> unknown_command(const std::vector<std::string>& words) {
  const std::string& word = words.front();
  std::string text;
  if (const std::string group = group_help(word); !group.empty()) {
    const bool asked = words.size() > 1 && (words[1] == "--help" || words[1] == "-h");
    if (asked) return tl::unexpected<Exit>(Exit{0, group, {}});
    if (words.size() == 1) return tl::unexpected<Exit>(Exit{2, {}, group});
    text = fmt::format("reelbatch {}: unknown command '{}'\n\n{}", word, words[1], group);
    return tl::unexpected<Exit>(Exit{2, {}, std::move(text)});
  }
  if (word.starts_with('-')) {
    text = fmt::format("reelbatch: '{}' comes before the command: write reelbatch COMMAND {}", word, word);
  } else {
    text = fmt::format("reelbatch: unknown command '{}'{}", word, suggest_command(word));
    const bool is_file = std::filesystem::path(word).has_extension();
    if (is_file) text += fmt::format(": to make its videos write reelbatch run {}", word);
  }
  return tl::unexpected<Exit>(Exit{2, {}, fmt::format("{}\ntry 'reelbatch --help'\n", text)});
}

}  // namespace reelbatch
