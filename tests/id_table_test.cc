#include "runner/id_table.h"

#include <doctest/doctest.h>

#include <string>

namespace reelbatch {

TEST_CASE("an id is known with its first place") {
  IdTable table;
  CHECK_FALSE(table.insert("a", {0, 2}).has_value());
  CHECK_FALSE(table.insert("A", {0, 3}).has_value());
  CHECK_FALSE(table.insert("", {0, 0}).has_value());
  const auto seen = table.insert("a", {7, 9});
  REQUIRE(seen.has_value());
  CHECK(seen->file == 0);
  CHECK(seen->line == 2);
  CHECK_FALSE(table.insert("b", {(1U << 24U) - 2, (std::uint64_t{1} << 40U) - 1}).has_value());
  const auto far = table.insert("b", {0, 1});
  REQUIRE(far.has_value());
  CHECK(far->file == (1U << 24U) - 2);
  CHECK(far->line == (std::uint64_t{1} << 40U) - 1);
}

TEST_CASE("many ids are all found again, in at most 40 bytes each") {
  constexpr std::uint64_t kMany = 200'000;
  IdTable table;
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kMany; ++i) wrong += table.insert("L-" + std::to_string(i), {0, i + 2}) ? 1U : 0U;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    const auto seen = table.insert("L-" + std::to_string(i), {1, 1});
    wrong += seen && seen->line == i + 2 ? 0U : 1U;
  }
  CHECK(wrong == 0);
  CHECK(table.bytes() < 42 * kMany);  // 40 and the parts that have just grown
}

}  // namespace reelbatch
