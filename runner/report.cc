#include "runner/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <functional>
#include <memory>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/// Nothing in it needs care in a CSV cell: no control character, no comma, no quotation mark. Asked for every cell of
/// millions of rows, so sixteen bytes at a time.
bool is_ordinary(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'), del = _mm_set1_epi8(0x7f);
  const __m128i last_control = _mm_set1_epi8(0x1f);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, quote));
    const __m128i found = _mm_or_si128(_mm_or_si128(control, marks), _mm_cmpeq_epi8(bytes, del));
    if (_mm_movemask_epi8(found) != 0) return false;
  }
#endif
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < 0x20 || c == ',' || c == '"' || c == 0x7f) return false;
  }
  return true;
}

void append_csv_cell(std::string& out, std::string_view text) {
  const bool formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos && !is_number(text);
  // Other control characters than a line's own mean something to a terminal that shows the file, and nothing to a
  // table.
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
  };
  bool plain = true, quoted = false;
  if (!is_ordinary(text)) {
    for (const char c : text) {
      if (c == ',' || c == '"' || c == '\r' || c == '\n') quoted = true;
      if (c == '"' || is_control(c)) plain = false;
    }
  }
  if (quoted) out += '"';
  if (formula) out += '\'';
  if (plain) {
    out += text;
  } else {
    for (const char c : text) {
      if (c == '"') out += '"';
      out += is_control(c) ? '?' : c;
    }
  }
  if (quoted) out += '"';
}

std::string maybe_time(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : std::string();
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

/// Seconds with as many decimals as there are, at most three.
void append_seconds(std::string& out, std::chrono::milliseconds time) {
  // A clock that was set back may have ended a job before it began.
  const std::int64_t ms = time.count();
  if (ms < 0) out += '-';
  const std::int64_t size = ms < 0 ? -ms : ms;
  append_number(out, size / 1000);
  if (size % 1000 == 0) return;
  const std::array<char, 4> decimals = {'.', static_cast<char>('0' + size / 100 % 10),
                                        static_cast<char>('0' + size / 10 % 10), static_cast<char>('0' + size % 10)};
  const std::string_view text(decimals.data(), decimals.size());
  out += text.substr(0, text.find_last_not_of('0') + 1);
}

std::string seconds_text(std::chrono::milliseconds time) {
  std::string text;
  append_seconds(text, time);
  return text;
}

using Visit = std::function<Result<void>(const ResultRow&)>;

Result<void> each_row(Ledger& ledger, const RunRecord& run, const Visit& visit) {
  return ledger.for_each_row(run.id, [&](const RowView& view) { return visit(result_row(view, run)); });
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

/// A column's label in a row, empty if the row has none.
std::string_view label_of(const ResultRow& row, std::size_t column, const std::string& name) {
  if (column < row.labels.size() && row.labels[column].name == name) return row.labels[column].value;
  const auto label = std::find_if(row.labels.begin(), row.labels.end(),
                                  [&](const Label& candidate) { return candidate.name == name; });
  return label == row.labels.end() ? std::string_view() : label->value;
}

void append_csv_row(std::string& line, const ResultRow& row, const std::vector<std::string>& names) {
  append_csv_cell(line, row.id);
  const auto cell = [&](std::string_view text) {
    line += ',';
    append_csv_cell(line, text);
  };
  cell(row.kind);
  cell(row.account);
  cell(name_of(row.state));
  cell(row.url);
  cell(row.job_id);
  cell(row.credits_used ? to_text(*row.credits_used) : "");
  line += ',';
  if (row.submitted_at) append_rfc3339(line, *row.submitted_at);
  line += ',';
  if (row.finished_at) append_rfc3339(line, *row.finished_at);
  line += ',';
  if (row.took) append_seconds(line, *row.took);
  line += ',';
  if (row.polls) append_number(line, *row.polls);
  line += ',';
  append_number(line, row.submissions);
  cell(row.reason);
  cell(row.file);
  line += ',';
  append_number(line, static_cast<std::int64_t>(row.line));
  for (std::size_t i = 0; i < names.size(); ++i) cell(label_of(row, i, names[i]));
  line += "\r\n";
}

Result<void> write_csv(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  const Result<std::vector<std::string>> names = ledger.label_names(report.run.id);
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
    line.clear();
    append_csv_row(line, row, *names);
    file.write(line);
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
  append_csv_cell(cell, text);
  return cell;
}

Result<RunReport> make_report(Ledger& ledger, const RunRecord& run) {
  RunReport report;
  report.run = run;
  std::array<std::size_t, kRowStates.size()> shown{};
  const Result<void> walked = ledger.for_each_changing_row(run.id, [&](const RowView& view) -> Result<void> {
    const ResultRow row = result_row(view, run);
    report.counts.add(row);
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
