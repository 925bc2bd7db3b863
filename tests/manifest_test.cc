// What holds for manifests of every form: ids, defaults, remarks, and any bytes.
#include "runner/manifest.h"

#include <doctest/doctest.h>

#include "jobs/registry.h"
#include "tests/manifest_reading.h"

namespace reelbatch {

TEST_CASE("a row that is dealt with at a glance goes no further, but its id is known") {
  const ScopedFolder folder;
  const std::vector<std::string> paths = {
      folder.write("a.csv", "id,music\nA-1,x\nA-2,y\nA-3,z\nA-1,again\n,no id\n"),
      folder.write("b.json", R"([{"id": "A-2"}, {"id": "B-1", "music": "x"}, {"id": "B-2"}])")};
  Lines glanced, handed_on;
  const auto glance = [&](const RowText& row) -> Result<bool> {
    glanced.emplace_back(row.id);
    return row.fields.size() == 1;
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    handed_on.push_back(row.id);
    return {};
  };
  const Result<void> done = read_manifests(paths, {}, sink, {}, glance);
  CHECK(glanced == Lines{"A-1", "A-2", "A-3", "B-1", "B-2"});
  CHECK(handed_on == Lines{"", "B-2"});
  REQUIRE_FALSE(done.has_value());
  CHECK(without(folder, done.error().message) ==
        "a.csv:5:1: id: 'A-1' is there twice: first in a.csv:2\n"
        "b.json:1:2: id: 'A-2' is there twice: first in a.csv:3\n"
        "2 rows repeat an id, which must be unique in a run: 2 ids are affected");

  const auto fail = [](const RowText& row) -> Result<bool> {
    if (row.id == "A-2") return usage_error("enough");
    return true;
  };
  const Result<void> stopped = read_manifests(paths, {}, sink, {}, fail);
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().message == "enough");
}

TEST_CASE("a wrong file is refused as a whole") {
  struct Case {
    const char* name;
    std::string file;
    std::string text;
    std::string error;
  };
  const Case cases[] = {
      {"no id", "f.csv", "agent_id,title\n1,x\n",
       "f.csv:1:1: there is no column 'id'; there are 'agent_id', 'title'; perhaps map id=agent_id"},
      {"empty", "f.csv", "", "f.csv: the file is empty: at least a header, or a list of jobs, is needed (0 listings)"},
      {"blank", "f.yaml", " \n\n",
       "f.yaml: the file is empty: at least a header, or a list of jobs, is needed (0 listings)"},
      {"unclosed quote", "f.csv", "id,x\n1,a\n2,\"b\n3,c\n", "f.csv:3:3: a quote is opened here and never closed"},
      {"shortened ids", "f.csv", "id,x\n\"1,55552E+12\",a\n1.5E+11,b\nE+12,c\n",
       "f.csv:2:1: id: '1,55552E+12' was shortened by a spreadsheet and the id is lost (2 rows): export again with the "
       "column as text"},
      {"half-written", "f.csv", "id,description,x\n1,a,b\n2,so",
       "f.csv:3:1: the last record is incomplete (2 fields, header has 3): is the file still being written?"},
      {"ending", "f.xls", "id\n",
       "f.xls: what is in it cannot be told by its name: a manifest ends in .csv, .tsv, .txt, .blm, .yaml, .yml, "
       ".json, "
       ".jsonl or .ndjson"},
      {"gzip", "f.csv", "\x1F\x8B\x08", "f.csv: this is a gzip archive: unpack it first (gunzip)"},
      {"xlsx", "f.csv", "PK\x03\x04....[Content_Types].xml",
       "f.csv: this is an Excel workbook: save it as CSV (UTF-8)"},
      {"zip", "f.csv", "PK\x03\x04....Annonces.csv", "f.csv: this is a ZIP archive: unpack it first"},
      {"HTML", "f.csv", "\n<!DOCTYPE HTML><html>",
       "f.csv: this is an HTML page, not a feed: did the download need a login?"},
      {"XML", "f.csv", "<?xml version='1.0'?>",
       "f.csv: this is XML, which is not supported: convert it to CSV or JSON"},
      {"JSON", "f.csv", "[{\"id\": 1}]",
       "f.csv: this is JSON: name it .json, or .jsonl if each line is a job of its own"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    CHECK(read_texts({{test.file, test.text}}).error == test.error);
  }
  const ManifestRead header_only = read_csv("id,description\n");
  CHECK(header_only.error == "");
  CHECK(header_only.warnings == Lines{"f.csv: 0 listings"});
}

TEST_CASE("an id is there once in all files of a run") {
  CHECK(read_texts({{"a.csv", "id\n1\n2\n"}, {"b.csv", "id\n3\n\n 2\n"}}).error ==
        "b.csv:4:1: id: '2' is there twice: first in a.csv:3");
  std::string many = "id\n";
  for (int i = 0; i < 15; ++i) many += "x\n";
  const std::string error = read_csv(many).error;
  CHECK(std::count(error.begin(), error.end(), '\n') == 10);
  CHECK(error.find("\n14 rows repeat an id, which must be unique in a run: 1 id is affected") != std::string::npos);
}

TEST_CASE("defaults fill what a row leaves empty") {
  ManifestOptions options;
  options.defaults = {{"format", {RawValue::Form::Text, "portrait"}},
                      {"account", {RawValue::Form::Text, "main"}},
                      {"displayLogo", {RawValue::Form::Text, "yes"}}};
  CHECK(read_csv("id,format,account\n1,square,\n2,,other\n", options).shown ==
        Lines{"1 @main format=square display_logo=yes", "2 @other format=portrait display_logo=yes"});
  options.defaults = {{"kind", {RawValue::Form::Text, "nonsense"}}};
  CHECK(read_csv("id\n1\n", options).error == "defaults: kind: 'nonsense' is not a kind");
  options.defaults = {{"id", {RawValue::Form::Text, "1"}}};
  CHECK(read_csv("id\n1\n", options).error == "defaults: every listing needs an id of its own");
}

TEST_CASE("fields of another kind are labels, and slips are those of the row's own kind") {
  const ManifestRead got = read_csv(
      "id,kind,audio,image,video_id,sequenceId,effect,name\n"
      "1,creatify.aurora,https://a/v.mp3,https://a/f.png,v,s,e,n\n"
      "2,iacrea.sequence,https://a/v.mp3,https://a/f.png,v,s,e,n\n");
  CHECK(got.error == "");
  CHECK(got.warnings == Lines{});
  CHECK(got.shown == Lines{"1 audio=https://a/v.mp3 image=https://a/f.png name=n video_id:v sequenceId:s effect:e",
                           "2 video_id=v sequence_id=s effect=e audio:https://a/v.mp3 image:https://a/f.png name:n"});
  const ManifestRead slips = read_csv(
      "id,kind,audio,image,prompt_guidance_scal,audioo\n"
      "1,creatify.aurora,https://a/v.mp3,https://a/f.png,1,x\n");
  CHECK(slips.error ==
        "f.csv:1:21: 'prompt_guidance_scal' is nearly the field 'prompt_guidance_scale' of creatify.aurora: rename it, "
        "map prompt_guidance_scale=prompt_guidance_scal, or list it in labels");
  CHECK(slips.warnings ==
        Lines{"f.csv:1:42: 'audioo' is taken for a label; did you mean the field 'audio' of creatify.aurora?"});
}

TEST_CASE("a sink's error stops the reading and is returned as it is") {
  const ScopedFolder folder;
  for (const auto& [name, text] :
       {std::pair("f.csv", "id\n1\n2\n"), std::pair("f.yaml", "- id: 1\n- id: 2\n"),
        std::pair("f.json", "[{\"id\":1},{\"id\":2}]"), std::pair("f.jsonl", "{\"id\":1}\n{\"id\":2}\n")}) {
    int rows = 0;
    const Result<void> done = read_manifests({folder.write(name, text)}, {},
                                             [&](ManifestRow&) -> Result<void> {
                                               ++rows;
                                               return ground_error("disk full");
                                             },
                                             {});
    CAPTURE(name);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message == "disk full");
    CHECK(done.error().fault == Fault::Ground);
    CHECK(rows == 1);
  }
}

TEST_CASE("a row that was moved from does not disturb the next one") {
  const ScopedFolder folder;
  std::vector<ManifestRow> rows;
  const Result<void> done = read_manifests({folder.write("f.csv", "id,music,city\n1,a,x\n2,,\n3,c,z\n")}, {},
                                           [&](ManifestRow& row) -> Result<void> {
                                             rows.push_back(std::move(row));
                                             return {};
                                           },
                                           {});
  REQUIRE(done.has_value());
  REQUIRE(rows.size() == 3);
  CHECK(rows[1].fields.empty());
  CHECK(rows[2].fields[0].value.text == "c");
  CHECK(rows[2].labels[0] == Label{"city", "z"});
  CHECK(rows[2].kind == &default_kind());
}

TEST_CASE("what is wrong with fields is said where they stand") {
  const ScopedFolder folder;
  const std::string path = folder.write("f.csv",
                                        "id,note,image_urls,description,format\n"
                                        "1,\"two\nlines\",https://a.fr/1.jpg,\xC3\xA9t\xC3\xA9,portrait\n"
                                        "2,,,A flat with a view of the sea,oval\n"
                                        ",,,,wide\n");
  Lines said;
  std::vector<std::size_t> fields;
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    fields.push_back(validate(row).fields.size());
    CHECK_FALSE(row.valid());
    for (const Remark& remark : row.remarks) said.push_back(without(folder, remark.text()));
    return {};
  };
  REQUIRE(read_manifests({path}, {}, sink, {}).has_value());
  REQUIRE(said.size() == 4);
  CHECK(said[0].starts_with("f.csv:3:27: description: "));
  CHECK(said[0].ends_with(" (row starts on line 2)"));
  CHECK(said[1].starts_with("f.csv:4:35: format: "));
  CHECK(said[2].starts_with("f.csv:4:1: image_urls: "));  // absent: only the row has a place
  CHECK(said[3].starts_with("f.csv:5:1: id: "));          // invalid already: not normalised
  CHECK(fields.back() == 0);
}

TEST_CASE("any bytes give rows or an error") {
  const std::vector<ManifestText> seeds = {
      {"f.csv",
       "id,kind,image_urls,description\r\n1,,https://a/1.jpg|https://b,\"caf\xC3\xA9 "
       "\"\"x\"\"\n2\"\n=\"2\",iacrea.auto,,x\n"},
      {"f.tsv", "\xEF\xBB\xBFid\tphoto_1\tphoto_2\n1\ta\tb\n"},
      {"f.yaml",
       "defaults: &d {format: portrait}\njobs:\n- id: 1\n  <<: *d\n  image_urls: [a, 'b', \"c\"]\n- {id: 2, video: {a: "
       "[1, ~]}}\n"},
      {"f.json",
       "{\"defaults\": {\"a\": 1.5e3}, \"jobs\": [{\"id\": \"\\u00e9\", \"x\": [null, true, \"\\\"\"]}, {}]}"},
      {"f.jsonl", "{\"id\": 1, \"image_urls\": [\"a\"]}\n\n{\"id\": 2}\n"},
  };
  constexpr std::string_view kBytes(
      "\0\x04\"',:;|\t\n\r {}[]&*!#-?<>%@`\\=+\xC3\xE9\xEF\xBB\xBF\xFF\xFE"
      "a1",
      39);
  std::uint32_t random = 12345;
  const auto draw = [&](std::size_t below) {
    random = random * 1664525U + 1013904223U;
    return static_cast<std::size_t>(random >> 8U) % below;
  };
  const ScopedFolder folder;
  const auto sink = [](ManifestRow& row) -> Result<void> {
    validate(row);
    for (const Remark& remark : row.remarks) CHECK_FALSE(remark.text().empty());
    if (row.id.empty()) CHECK_FALSE(row.valid());
    return {};
  };
  for (const ManifestText& seed : seeds)
    for (int round = 0; round < 400; ++round) {
      std::string text = seed.text;
      for (std::size_t changes = 1 + draw(4); changes > 0; --changes) {
        const std::size_t at = draw(text.size());
        const std::size_t how = draw(3);
        if (how == 0) text[at] = kBytes[draw(kBytes.size())];
        if (how == 1) text.insert(at, 1, kBytes[draw(kBytes.size())]);
        if (how == 2) text.erase(at, 1 + draw(5));
        if (text.empty()) text = " ";
      }
      CAPTURE(text);
      const Result<void> done = read_manifests({folder.write(seed.name, text)}, {}, sink, {});
      if (!done) CHECK(done.error().fault == Fault::Usage);
    }
}

TEST_CASE("a remark names its place as far as it is known") {
  Remark remark{Remark::Level::Error, "f.csv", {12, 5}, "description", "too short"};
  CHECK(remark.text() == "f.csv:12:5: description: too short");
  remark.place = {};
  CHECK(remark.text() == "f.csv: description: too short");
  remark.field.clear();
  CHECK(remark.text() == "f.csv: too short");
  remark.file.clear();
  CHECK(remark.text() == "too short");
}

}  // namespace reelbatch
