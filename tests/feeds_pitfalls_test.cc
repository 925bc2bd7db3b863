// What feeds do wrong, line by line of the survey's list of pitfalls (FORMATS 7): whether the file is refused, a row is
// rejected, something is mended with one warning, or nothing is said; and where, and in which words.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "jobs/unicode.h"
#include "runner/csv.h"
#include "runner/manifest.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

using std::string_view_literals::operator""sv;

/// What is done about a pitfall, as the survey has it.
enum class Do { Refuse, Reject, Warn, Nothing };

struct Said {
  std::vector<std::string> errors, warnings;  ///< of rows; of files
  std::string refused;                        ///< the error that ended the reading
  std::vector<std::string> ids;               ///< of valid rows
  std::vector<Remark> rejects;
  std::vector<RawFields> fields;  ///< of valid rows
};

std::string without(std::string text, const std::string& folder) {
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
    text.erase(at, folder.size());
  return text;
}

Said read_in(const ScopedFolder& place, const std::vector<std::string>& names, const ManifestOptions& options) {
  Said said;
  const std::string folder = place.path().string() + '/';
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(folder + name);
  const RemarkSink remark = [&](const Remark& found) {
    if (found.level == Remark::Level::Error) said.errors.push_back(without(found.text(), folder));
    if (found.level == Remark::Level::Warning) said.warnings.push_back(without(found.text(), folder));
    if (found.level == Remark::Level::Error || found.level == Remark::Level::File) said.rejects.push_back(found);
  };
  const auto sink = [&](ManifestRow& row) -> Result<void> {
    validate(row);
    tell_remarks(row, remark);
    if (row.valid()) {
      said.ids.push_back(row.id);
      said.fields.push_back(row.fields);
    }
    return {};
  };
  const Result<void> done = read_manifests(paths, options, sink, remark);
  if (!done) said.refused = without(done.error().message, folder);
  return said;
}

/// Reads one file as the commands do.
Said read(const std::string& name, std::string_view bytes, ManifestOptions options = {}) {
  const ScopedFolder folder;
  folder.write(name, std::string(bytes));
  options.require_images = true;
  return read_in(folder, {name}, options);
}

/// A row of the columns id, image_urls and description.
std::string row(std::string_view id, std::string_view description = "A quiet flat near the park") {
  return fmt::format("{},https://img.example.test/{}.jpg,{}\n", id, id, description);
}

const std::string kHeader = "id,image_urls,description\n";

std::string utf16(std::string_view text, bool big, std::size_t width = 2) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    for (std::size_t i = 0; i < width; ++i)
      out += static_cast<char>((point.value >> (8 * (big ? width - 1 - i : i))) & 0xFFU);
    at += point.size;
  }
  return out;
}

struct Pitfall {
  const char* name;
  std::string bytes;
  Do what;
  std::string at;                          ///< how the message begins: its place
  std::string says;                        ///< what is in it
  std::vector<std::string> ids = {"A-1"};  ///< the rows that are read all the same
  std::string file = "f.csv";
};

void check_pitfall(const Pitfall& pitfall, const ManifestOptions& options = {}) {
  CAPTURE(pitfall.name);
  const Said said = read(pitfall.file, pitfall.bytes, options);
  const auto is_said = [&](const std::vector<std::string>& messages) {
    return std::any_of(messages.begin(), messages.end(), [&](const std::string& message) {
      return message.starts_with(pitfall.at) && message.find(pitfall.says) != std::string::npos;
    });
  };
  CAPTURE(said.refused);
  CAPTURE(fmt::format("{}", fmt::join(said.errors, "\n")));
  CAPTURE(fmt::format("{}", fmt::join(said.warnings, "\n")));
  if (pitfall.what == Do::Refuse) {
    std::vector<std::string> lines;
    for (std::size_t from = 0; from < said.refused.size();) {
      const std::size_t end = std::min(said.refused.find('\n', from), said.refused.size());
      lines.push_back(said.refused.substr(from, end - from));
      from = end + 1;
    }
    CHECK(is_said(lines));
    return;
  }
  CHECK(said.refused == "");
  CHECK(said.ids == pitfall.ids);
  if (pitfall.what == Do::Reject) {
    CHECK(said.errors.size() == 1);
    CHECK(is_said(said.errors));
    return;
  }
  CHECK(said.errors.empty());
  CHECK(said.warnings.size() == (pitfall.what == Do::Warn ? 1U : 0U));
  if (pitfall.what == Do::Warn) CHECK(is_said(said.warnings));
}

}  // namespace

TEST_CASE("pitfalls: encodings") {
  const std::string plain = kHeader + row("A-1");
  const auto in_words = [](std::string_view words) {
    std::string text = fmt::format("{},id,image_urls,description\n", words);
    for (int i = 0; i < 8; ++i) text += words;
    return text + ",A-1,https://img.example.test/1.jpg,A flat by the sea\n";
  };
  const std::string cyrillic = in_words("Светлая квартира у парка и большая кухня");
  const std::string greek = in_words("Φωτεινό διαμέρισμα δίπλα στο πάρκο");
  const std::string chinese = in_words("公园旁明亮的公寓三室大厨房");
  const std::string latin = kHeader + row("A-1") + "A-2,https://img.example.test/2.jpg,Un appartement r\xE9nov\xE9\n";
  const Pitfall pitfalls[] = {
      {"UTF-8 BOM", "\xEF\xBB\xBF" + plain, Do::Nothing, "", ""},
      {"UTF-16 with BOM", "\xFF\xFE" + utf16(plain, false), Do::Nothing, "", ""},
      {"UTF-16, the other way", "\xFE\xFF" + utf16(plain, true), Do::Nothing, "", ""},
      {"UTF-32 with BOM", std::string("\xFF\xFE\0\0"sv) + utf16(plain, false, 4), Do::Nothing, "", ""},
      {"not UTF-8, no BOM",
       latin,
       Do::Warn,
       "f.csv:3: ",
       "read as windows-1252; first non-ASCII at line 3; use --encoding",
       {"A-1", "A-2"}},
      {"UTF-16 without BOM", utf16(plain, false), Do::Warn, "f.csv:1:1: ", "looks like UTF-16"},
      {"UTF-16 without BOM, the other way", utf16(plain, true), Do::Warn, "f.csv:1:1: ", "read as UTF-16BE"},
      {"UTF-32 without BOM", utf16(plain, false, 4), Do::Warn, "f.csv:1:1: ", "looks like UTF-32"},
      {"UTF-32 without BOM, the other way", utf16(plain, true, 4), Do::Warn, "f.csv:1:1: ", "read as UTF-32BE"},
      {"UTF-16 without BOM, Cyrillic", utf16(cyrillic, false), Do::Warn, "f.csv:1:1: ", "read as UTF-16LE"},
      {"the same, the other way", utf16(cyrillic, true), Do::Warn, "f.csv:1:1: ", "read as UTF-16BE"},
      {"UTF-32 without BOM, Cyrillic", utf16(cyrillic, false, 4), Do::Warn, "f.csv:1:1: ", "read as UTF-32LE"},
      {"UTF-16 without BOM, Greek", utf16(greek, false), Do::Warn, "f.csv:1:1: ", "looks like UTF-16"},
      {"UTF-16 without BOM, Chinese", utf16(chinese, true), Do::Warn, "f.csv:1:1: ", "read as UTF-16BE"},
      {"NUL byte in a field", plain + row("A-2", "A flat \0 by the sea"sv), Do::Reject,
       "f.csv:3:45: ", "description: a NUL character"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);

  // As windows-1252 they would be nonsense, and paid for.
  const std::string koi = "\xD3\xD7\xC5\xD4\xCC\xC1\xD1 \xCB\xD7\xC1\xD2\xD4\xC9\xD2\xC1 30 \xCD";
  const Pitfall other_script{"words of another script", kHeader + row("A-1", koi), Do::Refuse,
                             "f.csv: ", "is neither UTF-8 nor windows-1252"};
  check_pitfall(other_script);
  ManifestOptions western;
  western.encoding = "windows-1252";
  check_pitfall({"the same, stated", kHeader + row("A-1", koi), Do::Nothing, "", ""}, western);
  check_pitfall({"accents one behind the other",
                 kHeader + row("A-1", "Cr\xE9\xE9\xE9 \xE0 l'\xE9t\xE9; fa\xE7on \xE2g\xE9"), Do::Warn,
                 "f.csv:2: ", "read as windows-1252"});
  check_pitfall({"a letter that is a word",
                 kHeader + row("A-1", "Une maison \xE0 vendre au bord du lac"),
                 Do::Warn,
                 "f.csv:2: ",
                 "read as windows-1252; first non-ASCII at line 2",
                 {"A-1"}});
  std::string mixed = kHeader + row("A-1", "Un appartement r\xE9nov\xE9");
  for (int i = 2; i < 1500; ++i) mixed += row(fmt::format("A-{}", i));
  mixed += row("B-1", "Un appartement r\u00e9nov\u00e9");
  check_pitfall({"two encodings in one file", mixed, Do::Refuse, "f.csv", "the file mixes encodings"});

  ManifestOptions stated;
  stated.encoding = "utf-8";
  check_pitfall({"an encoding that is stated is strict", latin, Do::Reject,
                 "f.csv:3:52: ", "description: is not UTF-8 (byte 0xE9)"},
                stated);
  stated.encoding = "windows-1252";
  check_pitfall({"windows-1252 does not have every byte", kHeader + row("A-1") + row("A-2", "A flat by the sea \x81 x"),
                 Do::Reject, "f.csv:3:56: ", "description: is not windows-1252 (byte 0x81)"},
                stated);
}

TEST_CASE("pitfalls: no text at all") {
  const Pitfall pitfalls[] = {
      {"empty file", "", Do::Refuse, "f.csv: ", "0 listings"},
      {"header only", kHeader, Do::Warn, "f.csv: ", "0 listings", {}},
      {"XLSX", "PK\x03\x04.. [Content_Types].xml", Do::Refuse, "f.csv: ", "an Excel workbook: save it as CSV"},
      {"ZIP", "PK\x03\x04.. Annonces.csv", Do::Refuse, "f.csv: ", "a ZIP archive: unpack it"},
      {"gzip", "\x1F\x8B\x08", Do::Refuse, "f.csv: ", "a gzip archive: unpack it"},
      {"XML", "<?xml version=\"1.0\"?><feed/>", Do::Refuse, "f.csv: ", "this is XML"},
      {"HTML", "<!doctype html><title>Sign in</title>", Do::Refuse, "f.csv: ", "did the download need a login?"},
      {"a part of an HTML page", "<div class=\"login\">", Do::Refuse, "f.csv: ", "an HTML page"},
      {"HTML in UTF-16", "\xFF\xFE" + utf16("<html><body>", false), Do::Refuse, "f.csv: ", "an HTML page"},
      {"JSON", "[{\"id\": \"A-1\"}]", Do::Refuse, "f.csv: ", "this is JSON: name it .json"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);
}

TEST_CASE("pitfalls: quotes, fields and lines") {
  const std::string one = kHeader + row("A-1");
  const std::string many_lines(CsvReader::kMaxLines + 1, '\n');
  const Pitfall pitfalls[] = {
      {"delimiter unclear", "a;b;c,d\n1;2;3,4\n5;6;7,8\n", Do::Refuse, "f.csv: ",
       "the delimiter is unclear: comma gives 2 columns, semicolon gives 3 columns; say which with --delimiter"},
      {"unclosed quote", one + "A-2,\"https://img.example.test/2.jpg,A flat\nA-3,x,y\n", Do::Refuse,
       "f.csv:3:5: ", "a quote is opened here and never closed"},
      {"text after a closing quote", one + "A-2,https://img.example.test/2.jpg,\"A flat\" by the sea\n", Do::Reject,
       "f.csv:3:44: ", "text after a closing quote"},
      {"quote inside an unquoted field", kHeader + row("A-1", "A desk of 12\" x 9\" in it"), Do::Nothing, "", ""},
      {"backslash-escaped quotes", kHeader + "A-1,https://img.example.test/1.jpg,\"The \\\"sea\\\", seen from here\"\n",
       Do::Warn, "f.csv:2:1: ", "backslash escapes detected"},
      {"too many fields", one + row("A-2", "A flat, by the sea"), Do::Reject,
       "f.csv:3:45: ", "4 fields, header has 3; an unquoted comma?"},
      {"too few fields", one + "A-2,https://img.example.test/2.jpg\n", Do::Reject,
       "f.csv:3:35: ", "description: 2 fields, header has 3"},
      {"delimiter at the end of every row", kHeader + "A-1,https://img.example.test/1.jpg,A flat by the sea,\n",
       Do::Nothing, "", ""},
      {"empty last column", "id,image_urls,description,\nA-1,https://img.example.test/1.jpg,A flat by the sea,\n",
       Do::Nothing, "", ""},
      {"missing cells that are not mapped", "id,image_urls,description,city,zip\n" + row("A-1"), Do::Warn,
       "f.csv:2:1: ", "cells are missing at the end of the row"},
      {"# is data", one + "# a remark\n", Do::Reject, "f.csv:3:11: ", "1 fields, header has 3"},
      {"blank lines count as lines", "\n" + kHeader + "\n" + row("A-1") + "\r\n\n" + "A-2,x\n", Do::Reject,
       "f.csv:7:6: ", "2 fields, header has 3"},
      {"line ends mixed",
       kHeader + row("A-1") + "A-2,https://img.example.test/2.jpg,A flat by the sea\r\n",
       Do::Warn,
       "f.csv: ",
       "line ends are mixed",
       {"A-1", "A-2"}},
      {"line end in a quoted cell",
       kHeader + "A-1,https://img.example.test/1.jpg,\"A flat\nby the sea\"\n,https://img.example.test/2.jpg,A flat\n",
       Do::Reject, "f.csv:4:1: ", "id: is empty"},
      {"a cell of 2 MiB",
       "id,image_urls,description,notes\nA-1,https://img.example.test/1.jpg,A flat by the sea," +
           std::string(std::size_t{2} << 20U, 'x') + "\n",
       Do::Nothing, "", ""},
      {"a record of too many lines", one + "A-2,x,\"" + many_lines + "\"\n", Do::Refuse,
       "f.csv:3:7: ", "a record goes on for more than 100000 lines; is a quote opened here and never closed?"},
      {"last record cut short", one + "A-2,https://img", Do::Refuse,
       "f.csv:3:1: ", "the last record is incomplete (2 fields, header has 3): is the file still being written?"},
      {"a last line without its end",
       one + "A-2,https://img.example.test/2.jpg,A flat by the",
       Do::Warn,
       "f.csv:3:1: ",
       "the last line has no line end: if the file was still being written, its last row is cut",
       {"A-1", "A-2"}},
      {"last record cut in a quote", one + "A-2,\"https://img", Do::Refuse, "f.csv:3:5: ", "never closed"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);
}

TEST_CASE("pitfalls: headers") {
  const std::string rest = ",https://img.example.test/1.jpg,A flat by the sea\n";
  const Pitfall pitfalls[] = {
      {"duplicate header that is mapped", "id,description,description,image_urls\n", Do::Refuse,
       "f.csv:1:16: ", "description: columns 2 and 3"},
      {"duplicate header that is not", "id,city,city,image_urls,description\nA-1,x,y" + rest, Do::Warn,
       "f.csv:1:9: ", "columns 2 and 3 have the same name"},
      {"empty header name", "id,,image_urls,description\nA-1,x" + rest, Do::Nothing, "", ""},
      {"header with spaces, newline, NBSP, case", "\xC2\xA0ID ,\"Image\nURLs\", DESCRIPTION\nA-1" + rest, Do::Nothing,
       "", ""},
      {"no header", "A-1" + rest + "A-2" + rest, Do::Refuse,
       "f.csv:1:1: ", "this file has no header: use --preset poliris, or --no-header --map id=#2"},
      {"preamble", "Export of 26 November\n\n" + kHeader + "A-1" + rest, Do::Warn,
       "f.csv:1:1: ", "skipped 2 lines in front of the header"},
      {"preamble as wide as the header", "Export,of 26,November\n" + kHeader + "A-1" + rest, Do::Refuse,
       "f.csv:1:1: ", "line 2 looks like a header: use --skip-lines 1"},
      {"sep=", "sep=;\nid;image_urls;description\nA-1;https://img.example.test/1.jpg;A flat, by the sea\n", Do::Warn,
       "f.csv:1:1: ", "skipped the line 'sep=;'"},
      {"no image column at all", "id,description,city\nA-1,A flat by the sea,Lyon\n", Do::Refuse,
       "f.csv:1:1: ", "image_urls: there is no column with images; there are 'id', 'description', 'city'"},
      {"no id column", "title,image_urls,description\nx" + rest, Do::Refuse,
       "f.csv:1:1: ", "there is no column 'id'; there are 'title', 'image_urls', 'description'"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);

  ManifestOptions options;
  options.map = {{"description", "#2"}};
  check_pitfall({"empty header name, mapped by position",
                 "id,,image_urls\nA-1,A flat by the sea,https://img.example.test/1.jpg\n", Do::Nothing, "", ""},
                options);
  options.map.clear();
  options.skip_lines = 1;
  check_pitfall(
      {"lines that are skipped as told", "Export,of 26,November\n" + kHeader + "A-1" + rest, Do::Nothing, "", ""},
      options);
  // Where rows may be of a kind that goes without images, those that need them are rejected one by one.
  const Said mixed = read("f.csv", "id,kind,description\nA-1,,A flat by the sea\n");
  CHECK(mixed.refused == "");
  REQUIRE(mixed.errors.size() == 1);
  CHECK(mixed.errors[0].starts_with("f.csv:2:1: image_urls: is missing"));
}

TEST_CASE("pitfalls: what a header does not say") {
  const std::string bare = "id,image_urls,title,description,";
  const std::string a = "A-1,https://img.example.test/1.jpg,Flat,A flat by the sea";
  const std::string shifted = "A-2,https://img.example.test/2.jpg,Flat, big,A flat by the sea";
  const Pitfall pitfalls[] = {
      {"shifted into a column without a name", bare + "\n" + a + ",\n" + shifted + "\n", Do::Reject,
       "f.csv:3:46: ", "column 5 has no name in the header, and nothing should stand in it; an unquoted comma?"},
      {"shifted into the first of two", bare + ",\n" + a + ",,\n" + shifted + ",\n", Do::Reject,
       "f.csv:3:46: ", "column 5 has no name"},
      {"blanks in a column without a name", bare + " \n" + a + ", \n", Do::Nothing, "", ""},
      {"a second header in another order",
       kHeader + row("A-1") + "description,id,image_urls\nA flat,A-2,https://img.example.test/2.jpg\n", Do::Refuse,
       "f.csv:3:1: ", "a second header, with the columns in another order"},
      {"a second header with a column in the middle that was not there",
       kHeader + row("A-1") + "ID,City,Image URLs,Description\n", Do::Refuse, "f.csv:3:1: ", "a second header"},
      {"a second header in other words",
       kHeader + row("A-1") + "reference,photos,text\nA-2,https://img.example.test/2.jpg,A flat by the sea\n",
       Do::Refuse, "f.csv:3:1: ", "a second header, with other names"},
      {"a listing whose id is such a word", kHeader + row("reference"), Do::Nothing, "", "", {"reference"}},
      {"the same header again",
       kHeader + row("A-1") + kHeader + row("A-2"),
       Do::Reject,
       "f.csv:3:4: ",
       "image_urls: 'image_urls'",
       {"A-1", "A-2"}},
      {"ids that are names of columns",
       kHeader + row("description") + row("image_urls"),
       Do::Nothing,
       "",
       "",
       {"description", "image_urls"}},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);
}

TEST_CASE("pitfalls: rows without a header") {
  ManifestOptions options;
  options.no_header = true;
  options.preset = "none";
  options.map = {{"id", "#1"}, {"image_urls", "#2"}, {"description", "#4"}};
  const std::string a = "A-1,https://img.example.test/1.jpg,Flat,A flat by the sea";
  const std::string b = "A-2,https://img.example.test/2.jpg,Flat,A flat in the hills";
  const std::string c = "A-4,https://img.example.test/4.jpg,Flat,A flat in the woods";
  const std::string shifted = "A-3,https://img.example.test/3.jpg,Flat, big,A flat in town";
  const Pitfall pitfalls[] = {
      {"the first row is shifted",
       shifted + "\n" + a + "\n" + b + "\n",
       Do::Reject,
       "f.csv:1:46: ",
       "5 fields, most rows have 4; an unquoted comma?",
       {"A-1", "A-2"}},
      {"a cell more where the others end in a delimiter",
       a + ",\n" + shifted + "\n" + b + ",\n",
       Do::Reject,
       "f.csv:2:46: ",
       "5 fields, most rows have 4",
       {"A-1", "A-2"}},
      {"the same in the first row",
       shifted + "\n" + a + ",\n" + b + ",\n",
       Do::Reject,
       "f.csv:1:46: ",
       "5 fields, most rows have 4",
       {"A-1", "A-2"}},
      {"a cell and a delimiter more",
       shifted + ",\n" + a + ",\n" + b + ",\n",
       Do::Reject,
       "f.csv:1:46: ",
       "5 fields, most rows have 4",
       {"A-1", "A-2"}},
      // The last one of its own cells may have been empty: `Flat, big,`.
      {"an empty cell more, which no other row has",
       a + "\n" + b + "\n" + c + ",\n",
       Do::Reject,
       "f.csv:3:61: ",
       "most rows have 4",
       {"A-1", "A-2"}},
      {"a delimiter at the end of every row", a + ",\n" + b + ",\n", Do::Nothing, "", "", {"A-1", "A-2"}},
      {"an empty cell of its own where the others end in a delimiter",
       a + ",\"\",\n" + b + ",\"\",\n" + shifted + ",\"\"\n",
       Do::Reject,
       "f.csv:3:61: ",
       "6 fields, most rows have 5",
       {"A-1", "A-2"}},
      // As wide as the others, since the last one of its own cells is empty: told by what it says.
      {"shifted, and as wide as the others",
       a + ",\n" + "A-3,https://img.example.test/3.jpg,Flat, big and bright,\n" + b + ",\n" + c + ",\n",
       Do::Warn,
       "f.csv:2:41: ",
       "a row looks shifted from here on: 'big and bright' begins with a blank",
       {"A-1", "A-3", "A-2", "A-4"}},
      {"shifted, and numbers show it",
       a + ",1\n" + b + ",2\n" + c + ",3\n" +
           "A-3,https://img.example.test/3.jpg,Flat, big and bright,A flat in town\n" +
           "A-5,https://img.example.test/5.jpg,Loft,A loft by the sea,4\n",
       Do::Reject,
       "f.csv:4:41: ",
       "the row is shifted from here on",
       {"A-1", "A-2", "A-4", "A-5"}},
      {"a last column that is often empty, in quotes",
       a + ",\"\"\n" + b + ",\"\"\n" + c + ",\"x\"\n",
       Do::Nothing,
       "",
       "",
       {"A-1", "A-2", "A-4"}},
      {"as many whole rows as others", shifted + "\n" + a + "\n", Do::Refuse,
       "f.csv: ", "as many rows have 4 cells as 5, and without a header it is not known which of them are whole"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall, options);
  options.map.emplace("music", "#5");
  check_pitfall({"a last column that is often empty, and feeds something",
                 a + ",\n" + b + ",\n" + "A-3,https://img.example.test/3.jpg,Flat,A flat in town,piano\n",
                 Do::Nothing,
                 "",
                 "",
                 {"A-1", "A-2", "A-3"}},
                options);
}

TEST_CASE("pitfalls: ids") {
  const std::string one = kHeader + row("A-1");
  const std::string rest = ",https://img.example.test/2.jpg,A flat by the sea\n";
  const Pitfall pitfalls[] = {
      {"duplicate id", one + row("A-2") + row("A-1"), Do::Refuse,
       "f.csv:4:1: ", "id: 'A-1' is there twice: first in f.csv:2"},
      {"shortened id", one + "\"1,55552E+12\"" + rest + "1.5E+11" + rest, Do::Refuse,
       "f.csv:3:1: ", "id: '1,55552E+12' was shortened by a spreadsheet and the id is lost (2 rows)"},
      {"ids that differ in letter case",
       one + row("a-1"),
       Do::Warn,
       "f.csv:3:1: ",
       "id: differs from another one only in letter case, blanks or leading zeros: as file names they collide ('a-1', "
       "the other one in f.csv:2)",
       {"A-1", "a-1"}},
      {"ids that differ in blanks",
       one + "A -1" + rest,
       Do::Warn,
       "f.csv:3:1: ",
       "('A -1', the other one in f.csv:2)",
       {"A-1", "A -1"}},
      {"ids that differ in leading zeros",
       kHeader + row("7") + row("007") + row("0070"),
       Do::Warn,
       "f.csv:3:1: ",
       "('007', the other one in f.csv:2)",
       {"7", "007", "0070"}},
      {"an id that a spreadsheet lost", one + "#REF!" + rest, Do::Reject,
       "f.csv:3:1: ", "id: '#REF!' is what a spreadsheet shows for an error"},
      {"the same in French", one + "#VALEUR!" + rest, Do::Reject, "f.csv:3:1: ", "id: '#VALEUR!'"},
      {"an id in a column that was too narrow", one + "######" + rest, Do::Reject, "f.csv:3:1: ", "id: '######'"},
      {"ids with a number sign",
       kHeader + row("#1") + row("#A!b") + row("#"),
       Do::Nothing,
       "",
       "",
       {"#1", "#A!b", "#"}},
      {"an invisible character in an id", one + "A\u200B-2" + rest, Do::Reject,
       "f.csv:3:1: ", "has an invisible character in it (U+200B)"},
      {"a soft hyphen in an id", one + "A\u00AD2" + rest, Do::Reject, "f.csv:3:1: ", "(U+00AD)"},
      {"invisible characters around an id", kHeader + "\u200BA-1\uFEFF" + rest, Do::Nothing, "", ""},
      {"files that were joined",
       one + "\uFEFF\"A-2\"" + rest,
       Do::Warn,
       "f.csv:3:1: ",
       "skipped a byte order mark in front of a line that is not the first",
       {"A-1", "A-2"}},
      {"missing id", one + rest, Do::Reject, "f.csv:3:1: ", "id: is empty"},
      {"an id that is no file name", kHeader + "../A:1\\x" + rest, Do::Nothing, "", "", {"../A:1\\x"}},
      {"formula guards",
       kHeader + "\"=\"\"0012\"\"\"" + rest + "'-5" + rest,
       Do::Warn,
       "f.csv:2:1: ",
       "id: took off a spreadsheet's guard",
       {"0012", "-5"}},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);
  const Said many = read("f.csv", kHeader + row("1") + row("2") + row("2") + row("1") + row("2"));
  CHECK(many.refused.ends_with("\n3 rows repeat an id, which must be unique in a run: 2 ids are affected"));
}

TEST_CASE("pitfalls: fields of a row") {
  const std::string one = kHeader + row("A-1");
  const Pitfall pitfalls[] = {
      {"empty description", one + row("A-2", ""), Do::Reject, "f.csv:3:1: ", "description: is missing"},
      {"no usable image", one + "A-2,photo one|photo two,A flat by the sea\n", Do::Reject,
       "f.csv:3:5: ", "image_urls: 'photo one'"},
      {"file names instead of addresses", kHeader + "A-1,a.jpg|b.jpg,A flat by the sea\nA-2,c.jpg,A flat too\n",
       Do::Refuse, "f.csv:2:5: ",
       "no image has an address (2 rows have file names, such as 'a.jpg|b.jpg'): say with "
       "--media-base"},
  };
  for (const Pitfall& pitfall : pitfalls) check_pitfall(pitfall);

  for (const char* nothing : {"NULL", "null", "nan", "NaN", "None", "N/A", "-", " - "}) {
    CAPTURE(nothing);
    const Said text = read("f.csv", one + row("A-2", nothing));
    REQUIRE(text.errors.size() == 1);
    CHECK(text.errors[0].starts_with("f.csv:3:1: description: is missing"));
    const Said images = read("f.csv", one + fmt::format("A-2,{},A flat by the sea\n", nothing));
    REQUIRE(images.errors.size() == 1);
    CHECK(images.errors[0].starts_with("f.csv:3:1: image_urls: is missing"));
    // Elsewhere it may be a name.
    const Said music = read("f.csv",
                            "id,image_urls,description,music\nA-1,https://img.example.test/1.jpg,A flat by "
                            "the sea," +
                                std::string(nothing) + "\n");
    const bool kept = !music.errors.empty() || (music.fields.size() == 1 && music.fields[0].size() == 3);
    CHECK(kept);
  }
  const Said json = read("f.jsonl", R"({"id": "A-1", "image_urls": "nan", "description": "N/A"})"
                                    "\n");
  REQUIRE(json.errors.size() == 2);
  CHECK(json.errors[0].find("image_urls: is missing") != std::string::npos);
  CHECK(json.errors[1].find("description: is missing") != std::string::npos);
}

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
