// Which images belong to a listing: rows that go on with one, separators and bases that are given, columns that repeat.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/feed_reading.h"
#include "tests/manifest_reading.h"

namespace reelbatch {
namespace {

constexpr const char* kShop = "Handle,Title,Body (HTML),Image Src,Image Position\n";

}  // namespace

TEST_CASE("rows of one handle are one listing only as long as they add nothing but images") {
  struct Case {
    const char* name;
    const char* second;
    bool goes_on;
  };
  const Case cases[] = {
      {"nothing but an image", "h1,,,https://x.com/b.jpg,2", true},
      {"blanks in between", "h1, ,  ,https://x.com/b.jpg,2", true},
      {"the same text again", "h1,,A house. ,https://x.com/b.jpg,2", true},
      {"a title", "h1,Home B,,https://x.com/b.jpg,1", false},
      {"the same title", "h1,Home A,,https://x.com/b.jpg,1", false},
      {"another text", "h1,,A flat.,https://x.com/b.jpg,1", false},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const std::string text =
        kShop + std::string("h1,Home A,A house.,https://x.com/a.jpg,1\n") + test.second + "\nh2,Home C,C,c.jpg,1\n";
    const ManifestRead got = read_csv(text);
    REQUIRE(got.rows.size() == 2);
    const std::string images = got.rows[0].fields[0].value.text;
    CHECK(images == (test.goes_on ? R"(["https://x.com/a.jpg","https://x.com/b.jpg"])" : "https://x.com/a.jpg"));
    CHECK(got.error == (test.goes_on ? "" : "f.csv:3:1: id: 'h1' is there twice: first in f.csv:2"));
  }
}

TEST_CASE("a text that only a later row of a handle has is another listing's") {
  const std::string text = kShop + std::string("h1,Home A,,https://x.com/a.jpg,1\nh1,,B,https://x.com/b.jpg,2\n");
  CHECK(read_csv(text).error == "f.csv:3:1: id: 'h1' is there twice: first in f.csv:2");
  ManifestOptions options;
  options.on_duplicate = OnDuplicate::Suffix;
  const ManifestRead got = read_csv(text, options);
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 2);
  CHECK(got.rows[0].id == "h1");
  CHECK(got.rows[0].fields[0].value.text == "https://x.com/a.jpg");
  CHECK(got.rows[1].id == "h1-2");
}

TEST_CASE("images that stand in the options are completed like those of rows, in every form of manifest") {
  ManifestOptions options;
  options.media_base = "https://m.fr/p";
  options.defaults = {{"image_urls", {RawValue::Form::Text, "soon.jpg"}}};
  const std::string job = R"({"id":"1","description":"A house with a garden and a view."})";
  const ManifestText files[] = {{"f.csv", "id,description\n1,A house with a garden and a view.\n"},
                                {"f.json", '[' + job + ']'},
                                {"f.jsonl", job + '\n' + R"({"id":"2","description":"A house in the hills."})" + '\n'}};
  for (const ManifestText& file : files) {
    CAPTURE(file.name);
    const ManifestRead got = read_texts({file}, options);
    CHECK(got.error == "");
    REQUIRE(!got.rows.empty());
    for (const ManifestRow& row : got.rows) CHECK(row.fields[0].value.text == R"(["https://m.fr/p/soon.jpg"])");
  }
}

TEST_CASE("a separator that is given is the only one, in every form of manifest") {
  ManifestOptions options;
  options.images_separator = ";";
  const std::string cell = "https://x.com/1.jpg?a=1,https://y.com/b.jpg;https://x.com/2.jpg";
  const std::string description = "A house with a garden and a view.";
  const std::string job = R"({"id":"1","description":")" + description + R"(","image_urls":")" + cell + "\"}";
  const std::string line = "\n" + job;
  const ManifestText texts[] = {
      {"f.csv", "id,description,image_urls\n1," + description + ",\"" + cell + "\"\n"},
      {"shop.csv", kShop + ("h1,A," + description + ",\"" + cell + "\",1\n")},
      {"f.yaml", "- " + job + "\n"},
      {"f.json", "[" + job + "]"},
      {"f.jsonl", job + line + line + line + "\n"},  // one of the later lines is read as a flat one
  };
  options.on_duplicate = OnDuplicate::Suffix;
  for (const ManifestText& text : texts) {
    CAPTURE(text.name);
    ManifestRead got = read_texts({text}, options);
    CHECK(got.error == "");
    REQUIRE(!got.rows.empty());
    for (ManifestRow& row : got.rows) {
      const Normalised normal = validate(row);
      CHECK(row.valid());
      CHECK(std::any_of(normal.fields.begin(), normal.fields.end(), [](const auto& field) {
        return field.json == R"(["https://x.com/1.jpg?a=1,https://y.com/b.jpg","https://x.com/2.jpg"])";
      }));
    }
  }
}

TEST_CASE("two columns of one name in a family of images are an error, unless they are named by position") {
  const std::string rows = "\n1,x,https://x.com/1.jpg,https://x.com/2.jpg\n";
  const std::string same = " image_urls: columns 3 and 4 have the same name ";
  const std::string what = ": rename one, or say by position which count, as --map image_urls=#3,#4";
  CHECK(read_csv("id,description,image_1,image_1" + rows).error == "f.csv:1:24:" + same + "'image_1'" + what);
  CHECK(read_csv("id,description,image_1, image_1 " + rows).error == "f.csv:1:24:" + same + "'image_1'" + what);
  ManifestOptions options;
  options.map = {{"image_urls", "pic*"}};
  CHECK(read_csv("id,description,pic,pic" + rows, options).error == "f.csv:1:20:" + same + "'pic'" + what);
  options.map = {{"image_urls", "#3,#4"}};
  const ManifestRead both = read_csv("id,description,image_1,image_1" + rows, options);
  CHECK(both.error == "");
  CHECK(both.shown == Lines{R"(1 image_urls:=["https://x.com/1.jpg","https://x.com/2.jpg"] description=x)"});
  CHECK(read_csv("id,description,image_1,image_2" + rows).error == "");
}

TEST_CASE("the first photo of a family may stand in a column without a number") {
  struct Case {
    const char* columns;
    const char* photos;  ///< which are the row's, of 1 to 3
  };
  const Case cases[] = {
      {"image,image_2,image_3", "123"},
      {"image_2,image_3,image", "312"},
      {"images,images_2,images_3", "123"},
      {"image_url,image_url_2,image_url_3", "123"},
      {"picture_url,picture_url_2,picture_url_3", "123"},
      {"image_link,additional_image_link,other", "12"},
      {"additional_image_link_2,additional_image_link_10,image_link", "312"},
      {"additional_image_link[1],image_link,additional_image_link[0]", "231"},
      {"image,photos,other", "2"},  // of no family: no one's name for the photos
      {"image,photo_1,photo_2", "23"},
  };
  for (const Case& test : cases) {
    CAPTURE(test.columns);
    const ManifestRead got = read_csv(fmt::format(
        "id,description,{}\n1,A flat by the sea,https://x.com/1.jpg,https://x.com/2.jpg,https://x.com/3.jpg\n",
        test.columns));
    CHECK(got.error == "");
    REQUIRE(got.rows.size() == 1);
    std::vector<std::string> photos;
    for (const char photo : std::string_view(test.photos)) photos.push_back(fmt::format("https://x.com/{}.jpg", photo));
    const std::string all = fmt::format(R"(["{}"])", fmt::join(photos, R"(",")"));
    CHECK(got.rows[0].fields[0].value.text == (photos.size() > 1 ? all : photos[0]));
  }
  const std::string job = R"({"id":"1","description":"A flat by the sea","image":"https://x.com/1.jpg",)"
                          R"("image_2":"https://x.com/2.jpg"})";
  for (const ManifestText& text :
       {ManifestText{"f.json", '[' + job + ']'}, ManifestText{"f.jsonl", job + '\n' + job}}) {
    ManifestOptions options;
    options.on_duplicate = OnDuplicate::Suffix;
    const ManifestRead got = read_texts({text}, options);
    CHECK(got.error == "");
    for (const ManifestRow& row : got.rows)
      CHECK(row.fields[0].value.text == R"(["https://x.com/1.jpg","https://x.com/2.jpg"])");
  }
}

TEST_CASE("a main photo in a column of its own is told of") {
  const ManifestRead got =
      read_csv("id,description,main_image,images\n1,A flat by the sea,https://x.com/1.jpg,https://x.com/2.jpg\n");
  CHECK(got.error == "");
  CHECK(std::any_of(got.warnings.begin(), got.warnings.end(), [](const std::string& remark) {
    return remark.find("'main_image' is taken for a label and not sent") != std::string::npos;
  }));
}

TEST_CASE("a list that PHP wrote has addresses") {
  for (const char* cell :
       {R"("[""https:\/\/x.com\/1.jpg""]")", R"("[{""url"":""https:\u002F\u002Fx.com\u002F1.jpg""}]")"}) {
    const ManifestRead got = read_csv(fmt::format("id,description,image_urls\n1,A flat by the sea,{}\n", cell));
    CHECK(got.error == "");
    CHECK(got.rows.size() == 1);
  }
}

TEST_CASE("a row without a handle makes the listing before it incomplete, unless it begins one") {
  const std::string rest = ",,,https://a.test/2.jpg,2\n";
  const auto row = [](std::string_view handle, std::string_view title) {
    return fmt::format("{},{},A flat by the sea,https://a.test/{}.jpg,1\n", handle, title, handle);
  };
  const Said lost = read("f.csv", kShop + row("h1", "One") + rest + row("h3", "Three"));
  CHECK(lost.ids == std::vector<std::string>{"h3"});
  REQUIRE(lost.errors.size() == 2);
  CHECK(lost.errors[0] == "f.csv:2:1: line 3 behind it has no id: if it is one more image, repeat the id there");
  CHECK(lost.errors[1] == "f.csv:3:1: id: is empty: every listing needs a reference of its own");
  CHECK(read("f.csv", kShop + row("h1", "One") + row("", "Two")).ids == std::vector<std::string>{"h1"});
  CHECK(read("f.csv", kShop + row("h1", "One") + ",,,,\n").ids == std::vector<std::string>{"h1"});
}

TEST_CASE("images in columns that stand in for each other are told where they are left out") {
  const std::string header = "home_listing_id,name,description,image[0].url,image\n";
  const std::string rest = ",a,A flat by the sea,";
  const auto table = [&](const std::string& cells) { return read("f.csv", header + "M-1" + rest + cells + "\n"); };
  const std::string said =
      "f.csv:2:46: image_urls: 'image' has images that are left out, since 'image[0].url' has some as well and comes "
      "first; --map image_urls=image takes those";
  const Said both =
      table(R"(https://a.test/5.jpg,"[{""url"":""https://a.test/5.jpg""},{""url"":""https://a.test/6.jpg""}]")");
  CHECK(both.ids.size() == 1);
  CHECK(both.warnings == std::vector<std::string>{said});
  CHECK(table("https://a.test/5.jpg,https://a.test/6.jpg").warnings == std::vector<std::string>{said});
  CHECK(table(R"(https://a.test/5.jpg,"[{""url"":""https://a.test/5.jpg""}]")").warnings.empty());
  CHECK(table("https://a.test/5.jpg,").warnings.empty());
  CHECK(table("https://a.test/5.jpg,null").warnings.empty());
  CHECK(table(",https://a.test/5.jpg").warnings.empty());

  const auto lines = [&](std::string_view first, std::string_view second) {
    std::string text;
    for (int i = 1; i <= 4; ++i)
      text += fmt::format(R"({{"home_listing_id": "M-{}", "name": "a", "description": "A flat by the sea", )"
                          R"("image": {}, "image[0].url": {}}})"
                          "\n",
                          i, second, first);
    return read("f.jsonl", text);
  };
  const Said four = lines(R"("https://a.test/5.jpg")", R"(["https://a.test/6.jpg"])");
  CHECK(four.ids.size() == 4);
  CHECK(four.warnings.size() == 1);
  CHECK(four.warnings[0].ends_with("--map image_urls=image takes those (4 times)"));
  CHECK(lines(R"("https://a.test/5.jpg")", R"(["https://a.test/5.jpg"])").warnings.empty());
  CHECK(lines("null", R"(["https://a.test/5.jpg"])").warnings.empty());
}

}  // namespace reelbatch
