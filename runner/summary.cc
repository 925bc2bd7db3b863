#include "runner/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "runner/durations.h"
#include "runner/progress_printer.h"

namespace reelbatch {
namespace {

std::string_view words_for(RowState state) {
  switch (state) {
    case RowState::Done:
      return "done";
    case RowState::Failed:
      return "failed";
    case RowState::TimedOut:
      return "timed out";
    case RowState::InFlight:
      return "in flight";
    case RowState::Held:
      return "held";
    case RowState::Planned:
      return "not submitted";
    case RowState::Invalid:
      return "invalid";
  }
  return "";
}

std::string plural(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string duration_text(const RunRecord& run) {
  return run.finished_at ? about(*run.finished_at - run.started_at) : "not finished";
}

std::string credits_line(const std::string& account, const CreditSums& sums) {
  std::string line = fmt::format("credits of {}: ", account);
  if (sums.used) {
    line += fmt::format("{} used", to_text(*sums.used));
    if (sums.unknown_jobs > 0)
      line += fmt::format(" (and {} of unknown price)", plural(sums.unknown_jobs, "job", "jobs"));
  } else {
    line += fmt::format("used by {} unknown", plural(sums.unknown_jobs, "job", "jobs"));
  }
  if (sums.unattributed && sums.unattributed->milli != 0)
    line += fmt::format(", {} unattributed", to_text(*sums.unattributed));
  if (sums.reserved && sums.reserved->milli != 0) line += fmt::format(", {} reserved", to_text(*sums.reserved));
  line += sums.remaining ? fmt::format(", {} remaining", to_text(*sums.remaining)) : ", remaining unknown";
  if (sums.old_since) line += fmt::format(" at {}, before the last jobs were charged", to_rfc3339(*sums.old_since));
  return line;
}

/// The first rows of a state with their reasons.
void add_examples(std::string& text, const RunReport& report, RowState state) {
  std::int64_t shown = 0;
  for (const ExampleRow& row : report.examples) {
    if (row.state != state) continue;
    const std::string where = state == RowState::Invalid ? fmt::format("{}:{}: ", row.file, row.line) : "";
    const std::string id = row.id.empty() ? "(no id)" : row.id;
    text += fmt::format("    {}{}: {}\n", where, id, row.reason);
    ++shown;
  }
  if (report.counts.selected_of(state) > shown && shown > 0) {
    text += fmt::format("    ... and {} more, see the results\n", report.counts.selected_of(state) - shown);
  }
}

/// What to do about a budget that was reached, by which it was.
std::string_view budget_step(std::string_view why) {
  const auto says = [&](std::string_view words) { return why.find(words) != std::string_view::npos; };
  if (says("overrun")) return "say in max_price what such a job may cost, then run again to continue";
  if (says("--max-credits") || says("the budget run ")) return "run again to continue: the next run has a budget anew";
  if (says("not charged yet")) return "run again when the last charges show, or buy credits or keep fewer";
  if (says("are to be kept")) return "buy credits or keep fewer, then run again to continue";
  return "raise the budget or wait for the next period, then run again to continue";
}

/// What a canary cost, and what the rows that it left out would.
std::string canary_text(const RunReport& report) {
  std::string text;
  for (const auto& [group, costs] : report.costs) {
    if (costs.left == 0) continue;
    text += fmt::format("  {} as {}: ", group.first, group.second);
    if (costs.priced == 0) {
      const auto sums = report.credits.find(group.first);
      const bool told = sums != report.credits.end() && sums->second.remaining;
      text += fmt::format("{} left out by --limit, the price of one is {}\n", plural(costs.left, "row", "rows"),
                          costs.unpriced == 0 ? "unknown: none was submitted"
                          : told              ? "not known yet: two or more with --max-in-flight 1 would tell it"
                                              : "unknown: the service told no credits");
      continue;
    }
    text += fmt::format("{} cost {} credits", plural(costs.priced, "job", "jobs"), to_text(costs.sum));
    if (costs.low != costs.high) text += fmt::format(", from {} to {} each", to_text(costs.low), to_text(costs.high));
    const auto times = [&](Credits each) { return Credits{each.milli * costs.left}; };
    // An average is not worth more than tenths of a credit.
    const auto rounded = [&](std::int64_t milli) { return costs.low == costs.high ? milli : (milli + 50) / 100 * 100; };
    const Credits likely{rounded(costs.sum.milli * costs.left / costs.priced)};
    text += fmt::format("; the {} left out by --limit would cost {}{}", plural(costs.left, "row", "rows"),
                        costs.low == costs.high ? "" : "about ", to_text(likely));
    if (costs.low != costs.high)
      text += fmt::format(" (from {} to {})", to_text(times(costs.low)), to_text(times(costs.high)));
    text += '\n';
  }
  return text;
}

std::vector<std::string> next_steps(const RunReport& report, const SummaryContext& context) {
  std::vector<std::string> steps;
  const RowCounts& counts = report.counts;
  const std::string& by = report.run.stopped_by;
  const bool incomplete = counts.selected_of(RowState::Planned) + counts.selected_of(RowState::InFlight) +
                              counts.selected_of(RowState::TimedOut) >
                          0;
  if (by == "key")
    steps.emplace_back("check the key, then run again to continue");
  else if (by == "credits")
    steps.emplace_back("buy credits, then run again to continue");
  else if (by == "budget")
    steps.emplace_back(budget_step(report.run.stopped_detail));
  else if (by == "ledger")
    steps.emplace_back("see to the ledger first, then run again with it: a new one would pay for everything again");
  else if (incomplete)
    steps.emplace_back("run again to continue, or `reelbatch resume`");
  if (!context.held.empty()) {
    steps.push_back(fmt::format(
        "look up the held rows at the service, then for each: `reelbatch resolve {} adopt JOB-ID` if the job "
        "exists, `... resubmit` if it does not, `... drop` to give it up",
        context.held.front().ref));
  }
  if (counts.selected_of(RowState::Invalid) > 0)
    steps.emplace_back("mend the invalid rows; `reelbatch check` shows every problem");
  if (counts.selected_of(RowState::Failed) > 0)
    steps.emplace_back(
        "mend the failed rows; --retry-failed submits the same content again, within retry_limit, but never "
        "what the operator dropped");
  return steps;
}

}  // namespace

std::string gone_text(const std::vector<ListingName>& gone, bool all) {
  constexpr std::size_t kNamed = 10;
  const auto count = static_cast<std::int64_t>(gone.size());
  std::string text = plural(count, "listing of the last run is not", "listings of the last run are not");
  text += " in this manifest any more:\n";
  const std::size_t named = all ? gone.size() : std::min(gone.size(), kNamed);
  for (std::size_t i = 0; i < named; ++i) {
    text += fmt::format("    {} ({}, {})\n", gone[i].ref, gone[i].kind, gone[i].account);
  }
  if (named < gone.size()) text += fmt::format("    ... and {} more; --list-gone names all\n", gone.size() - named);
  return text;
}

std::string counts_line(const RowCounts& counts) {
  if (counts.rows == 0) return "0 rows: the manifest has no listing";
  std::string line = plural(counts.rows, "row", "rows") + ": ";
  bool first = true;
  for (const RowState state : kRowStates) {
    if (counts.of(state) == 0) continue;
    line += fmt::format("{}{} {}", first ? "" : ", ", counts.of(state), words_for(state));
    if (state == RowState::Done && counts.unchanged > 0)
      line += fmt::format(" ({} from earlier runs)", counts.unchanged);
    first = false;
  }
  return line;
}

int exit_code_of(const RowCounts& counts, bool key_refused, bool address_refused) {
  if (address_refused) return 2;
  if (key_refused) return 5;
  if (counts.selected_of(RowState::Planned) + counts.selected_of(RowState::InFlight) +
          counts.selected_of(RowState::TimedOut) >
      0) {
    return 3;
  }
  if (counts.selected_of(RowState::Held) > 0) return 4;
  if (counts.selected_of(RowState::Failed) + counts.selected_of(RowState::Invalid) > 0) return 1;
  return 0;
}

std::string summary_text(const RunReport& report, const SummaryContext& context) {
  const RunRecord& run = report.run;
  std::string text =
      fmt::format("{}run {}, {}\n", run.sandbox ? "SANDBOX (nothing was paid, the videos are not real): " : "", run.uid,
                  duration_text(run));
  text += fmt::format("  {}\n", counts_line(report.counts));
  text += fmt::format("  {} sent\n", plural(report.counts.submissions, "paid request was", "paid requests were"));
  for (const auto& [account, sums] : report.credits) text += fmt::format("  {}\n", credits_line(account, sums));
  if (!context.go_on.empty()) text += canary_text(report);
  if (!run.stopped_by.empty()) text += fmt::format("  stopped by {}: {}\n", run.stopped_by, run.stopped_detail);
  for (const std::string& account : run.accounts_stopped) {
    if (account != run.stopped_detail) text += fmt::format("  {}\n", account);
  }
  for (const BudgetStop& budget : run.budgets_reached) {
    if (budget.why != run.stopped_detail) text += fmt::format("  {}: {}\n", budget.account, budget.why);
  }
  for (const RowState state :
       {RowState::Failed, RowState::TimedOut, RowState::InFlight, RowState::Held, RowState::Invalid}) {
    if (report.counts.selected_of(state) == 0) continue;
    text += fmt::format("  {}:\n", words_for(state));
    add_examples(text, report, state);
  }
  if (context.others_open > 0) {
    text += fmt::format("  {} of other manifests {} in flight\n", plural(context.others_open, "job", "jobs"),
                        context.others_open == 1 ? "is" : "are");
  }
  const std::int64_t held_elsewhere = static_cast<std::int64_t>(context.held.size()) - report.counts.of(RowState::Held);
  if (held_elsewhere > 0)
    text += fmt::format("  {} held from other manifests\n", plural(held_elsewhere, "job is", "jobs are"));
  if (!context.gone.empty()) text += fmt::format("  {}", gone_text(context.gone, context.list_gone));
  for (const std::string& output : context.outputs) text += fmt::format("  results: {}\n", output);
  const bool left =
      std::any_of(report.costs.begin(), report.costs.end(), [](const auto& c) { return c.second.left > 0; });
  if (left && !context.go_on.empty()) text += fmt::format("  next: go on with `{}`\n", context.go_on);
  for (const std::string& step : next_steps(report, context)) text += fmt::format("  next: {}\n", step);
  return for_terminal(text);
}

}  // namespace reelbatch
