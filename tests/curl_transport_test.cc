#include "runner/curl_transport.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "runner/answer_reader.h"
#include "tests/hostile_server.h"

using namespace reelbatch;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const SystemClock kClock;

HeaderSet marked(const std::string& marker) {
  return std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"X-Marker: " + marker, "x-api-key: s3cret"});
}

Exchange exchange(ExchangeId id, const std::string& method, const std::string& url, const std::string& marker = "m") {
  Exchange made;
  made.id = id;
  made.method = method;
  made.url = url;
  made.headers = marked(marker);
  made.body = method == "POST" ? R"({"name":"x"})" : "";
  made.paid = method == "POST";
  return made;
}

std::unique_ptr<CurlTransport> transport(TransportOptions options = {}, const Clock& clock = kClock) {
  Result<std::unique_ptr<CurlTransport>> made = make_curl_transport(clock, std::move(options));
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
  return std::move(*made);
}

TransportOptions quick(milliseconds timeout = milliseconds(10000)) {
  TransportOptions options;
  options.request_timeout = timeout;
  options.turn = milliseconds(0);
  return options;
}

struct Outcome {
  std::vector<Ready> ready;
  std::vector<Completion> completions;
};

// Short where a row is about a timeout, else long enough for a busy machine.
milliseconds timeout_for(const std::string& error) {
  return error.starts_with("timed out") ? milliseconds(300) : milliseconds(10000);
}

// Waits until nothing is open, at most 20 s.
Outcome finish(CurlTransport& transport) {
  Outcome all;
  Happenings some;
  const Instant deadline = kClock.now() + seconds(20);
  while (transport.open() > 0 && kClock.now() < deadline) {
    transport.wait_until(deadline, some);
    all.ready.insert(all.ready.end(), some.ready.begin(), some.ready.end());
    all.completions.insert(all.completions.end(), some.completions.begin(), some.completions.end());
  }
  REQUIRE(transport.open() == 0);
  return all;
}

Completion one(CurlTransport& transport, Exchange sent) {
  const ExchangeId id = sent.id;
  transport.start(std::move(sent));
  const Outcome outcome = finish(transport);
  REQUIRE(outcome.completions.size() == 1);
  REQUIRE(outcome.completions[0].id == id);
  const std::string& error = outcome.completions[0].error;
  CHECK(error.find("s3cret") == std::string::npos);
  CHECK(outcome.completions[0].answered == error.empty());
  return outcome.completions[0];
}

// A port of 127.0.0.1 that nobody serves: refuses connections, or with `full` leaves them waiting.
class DeadPort {
 public:
  explicit DeadPort(bool full) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (!full) return;
    ::listen(fd_, 0);
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(filler, reinterpret_cast<sockaddr*>(&address), size);
    }
  }
  ~DeadPort() {
    for (const int filler : fillers_) ::close(filler);
    ::close(fd_);
  }
  std::string url(const std::string& scheme) const { return scheme + "://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int fd_;
  int port_ = 0;
  int fillers_[4] = {-1, -1, -1, -1};
};

// Sets a variable of the environment for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("answers and lost answers of a POST, which arrives once in all") {
  struct Case {
    const char* path;
    bool answered;
    int status;
    const char* error;
    const char* body;
  };
  const char* const kOk = R"({"ok":true})";
  const Case cases[] = {
      {"ok", true, 200, "", kOk},
      {"html", true, 200, "", "<html>Sign in to continue</html>"},
      {"empty", true, 204, "", ""},
      {"chunked", true, 200, "", kOk},
      {"no-length", true, 200, "", kOk},
      {"rst-after-reply", true, 200, "", kOk},
      {"early", true, 413, "", "{}"},
      {"interim-ok", true, 200, "", kOk},
      {"close", false, 0, "connection closed before the answer", ""},
      {"rst", false, 0, "connection closed before the answer", ""},
      {"interim-close", false, 0, "answer cut short", ""},
      {"cut-status", false, 0, "connection closed before the answer", ""},
      {"cut-header", false, 200, "answer cut short", ""},
      {"cut-length", false, 200, "answer cut short", kOk},
      {"cut-chunked", false, 200, "answer cut short", kOk},
      {"garbage", false, 0, "answer is not http", ""},
      {"never", false, 0, "timed out after 300 ms while waiting for the answer", ""},
  };
  const HostileServer server;
  ExchangeId id = 0;
  for (const bool reused : {false, true}) {
    for (const Case& c : cases) {
      TransportOptions options = quick(timeout_for(c.error));
      options.fresh_paid = !reused;
      CAPTURE(c.path);
      CAPTURE(reused);
      const auto net = transport(options);
      REQUIRE(one(*net, exchange(++id, "GET", server.url("/ok"))).answered);
      const std::string marker = std::to_string(++id);
      const Completion done = one(*net, exchange(id, "POST", server.url(std::string("/v1/") + c.path), marker));
      CHECK(done.answered == c.answered);
      CHECK(done.may_have_left);
      CHECK(done.status == c.status);
      CHECK(done.error == c.error);
      CHECK(done.body == c.body);
      CHECK(done.retry_after == "");
      CHECK(done.location == "");
      CHECK(server.arrivals(marker) == 1);
      const Received last = server.log().back();
      CHECK(last.nth == (reused ? 2 : 1));
      CHECK(last.headers.at("content-type") == "application/json");
      CHECK(last.headers.at("user-agent").starts_with("reelbatch/"));
      CHECK(last.headers.count("expect") == 0);
      CHECK(last.headers.count("accept-encoding") == 0);
    }
  }
}

TEST_CASE("a used connection that dies does not make a request arrive twice") {
  struct Case {
    const char* path;
    const char* method;
    bool fresh_paid;
    bool answered;
  };
  const Case cases[] = {
      {"close-if-reused", "POST", false, false}, {"rst-if-reused", "POST", false, false},
      {"close-if-reused", "POST", true, true},   {"rst-if-reused", "POST", true, true},
      {"close-if-reused", "GET", true, false},   {"rst-if-reused", "GET", true, false},
  };
  const HostileServer server;
  ExchangeId id = 0;
  for (const Case& c : cases) {
    CAPTURE(c.path);
    CAPTURE(c.method);
    CAPTURE(c.fresh_paid);
    TransportOptions options = quick();
    options.fresh_paid = c.fresh_paid;
    const auto net = transport(options);
    REQUIRE(one(*net, exchange(++id, "GET", server.url("/ok"))).answered);
    const std::string marker = std::to_string(++id);
    const Completion done = one(*net, exchange(id, c.method, server.url(std::string("/") + c.path), marker));
    CHECK(done.answered == c.answered);
    CHECK(done.may_have_left);
    CHECK(done.error == (c.answered ? "" : "connection closed before the answer"));
    CHECK(server.arrivals(marker) == 1);
  }
}

TEST_CASE("a poll may use the connection that a paid exchange opened") {
  const HostileServer server;
  const auto net = transport(quick());
  REQUIRE(one(*net, exchange(1, "POST", server.url("/ok"), "a")).answered);
  REQUIRE(one(*net, exchange(2, "GET", server.url("/ok"), "b")).answered);
  REQUIRE(one(*net, exchange(3, "POST", server.url("/ok"), "c")).answered);
  const std::vector<Received> log = server.log();
  CHECK(log[0].connection == log[1].connection);
  CHECK(log[2].connection != log[1].connection);
}

TEST_CASE("a connection reset while idle: the request starts again and arrives once") {
  // The moment between libcurl's look at an idle connection and its first byte is when it asks us, and we the clock.
  struct Trap final : Clock {
    const SystemClock real;
    const HostileServer* server = nullptr;
    mutable int countdown = 0;
    Instant now() const override {
      if (--countdown == 0) server->control("/__rst_idle");
      return real.now();
    }
    WallTime wall() const override { return real.wall(); }
  };
  const HostileServer server;
  Trap clock;
  clock.server = &server;
  int started_twice = 0;
  for (int position = 1; position <= 10; ++position) {
    CAPTURE(position);
    TransportOptions options = quick();
    options.fresh_paid = false;
    const auto net = transport(options, clock);
    REQUIRE(one(*net, exchange(1, "GET", server.url("/ok"))).answered);
    const std::string marker = "idle" + std::to_string(position);
    clock.countdown = position;
    net->start(exchange(2, "POST", server.url("/ok"), marker));
    const Outcome outcome = finish(*net);
    REQUIRE(outcome.completions.size() == 1);
    const Completion& done = outcome.completions[0];
    CHECK(server.arrivals(marker) == 1);
    CHECK(done.may_have_left);
    if (outcome.ready.size() == 2) {
      ++started_twice;
      CHECK(done.answered);
      CHECK(outcome.ready[1].at >= outcome.ready[0].at);
    }
  }
  CHECK(started_twice > 0);
}

TEST_CASE("a request that leaves in pieces may have left") {
  std::vector<std::string> arguments = serving(certificates().good);
  arguments.insert(arguments.end(), {"--receive-buffer", "4096"});
  const HostileServer server(arguments);
  for (const char* path : {"/close", "/rst", "/never", "/ok"}) {
    CAPTURE(path);
    TransportOptions options = quick(milliseconds(path == std::string("/never") ? 1000 : 10000));
    options.ca_file = certificates().good;
    options.send_buffer = 4096;
    const auto net = transport(options);
    Exchange large = exchange(1, "POST", server.url(path, "https://127.0.0.1"), path);
    large.body = std::string(60000, ' ');
    const Completion done = one(*net, std::move(large));
    CHECK(done.answered == (path == std::string("/ok")));
    CHECK(done.may_have_left);
    CHECK(server.arrivals(path) == 1);
  }
}

TEST_CASE("what did not leave") {
  const HostileServer plain;
  const HostileServer closing({"--accept", "close"});
  const HostileServer resetting({"--accept", "rst"});
  const HostileServer talking({"--accept", "garbage"});
  const HostileServer tls(serving(certificates().good));
  const HostileServer wrong(serving(certificates().wrong));
  const DeadPort refusing(false);
  const DeadPort full(true);
  const std::string near = "https://127.0.0.1";
  struct Case {
    const char* name;
    std::string url;
    std::string ca_file;
    const char* error;  // its beginning, or nullptr if it depends
  };
  const std::string long_name = std::string(64, 'a') + ".invalid";  // longer than a label may be: no server is asked
  const Case cases[] = {
      {"no such name", "https://" + long_name + "/", "", "cannot resolve host '"},
      {"refused", refusing.url("http"), "", "connection refused"},
      {"refused, TLS", refusing.url("https"), "", "connection refused"},
      {"connection not accepted", full.url("http"), "", "timed out after 300 ms while connecting"},
      {"handshake stalls", plain.url("/ok", near), "", "timed out after 300 ms while connecting"},
      {"closed in handshake", closing.url("/ok", near), "", "tls handshake failed: "},
      {"reset in handshake", resetting.url("/ok", near), "", nullptr},
      {"TLS to a plain port", talking.url("/ok", near), "", "tls handshake failed: "},
      {"self-signed", tls.url("/ok", near), "", "certificate not trusted: self-signed certificate"},
      {"other root", tls.url("/ok", near), certificates().other, "certificate not trusted: "},
      {"other name", wrong.url("/ok", near), certificates().wrong, "certificate not trusted: "},
      {"clear to another machine", "http://example.invalid/", "", "cannot send: 'example.invalid' is not this machine"},
      {"nearly this machine", "http://127.example.invalid/", "", "cannot send: "},
      {"other scheme", "file:///etc/passwd", "", "cannot send: "},
      {"no address", "https://", "", "cannot send: "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TransportOptions options = quick(timeout_for(c.error == nullptr ? "" : c.error));
    options.ca_file = c.ca_file;
    const auto net = transport(options);
    const Completion done = one(*net, exchange(7, "POST", c.url));
    CHECK(!done.answered);
    CHECK(!done.may_have_left);
    CHECK(done.status == 0);
    if (c.error != nullptr) {
      CHECK_MESSAGE(done.error.starts_with(c.error), done.error);
    } else {  // the reset may come before or after libcurl's first look
      CHECK((done.error.starts_with("tls handshake failed: ") || done.error.starts_with("cannot connect: ")));
    }
  }
  for (const HostileServer* server : {&plain, &tls, &wrong}) CHECK(server->log().empty());

  // Here nothing arrived either, but nobody can tell.
  for (const HostileServer* server : {&closing, &resetting}) {
    const auto net = transport(quick());
    const Completion done = one(*net, exchange(8, "POST", server->url("/ok")));
    CHECK(!done.answered);
    CHECK((done.may_have_left || done.error == "cannot connect: connection reset by peer"));
  }
}

TEST_CASE("with the right root TLS works, and its connections are used again") {
  const HostileServer server(serving(certificates().good));
  TransportOptions options = quick();
  options.ca_file = certificates().good;
  const auto net = transport(options);
  for (const char* origin : {"https://127.0.0.1", "https://localhost"}) {
    CHECK(one(*net, exchange(1, "POST", server.url("/ok", origin), "a")).answered);
    CHECK(one(*net, exchange(2, "GET", server.url("/ok", origin), "b")).answered);
  }
  const std::vector<Received> log = server.log();
  REQUIRE(log.size() == 4);
  CHECK(log[0].connection == log[1].connection);
  const Completion cut = one(*net, exchange(3, "POST", server.url("/no-length", "https://127.0.0.1"), "c"));
  CHECK(cut.may_have_left);
}

TEST_CASE("redirects are reported and carry the key nowhere") {
  const HostileServer here;
  const HostileServer there;
  const auto net = transport(quick());
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"}) {
    for (const char* method : {"GET", "POST"}) {
      CAPTURE(status);
      Exchange sent = exchange(1, method, here.url("/redirect"));
      std::vector<std::string> headers = *sent.headers;
      headers.push_back("X-Target: " + there.url("/ok"));
      headers.push_back(std::string("X-Status: ") + status);
      sent.headers = std::make_shared<const std::vector<std::string>>(headers);
      const Completion done = one(*net, std::move(sent));
      CHECK(done.answered);
      CHECK(done.status == std::stoi(status));
      CHECK(done.location == there.url("/ok"));
    }
  }
  CHECK(here.log().size() == 10);
  CHECK(there.log().empty());
}

TEST_CASE("Retry-After is the answer's own, as sent") {
  const HostileServer server;
  const auto net = transport(quick());
  const Completion busy = one(*net, exchange(1, "POST", server.url("/busy")));
  CHECK(busy.answered);
  CHECK(busy.status == 429);
  CHECK(busy.retry_after == "17");
  // The next exchange on the same record starts clean.
  CHECK(one(*net, exchange(2, "GET", server.url("/ok"))).retry_after == "");
}

TEST_CASE("answers are bounded") {
  struct Case {
    const char* path;
    bool answered;
    const char* error;
  };
  const Case cases[] = {
      {"exactly-4m", true, ""},
      {"huge", false, "answer larger than 4 MiB"},
      {"huge-chunked", false, "answer larger than 4 MiB"},
      {"long-headers", false, "answer headers larger than 256 KiB"},
      {"interim-forever", false, "answer headers larger than 256 KiB"},
      {"drip", false, "timed out after 300 ms while waiting for the answer"},
  };
  const HostileServer server;
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const auto net = transport(quick(timeout_for(c.error)));
    const Instant begun = kClock.now();
    const Completion done = one(*net, exchange(1, "GET", server.url(std::string("/") + c.path)));
    CHECK(done.answered == c.answered);
    CHECK(done.error == c.error);
    CHECK(done.body.size() <= AnswerReader::kBodyLimit);
    CHECK(kClock.now() - begun < seconds(8));
  }
}

TEST_CASE("a header with a line break is not sent") {
  const HostileServer server;
  const auto net = transport(quick());
  Exchange sent = exchange(1, "POST", server.url("/ok"));
  sent.headers = std::make_shared<const std::vector<std::string>>(1, "x-api-key: s3cret\r\nX-Other: y");
  const Completion done = one(*net, std::move(sent));
  CHECK(!done.may_have_left);
  CHECK(done.error == "cannot send: a request header holds a line break");
  CHECK(server.log().empty());
}

TEST_CASE("proxies of the environment") {
  const HostileServer server(serving(certificates().good));
  const HostileServer refusing;
  const HostileServer leading({"--tunnel-to", std::to_string(server.port())});
  TransportOptions options = quick();
  options.ca_file = certificates().good;

  SUBCASE("a refused tunnel sent nothing") {
    const Variable proxy("https_proxy", "http://user:s3cret@127.0.0.1:" + std::to_string(refusing.port()));
    const auto net = transport(options);
    const Completion done = one(*net, exchange(1, "POST", "https://tunnel.invalid/ok"));
    CHECK(!done.may_have_left);
    CHECK(done.error == "proxy refused the connection: it answered 502");
    CHECK(done.status == 0);
    const std::vector<Received> log = refusing.log();
    REQUIRE(log.size() == 1);
    CHECK(log[0].method == "CONNECT");
    CHECK(log[0].headers.count("x-api-key") == 0);
  }
  SUBCASE("through a tunnel") {
    const Variable proxy("https_proxy", "http://127.0.0.1:" + std::to_string(leading.port()));
    options.fresh_paid = false;
    const auto net = transport(options);
    for (const char* path : {"ok", "close", "ok", "close-if-reused", "cut-header"}) {
      CAPTURE(path);
      const std::size_t before = server.log().size();
      const Completion done = one(*net, exchange(1, "POST", std::string("https://tunnel.invalid/") + path));
      CHECK(done.answered == (path == std::string("ok")));
      CHECK(done.may_have_left);
      CHECK(done.retry_after == "");
      if (path == std::string("close")) {
        CHECK(done.status == 0);
        CHECK(done.error == "connection closed before the answer");
      }
      CHECK(server.log().size() == before + 1);
    }
  }
  SUBCASE("never for this machine") {
    const Variable http("http_proxy", refusing.url(""));
    const Variable https("https_proxy", refusing.url(""));
    const Variable all("ALL_PROXY", refusing.url(""));
    const auto net = transport(options);
    for (const char* origin : {"https://127.0.0.1", "https://localhost", "https://127.1"}) {
      CHECK(one(*net, exchange(1, "GET", server.url("/ok", origin))).answered);
    }
    CHECK(one(*net, exchange(1, "GET", leading.url("/ok"))).answered);
    CHECK(refusing.log().empty());
  }
}

TEST_CASE("two thousand POSTs against a server that drops a third of them") {
  bool tls = false;
  SUBCASE("in clear") {}
  SUBCASE("TLS") {
    tls = true;
  }
  const HostileServer server(tls ? serving(certificates().good) : std::vector<std::string>{});
  const std::string url = server.url("/chaos", tls ? "https://127.0.0.1" : "http://127.0.0.1");
  TransportOptions options = quick(milliseconds(20000));
  options.fresh_paid = false;
  if (tls) options.ca_file = certificates().good;
  const auto net = transport(options);
  constexpr ExchangeId kCount = 2000;
  ExchangeId next = 0;
  std::map<ExchangeId, Completion> ended;
  Happenings some;
  const Instant deadline = kClock.now() + seconds(60);
  while (ended.size() < kCount && kClock.now() < deadline) {
    while (net->open() < 50 && next < kCount) {
      net->start(exchange(next, "POST", url, std::to_string(next)));
      ++next;
    }
    net->wait_until(deadline, some);
    for (const Completion& done : some.completions) CHECK(ended.emplace(done.id, done).second);
  }
  REQUIRE(ended.size() == kCount);
  std::map<ExchangeId, int> arrived;
  int reused = 0;
  for (const Received& received : server.log()) {
    ++arrived[std::stoull(received.marker)];
    reused += received.nth > 1 ? 1 : 0;
  }
  int twice = 0;
  int lost = 0;
  int untrue = 0;
  for (const auto& [id, done] : ended) {
    if (arrived[id] > 1) ++twice;
    if (!done.answered) ++lost;
    if (arrived[id] > 0 && !done.may_have_left) ++untrue;
    if (arrived[id] == 0 && done.answered) ++untrue;
  }
  CHECK(twice == 0);
  CHECK(untrue == 0);
  CHECK(reused > 500);  // else nothing was tried
  CHECK(lost > 200);
}

TEST_CASE("hundreds of exchanges open at once, over several libcurl handles") {
  const HostileServer server;
  TransportOptions options = quick(milliseconds(15000));
  options.max_connections = 300;
  const auto net = transport(options);
  std::set<ExchangeId> readies;
  Happenings some;
  for (ExchangeId id = 0; id < 320; ++id) net->start(exchange(id, "GET", server.url("/hold")));
  const Instant deadline = kClock.now() + seconds(10);
  while (readies.size() < 320 && kClock.now() < deadline) {
    net->wait_until(deadline, some);
    CHECK(some.completions.empty());
    for (const Ready& ready : some.ready) readies.insert(ready.id);
  }
  CHECK(readies.size() == 320);
  CHECK(net->open() == 320);
  server.control("/__release");
  const Outcome outcome = finish(*net);
  std::set<ExchangeId> answered;
  for (const Completion& done : outcome.completions) {
    if (done.answered) answered.insert(done.id);
  }
  CHECK(answered.size() == 320);
  // And once more over the connections that are there.
  const int connections = server.connections();
  for (ExchangeId id = 0; id < 100; ++id) net->start(exchange(id, "GET", server.url("/ok")));
  CHECK(finish(*net).completions.size() == 100);
  CHECK(server.connections() == connections);
}

TEST_CASE("waiting") {
  const HostileServer server;
  Happenings some;

  SUBCASE("ends at the deadline, and at once if that is past") {
    const auto net = transport(quick());
    const Instant begun = kClock.now();
    net->wait_until(begun + milliseconds(20), some);
    const Instant ended = kClock.now();
    CHECK(ended - begun >= milliseconds(20));
    CHECK(ended - begun < seconds(2));
    net->wait_until(Instant::min(), some);
    CHECK(kClock.now() - ended < seconds(1));
    CHECK(some.completions.empty());
  }
  SUBCASE("ends when woken") {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    TransportOptions options = quick();
    options.wake_fd = pipe[0];
    const auto net = transport(options);
    net->start(exchange(1, "GET", server.url("/hold")));
    REQUIRE(::write(pipe[1], "x", 1) == 1);
    const Instant begun = kClock.now();
    for (int i = 0; i < 3; ++i) net->wait_until(kNever, some);  // it stays awake until its owner has read
    CHECK(kClock.now() - begun < seconds(1));
    CHECK(net->open() == 1);
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  SUBCASE("does not turn in circles for an idle connection that the server closed") {
    struct Counting final : Clock {
      const SystemClock real;
      mutable int readings = 0;
      Instant now() const override {
        ++readings;
        return real.now();
      }
      WallTime wall() const override { return real.wall(); }
    };
    const Counting clock;
    const auto net = transport(quick(), clock);
    REQUIRE(one(*net, exchange(1, "GET", server.url("/ok"))).answered);
    server.control("/__rst_idle");
    clock.readings = 0;
    net->wait_until(kClock.now() + milliseconds(100), some);
    CHECK(clock.readings < 50);
    CHECK(one(*net, exchange(2, "GET", server.url("/ok"))).answered);
  }
  SUBCASE("reports what could not be sent without delay") {
    const auto net = transport(quick());
    net->start(exchange(1, "DELETE", server.url("/ok")));
    CHECK(net->open() == 1);
    net->wait_until(kNever, some);
    REQUIRE(some.completions.size() == 1);
    CHECK(some.completions[0].error == "cannot send: unknown method 'DELETE'");
    CHECK(net->open() == 0);
  }
  SUBCASE("gathers until its turn ends") {
    TransportOptions options = quick();
    options.turn = milliseconds(100);
    const auto net = transport(options);
    ExchangeId next = 0;
    std::optional<Instant> last;
    for (int turns = 0; turns < 4;) {
      while (net->open() < 20) net->start(exchange(next++, "GET", server.url("/ok")));
      net->wait_until(kClock.now() + seconds(5), some);
      const Instant now = kClock.now();
      REQUIRE(!(some.completions.empty() && some.ready.empty()));
      if (last) CHECK(now - *last >= milliseconds(75));  // of 100: our own readings are not its
      last = now;
      ++turns;
    }
    net->wait_until(kClock.now() + milliseconds(5), some);  // also if the deadline is nearer
    CHECK(kClock.now() - *last >= milliseconds(75));
  }
  SUBCASE("gathers no longer when woken") {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    TransportOptions options = quick();
    options.turn = seconds(60);
    options.wake_fd = pipe[0];
    const auto net = transport(options);
    net->wait_until(Instant::min(), some);
    REQUIRE(::write(pipe[1], "x", 1) == 1);
    const Instant begun = kClock.now();
    net->wait_until(kNever, some);
    CHECK(kClock.now() - begun < seconds(30));
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
}

TEST_CASE("what is known at the start") {
  TransportOptions options;
  SUBCASE("no file of roots") {
    options.ca_file = "/nonexistent/roots.pem";
    const auto made = make_curl_transport(kClock, options);
    REQUIRE(!made);
    CHECK(made.error().fault == Fault::Usage);
    CHECK(made.error().message.starts_with("cannot read '/nonexistent/roots.pem'"));
  }
  SUBCASE("a file without roots") {
    options.ca_file = certificates().empty;
    const auto made = make_curl_transport(kClock, options);
    REQUIRE(!made);
    CHECK(made.error().message.starts_with("no certificate in '"));
  }
  SUBCASE("open files: raised as far as needed, refused beyond") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit low = before;
    low.rlim_cur = 100;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    options.max_connections = 200;
    CHECK(make_curl_transport(kClock, options).has_value());
    rlimit after{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
    CHECK(after.rlim_cur == 464);
    options.max_connections = 1 << 30;
    const auto made = make_curl_transport(kClock, options);
    REQUIRE(!made);
    CHECK(made.error().fault == Fault::Ground);
    CHECK(made.error().message.find("ulimit -n") != std::string::npos);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  }
  SUBCASE("values out of range") {
    options.max_connections = 0;
    CHECK(!make_curl_transport(kClock, options));
    options.max_connections = 1;
    options.request_timeout = Duration(0);
    CHECK(!make_curl_transport(kClock, options));
  }
}
