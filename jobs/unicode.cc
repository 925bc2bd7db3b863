#include "jobs/unicode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "jobs/json.h"

namespace reelbatch {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_scalar(char32_t point) {
  return point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

/// By byte from 80 on; 0 where there is nothing.
constexpr std::array<char32_t, 32> kWindows1252{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return {first, 1, true};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (size == 0 || first > 0xF4 || text.size() - at < size) return {};
  char32_t point = first & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t next = byte_at(text, at + i);
    if ((next & 0xC0) != 0x80) return {};
    point = (point << 6) | (next & 0x3Fu);
  }
  const char32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (point < least || !is_scalar(point)) return {};
  return {point, size, true};
}

void append_code_point(std::string& out, char32_t point) {
  if (!is_scalar(point)) point = 0xFFFD;
  const auto add = [&out](char32_t byte) { out.push_back(static_cast<char>(static_cast<std::uint8_t>(byte))); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xC0 | (point >> 6));
  } else if (point < 0x10000) {
    add(0xE0 | (point >> 12));
    add(0x80 | ((point >> 6) & 0x3F));
  } else {
    add(0xF0 | (point >> 18));
    add(0x80 | ((point >> 12) & 0x3F));
    add(0x80 | ((point >> 6) & 0x3F));
  }
  add(0x80 | (point & 0x3F));
}

bool is_blank_point(char32_t point) {
  switch (point) {
    case 0x20:
    case 0x85:
    case 0xA0:
    case 0xAD:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x2060:
    case 0x3000:
    case 0xFEFF:
      return true;
    default:
      // U+200B to U+200D are the zero-width ones behind the spaces of U+2000.
      return (point >= 0x09 && point <= 0x0D) || (point >= 0x2000 && point <= 0x200D);
  }
}

bool is_control_point(char32_t point) {
  if (point == '\t' || point == '\n' || point == '\r') return false;
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

char32_t windows_1252_meaning(char32_t point) {
  return point >= 0x80 && point <= 0x9F ? kWindows1252[point - 0x80] : 0;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = code_point_at(text, 0);
    if (!first.valid || !is_blank_point(first.value)) break;
    text.remove_prefix(first.size);
  }
  while (!text.empty()) {
    // The last code point begins at most three bytes before the last byte.
    std::size_t at = text.size() - 1;
    while (at > 0 && text.size() - at < 4 && (byte_at(text, at) & 0xC0) == 0x80) --at;
    const CodePoint last = code_point_at(text, at);
    if (!last.valid || at + last.size != text.size() || !is_blank_point(last.value)) break;
    text.remove_suffix(last.size);
  }
  return text;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string printable(std::string_view text, std::size_t points_max) {
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7F; };
  // Nearly always a single word of ASCII.
  if (text.size() <= points_max && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out;
  std::size_t points = 0;
  bool space_due = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += point.size;
    if (is_blank_point(point.value) || is_control_point(point.value)) {
      space_due = !out.empty();
      continue;
    }
    if (points + (space_due ? 1 : 0) >= points_max) return out + "…";
    if (space_due) out.push_back(' ');
    points += space_due ? 2 : 1;
    space_due = false;
    append_code_point(out, point.value);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::size_t count_code_points(std::string_view text) {
  // Every code point has exactly one byte that continues none. Eight bytes at a time: long texts are counted often.
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::size_t continuing = 0;
  std::size_t at = 0;
  for (std::uint64_t bytes = 0; at + sizeof(bytes) <= text.size(); at += sizeof(bytes)) {
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    // The product's highest byte is the sum of the eight. std::popcount() is a call on the plainest of machines.
    continuing += (((bytes >> 7U) & ~(bytes >> 6U) & kOnes) * kOnes) >> 56U;
  }
  for (; at < text.size(); ++at) continuing += std::size_t{(static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U};
  return text.size() - continuing;
}

}  // namespace reelbatch
