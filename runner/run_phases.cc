#include "runner/run_phases.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/registry.h"
#include "runner/summary.h"

namespace reelbatch {
namespace {

Result<void> hold_interrupted(const RunSetting& setting) {
  const Result<std::int64_t> held = setting.session.ledger().hold_interrupted(0, setting.clock.wall());
  if (!held) return tl::unexpected(held.error());
  if (*held > 0) {
    setting.progress.warn(
        fmt::format("{} submissions of a run that died are held: they may have been accepted", *held));
  }
  return {};
}

/// Binds the accounts of held jobs that their service may list: the run looks for them.
Result<void> bind_lost_jobs(const RunSetting& setting) {
  const Result<std::vector<HeldJob>> held = setting.session.ledger().held_jobs();
  if (!held) return tl::unexpected(held.error());
  for (const HeldJob& job : *held) {
    const JobKind* kind = find_kind(job.kind);
    const auto& accounts = setting.options.accounts;
    const bool configured = std::any_of(accounts.begin(), accounts.end(),
                                        [&](const AccountOptions& account) { return account.name == job.account; });
    if (kind == nullptr || !kind->search() || !configured) continue;
    if (const Result<AccountId> bound = setting.session.bind(job.account); !bound) return tl::unexpected(bound.error());
  }
  return {};
}

/// Binds the accounts whose balance an earlier run was kept from asking for.
Result<void> bind_old_balances(const RunSetting& setting) {
  const Result<std::vector<AccountRecord>> known = setting.session.ledger().accounts();
  if (!known) return tl::unexpected(known.error());
  for (const AccountOptions& account : setting.options.accounts) {
    const auto record = std::find_if(known->begin(), known->end(),
                                     [&](const AccountRecord& candidate) { return candidate.name == account.name; });
    if (record == known->end() || account.service->balance_path.empty()) continue;
    const Result<bool> is_old = has_old_balance(setting.session.ledger(), record->id);
    if (!is_old) return tl::unexpected(is_old.error());
    if (!*is_old) continue;
    if (const Result<AccountId> bound = setting.session.bind(account.name); !bound)
      return tl::unexpected(bound.error());
  }
  return {};
}

RunnerOptions runner_options(const Options& options, const Clock& clock) {
  RunnerOptions loop;
  loop.poll_interval = options.poll_interval;
  loop.job_timeout = options.job_timeout;
  loop.give_up_after = options.give_up_after;
  loop.outage_timeout = options.outage_timeout;
  loop.repair = options.repair;
  loop.max_credits = options.max_credits;
  loop.request_timeout = options.request_timeout;
  loop.max_connections = options.max_connections;
  if (options.deadline && options.deadline->after) loop.deadline = clock.now() + *options.deadline->after;
  if (options.deadline) loop.deadline_wall = options.deadline->at;
  return loop;
}

}  // namespace

std::string make_run_uid(WallTime now, std::uint32_t random) {
  std::string stamp = to_rfc3339(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return fmt::format("{}-{:04x}", stamp, random & 0xffff);
}

Result<IntakeCounts> prepare_run(const RunSetting& setting, RunRecord& run, const RemarkSink& remark) {
  if (Result<void> held = hold_interrupted(setting); !held) return tl::unexpected(held.error());
  const auto bind = [&](const std::string& name) { return setting.session.bind(name); };
  Result<IntakeCounts> counts = take_in(setting.session.ledger(), setting.options, bind, run, remark);
  if (!counts) return counts;
  if (Result<void> bound = setting.session.bind_open_jobs(); !bound) return tl::unexpected(bound.error());
  return counts;
}

Result<void> prepare_resumed_run(const RunSetting& setting, const RunRecord& run) {
  if (Result<void> held = hold_interrupted(setting); !held) return held;
  SqliteLedger& ledger = setting.session.ledger();
  if (Result<void> taken = take_up(ledger, setting.options, run); !taken) return taken;
  for (const AccountOptions& account : setting.options.accounts) {
    const auto planned = ledger.planned_rows(run.id, account.name, 0, 1);
    if (!planned) return tl::unexpected(planned.error());
    if (planned->empty()) continue;
    if (const Result<AccountId> bound = setting.session.bind(account.name); !bound)
      return tl::unexpected(bound.error());
  }
  if (Result<void> bound = setting.session.bind_open_jobs(); !bound) return bound;
  if (Result<void> bound = bind_lost_jobs(setting); !bound) return bound;
  if (Result<void> bound = bind_old_balances(setting); !bound) return bound;
  return ledger.reopen_run(run.id);
}

Result<RunOutcome> work_on_run(const RunSetting& setting, const RunRecord& run, Transport& transport,
                               const StopRequest& stop, Rng& rng) {
  Runner runner(setting.clock, transport, setting.session.ledger(), stop, setting.progress, rng,
                runner_options(setting.options, setting.clock), setting.session.runner_accounts());
  return runner.run(run);
}

Result<EndedRun> end_run(const RunSetting& setting, RunRecord run, const Result<RunOutcome>& outcome) {
  SqliteLedger& ledger = setting.session.ledger();
  run.finished_at = setting.clock.wall();
  if (outcome) {
    run.stopped_by = outcome->stopped_by;
    run.stopped_detail = outcome->stopped_detail;
    run.accounts_stopped = outcome->accounts_stopped;
    run.budgets_reached = outcome->budgets_reached;
  } else {
    run.stopped_by = "ledger";
    run.stopped_detail = outcome.error().message;
  }
  Result<RunReport> report = make_report(ledger, run, setting.options.only);
  if (!report) return tl::unexpected(outcome ? report.error() : outcome.error());
  EndedRun ended;
  ended.exit_code = outcome ? exit_code_of(report->counts, outcome->key_refused, outcome->address_refused) : 7;
  // A signal that cut submissions short left rows held that were on their way.
  if (ended.exit_code == 4 && run.stopped_by == "signal") ended.exit_code = 3;
  run.exit_code = ended.exit_code;
  if (outcome) ended.recorded = ledger.end_run(run, outcome->accounts, outcome->sends, setting.options.keep_runs);
  report->run = std::move(run);
  ended.report = std::move(*report);
  return ended;
}

}  // namespace reelbatch
