#include "runner/excerpt.h"

#include <doctest/doctest.h>

#include "tests/scoped_folder.h"

namespace reelbatch {

TEST_CASE("an excerpt has its mark under the column") {
  struct Case {
    const char* name;
    std::string line;
    std::uint64_t column;
    std::string shown;
  };
  const Case cases[] = {
      {"the first", "a,b", 1, "    a,b\n    ^"},
      {"in the middle", "a,b,c", 3, "    a,b,c\n      ^"},
      {"behind the end", "a,b", 4, "    a,b\n       ^"},
      {"nothing there", "a,b", 5, ""},
      {"no column", "a,b", 0, ""},
      {"an empty line", "", 1, "    \n    ^"},
      {"accents", "\u00E9t\u00E9,x", 5, "    \u00E9t\u00E9,x\n        ^"},
      {"wide characters take two places", "\u65E5\u672C,x", 4, "    \u65E5\u672C,x\n         ^"},
      {"pictures as well", "\U0001F3E0,x", 3, "    \U0001F3E0,x\n       ^"},
      {"combining marks take none", "e\u0301,x", 4, "    e\u0301,x\n      ^"},
      {"what a terminal acts on", "\x1B[2J\t\u202E\u0085x", 8, "    ?[2J ??x\n           ^"},
      {"what is no text", "\xE9,x", 3, "    \uFFFD,x\n      ^"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    CHECK(excerpt(test.line, test.column) == test.shown);
  }
}

TEST_CASE("of a long line the excerpt has the part around its column") {
  const std::string line = std::string(5000, 'a') + "X" + std::string(5000, 'b');
  const std::string shown = excerpt(line, 5001);
  const std::string text = shown.substr(0, shown.find('\n'));
  const std::string mark = shown.substr(shown.find('\n') + 1);
  CHECK(text.size() < 90);
  CHECK(text.starts_with("    \u2026aaaa"));
  CHECK(text.ends_with("bbbb\u2026"));
  // The ellipsis has three bytes and one place.
  CHECK(text.find('X') == mark.size() - 1 + 2);
  CHECK(excerpt(line, 1).starts_with("    aaaa"));
  CHECK(excerpt(line, 10001).find("\u2026b") != std::string::npos);
}

TEST_CASE("lines of a text are told apart as a table's are") {
  CHECK(line_of("a\nb\r\nc\rd", 0) == "a");
  CHECK(line_of("a\nb\r\nc\rd", 1) == "b");
  CHECK(line_of("a\nb\r\nc\rd", 2) == "c");
  CHECK(line_of("a\nb\r\nc\rd", 3) == "d");
  CHECK(line_of("a\nb", 2) == "");
}

TEST_CASE("lines of a file are read again, forwards and a few steps back") {
  const ScopedFolder folder;
  std::string text = "\xEF\xBB\xBF";
  for (int i = 1; i <= 500; ++i) text += "line " + std::to_string(i) + (i % 2 == 0 ? "\r\n" : "\n");
  const std::string path = folder.write("f.csv", text + std::string(100'000, 'x') + "\nlast");
  SourceLines lines(std::nullopt);
  CHECK(lines.line(path, 1) == "line 1");
  CHECK(lines.line(path, 400) == "line 400");
  CHECK(lines.line(path, 390) == "line 390");
  CHECK(lines.line(path, 2) == "line 2");
  CHECK_FALSE(lines.line(path, 501).has_value());  // too long to be kept
  CHECK(lines.line(path, 502) == "last");
  CHECK_FALSE(lines.line(path, 503).has_value());
  CHECK_FALSE(lines.line("-", 1).has_value());
  CHECK_FALSE(lines.line(folder.path().string(), 1).has_value());
  CHECK(SourceLines(Encoding::Latin1).line(folder.write("g.csv", "\xE9t\xE9\n"), 1) == "\u00E9t\u00E9");
}

}  // namespace reelbatch
