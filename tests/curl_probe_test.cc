#include "runner/curl_probe.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/hostile_server.h"
#include "tests/scoped_env.h"

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

ProbeAnswer ask(const std::string& url, bool may_lead_inside, Duration timeout = 10s) {
  static const SystemClock clock;
  CurlProbeOptions options;
  options.timeout = timeout;
  Result<std::unique_ptr<CurlProbe>> made = CurlProbe::make(clock, options);
  REQUIRE(made.has_value());
  (*made)->start({7, url, false, may_lead_inside});
  ProbeHappenings happened;
  while ((*made)->open() > 0) (*made)->wait_until(kNever, happened);
  REQUIRE(happened.answers.size() == 1);
  CHECK(happened.answers[0].id == 7);
  return happened.answers[0];
}

}  // namespace

TEST_CASE("curl probe: every request ends in time, whatever phase it hangs in") {
  const HostileServer server;
  // The system accepts connections here, and nobody reads them: TLS never gets an answer.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener, plain, size) == 0);
  REQUIRE(::listen(listener, 8) == 0);
  REQUIRE(::getsockname(listener, plain, &size) == 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  struct Case {
    std::string url;
    const char* error;
  };
  const Case cases[] = {
      {"https://127.0.0.1:" + port + "/", "timed out after 300 ms while connecting"},
      {"http://127.0.0.1:" + port + "/", "gives no answer within 300 ms"},
      {server.url("/never"), "gives no answer within 300 ms"},
      {server.url("/interim-forever"), "answers with more than 64 KiB of headers"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.url);
    const ProbeAnswer answer = ask(c.url, true, 300ms);
    CHECK(answer.status == 0);
    CHECK(answer.error == c.error);
    CHECK(answer.timed_out == (answer.error == "gives no answer within 300 ms"));
  }
  ::close(listener);
}

TEST_CASE("curl probe: a request is sent once, also where a connection that was kept turns out to be dead") {
  const HostileServer server;
  static const SystemClock clock;
  Result<std::unique_ptr<CurlProbe>> made = CurlProbe::make(clock, {});
  REQUIRE(made.has_value());
  std::size_t readies = 0;
  std::vector<ProbeAnswer> answers;
  for (const char* path : {"/ok", "/close-if-reused"}) {
    (*made)->start({answers.size(), server.url(path), false, true});
    ProbeHappenings happened;
    while ((*made)->open() > 0) {
      (*made)->wait_until(kNever, happened);
      readies += happened.ready.size();
      answers.insert(answers.end(), happened.answers.begin(), happened.answers.end());
    }
  }
  CHECK(readies == 2);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].status == 200);
  CHECK(answers[1].error == "closes the connection without an answer");
  CHECK(server.log().size() == 2);
}

TEST_CASE("curl probe: what leads to this machine is not connected to, whatever it is called") {
  const HostileServer server;
  const std::string port = std::to_string(server.port());
  const char* const hosts[] = {"127.0.0.1", "localhost",  "images.localhost",   "2130706433",
                               "127.1",     "0x7f.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"};
  for (const char* host : hosts) {
    CAPTURE(host);
    const ProbeAnswer answer = ask(fmt::format("http://{}:{}/", host, port), false);
    CHECK(answer.leads_inside);
    CHECK_FALSE(answer.connected);
    CHECK(answer.error.find("this machine: no service can fetch it, and it was not asked") != std::string::npos);
  }
  CHECK(server.connections() == 0);
  CHECK(ask(server.url("/ok"), true).status == 200);
}

TEST_CASE("curl probe: nor into a private network") {
  for (const char* host : {"10.0.0.5", "169.254.169.254", "[fd00::1]", "[::ffff:192.168.0.1]", "0xA.5"}) {
    CAPTURE(host);
    const ProbeAnswer answer = ask(fmt::format("http://{}/", host), false);
    CHECK(answer.leads_inside);
    CHECK(answer.error.find(", in a private network: ") != std::string::npos);
  }
}

TEST_CASE("curl probe: a proxy looks names up, so that only numbers are judged; no_proxy does not count") {
  const HostileServer proxy;
  const ScopedEnv env("http_proxy", fmt::format("http://127.0.0.1:{}", proxy.port()).c_str());
  const ScopedEnv exempt("no_proxy", "inner.invalid");
  CHECK(ask("http://169.254.169.254/", false).leads_inside);
  CHECK(proxy.connections() == 0);
  CHECK(ask("http://inner.invalid/ok", false).status == 200);
  CHECK(proxy.connections() == 1);
}
