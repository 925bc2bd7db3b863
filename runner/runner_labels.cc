// Budgets by label value: which rows they let through, which wait for open jobs of their value, which are left to a
// later run.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobs/json.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

/// Rows of one label value that wait for its budget; those after them are left to a later run, and come after them.
constexpr std::size_t kWaitingMost = 4096;

}  // namespace

/// The budgets that count a row with these labels.
Result<std::vector<Spending::Group>> Runner::groups_of(const Account& account, std::string_view json) const {
  const std::vector<LabelBudget>& budgets = account.options.budget.labels;
  std::vector<Spending::Group> groups;
  if (budgets.empty() || json.empty()) return groups;
  JsonReader reader;
  std::vector<Label> labels;
  if (Result<void> read = read_labels_json(json, reader, labels); !read) return tl::unexpected(read.error());
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    const bool has = std::find(labels.begin(), labels.end(), Label{budgets[i].label, budgets[i].value}) != labels.end();
    if (has) groups.push_back(i + 1);
  }
  return groups;
}

/// The group whose budget has no room for the row now, with the reason; kAll if there is none.
Spending::Group Runner::refused_by(Account& account, const Pending& row, std::string& why) const {
  if (row.groups.empty()) return Spending::kAll;
  const Spending::Price price = price_of(account, *row.kind);
  for (const Spending::Group group : row.groups) {
    why = account.by_label[group - 1].full;
    if (why.empty()) why = account.spending.passed_by(price, group);
    // Until a price is known, one at a time.
    if (why.empty() && !price.known() && !account.spending.unlimited(group) && account.spending.has_open(group)) {
      why = "the price of its kind is not known yet";
    }
    if (!why.empty()) return group;
  }
  return Spending::kAll;
}

/// True if rows of the group that have no room now may have some later in this run.
bool Runner::may_make_room(Account& account, Spending::Group group) {
  Account::LabelGroup& label = account.by_label[group - 1];
  if (!label.full.empty()) return false;
  if (account.spending.has_open(group) || label.found_open > 0 || label.renew) return true;
  if (!label.found_ended) return false;
  // The ledger knows what they cost as soon as this turn is written.
  label.found_ended = false;
  label.renew = account.passing = true;
  return true;
}

/// Sets the caps anew of groups of which jobs ended that another process had submitted, and none is open.
Result<void> Runner::renew_groups(Account& account) {
  for (std::size_t i = 0; i < account.by_label.size(); ++i) {
    if (!std::exchange(account.by_label[i].renew, false)) continue;
    const auto renew = [&](std::optional<Credits> LabelBudget::*limit, std::string_view name, RunId run,
                           WallTime since) { return renew_label_budgets(account, limit, name, run, since, i + 1); };
    Result<void> done = renew(&LabelBudget::run, "run", run_, WallTime{});
    if (done) done = renew(&LabelBudget::day, "day", 0, account.budget_day);
    if (done) done = renew(&LabelBudget::month, "month", 0, account.budget_month);
    if (!done) return done;
  }
  return {};
}

/// The row waits for the group's open jobs, or the group has no room any more in this run.
void Runner::pass_over(Account& account, Pending row, Spending::Group group, std::string why) {
  Account::LabelGroup& label = account.by_label[group - 1];
  if (may_make_room(account, group)) {
    // Beyond that many it would take long until it is theirs, and memory for all of them.
    if (label.waiting.size() < kWaitingMost) {
      label.waiting.push_back(std::move(row));
    } else {
      label.passed = std::move(why);
    }
    return;
  }
  if (label.full.empty()) {
    progress_.warn(fmt::format("{}: its rows are passed over in this run: {}", account.record.name, why));
  }
  label.full = label.passed = std::move(why);
  label.waiting.clear();
}

/// Rows that waited for open jobs of their label value go on when those left room for them.
void Runner::take_up_waiting(Account& account) {
  // One at a time, or those behind would overtake it while it cannot be sent yet.
  if (!account.ready.empty() && account.ready.front().row.number == account.taken_up) return;
  for (std::size_t i = 0; i < account.by_label.size(); ++i) {
    Account::LabelGroup& label = account.by_label[i];
    if (label.waiting.empty()) continue;
    std::string why;
    const Spending::Group group = refused_by(account, label.waiting.front(), why);
    if (group != Spending::kAll && may_make_room(account, group)) continue;
    Pending row = std::move(label.waiting.front());
    label.waiting.pop_front();
    if (group == Spending::kAll) {
      account.taken_up = row.row.number;
      return put_back(account, row);
    }
    pass_over(account, std::move(row), group, std::move(why));
  }
}

/// A budget whose label no row has would limit nothing and say nothing.
Result<void> Runner::warn_of_labels(const Account& account) {
  if (account.options.budget.labels.empty()) return {};
  const Result<std::vector<std::string>> names = ledger_.label_names(run_);
  if (!names) return tl::unexpected(names.error());
  std::string_view last;
  for (const LabelBudget& budget : account.options.budget.labels) {
    if (budget.label == last || std::find(names->begin(), names->end(), budget.label) != names->end()) continue;
    last = budget.label;
    progress_.warn(fmt::format("account {} has a budget by label:{}, and no row has that label: it limits nothing",
                               account.record.name, budget.label));
  }
  return {};
}

}  // namespace reelbatch
