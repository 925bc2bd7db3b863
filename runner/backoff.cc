#include "runner/backoff.h"

#include <algorithm>

namespace reelbatch {

Duration doubling(int attempt, Duration first, Duration most) {
  Duration delay = first;
  for (int i = 1; i < attempt && delay < most; ++i) delay *= 2;
  return std::min(delay, most);
}

Duration backoff_delay(int attempt, Duration first, Duration most, Rng& rng) {
  const Duration delay = doubling(attempt, first, most);
  const auto half = static_cast<std::uint64_t>(delay.count() / 2);
  return delay - Duration(static_cast<Duration::rep>(rng.below(half + 1)));
}

}  // namespace reelbatch
