// Rows that are as wide as they may be, and are not what they seem: none of them is read as a listing.
#include "runner/row_shape.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "runner/csv.h"
#include "tests/feed_reading.h"

namespace reelbatch {
namespace {

using Ids = std::vector<std::string>;

std::string rows(int count, const std::function<std::string(int)>& row) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += row(i) + "\n";
  return text;
}

/// Whether of these files the last row is refused, alone, with that code and those words.
void check_refused(const std::string& head, const std::string& last, std::string_view code, std::string_view words,
                   const ManifestOptions& options = {}, const std::string& file = "f.csv") {
  CAPTURE(last);
  const Said before = read(file, head, options);
  const Said said = read(file, head + last + "\n", options);
  CHECK(said.refused == "");
  CHECK(said.ids == before.ids);
  REQUIRE(said.rejects.size() == before.rejects.size() + 1);
  CHECK(said.rejects.back().code == code);
  const bool is_said = said.errors.back().find(words) != std::string::npos;
  CHECK_MESSAGE(is_said, said.errors.back());
}

TEST_CASE("a short row with something in another's column") {
  const std::string head =
      "ref,id,title,description,image_urls,tour_url\n" + rows(3, [](int i) {
        return fmt::format(
            "R{0},A-{0},Flat {0},A bright flat with {0} rooms.,https://e.test/{0}.jpg,https://t.test/{0}", i);
      });
  check_refused(
      head, "R9,A-9,A bright flat with 9 rooms.,https://e.test/9.jpg,https://t.test/9", "shifted_row",
      "the row is shifted from here on: 'https://e.test/9.jpg' stands in column 4, where other rows have words");
  // Too few rows to learn from: an address is no text, whatever the others are.
  check_refused("ref,id,title,description,image_urls,tour_url\n",
                "R9,A-9,A bright flat with 9 rooms.,https://e.test/9.jpg,https://t.test/9", "invalid_value",
                "description: is an address, and no text: is the row shifted?");
  const std::string numbers =
      "description,image_urls,id,city\n" +
      rows(12, [](int i) { return fmt::format("A bright flat with {0} rooms.,https://e.test/{0}.jpg,10{0},Lyon", i); });
  check_refused(numbers, "A bright flat with 99 rooms.,https://e.test/99.jpg,Lyon", "shifted_row",
                "id: 3 fields, header has 4, and 'Lyon' stands in column 3, where other rows have a number");
  // Nothing speaks against what may be empty at its end.
  const Said fine = read("f.csv", numbers + "A bright flat with 99 rooms.,https://e.test/99.jpg,1099\n");
  CHECK(fine.errors.empty());
  CHECK(fine.ids.back() == "1099");
}

TEST_CASE("an id that looks like no other one, beside a cell that does") {
  const std::string head =
      "image_urls,description,summary,id,city\n" + rows(4, [](int i) {
        return fmt::format("https://e.test/{0}.jpg,A flat with {0} rooms.,Short text {0},A-{0},Lyon", i);
      });
  check_refused(
      head, "https://e.test/9.jpg,A flat with 9 rooms, a garden.,Short text 9,A-9", "shifted_row",
      "begins with a blank, as hardly any other cell does, and 'Short text 9' looks like no other id, and 'A-9' "
      "beside it does");
  // Alone it is no proof.
  const Said doubtful = read("f.csv", head + "https://e.test/9.jpg,A flat with 9 rooms,a garden.,Short text 9,A-9\n");
  CHECK(doubtful.ids.size() == 5);
  REQUIRE(doubtful.warnings.size() == 1);
  CHECK(doubtful.warnings[0].find("a row looks shifted from here on: 'Short text 9' looks like no other id") !=
        std::string::npos);
  // Another form of id, or one beside it that other rows have as well.
  for (const char* fine : {"https://e.test/9.jpg,A flat with 9 rooms.,Short text 9,Villa 12 b,Lyon",
                           "https://e.test/9.jpg,A flat with 9 rooms.,Short text 9,AB12C,Lyon"})
    CHECK(read("f.csv", head + fine + "\n").ids.size() == 5);
  const std::string twins = "ref,id,image_urls,description\n" + rows(4, [](int i) {
                              return fmt::format("R-{0},A-{0},https://e.test/{0}.jpg,A flat with {0} rooms.", i);
                            });
  CHECK(read("f.csv", twins + "R-9,A2-x,https://e.test/9.jpg,A flat with 9 rooms.\n").ids.size() == 5);
}

TEST_CASE("blanks in front of cells") {
  for (const char delimiter : {',', ';', '\t', '|'}) {
    CAPTURE(delimiter);
    const auto file = [&](std::string text) {
      std::replace(text.begin(), text.end(), '^', delimiter);
      return read(delimiter == '\t' ? "f.tsv" : "f.csv", text);
    };
    const std::string head = "id^description^image_urls^city^status\n" + rows(4, [](int i) {
                               return fmt::format("A-{0}^House {0} near the park^https://e.test/{0}.jpg^Lyon^sale", i);
                             });
    for (const char* fine : {"A-9^ House 9 near the park^https://e.test/9.jpg^Lyon^ sale",
                             "A-9^ House 9 near the park^ https://e.test/9.jpg^ Lyon^ sale"}) {
      const Said said = file(head + fine + "\n");
      CHECK(said.errors.empty());
      CHECK(said.warnings.size() == (delimiter == ',' ? 1U : 0U));
      CHECK(said.ids.size() == 5);
    }
    // Too wide, or with an address in another's column.
    for (const char* bad : {"A-9^House 9^ with a garden^https://e.test/9.jpg^Lyon^ sale",
                            "A-9^House 9^ with a garden^https://e.test/9.jpg^Lyon"}) {
      const Said said = file(head + bad + "\n");
      CHECK(said.errors.size() == 1);
      CHECK(said.ids.size() == 4);
    }
  }
}

TEST_CASE("words where others have numbers or addresses, with all else in its place") {
  const std::string tail = "https://e.test/{0}.jpg,House {0} near the park";
  for (const auto& [columns, before, fine] :
       {std::tuple{"price,beds", "10{0}000,{0}", "POA,4"}, std::tuple{"price,beds", "10{0}000,{0}", "on request,4"},
        std::tuple{"beds,baths", "{0},2", "Studio,1"}, std::tuple{"beds,baths", "{0},2", "3,shared"},
        std::tuple{"unit,floor", "{0},2", "PH,9"}, std::tuple{"unit,floor", "{0},2", "Garden level,9"},
        std::tuple{"tour,plan", "https://t.test/{0},https://p.test/{0}", "n/a,https://p.test/9"},
        std::tuple{"price,city", "10{0}000,Lyon", "POA,Lyon"}}) {
    CAPTURE(fine);
    std::string behind = fmt::format("id,image_urls,description,{}\n", columns),
                front = fmt::format("id,{},image_urls,description\n", columns);
    for (int i = 1; i <= 5; ++i) {
      const std::string cells = fmt::format(fmt::runtime(before), i), rest = fmt::format(fmt::runtime(tail), i);
      behind += fmt::format("A-{},{},{}\n", i, rest, cells);
      front += fmt::format("{},{},{}\n", 100 + i, cells, rest);
    }
    const std::string rest = fmt::format(fmt::runtime(tail), 9);
    for (const std::string& text :
         {behind + fmt::format("A-9,{},{}\n", rest, fine), front + fmt::format("109,{},{}\n", fine, rest)}) {
      const Said said = read("f.csv", text);
      CHECK(said.errors.empty());
      CHECK(said.warnings.empty());
      CHECK(said.ids.size() == 6);
    }
    // A blank in front of another cell does not make a known word one of a shifted row.
    if (std::string_view(fine).starts_with("POA"))
      CHECK(read("f.csv", behind + fmt::format("A-9,https://e.test/9.jpg, House 9 near the park,{}\n", fine))
                .errors.empty());
  }
  // A row from which a cell is missing is still told of, and one that is shifted in more than one column refused.
  const std::string head =
      "id,image_urls,description,price,beds,type,city\n" + rows(5, [](int i) {
        return fmt::format("A-{0},https://e.test/{0}.jpg,House {0} near the park,10{0}000,{0},Flat,Lyon", i);
      });
  CHECK(read("f.csv", head + "A-9,https://e.test/9.jpg,House 9 near the park,100000,Flat,Lyon,\n").warnings.size() ==
        1);
  check_refused("id,title,price,image_urls,description\n" +
                    rows(5,
                         [](int i) {
                           return fmt::format("A-{0},House {0},10{0}000,https://e.test/{0}.jpg,House {0} near the park",
                                              i);
                         }),
                "A-9,House,nine,100000,https://e.test/9.jpg", "shifted_row", "'nine' stands in column 3");
}

TEST_CASE("a text with commas where rows leave out cells at their end") {
  const std::string head = "id,image_urls,description,city,status\n" + rows(4, [](int i) {
                             return fmt::format("A-{0},https://e.test/{0}.jpg,House {0} near the park{1}", i,
                                                i % 2 == 0 ? ",Lyon,sale" : "");
                           });
  check_refused(head, "A-9,https://e.test/9.jpg,House near the park, with a garden, and a pool", "shifted_row",
                "'with a garden' begins with a blank");
}

TEST_CASE("good listings whose ids have another form than those before") {
  const std::string tail = ",https://e.test/1.jpg,A bright flat near the park.\n";
  for (const auto& [columns, before, after] :
       {std::tuple{"id,price,image_urls,description", "100{0},25000{0}.00", "1004B,275000"},
        std::tuple{"id,legacy_id,image_urls,description", "100{0},", "N-0,3000"},
        std::tuple{"id,parent,image_urls,description", "100{0},", "1003-A,1003"},
        std::tuple{"id,floor,image_urls,description", "17{0},{0}", "Villa 3,3"},
        std::tuple{"id,mls,image_urls,description", "100{0},ML{0}", "A-1,7123"}}) {
    CAPTURE(columns);
    std::string text = std::string(columns) + "\n";
    for (int i = 1; i <= 9; ++i) text += fmt::format(fmt::runtime(before), i) + tail;
    const Said said = read("f.csv", text + after + tail);
    CHECK(said.errors.empty());
    CHECK(said.ids.size() == 10);
    CHECK(said.warnings.empty());
  }
  // In files that leave out empty cells at the end as well.
  std::string text = "id,image_urls,description,price,beds,baths,garage\n";
  for (int i = 1; i <= 5; ++i) text += fmt::format("{0},https://e.test/{0}.jpg,A bright flat {0}.,10{0},3,1,yes\n", i);
  for (const char* fine :
       {"A-7,https://e.test/7.jpg,A bright flat.,on request,3", "17a,https://e.test/7.jpg,A bright flat.,100,3",
        "A-7,https://e.test/7.jpg,A bright flat., 1000,3"})
    CHECK_MESSAGE(read("f.csv", text + fine + "\n").ids.size() == 6, fine);
}

TEST_CASE("a row with delimiters of its own") {
  const std::string head = "id,description,image_urls,city\n" + rows(3, [](int i) {
                             return fmt::format("B-{0},Nice house {0},https://e.test/{0}.jpg,Lyon", i);
                           });
  check_refused(head, "B-9;Nice, big house;https://e.test/9.jpg, https://e.test/10.jpg;Lyon, Rhone", "shifted_row",
                "id: split at semicolon instead of comma the row would have as many fields as the header");
  CHECK(read("f.csv", head + "B;9,Nice house 9,https://e.test/9.jpg,Lyon\n").ids.back() == "B;9");
  std::string streets = "id;image_urls;description;city\n";
  for (int i = 1; i <= 5; ++i)
    streets += fmt::format("Rue {0}, Lyon;https://e.test/{0}.jpg;House with garden {0}.;Lyon\n", i);
  CHECK(read("f.csv", streets + "Rue 9, Lyon;https://e.test/9.jpg;Bright, calm, and new.;Lyon\n").ids.size() == 6);
}

TEST_CASE("a line break in a cell without quotes") {
  const std::string head = "id,image_urls,description,city\n";
  const auto codes = [](const Said& said) {
    std::vector<std::string> found;
    for (const auto& reject : said.rejects) found.emplace_back(reject.code);
    return found;
  };
  const Said middle =
      read("f.csv", head + "A-1,https://e.test/1.jpg,A bright flat with\na garden and a cellar.,Lyon\n" +
                        "A-2,https://e.test/2.jpg,A bright flat,Lyon\n");
  CHECK(middle.ids == Ids{"A-2"});
  CHECK(codes(middle) == std::vector<std::string>{"broken_row", "broken_row"});
  CHECK(middle.errors[0] ==
        "f.csv:2:26: description: the next line is no row of its own, but the rest of this one: a line break in this "
        "cell? Put the cell in quotes");

  const std::string last = "id,image_urls,description\n";
  const std::string one = "A-1,https://e.test/1.jpg,A bright flat with",
                    two = "A-2,https://e.test/2.jpg,A bright flat\n";
  for (const char* more : {"\na garden\n", "\n\na garden\n", "\r\na garden\r\n"}) {
    CAPTURE(more);
    const Said said = read("f.csv", last + one + more + two);
    CHECK(said.ids == Ids{"A-2"});
    CHECK(codes(said) == std::vector<std::string>{"broken_row", "broken_row"});
  }
  CHECK(codes(read("f.csv", last + two + one + "\na garden\n")) ==
        std::vector<std::string>{"broken_row", "broken_row"});

  // The rest has delimiters too, or the first part quotes: it begins as no row does.
  std::string more = last;
  for (int i = 1; i <= 4; ++i) more += fmt::format("B-{0},https://e.test/{0}.jpg,A bright flat {0}\n", i);
  for (const char* rest : {"A-9,https://e.test/9.jpg,Loft under the roof.\nLift, cellar and parking.\n",
                           "A-9,https://e.test/9.jpg,Loft called the \"Sky\"\nLift and cellar.\n"}) {
    const Said said = read("f.csv", more + rest + two);
    CHECK_MESSAGE(said.ids == (Ids{"B-1", "B-2", "B-3", "B-4", "A-2"}), rest);
  }
  // Bad by itself, and no part of the row in front.
  CHECK(read("f.csv", more + "B-9,https://e.test/9.jpg\n" + two).ids == Ids{"B-1", "B-2", "B-3", "B-4", "A-2"});
  // In the first cell it makes two ids.
  std::string numbers = last;
  for (int i = 1; i <= 4; ++i) numbers += fmt::format("201{0},https://e.test/{0}.jpg,A bright flat {0}\n", i);
  const Said half = read("f.csv", numbers + "20\n17,https://e.test/9.jpg,Loft under the roof.\n");
  CHECK(half.ids == Ids{"2011", "2012", "2013", "2014"});
  CHECK(codes(half) == std::vector<std::string>{"too_few_fields", "broken_row"});
  // What cannot be seen, in a line of its own.
  for (const char* blank : {"  \n", "\t\r\n", "\xC2\xA0\n", "\x1A\n", "\n\nTotal: 5\nExported today\n"})
    CHECK_MESSAGE(read("f.csv", more + blank).ids.size() == 4, blank);

  // A footer, a remark, one short row in front of another one, and what is in quotes.
  CHECK(read("f.csv", last + two + "\n(1 row)\n").ids == Ids{"A-2"});
  CHECK(read("f.csv", last + two + "# made at noon\n" + one + "\n").ids == Ids{"A-2", "A-1"});
  CHECK(read("f.csv", "id,image_urls,description,a,b\n" + one + "\n" + "A-2,https://e.test/2.jpg,A bright flat,x\n")
            .ids == Ids{"A-1", "A-2"});
  CHECK(read("f.csv", "id,description,image_urls\nA-1,A bright flat,https://e.test/1.jpg\n\"A\n2\",x,y\n").ids ==
        Ids{"A-1"});
}

TEST_CASE("a line break in a text with labels behind it") {
  const auto check_halves = [](const std::string& head, const std::string& halves, const std::string& tail,
                               std::string_view at, const std::string& file = "f.csv") {
    CAPTURE(halves);
    const Said whole = read(file, head + tail), said = read(file, head + halves + tail);
    CHECK(said.ids == whole.ids);
    REQUIRE(said.rejects.size() == 2);
    CHECK(said.errors[0].starts_with(fmt::format("{}:{}: ", file, at)));
    CHECK(said.rejects[0].code == "broken_row");
    CHECK(said.rejects[1].code == "broken_row");
  };
  const auto in_tabs = [](std::string text) {
    std::replace(text.begin(), text.end(), ',', '\t');
    return text;
  };
  const std::string head = "id,image_urls,description,city,zip\n1,https://e.test/1.jpg,First house here,Lyon,69001\n";
  const std::string tail = rows(
      3, [](int i) { return fmt::format("{0},https://e.test/{0}.jpg,House {0} near the park,Lyon,69001", i + 10); });
  for (const std::string broken : {"2,https://e.test/2.jpg,Second house here\nwith a garden,Lyon,69001\n",
                                   "2,https://e.test/2.jpg,Second house here\n\nwith a garden,Lyon,69001\n",
                                   "2,https://e.test/2.jpg,Second house here\nwith a garden, a pool,Lyon,69001\n",
                                   "2,https://e.test/2.jpg,Second house here\nwith a garden,\"Lyon, France\",69001\n",
                                   "2,https://e.test/2.jpg,Second house here\n120,Lyon,69001\n",
                                   "2,https://e.test/2.jpg,Second house here\nwith a garden,,69001\n"}) {
    check_halves(head, broken, tail, "3:24");
    check_halves(head + tail, broken, "", "6:24");
    if (broken.find('"') == std::string::npos)
      check_halves(in_tabs(head), in_tabs(broken), in_tabs(tail), "3:24", "f.tsv");
  }
  check_halves("Listing ID,Listing name,Image URL,Description,City name,Price,Final URL\n",
               "2,House 2,https://e.test/2.jpg,Second house here\nwith a garden,Lyon,100 EUR,https://e.test/2\n",
               rows(3,
                    [](int i) {
                      return fmt::format(
                          "1{0},House {0},https://e.test/{0}.jpg,House {0} here,Lyon,100 EUR,https://e.test/1{0}", i);
                    }),
               "2:32");
  // An address stands where the rest would have one, and nothing else where it should.
  check_halves("id,image_urls,description,tour,city,zip\n" +
                   rows(4,
                        [](int i) {
                          return fmt::format(
                              "A-{0},https://e.test/{0}.jpg,House {0} near the park,https://t.test/{0},Lyon,69001", i);
                        }),
               "A-9,https://e.test/9.jpg,Second house here\nwith a garden,https://t.test/9,Lyon sur Rhone,69001\n", "",
               "6:26");

  // Rows that leave out what is empty at their end are none of others.
  const std::string ragged = "id,image_urls,description,city,zip\n" + rows(4, [](int i) {
                               return fmt::format("A-{0},https://e.test/{0}.jpg,House {0} near the park", i);
                             });
  for (const char* fine :
       {"A-9,https://e.test/9.jpg,House near the park", "Villa 9 b,https://e.test/9.jpg,House near the park",
        "A-9,https://e.test/9.jpg,House near the park,Lyon"})
    CHECK_MESSAGE(
        read("f.csv", ragged + fine + "\n" + "A-10,https://e.test/10.jpg,House near the park\n").ids.size() == 6, fine);
  // What is bad by itself costs no other row: a row without photos, one of a header, one of empty cells.
  for (const char* bad :
       {"A-9,,House near the park", "A-9,no photo yet,House near the park", "Villa 9 b,n/a,House near the park",
        "id,image_urls,description,city,zip", "Agency 9,,,,", "---,---,---,---,---"})
    CHECK_MESSAGE(read("f.csv", ragged + bad + "\n").ids.size() == 4, bad);
}

TEST_CASE("a line break in the last text of a row, whatever the rest looks like") {
  const auto row_of = [](const char* id, int i) {
    return fmt::format("{},https://e.test/{}.jpg,House {} near the park\n", id, i, i);
  };
  const auto check_rest = [&](const std::vector<const char*>& ids, const std::string& rest) {
    for (std::size_t cut = 1; cut <= ids.size(); ++cut) {
      CAPTURE(rest);
      CAPTURE(cut);
      std::string text = kHeader;
      Ids others;
      for (std::size_t i = 1; i <= ids.size(); ++i) {
        text += row_of(ids[i - 1], static_cast<int>(i)) + (i == cut ? rest + "\n" : "");
        if (i != cut) others.emplace_back(ids[i - 1]);
      }
      CHECK(read("f.csv", text).ids == others);
    }
  };
  const std::vector<const char*> codes{"A-1", "A-2", "A-3", "A-4", "A-5"}, numbers{"101", "102", "103", "104", "105"},
      words{"villaa", "villab", "villac", "villad", "villae"};
  for (const char* rest :
       {"It has a garden, a pool, a view", "It has a garden, a pool, a view, a cat", "with garden,pool,sea view",
        "garden", "120", "with a garden", "\nwith a garden", "\nA garden and a pool.", "3 rooms, a lift",
        "Total comfort", "2 rooms", "End of terrace", "- a garden\n- a pool", "Available from 01/12/2026"}) {
    check_rest(codes, rest);
    check_rest(numbers, rest);
    check_rest(words, rest);
  }
  // Of another column order as well, where nothing of the rest stands where ids do.
  const std::string others = "beds,city,id,image_urls,description\n" + rows(3, [](int i) {
                               return fmt::format("{0},Lyon,A-{0},https://e.test/{0}.jpg,House {0} near the park", i);
                             });
  CHECK(read("f.csv", others + "with garden,pool,sea view\n").ids == Ids{"A-1", "A-2"});
  // A rest of a row that is too short may be as wide as one.
  CHECK(read("f.csv",
             "id,description,image_urls\n" +
                 rows(3,
                      [](int i) { return fmt::format("villa{0},House {0} near the park,https://e.test/{0}.jpg", i); }) +
                 "villa9,Loft under the roof\nLift, cellar and parking.,https://e.test/9.jpg\n")
            .ids == Ids{"villa1", "villa2", "villa3"});

  // An id alone is cut, and not the row in front of it, where it is one with what stands behind it.
  std::string halves = kHeader;
  for (int i = 1; i <= 4; ++i) halves += row_of(fmt::format("A-1{}", i).c_str(), i);
  CHECK(read("f.csv", halves + "A-\n" + row_of("17", 7) + row_of("A-18", 8)).ids ==
        Ids{"A-11", "A-12", "A-13", "A-14", "A-18"});
}

TEST_CASE("a line break in the first cell of a row, where that is no id") {
  for (const char* columns :
       {"description,image_urls,id", "description,id,image_urls", "description,image_urls,id,city"}) {
    CAPTURE(columns);
    const auto row_of = [&](int i, std::string_view text) {
      const std::string id = fmt::format("A-{}", i), image = fmt::format("https://e.test/{}.jpg", i);
      const bool id_second = std::string_view(columns).find("id,image") != std::string_view::npos;
      const std::string line = fmt::format("{},{},{}", text, id_second ? id : image, id_second ? image : id);
      return line + (std::string_view(columns).ends_with("city") ? ",Lyon\n" : "\n");
    };
    for (int cut = 1; cut <= 4; ++cut)
      for (const char* first : {"Second house here\n", "Second house here\n\n", "Second house here\nwith a pool\n"}) {
        CAPTURE(first);
        std::string text = std::string(columns) + "\n";
        Ids others;
        for (int i = 1; i <= 4; ++i) {
          text +=
              i == cut ? first + row_of(i, "and with a garden") : row_of(i, fmt::format("House {} near the park", i));
          if (i != cut) others.push_back(fmt::format("A-{}", i));
        }
        const Said said = read("f.csv", text);
        CHECK(said.ids == others);
        CHECK(said.rejects.back().code == "broken_row");
      }
    // What is no text costs nothing.
    for (const char* junk : {"-----\n", "# Lyon\n", "Page 2\n"})
      CHECK(read("f.csv", std::string(columns) + "\n" + row_of(1, "House 1 near the park") + junk +
                              row_of(2, "House 2 near the park"))
                .ids == Ids{"A-1", "A-2"});
  }
  // A name that is only a label may be cut.
  CHECK(read("f.csv", "title,description,image_urls,id\nHouse\n1,House near the park,https://e.test/1.jpg,A-1\n").ids ==
        Ids{"A-1"});
}

TEST_CASE("what programs write below a table costs no row") {
  const std::string table = kHeader + row("A-1") + row("A-2") + row("A-3");
  for (const char* footer : {"Total: 3 listings",
                             "Total;3",
                             "Total,3",
                             "Total,3,",
                             "3",
                             "4",
                             "(3 rows)",
                             "3 rows selected.",
                             "Nombre de lignes : 3",
                             "Exported on 2026-11-26",
                             "Export du 26/11/2026 10:15",
                             "Generated by Feeder 2.1",
                             "Stand: 26.11.2026",
                             "2026-11-26T10:00:00Z",
                             "26/11/2026",
                             "# end",
                             "-- end --",
                             "*** END OF FILE ***",
                             "Fin du fichier",
                             "EOF",
                             "-----",
                             "Page 1 of 1",
                             "\xC2\xA9 2026 Agence du Parc",
                             "\nTotal: 3\n\nExported today"}) {
    CAPTURE(footer);
    const Said said = read("f.csv", table + footer + "\n");
    CHECK(said.ids == Ids{"A-1", "A-2", "A-3"});
    CHECK(!said.errors.empty());
  }
}

TEST_CASE("cells of the record behind this one") {
  const auto behind = [](std::string text, std::size_t block) {
    StringSource source(text);
    CsvReader csv(source, "f", CsvDialect(','), block);
    CHECK(csv.next().value());
    return fmt::format("{}", fmt::join(csv.behind(4).cells, "|"));
  };
  for (const std::size_t block : {std::size_t{64}, std::size_t{1} << 18U}) {
    CAPTURE(block);
    CHECK(behind("a,b\n", block) == "");
    CHECK(behind("a,b", block) == "");
    CHECK(behind("a,b\n\n\r\n", block) == "");
    CHECK(behind("a,b\nc", block) == "c");
    CHECK(behind("a,b\nc\n", block) == "c");
    CHECK(behind("a,b\n\nc\n", block) == "c");
    CHECK(behind("a,b\n\nc\nd,e\n", block) == "c");
    CHECK(behind("a,b\nc,\n", block) == "c|");
    CHECK(behind("a,b\nc,d,e,f,g\n", block) == "c|d|e|f");
    CHECK(behind("a,b\nc,\"d,\"\"\ne\",\"\",f\n", block) == "c|d,\"\"\ne||f");
    CHECK(behind("a,b\n\"c\nd\"\n", block) == "");
    CHECK(behind("a,b\nc,\"d\n", block) == "");
    CHECK(behind("a,b\n# c\n", block) == "");
    CHECK(behind("a,b\n\x1A", block) == "");
  }
}

TEST_CASE("lines of a quoted text that are no rows, however many delimiters they have") {
  const std::string head = "id,description,image_urls\nA,First house here,https://e.test/1.jpg\n";
  for (const char* text : {"Lovely house, near the sea\nhttps://tour.e.test/b, the virtual tour",
                           "Lovely house,near sea\n3 rooms,120m2", "Lovely house,near sea\nhttps://t.test/1,tour"})
    for (const int before : {1, 5}) {
      std::string table = head;
      for (int i = 2; i <= before; ++i)
        table += fmt::format("A{0},House {0} near the park,https://e.test/{0}.jpg\n", i);
      const std::string last = fmt::format("B,\"{}\",https://e.test/2.jpg\n", text);
      const Said said = read("f.csv", table + last);
      CHECK(said.errors.empty());
      CHECK(said.ids.back() == "B");
      std::string in_semicolons = table + last;
      std::replace(in_semicolons.begin(), in_semicolons.end(), ',', ';');
      CHECK(read("f.csv", in_semicolons).errors.empty());
    }
  CHECK(read("f.csv",
             "id,image_urls,description\nA,https://e.test/1.jpg,First house here\n"
             "B,https://e.test/2.jpg,\"Lovely, near\nhttps://t.test/b,the tour,a view\"\n")
            .errors.empty());
  // Rows that are some, one of them bad by itself.
  const std::string rows_of = "B,\"Lovely house,https://e.test/2.jpg\nC,House near the park,{}\nD,House by the sea\",";
  for (const char* image : {"https://e.test/3.jpg", "no photo yet", "", "n/a", "3.jpg"}) {
    const Said said = read("f.csv", head + fmt::format(fmt::runtime(rows_of), image) + "https://e.test/4.jpg\n");
    REQUIRE(said.rejects.size() == 1);
    CHECK(said.rejects[0].code == "swallowed_rows");
    CHECK(said.ids == Ids{"A"});
  }
}

TEST_CASE("in sections no cell may be missing") {
  const std::string head =
      "#HEADER#\nVersion : 3\nEOF : '^'\nEOR : '~'\n#DEFINITION#\n"
      "AGENT_REF^SUMMARY^MEDIA_IMAGE_00^MEDIA_IMAGE_TEXT_00^~\n#DATA#\n";
  const Said said =
      read("f.blm", head +
                        "A-1^A bright flat^https://e.test/1.jpg^Front^~\nA-2^A flat^https://e.test/2.jpg^~\n"
                        "#END#\n");
  CHECK(said.ids == Ids{"A-1"});
  REQUIRE(said.rejects.size() == 1);
  CHECK(said.rejects[0].code == "too_few_fields");
}

TEST_CASE("words are no file names under a base") {
  ManifestOptions options;
  options.media_base = "https://m.test/";
  const std::string head = "id,description,image_urls\nA-1,A very nice house,1.jpg\n";
  check_refused(head, "A-2,A very nice house,no photo yet", "invalid_value", "'no photo yet' is not an address",
                options);
  check_refused(head, "id,description,image_urls", "second_header", "the header once more", options);
  CHECK(read("f.csv", head + "A-2,A very nice house,photo 2.jpg\n", options).ids.size() == 2);
  CHECK(read("f.csv", head + "A-2,A very nice house,7f3a9c\n", options).ids.size() == 2);
  CHECK(read("f.csv", head + "A-2,A very nice house,front view.jpg?v=12\n", options).ids.size() == 2);
}

TEST_CASE("a text with a comma within braces") {
  const Said said = read("f.yaml",
                         "jobs:\n- {id: A, description: Bright flat, two rooms, image_urls: https://e.test/1.jpg}\n"
                         "- {id: B, description: Bright flat, city: , image_urls: https://e.test/1.jpg}\n"
                         "- id: C\n  description: Bright flat\n  two rooms:\n  image_urls: https://e.test/1.jpg\n");
  CHECK(said.ids == Ids{"B", "C"});
  REQUIRE(said.errors.size() == 1);
  CHECK(said.errors[0] ==
        "f.yaml:2:37: 'two rooms' is a key without a value: within braces a text with a comma has to be in quotes");
}

TEST_CASE("numbers that a program wrote short") {
  for (const char* id : {"1.55552E12", "1.5E11", "1.23E+9", "1.5E+5", "1,5e+5", "2E+15", "1.23456789E8"})
    CHECK_MESSAGE(read("f.csv", fmt::format("id;image_urls;description\n{};https://e.test/1.jpg;A nice house\n", id))
                          .refused.find("was shortened by a spreadsheet") != std::string::npos,
                  id);
  for (const char* id : {"1E5", "2E+5", "15.E11", "1.5E", "1.5E1234", "A1.5E11", "1.5E3", "2.0E2"})
    CHECK_MESSAGE(
        read("f.csv", fmt::format("id;image_urls;description\n{};https://e.test/1.jpg;A nice house\n", id)).ids ==
            Ids{id},
        id);
}

TEST_CASE("a spreadsheet's guard with blanks around it, and in a pair of quotes") {
  const Said said = read("f.csv", "id;image_urls;description\n =\"00123\" ;https://e.test/1.jpg;'=A nice house'\n");
  CHECK(said.ids == Ids{"00123"});
}

TEST_CASE("the end of a file as DOS marks it") {
  const std::string whole = "id,image_urls,description\nA-1,https://e.test/1.jpg,A nice house\n";
  const Said said = read("f.csv", whole + "\x1A");
  CHECK(said.refused == "");
  CHECK(said.ids == Ids{"A-1"});
  CHECK(said.warnings.empty());
}

}  // namespace
}  // namespace reelbatch
