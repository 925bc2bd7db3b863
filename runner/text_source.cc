#include "runner/text_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kEvidence = std::size_t{64} * 1024;

/// What windows-1252 shows a byte beyond ASCII as; 0 for nothing.
char32_t shown_as(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80U && byte <= 0x9FU ? windows_1252_meaning(byte) : byte;
}

struct Mark {
  std::string_view bytes;
  Encoding encoding;
};

/// UTF-32 first: its little-endian mark begins with that of UTF-16.
constexpr std::array<Mark, 5> kMarks{{{"\xFF\xFE\0\0"sv, Encoding::Utf32Le},
                                      {"\0\0\xFE\xFF"sv, Encoding::Utf32Be},
                                      {"\xFF\xFE"sv, Encoding::Utf16Le},
                                      {"\xFE\xFF"sv, Encoding::Utf16Be},
                                      {"\xEF\xBB\xBF"sv, Encoding::Utf8}}};

struct Name {
  std::string_view name;
  Encoding encoding;
};

constexpr std::array<Name, 9> kNames{{{"utf8", Encoding::Utf8},
                                      {"utf16le", Encoding::Utf16Le},
                                      {"utf16be", Encoding::Utf16Be},
                                      {"utf32le", Encoding::Utf32Le},
                                      {"utf32be", Encoding::Utf32Be},
                                      {"windows1252", Encoding::Windows1252},
                                      {"cp1252", Encoding::Windows1252},
                                      {"latin1", Encoding::Latin1},
                                      {"iso88591", Encoding::Latin1}}};

std::size_t find_beyond_ascii(const char* data, std::size_t size) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 64 <= size; at += 64) {
    __m128i all = _mm_setzero_si128();
    for (std::size_t part = 0; part < 64; part += 16) {
      all = _mm_or_si128(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at + part)));
    }
    if (_mm_movemask_epi8(all) != 0) break;
  }
#endif
  while (at < size && static_cast<unsigned char>(data[at]) < 0x80U) ++at;
  return at;
}

/// Whether more of `text` speaks against UTF-8 than for it. A single damaged row does not make a UTF-8 file another
/// one, and a word that happens to be UTF-8 does not make windows-1252 UTF-8. Accented letters stand beside letters or
/// digits; signs, and the few that are words, may stand alone; any other byte between blanks and signs is damage.
bool is_legacy(std::string_view text) {
  constexpr std::string_view kAlone =
      "\x80\x85\x91\x92\x93\x94\x95\x96\x97\xA0\xA3\xA7\xAB\xB0\xB2\xB7\xBB"  // €…‘’“”•–— £§«°²·»
      "\xC0\xC8\xC9\xE0\xE8\xE9\xF2\xF3";                                     // ÀÈÉàèéòó
  std::size_t fits = 0, misfits = 0;
  const auto is_word = [&](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0);
  };
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    // A last character that is cut is no evidence.
    if (!point.valid && at + 4 > text.size() && static_cast<unsigned char>(text[at]) >= 0xC0U) break;
    const bool is_letter = is_word(at + 1) || (at > 0 && is_word(at - 1));
    if (!point.valid && (is_letter || kAlone.find(text[at]) != std::string_view::npos)) ++misfits;
    if (point.size > 1) ++fits;
    at += point.size;
  }
  return misfits > fits;
}

/// Whether words are beyond ASCII from end to end, as in Cyrillic or Greek: as windows-1252, which has accented letters
/// among others, they would be nonsense.
bool is_of_other_script(std::string_view text) {
  constexpr std::size_t kWord = 4;  // letters beyond ASCII in a row; `crééé` has three
  constexpr std::size_t kLettersMin = 8;
  std::size_t letters = 0, in_words = 0, run = 0;
  for (const char c : text) {
    const bool is_letter = static_cast<unsigned char>(c) >= 0xC0U;
    run = is_letter ? run + 1 : 0;
    if (is_letter) ++letters;
    if (run >= kWord) in_words += run == kWord ? kWord : 1;
  }
  return letters >= kLettersMin && 2 * in_words > letters;
}

/// Where UTF-8 begins that is hardly anything else: `Ã` and a sign, as accented letters look in windows-1252, or the
/// three bytes of a typographic quote or dash. npos for none.
std::size_t find_sure_utf8(std::string_view text) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const auto byte = [&](std::size_t ahead) { return static_cast<unsigned char>(text[at + ahead]); };
    if (byte(0) == 0xC3U && byte(1) >= 0x80U && byte(1) <= 0xBFU) return at;
    if (byte(0) == 0xE2U && byte(1) == 0x80U && at + 2 < text.size() && byte(2) >= 0x80U && byte(2) <= 0xBFU) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Encoding> encoding_named(std::string_view name) {
  std::string plain = ascii_lower(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_' || c == ' '; });
  for (const Name& known : kNames)
    if (known.name == plain) return known.encoding;
  return std::nullopt;
}

std::string_view name_of(Encoding encoding) {
  constexpr std::array<std::string_view, 7> kShown{"UTF-8",    "UTF-16LE",     "UTF-16BE",  "UTF-32LE",
                                                   "UTF-32BE", "windows-1252", "ISO-8859-1"};
  return kShown.at(static_cast<std::size_t>(encoding));
}

EncodingMark find_encoding(std::string_view head) {
  for (const Mark& mark : kMarks)
    if (head.starts_with(mark.bytes)) return {mark.encoding, false};
  // In UTF-32 two of four bytes are NUL in nearly all text. In UTF-16 one of two is small: a NUL beside Latin letters,
  // digits and signs, 3 beside Greek ones, 4 beside Cyrillic ones, up to 8 in scripts nearby. Where it is larger, as in
  // Chinese, there are still addresses, delimiters and line ends. No other text has such bytes.
  const std::string_view sample = head.substr(0, 4096);
  if (sample.size() < 8) return {};
  std::array<std::size_t, 4> nuls{}, small{};
  for (std::size_t i = 0; i < sample.size(); ++i) {
    if (sample[i] == '\0') ++nuls.at(i % 4);
    if (static_cast<unsigned char>(sample[i]) <= 8U) ++small.at(i % 4);
  }
  constexpr std::size_t kFew = 16;  // one in so many is few
  const auto is_few = [](std::size_t some, std::size_t all) { return kFew * some <= all; };
  const std::size_t wide = sample.size() / 4;
  if (is_few(wide - std::min({wide, nuls[2], nuls[3]}), wide) && nuls[0] == 0) return {Encoding::Utf32Le, true};
  if (is_few(wide - std::min({wide, nuls[0], nuls[1]}), wide) && nuls[3] == 0) return {Encoding::Utf32Be, true};
  const auto are_high = [&](std::size_t high, std::size_t low) {
    const std::size_t found = small.at(high) + small.at(high + 2);
    return found >= 4 && kFew * 2 * found >= sample.size() && nuls.at(high) + nuls.at(high + 2) > 1 &&
           is_few(small.at(low) + small.at(low + 2), found) && is_few(nuls.at(low) + nuls.at(low + 2), found);
  };
  if (are_high(0, 1)) return {Encoding::Utf16Be, true};
  if (are_high(1, 0)) return {Encoding::Utf16Le, true};
  return {};
}

TextSource::TextSource(ByteSource& source, std::optional<Encoding> stated, std::string_view file)
    : source_(source), file_(file) {
  if (!stated) return;
  encoding_ = *stated;
  stated_ = true;
  decided_ = true;
}

Result<std::size_t> TextSource::read(char* to, std::size_t size) {
  if (!decided_) return read_undecided(to, size);
  if (taken_ < decoded_.size()) return hand_out(to, size);
  if (encoding_ == Encoding::Utf8) {
    if (raw_.empty()) return ended_ ? Result<std::size_t>(0) : source_.read(to, size);
    decoded_.swap(raw_);
    raw_.clear();
    taken_ = 0;
    return hand_out(to, size);
  }
  while (taken_ == decoded_.size()) {
    if (ended_ && raw_.empty()) return 0;
    if (Result<void> more = decode_more(); !more) return tl::unexpected<Error>(more.error());
  }
  return hand_out(to, size);
}

Result<std::size_t> TextSource::hand_out(char* to, std::size_t size) {
  const std::size_t given = std::string_view(decoded_).substr(taken_).copy(to, size);
  taken_ += given;
  if (taken_ == decoded_.size()) {
    decoded_.clear();
    taken_ = 0;
  }
  return given;
}

/// ASCII as it is; from the first other byte on enough is gathered to decide.
Result<std::size_t> TextSource::read_undecided(char* to, std::size_t size) {
  if (raw_.empty()) {
    const Result<std::size_t> taken = source_.read(to, size);
    if (!taken || *taken == 0) return taken;
    const std::size_t plain = find_beyond_ascii(to, *taken);
    if (plain == *taken) return taken;
    raw_.assign(to + plain, *taken - plain);
    if (plain > 0) return plain;
  }
  std::array<char, 4096> block;
  while (raw_.size() < kEvidence && !ended_) {
    const Result<std::size_t> more = source_.read(block.data(), block.size());
    if (!more) return more;
    ended_ = *more == 0;
    raw_.append(block.data(), *more);
  }
  const std::string_view evidence = std::string_view(raw_).substr(0, kEvidence);
  if (is_legacy(evidence)) {
    if (is_of_other_script(evidence))
      return usage_error(
          fmt::format("{}: is neither UTF-8 nor windows-1252: whole words are beyond ASCII, as in Cyrillic or Greek; "
                      "save the file as "
                      "UTF-8 (--encoding windows-1252 reads it all the same)",
                      file_));
    encoding_ = Encoding::Windows1252;
  }
  decided_ = true;
  return read(to, size);
}

Result<void> TextSource::decode_more() {
  if (!ended_ && raw_.size() < 4096) {
    const std::size_t old = raw_.size();
    raw_.resize(kEvidence);
    const Result<std::size_t> more = source_.read(raw_.data() + old, raw_.size() - old);
    raw_.resize(old + more.value_or(0));
    if (!more) return tl::unexpected<Error>(more.error());
    ended_ = *more == 0;
  }
  if (encoding_ == Encoding::Windows1252 && !stated_) {
    if (Result<void> one = check_not_mixed(); !one) return one;
  }
  decode(ended_);
  return {};
}

/// Of a file that was found to be windows-1252 by its beginning.
Result<void> TextSource::check_not_mixed() {
  const std::size_t at = find_sure_utf8(raw_);
  const std::string_view before = std::string_view(raw_).substr(0, at);
  lines_ += static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  if (at == std::string_view::npos) return {};
  return usage_error(
      fmt::format("{}: the file mixes encodings: its beginning is windows-1252, and on line {} behind the first letter "
                  "beyond ASCII there is UTF-8: export it in one encoding, or say with --encoding which one it is",
                  file_, lines_ + 1));
}

void TextSource::decode(bool last) {
  switch (encoding_) {
    case Encoding::Utf16Le:
    case Encoding::Utf16Be:
      return decode_units(2, encoding_ == Encoding::Utf16Be, last);
    case Encoding::Utf32Le:
    case Encoding::Utf32Be:
      return decode_units(4, encoding_ == Encoding::Utf32Be, last);
    default:
      return decode_bytes();
  }
}

void TextSource::decode_bytes() {
  for (const char c : raw_) {
    const auto byte = static_cast<unsigned char>(c);
    const char32_t point = encoding_ == Encoding::Windows1252 ? shown_as(c) : byte;
    if (point == 0 && byte != 0) {
      decoded_ += c;
    } else {
      append_code_point(decoded_, point);
    }
  }
  raw_.clear();
}

void TextSource::decode_units(std::size_t width, bool big, bool last) {
  const auto unit_at = [&](std::size_t at) {
    char32_t unit = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const auto byte = static_cast<unsigned char>(raw_[at + (big ? i : width - 1 - i)]);
      unit = (unit << 8U) | byte;
    }
    return unit;
  };
  std::size_t at = 0;
  while (at + width <= raw_.size()) {
    char32_t point = unit_at(at);
    std::size_t size = width;
    if (width == 2 && point >= 0xD800U && point <= 0xDBFFU) {
      if (at + 4 > raw_.size() && !last) break;
      const char32_t low = at + 4 <= raw_.size() ? unit_at(at + 2) : 0;
      if (low >= 0xDC00U && low <= 0xDFFFU) {
        point = 0x10000U + ((point - 0xD800U) << 10U) + (low - 0xDC00U);
        size = 4;
      }
    }
    const bool scalar = point <= 0x10FFFFU && (point < 0xD800U || point > 0xDFFFU);
    const bool mark = at_start_ && point == 0xFEFFU;
    at_start_ = false;
    if (!scalar) {
      decoded_ += '\xFF';
    } else if (!mark) {
      append_code_point(decoded_, point);
    }
    at += size;
  }
  raw_.erase(0, at);
  if (last && !raw_.empty()) {
    decoded_ += '\xFF';
    raw_.clear();
  }
}

}  // namespace reelbatch
