#include "runner/sandbox_core.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>

#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "runner/sandbox_webhook.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPath = "/api/video-editor/generate/video/auto";
constexpr const char* kBody = R"({"image_urls":["https://x.test/1.jpg"],"description":"Bright flat with terrace"})";
constexpr Instant kStart{std::chrono::hours(1)};

std::unique_ptr<SandboxCore> make(const SandboxOptions& options, Instant start = kStart) {
  auto core = SandboxCore::make(options, "http://127.0.0.1:1", start);
  REQUIRE_MESSAGE(core, (core ? "" : core.error().message));
  return std::move(*core);
}

SandboxOptions calm() {
  SandboxOptions options;
  options.seed = 3;
  options.service.clip_error_rate = 0;
  return options;
}

SandboxAnswer ask(SandboxCore& core, const std::string& method, const std::string& path, Instant now) {
  const std::string body = method == "POST" ? kBody : "";
  return core.handle({method, path, "", {{"x-api-key", "k"}, {"content-type", "application/json"}}, body}, now,
                     WallTime(seconds(784111777)));
}

std::string member(const SandboxAnswer& answer, std::string_view name) {
  JsonReader reader;
  const auto parsed = reader.parse(answer.reply.body);
  REQUIRE_MESSAGE(parsed, answer.reply.body);
  if (const auto number = json_credits(*parsed, name)) return to_text(*number);
  return std::string(json_string(*parsed, name).value_or(""));
}

std::int64_t time_ms(SandboxCore& core, Instant now) {
  return std::atoll(member(ask(core, "GET", "/sandbox/jobs", now), "time_ms").c_str());
}

struct StateFile {
  ScopedFolder folder;
  std::string path = (folder.path() / "state.jsonl").string();
  std::size_t lines() const {
    std::ifstream file(path);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }
};

}  // namespace

TEST_CASE("the services' time runs as fast as asked") {
  for (const double speed : {1.0, 60.0, 0.5}) {
    SandboxOptions options = calm();
    options.speed = speed;
    const auto core = make(options);
    CHECK(time_ms(*core, kStart) == 0);
    CHECK(time_ms(*core, kStart + seconds(10)) == static_cast<std::int64_t>(10'000 * speed));
  }
  SandboxOptions options = calm();
  options.speed = 0;
  CHECK_FALSE(SandboxCore::make(options, "", kStart));
}

TEST_CASE("their time never goes back over restarts, and skips little") {
  const StateFile file;
  SandboxOptions options = calm();
  options.state = file.path;
  std::int64_t last_ms = 0;
  for (int life = 0; life < 5; ++life) {
    const Instant start = kStart + seconds(1000 * life);
    const auto core = make(options, start);
    CHECK(time_ms(*core, start) >= last_ms);
    CHECK(time_ms(*core, start) <= last_ms + 100 * 60 + 1);
    for (const int at_ms : {0, 50, 99, 101, 1'000, 1'010}) {
      const Instant now = start + milliseconds(at_ms);
      CHECK(ask(*core, "GET", std::string(kPath) + "/x", now).reply.status == 404);
      last_ms = time_ms(*core, now);
    }
  }
}

TEST_CASE("a state is compacted when it is opened, and holds the same jobs") {
  const StateFile file;
  SandboxOptions options = calm();
  options.state = file.path;
  std::string jobs;
  {
    const auto core = make(options);
    const std::string id = member(ask(*core, "POST", kPath, kStart), "id");
    for (int i = 0; i < 100; ++i) ask(*core, "GET", std::string(kPath) + "/" + id, kStart + seconds(i));
    jobs = ask(*core, "GET", "/sandbox/jobs", kStart).reply.body;
    CHECK(jobs.find("DONE") != std::string::npos);
    CHECK_FALSE(core->failure());
  }
  CHECK(file.lines() > 100);
  const auto core = make(options);
  CHECK(file.lines() == 4);  // header, time, the job, its step
  const std::string again = ask(*core, "GET", "/sandbox/jobs", kStart).reply.body;
  CHECK(again.substr(again.find("charged")) == jobs.substr(jobs.find("charged")));
}

TEST_CASE("all services are served on one port, and one state file holds them") {
  const StateFile file;
  SandboxOptions options = calm();
  options.state = file.path;
  const std::string sequences = "/api/video-editor/generate/video";
  const auto post = [](SandboxCore& core, const std::string& path, const std::string& body, Instant now) {
    return core.handle(
        {"POST", path, "", {{"x-api-key", "k"}, {"x-api-id", "i"}, {"content-type", "application/json"}}, body}, now,
        {});
  };
  const auto get = [](SandboxCore& core, const std::string& path, Instant now) {
    return core.handle({"GET", path, "", {{"x-api-key", "k"}, {"x-api-id", "i"}}, ""}, now, {});
  };
  std::string jobs;
  std::string aurora;
  std::string balance;
  {
    const auto core = make(options);
    CHECK(ask(*core, "POST", kPath, kStart).reply.status == 201);
    aurora =
        member(post(*core, "/api/aurora/", R"({"audio":"https://x.test/v","image":"https://x.test/f"})", kStart), "id");
    const std::string video = member(
        post(
            *core, sequences,
            R"({"video":{"format":"square","colors":["#000","#fff"],"sequences":[{"order":0,"duration":3,"type":"image"}]}})",
            kStart),
        "id");
    CHECK(video.size() == 36);
    CHECK(post(*core, "/api/video-editor/generate/sequence/" + video, R"({"sequenceId":"x"})", kStart).reply.status ==
          404);
    balance = get(*core, "/api/remaining_credits/", kStart + seconds(60)).reply.body;
    CHECK(balance != R"({"remaining_credits":1000})");
    CHECK(get(*core, "/api/aurora", kStart).reply.status == 301);
    jobs = ask(*core, "GET", "/sandbox/jobs", kStart).reply.body;
    CHECK(jobs.find(R"("charged":{"iacrea":2,"creatify":)") != std::string::npos);
  }
  const auto core = make(options);
  CHECK(get(*core, "/api/remaining_credits/", kStart).reply.body == balance);
  CHECK(member(get(*core, "/api/aurora/" + aurora + "/", kStart), "status") == "done");
  const std::string again = ask(*core, "GET", "/sandbox/jobs", kStart).reply.body;
  CHECK(again.substr(again.find("charged")) == jobs.substr(jobs.find("charged")));
}

TEST_CASE("more credits for a restored account") {
  const StateFile file;
  SandboxOptions options = calm();
  options.state = file.path;
  options.service.credits = Credits::whole(1);
  {
    const auto core = make(options);
    CHECK(ask(*core, "POST", kPath, kStart).reply.status == 201);
    CHECK(ask(*core, "POST", kPath, kStart).reply.status == 402);
  }
  options.service.credits = Credits::whole(2);
  const auto core = make(options);
  CHECK(ask(*core, "POST", kPath, kStart).reply.status == 201);
  CHECK(ask(*core, "POST", kPath, kStart).reply.status == 402);
}

TEST_CASE("a state that cannot be written stops the sandbox, and the job's answer does not leave") {
  SandboxOptions options = calm();
  const StateFile file;
  options.state = file.path;
  const auto core = make(options);
  // A limit on the size of files is a full disk that needs no disk.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit full{1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  const SandboxAnswer answer = ask(*core, "POST", kPath, kStart);
  ::signal(SIGXFSZ, ignored);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(answer.answered);
  REQUIRE(core->failure());
  CHECK(core->failure()->message.find("cannot write sandbox state") == 0);
}

TEST_CASE("the rate limit is exact, in real time, and does not count its own refusals or pages") {
  SandboxOptions options = calm();
  options.rate = {{3, seconds(1)}};
  const auto core = make(options);
  std::vector<Instant> admitted;
  for (int at_ms = 0; at_ms < 10'000; at_ms += 37) {
    const Instant now = kStart + milliseconds(at_ms);
    ask(*core, "GET", "/sandbox/jobs", now);
    const SandboxAnswer answer = ask(*core, "GET", std::string(kPath) + "/x", now);
    if (answer.reply.status == 404) {
      admitted.push_back(now);
      continue;
    }
    CHECK(answer.reply.status == 429);
    CHECK(answer.fault == "rate");
    REQUIRE(answer.reply.headers.size() == 1);
    CHECK(answer.reply.headers[0].second == "1");
  }
  for (std::size_t i = 3; i < admitted.size(); ++i) CHECK(admitted[i] - admitted[i - 3] >= seconds(1));
  CHECK(admitted.size() >= 27);
}

TEST_CASE("requests are counted by method, answer and fault") {
  SandboxOptions options = calm();
  REQUIRE(add_faults("post:500-after=1,get:lost-before=1", options.faults));
  const auto core = make(options);
  ask(*core, "POST", kPath, kStart);
  ask(*core, "POST", kPath, kStart);
  ask(*core, "GET", std::string(kPath) + "/x", kStart);
  ask(*core, "DELETE", std::string(kPath) + "/x", kStart);
  CHECK(ask(*core, "GET", "/sandbox/requests", kStart).reply.body ==
        "{\"requests\":{\"DELETE\":1,\"GET\":1,\"POST\":2},"
        "\"answers\":{\"DELETE 405\":1,\"GET lost\":1,\"POST 500\":2},"
        "\"faults\":{\"500-after\":2,\"lost-before\":1}}\n");
  const SandboxAnswer jobs = ask(*core, "GET", "/sandbox/jobs", kStart);
  JsonReader reader;
  const auto parsed = reader.parse(jobs.reply.body);
  REQUIRE(parsed);
  CHECK((*parsed)["jobs"].get_array().value_unsafe().size() == 2);
  CHECK(jobs.reply.body.find(R"("charged":{"iacrea":2,"creatify":0})") != std::string::npos);
  CHECK(jobs.reply.body.find(json_quote(kBody)) != std::string::npos);
}

TEST_CASE("the sandbox's own pages") {
  const auto core = make(calm());
  CHECK(ask(*core, "POST", "/sandbox/jobs", kStart).reply.status == 405);
  CHECK(ask(*core, "GET", "/sandbox/nothing", kStart).reply.status == 404);
  CHECK(ask(*core, "GET", "/", kStart).reply.content_type == "text/html; charset=utf-8");
  CHECK(ask(*core, "GET", "/sandbox/videos/x.mp4", kStart).reply.body.substr(4, 8) == "ftypisom");
}

TEST_CASE("without a seed ids are never those of another sandbox") {
  SandboxOptions options = calm();
  options.seed.reset();
  CHECK(member(ask(*make(options), "POST", kPath, kStart), "id") !=
        member(ask(*make(options), "POST", kPath, kStart), "id"));
  options.seed = 4;
  CHECK(member(ask(*make(options), "POST", kPath, kStart), "id") ==
        member(ask(*make(options), "POST", kPath, kStart), "id"));
}

TEST_CASE("webhooks beyond loopback are never called") {
  for (const char* url : {"https://127.0.0.1:1/", "http://10.0.0.1/", "http://128.0.0.1/", "http://example.com/",
                          "http://127.0.0.1.example.com/", "http://127.0.0.1:x/", "http://127.0.0.1:99999/",
                          "http://user@127.0.0.1/", "http://[::2]/", "http://localhost.test/", "", "http://"}) {
    CAPTURE(std::string(url));
    CHECK_FALSE(call_webhook({url, "{}"}));
  }
}

}  // namespace reelbatch
