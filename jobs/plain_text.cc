#include "jobs/plain_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>

#include "jobs/unicode.h"

#ifdef __SSSE3__
#include <tmmintrin.h>
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

#ifdef __SSSE3__
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

#ifdef __SSSE3__
/// Classes of bytes, one a bit, which two looks into small tables tell of sixteen bytes at once: a class is all bytes
/// with one of some high halves and one of some low halves.
struct ByteClasses {
  std::array<std::uint8_t, 16> high{}, low{};

  constexpr void add(unsigned bit, std::initializer_list<unsigned> highs, std::initializer_list<unsigned> lows) {
    for (const unsigned half : highs) high[half] |= static_cast<std::uint8_t>(1U << bit);
    for (const unsigned half : lows) low[half] |= static_cast<std::uint8_t>(1U << bit);
  }
  constexpr unsigned of(unsigned byte) const { return unsigned{high[byte >> 4U]} & low[byte & 0xFU]; }
  __m128i of(__m128i bytes) const {
    const auto table = [](const std::array<std::uint8_t, 16>& from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data()));
    };
    const __m128i highs = _mm_and_si128(_mm_srli_epi16(bytes, 4), all(0xF));
    const __m128i lows = _mm_and_si128(bytes, all(0xF));
    return _mm_and_si128(_mm_shuffle_epi8(table(high), highs), _mm_shuffle_epi8(table(low), lows));
  }
};
constexpr std::initializer_list<unsigned> kAllHalves{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Of what kAddressBytes has as kRest: a bit for each high half, and two for `?` and `&`.
constexpr ByteClasses kAddressClasses = [] {
  ByteClasses classes;
  for (unsigned high = 2; high <= 7; ++high) {
    classes.add(high - 2, {high}, {});
    for (unsigned low = 0; low < 16; ++low)
      if ((kAddressBytes[16 * high + low] & kRest) != 0) classes.add(high - 2, {}, {low});
  }
  classes.add(6, {'?' >> 4U}, {'?' & 0xFU});
  classes.add(7, {'&' >> 4U}, {'&' & 0xFU});
  return classes;
}();
constexpr unsigned kAddressSigns = 0xC0;
static_assert([] {
  for (unsigned byte = 0; byte < 256; ++byte)
    if ((kAddressClasses.of(byte) != 0) != ((kAddressBytes[byte] & kRest) != 0)) return false;
  return true;
}());

unsigned mask_of_zeros(__m128i bytes) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
}
#endif

/// Passes what may stand in an address behind its host, from `at` on, which is in an address that `text` begins with.
void pass_rest_of_address(std::string_view text, std::size_t& at, bool& may_have_signs) {
#ifdef __SSSE3__
  if (text.size() >= 16) {
    __m128i seen = _mm_setzero_si128();
    unsigned foreign = 0;
    while (foreign == 0 && at < text.size()) {
      // The last sixteen bytes begin with some that were passed, which are of the address as well.
      const std::size_t from = std::min(at, text.size() - 16);
      const __m128i classes = kAddressClasses.of(load(text, from));
      seen = _mm_or_si128(seen, classes);
      foreign = mask_of_zeros(classes);
      at = from + static_cast<std::size_t>(std::countr_zero(foreign | 0x10000U));
    }
    may_have_signs = may_have_signs || mask_of_zeros(_mm_and_si128(seen, all(kAddressSigns))) != 0xFFFF;
    return;
  }
#endif
  for (; at < text.size() && (kAddressBytes[byte_at(text, at)] & kRest) != 0; ++at)
    may_have_signs = may_have_signs || text[at] == '?' || text[at] == '&';
}

/// How many bytes at the front of both are the same.
std::size_t common_size(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t at = 0;
#ifdef __SSSE3__
  for (; at + 16 <= size; at += 16) {
    const auto same = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(load(a, at), load(b, at))));
    if (same != 0xFFFF) return at + static_cast<std::size_t>(std::countr_one(same));
  }
#endif
  while (at < size && a[at] == b[at]) ++at;
  return at;
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
#ifdef __SSSE3__
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
#ifdef __SSSE3__
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

#ifdef __SSSE3__
/// Bytes that needs_tidying() has to look at, whatever follows.
constexpr ByteClasses kProseSigns = [] {
  ByteClasses classes;
  classes.add(0, {0x0, 0x1}, kAllHalves);  // controls
  classes.add(1, {0x7, 0xE}, {0xF});       // DEL, and of U+F000 to U+FFFF the first
  classes.add(2, {0xC, 0xE}, {0x2});       // of U+0080 to U+00BF and of U+2000 to U+2FFF
  classes.add(3, {'<' >> 4U, '\\' >> 4U}, {0xC});
  classes.add(4, {'&' >> 4U}, {'&' & 0xFU});
  classes.add(5, {'[' >> 4U}, {'[' & 0xFU});
  return classes;
}();
/// Bytes that it has to look at before some others ...
constexpr ByteClasses kProseFirst = [] {
  ByteClasses classes;
  for (const unsigned bit : {6U, 7U}) classes.add(bit, {0x2}, {0x0});          // a blank
  for (const unsigned bit : {2U, 3U, 4U, 5U}) classes.add(bit, {0xC}, {0x3});  // of U+00C0 to U+00FF
  classes.add(1, {0xD}, {0x0});                                                // of U+0400 to U+043F
  return classes;
}();
/// ... and these, which have a bit in common with them.
constexpr ByteClasses kProseSecond = [] {
  ByteClasses classes;
  classes.add(7, {0x0, 0x1}, kAllHalves);
  classes.add(6, {0x2}, {0x0});
  classes.add(5, {0x8}, kAllHalves);
  classes.add(4, {0x9}, {0x0, 0x1});
  classes.add(3, {0xA}, {0x2});
  classes.add(2, {0xB}, {0x0});
  classes.add(1, {0xA}, {0x0, 0x1});
  return classes;
}();
#endif

}  // namespace

bool is_plain_prose(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSSE3__
  while (text.size() > 16 && at + 1 < text.size()) {
    at = std::min(at, text.size() - 17);
    const __m128i pairs = _mm_and_si128(kProseFirst.of(load(text, at)), kProseSecond.of(load(text, at + 1)));
    const __m128i signs = kProseSigns.of(load(text, at));
    for (unsigned found = 0xFFFF & ~mask_of_zeros(_mm_or_si128(signs, pairs)); found != 0; found &= found - 1) {
      if (needs_tidying(text, at + static_cast<std::size_t>(std::countr_zero(found)))) return false;
    }
    at += 16;
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

std::size_t PlainAddressReader::read(std::string_view text) {
  std::size_t at = common_size(text, before_);
  // With a whole host in front, what they share is what an address may have.
  if (before_.empty() || at <= host_end_) {
    before_ = {};
    const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    if (scheme == 0) return 0;
    at = scheme;
    while (at < text.size() && (kAddressBytes[byte_at(text, at)] & kHost) != 0) ++at;
    if (!is_plain_host(text.substr(scheme, at - scheme))) return 0;
    const bool ends = at == text.size() || (kAddressBytes[byte_at(text, at)] & kRest) == 0;
    if (!ends && text[at] != '/' && text[at] != '?') return 0;
    host_end_ = at;
    may_have_signs_ = false;
  }
  pass_rest_of_address(text, at, may_have_signs_);
  before_ = text.substr(0, at);
  // What was written as an entity is decoded.
  if (may_have_signs_ && before_.find("&amp;") != before_.npos) before_ = {};
  return before_.size();
}

bool is_plain_address(std::string_view text) {
  return !text.empty() && PlainAddressReader().read(text) == text.size();
}

}  // namespace reelbatch
