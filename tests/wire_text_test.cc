#include "runner/wire_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runner/answer_reader.h"

using namespace reelbatch;

TEST_CASE("only this machine is this machine") {
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1", "[::1]"}) {
    CAPTURE(host);
    CHECK(is_loopback(host));
  }
  for (const char* host : {"", "localhost.example", "127.example", "127.0.0.1.example", "128.0.0.1", "::2", "127"}) {
    CAPTURE(host);
    CHECK(!is_loopback(host));
  }
}

TEST_CASE("other people's messages become the tail of ours") {
  CHECK(in_our_words("SSL certificate problem: certificate has expired") == "certificate has expired");
  CHECK(in_our_words("Network is unreachable.\n") == "network is unreachable");
  CHECK(in_our_words("TCP stack\tsaid\x1b[31m no") == "TCP stack said [31m no");
  CHECK(in_our_words("") == "");
  CHECK(in_our_words(".") == "");
}

TEST_CASE("durations are spelt") {
  CHECK(spell(std::chrono::seconds(30)) == "30 s");
  CHECK(spell(std::chrono::milliseconds(1500)) == "1500 ms");
}

TEST_CASE("what is kept of header lines") {
  struct Case {
    const char* name;
    std::vector<const char*> lines;
    bool whole;
    const char* retry_after;
    const char* location;
  };
  const Case cases[] = {
      {"nothing", {}, false, "", ""},
      {"whole", {"HTTP/1.1 429 \r\n", "Retry-After: 3\r\n", "Location: /a:b\r\n", "\r\n"}, true, "3", "/a:b"},
      {"bare line ends, other case, blanks", {"HTTP/1.1 429\n", "RETRY-AFTER:\t 3 \n", "\n"}, true, "3", ""},
      {"cut", {"HTTP/1.1 429 \r\n", "Retry-After: 3\r\n"}, false, "3", ""},
      {"interim first", {"HTTP/1.1 100 \r\n", "Location: x\r\n", "\r\n", "HTTP/1.1 200 \r\n", "\r\n"}, true, "", ""},
      {"interim, then cut", {"HTTP/1.1 100 \r\n", "\r\n", "HTTP/1.1 200 \r\n"}, false, "", ""},
      {"trailer", {"HTTP/1.1 200 \r\n", "\r\n", "Retry-After: 3\r\n", "\r\n"}, true, "", ""},
      {"no colon, no value", {"HTTP/1.1 200 \r\n", "Retry-After\r\n", "Location:\r\n", "\r\n"}, true, "", ""},
      {"similar names", {"HTTP/1.1 200 \r\n", "X-Retry-After: 3\r\n", "Locations: 3\r\n", "\r\n"}, true, "", ""},
      {"only an empty line", {"\r\n"}, false, "", ""},
  };
  AnswerReader reader;
  for (const Case& c : cases) {
    CAPTURE(c.name);
    reader.clear();
    for (const char* line : c.lines) CHECK(reader.add_header(line));
    CHECK(reader.headers_whole() == c.whole);
    CHECK(reader.began() == !c.lines.empty());
    CHECK(reader.retry_after() == c.retry_after);
    CHECK(reader.location() == c.location);
  }
}

TEST_CASE("the limits are exact, and a cleared reader is new") {
  AnswerReader reader;
  CHECK(reader.add_body(std::string(AnswerReader::kBodyLimit, 'x')));
  CHECK(reader.excess() == "");
  CHECK(!reader.add_body("x"));
  CHECK(reader.body().size() == AnswerReader::kBodyLimit);
  CHECK(reader.excess() == "answer larger than 4 MiB");
  reader.clear();
  reader.expect_list();
  CHECK(reader.add_body(std::string(AnswerReader::kListLimit, 'x')));
  CHECK(!reader.add_body("x"));
  CHECK(reader.excess() == "list larger than 64 MiB");
  CHECK(reader.take_body().size() == AnswerReader::kListLimit);
  reader.clear();
  CHECK(reader.add_body("x"));
  CHECK(!reader.add_body(std::string(AnswerReader::kBodyLimit, 'x')));
  reader.clear();
  CHECK(reader.excess() == "");
  CHECK(reader.body() == "");
  CHECK(reader.add_header(std::string(AnswerReader::kHeaderLimit, 'x')));
  CHECK(!reader.add_header("\r\n"));
  CHECK(reader.excess() == "answer headers larger than 256 KiB");
}
