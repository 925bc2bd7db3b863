#include "jobs/mojibake.h"

#include <cstdint>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// The byte that windows-1252, or Latin-1, shows as `point`; 0 if there is none beyond ASCII.
std::uint8_t byte_shown_as(char32_t point) {
  if (point >= 0x80 && point <= 0xFF) return static_cast<std::uint8_t>(point);
  if (point < 0x80) return 0;
  for (char32_t byte = 0x80; byte <= 0x9F; ++byte) {
    if (windows_1252_meaning(byte) == point) return static_cast<std::uint8_t>(byte);
  }
  return 0;
}

/// A character whose bytes were shown one by one.
struct Shown {
  std::string bytes;     ///< empty if there is none
  std::size_t size = 0;  ///< of how they are shown
};

Shown shown_at(std::string_view text, std::size_t at) {
  Shown shown;
  const std::size_t start = at;
  std::size_t length = 1;
  while (at < text.size() && shown.bytes.size() < length) {
    const CodePoint point = code_point_at(text, at);
    const std::uint8_t byte = byte_shown_as(point.value);
    const bool fits = shown.bytes.empty() ? byte >= 0xC2 : (byte & 0xC0) == 0x80;
    if (!point.valid || !fits) return {};
    if (shown.bytes.empty()) length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    shown.bytes += static_cast<char>(byte);
    at += point.size;
  }
  if (shown.bytes.size() != length || !code_point_at(shown.bytes, 0).valid) return {};
  shown.size = at - start;
  return shown;
}

/// Other pairs occur in texts that are as they should be, such as `É»`.
bool is_sure(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if (bytes.size() == 2) return byte(0) == 0xC2 || byte(0) == 0xC3;
  return (byte(0) == 0xE2 && byte(1) <= 0x9F) || (byte(0) == 0xF0 && byte(1) == 0x9F);
}

}  // namespace

Mojibake find_mojibake(std::string_view text) {
  Mojibake found;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Shown shown = shown_at(text, at);
    if (!shown.bytes.empty() && is_sure(shown.bytes)) {
      if (found.count++ == 0) {
        found.mangled = text.substr(at, shown.size);
        found.meant = shown.bytes;
      }
      at += shown.size;
    } else {
      at += code_point_at(text, at).size;
    }
  }
  return found;
}

std::string repair_mojibake(std::string_view text) {
  if (find_mojibake(text).count == 0) return std::string(text);
  // In a text that surely has it, pairs that may be it are.
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Shown shown = shown_at(text, at);
    const std::size_t size = shown.bytes.empty() ? code_point_at(text, at).size : shown.size;
    out += shown.bytes.empty() ? text.substr(at, size) : std::string_view(shown.bytes);
    at += size;
  }
  return out;
}

}  // namespace reelbatch
