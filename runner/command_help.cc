#include "runner/command_help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/service_faults.h"
#include "runner/wrapped_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kFlagColumn = 30;
constexpr std::size_t kCommandColumn = 18;

constexpr std::array<OwnFlag, 1> kConfigFlag = {
    {{"config", 'c', "FILE", "YAML configuration (reelbatch.yaml here, else in ~/.config/reelbatch)"}}};
constexpr std::array<OwnFlag, 2> kLedgerFlags = {
    {kConfigFlag[0], {"sandbox", 0, "", "work on the sandbox's ledger, reelbatch-sandbox.db"}}};
constexpr std::array<OwnFlag, 2> kRunFlags = {
    {kConfigFlag[0],
     {"sandbox", 0, "",
      "start a pretended service and run against it: no key, no cost, its own ledger; pace 100/1s, submissions 10/1s, "
      "polls 200ms unless given here"}}};

constexpr std::array<OwnFlag, 7> kCheckOwn = {
    {{"all", 0, "", "every problem, not only ten of a kind"},
     {"mapping", 0, "",
      "also show how each file is read: encoding, delimiter, preset, header, and for each field the column, what "
      "chose it, and its first two values; then the labels and what is not used"},
     {"probe-images", 0, "", "ask for every image and sound that a service would fetch, each address once, with HEAD"},
     {"probe-rate", 0, "N/TIME", "most such requests to one host in any such time, repeatable (5/1s)", true},
     {"probe-open", 0, "N", "most such requests at once, all hosts together (20)"},
     {"probe-timeout", 0, "TIME", "for one such request (10s)"},
     {"probe-size", 0, "N", "megabytes that a file may have; no service documents a limit (50)"}}};
constexpr std::array<OwnFlag, 1> kPlanOwn = {{{"output", 'o', "FILE.json", "write the plan, row by row (none)"}}};
constexpr std::array<OwnFlag, 1> kRunOwn = {
    {{"plan", 0, "FILE.json",
      "do what 'plan -o FILE.json' said and nothing else: exit 2 if the manifest or the ledger has moved since. The "
      "plan's manifests and its --limit, --only and so on hold (none)"}}};
constexpr std::array<OwnFlag, 1> kWhichRun = {{{"run", 0, "ID", "that run (the last)"}}};
constexpr std::array<OwnFlag, 4> kCreditsOwn = {
    {{"by", 0, "KEY", "a line for each day, week, month, run, account, kind or value of label:NAME (month)"},
     {"since", 0, "DATE", "2026-11-01, from its first moment on, or RFC 3339 (the beginning)"},
     {"until", 0, "DATE", "2026-11-30, with all of that day, or RFC 3339, up to then (now)"},
     {"format", 0, "FORMAT", "table, csv or json (table)"}}};
constexpr std::array<OwnFlag, 4> kResolveOwn = {{{"all", 0, "", "every held job; with resubmit or drop"},
                                                 {"kind", 0, "KIND", "only jobs of this kind (any)"},
                                                 {"account", 0, "NAME", "only jobs of this account (any)"},
                                                 {"yes", 'y', "", "do not ask"}}};
constexpr std::array<OwnFlag, 15> kSandboxOwn = {
    {{"port", 0, "N", "port on 127.0.0.1, 0 for any free one (8080)"},
     {"speed", 0, "N", "time runs N times faster (60)"},
     {"state", 0, "FILE", "keep jobs and credits here between starts (forgotten)"},
     {"rate", 0, "N/TIME", "answer 429 beyond it, repeatable (no limit)", true},
     {"credits", 0, "N", "what each key begins with (1000)"},
     {"used-per-job", 0, "", "credits used are the job's where that is not documented (the account's)"},
     {"late", 0, "TIME", "charges, and what is made again, show so late, in their time (0s)"},
     {"failures", 0, "SHARE", "of the jobs fail, 0 to 1 (0)"},
     {"rejections", 0, "SHARE", "of the jobs are rejected by services that do so (0)"},
     {"stuck", 0, "SHARE", "of the clips stay in error until they are made again, where that can be asked for (0)"},
     {"refunds", 0, "", "neither of these is charged in the end (they are)"},
     {"fault", 0, "SPEC", "a fault to inject, repeatable (none)", true},
     {"seed", 0, "N", "of everything that is left to chance (drawn)"},
     {"key", 0, "TEXT", "the only key accepted (any)"},
     {"verbose", 'v', "", "one line a request"}}};

constexpr std::array<CommandSpec, 13> kCommands = {{
    {"check", kCheckBit, "MANIFEST...", "validate every row, offline",
     "Reads every row and says what is wrong as file:line:column, with the field and what would be right. Sends "
     "nothing and spends nothing. Exits 0 when every row is valid, 1 when some are not, 2 when a file is unusable.\n\n"
     "With --probe-images it also asks the hosts of images and sounds for those of valid rows, without any key, and "
     "tells which are dead, too large or something else: such a row counts as one that is not valid. Slow ones are "
     "named and do not count.",
     kCheckOwn},
    {"plan", kPlanBit, "MANIFEST...", "show what a run would do, and why",
     "Shows what a run with the same options would do and why, counts by reason, and the credits and the time to "
     "expect. Sends nothing and spends nothing.",
     kPlanOwn},
    {"run", kRunBit, "MANIFEST...", "make the videos that are missing",
     "Submits the rows of the manifests that have no video yet, polls everything in flight and writes the results. "
     "Kill it anywhere and start it again: nothing is paid for twice. MANIFEST is .csv, .tsv, .yaml, .json or .jsonl; "
     "- is standard input.",
     kRunOwn},
    {"resume", kResumeBit, "", "finish the last run without its manifest",
     "Submits what the last run had planned and not sent, polls everything in flight and writes its results.",
     kWhichRun},
    {"status",
     kStatusBit,
     "[REF]...",
     "show the ledger now, also while a run is going",
     "Shows what the ledger says now. It may be asked while a run is going.\n\n"
     "With the ids of rows it shows these listings: their jobs, their fields as they were read, and the request as "
     "this "
     "version makes it of them, also of a listing that is planned and was never submitted.",
     {}},
    {"report", kReportBit, "", "write the results again", "Writes the results again from the ledger. Sends nothing.",
     kWhichRun},
    {"credits", kCreditsBit, "", "show what the credits went to",
     "Shows what was spent, by time or by what it was spent for. It may be asked while a run is going.\n\n"
     "'jobs' are those submitted then, 'used' is what they are known to have cost by now, 'unknown_jobs' how many of "
     "them have an unknown price, 'reserved' what open ones may still cost. 'unattributed' is what the balance fell by "
     "beyond what jobs are known to have cost, counted where the figure was seen: above 0 it was spent by others on "
     "the account or by jobs of unknown price, below 0 it was refunded or bought. Used and unattributed make up the "
     "change of the balance, to the half credit. Kinds and labels do not divide the balance: there it stands on a "
     "line of its own. What is unknown is said to be unknown, in csv empty, in json null; it is never a 0.\n\n"
     "Days begin at local midnight, weeks on Mondays.",
     kCreditsOwn},
    {"resolve", kResolveBit, "REF adopt ID | REF resubmit | REF drop", "say what became of a held job",
     "A job is held when it is unknown whether the service took it. REF is the row's id. 'adopt' goes on with the job "
     "ID that the service shows, 'resubmit' lets the next run send it again, 'drop' gives it up. '--all resubmit' and "
     "'--all drop' are for all that are held. A wrong ID can be corrected by another 'adopt' until the job is done.",
     kResolveOwn},
    {"ledger verify",
     kLedgerBit,
     "",
     "check the record",
     "Checks that the ledger is whole and agrees with itself.",
     {}},
    {"ledger backup",
     kLedgerBit,
     "FILE",
     "copy the record, also while a run is going",
     "Copies the ledger safely to FILE, which must not exist. It may be asked while a run is going.",
     {}},
    {"sandbox", 0, "", "serve the APIs on this machine, for trying",
     "Serves pretended APIs on 127.0.0.1 until it is stopped. Nothing costs anything. 'run --sandbox' starts one by "
     "itself.",
     kSandboxOwn},
    {"init",
     0,
     "[FOLDER]",
     "write a configuration and a manifest to start from",
     "Writes reelbatch.yaml, in which every part is explained, and listings.csv with two rows to replace, into FOLDER "
     "or the current one. Writes nothing if one of them is there.",
     {}},
    {"completion",
     0,
     "bash | zsh | fish",
     "print a script that completes commands in a shell",
     "For bash: source <(reelbatch completion bash). For zsh, after compinit: source <(reelbatch completion zsh). For "
     "fish: reelbatch completion fish | source.",
     {}},
}};

void append_flag(std::string& out, std::string_view name, char letter, std::string_view value, std::string_view text) {
  std::string head = letter == 0 ? "      " : fmt::format("  -{}, ", letter);
  head += fmt::format("--{}", name);
  if (!value.empty()) head += fmt::format(" {}", value);
  append_entry(out, head, text, kFlagColumn);
}

void append_settings(std::string& out, const CommandSpec& command) {
  std::string_view group;
  for (const Setting& setting : all_settings()) {
    if ((setting.commands & command.bit) == 0) continue;
    if (setting.group != group) out += fmt::format("\n{}:\n", setting.group);
    group = setting.group;
    append_flag(out, setting.name, setting.letter, setting.value, setting.help);
  }
}

constexpr std::string_view kLevels =
    "What stands in brackets is used when nothing is given. TIME is 100ms, 3s, 20m, 5h or 7d. The options below can "
    "be set in the environment (REELBATCH_LOG_LEVEL) and in the configuration (log_level) too: a flag wins over the "
    "environment, and that over the configuration.";

constexpr std::string_view kExitCodes = R"(
Exit codes, the first that applies:
  2   usage, configuration or manifest is wrong; nothing was submitted
  6   another run holds the ledger
  7   the ledger or an output could not be written
  5   the service refused the key
  3   incomplete (deadline, budget, credits, outage, signal): run it again
  4   some rows are held: it is unknown whether they were accepted
  1   finished, some rows failed
  0   finished, every selected row has its video
  70  a bug: it stopped before recording anything untrue
)";

}  // namespace

std::span<const CommandSpec> all_commands() {
  return kCommands;
}

const CommandSpec* find_command(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& c) { return c.name == name; });
  return found == kCommands.end() ? nullptr : &*found;
}

std::span<const OwnFlag> shared_flags(const CommandSpec& command) {
  if (command.bit == 0) return {};
  if (command.bit == kCheckBit) return kConfigFlag;
  if (command.bit == kRunBit || command.bit == kResumeBit) return kRunFlags;
  return kLedgerFlags;
}

std::string top_help() {
  std::string out =
      "reelbatch makes a video of each listing in a manifest, and pays for each once.\n\n"
      "Usage: reelbatch COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n";
  for (const CommandSpec& command : kCommands) {
    append_entry(out, fmt::format("  {}", command.name), command.summary, kCommandColumn);
  }
  out += "\n'reelbatch COMMAND --help' explains a command; --version names the version.\n";
  out += "To begin without a key or cost: reelbatch run --sandbox MANIFEST\n";
  out += kExitCodes;
  return out;
}

std::string command_help(const CommandSpec& command) {
  std::string out = fmt::format("Usage: reelbatch {} [OPTION]...", command.name);
  if (!command.arguments.empty()) out += fmt::format(" {}", command.arguments);
  out += "\n\n";
  for (std::string_view rest = command.help; !rest.empty();) {
    const std::size_t end = rest.find("\n\n");
    append_wrapped(out, rest.substr(0, end), 0, 0);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 2);
    out += '\n';
  }
  out += "\nOptions:\n";
  for (const OwnFlag& flag : shared_flags(command)) append_flag(out, flag.name, flag.letter, flag.value, flag.help);
  for (const OwnFlag& flag : command.flags) append_flag(out, flag.name, flag.letter, flag.value, flag.help);
  append_flag(out, "help", 'h', "", "this text");
  if (command.name == "sandbox") out += fmt::format("\n{}", kFaultHelp);
  if (command.bit == 0) return out;
  out += '\n';
  append_wrapped(out, kLevels, 0, 0);
  append_settings(out, command);
  return out;
}

std::string group_help(std::string_view word) {
  std::string out;
  const std::string prefix = fmt::format("{} ", word);
  for (const CommandSpec& command : kCommands) {
    if (!command.name.starts_with(prefix)) continue;
    if (out.empty()) out = "Usage:\n";
    std::string usage = fmt::format("  reelbatch {} [OPTION]...", command.name);
    if (!command.arguments.empty()) usage += fmt::format(" {}", command.arguments);
    out += fmt::format("{}\n      {}\n", usage, command.summary);
  }
  return out;
}

}  // namespace reelbatch
