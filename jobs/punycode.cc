#include "jobs/punycode.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

// RFC 3492 section 5.
constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kTMin = 1;
constexpr std::uint32_t kTMax = 26;
constexpr std::uint32_t kSkew = 38;
constexpr std::uint32_t kDamp = 700;
constexpr std::uint32_t kInitialBias = 72;
constexpr std::uint32_t kInitialN = 128;

/// Longer labels are no host names anyway; the bound keeps the arithmetic far from overflow.
constexpr std::size_t kPointsMax = 63;

char digit(std::uint32_t value) {
  return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > ((kBase - kTMin) * kTMax) / 2; k += kBase) delta /= kBase - kTMin;
  return k + (kBase - kTMin + 1) * delta / (delta + kSkew);
}

void append_variable(std::string& out, std::uint32_t value, std::uint32_t bias) {
  for (std::uint32_t k = kBase;; k += kBase) {
    const std::uint32_t t = k <= bias ? kTMin : std::min(k - bias, kTMax);
    if (value < t) break;
    out.push_back(digit(t + (value - t) % (kBase - t)));
    value = (value - t) / (kBase - t);
  }
  out.push_back(digit(value));
}

std::optional<char32_t> lower_point(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 0x20;
  if (c < 0x80) return c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;
  if (c >= 0xDF && c <= 0xFF && c != 0xF7) return c;
  if (c >= 0x0410 && c <= 0x042F) return c + 0x20;
  if (c >= 0x0400 && c <= 0x040F) return c + 0x50;
  if (c >= 0x0430 && c <= 0x045F) return c;
  if (c >= 0x3041 && c <= 0x3096) return c;
  if ((c >= 0x30A1 && c <= 0x30FA) || c == 0x30FC) return c;
  if (c >= 0x4E00 && c <= 0x9FFF) return c;
  return std::nullopt;
}

std::string encode(const std::vector<char32_t>& points) {
  std::string out = "xn--";
  std::uint32_t handled = 0;
  for (const char32_t point : points) {
    if (point >= 0x80) continue;
    out.push_back(static_cast<char>(point));
    ++handled;
  }
  const std::uint32_t basic = handled;
  if (basic > 0) out.push_back('-');

  std::uint32_t n = kInitialN;
  std::uint32_t delta = 0;
  std::uint32_t bias = kInitialBias;
  while (handled < points.size()) {
    std::uint32_t next = 0x10FFFF;
    for (const char32_t point : points) {
      if (point >= n) next = std::min<std::uint32_t>(next, point);
    }
    delta += (next - n) * (handled + 1);
    n = next;
    for (const char32_t point : points) {
      if (point < n) ++delta;
      if (point != n) continue;
      append_variable(out, delta, bias);
      bias = adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return out;
}

}  // namespace

std::optional<std::string> ascii_label(std::string_view label) {
  std::vector<char32_t> points;
  bool ascii = true;
  for (std::size_t at = 0; at < label.size();) {
    const CodePoint point = code_point_at(label, at);
    at += point.size;
    const std::optional<char32_t> lower = point.valid ? lower_point(point.value) : std::nullopt;
    if (!lower || points.size() >= kPointsMax) return std::nullopt;
    ascii = ascii && *lower < 0x80;
    points.push_back(*lower);
  }
  if (ascii) return ascii_lower(label);
  return encode(points);
}

}  // namespace reelbatch
