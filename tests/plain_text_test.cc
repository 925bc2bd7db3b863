#include "jobs/plain_text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/address.h"
#include "jobs/address_list.h"
#include "jobs/field_rules.h"
#include "jobs/json_quote.h"
#include "jobs/seeded_random.h"
#include "jobs/unicode.h"

using namespace reelbatch;

namespace {

/// Texts of pieces that meet the rules' edges, at every place of a sixteen-byte block.
std::string made_of(std::span<const std::string_view> pieces, SeededRandom& random) {
  std::string text;
  const std::uint64_t count = random.below(12);
  for (std::uint64_t i = 0; i < count; ++i) text += pieces[random.below(pieces.size())];
  return text;
}

bool slow_is_clean(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (!point.valid || is_control_point(point.value)) return false;
    if (std::u32string_view(U"\n\r\t\"\\").find(point.value) != std::u32string_view::npos) return false;
    at += point.size;
  }
  return true;
}

constexpr std::array<std::string_view, 22> kTextPieces = {"a",       "plain words of some length",
                                                          "é",       "\u00a0",
                                                          "\u0085",  "\u009f",
                                                          "m\u00b2", "漢字",
                                                          "\"",      "\\",
                                                          "\n",      "\r\n",
                                                          "\t",      "\x7f",
                                                          "\x1f",    " ",
                                                          "\xc2",    "\xff",
                                                          "\xe9",    "\u200b",
                                                          "😀",       "0123456789abcde"};

constexpr std::array<std::string_view, 40> kAddressPieces = {"https://",
                                                             "http://",
                                                             "HTTPS://",
                                                             "//",
                                                             "www.",
                                                             "a.test",
                                                             "photos.example.com",
                                                             "A.test",
                                                             "xn--bcher-kva.test",
                                                             "bücher.test",
                                                             "-",
                                                             "_",
                                                             ".",
                                                             "..",
                                                             "/",
                                                             "/1.jpg",
                                                             "?w=1",
                                                             "&amp;",
                                                             "&",
                                                             "amp;",
                                                             "#x",
                                                             "%20",
                                                             "%zz",
                                                             " ",
                                                             "|",
                                                             ";",
                                                             ",",
                                                             "'",
                                                             "\"",
                                                             "<",
                                                             "@",
                                                             ":",
                                                             ":80",
                                                             ".pdf",
                                                             ".PDF",
                                                             "?a.mp4",
                                                             "\\",
                                                             "[",
                                                             "é",
                                                             "nan"};

}  // namespace

TEST_CASE("plain text: what is told quickly is what is told slowly") {
  SeededRandom random(7);
  int clean = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = made_of(kTextPieces, random);
    CAPTURE(text);
    const bool expected = slow_is_clean(text);
    REQUIRE(is_clean_text(text) == expected);
    clean += expected && !text.empty();
    std::size_t run = 0;
    while (run < text.size() && text[run] >= ' ' && text[run] < 0x7f && text[run] != '"' && text[run] != '\\') ++run;
    REQUIRE(plain_run(text) == run);
    if (expected) REQUIRE(json_quote(text) == '"' + text + '"');
  }
  CHECK(clean > 500);
}

TEST_CASE("plain text: a field that is taken as it is reads as one that was looked at closely") {
  SeededRandom random(8);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = made_of(kTextPieces, random);
    CAPTURE(text);
    // As JSON it goes the long way. What is no UTF-8 has no JSON.
    if (!is_utf8(text)) continue;
    const RawValue as_json{RawValue::Form::Json, json_quote(text)};
    const RawValue as_text{RawValue::Form::Text, text};
    for (const auto read : {+[](const RawValue& value) { return read_text(value, 10); }, &read_line}) {
      const FieldReading quick = read(as_text);
      const FieldReading slow = read(as_json);
      REQUIRE(quick.json == slow.json);
      REQUIRE(quick.problems == slow.problems);
      REQUIRE(quick.remarks == slow.remarks);
      taken += quick.json.has_value();
    }
  }
  CHECK(taken > 1000);
}

TEST_CASE("plain address: recognised ones are their own normal form, alone and in lists") {
  SeededRandom random(9);
  int plain = 0, lists = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random.below(4) == 0 ? "" : "https://photos.example.com/";
    text += made_of(kAddressPieces, random);
    CAPTURE(text);
    if (is_plain_address(text)) {
      ++plain;
      // Quotes around it are taken off on the long way.
      const Result<ReadAddress> slow = read_address_text('"' + text + '"');
      REQUIRE(slow);
      REQUIRE(slow->text == text);
      REQUIRE_FALSE(slow->completed);
      REQUIRE_FALSE(slow->had_entity);
    }
    if (random.below(2) == 0) text += "|https://b.test/" + made_of(kAddressPieces, random);
    if (PlainAddresses addresses; !read_plain_addresses(RawValue::Form::Text, text, addresses)) continue;
    ++lists;
    const FieldReading quick = read_addresses({RawValue::Form::Text, text});
    const FieldReading slow = read_addresses({RawValue::Form::Text, text + ' '});
    CAPTURE(slow.json.value_or(""));
    REQUIRE(quick.json == slow.json);
    REQUIRE(slow.problems.empty());
    REQUIRE(slow.remarks.empty());
  }
  CHECK(plain > 1000);
  CHECK(lists > 1000);
}

TEST_CASE("plain address: which are") {
  for (const char* text :
       {"https://a.test/1.jpg", "http://a.test", "https://cdn-1.a_b.test/x/1.JPG?w=1&h=2=~!$()*+@:"}) {
    CAPTURE(text);
    CHECK(is_plain_address(text));
  }
  const std::string long_label = "https://" + std::string(64, 'a') + ".test/1.jpg";
  for (const char* text : {"", "https://", "https:///a", "https://a..test/", "https://a.test./", "https://.a.test/",
                           "https://A.test/", "https://a.test:80/", "https://u@a.test/", "https://a.test/a b",
                           "https://a.test/a%20b", "https://a.test/#x", "https://a.test/?a&amp;b",
                           "https://xn--bcher-kva.test/", "ftp://a.test/", "HTTPS://a.test/", long_label.c_str()}) {
    CAPTURE(text);
    CHECK_FALSE(is_plain_address(text));
  }
}
