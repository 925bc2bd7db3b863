#include "jobs/credits.h"

#include <fmt/format.h>

namespace reelbatch {
namespace {

constexpr std::int64_t kMilliMax = 1'000'000'000'000'000;  // 1e12 credits

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits at the front of `text`, which loses them.
std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

}  // namespace

std::optional<Credits> parse_credits(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  if (whole.empty()) return std::nullopt;
  std::string_view decimals;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = take_digits(text);
    if (decimals.empty()) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;

  std::int64_t milli = 0;
  for (const char digit : whole) {
    milli = milli * 10 + (digit - '0') * 1000;
    if (milli > kMilliMax) return std::nullopt;
  }
  std::int64_t unit = 100;
  for (const char digit : decimals.substr(0, 3)) {
    milli += (digit - '0') * unit;
    unit /= 10;
  }
  if (decimals.size() > 3 && decimals[3] >= '5') ++milli;
  if (milli > kMilliMax) return std::nullopt;
  return Credits{negative ? -milli : milli};
}

std::string to_text(Credits credits) {
  // Unsigned, because the lowest int64 has no positive twin.
  const bool negative = credits.milli < 0;
  const std::uint64_t milli =
      negative ? ~static_cast<std::uint64_t>(credits.milli) + 1 : static_cast<std::uint64_t>(credits.milli);
  std::string text = fmt::format("{}{}", negative ? "-" : "", milli / 1000);
  if (milli % 1000 == 0) return text;
  text += fmt::format(".{:03}", milli % 1000);
  while (text.ends_with('0')) text.pop_back();
  return text;
}

}  // namespace reelbatch
