#include "jobs/plain_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "jobs/json.h"
#include "jobs/unicode.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace reelbatch {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// A control character, `"` or `\`.
bool is_marked(std::uint8_t byte) {
  return byte < 0x20 || byte == 0x7F || byte == '"' || byte == '\\';
}

#ifdef __SSE2__
__m128i load(std::string_view text, std::size_t at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
}

__m128i all(unsigned byte) {
  return _mm_set1_epi8(static_cast<char>(byte));
}

__m128i at_most(__m128i bytes, unsigned most) {
  return _mm_cmpeq_epi8(_mm_min_epu8(bytes, all(most)), bytes);
}

/// is_marked() of sixteen bytes.
__m128i marked(__m128i bytes) {
  const __m128i signs = _mm_or_si128(_mm_cmpeq_epi8(bytes, all('"')), _mm_cmpeq_epi8(bytes, all('\\')));
  return _mm_or_si128(_mm_or_si128(at_most(bytes, 0x1F), _mm_cmpeq_epi8(bytes, all(0x7F))), signs);
}
#endif

/// What a byte of an address may be part of.
constexpr std::uint8_t kHost = 1, kRest = 2;

constexpr std::array<std::uint8_t, 256> kAddressBytes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = kHost | kRest;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = kHost | kRest;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = kRest;
  for (const char c : std::string_view("-_.")) table[static_cast<std::uint8_t>(c)] = kHost | kRest;
  for (const char c : std::string_view("/?=:@~!$()*+")) table[static_cast<std::uint8_t>(c)] = kRest;
  return table;
}();

/// Names of which each label is neither empty nor too long, nor one of the encoded ones.
bool is_plain_host(std::string_view host) {
  constexpr std::size_t kLabelMax = 63, kHostMax = 253;
  if (host.empty() || host.size() > kHostMax) return false;
  std::size_t label = 0;
  for (std::size_t at = 0; at <= host.size(); ++at) {
    if (at < host.size() && host[at] != '.') continue;
    if (at == label || at - label > kLabelMax || host.substr(label, 4) == "xn--") return false;
    label = at + 1;
  }
  return true;
}

}  // namespace

std::size_t plain_run(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = load(text, at);
    // Of a byte beyond ASCII the highest bit is set, which is what movemask takes.
    const int found = _mm_movemask_epi8(_mm_or_si128(marked(bytes), bytes));
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(found)));
  }
#endif
  while (at < text.size() && byte_at(text, at) < 0x80 && !is_marked(byte_at(text, at))) ++at;
  return at;
}

bool is_clean_text(std::string_view text) {
  std::size_t at = 0;
  // A C1 control character is C2 and a byte below A0.
#ifdef __SSE2__
  for (; at + 17 <= text.size(); at += 16) {
    const __m128i bytes = load(text, at);
    const __m128i c1 = _mm_and_si128(_mm_cmpeq_epi8(bytes, all(0xC2)), at_most(load(text, at + 1), 0x9F));
    if (_mm_movemask_epi8(_mm_or_si128(marked(bytes), c1)) != 0) return false;
  }
#endif
  for (; at < text.size(); ++at) {
    if (is_marked(byte_at(text, at))) return false;
    if (byte_at(text, at) == 0xC2 && at + 1 < text.size() && byte_at(text, at + 1) < 0xA0) return false;
  }
  return is_utf8(text);
}

bool is_plain_prose(std::string_view text) {
  const auto next = [&](std::size_t at, std::size_t ahead) {
    return at + ahead < text.size() ? byte_at(text, at + ahead) : std::uint8_t{0};
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint8_t byte = byte_at(text, at);
    if (byte == ' ' && next(at, 1) == ' ') return false;
    if (byte == '<' || byte == '&' || byte == '[') return false;
    if (byte < 0x80) continue;
    // U+00A0 and U+00AD; U+200B to U+202F and U+2060 to U+206F, with much that stays; U+FEFF and U+FFFD.
    if (byte == 0xC2 && (next(at, 1) == 0xA0 || next(at, 1) == 0xAD)) return false;
    if (byte == 0xE2 && next(at, 1) == 0x80 && (next(at, 2) & 0xF0) == 0x80 && next(at, 2) >= 0x8B) return false;
    if (byte == 0xE2 && next(at, 1) == 0x80 && (next(at, 2) & 0xF0) == 0xA0) return false;
    if (byte == 0xE2 && next(at, 1) == 0x81) return false;
    if (byte == 0xEF && next(at, 1) >= 0xBB) return false;
    // What may be mangled (mojibake.h): U+00C2, U+00C3, U+00D0, U+00D1, U+00E2 and U+00F0 in front of anything beyond
    // ASCII; U+0420 and U+0421 in front of it but for the letters of most languages, U+0410 to U+044F.
    const std::uint8_t second = next(at, 1), third = next(at, 2), fourth = next(at, 3);
    const bool may_lead = byte == 0xC3 && (second == 0x82 || second == 0x83 || second == 0x90 || second == 0x91 ||
                                           second == 0xA2 || second == 0xB0);
    if (may_lead && third >= 0x80) return false;
    const bool usual = (third == 0xD0 && fourth >= 0x90) || (third == 0xD1 && fourth < 0x90);
    if (byte == 0xD0 && (second == 0xA0 || second == 0xA1) && third >= 0x80 && !usual) return false;
  }
  return true;
}

bool says_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords{"nan", "none", "null", "n/a", "-"};
  constexpr std::size_t kWordMax = 4;
  return text.size() <= kWordMax && std::find(kWords.begin(), kWords.end(), ascii_lower(text)) != kWords.end();
}

bool is_plain_address(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return false;
  std::size_t at = scheme;
  while (at < text.size() && (kAddressBytes[byte_at(text, at)] & kHost) != 0) ++at;
  if (!is_plain_host(text.substr(scheme, at - scheme))) return false;
  if (at < text.size() && text[at] != '/' && text[at] != '?') return false;
  std::uint8_t fit = kRest;
  for (; at < text.size(); ++at) {
    // What was written as an entity is decoded.
    const bool is_and = text[at] == '&' && text.substr(at + 1, 4) != "amp;";
    fit &= is_and ? kRest : kAddressBytes[byte_at(text, at)];
  }
  return fit != 0;
}

}  // namespace reelbatch
