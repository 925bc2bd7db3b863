#include "runner/setting_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "jobs/address_list.h"
#include "jobs/edit_distance.h"
#include "jobs/unicode.h"
#include "runner/durations.h"
#include "runner/feed_presets.h"
#include "runner/report_formats.h"
#include "runner/table_format.h"
#include "runner/text_source.h"

namespace reelbatch {
namespace {

constexpr long kInFlightMax = 100'000;
constexpr long kConnectionsMax = 10'000;
constexpr long kLimitMax = 1'000'000'000'000;

template <typename T>
Result<void> store(Result<T> value, T& target) {
  if (!value) return tl::unexpected<Error>(value.error());
  target = *std::move(value);
  return {};
}

template <typename T>
Result<void> store(Result<T> value, std::optional<T>& target) {
  if (!value) return tl::unexpected<Error>(value.error());
  target = *std::move(value);
  return {};
}

template <typename T, std::size_t N>
Result<void> choose(std::string_view text, const std::array<std::pair<std::string_view, T>, N>& choices, T& target) {
  std::string known;
  for (const auto& [name, value] : choices) {
    if (name == text) {
      target = value;
      return {};
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  return usage_error(fmt::format("'{}' is not one of {}", text, known));
}

Result<std::vector<RateWindow>> parse_rates(const Values& values) {
  std::vector<RateWindow> all;
  for (const std::string& text : values) {
    const Result<std::vector<RateWindow>> some = parse_rate_windows(text);
    if (!some) return some;
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

}  // namespace

Result<void> store_flag(std::string_view text, bool& target) {
  return store(parse_flag(text), target);
}

Result<void> store_span(std::string_view text, Duration& target) {
  const Result<Duration> value = parse_duration(text);
  if (value && *value <= Duration{}) return usage_error(fmt::format("'{}' is too short: write more than 0", text));
  return store(value, target);
}

Result<void> store_text(const std::string& text, std::string& target) {
  if (text.empty()) return usage_error("empty: give a file");
  target = text;
  return {};
}

/// Where the results of a later version may go is no error of taste, so the message says what this one writes.
Result<void> apply_outputs(SettingTarget& target, const Values& values) {
  std::vector<std::string> seen;
  for (const std::string& text : values) {
    if (text.empty()) return usage_error("empty: give a file");
    const std::string ending = ascii_lower(std::filesystem::path(text).extension().string());
    const std::span<const std::string_view> endings = output_endings();
    if (std::find(endings.begin(), endings.end(), ending) == endings.end()) {
      return usage_error(
          fmt::format("'{}': the ending decides the format: it must be one of {}", text, fmt::join(endings, ", ")));
    }
    std::string place = std::filesystem::absolute(text).lexically_normal().string();
    if (std::find(seen.begin(), seen.end(), place) != seen.end()) {
      return usage_error(fmt::format("'{}' is given twice", text));
    }
    seen.push_back(std::move(place));
  }
  target.options.outputs = values;
  return {};
}

Result<void> apply_map(SettingTarget& target, const Values& values) {
  std::map<std::string, std::string> map;
  for (const std::string& text : values) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return usage_error(fmt::format("'{}' is no mapping: write FIELD=COLUMN, such as description=Texte", text));
    }
    if (!map.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      return usage_error(fmt::format("field '{}' is mapped twice", text.substr(0, equals)));
    }
  }
  // Fields are mapped one by one: a flag for one leaves what the configuration says of the others.
  for (auto& [field, column] : map) target.options.manifest.map[field] = column;
  return {};
}

Result<void> apply_preset(SettingTarget& target, const Values& values) {
  const std::string& name = values.back();
  if (name != "auto" && name != "none" && find_preset(name) == nullptr) {
    std::vector<std::string_view> names = {"auto", "none"};
    for (const Preset& preset : all_presets()) names.push_back(preset.name);
    return usage_error(
        fmt::format("'{}' is no preset{}; there are {}", name, did_you_mean(name, names), fmt::join(names, ", ")));
  }
  target.options.manifest.preset = name;
  return {};
}

Result<void> apply_encoding(SettingTarget& target, const Values& values) {
  if (!encoding_named(values.back()))
    return usage_error(fmt::format(
        "'{}' is no encoding that is known: utf-8, windows-1252, latin-1, utf-16le, utf-16be", values.back()));
  target.options.manifest.encoding = values.back();
  return {};
}

Result<void> apply_delimiter(SettingTarget& target, const Values& values) {
  if (const Result<CsvDialect> parsed = parse_delimiter(values.back()); !parsed)
    return tl::unexpected<Error>(parsed.error());
  target.options.manifest.delimiter = values.back();
  return {};
}

Result<void> apply_skip_lines(SettingTarget& target, const Values& values) {
  const Result<long> lines = parse_whole(values.back(), 0, 1000);
  if (!lines) return tl::unexpected<Error>(lines.error());
  target.options.manifest.skip_lines = static_cast<std::size_t>(*lines);
  return {};
}

Result<void> apply_no_header(SettingTarget& target, const Values& values) {
  return store(parse_flag(values.back()), target.options.manifest.no_header);
}

Result<void> apply_images_separator(SettingTarget& target, const Values& values) {
  if (values.back().empty()) return usage_error("empty: give what stands between two images, such as '|'");
  target.options.manifest.images_separator = values.back();
  return {};
}

Result<void> apply_media_base(SettingTarget& target, const Values& values) {
  const Result<std::string> address = normalise_address(values.back());
  if (!address) return tl::unexpected<Error>(address.error());
  if (const std::size_t at = address->find_first_of("?#"); at != std::string::npos) {
    return usage_error(fmt::format("'{}' has a {}: file names are put behind it, so give the folder alone, '{}'",
                                   *address, (*address)[at] == '?' ? "query" : "fragment", address->substr(0, at)));
  }
  target.options.manifest.media_base = *address;
  return {};
}

Result<void> apply_rejects(SettingTarget& target, const Values& values) {
  const std::string ending = ascii_lower(std::filesystem::path(values.back()).extension().string());
  if (ending != ".csv" && ending != ".jsonl")
    return usage_error(fmt::format("'{}': the ending decides the format: it must be .csv or .jsonl", values.back()));
  return store_text(values.back(), target.options.rejects);
}

Result<void> apply_on_duplicate(SettingTarget& target, const Values& values) {
  constexpr std::array<std::pair<std::string_view, OnDuplicate>, 4> kChoices = {{{"error", OnDuplicate::Error},
                                                                                 {"first", OnDuplicate::First},
                                                                                 {"last", OnDuplicate::Last},
                                                                                 {"suffix", OnDuplicate::Suffix}}};
  return choose(values.back(), kChoices, target.options.manifest.on_duplicate);
}

Result<void> apply_id_from(SettingTarget& target, const Values& values) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kChoices = {{{"column", false}, {"hash", true}}};
  return choose(values.back(), kChoices, target.options.manifest.id_from_hash);
}

Result<void> apply_min_rows(SettingTarget& target, const Values& values) {
  const Result<long> rows = parse_whole(values.back(), 0, kLimitMax);
  if (!rows) return tl::unexpected<Error>(rows.error());
  target.options.manifest.min_rows = static_cast<std::uint64_t>(*rows);
  return {};
}

Result<void> apply_allow_invalid_start(SettingTarget& target, const Values& values) {
  return store(parse_flag(values.back()), target.options.manifest.allow_invalid_start);
}

Result<void> apply_ledger(SettingTarget& target, const Values& values) {
  const std::string& text = values.back();
  if (text.find("://") != std::string::npos) {
    return usage_error("ledgers in a database server are not supported by this version: give a file");
  }
  return store_text(text, target.options.ledger);
}

Result<void> apply_rate(SettingTarget& target, const Values& values) {
  return store(parse_rates(values), target.pace.rate);
}

Result<void> apply_submit_rate(SettingTarget& target, const Values& values) {
  return store(parse_rates(values), target.pace.submit_rate);
}

Result<void> apply_max_in_flight(SettingTarget& target, const Values& values) {
  const Result<long> value = parse_whole(values.back(), 1, kInFlightMax);
  if (!value) return tl::unexpected<Error>(value.error());
  target.pace.max_in_flight = static_cast<int>(*value);
  return {};
}

Result<void> apply_max_connections(SettingTarget& target, const Values& values) {
  const Result<long> value = parse_whole(values.back(), 1, kConnectionsMax);
  if (!value) return tl::unexpected<Error>(value.error());
  target.options.max_connections = static_cast<int>(*value);
  return {};
}

Result<void> apply_wait(SettingTarget& target, const Values& values) {
  return store(parse_duration(values.back()), target.options.wait);
}

Result<void> apply_deadline(SettingTarget& target, const Values& values) {
  return store(parse_deadline(values.back(), target.now), target.options.deadline);
}

Result<void> apply_max_credits(SettingTarget& target, const Values& values) {
  return store(parse_amount(values.back()), target.options.max_credits);
}

Result<void> apply_limit(SettingTarget& target, const Values& values) {
  return store(parse_whole(values.back(), 0, kLimitMax), target.options.limit);
}

Result<void> apply_only(SettingTarget& target, const Values& values) {
  if (std::find(values.begin(), values.end(), "") != values.end()) return usage_error("empty: give a row's id");
  target.options.only = values;
  return {};
}

Result<void> apply_ignore(SettingTarget& target, const Values& values) {
  std::vector<IgnoreRule> rules;
  for (const std::string& text : values) {
    Result<IgnoreRule> rule = parse_ignore_rule(text);
    if (!rule) return tl::unexpected<Error>(rule.error());
    rules.push_back(*std::move(rule));
  }
  target.options.manifest.ignore = std::move(rules);
  return {};
}

Result<void> apply_on_change(SettingTarget& target, const Values& values) {
  constexpr std::array<std::pair<std::string_view, OnChange>, 2> kChoices = {
      {{"submit", OnChange::Submit}, {"skip", OnChange::Skip}}};
  return choose(values.back(), kChoices, target.options.on_change);
}

Result<void> apply_progress(SettingTarget& target, const Values& values) {
  constexpr std::array<std::pair<std::string_view, ProgressStyle>, 5> kChoices = {{{"auto", ProgressStyle::Auto},
                                                                                   {"bar", ProgressStyle::Bar},
                                                                                   {"plain", ProgressStyle::Plain},
                                                                                   {"json", ProgressStyle::Json},
                                                                                   {"none", ProgressStyle::None}}};
  return choose(values.back(), kChoices, target.options.progress);
}

Result<void> apply_log_level(SettingTarget& target, const Values& values) {
  constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kChoices = {{{"error", LogLevel::Error},
                                                                              {"warning", LogLevel::Warning},
                                                                              {"info", LogLevel::Info},
                                                                              {"debug", LogLevel::Debug}}};
  return choose(values.back(), kChoices, target.options.log_level);
}

}  // namespace reelbatch
