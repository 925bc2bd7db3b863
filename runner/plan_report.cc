#include "runner/plan_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "jobs/json_quote.h"
#include "jobs/registry.h"
#include "runner/atomic_file.h"
#include "runner/durations.h"
#include "runner/forecast.h"
#include "runner/intake.h"
#include "runner/plan_file.h"
#include "runner/progress_printer.h"
#include "runner/rejects_file.h"
#include "runner/remark_printer.h"
#include "runner/say.h"
#include "runner/summary.h"

namespace reelbatch {
namespace {

/// Changed rows named on the screen; the file names them all.
constexpr int kChangesShown = 10;
constexpr std::int64_t kRemarks = 10;

std::string row_json(const UnchangedRow& row) {
  std::string out = "{\"id\": ";
  append_json_quoted(out, row.id);
  out += fmt::format(", \"action\": \"{}\", \"reason\": ", name_of(Action::Skip));
  append_json_quoted(out, row.selected ? name_of(Reason::Unchanged) : "not selected");
  return out + '}';
}

std::string row_json(const RowPlan& plan) {
  const RowRecord& record = plan.record;
  std::string out = "{\"id\": ";
  append_json_quoted(out, record.id);
  const bool left_out = !record.selected;
  out += fmt::format(", \"action\": \"{}\", \"reason\": ", name_of(left_out ? Action::Skip : record.action));
  if (left_out) {
    append_json_quoted(out, "not selected");
  } else if (record.action == Action::Invalid) {
    append_json_quoted(out, record.detail);
  } else {
    append_json_quoted(out, name_of(record.reason));
  }
  if (record.reason == Reason::Changed) {
    out += ", \"changed\": [";
    for (const FieldChange& change : plan.changes) {
      if (&change != plan.changes.data()) out += ", ";
      append_json_quoted(out, change.field->name);
    }
    out += ']';
  }
  return out + '}';
}

std::string counts_json(const IntakeCounts& counts) {
  std::string out = "{";
  for (const Action action : {Action::Submit, Action::Resume, Action::Skip, Action::Hold, Action::Invalid}) {
    const auto found = counts.actions.find(action);
    std::int64_t count = found == counts.actions.end() ? 0 : found->second;
    if (action == Action::Skip) count += counts.not_selected;
    out += fmt::format("{}\"{}\": {}", out.size() > 1 ? ", " : "", name_of(action), count);
  }
  return out + '}';
}

std::string gone_json(const std::vector<ListingName>& gone) {
  std::string out = "[";
  for (const ListingName& listing : gone) {
    if (&listing != gone.data()) out += ", ";
    out += "{\"id\": ";
    append_json_quoted(out, listing.ref);
    out += ", \"kind\": ";
    append_json_quoted(out, listing.kind);
    out += ", \"account\": ";
    append_json_quoted(out, listing.account);
    out += '}';
  }
  return out + ']';
}

/// A changed row for a person: which fields, and around what place in them.
std::string change_lines(const RowPlan& plan) {
  std::string lines = fmt::format("    changed {}: {}\n", plan.record.id, plan.record.detail);
  for (const FieldChange& change : plan.changes) {
    if (!change.field->is_list) lines += fmt::format("      {}: {}\n", change.field->name, change_excerpt(change));
  }
  return lines;
}

std::string_view words_for(Reason reason) {
  switch (reason) {
    case Reason::New:
      return "new: no video yet";
    case Reason::Changed:
      return "changed since its video was made";
    case Reason::Retry:
      return "failed before, submitted again";
    case Reason::InFlight:
      return "in flight";
    case Reason::Unchanged:
      return "unchanged, paid for already";
    case Reason::FailedBefore:
      return "failed before, same content";
    case Reason::Dropped:
      return "dropped by the operator";
    case Reason::Held:
      return "held: unknown whether accepted";
    case Reason::Invalid:
      return "invalid";
  }
  return "";
}

std::string range_words(const CostRange& range) {
  if (range.low == range.high) return to_text(range.likely);
  return fmt::format("about {} (from {} to {})", to_text(range.likely), to_text(range.low), to_text(range.high));
}

std::string range_json(const std::optional<CostRange>& range) {
  if (!range) return "null";
  return fmt::format("{{\"low\": {}, \"likely\": {}, \"high\": {}}}", to_text(range->low), to_text(range->likely),
                     to_text(range->high));
}

void print_forecast(const Forecast& forecast) {
  for (const KindForecast& kind : forecast.kinds) {
    say("  {} as {}: {} {}, credits ", for_terminal(kind.account), kind.kind, kind.submissions,
        kind.submissions == 1 ? "submission" : "submissions");
    if (kind.credits) {
      say("{}, by {} past {}", range_words(*kind.credits), kind.history, kind.history == 1 ? "job" : "jobs");
    } else {
      say("unknown (no finished job of this kind has a known price yet)");
    }
    if (kind.at_most) say(", at most {} by max_price", to_text(*kind.at_most));
    say("\n");
  }
  if (forecast.kinds.empty()) return;
  if (forecast.kinds.size() > 1) {
    say("  together: credits {}\n", forecast.credits ? range_words(*forecast.credits) : "unknown");
  }
  if (forecast.time) {
    say("  time: about {}, by the limits and past jobs\n", about(*forecast.time));
  } else {
    say("  time: unknown (none has finished yet), at least {} to submit them\n", about(forecast.submitting));
  }
}

std::string forecast_json(const Forecast& forecast) {
  std::string out = fmt::format("\"credits\": {}, \"seconds\": ", range_json(forecast.credits));
  out += forecast.time ? std::to_string(std::chrono::ceil<std::chrono::seconds>(*forecast.time).count()) : "null";
  out += ",\n \"expected\": [";
  for (const KindForecast& kind : forecast.kinds) {
    if (&kind != forecast.kinds.data()) out += ", ";
    out += "{\"account\": ";
    append_json_quoted(out, kind.account);
    out += fmt::format(", \"kind\": \"{}\", \"submissions\": {}, \"credits\": {}, \"at_most\": {}, \"by_jobs\": {}}}",
                       kind.kind, kind.submissions, range_json(kind.credits),
                       kind.at_most ? to_text(*kind.at_most) : "null", kind.history);
  }
  return out + ']';
}

}  // namespace

Result<int> make_plan(Ledger* ledger, const Options& options, const std::string& plan_file) {
  std::optional<AtomicFile> file;
  if (!plan_file.empty()) {
    Result<AtomicFile> opened = AtomicFile::open(plan_file);
    if (!opened) return tl::unexpected(opened.error());
    file.emplace(std::move(*opened));
  }
  Planner planner(ledger, options, file.has_value());
  Forecaster forecaster(ledger, options);
  Result<RejectsFile> rejects = RejectsFile::open(options.rejects);
  if (!rejects) return tl::unexpected(rejects.error());
  RemarkPrinter printer(stderr, options, kRemarks, isatty(STDERR_FILENO) == 1);
  const RemarkSink remark = [&](const Remark& found) {
    rejects->add(found);
    if (!options.quiet || found.level == Remark::Level::File) printer.print(found);
  };
  if (Result<void> started = planner.start(); !started) return tl::unexpected(started.error());
  std::string rows;
  std::vector<std::string> changes;
  const auto before = [&] { return rows.empty() ? "\n  " : ",\n  "; };
  const auto glance = [&](const RowText& row) -> Result<bool> {
    const UnchangedRow* same = planner.unchanged(row);
    if (same != nullptr && file) rows.append(before()) += row_json(*same);
    return same != nullptr;
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    const Result<RowPlan> plan = planner.plan(row);
    if (!plan) return tl::unexpected(plan.error());
    tell_remarks(row, remark);
    const RowRecord* record = &plan->record;
    if (file) rows.append(before()) += row_json(*plan);
    if (record->selected && record->action == Action::Submit) {
      forecaster.add(record->account, record->kind, plan->items);
    }
    if (record->selected && record->reason == Reason::Changed && changes.size() < kChangesShown) {
      changes.push_back(change_lines(*plan));
    }
    return {};
  };
  const Result<void> read = read_manifests(options.manifests, options.manifest, sink, remark, glance);
  if (const std::optional<Remark> shared = planner.photos().remark()) remark(*shared);
  printer.finish();
  const Result<void> listed = rejects->commit();
  if (!read) return tl::unexpected(printer.explain(read.error()));
  if (!listed) return tl::unexpected(listed.error());
  if (Result<void> found = planner.find_gone(); !found) return tl::unexpected(found.error());
  const IntakeCounts& counts = planner.counts();
  const Result<void> allowed = planner.finish();
  const Result<Forecast> forecast = forecaster.make();
  if (!forecast) return tl::unexpected(forecast.error());
  if (file) {
    file->write(fmt::format("{{\"counts\": {},\n {},\n {},\n \"gone\": {},\n \"rows\": [", counts_json(counts),
                            forecast_json(*forecast), plan_head_json(options, planner.digests()),
                            gone_json(counts.gone)));
    file->write(rows);
    file->write("]}\n");
    if (Result<void> written = file->commit(); !written) return tl::unexpected(written.error());
  }
  if (!options.quiet) {
    say("a run would, of {} {}:\n", counts.rows, counts.rows == 1 ? "row" : "rows");
    for (const auto& [reason, count] : counts.reasons) {
      const bool submitted = reason == Reason::New || reason == Reason::Retry || reason == Reason::Changed;
      const bool kept = reason == Reason::Changed && options.on_change == OnChange::Skip;
      const std::string_view verb = reason == Reason::InFlight  ? "poll"
                                    : reason == Reason::Held    ? "wait for"
                                    : reason == Reason::Invalid ? "refuse"
                                    : submitted && !kept        ? "submit"
                                                                : "skip";
      say("  {:<9}{:>8}  {}\n", verb, count, words_for(reason));
    }
    if (counts.not_selected > 0) say("  {:<9}{:>8}  not selected\n", "leave", counts.not_selected);
    if (!counts.gone.empty()) say("  {}", for_terminal(gone_text(counts.gone, options.list_gone)));
    for (const std::string& change : changes) say("{}", for_terminal(change));
    print_forecast(*forecast);
  }
  if (!allowed) return tl::unexpected(allowed.error());
  return 0;
}

}  // namespace reelbatch
