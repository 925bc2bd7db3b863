#include "runner/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "jobs/json_quote.h"
#include "jobs/unicode.h"
#include "runner/csv_line.h"
#include "runner/report_formats.h"

namespace reelbatch {
namespace {

constexpr std::array<std::string_view, 15> kColumns = {
    "id",          "kind",    "account", "state",       "url",    "job_id", "credits_used", "submitted_at",
    "finished_at", "seconds", "polls",   "submissions", "reason", "file",   "line"};
constexpr std::size_t kExamples = 5;

std::string maybe_time(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : std::string();
}

std::string seconds_text(std::chrono::milliseconds time) {
  CsvLine text;
  text.seconds(time);
  const std::string_view line = text.end();
  return std::string(line.substr(0, line.size() - 2));
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

/// A column's label in a row, empty if the row has none.
std::string_view label_of(const ResultRow& row, std::size_t column, const std::string& name) {
  if (column < row.labels.size() && row.labels[column].name == name) return row.labels[column].value;
  const auto label = std::find_if(row.labels.begin(), row.labels.end(),
                                  [&](const Label& candidate) { return candidate.name == name; });
  return label == row.labels.end() ? std::string_view() : label->value;
}

void add_time(CsvLine& line, const std::optional<WallTime>& time) {
  time ? line.time(*time) : line.empty();
}

void add_credits(CsvLine& line, const std::optional<Credits>& credits) {
  if (credits && credits->milli % 1000 == 0) {
    line.number(credits->milli / 1000);
  } else {
    line.cell(credits ? to_text(*credits) : "");
  }
}

void add_cells(CsvLine& line, const ResultRow& row, const std::vector<std::string>& names) {
  line.cell(row.id);
  line.cell(row.kind);
  line.cell(row.account);
  line.cell(name_of(row.state));
  line.cell(row.url);
  line.cell(row.job_id);
  add_credits(line, row.credits_used);
  add_time(line, row.submitted_at);
  add_time(line, row.finished_at);
  row.took ? line.seconds(*row.took) : line.empty();
  row.polls ? line.number(*row.polls) : line.empty();
  line.number(row.submissions);
  line.cell(row.reason);
  line.cell(row.file);
  line.number(static_cast<std::int64_t>(row.line));
  for (std::size_t i = 0; i < names.size(); ++i) line.cell(label_of(row, i, names[i]));
}

/// Lines of packed rows, each as add_cells() would have it of the row's ResultRow. What most of them share is written
/// once, and nothing is copied but into the line.
class PackedLines {
 public:
  /// names  of the label columns; must outlive the lines.
  explicit PackedLines(const std::vector<std::string>& names) : names_(names) {}

  void add_cells(CsvLine& line, const PackedRow& row) {
    if (row.new_shape) take_shape(row);
    const JobFacts& facts = row.facts;
    line.cell(row.row.id);
    line.written(behind_id_);
    line.cell(facts.url);
    line.cell(facts.remote_id);
    add_credits(line, row.cost);
    add_time(line, facts.submitted_at);
    add_time(line, facts.finished_at);
    const auto took = time_between(facts.accepted_at, facts.finished_at);
    took ? line.seconds(*took) : line.empty();
    facts.accepted_at ? line.number(facts.polls) : line.empty();
    line.written(behind_polls_);
    line.number(static_cast<std::int64_t>(row.row.line));
    for (const std::size_t value : values_) value == kNone ? line.empty() : line.cell(row.label_values[value]);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void take_shape(const PackedRow& row) {
    behind_id_ = written({row.row.kind, row.row.account, name_of(RowState::Done)});
    behind_polls_ = written({"0", "unchanged", row.file});
    values_.clear();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i < row.label_names.size() && row.label_names[i] == names_[i]) {
        values_.push_back(i);
        continue;
      }
      const auto label = std::find(row.label_names.begin(), row.label_names.end(), names_[i]);
      const bool there = label != row.label_names.end();
      values_.push_back(there ? static_cast<std::size_t>(label - row.label_names.begin()) : kNone);
    }
  }

  /// Cells as they stand behind another one.
  static std::string written(std::initializer_list<std::string_view> cells) {
    CsvLine line;
    line.empty();
    for (const std::string_view cell : cells) line.cell(cell);
    const std::string_view text = line.end();
    return std::string(text.substr(0, text.size() - 2));
  }

  const std::vector<std::string>& names_;
  std::string behind_id_, behind_polls_;
  std::vector<std::size_t> values_;  ///< for each column which of the row's labels it shows
};

Result<void> write_csv(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  const Result<std::vector<std::string>> names = ledger.label_names(report.run.id);
  if (!names) return tl::unexpected(names.error());
  CsvLine line;
  for (const std::string_view column : kColumns) line.cell(column);
  for (const std::string& name : *names) {
    std::string column = name;
    const auto taken = [&] {
      return std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end() ||
             (column != name && std::find(names->begin(), names->end(), column) != names->end());
    };
    while (taken()) column = "label:" + column;
    line.cell(column);
  }
  file.write(line.end());
  const auto write = [&](const ResultRow& row) -> Result<void> {
    add_cells(line, row, *names);
    file.write(line.end());
    return {};
  };
  PackedLines packed_lines(*names);
  const auto write_packed = [&](const PackedRow& row) {
    packed_lines.add_cells(line, row);
    file.write(line.end());
  };
  return each_row(ledger, report.run, write, write_packed);
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
  object.raw("seconds", row.took ? seconds_text(*row.took) : "null");
  object.raw("polls", row.polls ? std::to_string(*row.polls) : "null");
  object.number("submissions", row.submissions);
  object.text_or_null("reason", row.reason);
  object.text("file", row.file);
  object.number("line", static_cast<std::int64_t>(row.line));
  JsonObject labels;
  for (const Label& label : row.labels) labels.text(label.name, label.value);
  object.raw("labels", labels.take());
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

struct Format {
  std::string_view ending;
  Result<void> (*write)(Ledger& ledger, const RunReport& report, AtomicFile& file);
};

constexpr std::array<Format, 6> kFormats = {{{".csv", write_csv},
                                             {".json", write_json},
                                             {".jsonl", write_json_lines},
                                             {".html", write_page},
                                             {".xml", write_junit},
                                             {".prom", write_metrics}}};

constexpr auto kEndings = [] {
  std::array<std::string_view, kFormats.size()> endings;
  for (std::size_t i = 0; i < endings.size(); ++i) endings[i] = kFormats[i].ending;
  return endings;
}();

Result<void> write_format(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  const std::string ending = ascii_lower(std::filesystem::path(file.path()).extension().string());
  const auto format =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& known) { return known.ending == ending; });
  return (format == kFormats.end() ? kFormats.front() : *format).write(ledger, report, file);
}

void add_costs(RunReport& report, const RowView& view, const ResultRow& row, std::span<const std::string> only) {
  const bool asked_for = only.empty() || std::find(only.begin(), only.end(), view.row.id) != only.end();
  const bool left = !row.selected && row.state == RowState::Planned && view.row.action == Action::Submit && asked_for;
  if (row.submissions == 0 && !left) return;
  KindCosts& costs = report.costs[{view.row.account, view.row.kind}];
  if (left) {
    ++costs.left;
  } else if (!row.credits_used) {
    ++costs.unpriced;
  } else {
    const Credits cost = *row.credits_used;
    costs.low = costs.priced == 0 ? cost : std::min(costs.low, cost);
    costs.high = costs.priced == 0 ? cost : std::max(costs.high, cost);
    costs.sum = costs.sum + cost;
    ++costs.priced;
  }
}

}  // namespace

std::span<const std::string_view> output_endings() {
  return kEndings;
}

Result<void> each_row(Ledger& ledger, const RunRecord& run, const std::function<Result<void>(const ResultRow&)>& visit,
                      const std::function<void(const PackedRow&)>& packed) {
  return ledger.for_each_row(
      run.id, [&](const RowView& view) { return visit(result_row(view, run)); }, packed);
}

Result<RowCounts> count_rows(Ledger& ledger, RunId run) {
  RowCounts counts;
  const Result<std::vector<RowCount>> changing = ledger.count_changing_rows(run);
  if (!changing) return tl::unexpected(changing.error());
  for (const RowCount& count : *changing) counts.add(count);
  const Result<UnchangedCounts> unchanged = ledger.unchanged_rows(run);
  if (!unchanged) return tl::unexpected(unchanged.error());
  counts.add(*unchanged);
  return counts;
}

Result<RunReport> make_report(Ledger& ledger, const RunRecord& run, std::span<const std::string> only) {
  RunReport report;
  report.run = run;
  std::array<std::size_t, kRowStates.size()> shown{};
  const Result<void> walked = ledger.for_each_changing_row(run.id, [&](const RowView& view) -> Result<void> {
    const ResultRow row = result_row(view, run);
    report.counts.add(row);
    add_costs(report, view, row, only);
    if (row.state != RowState::Done && row.state != RowState::Planned && row.selected &&
        shown[static_cast<std::size_t>(row.state)]++ < kExamples) {
      report.examples.push_back({row.state, std::string(row.id), row.reason, std::string(row.file), row.line});
    }
    return {};
  });
  if (!walked) return tl::unexpected(walked.error());
  const Result<UnchangedCounts> unchanged = ledger.unchanged_rows(run.id);
  if (!unchanged) return tl::unexpected(unchanged.error());
  report.counts.add(*unchanged);
  const Result<std::vector<AccountRecord>> accounts = ledger.accounts();
  if (!accounts) return tl::unexpected(accounts.error());
  for (const AccountRecord& account : *accounts) {
    const Result<CreditSums> sums = ledger.credit_sums(account.id, run.id);
    if (!sums) return tl::unexpected(sums.error());
    report.credits[account.name] = *sums;
  }
  return report;
}

Result<ReportWriter> ReportWriter::open(const std::vector<std::string>& paths,
                                        const std::vector<std::string>& manifests) {
  ReportWriter writer;
  for (const std::string& path : paths) {
    for (const std::string& manifest : manifests) {
      if (std::error_code ignored; std::filesystem::equivalent(path, manifest, ignored)) {
        return usage_error(fmt::format("'{}' would be written over a manifest: choose another file", path));
      }
    }
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
