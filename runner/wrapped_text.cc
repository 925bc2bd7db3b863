#include "runner/wrapped_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kWidth = 79;

}  // namespace

void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t at) {
  bool fresh = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const std::size_t width = count_code_points(word);
    if (!fresh && at + 1 + width > kWidth) {
      out += fmt::format("\n{:{}}", "", indent);
      at = indent;
      fresh = true;
    }
    if (!fresh) out += ' ';
    out += word;
    at += width + (fresh ? 0 : 1);
    fresh = false;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  out += '\n';
}

void append_entry(std::string& out, std::string_view name, std::string_view text, std::size_t column) {
  out += name;
  if (name.size() + 2 > column) {
    out += fmt::format("\n{:{}}", "", column);
  } else {
    out += fmt::format("{:{}}", "", column - name.size());
  }
  append_wrapped(out, text, column, column);
}

}  // namespace reelbatch
