#include "runner/completion.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "runner/command_help.h"

namespace reelbatch {
namespace {

struct Flag {
  std::string_view name;
  char letter = 0;
  bool takes_value = false;
  bool takes_file = false;
  bool repeatable = false;
  std::string_view help;
};

std::vector<Flag> flags_of(const CommandSpec& command) {
  std::vector<Flag> flags;
  const auto add = [&](const auto& flag, bool repeatable) {
    const bool takes_file = flag.value.starts_with("FILE") && flag.value.find('=') == std::string_view::npos;
    flags.push_back({flag.name, flag.letter, !flag.value.empty(), takes_file, repeatable, flag.help});
  };
  for (const OwnFlag& flag : shared_flags(command)) add(flag, flag.repeatable);
  for (const OwnFlag& flag : command.flags) add(flag, flag.repeatable);
  for (const Setting& setting : all_settings()) {
    const bool repeatable = setting.shape == Setting::Shape::Many || setting.shape == Setting::Shape::Greedy;
    if ((setting.commands & command.bit) != 0) add(setting, repeatable);
  }
  flags.push_back({"help", 'h', false, false, false, "explains the command"});
  return flags;
}

/// Words to type as they are: those of `REF adopt ID | REF resubmit` in small letters.
std::vector<std::string> words_of(const CommandSpec& command) {
  std::vector<std::string> words;
  std::string word;
  bool is_small = true;
  for (const char c : fmt::format("{} ", command.arguments)) {
    if (c != ' ') {
      word += c;
      is_small = is_small && c >= 'a' && c <= 'z';
      continue;
    }
    if (is_small && !word.empty()) words.push_back(word);
    word.clear();
    is_small = true;
  }
  return words;
}

bool takes_files(const CommandSpec& command) {
  return command.arguments.starts_with("MANIFEST") || command.arguments == "FILE";
}

/// `ledger` of `ledger verify`; empty for a command of one word.
std::string_view group_of(const CommandSpec& command) {
  const std::size_t blank = command.name.find(' ');
  return blank == std::string_view::npos ? std::string_view() : command.name.substr(0, blank);
}

std::string_view last_word(const CommandSpec& command) {
  return command.name.substr(command.name.rfind(' ') + 1);
}

/// The commands by their first word, in the order of the help; those of one group are beside each other.
std::vector<std::vector<const CommandSpec*>> commands_by_word() {
  std::vector<std::vector<const CommandSpec*>> all;
  for (const CommandSpec& command : all_commands()) {
    const bool goes_on =
        !all.empty() && !group_of(command).empty() && group_of(*all.back().front()) == group_of(command);
    if (!goes_on) all.emplace_back();
    all.back().push_back(&command);
  }
  return all;
}

std::string_view first_word(const CommandSpec& command) {
  return command.name.substr(0, command.name.find(' '));
}

std::string group_summary(const std::vector<const CommandSpec*>& group) {
  if (group.size() == 1) return std::string(group.front()->summary);
  std::string text;
  for (const CommandSpec* command : group) text += fmt::format("{}{}", text.empty() ? "" : ", ", last_word(*command));
  return text;
}

/// The beginning of a help text, as far as it fits beside a name.
std::string in_short(std::string_view help) {
  constexpr std::size_t kMost = 60;
  const std::string_view sentence = help.substr(0, help.find_first_of(";:"));
  const std::string_view text = sentence.substr(0, sentence.rfind(" ("));
  if (text.size() <= kMost) return std::string(text);
  return fmt::format("{}...", text.substr(0, text.rfind(' ', kMost)));
}

// ---- bash -----------------------------------------------------------------------------------------------------------

std::string bash_words(const CommandSpec& command) {
  std::string words;
  for (const std::string& word : words_of(command)) words += word + ' ';
  for (const Flag& flag : flags_of(command)) words += fmt::format("--{} ", flag.name);
  words.pop_back();
  return words;
}

std::string for_bash() {
  std::string first, cases, groups;
  for (const auto& group : commands_by_word()) {
    const CommandSpec& command = *group.front();
    first += fmt::format("{} ", first_word(command));
    if (group_of(command).empty()) {
      cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, bash_words(command));
      continue;
    }
    std::string second;
    for (const CommandSpec* member : group) {
      second += fmt::format("{}{}", second.empty() ? "" : " ", last_word(*member));
      cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", member->name, bash_words(*member));
    }
    cases += fmt::format("    {}*) words=\"{} --help\" ;;\n", group_of(command), second);
    groups += fmt::format("{}{}", groups.empty() ? "" : "|", group_of(command));
  }
  return fmt::format(R"bash(# Completion of reelbatch in bash: source <(reelbatch completion bash)
_reelbatch() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}--help --version" -- "$current"))
    return
  fi
  if [ "$COMP_CWORD" -gt 2 ] && [[ ${{COMP_WORDS[2]}} != -* ]]; then
    case $command in {}) command="$command ${{COMP_WORDS[2]}}" ;; esac
  fi
  case $command in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _reelbatch reelbatch
)bash",
                     first, groups, cases);
}

// ---- zsh ------------------------------------------------------------------------------------------------------------

/// Inside of '...', where brackets and colons of a description mean something.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

std::string zsh_arguments(const CommandSpec& command) {
  std::string out = "_arguments -s";
  for (const Flag& flag : flags_of(command)) {
    const std::string value = !flag.takes_value ? "" : flag.takes_file ? ":file:_files" : ":value:";
    const std::string about = fmt::format("[{}]{}", zsh_text(in_short(flag.help)), value);
    const std::string many = flag.repeatable ? "*" : "";
    if (flag.letter == 0) {
      out += fmt::format(" '{}--{}{}'", many, flag.name, about);
    } else {
      const std::string others = flag.repeatable ? "'*'" : fmt::format("'(-{0} --{1})'", flag.letter, flag.name);
      out += fmt::format(" {}{{-{},--{}}}'{}'", others, flag.letter, flag.name, about);
    }
  }
  std::string words;
  for (const std::string& word : words_of(command)) words += fmt::format("{}{}", words.empty() ? "" : " ", word);
  if (!words.empty()) out += fmt::format(" '*:word:({})'", words);
  if (takes_files(command)) out += " '*:file:_files'";
  return out;
}

std::string for_zsh() {
  std::string first, cases;
  for (const auto& group : commands_by_word()) {
    const CommandSpec& command = *group.front();
    first += fmt::format("    '{}:{}'\n", first_word(command), zsh_text(group_summary(group)));
    if (group_of(command).empty()) {
      cases += fmt::format("    {}) {} ;;\n", command.name, zsh_arguments(command));
      continue;
    }
    std::string second;
    for (const CommandSpec* member : group) {
      second += fmt::format(" '{}:{}'", last_word(*member), zsh_text(member->summary));
    }
    cases += fmt::format(
        "    {})\n      commands=({})\n      if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
        "      shift words; (( CURRENT-- ))\n      case ${{words[1]}} in\n",
        group_of(command), second.substr(1));
    for (const CommandSpec* member : group) {
      cases += fmt::format("        {}) {} ;;\n", last_word(*member), zsh_arguments(*member));
    }
    cases += "      esac ;;\n";
  }
  return fmt::format(R"zsh(#compdef reelbatch
# Completion of reelbatch in zsh: source <(reelbatch completion zsh), after compinit
_reelbatch() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words; (( CURRENT-- ))
  case ${{words[1]}} in
{}  esac
}}
compdef _reelbatch reelbatch
)zsh",
                     first, cases);
}

// ---- fish -----------------------------------------------------------------------------------------------------------

std::string fish_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string for_fish() {
  std::string out = "# Completion of reelbatch in fish: reelbatch completion fish | source\n";
  constexpr std::string_view kNoCommand = "__fish_use_subcommand";
  for (const auto& group : commands_by_word()) {
    const CommandSpec& head = *group.front();
    out += fmt::format("complete -c reelbatch -f -n {} -a {} -d '{}'\n", kNoCommand, first_word(head),
                       fish_text(group_summary(group)));
    for (const CommandSpec* command : group) {
      std::string where = fmt::format("'__fish_seen_subcommand_from {}'", first_word(*command));
      if (!group_of(*command).empty()) {
        std::string members;
        for (const CommandSpec* member : group) members += fmt::format(" {}", last_word(*member));
        out += fmt::format(
            "complete -c reelbatch -f -n '__fish_seen_subcommand_from {}; and not __fish_seen_subcommand_from{}' "
            "-a {} -d '{}'\n",
            group_of(*command), members, last_word(*command), fish_text(command->summary));
        where = fmt::format("'__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}'", group_of(*command),
                            last_word(*command));
      }
      for (const std::string& word : words_of(*command)) {
        out += fmt::format("complete -c reelbatch -f -n {} -a {}\n", where, word);
      }
      for (const Flag& flag : flags_of(*command)) {
        const std::string letter = flag.letter == 0 ? "" : fmt::format(" -s {}", flag.letter);
        const std::string_view value = !flag.takes_value ? "" : flag.takes_file ? " -r -F" : " -x";
        out += fmt::format("complete -c reelbatch -n {} -l {}{}{} -d '{}'\n", where, flag.name, letter, value,
                           fish_text(in_short(flag.help)));
      }
    }
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell) {
  switch (shell) {
    case Shell::Bash:
      return for_bash();
    case Shell::Zsh:
      return for_zsh();
    case Shell::Fish:
      return for_fish();
  }
  return {};
}

}  // namespace reelbatch
