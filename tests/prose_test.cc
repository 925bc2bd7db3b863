#include "jobs/prose.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/contacts.h"
#include "jobs/field_rules.h"
#include "jobs/html_entities.h"
#include "jobs/html_text.h"
#include "jobs/json_quote.h"
#include "jobs/mojibake.h"
#include "jobs/plain_text.h"
#include "jobs/seeded_random.h"

using namespace reelbatch;

namespace {

std::string times(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string with_lines(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

TEST_CASE("descriptions: the text of a cell") {
  struct Case {
    std::string name;
    std::string_view cell;
    std::string_view text;
  };
  const Case cases[] = {
      // FORMATS 5.1
      {"plain", "A bright flat near the park.", "A bright flat near the park."},
      {"entities", "Caf&eacute; &amp; jardin &#8211; 50&nbsp;m&sup2; &#x41;", "Café & jardin – 50 m² A"},
      {"an entity is decoded without any tag", "Pool &amp; sauna", "Pool & sauna"},
      {"entities encoded twice", "Pool &amp;amp; sauna", "Pool & sauna"},
      {"tags encoded once", "One&lt;br&gt;two", "One\ntwo"},
      {"tags encoded twice", "One&amp;lt;br&amp;gt;two", "One\ntwo"},
      {"not a third time", "One &amp;amp;lt;br&amp;amp;gt; two", "One &lt;br&gt; two"},
      {"a sign encoded once", "Surface &lt; 50 m2", "Surface < 50 m2"},
      {"numbers of windows-1252", "L&#146;appartement &#128;", "L’appartement €"},
      {"no entity", "R&D, AT&T, &unknown; &#0; &#xD800; &;", "R&D, AT&T, &unknown; &#0; &#xD800; &;"},
      {"without a semicolon", "Pool&nbspand &eacute.", "Pool&nbspand é."},
      {"a parameter", "see ?a=1&copy=2", "see ?a=1&copy=2"},
      // FORMATS 5.2
      {"br in its spellings", "a<br>b<br/>c<BR />d<br clear=\"all\">e", "a\nb\nc\nd\ne"},
      {"br in front of a line end", "a<br />\r\nb<br> \nc", "a\nb\nc"},
      {"two br", "a<br><br>b", "a\n\nb"},
      {"paragraphs", "<p>One</p><p>Two</p>\n<div>Three</div><h2>Four</h2>", "One\n\nTwo\n\nThree\n\nFour"},
      {"paragraphs that nobody closes", "One<p>Two<P>Three", "One\n\nTwo\n\nThree"},
      {"table", "<table><tr><td>Rooms</td><td>3</td></tr><tr><td>Floor</td><td>2</td></tr></table>",
       "Rooms 3\n\nFloor 2"},
      {"list", "Has:<ul>\n <li>pool</li>\n <li><p>sauna</p></li><li></li></ul>End", "Has:\n- pool\n- sauna\n\nEnd"},
      // FORMATS 5.3
      {"button", "A flat.<button class=\"x\">Ver datos</button> Sunny.", "A flat. Sunny."},
      {"script and style", "A<script>if (a < b) \"</b>\";</script><STYLE>p > a {}</STYLE >B", "AB"},
      {"head, noscript, iframe", "<head><title>T</title></head>A<noscript>x</noscript><iframe src=x></iframe>B", "AB"},
      {"drawing in a drawing", "A<svg><svg><path/></svg>leak</svg>B", "AB"},
      {"empty elements", "A<iframe src=\"x\"/>B<script/>C", "ABC"},
      {"comment", "A<!-- <p>no</p> > -->B", "AB"},
      {"Word", "<!--[if gte mso 9]><xml></xml><![endif]-->A<o:p></o:p>B", "AB"},
      {"declarations", "<?xml version=\"1.0\"?><!DOCTYPE html>A", "A"},
      {"CDATA", "<![CDATA[<p>A flat</p>]]> B ]]>", "A flat\n\nB ]]>"},
      // FORMATS 5.4
      {"other tags", "A <b>bright</b> <span style='x'>flat</span><unknown-tag>!</unknown-tag>", "A bright flat!"},
      {"a link keeps its text", "See <a href=\"https://a.example/x?a>b\">our site</a>.", "See our site."},
      // FORMATS 5.5
      {"less than", "surface < 50 m2, 3<4, a<b", "surface < 50 m2, 3<4, a<b"},
      {"arrows and hearts", "<- here <3 <<>> <>", "<- here <3 <<>> <>"},
      {"a tag that is cut off", "A flat <a href=\"https://a.exa", "A flat <a href=\"https://a.exa"},
      {"a quote that is never closed", "A <b title=\"x>bright</b> flat", "A bright flat"},
      {"an address in brackets", "<https://a.example/> <me@a.example>", "<https://a.example/> <me@a.example>"},
      // FORMATS 5.6
      {"line ends",
       "a\r\nb\rc\nd\xE2\x80\xA8"
       "e",
       "a\nb\nc\nd\ne"},
      {"line ends that are spelt out", "a\\nb\\r\\nc", "a\nb\nc"},
      {"but not beside real ones", "C:\\new\nb", "C:\\new\nb"},
      {"no-break spaces",
       "50\xC2\xA0m2, 3\xE2\x80\xAF"
       "000",
       "50 m2, 3 000"},
      {"what has no width",
       "a\xE2\x80\x8B"
       "b\xC2\xAD"
       "c\xEF\xBB\xBF"
       "d\xE2\x81\xA0"
       "e\xE2\x80\x8D"
       "f",
       "abcdef"},
      {"joiners that spell", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 می\xE2\x80\x8Cشود",
       "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 می\xE2\x80\x8Cشود"},
      {"control characters",
       "a\x01"
       "b\x7F"
       "c\x0B",
       "abc"},
      {"C1 of windows-1252",
       "L\xC2\x92"
       "appartement",
       "L’appartement"},
      // FORMATS 5.8
      {"spaces", "  a  b\t\tc  \n  d ", "a b c\nd"},
      {"lines", "a\n\n\n\n b\n \n \nc", "a\n\nb\n\nc"},
      // FORMATS 5.9
      {"shortcodes of builders", "[vc_row full=\"1\"][vc_column_text]A flat[/vc_column_text][/vc_row]", "A flat"},
      {"builders stand for blocks", "[vc_text]One[/vc_text][vc_text]Two[/vc_text]", "One\n\nTwo"},
      {"gallery", "A flat [gallery ids=\"1,2\"] near by [gallery]", "A flat near by"},
      {"unknown with values", "A [theme_box color=”red”]flat", "A flat"},
      {"unknown in pairs", "[dropcap]A[/dropcap] flat", "A flat"},
      {"as entities", "[gallery ids=&quot;1,2&quot;] A flat", "A flat"},
      {"other brackets", "A [sic] flat [T3] [40 m2] [b]x[/b] [a [b] [more to come] []",
       "A [sic] flat [T3] [40 m2] [b]x[/b] [a [b] [more to come] []"},
      // FORMATS 5.10
      {"Markdown", "**OPEN HOUSE** _now_ # 1", "**OPEN HOUSE** _now_ # 1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Prose prose = read_prose_text(c.cell);
    CHECK(prose.text == c.text);
    const bool may_change = prose.text.find_first_of("<&[\\") != std::string::npos;
    CHECK((may_change || read_prose_text(prose.text).text == prose.text));
  }
}

TEST_CASE("descriptions: what is remarked on") {
  struct Case {
    std::string_view cell;
    std::vector<std::string> remarks;
  };
  const Case cases[] = {
      {"A <b>flat</b> &amp; more", {}},
      {"[gallery ids=\"1\"] a [vc_row]", {"left out 2 WordPress shortcode(s), such as '[gallery ids=\"1\"]'"}},
      {"Caf\xC3\x83\xC2\xA9 l\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2"
       "h\xC3\x83\xC2\xB4tel",
       {"has 3 character(s) that were read in the wrong encoding, such as 'Ã©' for 'é': sent as they stand; "
        "--repair-mojibake mends them"}},
      {"CAFÉ» É« SÃO PAULO, à «côté»", {}},
      {"Caf\xEF\xBF\xBD", {"has 1 character(s) that were lost before this file was written (U+FFFD)"}},
      {"a\x01"
       "b\xC2\x92",
       {"dropped 1 control character(s)", "read 1 character(s) as windows-1252"}},
      {"A flat <script>x", {"left out all that follows '<script>', which is never closed"}},
      {"A flat <!-- x", {"left out all that follows '<!--', which is never closed"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.cell);
    CHECK(read_prose_text(c.cell).remarks == c.remarks);
  }
}

TEST_CASE("descriptions: mojibake is repaired where that is asked for") {
  struct Case {
    std::string_view mangled;
    std::string_view meant;
  };
  const Case cases[] = {
      {"Caf\xC3\x83\xC2\xA9", "Café"},
      {"l\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2"
       "h\xC3\x83\xC2\xB4tel",
       "l’hôtel"},
      {"\xC3\x83\xC2\xA0 louer", "à louer"},  // its second half is a no-break space
      {"c\xC3\x85\xE2\x80\x9C"
       "ur d\xC3\x83\xC2\xA9j\xC3\x83\xC2\xA0",
       "cœur déjà"},
      {"\xC3\xB0\xC5\xB8\xC2\x8F\xC2\xA0 40 m\xC3\x82\xC2\xB2", "🏠 40 m²"},
      {"CAFÉ» à côté", "CAFÉ» à côté"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.mangled);
    CHECK(read_prose_text(c.mangled, {.repair_mojibake = true}).text == c.meant);
    CHECK(find_mojibake(c.meant).count == 0);
  }
  CHECK(read_prose_text("Caf\xC3\x83\xC2\xA9", {.repair_mojibake = true}).remarks ==
        std::vector<std::string>{"repaired 1 character(s) that were read in the wrong encoding, such as 'Ã©'"});
}

TEST_CASE("descriptions: Cyrillic text that was read as windows-1251, windows-1252 or Latin-1 is found and repaired") {
  struct Case {
    std::string_view mangled;
    std::string_view meant;
  };
  const Case cases[] = {
      {"РџСЂРѕСЃС‚РѕСЂРЅР°СЏ РєРІР°СЂС‚РёСЂР° вЂ“ 3 РєРѕРјРЅР°С‚С‹, В«РђСЂР±Р°С‚В»: Р\u00A0СЏРґРѕРј РјРµС‚СЂРѕ.",
       "Просторная квартира – 3 комнаты, «Арбат»: Рядом метро."},
      {"Р\u0098Р·СѓРјСЂСѓРґ", "Изумруд"},  // what is nothing in windows-1251 is there as a control character
      {"ÐŸÑ€Ð¾Ñ\u0081Ñ‚Ð¾Ñ€Ð½Ð°Ñ\u008F, Ð\u00A0Ñ\u008FÐ´Ð¾Ð¼ Ð¼ÐµÑ‚Ñ€Ð¾ â€“ 3", "Просторная, Рядом метро – 3"},
      {"Ð\u009FÑ\u0080Ð¾Ñ\u0081Ñ\u0082Ð¾", "Просто"},  // by Latin-1
      {"Р†РІР°РЅРѕ-Р¤СЂР°РЅРєС–РІСЃСЊРє, Р„РІСЂРѕРїР°, С—Р¶Р°, Т‘Р°РЅРѕРє", "Івано-Франківськ, Європа, їжа, ґанок"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.mangled);
    CHECK_FALSE(is_plain_prose(c.mangled));
    CHECK(read_prose_text(c.mangled, {.repair_mojibake = true}).text == c.meant);
    CHECK(read_prose_text(c.mangled).remarks.size() >= 1);
    CHECK(find_mojibake(c.meant).count == 0);
  }
  CHECK(
      read_prose_text("РџСЂРѕСЃС‚Рѕ").remarks ==
      std::vector<std::string>{"has 6 character(s) that were read in the wrong encoding, such as 'Рџ' for 'П': sent as "
                               "they stand; --repair-mojibake mends them"});
  for (const std::string_view sound : {
           "Сёмга, Сёрфинг, Рёв, Сёстры и Рёбра",
           "С\u00A0видом, С\u00A0ремонтом, С\u00A0балконом, С\u00A0садом",
           "Рівне, Січень, Різдво, Сіль, Рівень",
           "«АРС», «РОС», «СССР», С–Р, С…",
           "PEÑÍSCOLA, «ESPAÑA», AÑO Ñ», Ñ“, Ñ…, Ñ–",
           "Сё Рё Сё",  // too few
           "Ðð, Ð“",
       }) {
    CAPTURE(sound);
    CHECK(find_mojibake(sound).count == 0);
    CHECK(repair_mojibake(sound) == sound);
  }
}

TEST_CASE("descriptions: contacts are left out where that is asked for") {
  struct Case {
    std::string_view text;
    std::string_view left;
  };
  const Case cases[] = {
      {"A flat. Call 06 12 34 56 78 now", "A flat. now"},
      {"Tél. : 04.78.00.00.00", ""},
      {"TÉL 0478000000, garden", "garden"},
      {"Tel: a@b.fr, 06 12 34 56 78, call Marie", "call Marie"},
      {"Tel: 0612345678 / 0698765432", ""},
      {"A flat. Tel. 0612345678; fax 0478000000; mail a@b.fr. Parking", "A flat. Parking"},
      {"Marie, 0612345678, at home", "Marie, at home"},
      {"Marie, 0612345678", "Marie"},
      {"Marie (Lyon, 0612345678)\nGarden", "Marie (Lyon)\nGarden"},
      {"Contact: 0612345678\n, garden", ", garden"},
      {"+33 (0)6 12 34 56 78 or (+41) 22 555 01 02", "or"},
      {"(06 12 34 56 78)", ""},
      {"Call (555) 010-0199 or 555-010-0199 or 1-555-010-0199", "or or"},
      {"phone: 555 123", ""},
      {"Mail: agent@agence.example.", ""},
      {"Tel: 0612345678 - 0698765432 !", "!"},
      {"Write to a@b.fr, or call", "Write to, or call"},
      {"<agent.lyon+x@agence-lyon.fr>", "<>"},
      {"see https://a.example/x?y=1, www.b.example/2 and agence-lyon.fr/biens", "see, and"},
      {"(www.b.example)", ""},
      // What stays.
      {"1 250 000 €, 250.000 EUR, + 150 000 000 FCFA", "1 250 000 €, 250.000 EUR, + 150 000 000 FCFA"},
      {"from 01.02.2026 10h, 2026-02-01, 12/10/2025", "from 01.02.2026 10h, 2026-02-01, 12/10/2025"},
      {"100 - 200 m2, 0.123456789, 3x4, 1990-2000", "100 - 200 m2, 0.123456789, 3x4, 1990-2000"},
      {"near the park.It is e.g. a T3, M. Dupont, no.5", "near the park.It is e.g. a T3, M. Dupont, no.5"},
      {"50 @ home, ref 123456789012345678", "50 @ home, ref 123456789012345678"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read_prose_text(c.text, {.strip_contacts = true}).text == c.left);
    CHECK(read_prose_text(c.text).text == c.text);
  }
  CHECK(read_prose_text("a@b.fr, 0612345678", {.strip_contacts = true}).remarks ==
        std::vector<std::string>{"left out 2 telephone number(s) and address(es)"});
}

TEST_CASE("descriptions: as a field") {
  const auto read = [](RawValue::Form form, std::string_view text) {
    const FieldReading reading = read_prose({form, std::string(text)}, 10);
    return reading.problems.empty() ? reading.json.value_or("(absent)") : reading.problems[0];
  };
  using enum RawValue::Form;
  CHECK(read(Text, "<p>A bright \"flat\"</p>") == R"("A bright \"flat\"")");
  CHECK(read(Json, R"("A <b>bright</b> flat")") == R"("A bright flat")");
  CHECK(read(Text, "<p>&nbsp;</p><!-- x -->") == "no description: nothing but markup is in it");
  CHECK(read(Text, "<b>A flat</b>") == "needs at least 10 characters, has 6");
  for (const char* nothing : {"", "  ", "NULL", "nan", "None", "N/A", " - "}) CHECK(read(Text, nothing) == "(absent)");
  CHECK(read(Json, R"(["a","b"])") == "needs to be one text, not a list");
  CHECK(read(Json, R"({"text":"a"})") == "needs to be one text, not a map");

  const std::string kept = prose_with_options("Call <b>0612345678</b> for a flat", {.strip_contacts = true});
  CHECK(kept == R"({"prose":"Call <b>0612345678</b> for a flat","strip_contacts":true})");
  CHECK(read(Json, kept) == R"("for a flat")");
  CHECK(read(Json, prose_with_options("A Caf\xC3\x83\xC2\xA9 nearby", {.repair_mojibake = true})) ==
        "\"A Café nearby\"");
  CHECK(read(Json, prose_with_options("<p></p>", {true, true})) == "no description: nothing but markup is in it");
  CHECK(read(Json, R"({"prose":"a long description","other":true})") == "needs to be one text, not a map");
}

TEST_CASE("descriptions: what is told quickly is what is told slowly") {
  constexpr std::array<std::string_view, 42> kPieces = {"a",      "plain words of some length",
                                                        " ",      "  ",
                                                        "é",      "m²",
                                                        "l’été",  "–",
                                                        "«",      "漢字",
                                                        "😀",      "Ã",
                                                        "Â",      "â",
                                                        "ð",      "€",
                                                        "©",      "\u00a0",
                                                        "\u00ad", "\u200b",
                                                        "\u200d", "\u202f",
                                                        "\u2028", "\u2060",
                                                        "\ufeff", "\ufffd",
                                                        "\u0092", "<",
                                                        "&",      "[",
                                                        "<b>",    "&amp;",
                                                        "[sic]",  "]",
                                                        "\n",     "\n\n",
                                                        "\"",     "\\n",
                                                        "\t",     "\x7f",
                                                        "\u0085", "a line\nand another that goes on"};
  SeededRandom random(11);
  int plain = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string text;
    for (std::uint64_t left = random.below(10); left > 0; --left) text += kPieces[random.below(kPieces.size())];
    CAPTURE(text);
    const FieldReading quick = read_prose({RawValue::Form::Text, text}, 0);
    const FieldReading slow = read_prose({RawValue::Form::Json, json_quote(text)}, 0);
    REQUIRE(quick.json == slow.json);
    REQUIRE(quick.remarks == slow.remarks);
    if (text.empty() || !is_plain_prose(text)) continue;
    ++plain;
    // Nothing that is plain is looked at closely, so it is what it was but for blanks around it.
    REQUIRE(text.find(read_prose_text(text).text) != std::string::npos);
    REQUIRE(read_prose_text(text).remarks.empty());
  }
  CHECK(plain > 1000);
  CHECK(
      is_plain_prose("Bel appartement lumineux à Lyon, 3e étage, 50 m², proche « Bellecour » – à voir ! Cœur d’îlot."));
}

TEST_CASE("descriptions: hostile ones take work in proportion to their size, and do not grow") {
  constexpr std::size_t kCount = 50'000;
  const std::string_view units[] = {"<",
                                    "<a",
                                    "<a ",
                                    "</",
                                    "<!",
                                    "<!-",
                                    "<!a",
                                    "<!--",
                                    "<?x",
                                    "<![CDATA[",
                                    "&",
                                    "&#",
                                    "&#x",
                                    "&amp;",
                                    "&lt;",
                                    "&amp;amp;",
                                    "[",
                                    "[/",
                                    "[/abc",
                                    "[gallery",
                                    "[vc_x a=\"",
                                    "<script>",
                                    "<svg>",
                                    "<svg",
                                    "<button",
                                    "</svg>",
                                    "<svg><a b=\"",
                                    "<a b=\"",
                                    "<a b='\" c=\"' d=\"\" e=\"",
                                    "<a b='x' c=",
                                    "<br> ",
                                    "<br>\r",
                                    "<li>",
                                    "<p>",
                                    "\xC2\x80",
                                    "\\n",
                                    "<svg/",
                                    "\xC3\x83",
                                    "\xC3\xA2\xE2\x82\xAC",
                                    "]]>",
                                    ">",
                                    "<li> ",
                                    "- ",
                                    "<a b=\"<svg><!--\" ",
                                    "(",
                                    "+3",
                                    "0.1",
                                    "www.",
                                    "a@",
                                    "@a.fr",
                                    "Tel. "};
  for (const std::string_view unit : units) {
    CAPTURE(unit);
    for (const std::string_view front : {"", "<script>", "<svg>", "<a b=\"", "<![CDATA["}) {
      CAPTURE(front);
      const std::string text = std::string(front) + times(unit, kCount);
      const Prose prose = read_prose_text(text, {true, true});
      CHECK(prose.work <= 24 * text.size());
      CHECK(prose.text.size() <= text.size() + text.size() / 2);
    }
  }
}

TEST_CASE("descriptions: a whole one") {
  const std::string cell =
      "<div class=\"ad\">\r\n<h2>T3 &agrave; Lyon</h2>\r\n<p>Bel appartement de 62&nbsp;m&sup2;,<br />\r\nproche du "
      "parc.</p>\r\n<ul>\r\n  <li>Balcon</li>\r\n  <li>Cave &amp; parking</li>\r\n</ul>\r\n[gallery ids=\"4,5\"]\r\n"
      "<button>Voir le num\xC3\xA9ro</button><!-- track --></div>";
  CHECK(read_prose_text(cell).text == with_lines({"T3 à Lyon", "", "Bel appartement de 62 m²,", "proche du parc.", "",
                                                  "- Balcon", "- Cave & parking"}));
}
