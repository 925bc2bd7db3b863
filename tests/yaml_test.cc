#include "runner/yaml.h"

#include <doctest/doctest.h>

#include <sstream>

namespace reelbatch {
namespace {

Result<YamlNode> parse(const std::string& text) {
  std::istringstream in(text);
  return parse_yaml(in, "f.yaml");
}

std::string error_of(const std::string& text) {
  const Result<YamlNode> node = parse(text);
  return node ? "" : node.error().message;
}

/// A tree on one line: `{a:b,c:[1,~]}`, text that was quoted in quotes.
std::string show(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::Null:
      return "~";
    case YamlNode::Kind::Scalar:
      return node.quoted ? '"' + node.scalar + '"' : node.scalar;
    case YamlNode::Kind::List:
      for (const YamlNode& item : node.items) out += (out.empty() ? "" : ",") + show(item);
      return '[' + out + ']';
    case YamlNode::Kind::Map:
      for (const auto& [key, value] : node.members) out += (out.empty() ? "" : ",") + show(key) + ':' + show(value);
      return '{' + out + '}';
  }
  return out;
}

/// What stream_yaml delivers, in order: members as `key=value`, items as they are; an error last.
std::vector<std::string> stream(const std::string& text, const std::string& refuse = "nothing") {
  std::vector<std::string> out;
  YamlSink sink;
  sink.member = [&](const YamlNode& key, YamlNode& value) -> Result<void> {
    out.push_back(key.scalar + '=' + show(value));
    return {};
  };
  sink.item = [&](YamlNode& item) -> Result<void> {
    if (show(item) == refuse) return usage_error("refused");
    out.push_back(show(item));
    return {};
  };
  std::istringstream in(text);
  const Result<void> read = stream_yaml(in, "f.yaml", "jobs", sink);
  if (!read) out.push_back("error: " + read.error().message);
  return out;
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

std::string laughs(int levels) {
  std::string text = "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < levels; ++i) {
    const std::string from = "*l" + std::to_string(i - 1);
    text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + from;
    for (int k = 0; k < 9; ++k) text += ", " + from;
    text += "]\n";
  }
  return text;
}

}  // namespace

TEST_CASE("YAML is read as trees of the text that was written") {
  struct Case {
    const char* name;
    const char* text;
    const char* tree;
  };
  const Case cases[] = {
      {"nothing", "", "~"},
      {"only a comment", "# hello\n", "~"},
      {"byte order mark",
       "\xEF\xBB\xBF"
       "a: b\n",
       "{a:b}"},
      {"scalars keep their writing", "a: 007\nb: no\nc: 1e5\nd: 12:30\ne: 2024-01-01\n",
       "{a:007,b:no,c:1e5,d:12:30,e:2024-01-01}"},
      {"quotes are remembered", "a: '007'\nb: \"x\"\nc: |\n  y\n", "{a:\"007\",b:\"x\",c:\"y\n\"}"},
      {"null in its writings", "a:\nb: ~\nc: null\nd: ''\n", "{a:~,b:~,c:~,d:\"\"}"},
      {"lists and maps", "a: [1, {b: c}]\nd:\n  - e\n  - f: g\n", "{a:[1,{b:c}],d:[e,{f:g}]}"},
      {"JSON is YAML", "{\"a\": [1, true, null]}", "{\"a\":[1,true,~]}"},
      {"CRLF", "a: b\r\nc: d\r\n", "{a:b,c:d}"},
      {"an alias is expanded", "a: &x [1, 2]\nb: *x\n", "{a:[1,2],b:[1,2]}"},
      {"a merge gives what is absent", "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n", "{a:{k:1,l:2},b:{k:3,l:2}}"},
      {"the earlier of two merged maps wins", "a:\n  <<: [{k: 1}, {k: 2, l: 3}]\n", "{a:{k:1,l:3}}"},
      {"a quoted merge key is a key", "a: {'<<': 1}", "{a:{\"<<\":1}}"},
      {"a core tag sets the type", "a: !!str 007\nb: !!null x\nc: !!int 5\n", "{a:\"007\",b:~,c:5}"},
      {"one document with marks", "---\na: b\n...\n", "{a:b}"},
      {"text that is not UTF-8 passes", "a: \xE9t\xE9\n", "{a:\xE9t\xE9}"},
      {"a question mark within a text", "a: [http://x/1?w=1, b?]\nc?d: {e: f?g=\"h, i: \"j?\"}\n? k?\n: l ?\n",
       "{a:[http://x/1?w=1,b?],c?d:{e:f?g=\"h,i:\"j?\"},k?:l ?}"},
      {"folded text", "a: >\n  one\n  two\n", "{a:\"one two\n\"}"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const Result<YamlNode> node = parse(test.text);
    REQUIRE_MESSAGE(node.has_value(), error_of(test.text));
    CHECK(show(*node) == test.tree);
  }
}

TEST_CASE("broken or hostile YAML is an error with a place") {
  struct Case {
    const char* name;
    std::string text;
    const char* error;
  };
  const Case cases[] = {
      {"duplicate key", "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a', first on line 1"},
      {"duplicate key, quoted once", "{a: 1, 'a': 2}", "f.yaml:1:8: duplicate key 'a', first on line 1"},
      {"duplicate merge key", "x:\n  <<: {a: 1}\n  <<: {b: 1}\n", "f.yaml:3:3: duplicate key '<<', first on line 2"},
      {"merge of a scalar", "x:\n  <<: 5\n", "f.yaml:2:3: a merge key takes a map or a list of maps"},
      {"key that is a list", "? [a]\n: b\n", "f.yaml:1:3: a key must be plain text"},
      {"key that is null", "~: b\n", "f.yaml:1:1: a key must be plain text"},
      {"unknown alias", "a: *x\n", "f.yaml:1:4: the referenced anchor is not defined"},
      {"alias in itself", "a: &x [*x]\n", "f.yaml:1:8: an alias to something that contains it"},
      {"two documents", "a: 1\n---\nb: 2\n", "f.yaml:2:1: more than one document in the file"},
      {"object tag", "a: !!python/object:os.system x\n",
       "f.yaml:1:4: the tag 'tag:yaml.org,2002:python/object:os.system' is not supported: values are text, lists and "
       "maps"},
      {"own tag on a map", "a: !foo {b: c}\n",
       "f.yaml:1:4: the tag '!foo' is not supported: values are text, lists and maps"},
      {"too deep", nested(101), "f.yaml:1:101: nested deeper than 100"},
      {"far too deep", nested(100000), "f.yaml:1:101: nested deeper than 100"},
      {"deep by aliases", "a: &a " + nested(60) + "\nb: &b " + std::string(60, '[') + "*a" + std::string(60, ']'),
       "f.yaml:2:67: nested deeper than 100"},
      {"tab as indentation", "a:\n\tb: c\n", "f.yaml:2:"},
      {"unclosed flow", "a: [1, 2\n", "f.yaml:2:1: end of sequence flow not found"},
      {"control character that ends yaml-cpp's input", std::string("a: b\nc: d\x04\ne: f\n"),
       "f.yaml:2:5: a control character (U+0004) is not allowed here"},
      {"NUL", std::string("a: b\0c\n", 7), "f.yaml:1:5: a control character (U+0000) is not allowed here"},
      {"UTF-16",
       std::string("\xFF\xFE"
                   "a\0",
                   4),
       "f.yaml:1:1: this is UTF-16, save it as UTF-8"},
      {"columns count characters", "{é: 1, 日: 2, é: 3}", "f.yaml:1:14: duplicate key 'é', first on line 1"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const std::string error = error_of(test.text);
    CHECK(error.substr(0, std::string(test.error).size()) == test.error);
    CHECK(!error.empty());
  }
}

TEST_CASE("aliases cannot be made to fill the memory") {
  CHECK(parse(laughs(4)).has_value());
  CHECK(error_of(laughs(9)).find("aliases expand to more than 1000000 values") != std::string::npos);
  std::string wide = "a: &a " + std::string(1'000'000, 'x') + "\nb: [";
  for (int i = 0; i < 100; ++i) wide += "*a, ";
  CHECK(error_of(wide + "]\n").find("or 64 MiB") != std::string::npos);
}

TEST_CASE("places count lines and characters from 1") {
  const Result<YamlNode> node = parse("a: x\nb:\n  - ééé: é\n    c:\n\n\nd: |\n  text\n");
  REQUIRE(node.has_value());
  const YamlNode& item = node->find("b")->items[0];
  CHECK(item.line == 3);
  CHECK(item.column == 5);
  CHECK(item.members[0].second.line == 3);
  CHECK(item.members[0].second.column == 10);
  CHECK(item.members[1].second.line == 4);  // an absent value stands where its key does
  CHECK(item.members[1].second.column == 5);
  CHECK(node->find("d")->line == 7);
  CHECK(node->find("d")->column == 4);
  CHECK(node->find("zz") == nullptr);
}

TEST_CASE("a document is delivered piece by piece") {
  using Strings = std::vector<std::string>;
  CHECK(stream("") == Strings{});
  CHECK(stream("defaults: {a: 1}\njobs:\n- id: 1\n- id: 2\nend: x\n") ==
        Strings{"defaults={a:1}", "{id:1}", "{id:2}", "jobs=[]", "end=x"});
  CHECK(stream("- id: 1\n- 5\n") == Strings{"{id:1}", "5"});
  CHECK(stream("jobs: 5\n") == Strings{"jobs=5"});
  CHECK(stream("jobs: []\n") == Strings{"jobs=[]"});
  CHECK(stream("a: {jobs: [1]}\n") == Strings{"a={jobs:[1]}"});
  CHECK(stream("b: &b {x: 1}\njobs: [{<<: *b, y: 2}]\n") == Strings{"b={x:1}", "{y:2,x:1}", "jobs=[]"});
  CHECK(stream("just text\n") == Strings{"error: f.yaml:1:1: expected a map with 'jobs', or a list, at the top"});
  CHECK(stream("a: 1\na: 2\n") == Strings{"a=1", "error: f.yaml:2:1: duplicate key 'a', first on line 1"});
  CHECK(stream("jobs: [1]\njobs: [2]\n") ==
        Strings{"1", "jobs=[]", "error: f.yaml:2:1: duplicate key 'jobs', first on line 1"});
  CHECK(stream("<<: {a: 1}\n") == Strings{"error: f.yaml:1:1: a merge key is not possible at the top of this file"});
  CHECK(stream("[1, 2, 3]", "2") == Strings{"1", "error: refused"});
  CHECK(stream("jobs:\n- {a: 1, a: 2}\n") == Strings{"error: f.yaml:2:10: duplicate key 'a', first on line 2"});
}

TEST_CASE("the bound on expansions is one for each item of a stream") {
  std::string text = "b: &b [";
  for (int i = 0; i < 1000; ++i) text += "x, ";
  text += "]\njobs:\n";
  for (int i = 0; i < 1500; ++i) text += "- *b\n";
  CHECK(stream(text).size() == 1502);
}

}  // namespace reelbatch
