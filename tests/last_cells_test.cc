// A file that is cut inside of its last cell, told from one that is whole without a last line end.
#include "runner/last_cells.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/feed_reading.h"

namespace reelbatch {
namespace {

using Cells = std::vector<std::string>;

std::string why_cut(const Cells& others, std::string_view cell) {
  LastCells cells;
  for (const std::string& other : others) cells.learn(other);
  return cells.why_cut(cell);
}

Cells times(std::size_t count, std::string_view pattern) {
  Cells cells;
  for (std::size_t i = 0; i < count; ++i) cells.push_back(fmt::format(fmt::runtime(pattern), i + 10));
  return cells;
}

const std::string kImages = "id,description,image_urls\n";

std::string image_row(int number) {
  return fmt::format("A-{},A quiet flat near the park,https://img.example.test/{}.jpg", number, number);
}

}  // namespace

TEST_CASE("a last cell that is other than those above it looks cut") {
  const Cells photos = times(3, "https://img.example.test/{}.jpg");
  CHECK(why_cut(photos, "https://img.example.test/4.jp") == "it ends with 'le.test/4.jp', and all others with .jpg");
  for (const char* cut : {"https://img.example.test/4", "https://img.example.test/4.", "https://img.exa", "https://",
                          "https://img.example.test/4.jpg|", "https://img.example.test/4.jpg|https://img.exam"})
    CHECK_MESSAGE(why_cut(photos, cut).starts_with("it ends with"), cut);
  CHECK(why_cut(photos, "https:/") == "'https:/' is no address, and all others are");
  CHECK(why_cut(times(10, "Flat {}."), "Flat 12 wi").starts_with("it ends with"));
  CHECK(why_cut(times(10, "[\"https://img.example.test/{}\"]"), "[\"https://img.example.te").starts_with("it ends"));
  CHECK(why_cut(times(10, "Flat number {} is by the sea."), "Flat number 11 is by t").starts_with("it ends with"));
  CHECK(why_cut(times(10, "https://img.example.test/photo/1000{}"), "https://img.example.test/photo/10") ==
        "it has 33 bytes, and no other one less than 37");
}

TEST_CASE("a last address of another host, with a whole query, does not look cut") {
  const Cells photos = times(14, "https://img.example.test/{}.jpg");
  for (const char* whole :
       {"https://images.example.org/photo-15?w=800", "https://images.example.org/photo-15?w=800&q=75",
        "//images.example.org/a?fm=jpg", "https://img.example.test/4.jpg|https://b.test/5?id=7"})
    CHECK_MESSAGE(why_cut(photos, whole).empty(), whole);
  for (const char* cut : {"https://images.example.org/photo-15?w=", "https://images.example.org/photo-15?w",
                          "https://images.example.org/photo-15?w=800&", "https://images.example.org/photo-15?w=800&q",
                          "https://images.example.org/photo-15?w=a%2", "https://images.example.org/photo-15?",
                          "https://images.example.org/photo-15", "https://img.example.test/15?w=800",
                          "https://images.ex", "https://b.test/5?id=7|https://img.example.test/4"})
    CHECK_MESSAGE(!why_cut(photos, cut).empty(), cut);
  // Of one length, the rest is no matter either.
  CHECK(why_cut(times(10, "https://img.example.test/photos/of/house/1000{}?size=large"), "https://b.test/5?id=7")
            .empty());
  std::string text = kImages;
  for (int i = 1; i <= 14; ++i) text += image_row(i) + "\n";
  CHECK(read("f.csv", text + "A-15,A quiet flat,https://images.example.org/photo-15?w=800").ids.size() == 15);
}

TEST_CASE("a last cell that ends inside of markup is cut, whatever the others are") {
  for (const char* cut : {"<p>A flat</p", "<p>A flat</", "<p>A flat<br", "A flat <stro", "A flat <a href=\"https://x",
                          "Un caf&eacut", "Un caf&#23", "Un caf&#"})
    CHECK_MESSAGE(why_cut({}, cut).find("is not closed") != std::string::npos, cut);
  for (const char* whole : {"<p>A flat</p>", "Area < 50", "Area <50", "R&D", "B&B", "Fish & Chips", "Caf&eacute;",
                            "a & b", "Black&Decker", "&", "<", "A <3 flat"})
    CHECK_MESSAGE(why_cut({}, whole).empty(), whole);
}

TEST_CASE("a last cell like those above it, or among few, does not look cut") {
  const Cells photos = times(3, "https://img.example.test/{}.jpg");
  CHECK(why_cut(photos, "").empty());
  for (const char* end : {"…", " »", "。", "300 000 €"})
    CHECK_MESSAGE(why_cut(times(10, "Flat number {}."), fmt::format("Un loft{}", end)).empty(), end);
  for (const char* whole :
       {"https://img.example.test/4.jpg", "https://img.example.test/4.JPG", "https://img.example.test/4.png",
        "https://img.example.test/4.jpeg", "https://img.example.test/4.webp", "https://img.example.test/4.jpg?w=300",
        "https://img.example.test/4.jpg|https://img.example.test/5.jpg"})
    CHECK_MESSAGE(why_cut(photos, whole).empty(), whole);
  CHECK(why_cut(times(2, "https://img.example.test/{}.jpg"), "https://img.exa").empty());
  CHECK(why_cut(times(9, "Flat number {} is by the sea."), "Flat number 11 is by t").empty());
  CHECK(why_cut(times(10, "Flat number {} is by the sea."), "A loft (new!)").empty());
  CHECK(why_cut(times(10, "Flat number {} is by the sea"), "A loft").starts_with("it has 6 bytes"));
  Cells texts = times(10, "Flat number {} is by the sea");
  texts.emplace_back("A flat");
  CHECK(why_cut(texts, "Loft").empty());
  texts = times(10, "https://img.example.test/{}.jpg");
  texts.emplace_back("https://img.example.test/the-photo-of-a-kitchen");
  CHECK(why_cut(texts, "https://img.exa").empty());
  CHECK(why_cut(times(10, "1{}"), "99").empty());  // a number, as any other
  texts = times(10, "x");
  texts.emplace_back("");
  CHECK(why_cut(texts, "").empty());
}

TEST_CASE("a row in whose last cell the file ends is refused, and no other") {
  const std::string rows = image_row(1) + "\n" + image_row(2) + "\n" + image_row(3) + "\n";
  const Said cut = read("f.csv", kImages + rows + "A-4,A quiet flat near the park,https://img.example.te");
  CHECK(cut.refused == "");
  CHECK(cut.ids == std::vector<std::string>{"A-1", "A-2", "A-3"});
  REQUIRE(cut.rejects.size() == 1);
  CHECK(cut.rejects[0].code == "cut_row");
  CHECK(cut.errors[0] ==
        "f.csv:5:32: image_urls: the last record looks incomplete: the file ends in this cell without a line end, and "
        "it ends with 'g.example.te', and all others with .jpg; is the file still being written? If the row is whole, "
        "end its line with a line break");
  CHECK(cut.warnings.empty());
  CHECK(read("f.csv", kImages + rows + "A-4,A quiet flat near the park,https://img.example.test/4\n").errors.empty());
}

TEST_CASE("a whole file without a last line end is read") {
  const std::string rows = image_row(1) + "\n" + image_row(2) + "\n" + image_row(3) + "\n";
  for (const std::string& last :
       {image_row(4), std::string("A-4,A quiet flat near the park,\"https://img.example.test/4\"")}) {
    const Said said = read("f.csv", kImages + rows + last);
    CHECK(said.errors.empty());
    CHECK(said.ids.size() == 4);
    CHECK(said.warnings.size() == 1);
  }
  // What feeds nothing costs nothing.
  std::string table = "id,description,image_urls,page\n";
  for (int i = 1; i < 5; ++i) table += image_row(i) + ",https://www.example.test/a.html\n";
  const Said said = read("f.csv", table + image_row(5) + ",https://www.exa");
  CHECK(said.ids.size() == 5);
  CHECK(said.errors.empty());
}

TEST_CASE("a YAML file that ends inside of a plain scalar") {
  std::string jobs = "jobs:\n";
  for (int i = 1; i <= 3; ++i)
    jobs += fmt::format(
        "  - {{id: A-{0}, description: A quiet flat {0}, image_urls: [https://img.example.test/{0}.jpg]}}\n", i);
  std::string blocks = "jobs:\n";
  for (int i = 1; i <= 4; ++i)
    blocks += fmt::format(
        "  - id: A-{0}\n    description: A quiet flat near the park, {0}\n    image_urls:\n"
        "      - https://img.example.test/{0}a.jpg\n      - https://img.example.test/{0}b.jpg\n",
        i);
  const std::string whole = blocks.substr(0, blocks.size() - 1);
  CHECK(read("f.yaml", whole).ids.size() == 4);
  CHECK(read("f.yaml", whole).errors.empty());
  CHECK(read("f.yaml", blocks).errors.empty());
  CHECK(read("f.yaml", jobs.substr(0, jobs.size() - 1)).errors.empty());

  const std::string cut = whole.substr(0, whole.size() - 1);
  const Said said = read("f.yaml", cut);
  CHECK(said.ids == std::vector<std::string>{"A-1", "A-2", "A-3"});
  REQUIRE(said.rejects.size() == 1);
  CHECK(said.rejects[0].code == "cut_row");
  CHECK(said.errors[0].starts_with("f.yaml:21:9: image_urls: the last record looks incomplete"));
  CHECK(read("f.yaml", cut + "\n").errors.empty());  // somebody closed the line
  CHECK(read("f.yaml", cut + " ").ids.size() == 3);
  CHECK(read("f.yaml", blocks + "   ").warnings.size() == 1);
  CHECK(read("f.yaml", cut + "\nx-notes: cut he").ids.size() == 4);
  // What feeds nothing costs nothing.
  std::string labels = "jobs:\n";
  for (int i = 1; i <= 4; ++i)
    labels += fmt::format(
        "  - id: A-{0}\n    description: A quiet flat near the park\n"
        "    image_urls: [https://img.example.test/{0}.jpg]\n    page: https://www.example.test/{0}.html\n",
        i);
  CHECK(read("f.yaml", labels.substr(0, labels.size() - 4)).errors.empty());
}

}  // namespace reelbatch
