// A small generator whose numbers are the same on every machine and library: a printed seed repeats a run. The
// standard distributions are not, each library has its own.
#pragma once

#include <cstdint>
#include <string_view>

namespace reelbatch {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Not for secrets.
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  /// In [0, bound); `bound` is at least 1. The bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

/// One number from several; equal inputs give equal numbers.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return SeededRandom(a ^ SeededRandom(b).next()).next();
}

/// FNV-1a, so that a text can be part of a seed.
inline std::uint64_t text_seed(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace reelbatch
