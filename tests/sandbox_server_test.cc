#include <doctest/doctest.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "jobs/json.h"
#include "runner/sandbox.h"
#include "tests/loopback_client.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

constexpr const char* kPath = "/api/video-editor/generate/video/auto";
constexpr const char* kBody =
    R"({"image_urls":["https://x.test/1.jpg","https://x.test/2.jpg"],"description":"Bright flat with terrace"})";

/// run_sandbox() in a child process, until it is stopped or goes out of scope.
class ForkedSandbox {
 public:
  explicit ForkedSandbox(const SandboxOptions& options) {
    int out[2] = {-1, -1};
    REQUIRE(::pipe(out) == 0);
    std::fflush(stdout);  // or the child prints what the test runner had buffered
    std::cout.flush();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::alarm(60);  // whatever happens to the test, this ends
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::close(out[1]);
      ::_exit(run_sandbox(options));
    }
    ::close(out[1]);
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n') line_ += c;
    out_ = out[0];
  }
  ForkedSandbox(const ForkedSandbox&) = delete;
  ForkedSandbox& operator=(const ForkedSandbox&) = delete;
  ~ForkedSandbox() {
    end(SIGKILL);
    ::close(out_);
  }

  /// Its exit code after `signal`, or minus the signal that killed it. Without a signal: waits for its own end.
  int end(int signal) {
    if (pid_ < 0) return 0;
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& line() const { return line_; }
  int port() const { return std::atoi(line_.substr(line_.rfind(':') + 1).c_str()); }
  /// What it printed after the first line; to be called after end().
  std::string rest() {
    std::string text;
    char c = 0;
    while (::read(out_, &c, 1) == 1) text += c;
    return text;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string line_;
};

SandboxOptions calm(std::string_view faults = "") {
  SandboxOptions options;
  options.seed = 1;
  options.service.clip_error_rate = 0;
  if (!faults.empty()) REQUIRE(add_faults(faults, options.faults));
  return options;
}

std::string member(const std::string& body, std::string_view name) {
  JsonReader reader;
  const auto parsed = reader.parse(body);
  REQUIRE_MESSAGE(parsed, body);
  if (const auto text = json_string(*parsed, name)) return std::string(*text);
  if (const auto number = json_credits(*parsed, name)) return to_text(*number);
  return "";
}

std::size_t jobs_of(int port) {
  const RawReply reply = LoopbackClient(port).request("GET", "/sandbox/jobs");
  REQUIRE(reply.status == 200);
  JsonReader reader;
  const auto parsed = reader.parse(reply.body);
  REQUIRE_MESSAGE(parsed, reply.body);
  return (*parsed)["jobs"].get_array().value_unsafe().size();
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the sandbox says where it listens, serves one connection many times, and stops when told") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ForkedSandbox sandbox(calm());
    CHECK(sandbox.line() == fmt::format("sandbox listening on http://127.0.0.1:{}", sandbox.port()));
    LoopbackClient client(sandbox.port());
    const RawReply started = client.request("POST", kPath, kBody);
    CHECK(started.status == 201);
    CHECK(started.header("content-type") == "application/json");
    const RawReply polled = client.request("GET", fmt::format("{}/{}", kPath, member(started.body, "id")));
    CHECK(polled.status == 200);
    CHECK(member(polled.body, "status") == "GENERATING_VIDEO");
    CHECK(client.request("GET", "/nowhere").status == 404);
    CHECK(sandbox.end(signal) == 0);
    CHECK(sandbox.rest() == "");
  }
}

TEST_CASE("what arrives in pieces, in chunks or after 100-continue is one request") {
  ForkedSandbox sandbox(calm());
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nX-API-KEY: k\r\nContent-Type: application/json\r\n", kPath);
  const std::string body = kBody;
  const std::string length = fmt::format("Content-Length: {}\r\n", body.size());
  LoopbackClient pieces(sandbox.port());
  for (const char c : head + length + "\r\n" + body) REQUIRE(pieces.send(std::string(1, c)));
  CHECK(pieces.receive().status == 201);

  LoopbackClient chunked(sandbox.port());
  chunked.send(head + fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 7,
                                  body.substr(0, 7), body.size() - 7, body.substr(7)));
  CHECK(chunked.receive().status == 201);

  LoopbackClient waiting(sandbox.port());
  waiting.send(head + length + "Expect: 100-continue\r\n\r\n");
  CHECK(waiting.receive().status == 100);
  waiting.send(body);
  CHECK(waiting.receive().status == 201);
  CHECK(jobs_of(sandbox.port()) == 3);
}

TEST_CASE("services see the path as it was sent, and bodies are bounded") {
  ForkedSandbox sandbox(calm());
  LoopbackClient client(sandbox.port());
  CHECK(client.request("GET", std::string(kPath) + "/a%2Fb%3Fc").header("content-type") == "application/json");
  CHECK(client.request("GET", std::string(kPath) + "/x/?a=%20b").header("location") ==
        std::string(kPath) + "/x?a=%20b");
  CHECK(client.request("POST", kPath, std::string(5 << 20, ' ')).status == 413);
  CHECK(LoopbackClient(sandbox.port()).request("POST", kPath, kBody).status == 201);
}

TEST_CASE("a lost answer is a connection closed without a byte") {
  struct Case {
    std::string fault;
    std::size_t jobs;
  };
  for (const Case& one : {Case{"post:lost-after=1", 1}, Case{"post:lost-before=1", 0}}) {
    CAPTURE(one.fault);
    ForkedSandbox sandbox(calm(one.fault));
    LoopbackClient client(sandbox.port());
    CHECK(client.request("GET", std::string(kPath) + "/x").status == 404);
    const RawReply lost = client.request("POST", kPath, kBody);  // on a connection that has worked before
    CHECK(lost.bytes == 0);
    CHECK(lost.closed);
    CHECK(jobs_of(sandbox.port()) == one.jobs);
    const std::string counts = LoopbackClient(sandbox.port()).request("GET", "/sandbox/requests").body;
    CHECK_MESSAGE(
        counts.find(R"("requests":{"GET":1,"POST":1},"answers":{"GET 404":1,"POST lost":1})") != std::string::npos,
        counts);
  }
}

TEST_CASE("faults that answer, over the wire") {
  struct Case {
    std::string fault;
    int status;
    const char* retry_after;
    std::size_t jobs;
  };
  for (const Case& one :
       {Case{"post:429@7s=1", 429, "7", 0}, Case{"post:429-bare=1", 429, "", 0}, Case{"post:500-before=1", 500, "", 0},
        Case{"post:500-after=1", 500, "", 1}, Case{"post:503=1", 503, "", 0}, Case{"post:html=1", 200, "", 1},
        Case{"post:cut=1", 201, "", 1}, Case{"get:cut=1", 201, "", 1}}) {
    CAPTURE(one.fault);
    ForkedSandbox sandbox(calm(one.fault));
    const RawReply reply = LoopbackClient(sandbox.port()).request("POST", kPath, kBody);
    CHECK(reply.status == one.status);
    CHECK(reply.header("retry-after") == one.retry_after);
    CHECK(jobs_of(sandbox.port()) == one.jobs);
    JsonReader reader;
    CHECK(reader.parse(reply.body).has_value() == (one.fault[0] == 'g' || one.status >= 400));
  }
}

TEST_CASE("a slow answer waits, and the others do not") {
  ForkedSandbox sandbox(calm("post:slow@400ms=1"));
  LoopbackClient slow(sandbox.port());
  const auto start = std::chrono::steady_clock::now();
  slow.send(
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\nContent-Type: application/json\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  kPath, std::string_view(kBody).size(), kBody));
  while (jobs_of(sandbox.port()) == 0) {
  }
  CHECK(LoopbackClient(sandbox.port()).request("GET", std::string(kPath) + "/x").status == 404);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(400));
  CHECK(slow.receive().status == 201);
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(400));
}

TEST_CASE("a stop answers what still waits, however late the request came") {
  for (int i = 0; i < 20; ++i) {
    ForkedSandbox sandbox(calm("slow@1h=1"));
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    LoopbackClient early(sandbox.port());
    LoopbackClient late(sandbox.port());
    early.send(request);
    while (LoopbackClient(sandbox.port()).request("GET", "/sandbox/requests").body.find("GET") == std::string::npos) {
    }
    late.send(request);
    CHECK(sandbox.end(SIGTERM) == 0);
    CHECK(early.receive().status == 404);
  }
}

TEST_CASE("in an outage connections are taken and closed") {
  ForkedSandbox sandbox(calm("outage@0s+1h"));
  LoopbackClient client(sandbox.port());
  CHECK(client.connected());
  const RawReply reply = client.request("POST", kPath, kBody);
  CHECK(reply.bytes == 0);
  CHECK(reply.closed);
}

TEST_CASE("the rate limit answers 429 with the time to wait") {
  SandboxOptions options = calm();
  options.rate = {{2, std::chrono::hours(1)}, {100, std::chrono::seconds(1)}};
  ForkedSandbox sandbox(options);
  LoopbackClient client(sandbox.port());
  CHECK(client.request("POST", kPath, kBody).status == 201);
  CHECK(client.request("GET", std::string(kPath) + "/x").status == 404);
  const RawReply refused = client.request("POST", kPath, kBody);
  CHECK(refused.status == 429);
  const int seconds = std::atoi(refused.header("retry-after").c_str());
  CHECK(seconds > 3500);
  CHECK(seconds <= 3600);
  CHECK(jobs_of(sandbox.port()) == 1);
}

TEST_CASE("a killed sandbox continues from its state") {
  const ScopedFolder folder;
  SandboxOptions options = calm();
  options.state = folder.path().string() + "/state.jsonl";
  options.service.credits = Credits::whole(5);
  options.service.clip_ms = 3'600'000;
  ForkedSandbox first(options);
  LoopbackClient client(first.port());
  const std::string id = member(client.request("POST", kPath, kBody).body, "id");
  const std::string poll = fmt::format("{}/{}", kPath, id);
  CHECK(member(client.request("GET", poll).body, "status") == "GENERATING_VIDEO");
  first.end(SIGKILL);
  struct stat state {};
  REQUIRE(::stat(options.state.c_str(), &state) == 0);
  CHECK((state.st_mode & 0777U) == 0600);

  std::ofstream(options.state, std::ios::app) << R"({"service":"iac)";  // torn by the kill
  options.seed = 99;                                                    // the state's own counts
  ForkedSandbox second(options);
  LoopbackClient again(second.port());
  CHECK(jobs_of(second.port()) == 1);
  CHECK(member(again.request("GET", poll).body, "status") == "GENERATING_VIDEO");
  const RawReply next = again.request("POST", kPath, kBody);
  CHECK(next.status == 201);
  CHECK(member(next.body, "id") != id);
  CHECK(member(next.body, "creditsTotal") == "1");
  CHECK(again.request("POST", kPath, kBody).status == 402);
  CHECK(second.end(SIGTERM) == 0);
  ForkedSandbox third(options);
  CHECK(jobs_of(third.port()) == 2);
}

TEST_CASE("a sandbox that cannot begin says why by its exit code") {
  const ScopedFolder folder;
  SandboxOptions options = calm();
  options.state = folder.path().string() + "/state.jsonl";
  ForkedSandbox running(options);

  CHECK(ForkedSandbox(options).end(0) == 6);
  SandboxOptions other = calm();
  other.port = running.port();
  CHECK(ForkedSandbox(other).end(0) == 2);
  other = calm();
  other.state = folder.path().string() + "/results.csv";
  std::ofstream(other.state) << "id,kind\nA-1,x";
  CHECK(ForkedSandbox(other).end(0) == 2);
  CHECK(contents(other.state) == "id,kind\nA-1,x");
  other.state = folder.path().string() + "/none/state.jsonl";
  CHECK(ForkedSandbox(other).end(0) == 7);
  other.state = folder.path().string() + "/damaged.jsonl";
  std::ofstream(other.state) << "{\"sandbox\":1,\"seed\":1}\n{\"service\":\"none\",\"line\":{}}\n";
  CHECK(ForkedSandbox(other).end(0) == 7);
}

TEST_CASE("a finished job calls its webhook, and its video can be fetched") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(listener, 5) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);

  SandboxOptions options = calm();
  options.speed = 1000;
  options.service.clip_ms = options.service.render_ms = 1;
  ForkedSandbox sandbox(options);
  LoopbackClient client(sandbox.port());
  const std::string id =
      member(client
                 .request("POST", kPath,
                          fmt::format(R"({{"image_urls":["https://x.test/1.jpg"],"description":"Bright flat!",)"
                                      R"("webhookUrl":"http://127.0.0.1:{}/hook?a=1"}})",
                                      ntohs(address.sin_port)))
                 .body,
             "id");
  RawReply polled;
  for (int i = 0; i < 1000 && polled.body.find("DONE") == std::string::npos; ++i) {
    polled = client.request("GET", fmt::format("{}/{}", kPath, id));
  }
  const std::string url = member(polled.body, "url");
  CHECK(url == fmt::format("http://127.0.0.1:{}/sandbox/videos/{}.mp4", sandbox.port(), id));
  pollfd called{listener, POLLIN, 0};
  REQUIRE(::poll(&called, 1, 10'000) == 1);
  const int fd = ::accept(listener, nullptr, nullptr);
  const timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string text;
  char chunk[1024];
  while (text.find(".mp4\"}") == std::string::npos) {
    const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
    REQUIRE(got > 0);
    text.append(chunk, static_cast<std::size_t>(got));
  }
  ::close(fd);
  ::close(listener);
  CHECK(text.starts_with("POST /hook?a=1 HTTP/1.1\r\n"));
  CHECK(text.ends_with(fmt::format(R"({{"id":"{}","status":"DONE","url":"{}"}})", id, url)));
  const RawReply video = client.request("GET", url.substr(url.find("/sandbox")));
  CHECK(video.status == 200);
  CHECK(video.header("content-type") == "video/mp4");
  CHECK(video.body.substr(4, 4) == "ftyp");
}

}  // namespace reelbatch
