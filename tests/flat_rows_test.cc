// Lines whose keys were met before become rows without a tree: the same rows that trees give.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

#include "runner/flat_object.h"
#include "runner/manifest.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

struct Read {
  std::vector<std::string> rows;
  std::string error;
};

Read read(const std::string& path, std::uint64_t lines_before, const ManifestOptions& options) {
  Read out;
  const RowSink sink = [&](ManifestRow& row) -> Result<void> {
    std::string text = fmt::format("{} {} '{}' {}:{}", row.id, row.kind_name, row.account,
                                   row.place.line - lines_before, row.place.column);
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      const RawField& field = row.fields[i];
      const Place place = row.place_of_field(i);
      text += fmt::format("|{}{}{}@{}", field.name, field.value.form == RawValue::Form::Json ? ":=" : "=",
                          field.value.text, place.column);
    }
    for (const Label& label : row.labels) text += fmt::format("#{}:{}", label.name, label.value);
    for (const Remark& remark : row.remarks) text += fmt::format("!{}:{}", remark.field, remark.message);
    out.rows.push_back(text);
    return {};
  };
  const RemarkSink ignore = [](const Remark&) {};
  if (const Result<void> done = read_manifests({path}, options, sink, ignore); !done) out.error = done.error().message;
  return out;
}

void check_same(const std::vector<std::string>& objects, const ManifestOptions& options = {}) {
  const ScopedFolder folder;
  std::string lines, list;
  // Each comes three times: when it is new, when its keys are worked out, and when they are known.
  for (int time = 0; time < 3; ++time)
    for (std::size_t i = 0; i < objects.size(); ++i) {
      std::string object = objects[i];
      object.replace(object.find("ID"), 2, fmt::format("R-{}-{}", i, time));
      lines += object + '\n';
      list += (list.empty() ? "" : ",\n") + object;
    }
  const Read flat = read(folder.write("feed.jsonl", lines), 0, options);
  const Read tree = read(folder.write("feed.json", "[\n" + list + "\n]\n"), 1, options);
  CHECK(flat.error.empty());
  CHECK(tree.error.empty());
  CHECK(flat.rows.size() == 3 * objects.size());
  CHECK(flat.rows == tree.rows);
}

}  // namespace

TEST_CASE("rows of JSON Lines are those of the same objects in a list") {
  check_same({
      R"({"id":"ID","description":"plain words here","image_urls":["https://a.test/1.jpg","https://a.test/2.jpg"]})",
      R"( { "id" : "ID" , "description" : "tab\tquote\" back\\", "image_urls" : [ "https://a.test/1.jpg" ] } )",
      R"({"description":"é\u00e9\ud83c\udfe0","id":"ID","city":"Saint-Étienne","price":1.50,"big":1e5,"sold":true})",
      R"({"id":"ID","description":null,"image_urls":[],"city":null,"note":"","format":"  "})",
      R"({"id":"ID","image_urls":[{"url":"https://a.test/1.jpg"}],"owner":{"name":"A"},"tags":["a","b\n"]})",
      R"({"id":"ID","kind":"creatify.aurora","image":"https://a.test/i.jpg","audio":"https://a.test/a.mp3"})",
      R"({"id":"ID","kind":"iacrea.auto","image":"a label here","description":"words"})",
      R"({"id":"ID","kind":"none such"})",
      R"({"id":"ID","kind":"","account":"second"})",
      R"({"id":"ID","account":7,"displayLogo":false,"Description":"folded","description":"exact"})",
      R"({"id":" ID with blanks ","description":"an id to be looked at"})",
      R"({"id":"ID","photos":["https://a.test/1.jpg"],"x":[1,2],"empty":[]})",
  });
}

TEST_CASE("so they are with columns mapped, defaults and chosen labels") {
  ManifestOptions options;
  options.map = {{"description", "text|summary"}};
  options.defaults = {{"format", {RawValue::Form::Text, "portrait"}}, {"account", {RawValue::Form::Text, "main"}}};
  options.labels = {{"city", "text"}};
  check_same({R"({"id":"ID","text":"","summary":"the second one","city":"Pau","price":1})",
              R"({"id":"ID","text":"the first one","summary":"the second one","city":"Pau"})",
              R"({"id":"ID","text":"N/A","summary":"behind a word for nothing"})",
              R"({"id":"ID","text":"<p> </p>","summary":"behind markup alone"})",
              R"({"id":"ID","text":"<p>words</p>","summary":"N/A"})", R"({"id":"ID","text":"N/A","summary":"<br>"})",
              R"({"id":"ID","text":"<br>","summary":""})", R"({"id":"ID","summary":"alone","format":"square"})"},
             options);
}

TEST_CASE("so they are with a separator and a base for images") {
  ManifestOptions options;
  options.images_separator = ";";
  options.media_base = "https://m.test/p";
  const std::vector<std::string> objects = {
      R"({"id":"ID","image_urls":"1.jpg;https://a.test/2.jpg;/3.jpg"})",
      R"({"id":"ID","image_urls":["1.jpg","2.jpg;3.jpg"]})",
      R"({"id":"ID","image_urls":7,"logo_url":"logo.png"})",
      R"({"id":"ID","image_urls":["1.jpg",{"url":"2.jpg"}]})",
      R"({"id":"ID","photo_1":"1.jpg","photo_2":"2.jpg"})",
      R"({"id":"ID","kind":"iacrea.sequence","url":"1.jpg"})",
  };
  check_same(objects, options);
  options.images_separator.reset();
  check_same(objects, options);
  check_same({R"({"id":"ID","image_urls":"[\"1.jpg\", 'x"})", R"({"id":"ID","image_urls":"['1.jpg', None]"})"},
             options);
}

TEST_CASE("so they are with words for nothing, and with descriptions that are changed on request") {
  ManifestOptions options;
  options.prose.strip_contacts = true;
  options.defaults = {{"description", {RawValue::Form::Text, "A flat, ring 01 42 68 53 00"}}};
  check_same({R"({"id":"ID","description":"N/A","image_urls":"null"})",
              R"({"id":"ID","description":"A house, write to me@agency.test","image_urls":"https://a.test/1.jpg"})",
              R"({"id":"ID","music":"none","image_urls":["None"]})"},
             options);
}

TEST_CASE("lines that are no JSON, or no object of plain values, are not taken apart") {
  FlatObject object;
  const auto read = [&](std::string text) {
    const std::size_t size = text.size();
    text.append(kJsonPadding, '}');
    return object.read({std::string_view(text).substr(0, size), 1, true});
  };
  REQUIRE(read(R"( {"a":"b","c":["d"]} )"));
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[]",
                           "1",
                           "\"a\"",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":tru}",
                           "{\"a\":nul}",
                           "{\"a\":nulll}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":-}",
                           "{\"a\":1e400}",
                           "{\"a\":123456789012345678901}",
                           "{\"a\":+1}",
                           "{\"a\":x}",
                           "{\"a\":1,}",
                           "{,\"a\":1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":\"b\"c}",
                           "{\"a\":\"b\" \"c\"}",
                           "{\"a\":1}}",
                           "{\"a\":1}{}",
                           "{\"a\":1} x",
                           "{\"a\":1",
                           "{\"a\":\"b",
                           "{\"a\":[\"b\"}",
                           "{\"a\":[\"b\",]}",
                           "{\"a\":[,\"b\"]}",
                           "{\"a\":[\"b\" \"c\"]}",
                           "{\"a\":[\"b\"",
                           "{\"a\":[\"b\"]]}",
                           "{\"a\":{}}",
                           "{\"a\":[[]]}",
                           "{\"a\":[1]}",
                           "{\"a\":[null]}",
                           "{a:1}",
                           "{1:1}",
                           "{'a':1}",
                           R"({"a":"\q"})",
                           R"({"a":"\ud800"})",
                           R"({"a":["\q"]})",
                           R"({"\q":1})",
                           "{\"a\":\"\x01\"}",
                           "{\"a\":\"\xFF\"}",
                           "{\"a\":\"b\nc\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(read(text));
  }
}

TEST_CASE("what a line says is a part of it where nothing is escaped") {
  FlatObject object;
  const auto read = [&](std::string_view text) {
    static std::string padded;
    padded = text;
    padded.append(kJsonPadding, '"');
    std::string said;
    if (!object.read({std::string_view(padded).substr(0, text.size()), 1, true})) return std::string("no");
    for (const FlatMember& member : object.members())
      said += fmt::format("{}@{}={}{};", member.key, member.at, member.kind == FlatMember::Kind::Text ? "'" : "",
                          member.value);
    return said;
  };
  CHECK(read(R"({})").empty());
  CHECK(read(R"({"a":"b"})") == "a@5='b;");
  CHECK(read(R"( { "a" : "b" , "" : "" } )") == "a@9='b;@20=';");
  CHECK(read(R"({"a\u0020b":"c\nd","e":"f"})") == "a b@12='c\nd;e@23='f;");
  CHECK(read(R"({"n":-1.50e3 ,"t":true,"f":false,"z":null})") == "n@5=-1.50e3;t@18=true;f@27=false;z@37=null;");
  CHECK(read(R"({"l":[],"m":["a"],"n":["a","é"]})") == R"(l@5=[];m@12=["a"];n@22=["a","é"];)");
  CHECK(read(R"({"l":[ ],"m":[ "a" ],"n":["a" , "\u00e9","\/"]})") == R"(l@5=[];m@13=["a"];n@25=["a","é","/"];)");
}

}  // namespace reelbatch
