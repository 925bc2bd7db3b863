#include "runner/id_table.h"

#include <doctest/doctest.h>

#include <string>

namespace reelbatch {

TEST_CASE("an id is known with its first place") {
  IdTable table;
  CHECK_FALSE(table.insert("a", {0, 2}).has_value());
  CHECK_FALSE(table.insert("", {0, 0}).has_value());
  const auto seen = table.insert("a", {7, 9});
  REQUIRE(seen.has_value());
  CHECK(seen->same);
  CHECK_FALSE(seen->again);
  CHECK(seen->place.file == 0);
  CHECK(seen->place.line == 2);
  CHECK(table.insert("a", {8, 9})->again);
  CHECK(table.insert("a", {8, 9})->place.file == 0);
  CHECK_FALSE(table.insert("b", {(1U << 23U) - 2, (std::uint64_t{1} << 40U) - 1}).has_value());
  const auto far = table.insert("b", {0, 1});
  REQUIRE(far.has_value());
  CHECK(far->place.file == (1U << 23U) - 2);
  CHECK(far->place.line == (std::uint64_t{1} << 40U) - 1);
}

TEST_CASE("ids that differ only in letter case, blanks or leading zeros are alike") {
  struct Case {
    const char* first;
    const char* second;
    bool alike;
  };
  const Case cases[] = {{"Ab-1", "aB-1", true}, {"7", "007", true},    {"0", "000", true},
                        {"A 1", "A1", true},    {"0 7", "7", true},    {"10", "1", false},
                        {"A01", "A1", false},   {"A-1", "A_1", false}, {"\u00C9", "\u00E9", false}};
  for (const Case& test : cases) {
    CAPTURE(test.first);
    IdTable table;
    CHECK_FALSE(table.insert(test.first, {0, 1}).has_value());
    const auto seen = table.insert(test.second, {0, 2});
    CHECK(seen.has_value() == test.alike);
    if (seen) CHECK_FALSE(seen->same);
    if (seen) CHECK(seen->place.line == 1);
    CHECK(table.insert(test.second, {0, 3})->place.line == 2);  // itself rather than one like it
  }
}

TEST_CASE("many ids are all found again, in at most 40 bytes each") {
  constexpr std::uint64_t kMany = 200'000;
  IdTable table;
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kMany; ++i) wrong += table.insert("L-" + std::to_string(i), {0, i + 2}) ? 1U : 0U;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    const auto seen = table.insert("L-" + std::to_string(i), {1, 1});
    wrong += seen && seen->same && seen->place.line == i + 2 ? 0U : 1U;
  }
  CHECK(wrong == 0);
  CHECK(table.bytes() < 42 * kMany);  // 40 and the parts that have just grown
}

}  // namespace reelbatch
