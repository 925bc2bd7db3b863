#include "runner/remark_printer.h"

#include <fmt/format.h>

#include "runner/progress_printer.h"

namespace reelbatch {
namespace {

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

}  // namespace

void RemarkPrinter::print(const Remark& remark) {
  if (most_ > 0 && ++seen_[kind_of(remark)] > most_) {
    ++left_out_;
    return;
  }
  const char* level = remark.level == Remark::Level::Warning ? " (warning)"
                      : remark.level == Remark::Level::Note  ? " (note)"
                                                             : "";
  fmt::print(out_, "{}{}\n", for_terminal(remark.text()), level);
}

void RemarkPrinter::finish(const char* how_to_see_all) {
  if (left_out_ > 0) fmt::print(out_, "... and {} more of the same kinds; {}\n", left_out_, how_to_see_all);
}

}  // namespace reelbatch
