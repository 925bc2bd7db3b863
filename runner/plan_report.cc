#include "runner/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "jobs/json.h"
#include "jobs/registry.h"
#include "runner/atomic_file.h"
#include "runner/durations.h"
#include "runner/intake.h"
#include "runner/progress_printer.h"
#include "runner/remark_printer.h"

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

std::string row_json(const RowRecord& record) {
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
    std::string_view rest = record.detail;
    for (bool first = true; !rest.empty(); first = false) {
      const std::size_t end = rest.find(", ");
      if (!first) out += ", ";
      append_json_quoted(out, rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
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

/// What the submissions of one account and kind may cost and take.
Result<void> print_expectation(Ledger* ledger, const Options& options, const std::pair<std::string, std::string>& group,
                               std::int64_t submissions) {
  const auto& [account, kind] = group;
  const auto options_of = std::find_if(options.accounts.begin(), options.accounts.end(),
                                       [&](const AccountOptions& candidate) { return candidate.name == account; });
  std::optional<Credits> price;
  std::vector<Duration> past;
  if (const auto known = options_of->max_price.find(kind); known != options_of->max_price.end()) price = known->second;
  if (ledger != nullptr) {
    const Result<std::vector<AccountRecord>> records = ledger->accounts();
    if (!records) return tl::unexpected(records.error());
    for (const AccountRecord& record : *records) {
      if (record.name != account || price) continue;
      const Result<std::optional<Credits>> seen = ledger->highest_price(record.id, kind);
      if (!seen) return tl::unexpected(seen.error());
      price = *seen;
    }
    Result<std::vector<Duration>> durations = ledger->past_durations(kind, 200);
    if (!durations) return tl::unexpected(durations.error());
    past = std::move(*durations);
  }
  fmt::print("  {} as {}: {} submissions, credits ", for_terminal(account), kind, submissions);
  if (price) {
    fmt::print("at most {} ({} each)", to_text(Credits{price->milli * submissions}), to_text(*price));
  } else {
    fmt::print("unknown (no job of this kind has a known price yet)");
  }
  Duration needed{};
  for (const RateWindow& window : options_of->submit_rate) {
    needed = std::max(needed, window.width * (submissions - 1) / window.limit);
  }
  if (past.empty()) {
    fmt::print(", time unknown (none has finished yet), at least {} to submit them\n", about(needed));
    return {};
  }
  const Duration usual = past[past.size() / 2];
  needed = std::max(needed, usual * submissions / options_of->max_in_flight) + usual;
  fmt::print(", about {}\n", about(needed));
  return {};
}

}  // namespace

Result<int> make_plan(Ledger* ledger, const Options& options, const std::string& plan_file) {
  std::optional<AtomicFile> file;
  if (!plan_file.empty()) {
    Result<AtomicFile> opened = AtomicFile::open(plan_file);
    if (!opened) return tl::unexpected(opened.error());
    file.emplace(std::move(*opened));
  }
  Planner planner(ledger, options);
  RemarkPrinter remarks(stderr, kRemarks);
  const auto remark = [&](const Remark& found) {
    if (!options.quiet) remarks.print(found);
  };
  if (Result<void> started = planner.start(); !started) return tl::unexpected(started.error());
  std::string rows;
  std::vector<std::string> changes;
  std::map<std::pair<std::string, std::string>, std::int64_t> submissions;
  const auto before = [&] { return rows.empty() ? "\n  " : ",\n  "; };
  const auto glance = [&](const RowText& row) -> Result<bool> {
    const UnchangedRow* same = planner.unchanged(row);
    if (same != nullptr && file) rows.append(before()) += row_json(*same);
    return same != nullptr;
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    const Result<RowPlan> plan = planner.plan(row);
    if (!plan) return tl::unexpected(plan.error());
    for (const Remark& found : row.remarks) remark(found);
    const RowRecord* record = &plan->record;
    if (file) rows.append(before()) += row_json(*record);
    if (record->selected && record->action == Action::Submit) ++submissions[{record->account, record->kind}];
    if (record->selected && record->reason == Reason::Changed && changes.size() < kChangesShown) {
      changes.push_back(fmt::format("{}: {}", record->id, record->detail));
    }
    return {};
  };
  if (Result<void> read = read_manifests(options.manifests, options.manifest, sink, remark, glance); !read) {
    return tl::unexpected(read.error());
  }
  remarks.finish("`reelbatch check --all` shows every one");
  const IntakeCounts& counts = planner.counts();
  const Result<void> allowed = planner.finish();
  if (file) {
    file->write(fmt::format("{{\"counts\": {},\n \"rows\": [{}]}}\n", counts_json(counts), rows));
    if (Result<void> written = file->commit(); !written) return tl::unexpected(written.error());
  }
  if (!options.quiet) {
    fmt::print("a run would, of {} {}:\n", counts.rows, counts.rows == 1 ? "row" : "rows");
    for (const auto& [reason, count] : counts.reasons) {
      const bool submitted = reason == Reason::New || reason == Reason::Retry || reason == Reason::Changed;
      const bool kept = reason == Reason::Changed && options.on_change == OnChange::Skip;
      const std::string_view verb = reason == Reason::InFlight  ? "poll"
                                    : reason == Reason::Held    ? "wait for"
                                    : reason == Reason::Invalid ? "refuse"
                                    : submitted && !kept        ? "submit"
                                                                : "skip";
      fmt::print("  {:<9}{:>8}  {}\n", verb, count, words_for(reason));
    }
    if (counts.not_selected > 0) fmt::print("  {:<9}{:>8}  not selected\n", "leave", counts.not_selected);
    for (const std::string& change : changes) fmt::print("    changed {}\n", for_terminal(change));
    for (const auto& [group, count] : submissions) {
      if (Result<void> printed = print_expectation(ledger, options, group, count); !printed) {
        return tl::unexpected(printed.error());
      }
    }
  }
  if (!allowed) return tl::unexpected(allowed.error());
  return 0;
}

}  // namespace reelbatch
