#include "jobs/iacrea_model.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "jobs/json.h"

namespace reelbatch {
namespace {

constexpr const char* kPath = "/api/video-editor/generate/video/auto";
constexpr const char* kBody =
    R"({"image_urls":["https://x.test/1.jpg","https://x.test/2.jpg"],"description":"Bright flat with terrace"})";

ServiceRequest post(std::string body) {
  return {"POST", kPath, "", {{"x-api-key", "k"}, {"content-type", "application/json"}}, std::move(body)};
}
ServiceRequest get(const std::string& id) {
  return {"GET", std::string(kPath) + "/" + id, "", {{"x-api-key", "k"}}, ""};
}

std::string member(const ServiceReply& reply, std::string_view name) {
  JsonReader reader;
  const auto body = reader.parse(reply.body);
  REQUIRE_MESSAGE(body, reply.body);
  if (const auto text = json_string(*body, name)) return std::string(*text);
  if (const auto number = json_credits(*body, name)) return to_text(*number);
  return "";
}

std::string start(ServiceModel& model, std::int64_t now_ms, const std::string& body = kBody) {
  const ServiceReply reply = model.handle(post(body), now_ms);
  REQUIRE_MESSAGE(reply.status == 201, reply.body);
  return member(reply, "id");
}

std::string poll(ServiceModel& model, const std::string& id, std::int64_t now_ms) {
  const ServiceReply reply = model.handle(get(id), now_ms);
  REQUIRE(reply.status == 200);
  return member(reply, "status");
}

ServiceOptions calm() {
  ServiceOptions options;
  options.clip_error_rate = 0;
  return options;
}

/// Polls until the job ends and returns the states seen, repeats left out.
std::vector<std::string> states_of(ServiceModel& model, const std::string& id, std::int64_t now_ms) {
  std::vector<std::string> seen;
  for (int i = 0; i < 200; ++i, now_ms += 5'000) {
    const std::string status = poll(model, id, now_ms);
    if (seen.empty() || seen.back() != status) seen.push_back(status);
    if (status == "DONE" || status == "ERROR") break;
  }
  return seen;
}

using States = std::vector<std::string>;

}  // namespace

TEST_CASE("the model takes the documented states in order") {
  struct Case {
    const char* name;
    double clip_error_rate, job_error_rate;
    States states;
  };
  const Case cases[] = {
      {"calm", 0, 0, {"GENERATING_VIDEO", "START_RENDERING_VIDEO", "RENDERING_VIDEO", "DONE"}},
      {"a clip fails once",
       1,
       0,
       {"GENERATING_VIDEO", "PENDING", "GENERATING_VIDEO", "START_RENDERING_VIDEO", "RENDERING_VIDEO", "DONE"}},
      {"the job fails", 0, 1, {"GENERATING_VIDEO", "ERROR"}},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    ServiceOptions options;
    options.clip_error_rate = one.clip_error_rate;
    options.job_error_rate = one.job_error_rate;
    IacreaModel model(options);
    const std::string id = start(model, 0);
    CHECK(states_of(model, id, 0) == one.states);
    CHECK(poll(model, id, 10'000'000) == one.states.back());
  }
}

TEST_CASE("a job advances only when it is polled, one step a poll") {
  IacreaModel model(calm());
  const std::string id = start(model, 0);
  constexpr std::int64_t kHour = 3'600'000;
  CHECK(model.jobs()[0].status == "PENDING");
  CHECK(poll(model, id, kHour) == "GENERATING_VIDEO");
  CHECK(poll(model, id, kHour + 1) == "GENERATING_VIDEO");  // the hour before the first poll made no clip
  CHECK(model.jobs()[0].status == "GENERATING_VIDEO");
  CHECK(poll(model, id, 2 * kHour) == "START_RENDERING_VIDEO");
  CHECK(poll(model, id, 3 * kHour) == "RENDERING_VIDEO");
  CHECK(poll(model, id, 3 * kHour) == "DONE");
}

TEST_CASE("time that goes back is held") {
  IacreaModel model(calm());
  const std::string id = start(model, 100'000);
  CHECK(poll(model, id, 200'000) == "GENERATING_VIDEO");
  CHECK(poll(model, id, 300'000) == "START_RENDERING_VIDEO");
  CHECK(poll(model, id, 0) == "RENDERING_VIDEO");
  CHECK(poll(model, id, 0) == "RENDERING_VIDEO");
}

TEST_CASE("each state carries the members that the page promises") {
  IacreaModel model(calm());
  const ServiceReply started = model.handle(post(kBody), 0);
  for (const char* part : {R"("status":"PENDING")", R"("generatedContent":[{"id":)", R"("analysis":{)",
                           R"("creditsTotal":998)", R"("creditsUsed":2)", R"("status":"pending")"}) {
    CHECK_MESSAGE(started.body.find(part) != std::string::npos, part, " in ", started.body);
  }
  const std::string id = member(started, "id");
  CHECK(id.size() == 36);
  CHECK(model.handle(get(id), 0).body.find(R"("generatedContent":[)") != std::string::npos);
  CHECK(model.handle(get(id), 100'000).body == R"({"status":"START_RENDERING_VIDEO","progress":0})");
  CHECK(model.handle(get(id), 100'001).body == R"({"status":"RENDERING_VIDEO","progress":0.00})");
  const ServiceReply done = model.handle(get(id), 200'000);
  CHECK(member(done, "status") == "DONE");
  CHECK(member(done, "url") == "https://videos.sandbox.test/" + id + ".mp4");
  CHECK(member(done, "creditsUsed") == "2");
  CHECK(done.body.find(R"("status":"success")") != std::string::npos);
  CHECK(done.body.find("pending") == std::string::npos);
}

TEST_CASE("progress grows between 0 and 1") {
  IacreaModel model(calm());
  const std::string id = start(model, 0);
  for (const std::int64_t now_ms : {0, 100'000}) poll(model, id, now_ms);
  double last = 0;
  int seen = 0;
  for (std::int64_t now_ms = 100'000; now_ms < 140'000; now_ms += 2'000) {
    const ServiceReply reply = model.handle(get(id), now_ms);
    if (member(reply, "status") != "RENDERING_VIDEO") break;
    const double progress = std::stod(member(reply, "progress"));
    CHECK(progress >= last);
    CHECK(progress < 1);
    last = progress;
    ++seen;
  }
  CHECK(seen > 5);
  CHECK(last > 0.5);
}

TEST_CASE("requests are refused as documented") {
  const std::string images = R"("image_urls":["https://x.test/1.jpg"])";
  const std::string text = R"("description":"Bright flat with terrace")";
  struct Case {
    const char* name;
    std::string body;
    int status;
    const char* error;
  };
  const Case cases[] = {
      {"minimal", "{" + images + "," + text + "}", 201, ""},
      {"everything",
       "{" + images + "," + text +
           R"(,"format":"square","colors":["#fff","#000"],"font":"Inter","music":"calm","displayLogo":true,)"
           R"("logoUrl":"https://x.test/l.png","webhookUrl":"https://x.test/hook","unheard_of":1})",
       201, ""},
      {"ten code points, not bytes", "{" + images + R"(,"description":"éééééééé 1"})", 201, ""},
      {"not JSON", "{", 400, "Invalid JSON body"},
      {"an array", "[]", 400, "Invalid JSON body"},
      {"empty", "", 400, "Invalid JSON body"},
      {"no images", "{" + text + "}", 400, "image_urls is required"},
      {"images as text", R"({"image_urls":"https://x.test/1.jpg",)" + text + "}", 400, "image_urls is required"},
      {"no image in it", R"({"image_urls":[],)" + text + "}", 400, "at least 1"},
      {"image no address", R"({"image_urls":["https://x.test/1.jpg","1.jpg"],)" + text + "}", 400, "image_urls[1]"},
      {"image no text", R"({"image_urls":[7],)" + text + "}", 400, "image_urls[0]"},
      {"image with a blank", R"({"image_urls":["https://x.test/a b"],)" + text + "}", 400, "image_urls[0]"},
      {"no description", "{" + images + "}", 400, "description is required"},
      {"short description", "{" + images + R"(,"description":"   123456789   "})", 400, "at least 10"},
      {"format", "{" + images + "," + text + R"(,"format":"Square"})", 400, "format"},
      {"format null", "{" + images + "," + text + R"(,"format":null})", 400, "format"},
      {"one color", "{" + images + "," + text + R"(,"colors":["#fff"]})", 400, "colors"},
      {"color no text", "{" + images + "," + text + R"(,"colors":["#fff",0]})", 400, "colors"},
      {"font", "{" + images + "," + text + R"(,"font":1})", 400, "font"},
      {"music", "{" + images + "," + text + R"(,"music":[]})", 400, "music"},
      {"displayLogo", "{" + images + "," + text + R"(,"displayLogo":"true"})", 400, "displayLogo"},
      {"logo missing", "{" + images + "," + text + R"(,"displayLogo":true})", 400, "logoUrl is required"},
      {"logo wrong", "{" + images + "," + text + R"(,"logoUrl":"l.png"})", 400, "logoUrl must"},
      {"webhook wrong", "{" + images + "," + text + R"(,"webhookUrl":"ftp://x.test"})", 400, "webhookUrl"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    IacreaModel model(calm());
    const ServiceReply reply = model.handle(post(one.body), 0);
    CHECK_MESSAGE(reply.status == one.status, reply.body);
    CHECK(model.jobs().size() == (one.status == 201 ? 1 : 0));
    if (one.status != 201) CHECK_MESSAGE(member(reply, "error").find(one.error) != std::string::npos, reply.body);
  }
}

TEST_CASE("routes, methods, keys and content types") {
  ServiceOptions options = calm();
  options.key = "secret";
  struct Case {
    const char* name;
    const char* method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
    int status;
    const char* type;
  };
  const std::pair<std::string, std::string> key{"x-api-key", "secret"};
  const std::pair<std::string, std::string> json{"content-type", "application/json; charset=utf-8"};
  const Case cases[] = {
      {"taken", "POST", kPath, {key, json}, 201, "application/json"},
      {"no key", "POST", kPath, {json}, 401, "application/json"},
      {"empty key", "POST", kPath, {{"x-api-key", ""}, json}, 401, "application/json"},
      {"wrong key", "POST", kPath, {{"x-api-key", "Secret"}, json}, 401, "application/json"},
      {"poll without a key", "GET", std::string(kPath) + "/x", {}, 401, "application/json"},
      {"form", "POST", kPath, {key, {"content-type", "text/plain"}}, 415, "application/json"},
      {"no content type", "POST", kPath, {key}, 415, "application/json"},
      {"unknown id", "GET", std::string(kPath) + "/nope", {key}, 404, "application/json"},
      {"list", "GET", kPath, {key}, 405, "application/json"},
      {"delete", "DELETE", std::string(kPath) + "/nope", {key}, 405, "application/json"},
      {"post to a job", "POST", std::string(kPath) + "/nope", {key, json}, 405, "application/json"},
      {"slash after", "POST", std::string(kPath) + "/", {key, json}, 308, "text/plain"},
      {"slash after a job", "GET", std::string(kPath) + "/x/", {key}, 308, "text/plain"},
      {"other route", "GET", "/api/video-editor/generate", {key}, 404, "text/html; charset=utf-8"},
      {"deeper", "GET", std::string(kPath) + "/x/y", {key}, 404, "text/html; charset=utf-8"},
      {"nearly", "POST", "/api/video-editor/generate/videos", {key, json}, 404, "text/html; charset=utf-8"},
      {"an id like it", "POST", std::string(kPath) + "x", {key, json}, 405, "application/json"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    IacreaModel model(options);
    const ServiceReply reply = model.handle({one.method, one.path, "", one.headers, kBody}, 0);
    CHECK(reply.status == one.status);
    CHECK(reply.content_type == one.type);
    CHECK(model.serves(one.path));
    CHECK(model.jobs().size() == (one.status == 201 ? 1 : 0));
  }
  IacreaModel model(options);
  const ServiceReply moved = model.handle({"GET", std::string(kPath) + "/x//", "a=1", {key}, ""}, 0);
  REQUIRE(moved.headers.size() == 1);
  CHECK(moved.headers[0].second == std::string(kPath) + "/x?a=1");
  CHECK_FALSE(model.serves("/api/video-editors"));
  CHECK_FALSE(model.serves("/"));
}

TEST_CASE("credits run out, and are taken only by accepted jobs") {
  ServiceOptions options = calm();
  options.credits = Credits::whole(5);
  IacreaModel model(options);
  start(model, 0);
  CHECK(model.handle(post("{}"), 0).status == 400);
  CHECK(member(model.handle(post(kBody), 0), "creditsTotal") == "1");
  const ServiceReply refused = model.handle(post(kBody), 0);
  CHECK(refused.status == 402);
  CHECK(refused.body == R"({"error":"Insufficient credits"})");
  CHECK(model.jobs().size() == 2);
}

TEST_CASE("the price is one credit a clip, five clips at most") {
  for (const std::size_t images : {1U, 4U, 5U, 6U, 40U}) {
    IacreaModel model(calm());
    std::string list;
    for (std::size_t i = 0; i < images; ++i) list += fmt::format("{}\"https://x.test/{}.jpg\"", i ? "," : "", i);
    start(model, 0, fmt::format(R"({{"image_urls":[{}],"description":"Bright flat with terrace"}})", list));
    CHECK(model.jobs()[0].charged == Credits::whole(static_cast<std::int64_t>(std::min<std::size_t>(images, 5))));
  }
}

TEST_CASE("both meanings of the used figure") {
  for (const bool per_job : {true, false}) {
    ServiceOptions options = calm();
    options.used_per_job = per_job;
    IacreaModel model(options);
    start(model, 0);
    const ServiceReply second = model.handle(post(kBody), 0);
    CHECK(member(second, "creditsTotal") == "996");
    CHECK(member(second, "creditsUsed") == (per_job ? "2" : "4"));
  }
}

TEST_CASE("a webhook is due once, when the job is done") {
  IacreaModel model(calm());
  const std::string id = start(
      model, 0,
      R"({"image_urls":["https://x.test/1.jpg"],"description":"Bright flat!","webhookUrl":"http://127.0.0.1:1/h"})");
  for (const std::int64_t now_ms : {0, 100'000, 200'000}) {
    poll(model, id, now_ms);
    CHECK(model.take_webhooks().empty());
  }
  CHECK(poll(model, id, 300'000) == "DONE");
  const auto calls = model.take_webhooks();
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].url == "http://127.0.0.1:1/h");
  CHECK(calls[0].body ==
        fmt::format(R"({{"id":"{0}","status":"DONE","url":"https://videos.sandbox.test/{0}.mp4"}})", id));
  poll(model, id, 400'000);
  CHECK(model.take_webhooks().empty());
}

TEST_CASE("the same seed and requests give the same answers, another seed others") {
  const auto run = [](std::uint64_t seed) {
    ServiceOptions options;
    options.seed = seed;
    IacreaModel model(options);
    std::string all = model.handle(post(kBody), 0).body + model.handle(post(kBody), 0).body;
    for (std::int64_t now_ms = 0; now_ms < 300'000; now_ms += 7'000) {
      all += model.handle(get(model.jobs()[0].id), now_ms).body;
    }
    return all;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

TEST_CASE("a restored model continues exactly, wherever it was stopped") {
  ServiceOptions options;
  options.clip_error_rate = 0.5;
  for (int stop_at = 0; stop_at < 30; ++stop_at) {
    CAPTURE(stop_at);
    IacreaModel whole(options);
    auto first = std::make_unique<IacreaModel>(options);
    std::vector<std::string> journal;
    ServiceModel* model = first.get();
    IacreaModel second(options);
    std::set<std::string> ids;
    for (int turn = 0; turn < 30; ++turn) {
      if (turn == stop_at) {
        for (const std::string& line : journal) REQUIRE(second.restore(line));
        CHECK(second.take_changes().empty());
        CHECK(second.snapshot() == first->snapshot());
        first.reset();
        model = &second;
      }
      const std::int64_t now_ms = turn * 20'000;
      ServiceRequest request = turn % 3 == 0 ? post(kBody) : get(*ids.begin());
      const ServiceReply reply = model->handle(request, now_ms);
      CHECK(reply.body == whole.handle(request, now_ms).body);
      if (turn % 3 == 0) CHECK(ids.insert(member(reply, "id")).second);
      for (std::string& line : model->take_changes()) journal.push_back(std::move(line));
    }
    IacreaModel compact(options);
    for (const std::string& line : model->snapshot()) REQUIRE(compact.restore(line));
    CHECK(compact.snapshot() == whole.snapshot());
  }
}

TEST_CASE("a line that cannot be restored leaves the model as it was") {
  IacreaModel model(calm());
  const std::string id = start(model, 0);
  const auto before = model.snapshot();
  const std::string first = before[0];
  for (const std::string& line :
       {std::string("{"), std::string("{}"), std::string("[]"), first, std::string(R"({"job":"x","draw":1})"),
        std::string(R"({"job":"x","draw":1,"created_ms":0,"charged":1,"body":"{}"})"),
        std::string(R"({"step":"nope","status":"DONE","since_ms":0,"round":0})"),
        fmt::format(R"({{"step":"{}","status":"DONNE","since_ms":0,"round":0}})", id),
        fmt::format(R"({{"step":"{}","status":"DONE","since_ms":0,"round":2}})", id)}) {
    CAPTURE(line);
    CHECK_FALSE(model.restore(line));
    CHECK(model.snapshot() == before);
  }
}

TEST_CASE("iacrea model: a key has jobs and credits of its own") {
  const auto by = [](ServiceRequest request, std::string key) {
    request.headers[0].second = std::move(key);
    return request;
  };
  ServiceOptions options = calm();
  options.credits = Credits::whole(3);
  IacreaModel model(options);
  const ServiceReply first = model.handle(by(post(kBody), "one"), 0);
  const ServiceReply second = model.handle(by(post(kBody), "two"), 0);
  REQUIRE(first.status == 201);
  REQUIRE(second.status == 201);
  for (const ServiceReply* reply : {&first, &second}) {
    CHECK(member(*reply, "creditsTotal") == "1");
    CHECK(member(*reply, "creditsUsed") == "2");
  }
  CHECK(model.handle(by(post(kBody), "one"), 0).status == 402);
  const std::string id = member(first, "id");
  CHECK(id != member(second, "id"));
  IacreaModel restored(options);
  for (const std::string& line : model.snapshot()) {
    CHECK(line.find("one") == std::string::npos);
    REQUIRE(restored.restore(line));
  }
  for (IacreaModel* each : {&model, &restored}) {
    CHECK(each->handle(by(get(id), "one"), 1).status == 200);
    CHECK(each->handle(by(get(id), "two"), 1).status == 404);
    CHECK(each->jobs()[0].customer != each->jobs()[1].customer);
  }
}

TEST_CASE("iacrea model: a job from a journal that names no customer is there for everybody") {
  IacreaModel model(calm());
  REQUIRE(model.restore(
      R"({"job":"4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f","draw":1,"created_ms":5,"charged":2,"body":"{\"image_urls\":[\"https://x.test/1.jpg\"],\"description\":\"A bright flat\"}"})"));
  CHECK(model.handle(get("4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f"), 6).status == 200);
}

}  // namespace reelbatch
