// Progress as a person or a machine reads it, on standard error: a live line, plain lines, JSON lines, or nothing. Also
// the log.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "runner/options.h"
#include "runner/progress.h"

namespace reelbatch {

/// Text from feeds and servers with control characters made harmless for a terminal.
std::string for_terminal(std::string_view text);

class ProgressPrinter final : public Progress {
 public:
  struct Settings {
    ProgressStyle style = ProgressStyle::Plain;  ///< never Auto
    LogLevel level = LogLevel::Info;
    std::string run;             ///< its id, on each log line
    std::FILE* screen = stderr;  ///< where progress goes
    std::FILE* log = stderr;     ///< where the log goes
  };
  ProgressPrinter(const Clock& clock, Settings settings);
  ~ProgressPrinter() override;

  void update(const ProgressCounts& counts, Instant now) override;
  void warn(std::string_view text) override;
  void detail(std::string_view text) override;
  void alarm(std::string_view text) override;
  void info(std::string_view text);

  /// Shows the last counts and leaves the line: call before anything else is printed.
  void finish();

 private:
  void log(LogLevel level, std::string_view name, std::string_view text);
  void show(Instant now);
  void clear_line();

  const Clock& clock_;
  const Settings settings_;
  ProgressCounts counts_;
  ProgressCounts shown_;
  std::int64_t total_ = 0;
  Instant started_;
  Instant next_show_;
  bool line_is_open_ = false;
};

/// What `auto` means here: a live line on a terminal, a few plain lines otherwise.
ProgressStyle effective_style(ProgressStyle style, bool is_terminal);

}  // namespace reelbatch
