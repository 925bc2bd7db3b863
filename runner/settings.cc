#include "runner/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "jobs/edit_distance.h"
#include "jobs/unicode.h"
#include "runner/setting_values.h"

extern char** environ;

namespace reelbatch {
namespace {

using Shape = Setting::Shape;

constexpr std::string_view kPrefix = "REELBATCH_";

constexpr unsigned kWork = kPlanBit | kRunBit | kResumeBit;
constexpr unsigned kFeed = kPlanBit | kRunBit;
constexpr unsigned kSending = kRunBit | kResumeBit;
constexpr unsigned kOnLedger = kWork | kStatusBit | kReportBit | kResolveBit | kLedgerBit | kCreditsBit;
constexpr unsigned kAll = kOnLedger | kCheckBit;

constexpr std::string_view kFiles = "Files";
constexpr std::string_view kChoice = "What is done";
constexpr std::string_view kPace = "Pace";
constexpr std::string_view kEnd = "When to stop";
constexpr std::string_view kTelling = "Telling";

const std::array kSettings = {
    Setting{.name = "ledger",
            .commands = kOnLedger,
            .group = kFiles,
            .value = "FILE",
            .help = "the durable record of every job and submission (reelbatch.db; with --sandbox "
                    "reelbatch-sandbox.db)",
            .is_path = true,
            .real_only = true,
            .apply = apply_ledger},
    Setting{
        .name = "output",
        .letter = 'o',
        .shape = Shape::Many,
        .commands = kSending | kReportBit,
        .group = kFiles,
        .value = "FILE",
        .help =
            "results, repeatable; .csv, .json, .jsonl, .html, .xml (JUnit) or .prom (Prometheus) decides the format "
            "(results.csv)",
        .separator = ',',
        .is_path = true,
        .apply = apply_outputs},
    Setting{.name = "download",
            .commands = kSending,
            .group = kFiles,
            .value = "DIR",
            .help = "also fetch each finished video into this folder, which is made if it is missing (nowhere)",
            .is_path = true,
            .apply = apply_file<&Options::download>},
    Setting{.name = "map",
            .shape = Shape::Many,
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "FIELD=COLUMN",
            .help = "the column that has a field, repeatable; #12 is the twelfth, photo_* all that begin so (by name)",
            .separator = '\n',
            .apply = apply_map},
    Setting{.name = "preset",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "NAME",
            .help = "whose export it is: meta-home-listings, google-real-estate, reso, rightmove-blm, poliris, "
                    "inside-airbnb, woocommerce, shopify, homeharvest; auto finds out, none does without (auto)",
            .apply = apply_preset},
    Setting{.name = "encoding",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "NAME",
            .help = "utf-8, windows-1252, latin-1, utf-16le or utf-16be (found by the bytes)",
            .apply = apply_encoding},
    Setting{.name = "delimiter",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "CHARACTER",
            .help = "between the cells of a table; tab and !# are two more (found by trial)",
            .apply = apply_delimiter},
    Setting{.name = "skip-lines",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "N",
            .help = "lines in front of a table's header (found)",
            .apply = apply_skip_lines},
    Setting{.name = "no-header",
            .shape = Shape::Flag,
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .help = "a table's first line is a row: map columns by position, id=#2",
            .apply = apply_no_header},
    Setting{.name = "images-separator",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "TEXT",
            .help = "between the images of one cell; nothing is guessed then (split where an address starts)",
            .apply = apply_images_separator},
    Setting{.name = "media-base",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "ADDRESS",
            .help = "where images stand that a feed names by file name only (none)",
            .apply = apply_media_base},
    Setting{.name = "strip-contacts",
            .shape = Shape::Flag,
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .help = "leave telephone numbers, e-mail and web addresses out of descriptions, which are read aloud; "
                    "listings that have some count as changed when this is turned on or off",
            .apply = apply_prose<&ProseOptions::strip_contacts>},
    Setting{.name = "repair-mojibake",
            .shape = Shape::Flag,
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .help = "mend descriptions that were read in the wrong encoding once; listings with such text count as "
                    "changed when this is turned on or off",
            .apply = apply_prose<&ProseOptions::repair_mojibake>},
    Setting{.name = "rejects",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "FILE",
            .help = "write every row that is refused here, with the place, the reason and the row itself; .csv or "
                    ".jsonl decides the format (nowhere)",
            .is_path = true,
            .apply = apply_rejects},
    Setting{.name = "on-duplicate",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "ACTION",
            .help = "when an id is there twice: error, keep the first or the last row (last reads files twice), or "
                    "suffix: make A-2 of the second A, which depends on the order of the rows (error)",
            .apply = apply_on_duplicate},
    Setting{.name = "id-from",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "WHAT",
            .help = "where rows without an id get one: column refuses them, hash makes it of what the row says, so "
                    "that a listing that changes is a new one and paid for again (column)",
            .apply = apply_id_from},
    Setting{.name = "min-rows",
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .value = "N",
            .help = "stop, with nothing submitted, if the manifests have fewer rows (0)",
            .apply = apply_min_rows},
    Setting{.name = "allow-invalid-start",
            .shape = Shape::Flag,
            .commands = kFeed | kCheckBit,
            .group = kFiles,
            .help = "go on with a file whose first 20 rows are all invalid",
            .apply = apply_allow_invalid_start},

    Setting{.name = "limit",
            .commands = kFeed,
            .group = kChoice,
            .value = "N",
            .help = "at most N new submissions, in manifest order (all)",
            .apply = apply_limit},
    Setting{.name = "only",
            .shape = Shape::Greedy,
            .commands = kFeed,
            .group = kChoice,
            .value = "REF...",
            .help = "only the rows with these ids (all)",
            .separator = '\n',
            .apply = apply_only},
    Setting{.name = "on-change",
            .commands = kFeed,
            .group = kChoice,
            .value = "ACTION",
            .help = "submit or skip a listing that changed since its video was made (submit)",
            .apply = apply_on_change},
    Setting{.name = "ignore",
            .shape = Shape::Many,
            .commands = kFeed,
            .group = kChoice,
            .value = "PART",
            .help = "what does not count as a change, repeatable: music is a field, 'image_urls?' the query of its "
                    "addresses, 'image_urls?v&token' two parameters of it, 'description=Price: * EUR' such phrases, "
                    "where * is any text of the line (nothing)",
            .separator = '\n',
            .apply = apply_ignore},
    Setting{.name = "list-gone",
            .shape = Shape::Flag,
            .commands = kFeed,
            .group = kTelling,
            .help = "name every listing that left the feed, not only ten",
            .apply = apply_flag<&Options::list_gone>},
    Setting{.name = "retry-failed",
            .shape = Shape::Flag,
            .commands = kFeed,
            .group = kChoice,
            .help = "submit again what failed with the same content, once a run, at most 3 times in all",
            .apply = apply_flag<&Options::retry_failed>},
    Setting{.name = "allow-mass-change",
            .shape = Shape::Flag,
            .commands = kFeed,
            .group = kChoice,
            .help = "submit even if more than 20 listings and 20 % of those with a video changed, or are new and were "
                    "paid for under other names",
            .apply = apply_flag<&Options::allow_mass_change>},
    Setting{.name = "allow-shrink",
            .shape = Shape::Flag,
            .commands = kFeed,
            .group = kChoice,
            .help = "submit even if the feed has fewer than half the rows it had in the last run, where those were 20 "
                    "or more",
            .apply = apply_flag<&Options::allow_shrink>},
    Setting{.name = "allow-lost-journal",
            .shape = Shape::Flag,
            .commands = kSending,
            .group = kChoice,
            .help =
                "use a ledger without the -wal file that a killed run left beside it: what was paid for last is not "
                "known to it",
            .apply = apply_flag<&Options::allow_lost_journal>},
    Setting{.name = "max-credits",
            .commands = kWork,
            .group = kChoice,
            .value = "N",
            .help = "spend at most N credits in this run (no limit)",
            .apply = apply_max_credits},

    Setting{.name = "rate",
            .shape = Shape::Many,
            .commands = kWork,
            .group = kPace,
            .value = "N/TIME",
            .help = "most requests an account may send in any such time, repeatable (10/1s)",
            .separator = ',',
            .real_only = true,
            .apply = apply_rate},
    Setting{.name = "submit-rate",
            .shape = Shape::Many,
            .commands = kWork,
            .group = kPace,
            .value = "N/TIME",
            .help = "the same for submissions alone (1/1s)",
            .separator = ',',
            .real_only = true,
            .apply = apply_submit_rate},
    Setting{.name = "max-in-flight",
            .commands = kWork,
            .group = kPace,
            .value = "N",
            .help = "most unfinished jobs of an account (20)",
            .real_only = true,
            .apply = apply_max_in_flight},
    Setting{.name = "poll-interval",
            .commands = kWork,
            .group = kPace,
            .value = "TIME",
            .help = "between two polls of one job (3s)",
            .real_only = true,
            .apply = apply_span<&Options::poll_interval>},
    Setting{.name = "max-connections",
            .commands = kSending,
            .group = kPace,
            .value = "N",
            .help = "most open connections, all accounts together (128)",
            .apply = apply_max_connections},

    Setting{.name = "deadline",
            .commands = kWork,
            .group = kEnd,
            .value = "WHEN",
            .help = "a time from the start (5h), the next local 06:30, or RFC 3339; submits nothing that would not be "
                    "finished by then (none)",
            .apply = apply_deadline},
    Setting{.name = "job-timeout",
            .commands = kWork,
            .group = kEnd,
            .value = "TIME",
            .help = "stop waiting for a job; a later run goes on (20m)",
            .apply = apply_span<&Options::job_timeout>},
    Setting{.name = "outage-timeout",
            .commands = kSending,
            .group = kEnd,
            .value = "TIME",
            .help = "stop an account that gave no good answer for so long (15m)",
            .apply = apply_span<&Options::outage_timeout>},
    Setting{.name = "request-timeout",
            .commands = kSending,
            .group = kEnd,
            .value = "TIME",
            .help = "for one request, from connecting to the last byte (30s)",
            .apply = apply_span<&Options::request_timeout>},
    Setting{.name = "wait",
            .commands = kSending | kResolveBit,
            .group = kEnd,
            .value = "TIME",
            .help = "wait so long for another run on the ledger to end (0)",
            .apply = apply_wait},

    Setting{.name = "progress",
            .commands = kSending,
            .group = kTelling,
            .value = "STYLE",
            .help = "auto, bar, plain, json or none (auto: live on a terminal, a few lines elsewhere)",
            .apply = apply_progress},
    Setting{.name = "quiet",
            .letter = 'q',
            .shape = Shape::Flag,
            .commands = kSending | kCheckBit | kReportBit,
            .group = kTelling,
            .help = "say nothing when the exit code is 0, unless a budget was passed or cannot be kept",
            .apply = apply_flag<&Options::quiet>},
    Setting{.name = "log-level",
            .commands = kAll,
            .group = kTelling,
            .value = "LEVEL",
            .help = "error, warning, info or debug (info)",
            .apply = apply_log_level},
    Setting{.name = "log-file",
            .commands = kAll,
            .group = kTelling,
            .value = "FILE",
            .help = "append the log to this file (standard error)",
            .is_path = true,
            .apply = apply_file<&Options::log_file>},
    Setting{.name = "ca-file",
            .commands = kSending | kCheckBit,
            .group = kTelling,
            .value = "FILE",
            .help = "trust these roots instead of the system's (PEM)",
            .is_path = true,
            .apply = apply_file<&Options::ca_file>},
};

Values split(std::string_view text, char separator) {
  Values values;
  while (separator != 0 && text.find(separator) != std::string_view::npos) {
    values.emplace_back(text.substr(0, text.find(separator)));
    text.remove_prefix(text.find(separator) + 1);
  }
  values.emplace_back(text);
  if (separator != 0) std::erase(values, "");
  return values;
}

/// A variable with our prefix that is none of ours but nearly one: a limit that is misspelt limits nothing.
constexpr std::string_view kSandboxVariable = "REELBATCH_SANDBOX";

void refuse_slips(const Environment& environment, std::vector<std::string>& problems) {
  std::vector<std::string> known = {"REELBATCH_CONFIG"};
  for (const Setting& setting : kSettings) known.push_back(setting.variable());
  for (auto it = environment.lower_bound(kPrefix); it != environment.end() && it->first.starts_with(kPrefix); ++it) {
    const std::string& name = it->first;
    if (name == kSandboxVariable) {
      problems.push_back(
          fmt::format("{} is not read, so that no real run is taken for a rehearsal: write --sandbox", name));
      continue;
    }
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = std::find_if(known.begin(), known.end(),
                                   [&](const std::string& other) { return edit_distance(name, other, 2) <= 2; });
    if (near == known.end()) continue;
    problems.push_back(fmt::format("{} in the environment is unknown (did you mean {}?)", name, *near));
  }
}

}  // namespace

Environment system_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    const bool wanted =
        name.starts_with(kPrefix) || name.ends_with("_BASE_URL") || name == "XDG_CONFIG_HOME" || name == "HOME";
    if (wanted) environment.emplace(name, text.substr(equals + 1));
  }
  return environment;
}

std::string Setting::key() const {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

std::string Setting::variable() const {
  std::string text(kPrefix);
  for (const char c : key()) text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::span<const Setting> all_settings() {
  return kSettings;
}

const Setting* find_setting(std::string_view name) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(), [&](const Setting& s) { return s.name == name; });
  return found == kSettings.end() ? nullptr : &*found;
}

void apply_environment(const Environment& environment, bool sandbox, SettingTarget& target,
                       std::vector<std::string>& problems) {
  refuse_slips(environment, problems);
  for (const Setting& setting : kSettings) {
    if (sandbox && setting.real_only) continue;
    const auto found = environment.find(setting.variable());
    if (found == environment.end()) continue;
    const Values values = split(found->second, setting.separator);
    if (values.empty() || values.back().empty()) continue;
    if (const Result<void> applied = setting.apply(target, values); !applied) {
      problems.push_back(fmt::format("{}: {}", found->first, applied.error().message));
    }
  }
}

Result<bool> parse_flag(std::string_view text) {
  const std::string word = ascii_lower(text);
  if (word == "true" || word == "yes" || word == "1") return true;
  if (word == "false" || word == "no" || word == "0") return false;
  return usage_error(fmt::format("'{}' is neither true nor false", text));
}

Result<Credits> parse_amount(std::string_view text) {
  const std::optional<Credits> amount = parse_credits(text);
  const std::size_t point = text.find('.');
  if (amount && point != std::string_view::npos && text.size() - point > 4) {
    return usage_error(fmt::format("'{}' is finer than a thousandth of a credit, which is what is counted", text));
  }
  if (!amount) return usage_error(fmt::format("'{}' is no amount of credits: write a number such as 200 or 7.5", text));
  if (*amount < Credits{}) return usage_error(fmt::format("'{}' is less than 0", text));
  return *amount;
}

}  // namespace reelbatch
