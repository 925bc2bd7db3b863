#include "runner/json_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kDepthMax = 1024;  // as the reader has it
constexpr std::size_t kShown = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// RFC 8259 section 6.
bool is_number(std::string_view token) {
  std::size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < token.size() && is_digit(token[at])) ++at;
    return at - from;
  };
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && token[first] == '0')) return false;
  if (token.substr(at, 1) == ".") {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (token.substr(at, 1) == "+" || token.substr(at, 1) == "-") ++at;
    if (digits() == 0) return false;
  }
  return at == token.size();
}

/// Whether a number has a place in 64 bits.
bool fits(std::string_view number) {
  const char* const end = number.data() + number.size();
  if (number.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t with_sign = 0;
    std::uint64_t without = 0;
    return std::from_chars(number.data(), end, with_sign).ec == std::errc() ||
           std::from_chars(number.data(), end, without).ec == std::errc();
  }
  double value = 0;
  return std::from_chars(number.data(), end, value).ec == std::errc() && std::isfinite(value);
}

class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  std::optional<TextFault> find();

 private:
  enum class Next { Value, ValueOrEnd, Key, KeyOrEnd, Colon, More };

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  TextFault expected(std::string_view what) const;
  void note(std::size_t at, std::string message);
  std::optional<TextFault> take_value();
  bool take_string();
  std::size_t take_escape(std::size_t at);
  std::optional<std::uint32_t> unit_at(std::size_t at) const;
  void take_token();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  ///< brackets that are not closed
  Next next_ = Next::Value;
  std::optional<TextFault> value_;  ///< the first that cannot be read
};

TextFault Walk::expected(std::string_view what) const {
  if (at_ >= text_.size()) return {text_.size(), fmt::format("expected {}, found the end", what), false};
  const CodePoint point = code_point_at(text_, at_);
  return {at_, fmt::format("expected {}, found '{}'", what, printable(text_.substr(at_, point.size), 20)), false};
}

void Walk::note(std::size_t at, std::string message) {
  if (!value_) value_ = TextFault{at, std::move(message), true};
}

std::optional<TextFault> Walk::find() {
  for (;;) {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    const char c = peek();
    const bool in_list = open_.ends_with('[');
    const bool may_end = next_ == Next::ValueOrEnd || next_ == Next::KeyOrEnd || next_ == Next::More;
    if (may_end && !open_.empty() && c == (in_list ? ']' : '}')) {
      ++at_;
      open_.pop_back();
      next_ = Next::More;
      continue;
    }
    switch (next_) {
      case Next::More:
        if (open_.empty()) return at_ == text_.size() ? value_ : expected("nothing more");
        if (c != ',') return expected(in_list ? "',' or ']'" : "',' or '}'");
        ++at_;
        next_ = in_list ? Next::Value : Next::Key;
        break;
      case Next::Key:
      case Next::KeyOrEnd:
        if (c != '"') return expected("a key in quotes");
        if (!take_string()) return TextFault{at_, "the text that begins here never ends", false};
        next_ = Next::Colon;
        break;
      case Next::Colon:
        if (c != ':') return expected("':'");
        ++at_;
        next_ = Next::Value;
        break;
      case Next::Value:
      case Next::ValueOrEnd:
        if (std::optional<TextFault> fault = take_value()) return fault;
        break;
    }
  }
}

std::optional<TextFault> Walk::take_value() {
  const char c = peek();
  if (c == '[' || c == '{') {
    open_ += c;
    if (open_.size() > kDepthMax) note(at_, "is nested too deeply");
    ++at_;
    next_ = c == '[' ? Next::ValueOrEnd : Next::KeyOrEnd;
    return std::nullopt;
  }
  next_ = Next::More;
  if (c == '"') {
    if (!take_string()) return TextFault{at_, "the text that begins here never ends", false};
    return std::nullopt;
  }
  if (at_ == text_.size() || std::string_view(",:]}").find(c) != std::string_view::npos) return expected("a value");
  take_token();
  return std::nullopt;
}

/// False if it does not end.
bool Walk::take_string() {
  for (std::size_t at = at_ + 1; at < text_.size();) {
    const char c = text_[at];
    if (c == '"') {
      at_ = at + 1;
      return true;
    }
    if (c == '\\') {
      at += take_escape(at);
    } else if (static_cast<unsigned char>(c) < 0x20U) {
      note(at, c == '\n' || c == '\r' ? "a line end in a text is written \\n"
                                      : fmt::format("a control character in a text is written \\u{:04x}", c));
      ++at;
    } else {
      const CodePoint point = code_point_at(text_, at);
      if (!point.valid) note(at, fmt::format("is not UTF-8 (byte 0x{:02X})", static_cast<unsigned char>(c)));
      at += point.size;
    }
  }
  return false;
}

std::optional<std::uint32_t> Walk::unit_at(std::size_t at) const {
  std::uint32_t unit = 0;
  const std::string_view digits = text_.substr(std::min(at + 2, text_.size()), 4);
  if (text_.substr(std::min(at, text_.size()), 2) != "\\u" || digits.size() != 4) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + 4, unit, 16);
  return error == std::errc() && end == digits.data() + 4 ? std::optional(unit) : std::nullopt;
}

/// Its length.
std::size_t Walk::take_escape(std::size_t at) {
  const char c = at + 1 < text_.size() ? text_[at + 1] : '\0';
  if (c != 'u') {
    if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos)
      note(at, fmt::format("'\\{}' means nothing: a backslash is written \\\\",
                           printable(text_.substr(at + 1, code_point_at(text_, at + 1).size), 20)));
    return 2;
  }
  const std::optional<std::uint32_t> unit = unit_at(at);
  if (!unit) {
    note(at, "'\\u' needs four hexadecimal digits behind it");
    return 2;
  }
  if (*unit < 0xD800U || *unit > 0xDFFFU) return 6;
  const std::optional<std::uint32_t> other = unit_at(at + 6);
  if (*unit < 0xDC00U && other && *other >= 0xDC00U && *other <= 0xDFFFU) return 12;
  note(at, fmt::format("'{}' is half of a character", text_.substr(at, 6)));
  return 6;
}

/// What is neither in quotes nor in brackets.
void Walk::take_token() {
  const std::size_t end = std::min(text_.find_first_of(" \t\r\n,:[]{}\"", at_), text_.size());
  const std::string_view token = text_.substr(at_, end - at_);
  if (is_number(token)) {
    if (!fits(token))
      note(at_, fmt::format("the number {} is too large: put it in quotes if it is a reference and no number",
                            printable(token, kShown)));
  } else if (token != "true" && token != "false" && token != "null") {
    note(at_, fmt::format("'{}' is no value: a text is in double quotes, and none is null", printable(token, kShown)));
  }
  at_ = end;
}

}  // namespace

std::optional<TextFault> find_json_fault(std::string_view text) {
  return Walk(text).find();
}

}  // namespace reelbatch
