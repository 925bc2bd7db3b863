#include "runner/column_kinds.h"

#include <doctest/doctest.h>

#include <numeric>

namespace reelbatch {
namespace {

using Row = std::vector<std::string>;

const std::vector<Row> kRows = {
    {"A-1", "https://img.example.test/1.jpg", "Flat", "250000", "A flat by the sea", ""},
    {"A-2", "https://img.example.test/2.jpg", "Loft", "310000", "A loft in town", "x"},
    {"A-3", "https://img.example.test/3.jpg", "House", "410000", "A house in the hills", ""},
    {"A-4", "", "House", "", "A house in the woods", ""},
};

struct Found {
  bool found = false;
  bool sure = false;
  bool alone = false;
  std::size_t cell = 0;
  std::string says;
};

/// A row with commas between its cells, none in quotes.
Found find(const std::vector<Row>& rows, const std::string& raw) {
  ColumnKinds kinds;
  kinds.learn(rows, true);
  std::vector<std::string_view> cells;
  for (std::size_t at = 0; at <= raw.size();) {
    const std::size_t end = std::min(raw.find(',', at), raw.size());
    cells.push_back(std::string_view(raw).substr(at, end - at));
    at = end + 1;
  }
  const auto shift = kinds.find_shift(cells, raw);
  return shift ? Found{true, shift->sure, shift->alone, shift->cell, shift->says} : Found{};
}

}  // namespace

TEST_CASE("rows that are shifted in a table without a header") {
  const std::string start = "A-9,https://img.example.test/9.jpg,";
  for (const Row& row : kRows) {
    const std::string raw = std::accumulate(row.begin() + 1, row.end(), row[0],
                                            [](const std::string& a, const std::string& b) { return a + ',' + b; });
    CHECK_FALSE(find(kRows, raw).found);
  }
  SUBCASE("by a comma in a text, with what belongs into a column one further") {
    const Found found = find(kRows, start + "Flat, big,250000,A flat by the sea,");
    CHECK(found.sure);
    CHECK(found.cell == 3);
    CHECK(found.says ==
          "'big' begins with a blank, as hardly any other cell does, and 'big' stands in column 4, "
          "where other rows have a number");
  }
  SUBCASE("in two columns") {
    CHECK(find(kRows, "A-9,one,https://img.example.test/9.jpg,Flat,250000,A flat by the sea").sure);
    CHECK(find(kRows, "A-9,Flat,250000,A flat by the sea,").sure);  // a cell is missing
  }
  SUBCASE("by a comma in a text, which puts a number where others have words") {
    const Found found = find(kRows, start + "Flat,big,250000,A flat by the sea,");
    CHECK(found.sure);
    CHECK(found.says == "'big' stands in column 4, where other rows have a number");
  }
  SUBCASE("one thing alone is no proof") {
    const std::vector<Row> rows = {
        {"A-1", "Flat", "250000", "65"}, {"A-2", "Loft", "310000", "80"}, {"A-3", "House", "410000", "140"}};
    const Found number = find(rows, "A-9,Flat,on request,70");
    CHECK(number.found);
    CHECK_FALSE(number.sure);
    CHECK(number.alone);
    CHECK(number.says == "'on request' stands in column 3, where other rows have a number");
    const Found blank = find(kRows, start + "Flat,250000,A flat by the sea, and so on");
    CHECK(blank.found);
    CHECK_FALSE(blank.sure);
    CHECK_FALSE(blank.alone);
    CHECK(blank.cell == 5);
  }
  SUBCASE("a cell of another sort, with nothing beside it that belongs there") {
    CHECK_FALSE(find(kRows, start + "Flat,on request,A flat by the sea,").found);
    CHECK_FALSE(find(kRows, "A-9,none,Flat,250000,A flat by the sea,").found);
  }
  SUBCASE("where blanks begin many cells they tell nothing") {
    std::vector<Row> rows = kRows;
    for (Row& row : rows) row[4] = ' ' + row[4];
    CHECK_FALSE(find(rows, start + "Flat,250000,A flat by the sea, and so on").found);
  }
  SUBCASE("few rows show nothing") {
    CHECK_FALSE(find({kRows[0], kRows[1]}, start + "Flat, big,250000,A flat by the sea,").found);
  }
}

}  // namespace reelbatch
