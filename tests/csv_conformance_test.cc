// A public suite of CSV files (tests/fixtures/csv-conformance), and what RFC 4180 says beyond it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "jobs/json.h"
#include "runner/csv.h"

namespace reelbatch {
namespace {

using Cells = std::vector<std::string>;

std::vector<Cells> read(std::string_view text, std::size_t piece) {
  StringSource source(text, piece);
  CsvReader reader(source, "f.csv", ',', piece == 1 ? 1 : 1U << 18U);
  std::vector<Cells> records;
  while (true) {
    const Result<bool> more = reader.next();
    REQUIRE(more);
    if (!*more) return records;
    CHECK(reader.problems().empty());
    records.emplace_back(reader.cells().begin(), reader.cells().end());
  }
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A list of objects whose members are texts, as records with a header.
std::vector<Cells> records_of(std::string_view json) {
  JsonReader reader;
  const Result<JsonElement> element = reader.parse(json);
  REQUIRE(element);
  std::vector<Cells> records;
  const simdjson::dom::array rows = element->get_array();
  for (const JsonElement row : rows) {
    Cells names, cells;
    const simdjson::dom::object members = row.get_object();
    for (const auto member : members) {
      names.emplace_back(member.key);
      cells.emplace_back(member.value.get_string().value());
    }
    if (records.empty()) records.push_back(names);
    CHECK(records.front() == names);
    records.push_back(cells);
  }
  return records;
}

}  // namespace

TEST_CASE("csv-spectrum: every file is read as its JSON says") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FIXTURES "/csv-conformance/spectrum")) {
    if (entry.path().extension() != ".csv") continue;
    CAPTURE(entry.path().filename().string());
    const std::string text = read_whole(entry.path());
    const std::vector<Cells> wanted =
        records_of(read_whole(std::filesystem::path(entry.path()).replace_extension(".json")));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) CHECK(read(text, piece) == wanted);
    ++files;
  }
  CHECK(files == 11);
}

TEST_CASE("RFC 4180 section 2, rule by rule") {
  struct Rule {
    const char* rule;
    const char* text;
    std::vector<Cells> records;
  };
  const std::vector<Rule> rules{
      {"1: a record a line, ended by CRLF",
       "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n",
       {{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}}},
      {"2: the last record may have no line end", "aaa,bbb\r\nzzz,yyy", {{"aaa", "bbb"}, {"zzz", "yyy"}}},
      {"4: spaces belong to a cell", "a , b, c \r\n", {{"a ", " b", " c "}}},
      {"4: the last cell may be empty", "a,b,\r\n", {{"a", "b", ""}}},
      {"4: all cells may be empty", ",,\r\n", {{"", "", ""}}},
      {"5: cells may be in quotes", "\"aaa\",\"bbb\",ccc\r\n", {{"aaa", "bbb", "ccc"}}},
      {"5: and empty", "\"\",\"\"\r\n", {{"", ""}}},
      {"6: line breaks in quotes", "\"a\r\nb\",\"c\nd\",\"e\rf\"\r\n", {{"a\r\nb", "c\nd", "e\rf"}}},
      {"6: delimiters in quotes", "\"a,b\",c\r\n", {{"a,b", "c"}}},
      {"7: a quote in quotes is doubled", "\"b\"\"bb\",\"\"\"\"\r\n", {{"b\"bb", "\""}}},
      {"7: at both ends", "\"\"\"a\"\"\"\r\n", {{"\"a\""}}},
  };
  for (const Rule& rule : rules) {
    CAPTURE(rule.rule);
    for (const std::size_t piece : {std::size_t{1}, SIZE_MAX}) CHECK(read(rule.text, piece) == rule.records);
  }
}

}  // namespace reelbatch
