#include "jobs/plain_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

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
  for (const char c : std::string_view("/?=:@~!$()*+&")) table[static_cast<std::uint8_t>(c)] = kRest;
  return table;
}();

#ifdef __SSE2__
/// Which of sixteen bytes kAddressBytes has as kRest: a few runs of neighbours.
__m128i rest_of_address(__m128i bytes) {
  const auto is_in = [&](unsigned first, unsigned last) {
    return at_most(_mm_sub_epi8(bytes, all(first)), last - first);
  };
  const auto is = [&](unsigned byte) { return _mm_cmpeq_epi8(bytes, all(byte)); };
  const __m128i runs =
      _mm_or_si128(_mm_or_si128(is_in('-', ':'), is_in('a', 'z')), _mm_or_si128(is_in('?', 'Z'), is_in('(', '+')));
  const __m128i signs = _mm_or_si128(_mm_or_si128(is('='), is('_')), _mm_or_si128(is('~'), is('!')));
  return _mm_or_si128(_mm_or_si128(runs, signs), _mm_or_si128(is('$'), is('&')));
}
#endif

/// Nothing in it that would have to be encoded or that separates addresses.
bool is_of_address(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 16 <= text.size(); at += 16) {
    if (_mm_movemask_epi8(rest_of_address(load(text, at))) != 0xFFFF) return false;
  }
#endif
  for (; at < text.size(); ++at) {
    if ((kAddressBytes[byte_at(text, at)] & kRest) == 0) return false;
  }
  return true;
}

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

/// How many bytes at the front are not marked, and not beyond ASCII unless that `also_beyond`.
template <bool also_beyond>
std::size_t run_of(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = load(text, at);
    // Of a byte beyond ASCII the highest bit is set, which is what movemask takes.
    const int found = _mm_movemask_epi8(also_beyond ? marked(bytes) : _mm_or_si128(marked(bytes), bytes));
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(found)));
  }
#endif
  while (at < text.size() && (also_beyond || byte_at(text, at) < 0x80) && !is_marked(byte_at(text, at))) ++at;
  return at;
}

}  // namespace

std::size_t plain_run(std::string_view text) {
  return run_of<false>(text);
}

std::size_t unmarked_run(std::string_view text) {
  return run_of<true>(text);
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

namespace {

/// Of a text that is well-formed UTF-8: whether the byte at `at`, which may_need_tidying() found, is part of something
/// that read_prose_text() may have something to say to.
bool needs_tidying(std::string_view text, std::size_t at) {
  const auto next = [&](std::size_t ahead) {
    return at + ahead < text.size() ? byte_at(text, at + ahead) : std::uint8_t{0};
  };
  switch (byte_at(text, at)) {
    case ' ':
      return next(1) == ' ' || next(1) == '\n';
    case '\n':
      return next(1) == ' ' || (next(1) == '\n' && next(2) == '\n');
    case 0xC2:  // C1 controls, U+00A0 and U+00AD
      return next(1) <= 0xA0 || next(1) == 0xAD;
    case 0xC3:  // may be mangled (mojibake.h): U+00C2, U+00C3, U+00D0, U+00D1, U+00E2, U+00F0 before what is beyond
                // ASCII
      return ((next(1) & 0xFE) == 0x82 || (next(1) & 0xFE) == 0x90 || next(1) == 0xA2 || next(1) == 0xB0) &&
             next(2) >= 0x80;
    case 0xD0: {  // likewise U+0420 and U+0421, but before the letters of most languages, U+0410 to U+044F
      const bool is_usual = (next(2) == 0xD0 && next(3) >= 0x90) || (next(2) == 0xD1 && next(3) < 0x90);
      return (next(1) == 0xA0 || next(1) == 0xA1) && next(2) >= 0x80 && !is_usual;
    }
    case 0xE2:  // U+200B to U+202F and U+2060 to U+206F, with much that stays
      if (next(1) == 0x80) return (next(2) & 0xF0) == 0xA0 || ((next(2) & 0xF0) == 0x80 && next(2) >= 0x8B);
      return next(1) == 0x81;
    case 0xEF:  // U+FEFF and U+FFFD
      return next(1) >= 0xBB;
    default:
      return true;  // other controls, and what markup, entities, shortcodes and spelt-out line ends begin with
  }
}

bool may_need_tidying(std::string_view text, std::size_t at) {
  const std::uint8_t byte = byte_at(text, at);
  switch (byte) {
    case ' ':
    case '<':
    case '&':
    case '[':
    case '\\':
    case 0x7F:
    case 0xC2:
    case 0xC3:
    case 0xD0:
    case 0xE2:
    case 0xEF:
      return true;
    default:
      return byte < 0x20;
  }
}

#ifdef __SSE2__
/// may_need_tidying() of sixteen bytes, but blanks only where another follows; `next` are the bytes one further on.
__m128i may_need_tidying(__m128i bytes, __m128i next) {
  const auto either = [](__m128i a, __m128i b) { return _mm_or_si128(a, b); };
  const auto is = [&](unsigned byte) { return _mm_cmpeq_epi8(bytes, all(byte)); };
  const __m128i blanks = _mm_and_si128(is(' '), at_most(next, ' '));
  const __m128i signs = either(either(is('<'), is('&')), either(is('['), is('\\')));
  const auto next_is = [&](unsigned byte) { return _mm_cmpeq_epi8(next, all(byte)); };
  const __m128i latin = either(at_most(next, 0x91), either(next_is(0xA2), next_is(0xB0)));
  const __m128i cyrillic = either(next_is(0xA0), next_is(0xA1));
  const __m128i mangled = either(_mm_and_si128(is(0xC3), latin), _mm_and_si128(is(0xD0), cyrillic));
  const __m128i beyond = either(either(is(0xC2), is(0xE2)), either(is(0xEF), mangled));
  return either(either(blanks, signs), either(beyond, either(at_most(bytes, 0x1F), is(0x7F))));
}
#endif

}  // namespace

bool is_plain_prose(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 17 <= text.size(); at += 16) {
    auto found = static_cast<unsigned>(_mm_movemask_epi8(may_need_tidying(load(text, at), load(text, at + 1))));
    for (; found != 0; found &= found - 1) {
      if (needs_tidying(text, at + static_cast<std::size_t>(std::countr_zero(found)))) return false;
    }
  }
#endif
  for (; at < text.size(); ++at) {
    if (may_need_tidying(text, at) && needs_tidying(text, at)) return false;
  }
  return true;
}

bool says_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords{"nan", "none", "null", "n/a", "-"};
  constexpr std::size_t kWordMax = 4;
  return text.size() <= kWordMax && std::find(kWords.begin(), kWords.end(), ascii_lower(text)) != kWords.end();
}

bool is_plain_address(std::string_view text, std::string_view before) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return false;
  std::size_t at = before.size() > scheme ? before.find('/', scheme) : std::string_view::npos;
  const bool same_host = at != std::string_view::npos && text.substr(0, at + 1) == before.substr(0, at + 1);
  if (!same_host) {
    at = scheme;
    while (at < text.size() && (kAddressBytes[byte_at(text, at)] & kHost) != 0) ++at;
    if (!is_plain_host(text.substr(scheme, at - scheme))) return false;
    if (at < text.size() && text[at] != '/' && text[at] != '?') return false;
  }
  // What was written as an entity is decoded.
  const std::string_view rest = text.substr(at);
  return is_of_address(rest) && (rest.find('&') == std::string_view::npos || rest.find("&amp;") == rest.npos);
}

}  // namespace reelbatch
