#include <doctest/doctest.h>

#include "tests/bare_curl.h"
#include "tests/hostile_server.h"

using namespace reelbatch;

TEST_CASE("libcurl by itself sends a POST twice when a used connection dies") {
  const HostileServer server;
  for (const char* path : {"/close-if-reused", "/rst-if-reused"}) {
    CAPTURE(path);
    BareCurl curl({});
    REQUIRE(curl.get(server.url("/ok")).status == 200);
    const BareResult result = curl.post(server.url(path), path, "{}");
    CHECK(result.code == 0);
    CHECK(result.status == 200);
    CHECK(server.arrivals(path) == 2);
  }
}

TEST_CASE("what libcurl counts as sent misses a request that it could not hand over at once") {
  std::vector<std::string> arguments = serving(certificates().good);
  arguments.insert(arguments.end(), {"--receive-buffer", "4096"});
  const HostileServer server(arguments);
  BareOptions options;
  options.ca_file = certificates().good;
  options.send_buffer = 4096;
  BareCurl curl(options);
  const BareResult result = curl.post(server.url("/close", "https://127.0.0.1"), "large", std::string(60000, ' '));
  MESSAGE(result.code << " size " << result.request_size);
  CHECK(server.arrivals("large") == 1);
  CHECK(result.request_size == 0);
}
