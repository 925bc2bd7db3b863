#include "runner/excerpt.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kWidth = 72;       ///< places of text, less than a terminal has
constexpr std::size_t kBehind = 24;      ///< of these, so many behind the mark where the line goes on
constexpr std::size_t kLinesKept = 64;   ///< a row's errors may step back by as many
constexpr std::size_t kLineMax = 65536;  ///< bytes of a line that is kept
constexpr int kOpenedMax = 50;           ///< times that a file is begun anew, all files together

using Range = std::pair<char32_t, char32_t>;

/// East Asian wide characters and pictures, by block. Source: Unicode 15, EastAsianWidth.txt, read 2026-11-20.
constexpr std::array<Range, 11> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F900, 0x1F9FF},
                                       {0x20000, 0x3FFFD}}};
/// Combining marks and variation selectors.
constexpr std::array<Range, 4> kNarrow{{{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
/// Zero-width characters, and what changes the direction of text.
constexpr std::array<Range, 4> kUnseen{{{0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}}};

template <std::size_t N>
bool is_in(char32_t point, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return point >= range.first && point <= range.second; });
}

/// One character as it is shown.
struct Shown {
  std::string text;
  std::size_t width = 1;
};

Shown shown(const CodePoint& point) {
  if (point.value == '\t') return {" ", 1};
  if (point.value < 0x20 || is_control_point(point.value) || is_in(point.value, kUnseen)) return {"?", 1};
  Shown out;
  append_code_point(out.text, point.value);
  if (point.value >= 0x300) out.width = is_in(point.value, kNarrow) ? 0 : is_in(point.value, kWide) ? 2 : 1;
  return out;
}

}  // namespace

std::string excerpt(std::string_view line, std::uint64_t column) {
  if (column == 0) return {};
  // Up to the mark, but only the last characters of that are shown; then some behind it.
  std::deque<Shown> before;
  std::size_t width = 0;
  bool cut = false;
  std::size_t at = 0;
  for (std::uint64_t i = 1; i < column; ++i) {
    if (at == line.size()) return {};
    const CodePoint point = code_point_at(line, at);
    at += point.size;
    before.push_back(shown(point));
    width += before.back().width;
    while (width > kWidth - kBehind) {
      width -= before.front().width;
      before.pop_front();
      cut = true;
    }
  }
  std::string text = cut ? "…" : "";
  std::size_t mark = cut ? 1 : 0;
  for (const Shown& one : before) {
    text += one.text;
    mark += one.width;
  }
  for (std::size_t places = mark; at < line.size();) {
    const CodePoint point = code_point_at(line, at);
    const Shown one = shown(point);
    if (places + one.width > kWidth) {
      text += "…";
      break;
    }
    at += point.size;
    places += one.width;
    text += one.text;
  }
  return "    " + text + "\n    " + std::string(mark, ' ') + '^';
}

std::string_view line_of(std::string_view text, std::uint64_t number) {
  while (true) {
    const std::size_t end = text.find_first_of("\r\n");
    if (number == 0) return text.substr(0, end);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    --number;
  }
}

std::optional<std::string> SourceLines::line(const std::string& file, std::uint64_t number) {
  const bool went_by = number + lines_.size() <= read_;
  if ((file != file_ || went_by) && !open(file)) return std::nullopt;
  while (read_ < number)
    if (!read_line()) return std::nullopt;
  const std::string& found = lines_[lines_.size() - 1 - static_cast<std::size_t>(read_ - number)];
  if (found.size() >= kLineMax) return std::nullopt;
  return found;
}

bool SourceLines::open(const std::string& file) {
  std::error_code ignored;
  // Opening a pipe would wait for someone to write to it.
  if (file == "-" || opened_ == kOpenedMax || !std::filesystem::is_regular_file(file, ignored)) return false;
  ++opened_;
  file_.clear();
  lines_.clear();
  read_ = 0;
  auto input = InputFile::open(file);
  if (!input) return false;
  file_ = file;
  input_ = std::move(*input);
  const EncodingMark mark = find_encoding(input_->head());
  source_ = std::make_unique<TextSource>(*input_, stated_ ? stated_ : mark.encoding);
  text_ = std::make_unique<SourceBuffer>(*source_);
  return true;
}

bool SourceLines::read_line() {
  constexpr auto kEnd = std::char_traits<char>::eof();
  if (text_->sgetc() == kEnd) return false;
  std::string line;
  for (int c = text_->sbumpc(); c != kEnd && c != '\n'; c = text_->sbumpc()) {
    if (c == '\r') {
      if (text_->sgetc() == '\n') text_->sbumpc();
      break;
    }
    if (line.size() < kLineMax) line += static_cast<char>(c);
  }
  if (read_ == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  ++read_;
  lines_.push_back(std::move(line));
  if (lines_.size() > kLinesKept) lines_.pop_front();
  return true;
}

}  // namespace reelbatch
