#include <fmt/format.h>

#include "runner/report_formats.h"

namespace reelbatch {
namespace {

/// The element that a row's state is told by; nothing for one that passes.
std::string_view element_for(RowState state) {
  switch (state) {
    case RowState::Done:
      return "";
    case RowState::Failed:
    case RowState::Invalid:
      return "failure";
    case RowState::Held:
    case RowState::TimedOut:
      return "error";
    case RowState::InFlight:
    case RowState::Planned:
      return "skipped";
  }
  return "";
}

std::int64_t count_of(const RowCounts& counts, std::string_view element) {
  std::int64_t count = 0;
  for (const RowState state : kRowStates) count += element_for(state) == element ? counts.of(state) : 0;
  return count;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{}.{:03}", time.count() / 1000, time.count() % 1000);
}

std::string case_xml(const ResultRow& row) {
  std::string out = fmt::format("  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                                escape_markup(row.kind.empty() ? "row" : row.kind),
                                escape_markup(row.id.empty() ? "(no id)" : row.id), escape_markup(row.file), row.line);
  if (row.took) out += fmt::format(" time=\"{}\"", seconds(*row.took));
  const std::string_view element = element_for(row.state);
  if (element.empty() && row.url.empty()) return out + "/>\n";
  out += '>';
  if (!element.empty()) {
    const std::string reason = escape_markup(row.reason);
    const std::string type = element == "skipped" ? "" : fmt::format(" type=\"{}\"", name_of(row.state));
    out += fmt::format("<{0} message=\"{1}: {2}\"{3}/>", element, name_of(row.state), reason, type);
  }
  if (!row.url.empty()) out += fmt::format("<system-out>{}</system-out>", escape_markup(row.url));
  return out + "</testcase>\n";
}

}  // namespace

Result<void> write_junit(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  const RunRecord& run = report.run;
  std::string head = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", report.counts.rows,
                                 count_of(report.counts, "failure"), count_of(report.counts, "error"),
                                 count_of(report.counts, "skipped"));
  if (run.finished_at && *run.finished_at >= run.started_at) {
    head += fmt::format(" time=\"{}\"", seconds(*run.finished_at - run.started_at));
  }
  std::string started = to_rfc3339(run.started_at);
  started.pop_back();  // JUnit's times have no zone; these are UTC
  file.write(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"reelbatch\" {0}>\n"
                  " <testsuite name=\"reelbatch{1}\" timestamp=\"{2}\" {0}>\n"
                  "  <properties><property name=\"run\" value=\"{3}\"/></properties>\n",
                  head, run.sandbox ? " sandbox" : "", started, escape_markup(run.uid)));
  const Result<void> done = each_row(ledger, run, [&](const ResultRow& row) -> Result<void> {
    file.write(case_xml(row));
    return {};
  });
  file.write(" </testsuite>\n</testsuites>\n");
  return done;
}

}  // namespace reelbatch
