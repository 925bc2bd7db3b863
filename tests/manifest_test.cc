#include "runner/manifest.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "jobs/registry.h"

namespace reelbatch {
namespace {

/// A folder that goes away with the test; error messages name its files without it.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/manifest_test.XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ + '/' + name, std::ios::binary) << text;
    return path_ + '/' + name;
  }
  std::string without(std::string text) const {
    for (std::size_t at = text.find(path_ + '/'); at != std::string::npos; at = text.find(path_ + '/'))
      text.erase(at, path_.size() + 1);
    return text;
  }

 private:
  std::string path_;
};

struct Read {
  std::vector<ManifestRow> rows;
  std::vector<std::vector<Place>> places;  ///< of the fields of each row
  std::vector<std::string> warnings;
  std::string error;

  /// `id kind @account field=value ... label:value ... !remark`, one line a row.
  std::vector<std::string> shown;
};

struct File {
  std::string name;
  std::string text;
};

std::string shown_text(std::string_view id, const JobKind* kind, std::string_view account,
                       std::span<const FieldText> fields, std::span<const LabelText> labels, std::string_view file,
                       std::uint64_t line) {
  std::string out = fmt::format("{}|{}|{}|{}:{}", id, kind->name(), account, file, line);
  for (const FieldText& field : fields)
    out += fmt::format("|{}{}{}", field.name, field.form == RawValue::Form::Json ? ":=" : "=", field.text);
  for (const LabelText& label : labels) out += fmt::format("|{}:{}", label.name, label.value);
  return out;
}

/// Every row without a remark was glanced at, and looked then as it came to the sink.
Read read(const std::vector<File>& files, const ManifestOptions& options = {}) {
  const Folder folder;
  std::vector<std::string> paths;
  for (const File& file : files) paths.push_back(folder.write(file.name, file.text));
  Read out;
  std::string glanced;
  const auto glance = [&](const RowText& row) -> Result<bool> {
    CHECK(glanced.empty());
    glanced = shown_text(row.id, row.kind, row.account, row.fields, row.labels, row.file, row.line);
    return false;
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    std::vector<LabelText> labels;
    for (const Label& label : row.labels) labels.push_back({label.name, label.value});
    if (row.valid()) {
      CHECK(glanced ==
            shown_text(row.id, row.kind, row.account, texts_of(row.fields), labels, row.file, row.place.line));
    } else {
      CHECK(glanced == "");
    }
    glanced.clear();
    std::string line = row.id;
    if (!row.account.empty()) line += " @" + row.account;
    for (const RawField& field : row.fields)
      line += ' ' + field.name + (field.value.form == RawValue::Form::Json ? ":=" : "=") + field.value.text;
    for (const Label& label : row.labels) line += ' ' + label.name + ':' + label.value;
    for (const Remark& remark : row.remarks) line += " !" + folder.without(remark.text());
    std::vector<Place> places;
    for (std::size_t i = 0; i < row.fields.size(); ++i) places.push_back(row.place_of_field(i));
    out.places.push_back(places);
    CHECK(row.valid() == row.remarks.empty());
    out.shown.push_back(line);
    out.rows.push_back(row);
    return {};
  };
  const auto remark = [&](const Remark& said) {
    if (said.level != Remark::Level::File) out.warnings.push_back(folder.without(said.text()));
  };
  const Result<void> done = read_manifests(paths, options, sink, remark, glance);
  if (!done) out.error = folder.without(done.error().message);
  return out;
}

Read read_csv(const std::string& text, const ManifestOptions& options = {}) {
  return read({{"f.csv", text}}, options);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a table becomes rows: fields of the kind, the rest labels") {
  const Read got = read_csv(
      "id,kind,account,image_urls,description,displayLogo,agency,video_id\n"
      "A-1,iacrea.auto,main,https://a/1.jpg,Nice,yes,Lyon,7\n"
      " A-2\xC2\xA0,,,https://a/2.jpg,  ,,,\n");
  CHECK(got.error == "");
  CHECK(got.warnings == Lines{});
  CHECK(got.shown ==
        Lines{"A-1 @main image_urls=https://a/1.jpg description=Nice display_logo=yes agency:Lyon video_id:7",
              "A-2 image_urls=https://a/2.jpg agency: video_id:"});
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[1].kind == &default_kind());
  CHECK(got.rows[1].kind_name == default_kind().name());
  CHECK(got.rows[1].place.line == 3);
  CHECK(got.places[0][1].column == 38);
}

TEST_CASE("a row that is dealt with at a glance goes no further, but its id is known") {
  const Folder folder;
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
  CHECK(folder.without(done.error().message) ==
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

TEST_CASE("headers are matched as people write them") {
  struct Case {
    const char* header;
    const char* field;  ///< what the second column becomes
  };
  const Case cases[] = {
      {"description", "description=x"},    {"Description", "description=x"},
      {"  DESCRIPTION ", "description=x"}, {"image urls", "image_urls=x"},
      {"Image-URLs", "image_urls=x"},      {"\"image\nurls\"", "image_urls=x"},
      {"image.urls", "image_urls=x"},      {"logoUrl", "logo_url=x"},
      {"LOGOURL", "logo_url=x"},           {"title", "title:x"},
      {"\xC2\xA0music", "music=x"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.header);
    const Read got = read_csv(std::string("\xEF\xBB\xBFID,") + test.header + "\n1,x\n");
    CHECK(got.error == "");
    CHECK(got.shown == Lines{std::string("1 ") + test.field});
  }
  CHECK(read_csv("id,music,Music\n1,a,b\n").shown == Lines{"1 music=a Music:b"});
  CHECK(read_csv("id,Music,MUSIC\n1,a,b\n").error == "f.csv:1:10: music: columns 2 and 3 both give this field");
  CHECK(read_csv("id,displayLogo,display_logo\n1,a,b\n").error ==
        "f.csv:1:16: display_logo: columns 2 and 3 both give this field");
  CHECK(read_csv("id,id\n1,2\n").error == "f.csv:1:4: id: columns 1 and 2 have the same name");
  const Read twice = read_csv("id,city,city\n1,a,b\n");
  CHECK(twice.shown == Lines{"1 city:a"});
  CHECK(twice.warnings == Lines{"f.csv:1:9: city: columns 2 and 3 have the same name: the first one is the label"});
}

TEST_CASE("a mapped column wins over a name") {
  ManifestOptions options;
  options.map = {{"id", "Reference"}, {"description", "Texte"}, {"logoUrl", "#4"}};
  const Read got = read_csv("Reference,Texte,description,x,y\nR1,a,b,c,d\n", options);
  CHECK(got.error == "");
  CHECK(got.shown == Lines{"R1 description=a logo_url=c description:b y:d"});

  options.map = {{"id", "Referenz"}, {"music", "#9"}};
  CHECK(
      read_csv("Reference,Texte\nR1,a\n", options).error ==
      "f.csv:1:1: id: the mapped column 'Referenz' does not exist (did you mean 'Reference'?); there are 'Reference', "
      "'Texte'\n"
      "f.csv:1:1: music: the mapped column '#9' does not exist; there are 'Reference', 'Texte'");

  options.map = {{"descripton", "x"}};
  CHECK(read_csv("id\n", options).error ==
        "map: 'descripton' is not a field of any kind (did you mean 'description'?)");
  options.map = {{"logo_url", "x"}, {"logoUrl", "y"}};
  CHECK(read_csv("id\n", options).error == "map: 'logo_url' and 'logoUrl' are the same field");
}

TEST_CASE("a family of columns is a list in the order of its numbers") {
  ManifestOptions options;
  options.map = {{"image_urls", "photo_*"}};
  CHECK(read_csv("id,photo_10,photo_2,photo_1,photo_x\n1,https://j,,https://a,\"https://x?a=\"\"\"\n2,,,,\n", options)
            .shown == Lines{"1 image_urls:=[\"https://x?a=\\\"\",\"https://a\",\"https://j\"]", "2"});
  CHECK(read_csv("id,Photo 1,Photo 2\n1,a,b\n", options).shown == Lines{"1 image_urls:=[\"a\",\"b\"]"});
  options.map = {{"image_urls", "image[*].url"}};
  CHECK(read_csv("id,image[0].tag[0],image[10].url,image[9].url\n1,cap,b,a\n", options).shown ==
        Lines{"1 image_urls:=[\"a\",\"b\"] image[0].tag[0]:cap"});
  options.map = {{"image_urls", "pic*"}};
  CHECK(read_csv("id,pics\n1,a|b\n", options).shown == Lines{"1 image_urls=a|b"});
  options.map = {{"description", "pic*"}};
  CHECK(read_csv("id,pics\n1,a\n", options).error.find("the mapped column 'pic*' does not exist") != std::string::npos);
}

TEST_CASE("labels may be chosen") {
  ManifestOptions options;
  options.labels = {"agency", "format", "zip"};
  const Read got = read_csv("id,Agency,format,city\n1,Lyon,square,x\n", options);
  CHECK(got.shown == Lines{"1 format=square agency:Lyon format:square"});
  CHECK(got.warnings == Lines{"f.csv:1:1: zip: is to be a label, but no column has the name"});
}

TEST_CASE("a column that is nearly a field is a slip") {
  const auto error = [](const std::string& header) { return read_csv("id," + header + "\n1,x\n").error; };
  const auto warnings = [](const std::string& header) { return read_csv("id," + header + "\n1,x\n").warnings; };
  CHECK(error("descripton") ==
        "f.csv:1:4: 'descripton' is nearly the field 'description' of iacrea.auto: rename it, map "
        "description=descripton, or list it in labels");
  CHECK(error("image_url").find("nearly the field 'image_urls'") != std::string::npos);
  CHECK(error("dsplayLogos").find("nearly the field 'display_logo'") != std::string::npos);
  CHECK(error("Descriptions").find("nearly the field") != std::string::npos);
  CHECK(error("descrip") == "");
  CHECK(error("colour") == "");  // two letters from a short name: a word of its own
  CHECK(error("color") == "");
  CHECK(warnings("color") ==
        Lines{"f.csv:1:4: 'color' is taken for a label; did you mean the field 'colors' of iacrea.auto?"});
  CHECK(warnings("colour") == Lines{});
  CHECK(warnings("idd") == Lines{});
  CHECK(warnings("kinds") == Lines{});

  ManifestOptions options;
  options.labels = {"image_url"};
  CHECK(read_csv("id,image_url\n1,x\n", options).shown == Lines{"1 image_url:x"});
  options = {};
  options.map = {{"image_urls", "photos"}};
  CHECK(read_csv("id,photos,image_url\n1,x,y\n", options).shown == Lines{"1 image_urls=x image_url:y"});
  CHECK(read_csv("id,descripton\n").error.find("nearly") != std::string::npos);
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
    CHECK(read({{test.file, test.text}}).error == test.error);
  }
  const Read header_only = read_csv("id,description\n");
  CHECK(header_only.error == "");
  CHECK(header_only.warnings == Lines{"f.csv: 0 listings"});
}

TEST_CASE("an id is there once in all files of a run") {
  CHECK(read({{"a.csv", "id\n1\n2\n"}, {"b.csv", "id\n3\n\n 2\n"}}).error ==
        "b.csv:4:1: id: '2' is there twice: first in a.csv:3");
  std::string many = "id\n";
  for (int i = 0; i < 15; ++i) many += "x\n";
  const std::string error = read_csv(many).error;
  CHECK(std::count(error.begin(), error.end(), '\n') == 10);
  CHECK(error.find("\n14 rows repeat an id, which must be unique in a run: 1 id is affected") != std::string::npos);
}

TEST_CASE("a wrong row is refused alone, with its id and labels") {
  struct Case {
    const char* name;
    std::string row;
    std::string shown;
  };
  const Case cases[] = {
      {"empty id", ",iacrea.auto,x,a,b\n",
       " description=x a:a b:b !f.csv:2:1: id: is empty: every listing needs a reference of its own"},
      {"long id", std::string(256, 'x') + ",,x,a,b\n",
       " description=x a:a b:b !f.csv:2:1: id: has 256 bytes, at most 255 are allowed"},
      {"control character", "\"1\n2\",,x,a,b\n",
       " description=x a:a b:b !f.csv:2:1: id: '1 2' has a control character in it"},
      {"id that is not UTF-8", "\xE9,,x,éé,b\n", " description=x a:éé b:b !f.csv:2:1: id: is not UTF-8"},
      {"unknown kind", "1,iacrea.atuo,x,a,b\n",
       "1 description:x a:a b:b !f.csv:2:3: kind: 'iacrea.atuo' is not a kind (did you mean 'iacrea.auto'?)"},
      {"too many", "1,,x,a,b,c,d\n", "1 a:a b:b !f.csv:2:10: 7 fields, header has 5; an unquoted comma?"},
      {"too few for a field", "1,\n",
       "1 a: b: !f.csv:2:3: description: 2 fields, header has 5; a missing quote or a broken line?"},
      {"text after a quote", "1,,\"x\"y,a,b\n",
       "1 a:a b:b !f.csv:2:7: description: text after a closing quote (a quote inside a quoted cell is written twice)"},
      {"NUL", std::string("1,,x\0,a,b\n", 10), "1 a:a b:b !f.csv:2:5: description: a NUL character"},
      {"not UTF-8 in a field", "1,,d\xE9j\xE0,été,b\n",
       "1 a:été b:b !f.csv:2:5: description: is not UTF-8 (byte 0xE9): save the file as UTF-8"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const Read got = read_csv("id,kind,description,a,b\n" + test.row + "ok,,d,,\n");
    CHECK(got.error == "");
    REQUIRE(got.shown.size() == 2);
    CHECK(got.shown[0] == test.shown);
    CHECK(got.shown[1] == "ok description=d a: b:");
  }
}

TEST_CASE("what can be mended is mended, and said once a file") {
  const Read short_rows = read_csv("id,description,a,b\n1,x\n2,y,z\n3,w,,\n");
  CHECK(short_rows.shown == Lines{"1 description=x a: b:", "2 description=y a:z b:", "3 description=w a: b:"});
  CHECK(short_rows.warnings ==
        Lines{"f.csv:2:1: cells are missing at the end of the row, none that feeds a field (2 times)"});

  const Read guards = read_csv("id,description,note\n\"=\"\"00123\"\"\",'=1+2,'=x\n=\"7\",'plain,\n");
  CHECK(guards.shown == Lines{"00123 description==1+2 note:'=x", "7 description='plain note:"});
  CHECK(guards.warnings.size() == 2);
  CHECK(guards.warnings[0] ==
        "f.csv:2:1: id: took off a spreadsheet's guard against formulas (=\"...\" or a leading ') (2 times)");

  const Read label = read_csv("id,note\n1,caf\xE9 \n2,\u00e9t\u00e9\n");
  CHECK(label.shown == Lines{"1 note:caf\xEF\xBF\xBD ", "2 note:\u00e9t\u00e9"});
  CHECK(label.warnings == Lines{"f.csv:2:3: note: is not UTF-8: replaced what is malformed"});

  const Read separator = read_csv("sep=;\nid;music\n1;x,y\n");
  CHECK(separator.shown == Lines{"1 music=x,y"});
  CHECK(separator.warnings == Lines{"f.csv:1:1: skipped the line 'sep=;'"});
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

TEST_CASE("YAML, JSON and JSON Lines say the same as a table") {
  const Lines rows = {"007 image_urls:=[\"https://a\",\"https://b\"] description=no format=square city:Lyon",
                      "8 description=1e5 format=portrait", "9 format=portrait city:x"};
  const Read yaml = read({{"f.yaml",
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

  const Read json =
      read({{"f.json",
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
  const Read lines =
      read({{"f.JSONL",
             "{\"id\": \"007\", \"image_urls\": [\"https://a\", \"https://b\"], \"description\": \"no\", "
             "\"format\": \"square\", \"city\": \"Lyon\"}\n\n"
             "{\"id\": 8, \"description\": 1e5}\r\n"
             "{\"id\": 9, \"city\": \"x\"}"}},
           options);
  CHECK(lines.error == "");
  CHECK(lines.shown == rows);
  CHECK(lines.rows[1].place.line == 3);

  CHECK(read({{"f.yml", "- id: 1\n- id: 2\n"}}).shown == Lines{"1", "2"});
  CHECK(read({{"f.json", "[{\"id\": 1}, {\"id\": 2}]"}}).shown == Lines{"1", "2"});
  CHECK(read({{"f.tsv", "id\tmusic\n1\ta,b\n"}}).shown == Lines{"1 music=a,b"});
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
      {"misspelt top",
       "f.yaml",
       "job: [{id: 1}]\n",
       {},
       "f.yaml:1:1: 'job' means nothing here (did you mean 'jobs'?)\nf.yaml: there is no list 'jobs'"},
      {"jobs that are no list", "f.yaml", "jobs: {a: 1}\n", {}, "f.yaml:1:7: jobs: must be a list of jobs"},
      {"broken YAML", "f.yaml", "- id: 1\n- [\n", {"1"}, "f.yaml:3:1: end of sequence flow not found"},
      {"id that is a list",
       "f.yaml",
       "- id: [1]\n",
       {" !f.yaml:1:7: id: must be text !f.yaml:1:7: id: is empty: every listing needs a reference of its own"},
       ""},
      {"malformed text in a list",
       "f.yaml",
       "- id: 1\n  colors: [a, \xE9]\n",
       {"1 !f.yaml:2:15: colors: is not UTF-8: save the file as UTF-8"},
       ""},
      {"broken JSON line", "f.jsonl", "{\"id\": 1}\n{\"id\": 2\n{\"id\": 3}\n", {"1", " !f.jsonl:2:1: ", "3"}, ""},
      {"JSON line with a key twice",
       "f.jsonl",
       "{\"id\": 1, \"id\": 2}\n",
       {" !f.jsonl:1:1: duplicate key 'id', first on line 1"},
       ""},
      {"JSON Lines cut short",
       "f.jsonl",
       "{\"id\": 1}\n{\"id\": ",
       {"1", " !f.jsonl:2:1: "},
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
       "[{\"id\": 1,\n \"id\": 2}]",
       {},
       "f.json:1:2: duplicate key 'id', first on line 1"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    Read got = read({{test.file, test.text}});
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
  const auto content = [](const Read& got) {
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
  CHECK(table == content(read({{"f.yaml",
                                "jobs:\n"
                                "- id: 1\n"
                                "  kind: iacrea.video\n"
                                "  video:\n"
                                "    format: Square\n"
                                "    font:\n"
                                "    colors: ['#000000', '#FFFFFF']\n"
                                "    sequences: [{order: 0, duration: 3, type: image}]\n"}})));
  CHECK(table ==
        content(
            read({{"f.jsonl", R"({"id":"1","kind":"iacrea.video","video":{"colors":["#000","#fff"],"format":"square",)"
                              R"("sequences":[{"duration":3e0,"order":0,"type":"image"}]}})"
                              "\n"}})));
}

TEST_CASE("fields of another kind are labels, and slips are those of the row's own kind") {
  const Read got = read_csv(
      "id,kind,audio,image,video_id,sequenceId,effect,name\n"
      "1,creatify.aurora,https://a/v.mp3,https://a/f.png,v,s,e,n\n"
      "2,iacrea.sequence,https://a/v.mp3,https://a/f.png,v,s,e,n\n");
  CHECK(got.error == "");
  CHECK(got.warnings == Lines{});
  CHECK(got.shown == Lines{"1 audio=https://a/v.mp3 image=https://a/f.png name=n video_id:v sequenceId:s effect:e",
                           "2 video_id=v sequence_id=s effect=e audio:https://a/v.mp3 image:https://a/f.png name:n"});
  const Read slips = read_csv(
      "id,kind,audio,image,prompt_guidance_scal,audioo\n"
      "1,creatify.aurora,https://a/v.mp3,https://a/f.png,1,x\n");
  CHECK(slips.error ==
        "f.csv:1:21: 'prompt_guidance_scal' is nearly the field 'prompt_guidance_scale' of creatify.aurora: rename it, "
        "map prompt_guidance_scale=prompt_guidance_scal, or list it in labels");
  CHECK(slips.warnings ==
        Lines{"f.csv:1:42: 'audioo' is taken for a label; did you mean the field 'audio' of creatify.aurora?"});
}

TEST_CASE("an exact key wins over one that differs in letter case") {
  CHECK(read({{"f.yaml", "- {id: 1, Music: a, music: b}\n- {id: 2, Music: c}\n"}}).shown ==
        Lines{"1 music=b Music:a", "2 music=c"});
}

TEST_CASE("keys are mapped as columns are") {
  ManifestOptions options;
  options.map = {{"id", "ref"}, {"image_urls", "photo*"}};
  CHECK(read({{"f.yaml", "- {ref: 1, photo2: b, photo1: a}\n- {Ref: 2, photo1: [c, d]}\n"}}, options).shown ==
        Lines{"1 image_urls:=[\"a\",\"b\"]", "2 image_urls:=[\"c\",\"d\"]"});
  options.map = {{"id", "reff"}};
  CHECK(read({{"f.yaml", "- {ref: 1}\n"}}, options).error ==
        "f.yaml: id: the mapped name 'reff' does not exist (did you mean 'ref'?); there are 'ref'");
}

TEST_CASE("defaults of a file win over those of the options, and may be labels") {
  ManifestOptions options;
  options.defaults = {{"format", {RawValue::Form::Text, "wide"}}, {"music", {RawValue::Form::Text, "m"}}};
  CHECK(read({{"f.yaml",
               "defaults: {format: tall, account: acc, agency: Lyon}\njobs:\n- {id: 1}\n- {id: 2, agency: Nice}\n"}},
             options)
            .shown == Lines{"1 @acc format=tall music=m agency:Lyon", "2 @acc format=tall music=m agency:Nice"});
}

TEST_CASE("a sink's error stops the reading and is returned as it is") {
  const Folder folder;
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
  const Folder folder;
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
  const Folder folder;
  const std::string path = folder.write("f.csv",
                                        "id,note,image_urls,description,format\n"
                                        "1,\"two\nlines\",https://a.fr/1.jpg,\xC3\xA9t\xC3\xA9,portrait\n"
                                        "2,,,A flat with a view of the sea,oval\n"
                                        ",,,,\n");
  Lines said;
  std::vector<std::size_t> fields;
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    fields.push_back(validate(row).fields.size());
    CHECK_FALSE(row.valid());
    for (const Remark& remark : row.remarks) said.push_back(folder.without(remark.text()));
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
  const std::vector<File> seeds = {
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
  const Folder folder;
  const auto sink = [](ManifestRow& row) -> Result<void> {
    validate(row);
    for (const Remark& remark : row.remarks) CHECK_FALSE(remark.text().empty());
    if (row.id.empty()) CHECK_FALSE(row.valid());
    return {};
  };
  for (const File& seed : seeds)
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
