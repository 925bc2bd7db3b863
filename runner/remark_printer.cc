#include "runner/remark_printer.h"

#include <fmt/format.h>

#include <algorithm>

#include "runner/progress_printer.h"
#include "runner/say.h"
#include "runner/text_source.h"

namespace reelbatch {
namespace {

constexpr std::size_t kFilesMax = 20;  ///< lines shown between those of an error
constexpr std::size_t kMendsMax = 1000;

/// The same for remarks that differ only in numbers and in what they quote.
std::string kind_of(const Remark& remark) {
  std::string kind = remark.field + ':';
  bool quoted = false;
  for (const char c : remark.message) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && (c < '0' || c > '9')) kind += c;
  }
  return kind;
}

/// The same for what was mended in the same way in rows of one file: without examples, numbers and the endings that go
/// with numbers (`1 address`, `2 addresses`).
std::string kind_of_mend(const Remark& remark) {
  constexpr std::size_t kStem = 4;
  std::string_view message = remark.message;
  message = message.substr(0, message.find(" (row starts on line "));
  const std::size_t quote = std::min(message.find('\''), message.size());
  const std::size_t end = message.rfind('\'') + 1;  // 0 if there is none
  std::string kind = remark.file + '\n' + remark.field + ':';
  std::size_t letters = 0;
  for (std::size_t at = 0; at < message.size(); at = at + 1 == quote ? std::max(end, at + 1) : at + 1) {
    const char c = message[at];
    letters = c == ' ' ? 0 : letters + 1;
    if (letters <= kStem && (c < '0' || c > '9')) kind += c;
  }
  return kind;
}

std::optional<Encoding> stated_encoding(const Options& options) {
  return options.manifest.encoding ? encoding_named(*options.manifest.encoding) : std::nullopt;
}

}  // namespace

RemarkPrinter::RemarkPrinter(std::FILE* out, const Options& options, std::int64_t most, bool shows_lines,
                             bool every_mend)
    : out_(out),
      options_(options),
      most_(most),
      shows_lines_(shows_lines),
      every_mend_(every_mend),
      source_(stated_encoding(options)) {}

void RemarkPrinter::print(const Remark& remark) {
  if (remark.level == Remark::Level::File) {
    if (shows_lines_ && files_.size() < kFilesMax) files_.emplace_back(remark.text(), lines_of(remark));
    return;
  }
  if (keep_mend(remark)) return;
  if ((remark.repeats && !every_mend_) || (most_ > 0 && ++seen_[kind_of(remark)] > most_)) {
    ++left_out_;
    return;
  }
  print_line(remark);
  if (!shows_lines_ || remark.level != Remark::Level::Error) return;
  if (const std::string lines = lines_of(remark); !lines.empty()) say(out_, "{}\n", lines);
}

void RemarkPrinter::print_line(const Remark& remark) {
  const char* level = remark.level == Remark::Level::Warning ? " (warning)"
                      : remark.level == Remark::Level::Note  ? " (note)"
                                                             : "";
  say(out_, "{}{}\n", for_terminal(remark.text()), level);
}

/// False for a remark that is to be printed at once: of another sort, or one sort too many.
bool RemarkPrinter::keep_mend(const Remark& remark) {
  if (every_mend_ || remark.level != Remark::Level::Warning || remark.code != kMended) return false;
  const std::string kind = kind_of_mend(remark);
  const auto known = mend_index_.find(kind);
  if (known == mend_index_.end()) {
    if (mends_.size() == kMendsMax) return false;
    mend_index_.emplace(kind, mends_.size());
    mends_.push_back({remark, remark.place});
    return true;
  }
  Mend& mend = mends_[known->second];
  if (mend.last.line != remark.place.line || mend.last.column != remark.place.column) ++mend.rows;
  mend.last = remark.place;
  return true;
}

/// Empty if the line cannot be had.
std::string RemarkPrinter::lines_of(const Remark& remark) {
  if (!remark.excerpt.empty() || remark.place.line == 0 || remark.place.column == 0) return remark.excerpt;
  const std::optional<std::string> line = source_.line(remark.file, remark.place.line);
  return line ? excerpt(*line, remark.place.column) : std::string();
}

void RemarkPrinter::finish() {
  for (Mend& mend : mends_) {
    if (mend.rows > 1) mend.first.message += fmt::format(" (the first of {} rows)", mend.rows);
    print_line(mend.first);
  }
  mends_.clear();
  mend_index_.clear();
  if (left_out_ == 0) return;
  say(out_, "... and {} more of the same kinds; {}\n", left_out_,
      options_.rejects.empty() ? "`reelbatch check --all` shows every one"
                               : for_terminal(options_.rejects) + " has every error");
}

Error RemarkPrinter::explain(Error error) {
  for (const auto& [text, lines] : files_) {
    const std::size_t at = lines.empty() ? std::string::npos : error.message.find(text);
    if (at == std::string::npos) continue;
    const std::size_t end = std::min(error.message.find('\n', at), error.message.size());
    error.message.insert(end, "\n" + lines);
  }
  return error;
}

}  // namespace reelbatch
