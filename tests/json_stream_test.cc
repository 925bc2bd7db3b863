// Where the values of JSON documents stand, wherever reads cut them.
#include "runner/json_stream.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

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
      const YamlSink sink{[](const YamlNode&, YamlNode&) { return Result<void>(); },
                          [&](YamlNode& item) {
                            list_places(item, places);
                            return Result<void>();
                          }};
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
      {"[{\"é\": \"\\\\\"},\n {\"b\": \"x\" \"y\"}]", "f.json:2:2: "},
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
      const YamlSink sink{[](const YamlNode&, YamlNode&) { return Result<void>(); },
                          [](YamlNode&) { return Result<void>(); }};
      const Result<void> read = stream_json(source, "f.json", "jobs", sink);
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().message.starts_with(c.error));
    }
}

}  // namespace reelbatch
