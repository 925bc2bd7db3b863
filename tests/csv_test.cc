#include "runner/csv.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Every record as `line|cell|cell ...`, line ends shown as \n and \r, problems behind `!`, an error last.
std::vector<std::string> read(std::string_view text, char delimiter, std::size_t piece, std::size_t block) {
  std::vector<std::string> out;
  StringSource source(text, piece);
  CsvReader reader(source, "f.csv", delimiter, block);
  while (true) {
    const Result<bool> more = reader.next();
    if (!more) out.push_back("error: " + more.error().message);
    if (!more || !*more) break;
    std::string line = std::to_string(reader.line());
    for (const std::string_view cell : reader.cells()) {
      line += '|';
      for (const char c : cell) line += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\0' ? "\\0" : std::string(1, c);
    }
    for (const CsvProblem& problem : reader.problems())
      line += " !" + std::to_string(problem.place.line) + ':' + std::to_string(problem.place.column) + ' ' +
              problem.message.substr(0, 4);
    if (!reader.ended_by_newline()) line += " (end)";
    CHECK(reader.is_well_formed() == is_utf8(reader.raw()));
    out.push_back(line);
  }
  return out;
}

using Lines = std::vector<std::string>;

/// The same whole, a byte at a time, and in odd pieces with buffers that have to grow.
void check_all_ways(std::string_view text, const Lines& lines, char delimiter = ',') {
  CHECK(read(text, delimiter, SIZE_MAX, 1U << 18U) == lines);
  for (const std::size_t piece : {1U, 2U, 3U, 7U})
    for (const std::size_t block : {1U, 2U, 5U, 64U, 67U}) {
      CAPTURE(piece);
      CAPTURE(block);
      CHECK(read(text, delimiter, piece, block) == lines);
    }
}

}  // namespace

TEST_CASE("byte order marks in front of records are skipped, wherever a read or a buffer cuts them") {
  const std::string mark = "\xEF\xBB\xBF";
  check_all_ways(mark + "id,a\n" + mark + "\"1\",b\n" + mark + mark + "2," + mark + "c\n" + mark + "\n" + mark,
                 {"1|id|a", "2|1|b", "3|2|" + mark + "c"});
  check_all_ways("id,a\n\xEF\xBB,b\n\xEF", {"1|id|a", "2|\xEF\xBB|b", "3|\xEF (end)"});
  const std::string joined = "id\n1\n" + mark + "2\n" + mark + "3\n";
  StringSource source(joined);
  CsvReader reader(source, "f.csv", ',');
  while (*reader.next()) continue;
  CHECK(reader.line_of_mark() == 3);
}

TEST_CASE("a record is told to be UTF-8 or not wherever a read or a buffer cuts it") {
  Lines lines;
  std::string text;
  const auto add = [&](const std::string& first, const std::string& second) {
    text += first + ',' + second + '\n';
    lines.push_back(std::to_string(lines.size() + 1) + '|' + first + '|' + second);
  };
  add("é", "\U0001F3E0");
  add("\xE9", "latin");  // a head without its tail
  add("\U0001F3E0", "€");
  add("\x80\x80\x80\x80\x80", "only tails");  // more of them than any character has
  add("€", "\xF0\x9F\x8F");                   // cut short
  add("\xED\xA0\x80", "a surrogate");
  add("a", "é");
  check_all_ways(text, lines);
  lines.back() += " (end)";
  text.pop_back();
  check_all_ways(text, lines);
  text.pop_back();  // now it ends within a character
  lines.back() = "7|a|\xC3 (end)";
  check_all_ways(text, lines);
}

TEST_CASE("records are read by RFC 4180 and by what real files do") {
  struct Case {
    const char* name;
    std::string text;
    Lines lines;
  };
  const Case cases[] = {
      {"nothing", "", {}},
      {"simple", "a,b,c\n1,2,3\n", {"1|a|b|c", "2|1|2|3"}},
      {"no newline at the end", "a,b\n1,2", {"1|a|b", "2|1|2 (end)"}},
      {"empty cells", "a,,\n,,\n", {"1|a||", "2|||"}},
      {"delimiter at the end of the file", "a,", {"1|a| (end)"}},
      {"comma in quotes", "\"Doe, J\",b\n", {"1|Doe, J|b"}},
      {"doubled quotes", "\"say \"\"hi\"\"\",b\n\"\"\"\"\n", {"1|say \"hi\"|b", "2|\""}},
      {"quoted empty cell is not a blank line", "\"\"\n", {"1|"}},
      {"newlines in quotes", "\"a\nb\",c\n\"d\r\ne\rf\"\ng\n", {"1|a\\nb|c", "3|d\\r\\ne\\rf", "6|g"}},
      {"CRLF", "a,b\r\n1,2\r\n", {"1|a|b", "2|1|2"}},
      {"CR alone", "a,b\r1,2\r", {"1|a|b", "2|1|2"}},
      {"line ends mixed", "a\r\nb\nc\rd\r\n", {"1|a", "2|b", "3|c", "4|d"}},
      {"CR at the end of the file", "a\r", {"1|a"}},
      {"blank lines count as lines", "a\n\n\r\n\rb\n\n", {"1|a", "5|b"}},
      {"spaces are kept", " a , b\n", {"1| a | b"}},
      {"byte order mark", "\xEF\xBB\xBF\"id\",b\n", {"1|id|b"}},
      {"only a byte order mark", "\xEF\xBB\xBF", {}},
      {"part of a byte order mark", "\xEF\xBB", {"1|\xEF\xBB (end)"}},
      {"quote inside an unquoted cell", "12\" x 9\",b\n", {"1|12\" x 9\"|b"}},
      {"JSON in quotes", "1,\"{\"\"a\"\": [\"\"b,c\"\"]}\"\n", {"1|1|{\"a\": [\"b,c\"]}"}},
      {"text after a closing quote", "a,\"b\"c,d\n\"é\"\"f\" ,g\n", {"1|a|bc|d !1:6 text", "2|é\"f |g !2:7 text"}},
      {"text after a quote on a later line", "\"a\nbé\"c\n", {"1|a\\nbéc !2:4 text"}},
      {"NUL", std::string("a,b\né\0c,\"d\0\"\n", 14), {"1|a|b", "2|é\\0c|d\\0 !2:2 a NU"}},
      {"unclosed quote", "a,b\n1,\"2\n3,4\n", {"1|a|b", "error: f.csv:2:3: a quote is opened here and never closed"}},
      {"unclosed quote at the very end", "é,\"", {"error: f.csv:1:3: a quote is opened here and never closed"}},
      {"closed by a doubled quote only", "\"a\"\"", {"error: f.csv:1:1: a quote is opened here and never closed"}},
      {"quoted cell that ends the file", "\"a\",\"b\"", {"1|a|b (end)"}},
      {"long line",
       std::string(200, 'x') + "," + std::string(131, 'y') + "\nz\n",
       {"1|" + std::string(200, 'x') + "|" + std::string(131, 'y'), "2|z"}},
      {"long quoted cell", "\"" + std::string(300, 'x') + "\"\"\"\nz\n", {"1|" + std::string(300, 'x') + "\"", "2|z"}},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    check_all_ways(test.text, test.lines);
  }
}

TEST_CASE("the delimiter may be a tab, and may change") {
  check_all_ways("a\tb,c\n\"d\te\"\tf\n", {"1|a|b,c", "2|d\te|f"}, '\t');
  StringSource source("sep=;\na;b\n");
  CsvReader reader(source, "f.csv", ',');
  REQUIRE(*reader.next());
  reader.set_dialect(';');
  REQUIRE(*reader.next());
  CHECK(reader.cells().size() == 2);
}

TEST_CASE("every cell has its line and its column in characters") {
  StringSource source(
      "\xEF\xBB\xBF"
      "é,\"x\ny\",日本,\"z\"\"\nq\" ,w\n,b\n");
  CsvReader reader(source, "f.csv", ',');
  REQUIRE(*reader.next());
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> places = {{1, 1}, {1, 3}, {2, 4}, {2, 7}, {3, 5}};
  REQUIRE(reader.cells().size() == places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    CAPTURE(i);
    CHECK(reader.place(i).line == places[i].first);
    CHECK(reader.place(i).column == places[i].second);
    CHECK(reader.places()[i].line == places[i].first);
    CHECK(reader.places()[i].column == places[i].second);
  }
  CHECK(reader.place_in(2, 3).column == 5);
  CHECK(reader.place_in(1, 1).column == 3);  // of a quoted cell only the start is known
  REQUIRE(*reader.next());
  CHECK(reader.line() == 4);
  CHECK(reader.place(1).column == 2);
  CHECK(reader.raw() == ",b");
  CHECK(reader.place(7).column == 3);
}

TEST_CASE("blank lines are counted") {
  StringSource source("\n\na\n\n");
  CsvReader reader(source, "f.csv", ',');
  REQUIRE(*reader.next());
  CHECK(reader.line() == 3);
  CHECK_FALSE(*reader.next());
  CHECK(reader.blank_lines() == 3);
  CHECK_FALSE(*reader.next());
}

TEST_CASE("what is too large is refused, and what is just not is read") {
  const std::string big(CsvReader::kMaxCell, 'x');
  CHECK(read("a," + big + "\n", ',', SIZE_MAX, 1U << 18U).front().size() == big.size() + 4);
  CHECK(read("a," + big + "x\nb\n", ',', SIZE_MAX, 1U << 18U) ==
        Lines{"error: f.csv:1:3: a cell is longer than 16 MiB; is a quote opened here and never closed?"});
  CHECK(read("a\nb,\"" + big + big, ',', SIZE_MAX, 1U << 18U) ==
        Lines{"1|a", "error: f.csv:2:3: a cell is longer than 16 MiB; is a quote opened here and never closed?"});
  CHECK(read(std::string(CsvReader::kMaxColumns, ','), ',', SIZE_MAX, 1U << 18U) ==
        Lines{"error: f.csv:1:100000: more than 100000 cells in one record"});
}

TEST_CASE("a source that fails is an error, not an end") {
  class Failing final : public ByteSource {
    Result<std::size_t> read(char* to, std::size_t size) override {
      if (given_) return usage_error("cannot read f.csv: Input/output error");
      given_ = true;
      return std::string_view("a,b\n1,").copy(to, size);
    }
    bool given_ = false;
  };
  Failing source;
  CsvReader reader(source, "f.csv", ',', 1);
  Result<bool> more = reader.next();
  while (more && *more) more = reader.next();
  REQUIRE_FALSE(more.has_value());
  CHECK(more.error().message == "cannot read f.csv: Input/output error");
}

TEST_CASE("files say why they cannot be read") {
  const auto missing = InputFile::open("/nonexistent/feed.csv");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message == "cannot read /nonexistent/feed.csv: No such file or directory");
  const auto folder = InputFile::open("/");
  REQUIRE_FALSE(folder.has_value());
  CHECK(folder.error().message == "cannot read /: Is a directory");
}

}  // namespace reelbatch
