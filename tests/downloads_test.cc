#include "runner/downloads.h"

#include <doctest/doctest.h>

#include <string>

using namespace reelbatch;

TEST_CASE("A video's file is named after its listing and the digest of its address") {
  const std::string name = video_file_name("A-1", "https://cdn.example.test/final.mp4");
  CHECK(name.starts_with("A-1-"));
  CHECK(name.ends_with(".mp4"));
  CHECK(name.size() == std::string("A-1-00000000.mp4").size());
  CHECK(name == video_file_name("A-1", "https://cdn.example.test/final.mp4"));
  CHECK(name != video_file_name("A-1", "https://cdn.example.test/final2.mp4"));

  SUBCASE("the ending is the address', where it is one of a video") {
    CHECK(video_file_name("A", "https://c.example.test/x.MOV?sign=a.png").ends_with(".mov"));
    CHECK(video_file_name("A", "https://c.example.test/x.webm#t").ends_with(".webm"));
    CHECK(video_file_name("A", "https://c.example.test/x.exe").ends_with(".mp4"));
    CHECK(video_file_name("A", "https://c.example.test/").ends_with(".mp4"));
  }
  SUBCASE("no id leads out of the folder, hides a file or is taken for another") {
    CHECK(video_file_name("../../etc/x", "u").starts_with("%2E.%2F..%2Fetc%2Fx-"));
    CHECK(video_file_name(".", "u").starts_with("%2E-"));
    CHECK(video_file_name("a/b", "u").starts_with("a%2Fb-"));
    CHECK(video_file_name("a%2Fb", "u").starts_with("a%252Fb-"));
    CHECK(video_file_name("Ä", "u").starts_with("%C3%84-"));
  }
  SUBCASE("long ids share their beginning, not their name") {
    const std::string one = video_file_name(std::string(254, '/') + "1", "u");
    const std::string two = video_file_name(std::string(254, '/') + "2", "u");
    CHECK(one != two);
    CHECK(one.size() + std::string(".part").size() <= 255);
  }
}

TEST_CASE("What was fetched is said in one line") {
  CHECK(words_of({}) == "downloads: 0 fetched");
  CHECK(words_of({.fetched = 12, .there = 1, .failed = 2, .left = 3, .bytes = 340'000'000}) ==
        "downloads: 12 fetched (340.0 MB), 1 was there, 2 failed, 3 left for the next run");
}
