// Budgets by label value: which rows they let through, which wait for open jobs of their value, which are left to a
// later run.
#include <fmt/format.h>

#include <algorithm>

#include "jobs/json.h"
#include "runner/runner.h"
#include "runner/runner_state.h"

namespace reelbatch {
namespace {

/// Rows of one label value that wait for its budget; those after them are left to a later run, and come after them.
constexpr std::size_t kWaitingMost = 4096;

}  // namespace

/// The budgets that count the row, by its labels.
Result<void> Runner::read_groups(const Account& account, Pending& row) const {
  const std::vector<LabelBudget>& budgets = account.options.budget.labels;
  if (budgets.empty() || row.row.labels.empty()) return {};
  JsonReader reader;
  std::vector<Label> labels;
  if (Result<void> read = read_labels_json(row.row.labels, reader, labels); !read) return read;
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    const bool has = std::find(labels.begin(), labels.end(), Label{budgets[i].label, budgets[i].value}) != labels.end();
    if (has) row.groups.push_back(i + 1);
  }
  return {};
}

/// The group whose budget has no room for the row now, with the reason; kAll if there is none.
Spending::Group Runner::refused_by(Account& account, const Pending& row, std::string& why) const {
  if (row.groups.empty()) return Spending::kAll;
  const Spending::Price price = price_of(account, *row.kind);
  for (const Spending::Group group : row.groups) {
    why = account.by_label[group - 1].full;
    if (why.empty()) why = account.spending.passed_by(price, group);
    // Until a price is known, one at a time.
    const bool one_at_a_time = !price.known() && account.spending.needs_prices();
    if (why.empty() && one_at_a_time && !account.spending.unlimited(group) && account.spending.has_open(group)) {
      why = "the price of its kind is not known yet";
    }
    if (!why.empty()) return group;
  }
  return Spending::kAll;
}

/// The row waits for the group's open jobs, or the group has no room any more in this run.
void Runner::pass_over(Account& account, Pending row, Spending::Group group, std::string why) {
  Account::LabelGroup& label = account.by_label[group - 1];
  if (label.full.empty() && account.spending.has_open(group)) {
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
  for (std::size_t i = 0; i < account.by_label.size(); ++i) {
    Account::LabelGroup& label = account.by_label[i];
    if (label.waiting.empty()) continue;
    std::string why;
    const Spending::Group group = refused_by(account, label.waiting.front(), why);
    if (group != Spending::kAll && account.spending.has_open(group) && account.by_label[group - 1].full.empty())
      continue;
    Pending row = std::move(label.waiting.front());
    label.waiting.pop_front();
    if (group == Spending::kAll) return put_back(account, row);
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
