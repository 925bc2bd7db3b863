#include "jobs/mojibake.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Which letters bytes were taken for.
enum class Page { Windows1252, Windows1251 };

/// Bytes 0x80 to 0xBF in windows-1251; those behind are its letters in the order of Unicode.
constexpr std::u32string_view kWindows1251 =
    U"ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\x98™љ›њќ"
    U"ћџ\u00A0ЎўЈ¤Ґ¦§Ё©Є«¬\u00AD®Ї°±Ііґµ¶·ё№є»јЅѕї";

static_assert(kWindows1251.size() == 64);

/// The byte that windows-1252 (or Latin-1), or windows-1251, shows as `point`; 0 if there is none beyond ASCII.
std::uint8_t byte_shown_as(char32_t point, Page page) {
  if (point < 0x80) return 0;
  if (page == Page::Windows1251) {
    if (point >= 0x410 && point <= 0x44F) return static_cast<std::uint8_t>(point - 0x410 + 0xC0);
    const std::size_t at = kWindows1251.find(point);
    return at == std::u32string_view::npos ? 0 : static_cast<std::uint8_t>(at + 0x80);
  }
  if (point <= 0xFF) return static_cast<std::uint8_t>(point);
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

Shown shown_at(std::string_view text, std::size_t at, Page page) {
  Shown shown;
  const std::size_t start = at;
  std::size_t length = 1;
  while (at < text.size() && shown.bytes.size() < length) {
    const CodePoint point = code_point_at(text, at);
    const std::uint8_t byte = byte_shown_as(point.value, page);
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

struct Found {
  Mojibake mojibake;
  Page page = Page::Windows1252;
};

void count(Mojibake& found, std::string_view text, std::size_t at, const Shown& shown) {
  if (found.count++ > 0) return;
  found.mangled = text.substr(at, shown.size);
  found.meant = shown.bytes;
}

Mojibake find_latin(std::string_view text) {
  Mojibake found;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Shown shown = shown_at(text, at, Page::Windows1252);
    if (!shown.bytes.empty() && is_sure(shown.bytes)) {
      count(found, text, at, shown);
      at += shown.size;
    } else {
      at += code_point_at(text, at).size;
    }
  }
  return found;
}

/// No pair is sure here: a word may begin with `Сё` or `Рі`, and `Ñ` may stand in front of a quotation mark. But no
/// text has several, and nowhere one of the letters that begin them, of `Р` and `С` any Cyrillic letter, without its
/// half.
Mojibake find_cyrillic(std::string_view text, Page page) {
  constexpr int kPairsLeast = 4;
  int pairs = 0;
  Mojibake found;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    if (const Shown shown = shown_at(text, at, page); !shown.bytes.empty()) {
      pairs += shown.bytes[0] == '\xD0' || shown.bytes[0] == '\xD1' ? 1 : 0;
      count(found, text, at, shown);
      at += shown.size;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    const bool is_letter = page == Page::Windows1251 ? point.value >= 0x400 && point.value <= 0x52F
                                                     : point.value == 0xD0 || point.value == 0xD1;
    if (is_letter) return {};
    at += point.size;
  }
  return pairs < kPairsLeast ? Mojibake{} : found;
}

std::optional<Found> find(std::string_view text) {
  for (const Page page : {Page::Windows1252, Page::Windows1251}) {
    if (Mojibake found = find_cyrillic(text, page); found.count > 0) return Found{std::move(found), page};
  }
  Mojibake found = find_latin(text);
  return found.count > 0 ? std::optional(Found{std::move(found), Page::Windows1252}) : std::nullopt;
}

}  // namespace

Mojibake find_mojibake(std::string_view text) {
  const std::optional<Found> found = find(text);
  return found ? found->mojibake : Mojibake{};
}

std::string repair_mojibake(std::string_view text) {
  const std::optional<Found> found = find(text);
  if (!found) return std::string(text);
  // In a text that surely has it, pairs that may be it are.
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Shown shown = shown_at(text, at, found->page);
    const std::size_t size = shown.bytes.empty() ? code_point_at(text, at).size : shown.size;
    out += shown.bytes.empty() ? text.substr(at, size) : std::string_view(shown.bytes);
    at += size;
  }
  return out;
}

}  // namespace reelbatch
