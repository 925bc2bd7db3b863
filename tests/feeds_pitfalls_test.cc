// What feeds do wrong, line by line of the survey's list of pitfalls (FORMATS 7): whether the file is refused, a row is
// rejected, something is mended with one warning, or nothing is said; and where, and in which words.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "jobs/unicode.h"
#include "runner/csv.h"
#include "tests/feed_reading.h"

namespace reelbatch {
namespace {

using std::string_view_literals::operator""sv;

/// What is done about a pitfall, as the survey has it.
enum class Do { Refuse, Reject, Warn, Nothing };

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

TEST_CASE("pitfalls: encodings of what is UTF-8 by its definition") {
  const auto job = [](std::string_view id, std::string_view description) {
    return fmt::format(R"({{"id": "{}", "image_urls": ["https://img.example.test/1.jpg"], "description": "{}"}})", id,
                       description);
  };
  const std::string latin = job("A-1", "Un appartement r\xE9nov\xE9 pr\xE8s du parc");
  const std::string notice = "read as windows-1252, which is not UTF-8 as it should be; first non-ASCII at line ";
  check_pitfall({"JSON", "[\n" + latin + "]", Do::Warn, "f.json:2: ", notice + "2", {"A-1"}, "f.json"});
  check_pitfall({"JSON Lines", latin + "\n", Do::Warn, "f.jsonl:1: ", notice + "1", {"A-1"}, "f.jsonl"});
  check_pitfall({"YAML", "- " + latin + "\n", Do::Warn, "f.yaml:1: ", notice + "1", {"A-1"}, "f.yaml"});
  const std::string behind = job("A-0", std::string(70'000, 'x')) + "\n" + latin + "\n";
  check_pitfall({"behind the first bytes",
                 behind,
                 Do::Warn,
                 "f.jsonl: ",
                 "read as windows-1252, which is not UTF-8 as it should be; use --encoding",
                 {"A-0", "A-1"},
                 "f.jsonl"});
  const std::string one = job("A-1", "Un appartement r\u00e9nov\u00e9 pr\u00e8s du parc") + "\n";
  check_pitfall({"one job that is damaged",
                 one + job("A-2", "Un appartement r\xE9serv\u00e9") + "\n",
                 Do::Reject,
                 "f.jsonl:2:97: ",
                 "not valid JSON: is not UTF-8 (byte 0xE9)",
                 {"A-1"},
                 "f.jsonl"});
  ManifestOptions stated;
  stated.encoding = "utf-8";
  check_pitfall({"an encoding that is stated is strict",
                 latin + "\n",
                 Do::Reject,
                 "f.jsonl:1:97: ",
                 "is not UTF-8",
                 {},
                 "f.jsonl"},
                stated);
}

TEST_CASE("pitfalls: no text at all") {
  const Pitfall pitfalls[] = {
      {"empty file", "", Do::Refuse, "f.csv: ", "0 listings"},
      {"header only", kHeader, Do::Warn, "f.csv: ", "0 listings", {}},
      {"RTF", "{\\rtf1\\ansi id,image_urls}", Do::Refuse, "f.csv: ", "a document of a word processor (RTF)"},
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
      {"# is data", one + "# a remark\n", Do::Reject, "f.csv:3:11: ", "1 field, header has 3"},
      {"blank lines count as lines", "\n" + kHeader + "\n" + row("A-1") + "\r\n\n" + "A-2,x\n", Do::Reject,
       "f.csv:7:6: ", "2 fields, header has 3"},
      {"line ends mixed",
       kHeader + row("A-1") + "A-2,https://img.example.test/2.jpg,A flat by the sea\r\n",
       Do::Warn,
       "f.csv: ",
       "line ends are mixed",
       {"A-1", "A-2"}},
      {"rows of nothing but empty cells",
       one + ",,\nA-2,https://img.example.test/2.jpg,A flat by the sea\n , ,\n",
       Do::Warn,
       "f.csv:3:1: ",
       "skipped a row of nothing but empty cells (2 times)",
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

TEST_CASE("pitfalls: quotes behind a blank are part of the text") {
  check_pitfall({"a blank behind the delimiter",
                 "id, image_urls, description\nA-1, https://img.example.test/1.jpg, \"A flat by the sea\"\n", Do::Warn,
                 "f.csv:2:37: ", "a blank stands in front of them"});
}

TEST_CASE("pitfalls: a delimiter that was lost in front of a quoted text") {
  check_pitfall({"behind an id",
                 "id,description,image_urls\nA-1\"A flat, by the sea\",https://img.example.test/1.jpg\n",
                 Do::Reject,
                 "f.csv:2:1: ",
                 R"(id: there is a quote in 'A-1"A flat')",
                 {}});
  check_pitfall({"behind an address",
                 "id,image_urls,description\nA-1,https://img.example.test/1.jpg\"A flat by, the big sea\"\n",
                 Do::Reject,
                 "f.csv:2:5: ",
                 "there is a quote in the addresses",
                 {}});
  check_pitfall({"quotes that are doubled",
                 "id,image_urls,description\n\"A-1\"\"\",https://img.example.test/1.jpg,A flat by the sea\n",
                 Do::Nothing,
                 "",
                 "",
                 {"A-1\""}});
}

TEST_CASE("pitfalls: ids that became decimal numbers") {
  check_pitfall({"pandas",
                 "id,image_urls,description\n1001.0,https://img.example.test/1.jpg,A flat by the sea\n",
                 Do::Warn,
                 "f.csv:2:1: ",
                 "id: ends in .0",
                 {"1001.0"}});
  check_pitfall({"a version",
                 "id,image_urls,description\nv1.0,https://img.example.test/1.jpg,A flat by the sea\n",
                 Do::Nothing,
                 "",
                 "",
                 {"v1.0"}});
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
      {"preamble that a spreadsheet filled up",
       "Listings;;\nid;image_urls;description\nA-1;https://img.example.test/1.jpg;A flat by the sea\n", Do::Warn,
       "f.csv:1:1: ", "skipped 1 line in front of the header"},
      {"preamble that explains each column", "# required,# an address,# a text\n" + kHeader + "A-1" + rest, Do::Warn,
       "f.csv:1:1: ", "skipped 1 line in front of the header"},
      {"sep=", "sep=;\nid;image_urls;description\nA-1;https://img.example.test/1.jpg;A flat, by the sea\n", Do::Warn,
       "f.csv:1:1: ", "skipped the line 'sep=;'"},
      {"sep= that says something else", "sep=;\n" + kHeader + "A-1" + rest, Do::Refuse, "f.csv:2:1: ",
       "there is no column 'id': the header is one cell, 'id,image_urls,description'; if ',' is what stands between "
       "cells, say --delimiter ','"},
      {"a delimiter that is not tried", "id^image_urls^description\nA-1^x^y\nA-2^x^y\n", Do::Refuse,
       "f.csv:1:1: ", "if '^' is what stands between cells, say --delimiter '^'"},
      {"no image column at all", "id,description,city\nA-1,A flat by the sea,Lyon\n", Do::Refuse,
       "f.csv:1:1: ", "image_urls: there is no column with images; there are 'id', 'description', 'city'"},
      {"no column with descriptions", "id,image_urls,content\nA-1,https://img.example.test/1.jpg,A flat by the sea\n",
       Do::Refuse,
       "f.csv:1:1: ", "description: there is no column with descriptions; there are 'id', 'image_urls', 'content'"},
      {"YAML in a table's name", "- id: A-1\n  description: A flat by the sea\n", Do::Refuse,
       "f.csv: ", "this is YAML: name it .yaml"},
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
       "f.csv:3:1: ",
       "the header once more",
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

}  // namespace reelbatch
