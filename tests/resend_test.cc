#include <doctest/doctest.h>

#include "runner/curl_transport.h"
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
  int miscounted = 0;
  for (int i = 0; i < 20; ++i) {  // a server that reads fast enough may take all of it at once
    const std::string marker = "large" + std::to_string(i);
    BareCurl curl(options);
    const BareResult result = curl.post(server.url("/close", "https://127.0.0.1"), marker, std::string(60000, ' '));
    CHECK(result.code != 0);
    CHECK(server.arrivals(marker) == 1);
    miscounted += result.request_size == 0 ? 1 : 0;
  }
  CHECK(miscounted > 0);
}

TEST_CASE("libcurl by itself sends a refused POST again over HTTP/2; over HTTP/1.1 there is nothing to refuse") {
  for (const bool always : {false, true}) {
    CAPTURE(always);
    std::vector<std::string> arguments = serving(certificates().good);
    arguments.insert(arguments.end(), {"--refuse", always ? "always" : "once"});
    const HostileServer server(arguments, "hostile_h2.py");
    BareOptions options;
    options.http2 = true;
    options.ca_file = certificates().good;
    BareCurl curl(options);
    const BareResult result = curl.post(server.url("/ok", "https://127.0.0.1"), "bare", "{}");
    CAPTURE(result.code);
    CHECK((result.code == 0) == !always);
    CHECK(server.arrivals("bare") == (always ? 6 : 2));

    const SystemClock clock;
    TransportOptions ours;
    ours.ca_file = certificates().good;
    const auto net = make_curl_transport(clock, ours);
    REQUIRE(net.has_value());
    Exchange exchange;
    exchange.method = "POST";
    exchange.url = server.url("/ok", "https://127.0.0.1");
    exchange.headers = std::make_shared<const std::vector<std::string>>(1, "X-Marker: ours");
    exchange.body = "{}";
    exchange.paid = true;
    (*net)->start(std::move(exchange));
    Happenings some;
    const Instant deadline = clock.now() + std::chrono::seconds(10);
    while (some.completions.empty() && clock.now() < deadline) (*net)->wait_until(deadline, some);
    REQUIRE(some.completions.size() == 1);
    CHECK(some.completions[0].answered);
    CHECK(server.arrivals("ours") == 1);
  }
}
