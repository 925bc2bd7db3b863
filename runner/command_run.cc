// `run` and `resume`: from a manifest, or a run that is not finished, to results.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>

#include "runner/command_words.h"
#include "runner/commands.h"
#include "runner/curl_transport.h"
#include "runner/downloads.h"
#include "runner/intake.h"
#include "runner/plan_file.h"
#include "runner/progress_printer.h"
#include "runner/rejects_file.h"
#include "runner/remark_printer.h"
#include "runner/report.h"
#include "runner/run_phases.h"
#include "runner/sandbox_process.h"
#include "runner/say.h"
#include "runner/session.h"
#include "runner/stop.h"
#include "runner/summary.h"

namespace reelbatch {
namespace {

/// Remarks of one kind shown during a run; `check` shows them all.
constexpr std::int64_t kRemarks = 10;

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// One word of a command that an operator may copy.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=:,@+";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// The run of the same manifests without a limit.
std::string go_on_command(const Options& options) {
  std::string command = "reelbatch run";
  const Options usual;
  if (!options.config_file.empty()) command += " --config " + shell_word(options.config_file);
  if (options.sandbox) command += " --sandbox";
  if (options.ledger != usual.ledger && !options.sandbox) command += " --ledger " + shell_word(options.ledger);
  for (const std::string& manifest : options.manifests) command += " " + shell_word(manifest);
  for (const std::string& id : options.only) command += " --only " + shell_word(id);
  return command;
}

/// One run with everything it holds, in the order in which it is set up and the reverse in which it goes.
class RunJob {
 public:
  explicit RunJob(const Options& options) : options_(options) {}

  int start_and_finish(const std::string* resume_uid) {
    const Result<void> ready = set_up(resume_uid);
    if (!ready) {
      if (session_ && run_.id == 0) session_->unmake_ledger();
      return report_error(ready.error());
    }
    const Result<int> code = work();
    return code ? *code : report_error(code.error());
  }

 private:
  Result<void> set_up(const std::string* resume_uid);
  Result<void> open_log();
  Result<void> start_sandbox();
  Result<void> find_run(const std::string& uid);
  Result<void> take_manifests();
  Result<int> work();
  Result<int> finish(const Result<RunOutcome>& outcome);
  Result<void> download(const RunRecord& run, int& code);
  Instant download_until() const;
  void print_summary(const RunReport& report, bool written);
  RunSetting setting() { return {options_, clock_, *progress_, *session_}; }

  const Options& options_;
  SystemClock clock_;
  std::optional<SignalStop> stop_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_{nullptr, &std::fclose};
  std::optional<ProgressPrinter> progress_;
  std::optional<ReportWriter> writer_;
  std::optional<RejectsFile> rejects_;
  std::optional<Downloads> downloads_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<SandboxProcess> sandbox_;
  RunRecord run_;
  WallTime began_at_;  ///< this process, which may go on with an older run
  std::vector<ListingName> gone_;
};

Result<void> RunJob::set_up(const std::string* resume_uid) {
  stop_.emplace();
  run_.started_at = began_at_ = clock_.wall();
  run_.uid = make_run_uid(run_.started_at, std::random_device()());
  run_.sandbox = options_.sandbox;
  const auto if_missing = resume_uid == nullptr ? Session::IfMissing::Make : Session::IfMissing::Fail;
  Result<std::unique_ptr<Session>> session = Session::open(options_, clock_, if_missing);
  if (!session) return tl::unexpected(session.error());
  session_ = std::move(*session);
  if (resume_uid != nullptr) {
    if (Result<void> found = find_run(*resume_uid); !found) return found;
  }
  if (Result<void> opened = open_log(); !opened) return opened;
  const Result<std::vector<std::string>> manifests =
      resume_uid == nullptr ? options_.manifests : session_->ledger().manifests_of(run_.id);
  if (!manifests) return tl::unexpected(manifests.error());
  Result<ReportWriter> writer = ReportWriter::open(options_.outputs, *manifests);
  if (!writer) return tl::unexpected(writer.error());
  writer_ = std::move(*writer);
  if (!options_.download.empty()) {
    Result<Downloads> downloads = Downloads::open(options_.download);
    if (!downloads) return tl::unexpected(downloads.error());
    downloads_ = std::move(*downloads);
  }
  Result<RejectsFile> rejects = RejectsFile::open(resume_uid == nullptr ? options_.rejects : "");
  if (!rejects) return tl::unexpected(rejects.error());
  rejects_.emplace(std::move(*rejects));
  if (options_.sandbox) {
    if (Result<void> started = start_sandbox(); !started) return started;
  }

  const Result<void> prepared = resume_uid == nullptr ? take_manifests() : prepare_resumed_run(setting(), run_);
  if (prepared && session_->made_ledger() && !options_.sandbox)
    progress_->warn(fmt::format("made a new ledger: {}", full_path(options_.ledger)));
  for (const std::string& warning : session_->warnings()) progress_->warn(warning);
  return prepared;
}

Result<void> RunJob::open_log() {
  ProgressPrinter::Settings settings;
  settings.style =
      options_.quiet ? ProgressStyle::None : effective_style(options_.progress, isatty(STDERR_FILENO) == 1);
  settings.level = options_.quiet && options_.log_file.empty() ? LogLevel::Error : options_.log_level;
  settings.run = run_.uid;
  if (!options_.log_file.empty()) {
    log_.reset(std::fopen(options_.log_file.c_str(), "ae"));
    if (!log_) {
      return ground_error(fmt::format("cannot open the log {}: {}", options_.log_file, std::strerror(errno)));
    }
    settings.log = log_.get();
  }
  progress_.emplace(clock_, settings);
  return {};
}

/// The services, played by a child of this process; what they remember stands beside the ledger.
Result<void> RunJob::start_sandbox() {
  const std::string state = std::filesystem::path(full_path(options_.ledger)).replace_extension(".state").string();
  Result<std::unique_ptr<SandboxProcess>> started = SandboxProcess::start({"sandbox", "--port", "0", "--state", state});
  if (!started) return tl::unexpected(started.error());
  sandbox_ = std::move(*started);
  session_->set_base_url(sandbox_->base_url());
  if (!options_.quiet) {
    say(stderr, "This is the SANDBOX at {}: nothing is paid, no real service is asked, the videos are not real.\n",
        sandbox_->base_url());
  }
  return {};
}

Result<void> RunJob::find_run(const std::string& uid) {
  const Result<std::optional<RunRecord>> found = session_->ledger().run(uid);
  if (!found) return tl::unexpected(found.error());
  if (!*found) {
    return usage_error(uid.empty() ? fmt::format("the ledger {} has no run yet", options_.ledger)
                                   : fmt::format("the ledger {} has no run {}", options_.ledger, uid));
  }
  run_ = **found;
  const Result<RunReport> rows = make_report(session_->ledger(), run_);
  if (!rows) return tl::unexpected(rows.error());
  if (rows->counts.rows > 0) return {};
  return usage_error(
      fmt::format("the rows of run {} are no longer kept (keep_runs): run its manifest again", run_.uid));
}

Result<void> RunJob::take_manifests() {
  RemarkPrinter printer(stderr, options_, kRemarks, isatty(STDERR_FILENO) == 1);
  const auto remark = [&](const Remark& found) {
    rejects_->add(found);
    if (!options_.quiet || found.level == Remark::Level::File) printer.print(found);
  };
  Result<IntakeCounts> counts = prepare_run(setting(), run_, remark);
  printer.finish();
  Result<void> kept = rejects_->commit();
  if (!counts) return tl::unexpected(printer.explain(counts.error()));
  gone_ = std::move(counts->gone);
  return kept;
}

Result<int> RunJob::work() {
  TransportOptions transport_options;
  transport_options.max_connections = options_.max_connections;
  transport_options.request_timeout = options_.request_timeout;
  transport_options.ca_file = options_.ca_file;
  transport_options.wake_fd = stop_->wake_fd();
  Result<std::unique_ptr<CurlTransport>> transport = make_curl_transport(clock_, transport_options);
  if (!transport) return tl::unexpected(transport.error());
  Rng rng(draw_seed());
  SignalStop::expect_work();
  const Result<RunOutcome> outcome = work_on_run(setting(), run_, **transport, *stop_, rng);
  progress_->finish();
  return finish(outcome);
}

/// Records the end, writes the results, says what happened.
Result<int> RunJob::finish(const Result<RunOutcome>& outcome) {
  const Result<EndedRun> ended = end_run(setting(), run_, outcome);
  if (!ended) return tl::unexpected(ended.error());
  int code = ended->exit_code;
  Result<void> written = writer_->write(session_->ledger(), ended->report);
  for (const Result<void>* result : {&ended->recorded, static_cast<const Result<void>*>(&written)}) {
    if (!*result) code = report_error(result->error());
  }
  if (!outcome) report_error(outcome.error());

  // A feed without a single row is seldom what was meant: that is said even where nothing else is.
  if (!options_.quiet || code != 0 || ended->report.counts.rows == 0) print_summary(ended->report, written.has_value());
  if (Result<void> done = download(ended->report.run, code); !done) return tl::unexpected(done.error());
  return code;
}

/// code  of the run: raised where a video is missing and nothing else was wrong.
Result<void> RunJob::download(const RunRecord& run, int& code) {
  if (!downloads_ || code == 7) return {};
  VideoFetcher fetcher(clock_, {.ca_file = options_.ca_file, .wake_fd = stop_->wake_fd()});
  const Result<DownloadCounts> counts =
      downloads_->fetch(session_->ledger(), run, fetcher, clock_, *stop_, *progress_, download_until());
  if (!counts) return tl::unexpected(counts.error());
  if (code == 0 && counts->failed > 0) code = 1;
  if (counts->left > 0 && (code == 0 || code == 1)) code = 3;
  if (!options_.quiet || code != 0) say("  {}\n", words_of(*counts));
  return {};
}

Instant RunJob::download_until() const {
  if (!options_.deadline) return kNever;
  const WallTime wall = clock_.wall();
  const WallTime end =
      options_.deadline->at
          ? *options_.deadline->at
          : began_at_ + std::chrono::duration_cast<std::chrono::milliseconds>(*options_.deadline->after);
  return clock_.now() + Duration(end - wall);
}

void RunJob::print_summary(const RunReport& report, bool written) {
  SqliteLedger& ledger = session_->ledger();
  SummaryContext context;
  if (written) context.outputs = options_.outputs;
  context.ledger = options_.ledger;
  if (options_.limit) context.go_on = go_on_command(options_);
  if (const auto held = ledger.held_jobs()) context.held = *held;
  context.gone = gone_;
  context.list_gone = options_.list_gone;
  if (const auto counts = ledger.counts()) {
    const auto of = [&](State state) {
      const auto found = counts->jobs.find(state);
      return found == counts->jobs.end() ? 0 : found->second;
    };
    context.others_open = of(State::InFlight) + of(State::TimedOut) - report.counts.of(RowState::InFlight) -
                          report.counts.of(RowState::TimedOut);
  }
  say("{}", summary_text(report, context));
}

}  // namespace

int command_run(const Options& options, const RunCommand& command) {
  if (command.plan_file.empty()) return RunJob(options).start_and_finish(nullptr);
  Invocation planned{command, options};
  if (const Result<void> read = keep_to_plan(command.plan_file, planned.options); !read) {
    return report_error(read.error());
  }
  // The plan's manifests are known only now.
  if (const Result<void> apart = check_files_differ(planned); !apart) return report_error(apart.error());
  return RunJob(planned.options).start_and_finish(nullptr);
}

int command_resume(const Options& options, const ResumeCommand& command) {
  return RunJob(options).start_and_finish(&command.run);
}

}  // namespace reelbatch
