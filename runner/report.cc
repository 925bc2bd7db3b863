#include "runner/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <memory>

#include "jobs/json.h"

namespace reelbatch {
namespace {

constexpr std::array<std::string_view, 15> kColumns = {
    "id",          "kind",    "account", "state",       "url",    "job_id", "credits_used", "submitted_at",
    "finished_at", "seconds", "polls",   "submissions", "reason", "file",   "line"};
constexpr std::size_t kExamples = 5;

/// A plain number may begin with a sign.
bool is_number(std::string_view text) {
  bool digits = false, dot = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      digits = true;
    } else if (c == '.' && !dot) {
      dot = true;
    } else if (i != 0 || (c != '-' && c != '+')) {
      return false;
    }
  }
  return digits;
}

std::string maybe_time(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : std::string();
}

std::string seconds_text(double seconds) {
  std::string text = fmt::format("{:.3f}", seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// The labels of a row, in its order.
Result<std::vector<std::pair<std::string, std::string>>> labels_of(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> labels;
  if (json.empty()) return labels;
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(json);
  if (!root) return tl::unexpected(root.error());
  for (const auto member : root->get_object()) {
    std::string_view value;
    if (member.value.get(value) == simdjson::SUCCESS) labels.emplace_back(member.key, value);
  }
  return labels;
}

using Visit = std::function<Result<void>(const ResultRow&)>;

Result<void> each_row(Ledger& ledger, const RunRecord& run, const Visit& visit) {
  return ledger.for_each_row(run.id, [&](const RowView& view) { return visit(result_row(view, run)); });
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

/// Every label that any row has, in the order first met: rows of several manifests may differ.
Result<std::vector<std::string>> label_columns(Ledger& ledger, const RunRecord& run) {
  std::vector<std::string> names;
  std::string last;
  const auto visit = [&](const RowView& view) -> Result<void> {
    const Result<std::vector<std::pair<std::string, std::string>>> labels = labels_of(view.row.labels);
    if (!labels) return tl::unexpected(labels.error());
    for (const auto& [name, value] : *labels) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return {};
  };
  if (Result<void> done = ledger.for_each_row(run.id, visit); !done) return tl::unexpected(done.error());
  return names;
}

Result<void> write_csv(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  const Result<std::vector<std::string>> names = label_columns(ledger, report.run);
  if (!names) return tl::unexpected(names.error());
  std::string line = fmt::format("{}", fmt::join(kColumns, ","));
  for (const std::string& name : *names) {
    std::string column = name;
    const auto taken = [&] {
      return std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end() ||
             (column != name && std::find(names->begin(), names->end(), column) != names->end());
    };
    while (taken()) column = "label:" + column;
    line += ',' + csv_cell(column);
  }
  file.write(line + "\r\n");
  return each_row(ledger, report.run, [&](const ResultRow& row) -> Result<void> {
    const auto labels = labels_of(row.labels);
    if (!labels) return tl::unexpected(labels.error());
    line = csv_cell(row.id);
    const auto cell = [&](std::string_view text) { line += ',' + csv_cell(text); };
    cell(row.kind);
    cell(row.account);
    cell(name_of(row.state));
    cell(row.url);
    cell(row.job_id);
    cell(row.credits_used ? to_text(*row.credits_used) : "");
    cell(maybe_time(row.submitted_at));
    cell(maybe_time(row.finished_at));
    cell(row.seconds ? seconds_text(*row.seconds) : "");
    cell(row.polls ? std::to_string(*row.polls) : "");
    cell(std::to_string(row.submissions));
    cell(row.reason);
    cell(row.file);
    cell(std::to_string(row.line));
    for (const std::string& name : *names) {
      const auto label =
          std::find_if(labels->begin(), labels->end(), [&](const auto& pair) { return pair.first == name; });
      cell(label == labels->end() ? "" : label->second);
    }
    file.write(line + "\r\n");
    return {};
  });
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

/// Builds one JSON object, member by member.
class JsonObject {
 public:
  void text(std::string_view name, std::string_view value) {
    member(name);
    append_json_quoted(out_, value);
  }
  void text_or_null(std::string_view name, std::string_view value) {
    value.empty() ? raw(name, "null") : text(name, value);
  }
  void raw(std::string_view name, std::string_view json) {
    member(name);
    out_ += json;
  }
  void number(std::string_view name, std::int64_t value) { raw(name, std::to_string(value)); }
  void credits(std::string_view name, const std::optional<Credits>& value) {
    raw(name, value ? to_text(*value) : "null");
  }
  std::string take() { return std::move(out_) + '}'; }

 private:
  void member(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_quoted(out_, name);
    out_ += ':';
  }
  std::string out_ = "{";
};

std::string row_json(const ResultRow& row) {
  JsonObject object;
  object.text("id", row.id);
  object.text_or_null("kind", row.kind);
  object.text_or_null("account", row.account);
  object.text("state", name_of(row.state));
  object.text_or_null("url", row.url);
  object.text_or_null("job_id", row.job_id);
  object.credits("credits_used", row.credits_used);
  object.text_or_null("submitted_at", maybe_time(row.submitted_at));
  object.text_or_null("finished_at", maybe_time(row.finished_at));
  object.raw("seconds", row.seconds ? seconds_text(*row.seconds) : "null");
  object.raw("polls", row.polls ? std::to_string(*row.polls) : "null");
  object.number("submissions", row.submissions);
  object.text_or_null("reason", row.reason);
  object.text("file", row.file);
  object.number("line", static_cast<std::int64_t>(row.line));
  object.raw("labels", row.labels.empty() ? "{}" : row.labels);
  return object.take();
}

std::string run_json(const RunRecord& run) {
  JsonObject object;
  object.text("id", run.uid);
  object.text("started_at", to_rfc3339(run.started_at));
  object.text_or_null("finished_at", maybe_time(run.finished_at));
  object.raw("exit_code", run.exit_code ? std::to_string(*run.exit_code) : "null");
  object.text_or_null("stopped_by", run.stopped_by);
  object.raw("sandbox", run.sandbox ? "true" : "false");
  return object.take();
}

std::string counts_json(const RowCounts& counts) {
  JsonObject object;
  for (const RowState state : kRowStates) object.number(name_of(state), counts.of(state));
  return object.take();
}

std::string credits_json(const std::map<std::string, CreditSums>& credits) {
  JsonObject accounts;
  for (const auto& [name, sums] : credits) {
    JsonObject object;
    object.credits("used", sums.used);
    object.credits("reserved", sums.reserved);
    object.credits("remaining", sums.remaining);
    object.credits("unattributed", sums.unattributed);
    accounts.raw(name, object.take());
  }
  return accounts.take();
}

Result<void> write_json(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  file.write(fmt::format("{{\"version\": \"{}\",\n \"run\": {},\n \"counts\": {},\n \"credits\": {},\n \"rows\": [",
                         REELBATCH_VERSION, run_json(report.run), counts_json(report.counts),
                         credits_json(report.credits)));
  bool first = true;
  const Result<void> done = each_row(ledger, report.run, [&](const ResultRow& row) -> Result<void> {
    file.write(first ? "\n  " : ",\n  ");
    first = false;
    file.write(row_json(row));
    return {};
  });
  file.write("]}\n");
  return done;
}

Result<void> write_json_lines(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  return each_row(ledger, report.run, [&](const ResultRow& row) -> Result<void> {
    file.write(row_json(row) + '\n');
    return {};
  });
}

Result<void> write_format(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  std::string ending = std::filesystem::path(file.path()).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".json") return write_json(ledger, report, file);
  if (ending == ".jsonl") return write_json_lines(ledger, report, file);
  return write_csv(ledger, report, file);
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string cell;
  const bool formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos && !is_number(text);
  if (formula) cell = "'";
  for (const char c : text) {
    // Other control characters than a line's own mean something to a terminal that shows the file, and nothing to a
    // table.
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
    cell += control ? '?' : c;
  }
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Result<RunReport> make_report(Ledger& ledger, const RunRecord& run) {
  RunReport report;
  report.run = run;
  std::array<std::size_t, kRowStates.size()> shown{};
  const Result<void> walked = each_row(ledger, run, [&](const ResultRow& row) -> Result<void> {
    report.counts.add(row);
    if (row.state != RowState::Done && row.state != RowState::Planned && row.selected &&
        shown[static_cast<std::size_t>(row.state)]++ < kExamples) {
      report.examples.push_back(row);
    }
    return {};
  });
  if (!walked) return tl::unexpected(walked.error());
  const Result<std::vector<AccountRecord>> accounts = ledger.accounts();
  if (!accounts) return tl::unexpected(accounts.error());
  for (const AccountRecord& account : *accounts) {
    const Result<CreditSums> sums = ledger.credit_sums(account.id, run.id);
    if (!sums) return tl::unexpected(sums.error());
    report.credits[account.name] = *sums;
  }
  return report;
}

Result<ReportWriter> ReportWriter::open(const std::vector<std::string>& paths) {
  ReportWriter writer;
  for (const std::string& path : paths) {
    Result<AtomicFile> file = AtomicFile::open(path);
    if (!file) return tl::unexpected(file.error());
    writer.files_.push_back(std::move(*file));
  }
  return writer;
}

Result<void> ReportWriter::write(Ledger& ledger, const RunReport& report) {
  for (AtomicFile& file : files_) {
    if (Result<void> written = write_format(ledger, report, file); !written) return written;
  }
  for (AtomicFile& file : files_) {
    if (Result<void> committed = file.commit(); !committed) return committed;
  }
  return {};
}

}  // namespace reelbatch
