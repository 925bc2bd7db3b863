// The commands that only look: check, plan, status, report, ledger verify, ledger backup.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "jobs/registry.h"
#include "runner/commands.h"
#include "runner/credit_table.h"
#include "runner/curl_probe.h"
#include "runner/image_probe.h"
#include "runner/intake.h"
#include "runner/mapping.h"
#include "runner/plan_report.h"
#include "runner/progress_printer.h"
#include "runner/rejects_file.h"
#include "runner/remark_printer.h"
#include "runner/report.h"
#include "runner/say.h"
#include "runner/session.h"
#include "runner/shared_photos.h"
#include "runner/summary.h"

namespace reelbatch {

// ---- check ----------------------------------------------------------------------------------------------------------

int command_check(const Options& options, const CheckCommand& command) {
  const bool all = command.all || isatty(STDOUT_FILENO) == 0;
  Result<RejectsFile> rejects = RejectsFile::open(options.rejects);
  if (!rejects) return report_error(rejects.error());
  RemarkPrinter printer(stdout, options, all ? 0 : 10, true, command.all);
  SharedPhotos photos;
  const RemarkSink print = [&](const Remark& found) { printer.print(found); };
  const RemarkSink reject = [&](const Remark& found) { rejects->add(found); };
  const RemarkSink nobody;
  SystemClock clock;
  std::unique_ptr<CurlProbe> transport;
  std::optional<ImageProbe> probe;
  if (command.probe) {
    Result<std::unique_ptr<CurlProbe>> made =
        CurlProbe::make(clock, {command.probe->open, command.probe->timeout, options.ca_file});
    if (!made) return report_error(made.error());
    transport = std::move(*made);
    probe.emplace(clock, *transport, *command.probe, print, options.rejects.empty() ? nobody : reject);
  }
  std::int64_t rows = 0, invalid = 0;
  MappingReport mapping;
  const RemarkSink remark = [&](const Remark& found) {
    rejects->add(found);
    printer.print(found);
  };
  // Without a configuration here there may be one elsewhere, which has more accounts.
  const auto no_account = options.config_file.empty() ? Remark::Level::Warning : Remark::Level::Error;
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    if (command.mapping) mapping.see(row);
    const Normalised normal = validate(row);
    photos.add(normal.fields, row.file, row.place);
    ++rows;
    if (row.kind != nullptr && account_for(options, *row.kind, row.account) == nullptr) {
      tell_no_account(row, no_account);
    }
    if (!row.remarks.empty()) tell_remarks(row, remark);
    if (!row.valid()) {
      ++invalid;
    } else if (probe) {
      probe->add_row(row, row.kind->media(normal.fields));
    }
    return {};
  };
  // Nearly all rows are such that there is nothing to say to them, and nothing to show of them.
  const RowGlance glance = [&](const RowText& row) -> Result<bool> {
    if (!row.kind->is_plain(row.fields) || account_for(options, *row.kind, row.account) == nullptr) return false;
    photos.add_plain(*row.kind, row.fields, row.file, {row.line, 1});
    ++rows;
    return true;
  };
  const MappingSink see_file = [&](const FileMapping& file) { mapping.take(file); };
  const Result<void> read =
      command.mapping ? read_manifests_and_mapping(options.manifests, options.manifest, sink, remark, see_file)
                      : read_manifests(options.manifests, options.manifest, sink, remark, probe ? RowGlance() : glance);
  if (const std::optional<Remark> shared = photos.remark()) printer.print(*shared);
  if (read && probe) probe->finish();
  printer.finish();
  const Result<void> kept = rejects->commit();
  if (command.mapping) say("{}", for_terminal(mapping.text()));
  if (!read) return report_error(printer.explain(read.error()));
  if (!kept) return report_error(kept.error());
  const std::int64_t bad = invalid + (probe ? probe->counts().rows : 0);
  if (!options.quiet || bad > 0) {
    say("{} {}: {} valid, {} invalid\n", rows, rows == 1 ? "row" : "rows", rows - invalid, invalid);
    if (probe) say("{}\n", probe_line(probe->counts()));
  }
  return bad == 0 ? 0 : 1;
}

// ---- plan -----------------------------------------------------------------------------------------------------------

int command_plan(const Options& options, const PlanCommand& command) {
  std::unique_ptr<SqliteLedger> ledger;
  std::error_code ignored;
  if (std::filesystem::exists(options.ledger, ignored) || options.ledger_must_exist) {
    Result<std::unique_ptr<SqliteLedger>> opened = open_for_reading(options);
    if (!opened) return report_error(opened.error());
    ledger = std::move(*opened);
  }
  const Result<int> code = make_plan(ledger.get(), options, command.plan_file);
  return code ? *code : report_error(code.error());
}

// ---- status ---------------------------------------------------------------------------------------------------------

namespace {

Result<void> print_status(const Options& options) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return tl::unexpected(ledger.error());
  say("ledger {}\n", full_path(options.ledger));
  if (const std::optional<std::string> holder = LedgerLock::holder(options.ledger)) {
    say("  a run is going on: {}\n", *holder);
  }
  const Result<LedgerCounts> counts = (*ledger)->counts();
  if (!counts) return tl::unexpected(counts.error());
  say("  {} listings", counts->listings);
  for (const auto& [state, count] : counts->jobs) say(", {} {}", count, name_of(state));
  say("\n");
  const Result<std::vector<AccountRecord>> accounts = (*ledger)->accounts();
  if (!accounts) return tl::unexpected(accounts.error());
  for (const AccountRecord& account : *accounts) {
    const Result<LastFigures> last_seen = (*ledger)->last_figures(account.id);
    if (!last_seen) return tl::unexpected(last_seen.error());
    const std::optional<Credits>& remaining = last_seen->figures.remaining;
    say("  account {} ({}): {} credits remaining when last seen\n", for_terminal(account.name), account.origin,
        remaining ? to_text(*remaining) : "unknown");
    say("    {}\n", for_terminal(meaning_text(account)));
  }
  const Result<std::optional<RunRecord>> last = (*ledger)->run("");
  if (!last) return tl::unexpected(last.error());
  if (*last) {
    const RunRecord& run = **last;
    say("  last run {} of {}: {}\n", run.uid, to_rfc3339(run.started_at),
        run.exit_code
            ? fmt::format("exit {}{}", *run.exit_code, run.stopped_by.empty() ? "" : ", stopped by " + run.stopped_by)
            : std::string("not ended"));
    const Result<RowCounts> rows = count_rows(**ledger, run.id);
    if (!rows) return tl::unexpected(rows.error());
    say("    {}\n", counts_line(*rows));
  }
  const Result<std::vector<HeldJob>> held = (*ledger)->held_jobs();
  if (!held) return tl::unexpected(held.error());
  if (!held->empty()) say("  held, until `reelbatch resolve` says what became of them:\n");
  for (const HeldJob& job : *held) {
    say("    {} ({}, {}, sent {}): {}\n", for_terminal(job.ref), job.kind, for_terminal(job.account),
        to_rfc3339(job.submitted_at), for_terminal(job.reason));
  }
  return {};
}

Result<void> write_report(const Options& options, const std::string& uid) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return tl::unexpected(ledger.error());
  const Result<std::optional<RunRecord>> run = (*ledger)->run(uid);
  if (!run) return tl::unexpected(run.error());
  if (!*run) return usage_error(fmt::format("the ledger {} has no run {}", options.ledger, uid.empty() ? "yet" : uid));
  const Result<RunReport> report = make_report(**ledger, **run);
  if (!report) return tl::unexpected(report.error());
  if (report->counts.rows == 0) {
    return usage_error(
        fmt::format("the rows of run {} are no longer kept (keep_runs: {})", (*run)->uid, options.keep_runs));
  }
  const Result<std::vector<std::string>> manifests = (*ledger)->manifests_of((*run)->id);
  if (!manifests) return tl::unexpected(manifests.error());
  Result<ReportWriter> writer = ReportWriter::open(options.outputs, *manifests);
  if (!writer) return tl::unexpected(writer.error());
  if (Result<void> written = writer->write(**ledger, *report); !written) return written;
  if (!options.quiet) {
    for (const std::string& output : options.outputs) say("results: {}\n", output);
  }
  return {};
}

}  // namespace

int command_status(const Options& options, const StatusCommand& command) {
  if (!command.refs.empty()) return show_listings(options, command.refs);
  const Result<void> done = print_status(options);
  return done ? 0 : report_error(done.error());
}

int command_report(const Options& options, const ReportCommand& command) {
  const Result<void> done = write_report(options, command.run);
  return done ? 0 : report_error(done.error());
}

// ---- ledger ---------------------------------------------------------------------------------------------------------

int command_ledger_verify(const Options& options) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return report_error(ledger.error());
  const Result<std::vector<std::string>> findings = (*ledger)->verify();
  if (!findings) return report_error(findings.error());
  for (const std::string& finding : *findings) say("{}\n", for_terminal(finding));
  if (findings->empty() && !options.quiet) say("the ledger {} is sound\n", full_path(options.ledger));
  return findings->empty() ? 0 : 7;
}

int command_ledger_backup(const Options& options, const LedgerBackupCommand& command) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return report_error(ledger.error());
  if (const Result<void> done = (*ledger)->backup(command.file); !done) return report_error(done.error());
  if (!options.quiet) say("copied {} to {}\n", full_path(options.ledger), full_path(command.file));
  return 0;
}

}  // namespace reelbatch
