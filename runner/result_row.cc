#include "runner/result_row.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

RowState state_of(Action action, std::optional<State> state) {
  if (action == Action::Invalid) return RowState::Invalid;
  if (!state) return RowState::Planned;
  switch (*state) {
    case State::Planned:
      return RowState::Planned;
    // Only a run that goes on, or one that died, leaves it so: to everyone else it may have been accepted.
    case State::Submitting:
      return RowState::Held;
    case State::InFlight:
      return RowState::InFlight;
    case State::TimedOut:
      return RowState::TimedOut;
    case State::Held:
      return RowState::Held;
    case State::Done:
      return RowState::Done;
    case State::Failed:
    case State::Dropped:
      return RowState::Failed;
  }
  return RowState::Planned;
}

std::string change_words(const RowView& view) {
  std::string words = "changed: " + view.row.detail;
  if (!view.previous_url.empty()) words += "; the video before: " + view.previous_url;
  return words;
}

std::string why_planned(const RowView& view, const RunRecord& run) {
  if (!view.row.selected) return view.row.detail.starts_with("replaced") ? view.row.detail : "not selected";
  if (!run.finished_at) return "waits to be submitted";
  for (const BudgetStop& stop : run.budgets_reached) {
    const std::vector<Label>& labels = view.row.labels;
    if (stop.account == view.row.account &&
        std::find(labels.begin(), labels.end(), Label{stop.label, stop.value}) != labels.end()) {
      return "not submitted: " + stop.why;
    }
  }
  for (const std::string& stopped : run.accounts_stopped) {
    if (stopped.starts_with(view.row.account + ": "))
      return "not submitted: " + stopped.substr(view.row.account.size() + 2);
  }
  return run.stopped_detail.empty() ? "not submitted" : "not submitted: " + run.stopped_detail;
}

std::string reason_words(const RowView& view, RowState state, const RunRecord& run) {
  std::string words;
  switch (state) {
    case RowState::Invalid:
      return view.row.detail;
    case RowState::Planned:
      words = why_planned(view, run);
      break;
    case RowState::Failed:
      words = view.state == State::Dropped ? "dropped by the operator" : view.reason;
      if (view.row.reason == Reason::FailedBefore) words += " (failed before, same content)";
      break;
    case RowState::Held:
      words = view.state == State::Submitting ? "was being submitted; it is unknown whether the service took it"
                                              : view.reason;
      break;
    case RowState::InFlight:
      words = "accepted, not finished";
      break;
    case RowState::TimedOut:
      words = "not finished within the job timeout; later runs go on polling";
      if (!view.reason.empty()) words += " (" + view.reason + ")";
      break;
    case RowState::Done:
      if (view.row.reason == Reason::Unchanged) words = "unchanged";
      if (!view.reason.empty()) words += (words.empty() ? "" : "; ") + view.reason;
      if (!view.overtaken_by.empty()) {
        words +=
            fmt::format("{}overtaken by {}, which made the video anew", words.empty() ? "" : "; ", view.overtaken_by);
      }
      break;
  }
  if (view.repairs > 0) {
    words += fmt::format("{}{} made again", words.empty() ? "" : "; ",
                         view.repairs == 1 ? "1 part" : fmt::format("{} parts", view.repairs));
  }
  if (!view.repair_in_doubt.empty()) {
    words += fmt::format("{}it is unknown whether the service took {}, which is not sent again by itself",
                         words.empty() ? "" : "; ", view.repair_in_doubt);
  }
  if (view.row.reason == Reason::Changed) {
    if (view.row.action == Action::Skip) {
      return change_words(view) + "; kept by --on-change skip" + (words.empty() ? "" : "; " + words);
    }
    words += (words.empty() ? "" : "; ") + change_words(view);
  }
  return words;
}

}  // namespace

std::optional<std::chrono::milliseconds> time_between(const std::optional<WallTime>& from,
                                                      const std::optional<WallTime>& to) {
  return from && to && *to >= *from ? std::optional(*to - *from) : std::nullopt;
}

std::string_view name_of(RowState state) {
  switch (state) {
    case RowState::Done:
      return "done";
    case RowState::Failed:
      return "failed";
    case RowState::TimedOut:
      return "timed_out";
    case RowState::InFlight:
      return "in_flight";
    case RowState::Held:
      return "held";
    case RowState::Planned:
      return "planned";
    case RowState::Invalid:
      return "invalid";
  }
  return "planned";
}

ResultRow result_row(const RowView& view, const RunRecord& run) {
  ResultRow row;
  row.id = view.row.id;
  row.kind = view.row.kind;
  row.account = view.row.account;
  row.state = state_of(view.row.action, view.state);
  row.job_id = view.remote_id;
  row.submissions = view.submissions;
  row.file = view.row.file;
  row.line = view.row.line;
  row.labels = view.row.labels;
  row.selected = view.row.selected;
  row.unchanged = view.row.action == Action::Skip;
  row.reason = reason_words(view, row.state, run);
  if (row.state == RowState::Planned || row.state == RowState::Invalid) return row;
  row.url = view.url;
  row.credits_used = view.cost;
  row.submitted_at = view.submitted_at;
  row.finished_at = view.finished_at;
  if (view.accepted_at) row.polls = view.polls;
  row.took = time_between(view.accepted_at, view.finished_at);
  return row;
}

void RowCounts::add(const UnchangedCounts& packed) {
  constexpr auto kDone = static_cast<std::size_t>(RowState::Done);
  rows += packed.rows;
  all[kDone] += packed.rows;
  selected[kDone] += packed.selected;
  unchanged += packed.rows;
}

void RowCounts::add(const ResultRow& row) {
  add(row.state, row.selected, row.unchanged, 1, row.submissions);
}

void RowCounts::add(const RowCount& count) {
  add(state_of(count.action, count.state), count.selected, count.action == Action::Skip, count.rows, count.submissions);
}

void RowCounts::add(RowState state, bool is_selected, bool was_done, std::int64_t count, std::int64_t paid) {
  rows += count;
  all[static_cast<std::size_t>(state)] += count;
  if (is_selected) selected[static_cast<std::size_t>(state)] += count;
  submissions += paid;
  if (state == RowState::Done && was_done) unchanged += count;
}

}  // namespace reelbatch
