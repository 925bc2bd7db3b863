// An amount of credits, exact: half credits occur (PROVIDERS 2.8), so no floats in sums.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

/// Thousandths of a credit. Sums and differences are exact.
struct Credits {
  std::int64_t milli = 0;

  static constexpr Credits whole(std::int64_t credits) { return Credits{credits * 1000}; }
  auto operator<=>(const Credits&) const = default;
  Credits operator+(Credits other) const { return Credits{milli + other.milli}; }
  Credits operator-(Credits other) const { return Credits{milli - other.milli}; }
};

/// Reads `3`, `7.5`, `-0.125`; at most three decimals count, a fourth rounds half away from zero.
/// Returns nothing for anything else, or beyond +-1e12.
std::optional<Credits> parse_credits(std::string_view text);

/// The shortest decimal form: `3`, `7.5`.
std::string to_text(Credits credits);

/// Two figures a service may put into any answer. IACrea: `creditsTotal` is what remains, `creditsUsed` what is
/// used, by the job or by the account (the page does not say; PROVIDERS 1.9).
struct CreditFigures {
  std::optional<Credits> remaining;
  std::optional<Credits> used;
  bool any() const { return remaining || used; }
  bool operator==(const CreditFigures&) const = default;
};

}  // namespace reelbatch
