// `resolve`: the operator's word on held jobs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "jobs/field_rules.h"
#include "jobs/json_quote.h"
#include "runner/commands.h"
#include "runner/intake.h"
#include "runner/progress_printer.h"
#include "runner/say.h"
#include "runner/session.h"

namespace reelbatch {
namespace {

std::string_view word_text(ResolveCommand::Word word) {
  switch (word) {
    case ResolveCommand::Word::Adopt:
      return "adopt";
    case ResolveCommand::Word::Resubmit:
      return "resubmit";
    case ResolveCommand::Word::Drop:
      return "drop";
  }
  return "";
}

Event event_of(ResolveCommand::Word word) {
  switch (word) {
    case ResolveCommand::Word::Adopt:
      return Event::Adopt;
    case ResolveCommand::Word::Resubmit:
      return Event::Resubmit;
    case ResolveCommand::Word::Drop:
      return Event::Drop;
  }
  return Event::Drop;
}

/// The jobs that the command means: one, or with --all any number. Held ones, or, to name another id, adopted ones.
Result<std::vector<HeldJob>> choose(const Options& options, const ResolveCommand& command, SqliteLedger& ledger) {
  // With a catalogue another feed's listing of that id is not meant; its own may be said as `status` shows it.
  const std::string ref = command.all ? "" : ledger_ref(options, command.ref);
  const bool is_whole = command.ref.starts_with(ledger_ref(options, ""));
  const auto is_not_meant = [&](const HeldJob& job) {
    return (!command.all && job.ref != ref && !(is_whole && job.ref == command.ref)) ||
           (!command.kind.empty() && job.kind != command.kind) ||
           (!command.account.empty() && job.account != command.account);
  };
  Result<std::vector<HeldJob>> found = ledger.held_jobs();
  if (found) std::erase_if(*found, is_not_meant);
  if (found && found->empty() && command.word == ResolveCommand::Word::Adopt) {
    found = ledger.adopted_jobs();
    if (found) std::erase_if(*found, is_not_meant);
  }
  if (!found) return found;
  std::vector<HeldJob>& held = *found;
  if (held.empty() && !command.all && command.word != ResolveCommand::Word::Adopt) {
    Result<std::vector<HeldJob>> adopted = ledger.adopted_jobs();
    if (!adopted) return adopted;
    std::erase_if(*adopted, is_not_meant);
    if (!adopted->empty()) {
      return usage_error(fmt::format(
          "'{}' was adopted and is {} now, no longer held: another `adopt ID` corrects a wrong id; once it has failed, "
          "`run --retry-failed` submits it again",
          command.ref, name_of(adopted->front().state)));
    }
  }
  if (held.empty()) {
    return usage_error(
        command.all
            ? std::string("nothing is held")
            : fmt::format("no held job has the id '{}'{}; `reelbatch status` lists those that are held", command.ref,
                          command.word == ResolveCommand::Word::Adopt ? ", nor an adopted one that is not done" : ""));
  }
  if (!command.all && held.size() > 1) {
    std::string which;
    for (const HeldJob& job : held)
      which += fmt::format("{}{} of account {}", which.empty() ? "" : ", ", job.kind, job.account);
    return usage_error(
        fmt::format("'{}' is there more than once ({}): say which with --kind or --account", command.ref, which));
  }
  return found;
}

/// The id of the job at the service, by the rule for the ids in manifests.
Result<std::string> job_id_of(const ResolveCommand& command) {
  if (command.word != ResolveCommand::Word::Adopt) return std::string();
  const FieldReading id = read_service_id({RawValue::Form::Text, command.remote_id});
  if (!id.problems.empty()) return usage_error(fmt::format("adopt: the job's id {}", id.problems.front()));
  if (!id.json) return usage_error("adopt: the job's id is empty");
  const std::string text = json_unquote(*id.json);
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  // Some control characters are dropped by the rule, for files; here they are a slip in what was copied.
  const bool changed = command.remote_id.find(text) == std::string::npos;
  if (changed || std::any_of(text.begin(), text.end(), is_odd)) {
    return usage_error("adopt: the job's id has blanks or control characters in it; give the id alone");
  }
  return text;
}

/// What is said of it in its history, so that an id which proved wrong can be found again.
std::string words_of(const ResolveCommand& command, const std::string& remote_id) {
  if (command.word == ResolveCommand::Word::Adopt) return fmt::format("adopted by the operator as {}", remote_id);
  return command.word == ResolveCommand::Word::Drop ? "dropped by the operator; its price is unknown" : "";
}

bool confirmed(const ResolveCommand& command, std::size_t count) {
  if (!command.all || command.yes) return true;
  if (isatty(STDIN_FILENO) == 0) return false;
  say("{} {} held jobs? [y/N] ", word_text(command.word), count);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

Result<void> resolve(const Options& options, const ResolveCommand& command) {
  const Result<std::string> remote_id = job_id_of(command);
  if (!remote_id) return tl::unexpected(remote_id.error());
  SystemClock clock;
  const Result<std::unique_ptr<Session>> session = Session::open(options, clock, Session::IfMissing::Fail);
  if (!session) return tl::unexpected(session.error());
  SqliteLedger& ledger = (*session)->ledger();
  // An acceptance that a run could not record left its intent behind: it is held from here on, and may be adopted.
  if (const auto interrupted = ledger.hold_interrupted(0, clock.wall()); !interrupted)
    return tl::unexpected(interrupted.error());
  const Result<std::vector<HeldJob>> chosen = choose(options, command, ledger);
  if (!chosen) return tl::unexpected(chosen.error());
  if (!confirmed(command, chosen->size())) {
    return usage_error(
        fmt::format("nothing was changed: {} --all wants --yes, or a yes at the terminal", word_text(command.word)));
  }
  Commit commit;
  for (const HeldJob& job : *chosen) {
    if (command.word == ResolveCommand::Word::Adopt) {
      const Result<JobId> other = ledger.job_with_remote_id(job.account_id, *remote_id, job.id);
      if (!other) return tl::unexpected(other.error());
      if (*other != 0) return usage_error(fmt::format("job {} belongs to another listing already", *remote_id));
    }
    Step step;
    step.job = job.id;
    step.from = job.state;
    step.event = event_of(command.word);
    step.at = clock.wall();
    step.remote_id = *remote_id;
    step.detail = words_of(command, *remote_id);
    commit.steps.push_back(std::move(step));
  }
  if (Result<void> done = ledger.commit(commit); !done) return done;
  if (options.quiet) return {};
  for (const HeldJob& job : *chosen) {
    say("{}: {}\n", for_terminal(job.ref),
        command.word == ResolveCommand::Word::Adopt      ? "in flight; `reelbatch resume` or the next run polls it"
        : command.word == ResolveCommand::Word::Resubmit ? "planned; `reelbatch resume` or the next run submits it"
                                                         : "given up; the same content is not submitted again");
  }
  return {};
}

}  // namespace

int command_resolve(const Options& options, const ResolveCommand& command) {
  const Result<void> done = resolve(options, command);
  return done ? 0 : report_error(done.error());
}

}  // namespace reelbatch
