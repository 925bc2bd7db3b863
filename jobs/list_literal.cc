#include "jobs/list_literal.h"

#include <fmt/format.h>

#include <optional>

#include "jobs/json_quote.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr int kDepthMax = 32;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
         c == '.' || c == '_';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::string> read() {
    if (!value(0)) return broken();
    skip_blanks();
    if (at_ < text_.size()) return expected("the end of the cell"), broken();
    return std::move(out_);
  }

 private:
  // Every step returns false after expected() has said what is wrong.
  bool value(int depth) {
    skip_blanks();
    if (depth > kDepthMax) return expected("less nesting");
    if (at_ >= text_.size()) return expected("a value");
    const char c = text_[at_];
    if (c == '[') return list(depth, ']');
    if (c == '(') return list(depth, ')');
    if (c == '{') return map(depth);
    if (c == '\'' || c == '"') return string();
    return word();
  }

  bool list(int depth, char end) {
    ++at_;
    out_.push_back('[');
    for (bool first = true;; first = false) {
      if (take(end)) break;
      if (!first) out_.push_back(',');
      if (!value(depth + 1)) return false;
      if (take(end)) break;
      if (!take(',')) return expected(end == ']' ? "',' or ']'" : "',' or ')'");
    }
    out_.push_back(']');
    return true;
  }

  bool map(int depth) {
    ++at_;
    out_.push_back('{');
    for (bool first = true;; first = false) {
      if (take('}')) break;
      if (!first) out_.push_back(',');
      skip_blanks();
      if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return expected("a name in quotes");
      if (!string()) return false;
      if (!take(':')) return expected("':'");
      out_.push_back(':');
      if (!value(depth + 1)) return false;
      if (take('}')) break;
      if (!take(',')) return expected("',' or '}'");
    }
    out_.push_back('}');
    return true;
  }

  bool string() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        escape(value);
      } else {
        value.push_back(text_[at_++]);
      }
    }
    if (at_ >= text_.size()) {
      at_ = begin;
      return expected("the quote that opens here to be closed");
    }
    ++at_;
    append_json_quoted(out_, value);
    return true;
  }

  void escape(std::string& value) {
    const char c = text_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'n':
        value.push_back('\n');
        return;
      case 't':
        value.push_back('\t');
        return;
      case 'r':
        value.push_back('\r');
        return;
      case '\\':
      case '\'':
      case '"':
      case '/':
        value.push_back(c);
        return;
      case 'x':
      case 'u':
      case 'U':
        if (const auto point = code_unit(c == 'x' ? 2 : c == 'u' ? 4 : 8)) return append_code_point(value, *point);
        break;
      default:
        break;
    }
    // Python keeps what it does not know.
    value.push_back('\\');
    value.push_back(c);
  }

  /// The digits of an escape; of two JSON surrogates the one code point they mean.
  std::optional<char32_t> code_unit(std::size_t digits) {
    const auto high = hex(digits);
    if (!high) return std::nullopt;
    if (digits == 4 && *high >= 0xD800 && *high <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
      const std::size_t after_high = at_;
      at_ += 2;
      const auto low = hex(4);
      if (low && *low >= 0xDC00 && *low <= 0xDFFF) return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
      at_ = after_high;
    }
    return high;
  }

  std::optional<char32_t> hex(std::size_t digits) {
    if (text_.size() - at_ < digits) return std::nullopt;
    char32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const int digit = hex_value(text_[at_ + i]);
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<char32_t>(digit);
    }
    at_ += digits;
    return value;
  }

  bool word() {
    std::size_t end = at_;
    while (end < text_.size() && is_word_char(text_[end])) ++end;
    const std::string word = ascii_lower(text_.substr(at_, end - at_));
    if (word == "none" || word == "null" || word == "nan" || word == "inf" || word == "-inf") {
      out_ += "null";
    } else if (word == "true" || word == "false") {
      out_ += word;
    } else if (!word.empty() && word.find_first_not_of("0123456789+-.e") == std::string::npos) {
      append_json_quoted(out_, text_.substr(at_, end - at_));
    } else {
      return expected("a text in quotes");
    }
    at_ = end;
    return true;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      const CodePoint point = code_point_at(text_, at_);
      if (!point.valid || !is_blank_point(point.value)) return;
      at_ += point.size;
    }
  }

  bool expected(std::string_view what) {
    message_ = fmt::format("at character {}: expected {}", count_code_points(text_.substr(0, at_)) + 1, what);
    return false;
  }

  tl::unexpected<Error> broken() const { return usage_error(message_); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::string message_;
};

}  // namespace

Result<std::string> json_of_literal(std::string_view text) {
  return Reader(text).read();
}

}  // namespace reelbatch
