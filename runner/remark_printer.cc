#include "runner/remark_printer.h"

#include <fmt/format.h>

#include <algorithm>

#include "runner/progress_printer.h"
#include "runner/text_source.h"

namespace reelbatch {
namespace {

constexpr std::size_t kFilesMax = 20;  ///< lines shown between those of an error

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

std::optional<Encoding> stated_encoding(const Options& options) {
  return options.manifest.encoding ? encoding_named(*options.manifest.encoding) : std::nullopt;
}

}  // namespace

RemarkPrinter::RemarkPrinter(std::FILE* out, const Options& options, std::int64_t most, bool shows_lines)
    : out_(out), options_(options), most_(most), shows_lines_(shows_lines), source_(stated_encoding(options)) {}

void RemarkPrinter::print(const Remark& remark) {
  if (remark.level == Remark::Level::File) {
    if (shows_lines_ && files_.size() < kFilesMax) files_.emplace_back(remark.text(), lines_of(remark));
    return;
  }
  if (most_ > 0 && ++seen_[kind_of(remark)] > most_) {
    ++left_out_;
    return;
  }
  const char* level = remark.level == Remark::Level::Warning ? " (warning)"
                      : remark.level == Remark::Level::Note  ? " (note)"
                                                             : "";
  fmt::print(out_, "{}{}\n", for_terminal(remark.text()), level);
  if (!shows_lines_ || remark.level != Remark::Level::Error) return;
  if (const std::string lines = lines_of(remark); !lines.empty()) fmt::print(out_, "{}\n", lines);
}

/// Empty if the line cannot be had.
std::string RemarkPrinter::lines_of(const Remark& remark) {
  if (!remark.excerpt.empty() || remark.place.line == 0 || remark.place.column == 0) return remark.excerpt;
  const std::optional<std::string> line = source_.line(remark.file, remark.place.line);
  return line ? excerpt(*line, remark.place.column) : std::string();
}

void RemarkPrinter::finish() const {
  if (left_out_ == 0) return;
  fmt::print(out_, "... and {} more of the same kinds; {}\n", left_out_,
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
