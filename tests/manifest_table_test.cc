// Tables: what headers and cells mean, and which rows are refused or mended.
#include <doctest/doctest.h>

#include "jobs/registry.h"
#include "tests/manifest_reading.h"

namespace reelbatch {

TEST_CASE("a table becomes rows: fields of the kind, the rest labels") {
  const ManifestRead got = read_csv(
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
    const ManifestRead got = read_csv(std::string("\xEF\xBB\xBFID,") + test.header + "\n1,x\n");
    CHECK(got.error == "");
    CHECK(got.shown == Lines{std::string("1 ") + test.field});
  }
  CHECK(read_csv("id,music,Music\n1,a,b\n").shown == Lines{"1 music=a Music:b"});
  CHECK(read_csv("id,Music,MUSIC\n1,a,b\n").error == "f.csv:1:10: music: columns 2 and 3 both give this field");
  CHECK(read_csv("id,displayLogo,display_logo\n1,a,b\n").error ==
        "f.csv:1:16: display_logo: columns 2 and 3 both give this field");
  CHECK(read_csv("id,id\n1,2\n").error == "f.csv:1:4: id: columns 1 and 2 have the same name");
  const ManifestRead twice = read_csv("id,city,city\n1,a,b\n");
  CHECK(twice.shown == Lines{"1 city:a"});
  CHECK(twice.warnings == Lines{"f.csv:1:9: city: columns 2 and 3 have the same name: the first one is the label"});
}

TEST_CASE("a mapped column wins over a name") {
  ManifestOptions options;
  options.map = {{"id", "Reference"}, {"description", "Texte"}, {"logoUrl", "#4"}};
  const ManifestRead got = read_csv("Reference,Texte,description,x,y\nR1,a,b,c,d\n", options);
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
  options.map = {{"Images", "b"}};
  CHECK(read_csv("id\n1\n", options).error == "map: 'Images' is not a field of any kind (did you mean 'image_urls'?)");
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
  const ManifestRead got = read_csv("id,Agency,format,city\n1,Lyon,square,x\n", options);
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
    const ManifestRead got = read_csv("id,kind,description,a,b\n" + test.row + "ok,,d,,\n");
    CHECK(got.error == "");
    REQUIRE(got.shown.size() == 2);
    CHECK(got.shown[0] == test.shown);
    CHECK(got.shown[1] == "ok description=d a: b:");
  }
}

TEST_CASE("what can be mended is mended, and said once a file") {
  const ManifestRead short_rows = read_csv("id,description,a,b\n1,x\n2,y,z\n3,w,,\n");
  CHECK(short_rows.shown == Lines{"1 description=x a: b:", "2 description=y a:z b:", "3 description=w a: b:"});
  CHECK(short_rows.warnings ==
        Lines{"f.csv:2:1: cells are missing at the end of the row, none that feeds a field (2 times)"});

  const ManifestRead guards = read_csv("id,description,note\n\"=\"\"00123\"\"\",'=1+2,'=x\n=\"7\",'plain,\n");
  CHECK(guards.shown == Lines{"00123 description==1+2 note:'=x", "7 description='plain note:"});
  CHECK(guards.warnings.size() == 2);
  CHECK(guards.warnings[0] ==
        "f.csv:2:1: id: took off a spreadsheet's guard against formulas (=\"...\" or a leading ') (2 times)");

  const ManifestRead label = read_csv("id,note\n1,caf\xE9 \n2,\u00e9t\u00e9\n");
  CHECK(label.shown == Lines{"1 note:caf\xEF\xBF\xBD ", "2 note:\u00e9t\u00e9"});
  CHECK(label.warnings == Lines{"f.csv:2:3: note: is not UTF-8: replaced what is malformed"});

  const ManifestRead separator = read_csv("sep=;\nid;music\n1;x,y\n");
  CHECK(separator.shown == Lines{"1 music=x,y"});
  CHECK(separator.warnings == Lines{"f.csv:1:1: skipped the line 'sep=;'"});
}

TEST_CASE("what is for agents alone is carried only where it is asked for by name") {
  const std::string header = "id,PrivateRemarks,private office-remarks,AccessCode,Remarks public,City\n";
  const std::string text = header + "1,seller must sell,dog,4711,sunny,Pau\n";
  CHECK(read_csv(text).shown == Lines{"1 Remarks public:sunny City:Pau"});
  CHECK(read_texts({{"f.json", R"([{"id": 1, "PrivateRemarks": "seller must sell", "City": "Pau"}])"}}).shown ==
        Lines{"1 City:Pau"});
  ManifestOptions options;
  options.labels = {{"privateremarks", "City"}};
  CHECK(read_csv(text, options).shown == Lines{"1 privateremarks:seller must sell City:Pau"});
  options.labels.reset();
  options.map = {{"description", "PrivateRemarks"}};
  CHECK(read_csv(text, options).shown == Lines{"1 description=seller must sell Remarks public:sunny City:Pau"});
}

TEST_CASE("a stray quote that swallows rows makes no listing of two") {
  struct Case {
    const char* name;
    std::string rows;
    std::string refused;  ///< how the remark of the first row begins
    std::string lines;
  };
  const Case cases[] = {
      {"closed by an inch sign",
       "B1;\"Villa du Lac;Grande villa avec vue;https://x.com/b1.jpg;\n"
       "B2;Loft écran 15\";Loft au centre de Paris;https://x.com/b2.jpg;\n",
       "f.csv:2:4: titre: ", "line 3"},
      {"over several rows and a blank line",
       "B1;Villa;\"Vue;https://x.com/1.jpg;\nB2;Loft;Vue;https://x.com/2.jpg;\n\n"
       "B3;Loft;écran 15\";https://x.com/3.jpg;\n",
       "f.csv:2:10: descriptif: ", "lines 3 to 5"},
      {"closed further to the right, in a row whose missing end feeds nothing",
       "B1;\"Villa;Vue;https://x.com/1.jpg;\nB2;Loft;Vue 15\";https://x.com/2.jpg;\n", "f.csv:2:4: titre: ", "line 3"},
      {"where the row that is cut has no photos",
       "B1;\"Villa;Grande villa;;\nB2;Loft 15\";Loft au centre;https://x.com/b2.jpg;\n",
       "f.csv:2:4: titre: ", "line 3"},
      {"closed in the middle of a cell",
       "B1;\"Villa;Vue;https://x.com/1.jpg;\nB2;Loft 15\" TV;Vue;https://x.com/2.jpg;\n", "f.csv:3:12: titre: text",
       "line 3"},
  };
  ManifestOptions options;
  options.map = {{"id", "id"}, {"image_urls", "photos"}, {"description", "descriptif"}};
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const ManifestRead got =
        read_csv("id;titre;descriptif;photos;ville\n" + test.rows + "ok;T;Belle;https://x.com/9.jpg;Lyon\n", options);
    CHECK(got.error == "");
    REQUIRE(got.rows.size() == 2);
    REQUIRE_FALSE(got.rows[0].valid());
    CHECK(got.shown[0].find(" !" + test.refused) != std::string::npos);
    CHECK(got.rows[0].remarks.back().code == "swallowed_rows");
    CHECK(got.rows[0].remarks.back().message.find("closed only in " + test.lines) != std::string::npos);
    CHECK(got.rows[1].valid());
  }
  const ManifestRead last = read_csv(
      "id,description,image_urls\nA1,Nice,https://x.com/1.jpg\nA2,\"Nice house two unclosed,https://x.com/2.jpg\n"
      "A3,Nice house three\",https://x.com/3.jpg\n");
  REQUIRE(last.rows.size() == 2);
  CHECK(last.rows[1].remarks.size() == 1);
  CHECK(last.shown[1].find("!f.csv:3:4: description: a quote is opened here and closed only in line 4") !=
        std::string::npos);
}

TEST_CASE("a column that stands in for an empty description does so for one of markup too") {
  ManifestOptions options;
  options.map = {{"description", "text|summary"}};
  const auto description = [&](const std::string& cells) {
    return read_csv("id,text,summary\n1," + cells + "\n", options).shown[0];
  };
  CHECK(description("<p>&nbsp;</p>,A flat") == "1 description=A flat");
  CHECK(description("<style>p {}</style> [gallery],A flat") == "1 description=A flat");
  CHECK(description("<p>" + std::string(2000, ' ') + "</p>,A flat") == "1 description=A flat");
  CHECK(description("<p>A house</p>,A flat") == "1 description=<p>A house</p>");
  CHECK(description("<p></p>,<br>") == "1 description=<br>");  // for its kind to refuse
}

TEST_CASE("where rows leave out their empty end, a row that is shifted may be as wide as the header") {
  const std::string table =
      "id,image_urls,title,price,description,city,agent\n"
      "1,https://x.com/1.jpg,Flat,250000,A flat by the sea,Nice,Bo\n"
      "2,https://x.com/2.jpg,Loft,310000,A loft in town\n"
      "3,https://x.com/3.jpg,House,410000,A house in the hills,Pau\n"
      "4,https://x.com/4.jpg,Hut,90000,A hut in the woods,Pau\n";
  CHECK(read_csv(table).warnings.size() == 1);  // that cells are missing
  const ManifestRead got = read_csv(table + "5,https://x.com/5.jpg,House, big,510000,A house by the lake,Pau\n");
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 5);
  CHECK(got.rows[3].valid());
  REQUIRE_FALSE(got.rows[4].valid());
  CHECK(got.rows[4].remarks[0].code == "shifted_row");
}

TEST_CASE("a cell that is missing is no delimiter at the end") {
  const std::string start =
      "#HEADER#\nEOF : '^'\nEOR : '~'\n#DEFINITION#\nAGENT_REF^DESCRIPTION^MEDIA_IMAGE_00^~\n#DATA#\n"
      "1^A flat by the sea^https://x.com/1.jpg^~\n";
  const ManifestRead got = read_texts({{"f.blm", start + "2^A flat ~ in town^https://x.com/2.jpg^~\n#END#\n"}});
  REQUIRE(got.rows.size() == 3);
  CHECK(got.rows[0].valid());
  for (const std::size_t i : {1U, 2U}) {
    REQUIRE_FALSE(got.rows[i].valid());
    CHECK(got.rows[i].remarks[0].code == "too_few_fields");
  }
}

TEST_CASE("an id of several columns has all of them, in every form of manifest") {
  ManifestOptions options;
  options.map = {{"id", "house+object"}, {"description", "text"}};
  const std::string csv = "object,house,text\n1,H1,a\n2,H1,b\n,H2,c\n3,,d\n";
  const Lines rows = {"H1-1 description=a", "H1-2 description=b", "H2- description=c", "-3 description=d"};
  CHECK(read_csv(csv, options).shown == rows);
  std::string lines;
  for (const char* job : {R"({"object":1,"house":"H1","text":"a"})", R"({"object":2,"house":"H1","text":"b"})",
                          R"({"House":"H2","text":"c"})", R"({"object":"3","house":null,"text":"d"})"})
    lines += std::string(job) + '\n';
  CHECK(read_texts({{"f.jsonl", lines}}, options).shown == rows);
  CHECK(read_csv("object,house,text\n,,a\n", options).shown[0].find("is empty") != std::string::npos);
  CHECK(read_csv("object,text\n1,a\n", options).error ==
        "f.csv:1:1: id: not all of the mapped columns 'house+object' are there; there are 'object', 'text'");
  CHECK(read_csv("house+object,object,text\nH1-1,1,a\n", options).shown == Lines{"H1-1 description=a object:1"});
  options.no_header = true;
  options.map = {{"id", "#2+#1"}, {"description", "#3"}};
  options.labels = std::vector<std::string>{};
  CHECK(read_csv("1,H1,a\n2,H1,b\n", options).shown == Lines{"H1-1 description=a", "H1-2 description=b"});
}

TEST_CASE("a mapped column that is not in the first line may be in one behind it") {
  ManifestOptions options;
  options.map = {{"id", "no"}, {"description", "texte"}};
  CHECK(
      read_csv("Export,of,26\nno,texte,ville\n1,A flat,Lyon\n", options).error ==
      "f.csv:1:1: description: the mapped column 'texte' does not exist here, but line 2 looks like a header: use "
      "--skip-lines 1\n"
      "f.csv:1:1: id: the mapped column 'no' does not exist here, but line 2 looks like a header: use --skip-lines 1");
}

TEST_CASE("texts and lists over several lines are no swallowed rows, although their commas would fit") {
  const char* cells[] = {
      "Bright, quiet\nand near the lake, with a view",
      "Bright, quiet\nAgency of the lake, www.agency.example",
      "Bright,\nquiet, and more",
      "3,5 rooms\n1,2 km to the lake",
      "See the site, please\nAll of it: https://x.example/a, and more",
      "One line, and\n\nanother, after a blank one",
      "https://x.example/1.jpg,\nhttps://x.example/2.jpg,",
      "https://x.example/1.jpg,https://x.example/2.jpg\nhttps://x.example/3.jpg,https://x.example/4.jpg",
      "a.jpg,\nb.jpg,",
  };
  for (const std::string cell : cells) {
    CAPTURE(cell);
    for (const std::string line_end : {"\n", "\r\n", "\r"}) {
      std::string text = cell;
      for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + line_end.size()))
        text.replace(at, 1, line_end);
      const ManifestRead got = read_csv("id,description,city" + line_end + "1,\"" + text + "\",Lyon" + line_end);
      CHECK(got.error == "");
      CHECK(got.shown == Lines{"1 description=" + text + " city:Lyon"});
    }
  }
  const std::string entities = "Maison r&eacute;nov&eacute;e\nVue &agrave; droite";
  CHECK(read_csv("id;description;city;zip\n1;\"" + entities + "\";Lyon;x\n").shown ==
        Lines{"1 description=" + entities + " city:Lyon zip:x"});
}

TEST_CASE("one column has the ids of all rows, whichever others there are") {
  const std::string rest = ",x,A flat,https://a.test/1.jpg\n";
  const ManifestRead got =
      read_csv("SKU,ID,Name,Short description,Images\nW-1,1" + rest + "W-2," + rest + "W-3,3" + rest);
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 3);
  CHECK(got.rows[0].id == "1");
  CHECK(got.rows[2].id == "3");
  REQUIRE(got.rows[1].remarks.size() == 1);
  CHECK(got.rows[1].remarks[0].message ==
        "is empty: every listing needs a reference of its own; the ids of this file are in 'ID', and 'SKU' cannot "
        "stand in for it, since an id must be the same every night: --map id=SKU takes all of them from there");
}

}  // namespace reelbatch
