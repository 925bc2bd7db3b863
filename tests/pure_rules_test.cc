// Credits, statuses, path segments, Unicode and JSON: the small rules everything else stands on.
#include <doctest/doctest.h>

#include <limits>

#include "jobs/credits.h"
#include "jobs/http_rules.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("credits are read exactly or not at all") {
  struct Case {
    std::string text;
    std::optional<std::int64_t> milli;
  };
  const Case cases[] = {
      {"3", 3000},
      {"7.5", 7500},
      {"-0.125", -125},
      {"0", 0},
      {"-0", 0},
      {"007", 7000},
      {"0.0004", 0},
      {"0.0005", 1},
      {"-0.0005", -1},
      {"2.49949", 2499},
      {"2.9995", 3000},
      {"1000000000000", 1'000'000'000'000'000},
      {"1000000000000.001", std::nullopt},
      {"1000000000001", std::nullopt},
      {"99999999999999999999999999", std::nullopt},
      {"", std::nullopt},
      {"-", std::nullopt},
      {".5", std::nullopt},
      {"5.", std::nullopt},
      {"+5", std::nullopt},
      {" 5", std::nullopt},
      {"1e3", std::nullopt},
      {"1,5", std::nullopt},
      {"0x10", std::nullopt},
      {"5 credits", std::nullopt},
      {"nan", std::nullopt},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::optional<Credits> credits = parse_credits(c.text);
    CHECK(credits.has_value() == c.milli.has_value());
    if (credits && c.milli) CHECK(credits->milli == *c.milli);
  }
}

TEST_CASE("credits are written in their shortest form, which reads back the same") {
  CHECK(to_text(Credits::whole(3)) == "3");
  CHECK(to_text(Credits{7500}) == "7.5");
  CHECK(to_text(Credits{-125}) == "-0.125");
  CHECK(to_text(Credits{10}) == "0.01");
  CHECK(to_text(Credits{}) == "0");
  CHECK(to_text(Credits{std::numeric_limits<std::int64_t>::min()}) == "-9223372036854775.808");
  for (const std::int64_t milli : {1, 999, 1000, 1001, -1, -1010, 123456789}) {
    CHECK(parse_credits(to_text(Credits{milli})) == Credits{milli});
  }
}

TEST_CASE("whose no a status is, for a submission") {
  struct Case {
    int status;
    SubmitOutcome outcome;
  };
  const Case cases[] = {
      {200, SubmitOutcome::Unknown},        {201, SubmitOutcome::Unknown},        {299, SubmitOutcome::Unknown},
      {300, SubmitOutcome::AddressRefused}, {301, SubmitOutcome::AddressRefused}, {308, SubmitOutcome::AddressRefused},
      {399, SubmitOutcome::AddressRefused}, {400, SubmitOutcome::RowRefused},     {401, SubmitOutcome::KeyRefused},
      {402, SubmitOutcome::NoCredits},      {403, SubmitOutcome::KeyRefused},     {404, SubmitOutcome::AddressRefused},
      {405, SubmitOutcome::AddressRefused}, {406, SubmitOutcome::Unknown},        {408, SubmitOutcome::Unknown},
      {409, SubmitOutcome::Unknown},        {413, SubmitOutcome::RowRefused},     {415, SubmitOutcome::RowRefused},
      {422, SubmitOutcome::RowRefused},     {425, SubmitOutcome::Unknown},        {429, SubmitOutcome::Throttled},
      {499, SubmitOutcome::Unknown},        {500, SubmitOutcome::Unknown},        {503, SubmitOutcome::Unknown},
      {599, SubmitOutcome::Unknown},        {0, SubmitOutcome::Unknown},          {100, SubmitOutcome::Unknown},
      {999, SubmitOutcome::Unknown},        {-1, SubmitOutcome::Unknown},
  };
  for (const Case& c : cases) {
    CAPTURE(c.status);
    CHECK(submit_outcome_of_status(c.status) == c.outcome);
  }
}

TEST_CASE("what a refused poll means: never that the job has failed") {
  for (int status = 0; status < 1000; ++status) {
    CAPTURE(status);
    const PollOutcome outcome = poll_outcome_of_status(status);
    const PollOutcome expected = status == 401   ? PollOutcome::KeyRefused
                                 : status == 404 ? PollOutcome::NotKnown
                                 : status == 429 ? PollOutcome::Throttled
                                                 : PollOutcome::TryAgain;
    CHECK(outcome == expected);
  }
}

TEST_CASE("a status is told with its name where it has one") {
  CHECK(describe_status(404) == "404 Not Found");
  CHECK(describe_status(503) == "503 Service Unavailable");
  CHECK(describe_status(299) == "299");
  CHECK(describe_status(0) == "0");
}

TEST_CASE("any text is one path segment") {
  CHECK(encode_path_segment("8f2b9a54-6c0e_~.x") == "8f2b9a54-6c0e_~.x");
  CHECK(encode_path_segment("../x?y#z") == "..%2Fx%3Fy%23z");
  CHECK(encode_path_segment("a b\0c%"sv) == "a%20b%00c%25");
  CHECK(encode_path_segment("é") == "%C3%A9");
  CHECK(encode_path_segment("..") == "%2E%2E");
  CHECK(encode_path_segment(".") == "%2E");
  CHECK(encode_path_segment("") == "");
}

TEST_CASE("JSON is whole and valid or it is nothing") {
  const char* const good[] = {"{}", "[]", "null", "\"a\"", "1", " {\"a\":1}\n", "\xEF\xBB\xBF{}"};
  const std::string bad[] = {"",
                             " ",
                             "{",
                             "{}{}",
                             "{} x",
                             "{\"a\":1,}",
                             "{'a':1}",
                             "nan",
                             "<html>",
                             "{\"id\":\"a\",\"x\":tru}",
                             "{\"id\":\"a\"",
                             "\"\xC3(\"",
                             "\"a\0b\""s,
                             std::string(5000, '['),
                             "\xEF\xBB\xBF"};
  JsonReader reader;
  for (const std::string text : good) {
    CAPTURE(text);
    CHECK(reader.parse(text).has_value());
  }
  for (const std::string& text : bad) {
    CAPTURE(text);
    const Result<JsonElement> parsed = reader.parse(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().fault == Fault::Theirs);
    CHECK(parsed.error().message.starts_with("not valid JSON: "));
  }
}

TEST_CASE("typed members are there or not, never guessed") {
  JsonReader reader;
  const JsonElement o = *reader.parse(
      R"({"s":"x","n":null,"i":3,"d":7.5,"t":"7.5","w":"7,5","e":1e2,"tiny":1e-9,"b":true,"big":1e300,"o":{}})");
  CHECK(json_string(o, "s") == "x");
  CHECK(json_string(o, "i") == std::nullopt);
  CHECK(json_string(o, "n") == std::nullopt);
  CHECK(json_string(o, "absent") == std::nullopt);
  CHECK(json_credits(o, "i") == Credits::whole(3));
  CHECK(json_credits(o, "d") == Credits{7500});
  CHECK(json_credits(o, "t") == Credits{7500});
  CHECK(json_credits(o, "e") == Credits::whole(100));
  CHECK(json_credits(o, "tiny") == Credits{});
  for (const std::string_view member : {"w", "n", "b", "big", "o", "s", "absent"}) {
    CAPTURE(member);
    CHECK(json_credits(o, member) == std::nullopt);
  }
  const JsonElement array = *reader.parse("[1]");
  CHECK(json_string(array, "s") == std::nullopt);
  CHECK(json_credits(array, "s") == std::nullopt);
}

TEST_CASE("quoted text is valid JSON whatever its bytes, and reads back") {
  CHECK(json_quote("a\"b\\c\n\t\r\x01\x7F") == R"("a\"b\\c\n\t\r\u0001\u007f")");
  for (const auto text : {""sv, "é😀"sv, "a\"b\\c\n\x01"sv, "a\0b"sv}) CHECK(json_unquote(json_quote(text)) == text);
  for (const auto none : {""sv, "\""sv, "7"sv, "[\"a\"]"sv, "\"a\\\""sv, "null"sv}) CHECK(json_unquote(none).empty());
  CHECK(json_quote("é😀") == "\"é😀\"");
  CHECK(json_quote("a\0b"sv) == "\"a\\u0000b\"");
  CHECK(json_quote("\xFF\xC3") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  JsonReader reader;
  const std::string odd = "é\"\\/\b\f\n\r\t\x1F 😀 \xE2\x80\xA8";
  std::string_view back;
  REQUIRE(!reader.parse(json_quote(odd))->get(back));
  CHECK(back == odd);
}

TEST_CASE("JSON text keeps order and digits") {
  JsonReader reader;
  CHECK(json_text(*reader.parse(R"( { "b" : 0.65 , "a" : [ 1 , "x\n" ] } )")) == R"({"b":0.65,"a":[1,"x\n"]})");
}

TEST_CASE("UTF-8 is strict") {
  CHECK(is_utf8("é😀"));
  for (const std::string bad :
       {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xF8\x88\x80\x80\x80"}) {
    CAPTURE(bad);
    CHECK(!is_utf8(bad));
    CHECK(!code_point_at(bad, 0).valid);
    CHECK(code_point_at(bad, 0).size == 1);
  }
  CHECK(count_code_points("é😀a") == 3);
  // Eight bytes are counted at a time: each length, with characters of every size across each of its ends.
  const std::string mixed = "aé😀€zz€é😀aaaaaaaaaé😀€";
  std::size_t points = 0;
  for (std::size_t size = 0; size <= mixed.size(); ++size) {
    CHECK(count_code_points(std::string_view(mixed).substr(0, size)) == points);
    if (size < mixed.size() && (static_cast<unsigned char>(mixed[size]) & 0xC0U) != 0x80U) ++points;
  }
  CHECK(count_code_points("") == 0);
}

TEST_CASE("code points go there and back") {
  for (const char32_t point : {0x41u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    append_code_point(text, point);
    const CodePoint back = code_point_at(text, 0);
    CHECK(back.valid);
    CHECK(back.value == point);
    CHECK(back.size == text.size());
    CHECK(is_utf8(text));
  }
  std::string text;
  append_code_point(text, 0xD800);
  CHECK(text == "\xEF\xBF\xBD");
}

TEST_CASE("blanks of every script are trimmed, inner ones stay") {
  CHECK(trim_blanks("\xC2\xA0 \t\xE2\x80\x8B\xEF\xBB\xBF a\xC2\xA0z \xE3\x80\x80\r\n") == "a\xC2\xA0z");
  CHECK(trim_blanks("  ") == "");
  CHECK(trim_blanks("") == "");
  CHECK(trim_blanks("\xFFx ") == "\xFFx");
}

TEST_CASE("printable text is one line without surprises") {
  CHECK(printable(" a\n\x1B[31m b\0c"sv, 100) == "a [31m b c");
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef…");
  CHECK(printable("éééé", 2) == "éé…");
  CHECK(printable("ab cd  ", 5) == "ab cd");
  CHECK(printable("\xFF", 5) == "\xEF\xBF\xBD");
  CHECK(printable("\xC2\x9B"
                  "31m",
                  9) == "31m");
}

TEST_CASE("the registry knows its kinds by their exact names") {
  REQUIRE(!all_kinds().empty());
  for (const JobKind* kind : all_kinds()) {
    CHECK(find_kind(kind->name()) == kind);
    CHECK(find_service(kind->service()) != nullptr);
  }
  CHECK(default_kind().name() == "iacrea.auto");
  CHECK(find_kind("IACREA.AUTO") == nullptr);
  CHECK(find_kind("") == nullptr);
  CHECK(find_service("nobody") == nullptr);
  const ServiceSpec* iacrea = find_service("iacrea");
  REQUIRE(iacrea != nullptr);
  CHECK(iacrea->base_url == "https://iacrea.com");
  CHECK(iacrea->base_url_env == "IACREA_BASE_URL");
  REQUIRE(iacrea->credentials.size() == 1);
  CHECK(iacrea->credentials[0].name == "key");
  CHECK(iacrea->credentials[0].header == "x-api-key");
  CHECK(iacrea->credentials[0].env == "IACREA_API_KEY");
}

}  // namespace
}  // namespace reelbatch
