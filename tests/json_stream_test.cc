// Where the values of JSON documents stand, wherever reads cut them.
#include "runner/json_stream.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "runner/json_fault.h"

namespace reelbatch {
namespace {

/// A document from a seed, and where its values and keys stand, counted a character at a time.
class Document {
 public:
  explicit Document(unsigned seed) : random_(seed) {
    add("{");
    blanks();
    key("jobs");
    expected.clear();  // the reader makes no tree of the list
    add("[");
    for (int jobs = draw(6); jobs >= 0; --jobs) {
      value(0, true);
      blanks();
      if (jobs > 0) add(",");
    }
    add("]}");
    blanks();
  }

  std::string text;
  std::vector<std::string> expected;

 private:
  int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void add(std::string_view more) {
    text += more;
    for (const char c : more) {
      if (c == '\n') ++line_;
      if (c == '\n') column_ = 0;
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++column_;
    }
  }
  void blanks() {
    constexpr const char* kBlanks[] = {"", "", " ", "\n", "\r\n  ", "\t", "\n\n"};
    add(kBlanks[draw(7)]);
  }
  void expect(std::string_view what) { expected.push_back(fmt::format("{} {}:{}", what, line_, column_)); }

  void string() {
    constexpr const char* kPieces[] = {"a", "été", "🏠", "\\\"", "\\\\", "\\n", "\\u00e9", "[", "}", ",", ":", " "};
    expect("text");
    add("\"");
    for (int pieces = draw(20) == 0 ? 3000 : draw(12); pieces > 0; --pieces) add(kPieces[draw(12)]);
    add("\"");
  }
  void key(std::string_view name) {
    expect("key");
    add(fmt::format("\"{}\"", name));
    blanks();
    add(":");
    blanks();
  }
  void value(int depth, bool map = false) {
    blanks();
    const int what = map ? 5 : draw(depth < 4 ? 6 : 4);
    if (what <= 1) return string();
    if (what <= 3) {
      constexpr const char* kPlain[] = {"12", "-1.5e3", "true", "null", "0"};
      const int which = draw(5);
      expect(which == 3 ? "null" : "text");
      return add(kPlain[which]);
    }
    expect(what == 4 ? "list" : "map");
    add(what == 4 ? "[" : "{");
    for (int items = draw(5), i = 0; i < items; ++i) {
      blanks();
      if (what == 5) key(fmt::format("k{}", i));
      value(depth + 1);
      blanks();
      if (i + 1 < items) add(",");
    }
    blanks();
    add(what == 4 ? "]" : "}");
  }

  std::mt19937 random_;
  int line_ = 1, column_ = 1;
};

void list_places(const YamlNode& node, std::vector<std::string>& out) {
  constexpr const char* kNames[] = {"null", "text", "list", "map"};
  out.push_back(fmt::format("{} {}:{}", kNames[static_cast<int>(node.kind)], node.line, node.column));
  for (const YamlNode& item : node.items) list_places(item, out);
  for (const YamlMember& member : node.members) {
    out.push_back(fmt::format("key {}:{}", member.first.line, member.first.column));
    list_places(member.second, out);
  }
}

}  // namespace

TEST_CASE("places in JSON documents are exact, wherever reads cut them") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Document document(seed);
    for (const std::size_t most : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, SIZE_MAX}) {
      CAPTURE(most);
      StringSource source(document.text, most);
      std::vector<std::string> places;
      JsonSink sink;
      sink.member = [](const YamlNode&, YamlNode&) { return Result<void>(); };
      sink.item = [&](YamlNode& item) {
        list_places(item, places);
        return Result<void>();
      };
      const Result<void> read = stream_json(source, "f.json", "jobs", sink);
      CHECK(read.has_value());
      CHECK(places == document.expected);
    }
  }
}

TEST_CASE("what is wrong with a JSON document is said where it stands, wherever reads cut it") {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"[{\"é\": \"\\\\\"},\n {\"b\": \"x\" \"y\"}]", "f.json:2:12: not valid JSON: expected ',' or '}', found '\"'"},
      {"[{\"a\": \"\\\"]}\"},\n\"x\" ?]", "f.json:2:5: expected ',' or ']', found '?'"},
      {"[\n  {\"a\": [1, 2", "f.json:2:3: what begins here is never closed"},
      {"[\n\"never closed\\\"]", "f.json:2:1: "},
      {"{\"a\": 1,\n \"été\": 2, x}", "f.json:2:12: expected a key in quotes, found 'x'"},
      {"[1] 2", "f.json:1:5: expected nothing more"},
  };
  for (const Case& c : cases)
    for (const std::size_t most : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
      CAPTURE(c.text);
      StringSource source(c.text, most);
      JsonSink sink;
      sink.member = [](const YamlNode&, YamlNode&) { return Result<void>(); };
      sink.item = [](YamlNode&) { return Result<void>(); };
      const Result<void> read = stream_json(source, "f.json", "jobs", sink);
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().message.starts_with(c.error));
    }
}

TEST_CASE("an item of a JSON list that cannot be read is told alone if it is in its form") {
  struct Case {
    const char* value;
    int column;  ///< in the value
    const char* message;
  };
  const Case cases[] = {
      {"1e999", 0, "the number 1e999 is too large: put it in quotes if it is a reference and no number"},
      {"[1, 123456789012345678901234567890]", 4,
       "the number 123456789012345678901234567890 is too large: put it in quotes if it is a reference and no number"},
      {"NaN", 0, "'NaN' is no value: a text is in double quotes, and none is null"},
      {"01", 0, "'01' is no value: a text is in double quotes, and none is null"},
      {"\"é\\q\"", 2, "'\\q' means nothing: a backslash is written \\\\"},
      {"\"\\u12\"", 1, "'\\u' needs four hexadecimal digits behind it"},
      {"\"a\\ud83d\"", 2, "'\\ud83d' is half of a character"},
      {"\"a\tb\"", 2, "a control character in a text is written \\u0009"},
      {"\"a\nb\"", 2, "a line end in a text is written \\n"},
      {"\"a\xE9\"", 2, "is not UTF-8 (byte 0xE9)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value);
    const std::string text = fmt::format("[{{\"a\": 1}},\n {{\"b\": {}}}, {{\"c\": 3}}]", c.value);
    StringSource source(text, 3);
    std::vector<std::string> said;
    JsonSink sink;
    sink.item = [&](YamlNode& item) {
      said.push_back(item.members[0].first.scalar);
      return Result<void>();
    };
    sink.broken = [&](const JsonPiece& piece, const JsonFault& fault) {
      CHECK(piece.line == 2);
      CHECK(piece.column == 2);
      CHECK(piece.text == fmt::format("{{\"b\": {}}}", c.value));
      said.push_back(fmt::format("{}:{}: {}", fault.line, fault.column, fault.message));
      return Result<void>();
    };
    CHECK(stream_json(source, "f.json", "jobs", sink).has_value());
    CHECK(said == std::vector<std::string>{"a", fmt::format("2:{}: not valid JSON: {}", 8 + c.column, c.message), "c"});
  }
}

TEST_CASE("what is against the form of JSON is found before a value that cannot be read") {
  struct Case {
    const char* text;
    std::size_t at;
    const char* message;
  };
  const Case cases[] = {
      {"[1e999, }", 8, "expected a value, found '}'"},
      {"{\"a\": \"\\q\" \"b\"}", 11, "expected ',' or '}', found '\"'"},
      {"{a: 1}", 1, "expected a key in quotes, found 'a'"},
      {"{\"a\" 1}", 5, "expected ':', found '1'"},
      {"[1, ", 4, "expected a value, found the end"},
      {"[\"a", 1, "the text that begins here never ends"},
      {"[1]]", 3, "expected nothing more, found ']'"},
      {"{\"a\": 1,}", 8, "expected a key in quotes, found '}'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::optional<TextFault> fault = find_json_fault(c.text);
    REQUIRE(fault.has_value());
    CHECK(fault->at == c.at);
    CHECK(fault->message == c.message);
    CHECK_FALSE(fault->in_value);
  }
  for (const char* text :
       {"{}", "[]", " [1, -2.5e3, \"\\ud83c\\udfe0\", {\"a\": [null, true]}] ", "18446744073709551615"})
    CHECK_MESSAGE(!find_json_fault(text), text);
}

}  // namespace reelbatch
