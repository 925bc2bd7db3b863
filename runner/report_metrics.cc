#include <fmt/format.h>

#include "runner/report_formats.h"

namespace reelbatch {
namespace {

/// A label's value, as the text format wants it.
std::string label_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

/// Gauges, one name after the other: the format wants all samples of a name together.
class Gauges {
 public:
  void name(std::string_view name, std::string_view help) {
    name_ = name;
    head_ = fmt::format("# HELP reelbatch_{0} {1}\n# TYPE reelbatch_{0} gauge\n", name, help);
  }
  /// Of the last name, which is only written if it has a sample.
  void sample(std::string_view value) { add("", value); }
  void sample(std::string_view label, std::string_view text, std::string_view value) {
    add(fmt::format("{{{}=\"{}\"}}", label, label_text(text)), value);
  }
  const std::string& text() const { return text_; }

 private:
  void add(const std::string& labels, std::string_view value) {
    text_ += std::exchange(head_, {});
    text_ += fmt::format("reelbatch_{}{} {}\n", name_, labels, value);
  }

  std::string_view name_;
  std::string head_, text_;
};

std::string seconds_since_1970(WallTime time) {
  return fmt::format("{}", std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

void add_credits(Gauges& gauges, const std::map<std::string, CreditSums>& credits, std::string_view name,
                 std::string_view help, std::optional<Credits> CreditSums::*figure) {
  gauges.name(name, help);
  for (const auto& [account, sums] : credits) {
    if (sums.*figure) gauges.sample("account", account, to_text(*(sums.*figure)));
  }
}

}  // namespace

Result<void> write_metrics(Ledger&, const RunReport& report, AtomicFile& file) {
  const RunRecord& run = report.run;
  Gauges gauges;
  gauges.name("info", "Always 1; which program wrote this, and whether nothing of it was real.");
  gauges.sample("version", REELBATCH_VERSION, "1");
  gauges.name("run_sandbox", "1 if the run was against the sandbox.");
  gauges.sample(run.sandbox ? "1" : "0");
  gauges.name("run_rows", "Rows of the last run by state.");
  for (const RowState state : kRowStates) {
    gauges.sample("state", name_of(state), std::to_string(report.counts.of(state)));
  }
  gauges.name("run_rows_unchanged", "Rows that are done with the video of an earlier run.");
  gauges.sample(std::to_string(report.counts.unchanged));
  gauges.name("run_submissions", "Paid requests of the last run.");
  gauges.sample(std::to_string(report.counts.submissions));
  gauges.name("run_started_time_seconds", "When the last run began, seconds since 1970.");
  gauges.sample(seconds_since_1970(run.started_at));
  gauges.name("run_finished_time_seconds", "When it ended, seconds since 1970.");
  if (run.finished_at) gauges.sample(seconds_since_1970(*run.finished_at));
  gauges.name("run_exit_code", "How it ended: 0 is that every selected row has its video.");
  if (run.exit_code) gauges.sample(std::to_string(*run.exit_code));
  gauges.name("run_stopped", "1 with what stopped the run, if anything did.");
  if (!run.stopped_by.empty()) gauges.sample("by", run.stopped_by, "1");

  add_credits(gauges, report.credits, "credits_used", "Credits that the jobs of the last run are known to have cost.",
              &CreditSums::used);
  add_credits(gauges, report.credits, "credits_reserved", "Credits that open jobs may still cost.",
              &CreditSums::reserved);
  add_credits(gauges, report.credits, "credits_remaining", "The last balance seen.", &CreditSums::remaining);
  add_credits(gauges, report.credits, "credits_unattributed",
              "By what the balance fell beyond what jobs are known to have cost.", &CreditSums::unattributed);
  gauges.name("jobs_unknown_price", "Jobs of the last run whose price is not known.");
  for (const auto& [account, sums] : report.credits) {
    gauges.sample("account", account, std::to_string(sums.unknown_jobs));
  }
  file.write(gauges.text());
  return {};
}

}  // namespace reelbatch
