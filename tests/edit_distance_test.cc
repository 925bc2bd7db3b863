#include "jobs/edit_distance.h"

#include <doctest/doctest.h>

namespace reelbatch {

TEST_CASE("edit_distance counts inserted, deleted and replaced characters") {
  struct Case {
    const char* a;
    const char* b;
    std::size_t limit;
    std::size_t distance;
  };
  const Case cases[] = {
      {"", "", 2, 0},
      {"", "abc", 5, 3},
      {"description", "description", 2, 0},
      {"descripton", "description", 2, 1},
      {"descritpion", "description", 2, 2},
      {"image_url", "image_urls", 2, 1},
      {"kitten", "sitting", 9, 3},
      {"kitten", "sitting", 2, 3},
      {"abc", "xyz", 1, 2},
      {"abcdefghijklmnop", "a", 2, 3},
      {"prénom", "prenom", 2, 1},
      {"日本", "日", 2, 1},
      {"Kind", "kind", 2, 1},
      {"\xff\xfe", "\xff", 2, 1},
  };
  for (const Case& test : cases) {
    CAPTURE(test.a);
    CAPTURE(test.b);
    CHECK(edit_distance(test.a, test.b, test.limit) == test.distance);
    CHECK(edit_distance(test.b, test.a, test.limit) == test.distance);
  }
}

TEST_CASE("did_you_mean offers the nearest names first and says nothing when none is near") {
  const std::string_view names[] = {"description", "image_urls", "format", "font", "kind", "id"};
  CHECK(did_you_mean("formt", names) == " (did you mean 'format'?)");
  CHECK(did_you_mean("DESCRIPTON", names) == " (did you mean 'description'?)");
  CHECK(did_you_mean("desc", names) == " (did you mean 'description'?)");
  CHECK(did_you_mean("elephant", names) == "");
  CHECK(did_you_mean("", names) == "");
  CHECK(did_you_mean("zz", names) == "");
  CHECK(did_you_mean(std::string(1000, 'x'), names) == "");
}

}  // namespace reelbatch
