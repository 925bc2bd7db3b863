// Ids that are made of what rows say.
#include "runner/row_ids.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "tests/manifest_reading.h"

namespace reelbatch {
namespace {

const std::string kImages = "https://a.fr/1.jpg|https://a.fr/2.jpg";
const std::string kWords = "A flat by the sea, ring 01 42 68 53 00";

ManifestOptions by_hash() {
  ManifestOptions options;
  options.id_from_hash = true;
  return options;
}

/// The id of the only row.
std::string id_of(const ManifestText& text, const ManifestOptions& options = by_hash()) {
  const ManifestRead got = read_texts({text}, options);
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 1);
  CHECK(got.rows[0].valid());
  return got.rows[0].id;
}

std::string csv_of(std::string_view header, std::string_view cells) {
  return fmt::format("{}\n{}\n", header, cells);
}

/// The row that all others are compared with.
ManifestText plain() {
  return {"f.csv", csv_of("image_urls,description", fmt::format("{},\"{}\"", kImages, kWords))};
}

}  // namespace

TEST_CASE("row ids: the same on every night and every machine") {
  CHECK(id_of(plain()) == "row-89b6f22f95a3afd0e34b4020");
}

TEST_CASE("row ids: the same in every form of manifest, however it is laid out and whatever is beside") {
  const std::string id = id_of(plain());
  const std::string members = fmt::format(R"("image_urls": "{}", "description": "{}")", kImages, kWords);
  const ManifestText texts[] = {
      {"f.csv", csv_of("id,image_urls,description", fmt::format(",{},\"{}\"", kImages, kWords))},
      {"f.csv", csv_of("Description;city;ID;image_urls", fmt::format("  {} ;Nice; ;{}", kWords, kImages))},
      {"f.csv", csv_of("image_urls,description,webhook_url", fmt::format("{},\"{}\",https://h.fr", kImages, kWords))},
      {"f.yaml", fmt::format("- {{{}}}\n", members)},
      {"f.yaml", fmt::format("defaults: {{format: portrait}}\njobs:\n- {{id: '', city: Nice, {}}}\n", members)},
      {"f.json", fmt::format("[{{{}}}]", members)},
      {"f.jsonl", fmt::format("{{{}}}\n", members)},
  };
  for (const ManifestText& text : texts) {
    CAPTURE(text.text);
    CHECK(id_of(text) == id);
  }
  // Options that change what is sent make a listing a changed one, and no new one.
  ManifestOptions options = by_hash();
  options.prose.strip_contacts = true;
  options.images_separator = "|";
  options.media_base = "https://m.fr";
  options.defaults = {{"format", {RawValue::Form::Text, "portrait"}}};
  for (const ManifestText& text : texts) CHECK(id_of(text, options) == id);
}

TEST_CASE("row ids: another one for other content, another kind or another account") {
  const std::string row = fmt::format("{},\"{}\"", kImages, kWords);
  const std::string others[] = {
      csv_of("image_urls,description", fmt::format("{},\"{}!\"", kImages, kWords)),
      csv_of("image_urls,description", fmt::format("https://a.fr/1.jpg,\"{}\"", kWords)),
      csv_of("image_urls,description,format", row + ",portrait"),
      csv_of("image_urls,description,account", row + ",second"),
      csv_of("image_urls,description,kind", row + ",iacrea.video"),
      csv_of("image_urls,font", row),
  };
  std::set<std::string> ids{id_of(plain())};
  for (const std::string& other : others) ids.insert(read_texts({{"f.csv", other}}, by_hash()).rows.at(0).id);
  CHECK(ids.size() == 1 + std::size(others));  // one of them empty: its kind has no such fields
  CHECK(ids.contains(""));
}

TEST_CASE("row ids: what does not count as a change makes no other id") {
  ManifestOptions options = by_hash();
  options.ignore = {parse_ignore_rule("image_urls?token").value(), parse_ignore_rule("music").value()};
  const auto of = [&](std::string_view token, std::string_view music) {
    return id_of({"f.csv", csv_of("image_urls,description,music",
                                  fmt::format("https://a.fr/1.jpg?token={},A flat by the sea,{}", token, music))},
                 options);
  };
  CHECK(of("a", "x") == of("b", "y"));
  options.ignore.clear();
  CHECK(of("a", "x") != of("b", "x"));
  CHECK(of("a", "x") != of("a", "y"));
}

TEST_CASE("row ids: a row with an id keeps it, and one that is wrong or empty gets none") {
  const ManifestRead got = read_texts({{"f.csv",
                                        "id,image_urls,description\n"
                                        "A-1,https://a.fr/1.jpg,A flat by the sea\n"
                                        ",,N/A\n"
                                        ",https://a.fr/1.jpg,caf\xFF\n"
                                        ",https://a.fr/3.jpg,A flat,by the sea\n"}},
                                      by_hash());
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 4);
  CHECK(got.rows[0].id == "A-1");
  CHECK(got.shown[1].starts_with(" !f.csv:3:1: id: is empty, and the row has no field that one can be made of"));
  for (const std::size_t row : {1U, 2U, 3U}) CHECK(got.rows[row].id == "");
  CHECK(got.warnings.size() == 0);
}

TEST_CASE("row ids: equal rows are duplicates, and how many ids were made is said once") {
  const std::string rows = "https://a.fr/1.jpg,A flat by the sea\nhttps://a.fr/2.jpg,A house by the sea\n";
  const std::vector<ManifestText> texts = {{"a.csv", "image_urls,description\n" + rows},
                                           {"b.csv", "image_urls,description\nhttps://a.fr/3.jpg,A barn\n"}};
  const ManifestRead got = read_texts(texts, by_hash());
  CHECK(got.error == "");
  CHECK(got.warnings ==
        Lines{"id: made 3 of what rows say, as --id-from asks for: a listing that changes becomes a new one, which is "
              "paid for again"});
  const ManifestRead twice = read_texts({{"f.csv", "image_urls,description\n" + rows + rows}}, by_hash());
  CHECK(twice.error.find("is there twice: first in f.csv:2") != std::string::npos);
  CHECK(twice.error.ends_with("2 rows repeat an id, which must be unique in a run: 2 ids are affected"));
  ManifestOptions options = by_hash();
  for (const OnDuplicate action : {OnDuplicate::First, OnDuplicate::Last}) {
    options.on_duplicate = action;
    CHECK(read_texts({{"f.csv", "image_urls,description\n" + rows + rows}}, options).rows.size() == 2);
  }
}

TEST_CASE("row ids: not without being asked for, and a mapped column must be there all the same") {
  CHECK(read_texts({plain()}).error.starts_with("f.csv:1:1: there is no column 'id'"));
  ManifestOptions options = by_hash();
  options.map = {{"id", "Reference"}};
  CHECK(read_texts({plain()}, options).error.find("the mapped column 'Reference' does not exist") != std::string::npos);
}

}  // namespace reelbatch
