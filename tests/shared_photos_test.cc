#include "runner/shared_photos.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/registry.h"

namespace reelbatch {
namespace {

constexpr FieldSpec kImages{.name = "image_urls", .api_name = "image_urls", .is_list = true, .is_images = true};

void add(SharedPhotos& photos, const std::string& json, std::uint64_t line) {
  const std::vector<NormalField> fields = {{&kImages, json}};
  photos.add(fields, "f.csv", {line, 1});
}

}  // namespace

TEST_CASE("a photo in three listings is worth a word, one in two is not") {
  SharedPhotos photos;
  add(photos, R"(["https://a/soon.jpg","https://a/1.jpg"])", 2);
  add(photos, R"(["https://a/soon.jpg","https://a/2.jpg"])", 3);
  add(photos, "[]", 4);
  CHECK_FALSE(photos.remark().has_value());
  add(photos, R"(["https://a/4.jpg","https://a/soon.jpg"])", 5);  // wherever it stands
  REQUIRE(photos.remark().has_value());
  CHECK(photos.remark()->text() ==
        "f.csv:5:1: 3 listings have the same photo https://a/soon.jpg: is it one that stands for none?");
  for (std::uint64_t line = 6; line < 10; ++line) add(photos, R"(["https://a/logo.jpg"])", line);
  CHECK(photos.remark()->text() ==
        "f.csv:8:1: 4 listings have the same photo https://a/logo.jpg: is it one that stands for none? (2 photos "
        "are "
        "in 3 or more listings)");
}

TEST_CASE("a photo that is everywhere is found among a million others") {
  SharedPhotos photos;
  for (std::uint64_t i = 0; i < 1'000'000; ++i)
    add(photos, fmt::format(R"(["https://a/{}.jpg"])", i % 1000 == 0 ? 0 : i), i + 2);
  REQUIRE(photos.remark().has_value());
  CHECK(photos.remark()->message.ends_with(
      " listings have the same photo https://a/0.jpg: is it one that stands for none?"));
}

TEST_CASE("photos are counted alike in rows that need no normalising") {
  const JobKind& kind = default_kind();
  SharedPhotos photos;
  const auto add_row = [&](RawValue::Form form, std::string_view text, std::uint64_t line) {
    const FieldText fields[] = {{"image_urls", form, text}};
    photos.add_plain(kind, fields, "f.csv", {line, 1});
  };
  add_row(RawValue::Form::Text, "https://a/1.jpg|https://a/card.jpg", 2);
  add_row(RawValue::Form::Json, R"(["https://a/2.jpg","https://a/card.jpg"])", 3);
  add_row(RawValue::Form::Text, "https://a/card.jpg", 4);
  REQUIRE(photos.remark().has_value());
  CHECK(photos.remark()->text() ==
        "f.csv:4:1: 3 listings have the same photo https://a/card.jpg: is it one that stands for none?");
}

}  // namespace reelbatch
