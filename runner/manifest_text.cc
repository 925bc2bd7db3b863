#include "runner/manifest_text.h"

#include <algorithm>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

bool is_plain(char c) {
  return static_cast<unsigned char>(c) > 0x20U && static_cast<unsigned char>(c) < 0x7FU;
}

char32_t to_lower(char32_t point) {
  const bool ascii = point >= U'A' && point <= U'Z';
  const bool latin = point >= 0xC0U && point <= 0xDEU && point != 0xD7U;
  return ascii || latin ? point + 0x20U : point;
}

}  // namespace

std::string_view trim(std::string_view text) {
  if (text.empty() || (is_plain(text.front()) && is_plain(text.back()))) return text;
  return trim_blanks(text);
}

std::string fold_name(std::string_view name) {
  std::string out;
  bool gap = false;
  const std::string_view trimmed = trim(name);
  for (std::size_t at = 0; at < trimmed.size();) {
    const CodePoint point = code_point_at(trimmed, at);
    const std::string_view bytes = trimmed.substr(at, point.size);
    at += point.size;
    if (bytes == "_" || bytes == "-" || bytes == "." || (point.valid && is_blank_point(point.value))) {
      gap = true;
      continue;
    }
    if (gap) out += '_';
    gap = false;
    if (point.valid) {
      append_code_point(out, to_lower(point.value));
    } else {
      out += bytes;
    }
  }
  if (gap) out += '_';
  return out;
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  // On a mismatch the last star takes one more character: no recursion, at most |pattern| * |name| steps.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

long long number_in(std::string_view name, std::size_t from) {
  constexpr long long kLargest = 1'000'000'000'000'000;
  std::size_t at = std::min(from, name.size());
  while (at < name.size() && !is_digit(name[at])) ++at;
  if (at == name.size()) return -1;
  long long number = 0;
  for (; at < name.size() && is_digit(name[at]); ++at) number = std::min(number * 10 + (name[at] - '0'), kLargest);
  return number;
}

bool is_shortened_number(std::string_view text) {
  std::size_t at = skip_digits(text, 0);
  if (at != 1) return false;
  const bool has_fraction = at < text.size() && (text[at] == '.' || text[at] == ',');
  if (has_fraction) {
    const std::size_t fraction = at + 1;
    at = skip_digits(text, fraction);
    if (at == fraction) return false;
  }
  if (at + 1 >= text.size() || (text[at] != 'E' && text[at] != 'e')) return false;
  // Java writes 1.5E11, from 10^7 on. Without a fraction that may be a reference, as 1E5.
  const bool is_signed = text[at + 1] == '+';
  const std::size_t exponent = at + (is_signed ? 2 : 1);
  at = skip_digits(text, exponent);
  const std::size_t digits = at - exponent;
  if (at != text.size() || digits == 0 || digits > 3) return false;
  if (is_signed) return has_fraction || digits >= 2;
  return has_fraction && (digits > 1 || text[exponent] >= '7');
}

bool is_spreadsheet_error(std::string_view text) {
  if (text.empty() || text[0] != '#') return false;
  if (text.size() > 1 && text.find_first_not_of('#') == std::string_view::npos) return true;
  if (text == "#N/A" || text == "#NV" || text == "#N/D") return true;
  // The words are those of the user's language: #VALUE!, #VALEUR!, #DIV/0!, #NOM?.
  const auto is_of_word = [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '/' || c == '0' || static_cast<unsigned char>(c) >= 0x80U;
  };
  const std::string_view word = text.substr(1, text.size() - std::min<std::size_t>(text.size(), 2));
  return !word.empty() && (text.back() == '!' || text.back() == '?') &&
         std::all_of(word.begin(), word.end(), is_of_word);
}

char32_t find_invisible(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const char32_t value = point.valid ? point.value : U'?';
    if ((value >= 0x200BU && value <= 0x200FU) || value == 0x2060U || value == 0xFEFFU || value == 0xADU) return value;
    at += point.size;
  }
  return 0;
}

bool stands_for_nothing(std::string_view text) {
  constexpr std::size_t kLongest = 4;
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed.size() > kLongest) return false;
  const std::string lower = ascii_lower(trimmed);
  return lower == "null" || lower == "nan" || lower == "none" || lower == "n/a" || lower == "-";
}

std::optional<std::string> without_formula_guard(std::string_view cell) {
  cell = trim(cell);
  if (cell.size() < 2) return std::nullopt;
  if (cell.starts_with("=\"") && cell.ends_with('"') && cell.size() > 2) {
    const std::string_view inner = cell.substr(2, cell.size() - 3);
    if (inner.find('"') == std::string_view::npos) return std::string(inner);
  }
  if (cell[0] != '\'' || std::string_view("=+-@").find(cell[1]) == std::string_view::npos) return std::nullopt;
  const bool is_pair = cell.find('\'', 1) == cell.size() - 1;
  return std::string(cell.substr(1, cell.size() - (is_pair ? 2 : 1)));
}

std::size_t find_malformed(std::string_view text) {
  if (is_utf8(text)) return std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (!point.valid) return at;
    at += point.size;
  }
  return std::string_view::npos;
}

std::string repair_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    append_code_point(out, point.valid ? point.value : U'�');
    at += point.size;
  }
  return out;
}

bool has_control_character(std::string_view text) {
  const auto is_suspect = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU || byte == 0xC2U;
  };
  if (std::none_of(text.begin(), text.end(), is_suspect)) return false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.valid && (point.value < 0x20U || (point.value >= 0x7FU && point.value <= 0x9FU))) return true;
    at += point.size;
  }
  return false;
}

std::string left_out(std::string_view other, std::string_view used, std::string_view field) {
  return fmt::format(
      "'{0}' has images that are left out, since '{1}' has some as well and comes first; --map {2}={0} "
      "takes those",
      printable(other, 60), printable(used, 60), field);
}

}  // namespace reelbatch
