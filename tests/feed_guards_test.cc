// Guards over whole files: ids that are there twice, counts, first rows, files that change; and what an error knows.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "tests/feed_reading.h"

namespace reelbatch {

TEST_CASE("a file that is written to while it is read is refused") {
  const ScopedFolder folder;
  const std::string path = folder.write("f.csv", kHeader + row("A-1"));
  const auto sink = [&](ManifestRow&) -> Result<void> {
    std::ofstream(path, std::ios::app) << row("A-2");
    return {};
  };
  const Result<void> done = read_manifests({path}, {}, sink, {});
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("the file was written to while it was read") != std::string::npos);
}

TEST_CASE("a repeated id is dealt with as the options say") {
  const std::string feed = kHeader + row("A", "The first of them all") + row("B") + row("A", "The second of them all") +
                           row("A-0", "Another one") + row("A", "The third of them all");
  struct Case {
    OnDuplicate what;
    std::vector<std::string> ids, warnings;
    std::string first;  ///< the description of the first row
  };
  const Case cases[] = {
      {OnDuplicate::First,
       {"A", "B", "A-0"},
       {"f.csv:4:1: id: an earlier row has the same id: only the first one is read ('A', first in f.csv:2) (2 times)"},
       "The first of them all"},
      {OnDuplicate::Last,
       {"B", "A-0", "A"},
       {"f.csv:2:1: id: a later row has the same id: only the last one is read ('A') (2 times)"},
       "A quiet flat near the park"},
      {OnDuplicate::Suffix,
       {"A", "B", "A-2", "A-0", "A-3"},
       {"f.csv:4:1: id: an earlier row has the same id: the later ones got a number, which depends on their order "
        "('A' became 'A-2', first in f.csv:2) (2 times)"},
       "The first of them all"},
  };
  for (const Case& test : cases) {
    CAPTURE(static_cast<int>(test.what));
    ManifestOptions options;
    options.on_duplicate = test.what;
    const Said said = read("f.csv", feed, options);
    CHECK(said.refused == "");
    CHECK(said.ids == test.ids);
    CHECK(said.warnings == test.warnings);
    REQUIRE(said.fields.size() == test.ids.size());
    CHECK(said.fields[0][1].value.text == test.first);
  }
  ManifestOptions last;
  last.on_duplicate = OnDuplicate::Last;
  const ScopedFolder folder;
  folder.write("a.csv", kHeader + row("A") + row("B"));
  folder.write("b.jsonl",
               R"({"id": "A", "image_urls": "https://img.example.test/1.jpg", "description": "From another file"})"
               "\n");
  const Said files = read_in(folder, {"a.csv", "b.jsonl"}, last);
  CHECK(files.ids == std::vector<std::string>{"B", "A"});

  const Result<void> done = read_manifests({"-"}, last, [](ManifestRow&) { return Result<void>(); }, {});
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("standard input can be read only once") != std::string::npos);
}

TEST_CASE("a suffix takes no id that another row has") {
  ManifestOptions options;
  options.on_duplicate = OnDuplicate::Suffix;
  const Said before = read("f.csv", kHeader + row("A-2") + row("A") + row("A"), options);
  CHECK(before.refused == "");
  CHECK(before.ids == std::vector<std::string>{"A-2", "A", "A-3"});
  const Said behind = read("f.csv", kHeader + row("A") + row("A") + row("A-2"), options);
  CHECK(behind.refused ==
        "f.csv:4:1: id: 'A-2' is the id that an earlier row was given for a repeated one (first in f.csv:3): which "
        "listing it is would depend on the order of the rows; give each an id of its own");
}

TEST_CASE("a suffix that would make an id too long makes its row invalid") {
  ManifestOptions options;
  options.on_duplicate = OnDuplicate::Suffix;
  const std::string id(255, 'x');
  const std::string rest = ",https://img.example.test/1.jpg,A flat by the sea\n";
  const Said said = read("f.csv", kHeader + id + rest + id + rest, options);
  CHECK(said.ids == std::vector<std::string>{id});
  REQUIRE(said.errors.size() == 1);
  CHECK(said.errors[0] == "f.csv:3:1: id: is there twice, first in f.csv:2, and too long for a suffix");
}

TEST_CASE("a file whose first rows are all invalid is taken to be mapped wrongly") {
  std::string bad;
  for (int i = 0; i < 19; ++i) bad += row(fmt::format("N-{}", i), "short");
  const auto refused = [](const std::string& rows, const ManifestOptions& options = {}) {
    return read("f.csv", kHeader + rows, options).refused;
  };
  CHECK(refused(bad) == "");
  CHECK(refused(bad + row("A-1") + row("Z", "short")) == "");
  CHECK(refused(row("A-1") + bad + row("Z", "short")) == "");
  const std::string all = bad + row("Z", "short") + row("A-1");
  CHECK(refused(all).starts_with("f.csv:21:1: none of the first 20 rows is valid"));
  ManifestOptions options;
  options.allow_invalid_start = true;
  CHECK(refused(all, options) == "");
}

TEST_CASE("a manifest with fewer rows than asked for is refused") {
  ManifestOptions options;
  options.min_rows = 3;
  CHECK(read("f.csv", kHeader + row("1") + row("2"), options).refused ==
        "there are 2 rows, and --min-rows wants 3 at least: is the feed whole?");
  CHECK(read("f.csv", kHeader + row("1") + row("2") + row("3", ""), options).refused == "");
}

TEST_CASE("a file in sections with another number of rows than it says") {
  const auto blm = [](std::string_view count) {
    return fmt::format(
        "#HEADER#\nVersion : 3\nEOF : '^'\nEOR : '~'\n{}\n#DEFINITION#\nAGENT_REF^DESCRIPTION^"
        "MEDIA_IMAGE_00^~\n#DATA#\nA-1^A flat by the sea^https://img.example.test/1.jpg^~\n"
        "A-2^A flat in town^https://img.example.test/2.jpg^~\n#END#\n",
        count);
  };
  for (const char* count : {"", "Property Count : 2", "property count:'2'", "Property Count : many"}) {
    const Said said = read("f.blm", blm(count));
    CHECK(said.refused == "");
    CHECK(said.warnings.empty());
    CHECK(said.ids.size() == 2);
  }
  const std::string more = blm("Property Count : 3\nGenerated Date : 21-NOV-2026");
  CHECK(read("f.blm", more).refused ==
        "f.blm: Property Count under #HEADER# is 3, and there are 2 rows: is the file cut short? --min-rows says how "
        "many are enough all the same");
  ManifestOptions options;
  options.min_rows = 2;
  const std::vector<std::string> told = {"f.blm: Property Count under #HEADER# is 3, and there are 2 rows"};
  CHECK(read("f.blm", more, options).refused == "");
  CHECK(read("f.blm", more, options).warnings == told);
  CHECK(read("f.blm", blm("Property Count : 1")).refused == "");
  CHECK(read("f.blm", blm("Property Count : 1")).warnings.size() == 1);
}

TEST_CASE("a preset that is stated names what of its columns is not there") {
  ManifestOptions options;
  options.preset = "shopify";
  const std::string image = ",https://img.example.test/1.jpg,A flat by the sea\n";
  const Said other = read("f.csv", "handle,images,Body (HTML)\nA-1" + image, options);
  CHECK(other.ids == std::vector<std::string>{"A-1"});
  const std::string why =
      "read as preset 'shopify', as stated, but 'Title', 'Image Src' or 'Product image URL' are not "
      "there: is it another program's file?";
  CHECK(other.warnings == std::vector<std::string>{"f.csv:1:1: " + why});
  CHECK(read("f.csv", "handle,image src,Body (HTML),Title\nA-1,https://img.example.test/1.jpg,A flat by the sea,Flat\n",
             options)
            .warnings.empty());
  const Said jobs = read(
      "f.json", R"([{"handle":"A-1","images":"https://img.example.test/1.jpg","body":"A flat by the sea"}])", options);
  CHECK(jobs.warnings == std::vector<std::string>{"f.json:1:2: " + why});
}

TEST_CASE("an error knows the record it is about") {
  const Said table = read("f.csv", kHeader + row("A-1") + "A-2,https://img.example.test/2.jpg,\"too\nmany\",x\n");
  REQUIRE(table.rejects.size() == 1);
  CHECK(table.rejects[0].code == "too_many_fields");
  CHECK(table.rejects[0].record == 2);
  CHECK(table.rejects[0].raw == "A-2,https://img.example.test/2.jpg,\"too\nmany\",x");
  CHECK(table.rejects[0].place.line == 4);
  CHECK(table.rejects[0].excerpt == "    many\",x\n          ^");

  const Said lines = read("f.jsonl", "{\"id\": \"A-1\"}\n");
  REQUIRE(lines.rejects.size() == 2);
  CHECK(lines.rejects[0].code == "missing_value");
  CHECK(lines.rejects[0].raw == "{\"id\": \"A-1\"}");

  const Said yaml = read("f.yaml", "jobs:\n- id: A-1\n  image_urls: [x]\n  description: A flat by the sea\n");
  REQUIRE(yaml.rejects.size() == 1);
  CHECK(yaml.rejects[0].code == "invalid_value");
  CHECK(yaml.rejects[0].raw == R"({"id":"A-1","image_urls":["x"],"description":"A flat by the sea"})");

  const Said twice = read("f.csv", kHeader + row("A-1") + row("A-1"));
  REQUIRE(twice.rejects.size() == 1);
  CHECK(twice.rejects[0].code == "duplicate_id");
  CHECK(twice.rejects[0].record == 2);
  CHECK(twice.rejects[0].raw + "\n" == row("A-1"));
}

}  // namespace reelbatch
