#include "runner/progress_printer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "runner/say.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBarEvery = 200ms;
constexpr Duration kPlainEvery = 10s;
constexpr Duration kPlainEveryLater = 60s;  ///< after the first minute: cron mails what is printed
constexpr Duration kFirstMinute = 60s;

std::string words(const ProgressCounts& counts) {
  std::string text = fmt::format("{} done, {} in flight, {} to submit", counts.done, counts.in_flight, counts.planned);
  if (counts.failed > 0) text += fmt::format(", {} failed", counts.failed);
  if (counts.held > 0) text += fmt::format(", {} held", counts.held);
  if (counts.timed_out > 0) text += fmt::format(", {} timed out", counts.timed_out);
  return text;
}

/// U+202A to U+202E and U+2066 to U+2069 make a terminal show text in another order than it stands in.
bool is_direction_mark(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(text[1]), third = static_cast<unsigned char>(text[2]);
  return (second == 0x80 && third >= 0xaa && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

std::int64_t settled(const ProgressCounts& counts) {
  return counts.done + counts.failed + counts.held + counts.timed_out;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                    static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) {
      safe += '?';
      ++i;
    } else if (is_direction_mark(text.substr(i))) {
      safe += '?';
      i += 2;
    } else if ((byte < 0x20 && byte != '\n') || byte == 0x7f) {
      safe += byte == '\t' ? ' ' : '?';
    } else {
      safe += text[i];
    }
  }
  return safe;
}

ProgressStyle effective_style(ProgressStyle style, bool is_terminal) {
  if (style != ProgressStyle::Auto) return style;
  return is_terminal ? ProgressStyle::Bar : ProgressStyle::Plain;
}

ProgressPrinter::ProgressPrinter(const Clock& clock, Settings settings)
    : clock_(clock), settings_(std::move(settings)), started_(clock.now()), next_show_(started_) {}

ProgressPrinter::~ProgressPrinter() {
  clear_line();
}

void ProgressPrinter::update(const ProgressCounts& counts, Instant now) {
  counts_ = counts;
  total_ = std::max(total_, counts.planned + counts.in_flight + settled(counts));
  if (now >= next_show_ && !(counts_ == shown_)) show(now);
}

void ProgressPrinter::show(Instant now) {
  shown_ = counts_;
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - started_);
  switch (settings_.style) {
    case ProgressStyle::Auto:
    case ProgressStyle::None:
      return;
    case ProgressStyle::Bar:
      next_show_ = now + kBarEvery;
      say(settings_.screen, "\r\x1b[K{}/{} {} ({:%M:%S})", settled(counts_), total_, words(counts_), elapsed);
      line_is_open_ = true;
      break;
    case ProgressStyle::Plain:
      next_show_ = now + (now - started_ < kFirstMinute ? kPlainEvery : kPlainEveryLater);
      say(settings_.screen, "{} {}\n", to_rfc3339(clock_.wall()), words(counts_));
      break;
    case ProgressStyle::Json:
      next_show_ = now + 1s;
      say(settings_.screen,
          "{{\"time\":\"{}\",\"planned\":{},\"in_flight\":{},\"done\":{},\"failed\":{},\"held\":{},\"timed_out\":{},"
          "\"requests\":{}}}\n",
          to_rfc3339(clock_.wall()), counts_.planned, counts_.in_flight, counts_.done, counts_.failed, counts_.held,
          counts_.timed_out, counts_.requests);
      break;
  }
  std::fflush(settings_.screen);
}

void ProgressPrinter::finish() {
  if (!(counts_ == shown_)) show(clock_.now());
  clear_line();
}

void ProgressPrinter::clear_line() {
  if (line_is_open_) say(settings_.screen, "\n");
  line_is_open_ = false;
}

void ProgressPrinter::warn(std::string_view text) {
  log(LogLevel::Warning, "warning", text);
}
void ProgressPrinter::info(std::string_view text) {
  log(LogLevel::Info, "info", text);
}
void ProgressPrinter::detail(std::string_view text) {
  log(LogLevel::Debug, "debug", text);
}

void ProgressPrinter::alarm(std::string_view text) {
  clear_line();
  say(stderr, "{}\n", for_terminal(text));
  if (settings_.log != stderr) log(LogLevel::Error, "error", text);
}

void ProgressPrinter::log(LogLevel level, std::string_view name, std::string_view text) {
  if (level > settings_.level) return;
  if (settings_.log == settings_.screen) clear_line();
  std::string line = for_terminal(text);
  std::replace(line.begin(), line.end(), '\n', ' ');  // one event, one line
  say(settings_.log, "{} {} {}: {}\n", to_rfc3339(clock_.wall(), true), settings_.run, name, line);
  std::fflush(settings_.log);
}

}  // namespace reelbatch
