// Manifests with keys: YAML, JSON and JSON Lines.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "runner/content_type.h"
#include "tests/manifest_reading.h"

namespace reelbatch {

TEST_CASE("YAML, JSON and JSON Lines say the same as a table") {
  const Lines rows = {"007 image_urls:=[\"https://a\",\"https://b\"] description=no format=square city:Lyon",
                      "8 description=1e5 format=portrait", "9 format=portrait city:x"};
  const ManifestRead yaml = read_texts({{"f.yaml",
                                         "defaults: {format: portrait}\n"
                                         "jobs:\n"
                                         "- id: 007\n"
                                         "  image_urls: [https://a, https://b]\n"
                                         "  description: no\n"
                                         "  format: square\n"
                                         "  city: Lyon\n"
                                         "- {id: 8, description: 1e5, city: }\n"
                                         "- id: 9\n"
                                         "  format: ''\n"
                                         "  city: x\n"}});
  CHECK(yaml.error == "");
  CHECK(yaml.shown == rows);
  CHECK(yaml.rows[0].place.line == 3);
  CHECK(yaml.places[0][0].line == 4);
  CHECK(yaml.places[0][0].column == 15);
  CHECK(yaml.places[2][0].line == 1);  // where the default stands

  const ManifestRead json =
      read_texts({{"f.json",
                   "{\"defaults\": {\"format\": \"portrait\"},\n"
                   " \"jobs\": [\n"
                   "  {\"id\": \"007\", \"image_urls\": [\"https://a\", \"https://b\"], \"description\": \"no\",\n"
                   "   \"format\": \"square\", \"city\": \"Lyon\"},\n"
                   "  {\"id\": 8, \"description\": 1e5, \"city\": null}, {\"id\": 9, \"city\": \"x\"}]}\n"}});
  CHECK(json.error == "");
  CHECK(json.shown == rows);
  CHECK(json.rows[0].place.line == 3);
  CHECK(json.rows[0].place.column == 3);
  CHECK(json.places[0][2].line == 4);
  CHECK(json.places[0][2].column == 14);
  CHECK(json.rows[2].place.column == 48);

  ManifestOptions options;
  options.defaults = {{"format", {RawValue::Form::Text, "portrait"}}};
  const ManifestRead lines =
      read_texts({{"f.JSONL",
                   "{\"id\": \"007\", \"image_urls\": [\"https://a\", \"https://b\"], \"description\": \"no\", "
                   "\"format\": \"square\", \"city\": \"Lyon\"}\n\n"
                   "{\"id\": 8, \"description\": 1e5}\r\n"
                   "{\"id\": 9, \"city\": \"x\"}"}},
                 options);
  CHECK(lines.error == "");
  CHECK(lines.shown == rows);
  CHECK(lines.rows[1].place.line == 3);

  CHECK(read_texts({{"f.yml", "- id: 1\n- id: 2\n"}}).shown == Lines{"1", "2"});
  CHECK(read_texts({{"f.json", "[{\"id\": 1}, {\"id\": 2}]"}}).shown == Lines{"1", "2"});
  CHECK(read_texts({{"f.tsv", "id\tmusic\n1\ta,b\n"}}).shown == Lines{"1 music=a,b"});
}

TEST_CASE("jobs with keys are refused alone or with their file") {
  struct Case {
    const char* name;
    std::string file;
    std::string text;
    Lines shown;
    std::string error;
  };
  const Case cases[] = {
      {"job that is no map",
       "f.yaml",
       "- 5\n- id: 1\n",
       {" !f.yaml:1:3: a job must be a map of fields and values", "1"},
       ""},
      {"missing id",
       "f.yaml",
       "- music: x\n- id: 1\n",
       {" music=x !f.yaml:1:3: id: is empty: every listing needs a reference of its own", "1"},
       ""},
      {"no id anywhere",
       "f.yaml",
       "- nr: x\n",
       {" nr:x !f.yaml:1:3: id: is empty: every listing needs a reference of its own"},
       "f.yaml: no job has an 'id'; there are 'nr'"},
      {"slip",
       "f.yaml",
       "- id: 1\n  descripton: x\n- id: 2\n  descripton: y\n",
       {"1 descripton:x", "2 descripton:y"},
       "f.yaml:2:3: 'descripton' is nearly the field 'description' of iacrea.auto: rename it, map "
       "description=descripton, or list it in labels"},
      {"given twice",
       "f.yaml",
       "- {id: 1, logo_url: a, logoUrl: b}\n",
       {"1 !f.yaml:1:24: logo_url: is given twice: as 'logo_url' and as 'logoUrl'"},
       ""},
      {"defaults too late",
       "f.yaml",
       "jobs: [{id: 1}]\ndefaults: {format: x}\n",
       {"1"},
       "f.yaml:2:1: defaults: must stand before 'jobs'"},
      {"defaults with an id",
       "f.yaml",
       "defaults: {id: 1}\njobs: []\n",
       {},
       "f.yaml:1:12: defaults: every listing needs an id of its own"},
      {"shortened ids",
       "f.jsonl",
       R"({"id": "A", "city": "x"})"
       "\n"
       R"({"id": "1,55552E+12", "city": "x"})"
       "\n"
       R"({"id": 1.5E+11, "city": "x"})"
       "\n",
       {"A city:x", " city:x !f.jsonl:2:8: id: '1,55552E+12' was shortened by a spreadsheet",
        " city:x !f.jsonl:3:8: id: '1.5E+11' was shortened by a spreadsheet"},
       "f.jsonl:2:8: id: '1,55552E+12' was shortened by a spreadsheet and the id is lost (2 rows): export again with "
       "the "
       "column as text"},
      {"misspelt top",
       "f.yaml",
       "job: [{id: 1}]\n",
       {},
       "f.yaml:1:1: 'job' means nothing here (did you mean 'jobs'?)\nf.yaml: there is no list 'jobs'"
       "; if the jobs are those in 'job', rename it 'jobs', or write what is in 'job' into the file alone"},
      {"a list of another name",
       "f.json",
       R"({"count": 1, "listings": [{"id": 1}]})",
       {},
       "f.json: there is no list 'jobs'; if the jobs are those in 'listings', rename it 'jobs', or write what is in "
       "'listings' into the file alone"},
      {"jobs that are no list", "f.yaml", "jobs: {a: 1}\n", {}, "f.yaml:1:7: jobs: must be a list of jobs"},
      {"broken YAML", "f.yaml", "- id: 1\n- [\n", {"1"}, "f.yaml:3:1: end of sequence flow not found"},
      {"id that is a list", "f.yaml", "- id: [1]\n", {" !f.yaml:1:7: id: must be text"}, ""},
      {"malformed text in a list",
       "f.yaml",
       "- id: 1\n  colors: [a, \xE9]\n",
       {"1 !f.yaml:2:15: colors: is not UTF-8: save the file as UTF-8"},
       ""},
      {"broken JSON line",
       "f.jsonl",
       "{\"id\": 1}\n{\"id\": 2\n{\"id\": 3}\n",
       {"1", " !f.jsonl:2:9: not valid JSON: expected ',' or '}', found the end", "3"},
       ""},
      {"JSON line with a key twice",
       "f.jsonl",
       "{\"id\": 1, \"id\": 2}\n",
       {" !f.jsonl:1:11: duplicate key 'id', first on line 1"},
       ""},
      {"JSON Lines cut short",
       "f.jsonl",
       "{\"id\": 1}\n{\"id\": ",
       {"1", " !f.jsonl:2:8: not valid JSON: expected a value, found the end"},
       "f.jsonl:2:1: the last line is incomplete: is the file still being written?"},
      {"JSON cut short",
       "f.json",
       "[{\"id\": 1},\n {\"id\": ",
       {"1"},
       "f.json:2:2: what begins here is never closed: is the file still being written?"},
      {"JSON without a comma",
       "f.json",
       "[{\"id\": 1}\n {\"id\": 2}]",
       {"1"},
       "f.json:2:2: expected ',' or ']', found '{'"},
      {"JSON with more behind",
       "f.json",
       "[]\n[]",
       {},
       "f.json:2:1: expected nothing more (a file with one job a line is named .jsonl), found '['"},
      {"JSON with a key twice",
       "f.json",
       "[{\"id\": 1,\n \"id\": 2}, {\"id\": 3}]",
       {" !f.json:2:2: duplicate key 'id', first on line 1", "3"},
       ""},
      {"JSON with a number that is too large",
       "f.json",
       "[{\"id\": 1},\n {\"id\": 2, \"price\": 1e999}, {\"id\": 3}]",
       {"1",
        " !f.json:2:21: not valid JSON: the number 1e999 is too large: put it in quotes if it is a reference and no "
        "number",
        "3"},
       ""},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    ManifestRead got = read_texts({{test.file, test.text}});
    CHECK(got.error == test.error);
    REQUIRE(got.shown.size() == test.shown.size());
    for (std::size_t i = 0; i < test.shown.size(); ++i) {
      // The JSON library's own words are left open.
      const bool open_end = test.shown[i].ends_with(": ");
      CHECK((open_end ? got.shown[i].substr(0, test.shown[i].size()) : got.shown[i]) == test.shown[i]);
    }
  }
}

TEST_CASE("an object is a field in a table as JSON and in YAML as it stands, with the same content") {
  const auto content = [](const ManifestRead& got) {
    REQUIRE(got.error == "");
    REQUIRE(got.rows.size() == 1);
    const Normalised normal = got.rows[0].kind->normalise(got.rows[0].fields);
    REQUIRE(normal.problems.empty());
    return normal.fields[0].json;
  };
  const std::string table = content(read_csv(
      "id,kind,video\n"
      "1,iacrea.video,\"{\"\"sequences\"\":[{\"\"type\"\":\"\"image\"\",\"\"order\"\":0,\"\"duration\"\":3.0}],"
      "\"\"format\"\":\"\"square\"\",\"\"colors\"\":[\"\"#000\"\",\"\"#fff\"\"]}\"\n"));
  CHECK(table == content(read_texts({{"f.yaml",
                                      "jobs:\n"
                                      "- id: 1\n"
                                      "  kind: iacrea.video\n"
                                      "  video:\n"
                                      "    format: Square\n"
                                      "    font:\n"
                                      "    colors: ['#000000', '#FFFFFF']\n"
                                      "    sequences: [{order: 0, duration: 3, type: image}]\n"}})));
  CHECK(table ==
        content(read_texts(
            {{"f.jsonl", R"({"id":"1","kind":"iacrea.video","video":{"colors":["#000","#fff"],"format":"square",)"
                         R"("sequences":[{"duration":3e0,"order":0,"type":"image"}]}})"
                         "\n"}})));
}

TEST_CASE("an exact key wins over one that differs in letter case") {
  CHECK(read_texts({{"f.yaml", "- {id: 1, Music: a, music: b}\n- {id: 2, Music: c}\n"}}).shown ==
        Lines{"1 music=b Music:a", "2 music=c"});
}

TEST_CASE("keys are mapped as columns are") {
  ManifestOptions options;
  options.map = {{"id", "ref"}, {"image_urls", "photo*"}};
  CHECK(read_texts({{"f.yaml", "- {ref: 1, photo2: b, photo1: a}\n- {Ref: 2, photo1: [c, d]}\n"}}, options).shown ==
        Lines{"1 image_urls:=[\"a\",\"b\"]", "2 image_urls:=[\"c\",\"d\"]"});
  options.map = {{"id", "reff"}};
  CHECK(read_texts({{"f.yaml", "- {ref: 1}\n"}}, options).error ==
        "f.yaml: id: the mapped name 'reff' does not exist (did you mean 'ref'?); there are 'ref'");
}

TEST_CASE("an OData answer that goes on elsewhere is a part of the listings") {
  const std::string rows = R"("value":[{"ListingKey":"1","city":"x"}])";
  const auto warnings = [&](const std::string& rest) {
    return read_texts({{"f.json", "{\"@odata.count\":2," + rows + rest + "}"}}).warnings;
  };
  CHECK(warnings("").empty());
  CHECK(warnings(R"(,"@odata.nextLink":null)").empty());
  CHECK(warnings(R"(,"@odata.nextLink":"https://api.test/?skip=1")") ==
        Lines{"f.json:1:59: the answer goes on at this address: the listings on its next pages are not read"});
}

TEST_CASE("defaults of a file win over those of the options, and may be labels") {
  ManifestOptions options;
  options.defaults = {{"format", {RawValue::Form::Text, "wide"}}, {"music", {RawValue::Form::Text, "m"}}};
  CHECK(read_texts(
            {{"f.yaml",
              "defaults: {format: tall, account: acc, agency: Lyon}\njobs:\n- {id: 1}\n- {id: 2, agency: Nice}\n"}},
            options)
            .shown == Lines{"1 @acc format=tall music=m agency:Lyon", "2 @acc format=tall music=m agency:Nice"});
}

TEST_CASE("images are completed in every form of manifest as in a table") {
  ManifestOptions options;
  options.images_separator = ";";
  options.media_base = "https://m.fr";
  const std::string images = "image_urls:=[\"https://m.fr/1.jpg\",\"https://a.fr/2.jpg\"]";
  const ManifestText texts[] = {
      {"f.csv", "id,image_urls\n1,1.jpg;https://a.fr/2.jpg\n2,\"[\"\"1.jpg\"\", \"\"https://a.fr/2.jpg\"\"]\"\n"},
      {"f.yaml",
       "- {id: 1, image_urls: 1.jpg;https://a.fr/2.jpg}\n- {id: 2, image_urls: [1.jpg, 'https://a.fr/2.jpg']}\n"},
      {"f.json",
       R"([{"id":1,"image_urls":"1.jpg;https://a.fr/2.jpg"},{"id":2,"image_urls":["1.jpg","https://a.fr/2.jpg"]}])"},
      {"f.jsonl", R"({"id":1,"image_urls":"1.jpg;https://a.fr/2.jpg"})"
                  "\n"
                  R"({"id":2,"image_urls":["1.jpg","https://a.fr/2.jpg"]})"},
  };
  for (const ManifestText& text : texts) {
    CAPTURE(text.name);
    // In a table a cell is split at the separator alone, so that JSON in it is none.
    const ManifestRead got = read_texts({text}, options);
    CHECK(got.error == "");
    REQUIRE(got.shown.size() == 2);
    CHECK(got.shown[0] == "1 " + images);
    if (text.name != "f.csv") CHECK(got.shown[1] == "2 " + images);
  }
  const ManifestRead defaults = read_texts({{"f.yaml", "defaults: {image_urls: 0.jpg}\njobs:\n- id: 1\n"}}, options);
  CHECK(defaults.shown == Lines{"1 image_urls:=[\"https://m.fr/0.jpg\"]"});
  options.images_separator.reset();
  CHECK(read_texts({{"f.yaml", "- {id: 1, image_urls: '[\"1.jpg\", oops'}\n"}}, options)
            .shown[0]
            .starts_with("1 !f.yaml:1:23: image_urls: looks like JSON but cannot be read: "));
}

TEST_CASE("a job with very many keys is refused before they are looked at, and others are read in linear time") {
  const auto job = [](int id, int keys, const std::string& name) {
    std::string text = fmt::format(R"({{"id": {})", id);
    for (int i = 1; i < keys; ++i) text += fmt::format(R"(, "{}{}": "{}")", name, i, i);
    return text + "}";
  };
  const std::string many = job(2, 4097, "label");
  const ManifestText texts[] = {
      {"f.json", fmt::format("[{},\n{},\n{}]", job(1, 3, "label"), many, job(3, 4096, "label"))},
      {"f.yaml", fmt::format("- {}\n- {}\n- {}\n", job(1, 3, "label"), many, job(3, 4096, "label"))},
      {"f.jsonl", fmt::format("{}\n{}\n{}\n", job(1, 3, "label"), many, job(3, 4096, "label"))},
  };
  for (const ManifestText& text : texts) {
    CAPTURE(text.name);
    const ManifestRead got = read_texts({text});
    CHECK(got.error == "");
    REQUIRE(got.rows.size() == 3);
    CHECK(got.rows[0].labels.size() == 2);
    CHECK(got.rows[2].labels.size() == 4095);
    CHECK(got.rows[2].valid());
    CHECK(got.rows[1].id == "2");
    REQUIRE(got.rows[1].remarks.size() == 1);
    CHECK(got.rows[1].remarks[0].message == "has 4097 keys, at most 4096 are allowed: is it one listing?");
  }
  // Each of a family is asked for what it feeds.
  const ManifestRead family = read_texts({{"f.json", fmt::format("[{}]", job(1, 4096, "photo_"))}});
  CHECK(family.rows.at(0).labels.empty());
  CHECK(read_texts({{"f.yaml", fmt::format("defaults: {}\njobs:\n- {{id: 1}}\n", many)}}).error ==
        "f.yaml:1:11: defaults: has 4097 keys, at most 4096 are allowed: is it one listing?");
}

TEST_CASE("images that are names in every job are told once, with what to do") {
  const std::string error =
      " no image has an address (3 rows have file names, such as '1.jpg'): say with --media-base what address they "
      "stand under";
  const auto job = [](int id) { return fmt::format(R"({{"id": {}, "image_urls": "1.jpg"}})", id); };
  CHECK(read_texts({{"f.json", fmt::format("[{},\n{},\n{}]", job(1), job(2), job(3))}}).error ==
        "f.json:1:26:" + error);
  CHECK(read_texts({{"f.yaml", fmt::format("- {}\n- {}\n- {}\n", job(1), job(2), job(3))}}).error ==
        "f.yaml:1:27:" + error);
  CHECK(read_texts({{"f.jsonl", fmt::format("{}\n{}\n{}\n", job(1), job(2), job(3))}}).error ==
        "f.jsonl:1:25:" + error);
  // Where one has an address, the others are wrong one by one.
  CHECK(read_texts({{"f.json", fmt::format(R"([{}, {{"id": 2, "image_urls": ["https://a.fr/2.jpg"]}}])", job(1))}})
            .error == "");
}

TEST_CASE("a preset is known by the keys of the first jobs together, since a job leaves out what it does not have") {
  const std::string first = R"({"ListingKey": "K1", "PublicRemarks": "A flat by the sea"})";
  const std::string second =
      R"({"ListingKey": "K2", "PublicRemarks": "A loft", "Media": [{"MediaURL": "https://a.test/1.jpg"}]})";
  const ManifestText texts[] = {
      {"f.json", fmt::format("[{},\n{}]", first, second)},
      {"f.json", fmt::format("{{\"value\": [{},\n{}]}}", first, second)},
      {"f.jsonl", fmt::format("{}\n{}\n", first, second)},
      {"f.yaml", fmt::format("- {}\n- {}\n", first, second)},
      // A job that is longer than what is looked at beforehand.
      {"f.json", fmt::format("[{{\"Remarks\": \"{}\", {}]", std::string(100'000, 'x'), second.substr(1))},
  };
  for (const ManifestText& text : texts) {
    CAPTURE(text.text.substr(0, 100));
    const ManifestRead got = read_texts({text});
    CHECK(got.error == "");
    REQUIRE(!got.rows.empty());
    CHECK(got.rows.back().id == "K2");
    CHECK(got.shown.back().find("image_urls:=[{\"MediaURL\":\"https://a.test/1.jpg\"}]") != std::string::npos);
    CHECK(got.shown.front().find("description=") != std::string::npos);
  }
}

TEST_CASE("one key has the ids of all jobs, whichever others they have") {
  const auto job = [](std::string_view ids) {
    return fmt::format(R"({{{}, "Name": "x", "Short description": "A flat", "Images": "https://a.test/1.jpg"}})", ids);
  };
  const auto read = [&](std::string_view file, const Lines& ids, const ManifestOptions& options = {}) {
    std::string text;
    for (const std::string& id : ids) text += fmt::format("{}{}\n", file == "f.yaml" ? "- " : "", job(id));
    return read_texts({{std::string(file), text}}, options);
  };
  for (const char* file : {"f.yaml", "f.jsonl"}) {
    CAPTURE(file);
    const ManifestRead woo = read(file, {R"("SKU": "W-1")", R"("ID": 2, "SKU": "W-2")", R"("ID": null, "SKU": "W-3")",
                                         R"("id": 4)", R"("SKU": "W-5")", R"("SKU": "W-6")"});
    CHECK(woo.error == "");
    REQUIRE(woo.rows.size() == 6);
    for (const std::size_t refused : {0U, 2U, 4U, 5U}) {
      CHECK(woo.rows[refused].id == "");
      REQUIRE(woo.rows[refused].remarks.size() == 1);
      CHECK(woo.rows[refused].remarks[0].message ==
            "is empty: every listing needs a reference of its own; the ids of this file are in 'ID', and 'SKU' cannot "
            "stand in for it, since an id must be the same every night: --map id=SKU takes all of them from there");
    }
    CHECK(woo.rows[1].id == "2");
    CHECK(woo.rows[3].id == "4");
    ManifestOptions options;
    options.map = {{"id", "SKU"}};
    CHECK(read(file, {R"("SKU": "W-1")", R"("ID": 2, "SKU": "W-2")"}, options).rows[1].id == "W-2");
    CHECK(
        read(file, {R"("ref": "1")", R"("reference": "2")"})
            .error.find("id: more than one name may be this field: 'ref', 'reference'; say which with --map id=ref") !=
        std::string::npos);
  }
}

TEST_CASE("standard input is JSON Lines if its first line is an object, also one with a value that cannot be read") {
  CHECK(format_by_content("{\"id\": 1}\n{\"id\": 2}\n") == ManifestFormat::JsonLines);
  CHECK(format_by_content("{\"id\": 1, \"price\": NaN}\n{\"id\": 2}\n") == ManifestFormat::JsonLines);
  CHECK(format_by_content("{\"id\": 1,\n\"price\": NaN}\n") == ManifestFormat::Json);
  CHECK(format_by_content("{\"jobs\": [{\"id\": 1, \"price\": NaN}]}\n") == ManifestFormat::Json);
}

TEST_CASE("standard input is YAML if its first line is one that only YAML has") {
  for (const char* text :
       {"- id: 1\n", "# jobs\n\n---\njobs:\n", "jobs:\n  - id: 1\n", "defaults:\r\n", "-\n  id: 1\n"})
    CHECK_MESSAGE(format_by_content(text) == ManifestFormat::Yaml, text);
  for (const char* text : {"id,jobs:\n", "- id,- name\n", "id\n- a: b\n", "jobs;id\n"})
    CHECK_MESSAGE(format_by_content(text) == ManifestFormat::Csv, text);
}

TEST_CASE("JSON that is no job a line is refused by name where the file says that it is") {
  for (const char* text : {"[\n{\"id\": 1}]", "[{\"id\": 1}]", "{\n  \"id\": 1\n}\n", "{\"jobs\": [{\"id\": 1}]}\n"})
    CHECK_MESSAGE(read_texts({{"f.jsonl", text}}).error.find("name it .json") != std::string::npos, text);
  CHECK(read_texts({{"f.jsonl", "{\"id\": 1\n"}}).error.find("name it") == std::string::npos);
}

TEST_CASE("a list that ends with the file says that it may be cut") {
  const std::string error = read_texts({{"f.json", "[{\"id\": \"A-1\"}\n"}}).error;
  CHECK_MESSAGE(
      error.find("f.json:2:1: expected ',' or ']', found the end of the file: was it cut") != std::string::npos, error);
}

}  // namespace reelbatch
