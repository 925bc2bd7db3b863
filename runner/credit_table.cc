#include "runner/credit_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "jobs/json_quote.h"
#include "jobs/unicode.h"
#include "runner/csv_line.h"
#include "runner/progress_printer.h"

namespace reelbatch {
namespace {

std::string_view word_for(CreditQuery::By by) {
  switch (by) {
    case CreditQuery::By::Day:
      return "day";
    case CreditQuery::By::Week:
      return "week";
    case CreditQuery::By::Month:
      return "month";
    case CreditQuery::By::Run:
      return "run";
    case CreditQuery::By::Account:
      return "account";
    case CreditQuery::By::Kind:
      return "kind";
    case CreditQuery::By::Label:
      return "label";
  }
  return "";
}

std::string by_text(const CreditQuery& query) {
  std::string text(word_for(query.by));
  if (query.by == CreditQuery::By::Label) text += ":" + query.label;
  return text;
}

// ---- For people -----------------------------------------------------------------------------------------------------

std::string amount_or(const std::optional<Credits>& amount, std::string_view otherwise) {
  return amount ? to_text(*amount) : std::string(otherwise);
}

using Cells = std::array<std::string, 6>;

Cells cells_of(const CreditLine& line, std::string key) {
  std::replace(key.begin(), key.end(), '\n', ' ');
  return {for_terminal(key),
          std::to_string(line.jobs),
          amount_or(line.used, "unknown"),
          amount_or(line.reserved, "unknown"),
          amount_or(line.unattributed, "-"),
          std::to_string(line.unknown_jobs)};
}

std::string plural(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// Services take what a job cost from the balance late and in steps (PROVIDERS 2.8).
constexpr std::chrono::hours kChargesLate{1};

/// True if what the balance did not fall by may be no more than charges that are still to come: its last figure is not
/// much later than the answers that told the costs.
bool may_be_charged_later(const AccountCredits& account) {
  const auto& balance = account.balance;
  if (!balance || !balance->told_at || balance->last_at > *balance->told_at + kChargesLate) return false;
  return Credits{} - account.sums.unattributed.value_or(Credits{}) <= account.sums.used.value_or(Credits{});
}

std::string account_text(const AccountCredits& account) {
  const CreditLine& sums = account.sums;
  std::string text = fmt::format("\naccount {}\n", sums.key);
  if (account.balance) {
    const BalanceChange& balance = *account.balance;
    text += fmt::format("  balance {} first ({}), {} last ({})\n", to_text(balance.first), to_rfc3339(balance.first_at),
                        to_text(balance.last), to_rfc3339(balance.last_at));
    const Credits fall = balance.first - balance.last;
    text += fmt::format("  it {} {}: {} used by jobs, {} unattributed", fall.milli < 0 ? "rose by" : "fell by",
                        to_text(fall.milli < 0 ? Credits{} - fall : fall), amount_or(sums.used, "unknown"),
                        to_text(sums.unattributed.value_or(Credits{})));
    // Of a balance that could not be read at the end.
    const bool is_old = balance.after_last.milli > 0 && balance.after_last == balance.elsewhere;
    if (is_old) {
      text += fmt::format(
          ", of which {} are not in it: the last balance is from before they were charged, and none was "
          "told since",
          to_text(balance.elsewhere));
    } else if (balance.elsewhere.milli > 0) {
      text += fmt::format(", of which {} show before or after these figures", to_text(balance.elsewhere));
    } else if (balance.elsewhere.milli < 0) {
      text += fmt::format(", and {} of jobs that count before or after", to_text(Credits{} - balance.elsewhere));
    }
    text += '\n';
  } else {
    text += "  balance unknown: no answer told it in this time\n";
  }
  const Credits left = sums.unattributed.value_or(Credits{});
  if (sums.unknown_jobs > 0) {
    text += fmt::format("  the price of {} is not known{}\n", plural(sums.unknown_jobs, "job", "jobs"),
                        left.milli > 0 ? ": unattributed is theirs, or was spent by others on the account" : "");
  } else if (left.milli > 0) {
    text += fmt::format("  {} more than its jobs cost were spent: others use the account too\n", to_text(left));
  }
  if (left.milli < 0 && may_be_charged_later(account)) {
    text += fmt::format(
        "  {} of what its jobs cost are not in its fall: the balance may not show the last charges yet, unless credits "
        "came back or were bought\n",
        to_text(Credits{} - left));
  } else if (left.milli < 0) {
    text += fmt::format("  {} came back to it or were bought, as far as figures tell\n", to_text(Credits{} - left));
  }
  AccountRecord record;
  record.name = sums.key;
  record.credit_meaning = account.meaning;
  record.credit_evidence = account.evidence;
  return text + fmt::format("  {}\n", meaning_text(record));
}

std::string table_text(const CreditReport& report, const std::string& zone) {
  std::vector<Cells> rows = {{by_text(report.query), "jobs", "used", "reserved", "unattributed", "unknown_jobs"}};
  for (const CreditLine& line : report.lines) rows.push_back(cells_of(line, line.key.empty() ? "(none)" : line.key));
  if (report.unattributed)
    rows.push_back({"(unattributed)", "", "", "", amount_or(report.unattributed->unattributed, "-"), ""});
  rows.push_back(cells_of(report.sums, "sum"));
  std::array<std::size_t, 6> widths{};
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], count_code_points(row[i]));
  }
  const CreditQuery& query = report.query;
  std::string text = fmt::format("credits by {}", by_text(query));
  if (query.since) text += fmt::format(", from {}", to_rfc3339(*query.since));
  if (query.until) text += fmt::format(", until {}", to_rfc3339(*query.until));
  text = for_terminal(text + fmt::format("; days are local, {}; times are UTC\n\n", zone));
  for (const Cells& row : rows) {
    std::string line = row[0] + std::string(widths[0] - count_code_points(row[0]), ' ');
    for (std::size_t i = 1; i < row.size(); ++i) {
      line += fmt::format("  {}{}", std::string(widths[i] - row[i].size(), ' '), row[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  for (const AccountCredits& account : report.accounts) text += for_terminal(account_text(account));
  return text;
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

void add_amount(CsvLine& csv, const std::optional<Credits>& amount) {
  // A number, so that no guard is put before a minus.
  if (amount) {
    csv.cell(to_text(*amount));
  } else {
    csv.empty();
  }
}

void add_csv(std::string& out, CsvLine& csv, std::string_view what, const CreditLine& line,
             const std::optional<BalanceChange>& balance, const std::string& zone) {
  csv.cell(line.key);
  csv.number(line.jobs);
  add_amount(csv, line.used);
  add_amount(csv, line.reserved);
  add_amount(csv, line.unattributed);
  csv.number(line.unknown_jobs);
  csv.cell(what);
  if (balance) {
    add_amount(csv, balance->first);
    csv.time(balance->first_at);
    add_amount(csv, balance->last);
    csv.time(balance->last_at);
    add_amount(csv, balance->elsewhere);
  } else {
    for (int i = 0; i < 5; ++i) csv.empty();
  }
  csv.cell(zone);
  out += csv.end();
}

std::string csv_text(const CreditReport& report, const std::string& zone) {
  CsvLine csv;
  std::string out;
  for (const std::string_view column :
       {"key", "jobs", "used", "reserved", "unattributed", "unknown_jobs", "line", "balance_first", "balance_first_at",
        "balance_last", "balance_last_at", "balance_elsewhere", "time_zone"}) {
    csv.cell(column);
  }
  out += csv.end();
  const std::string_view by = word_for(report.query.by);
  for (const CreditLine& line : report.lines) add_csv(out, csv, by, line, {}, zone);
  if (report.unattributed) add_csv(out, csv, "unattributed", *report.unattributed, {}, zone);
  CreditLine sum = report.sums;
  sum.key = "sum";
  add_csv(out, csv, "sum", sum, {}, zone);
  for (const AccountCredits& account : report.accounts)
    add_csv(out, csv, "balance", account.sums, account.balance, zone);
  return out;
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

std::string quoted_or_null(std::string_view text) {
  return text.empty() ? "null" : json_quote(text);
}

std::string amounts_json(const CreditLine& line) {
  return fmt::format(R"("jobs": {}, "used": {}, "reserved": {}, "unattributed": {}, "unknown_jobs": {})", line.jobs,
                     amount_or(line.used, "null"), amount_or(line.reserved, "null"),
                     amount_or(line.unattributed, "null"), line.unknown_jobs);
}

std::string balance_json(const std::optional<BalanceChange>& balance) {
  if (!balance) return "null";
  return fmt::format(R"({{"first": {}, "first_at": "{}", "last": {}, "last_at": "{}", "elsewhere": {}}})",
                     to_text(balance->first), to_rfc3339(balance->first_at), to_text(balance->last),
                     to_rfc3339(balance->last_at), to_text(balance->elsewhere));
}

std::string json_of(const CreditReport& report, const std::string& zone) {
  const auto time = [](const std::optional<WallTime>& at) { return at ? '"' + to_rfc3339(*at) + '"' : "null"; };
  const CreditQuery& query = report.query;
  std::string out = fmt::format(
      "{{\"version\": \"{}\",\n \"by\": {}, \"since\": {}, \"until\": {}, \"time_zone\": {},\n", REELBATCH_VERSION,
      json_quote(by_text(query)), time(query.since), time(query.until), json_quote(zone));
  out += " \"lines\": [";
  std::string_view before = "\n  ";
  for (const CreditLine& line : report.lines) {
    out += fmt::format("{}{{\"key\": {}, {}}}", before, json_quote(line.key), amounts_json(line));
    before = ",\n  ";
  }
  if (report.unattributed) {
    out += fmt::format("{}{{\"key\": null, {}}}", before, amounts_json(*report.unattributed));
  }
  out += fmt::format("],\n \"sums\": {{{}}},\n \"accounts\": {{", amounts_json(report.sums));
  before = "\n  ";
  for (const AccountCredits& account : report.accounts) {
    out += fmt::format("{}{}: {{{}, \"balance\": {},\n    \"credits_used_is\": {}, \"evidence\": {}}}", before,
                       json_quote(account.sums.key), amounts_json(account.sums), balance_json(account.balance),
                       quoted_or_null(account.meaning), quoted_or_null(account.evidence));
    before = ",\n  ";
  }
  out += "},\n \"balance\": {";
  before = "\n  ";
  for (const AccountCredits& account : report.accounts) {
    out += fmt::format("{}{}: {}", before, json_quote(account.sums.key), balance_json(account.balance));
    before = ",\n  ";
  }
  return out + "}}\n";
}

}  // namespace

std::string meaning_text(const AccountRecord& account) {
  if (account.credit_meaning.empty()) {
    return fmt::format(
        "whether credits used are a job's or the account's is undecided: prices stay unknown until answers tell; who "
        "knows it writes accounts: {{{}: {{credits: job}}}} (or account) into the configuration",
        account.name);
  }
  // What was concluded says so itself.
  if (account.credit_evidence.starts_with("credits used")) return account.credit_evidence;
  return fmt::format("credits used are the {}'s: {}", account.credit_meaning,
                     account.credit_evidence.empty() ? "no evidence is kept" : account.credit_evidence);
}

std::string credit_text(const CreditReport& report, CreditFormat format, const std::string& zone) {
  switch (format) {
    case CreditFormat::Csv:
      return csv_text(report, zone);
    case CreditFormat::Json:
      return json_of(report, zone);
    case CreditFormat::Table:
      break;
  }
  return table_text(report, zone);
}

}  // namespace reelbatch
