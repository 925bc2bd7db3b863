#include "jobs/creatify_model.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "jobs/json.h"

namespace reelbatch {
namespace {

constexpr const char* kPath = "/api/aurora/";
constexpr const char* kBody =
    R"({"name":"Lyon [rb-1-1]","audio":"https://x.test/v.mp3","image":"https://x.test/f.png"})";

using Headers = std::vector<std::pair<std::string, std::string>>;

ServiceRequest request(std::string method, std::string path, std::string body = "") {
  const std::size_t mark = path.find('?');
  const std::string query = mark == std::string::npos ? "" : path.substr(mark + 1);
  return {std::move(method),
          path.substr(0, mark),
          query,
          {{"x-api-id", "i"}, {"x-api-key", "k"}, {"content-type", "application/json"}},
          std::move(body)};
}

/// An answer that stays readable as long as it is there.
struct Answer {
  ServiceReply reply;
  JsonReader reader;
  JsonElement json;

  Answer(ServiceModel& model, const ServiceRequest& asked, std::int64_t now_ms) : reply(model.handle(asked, now_ms)) {
    const auto parsed = reader.parse(reply.body);
    REQUIRE_MESSAGE(parsed, reply.body);
    json = *parsed;
  }
  std::string text(std::string_view member) const {
    if (const auto found = json_string(json, member)) return std::string(*found);
    if (const auto number = json_credits(json, member)) return to_text(*number);
    return "";
  }
};

std::string start(ServiceModel& model, std::int64_t now_ms, const std::string& body = kBody) {
  const Answer answer(model, request("POST", kPath, body), now_ms);
  REQUIRE_MESSAGE(answer.reply.status == 201, answer.reply.body);
  return answer.text("id");
}

std::string of_job(ServiceModel& model, const std::string& id, std::int64_t now_ms, std::string_view member) {
  const Answer answer(model, request("GET", kPath + id + "/"), now_ms);
  REQUIRE(answer.reply.status == 200);
  return answer.text(member);
}

std::string balance(ServiceModel& model, std::int64_t now_ms) {
  return Answer(model, request("GET", "/api/remaining_credits/"), now_ms).text("remaining_credits");
}

std::vector<std::string> ids_in(ServiceModel& model, const std::string& path, std::int64_t now_ms) {
  const Answer answer(model, request("GET", path), now_ms);
  std::vector<std::string> ids;
  simdjson::dom::array items;
  REQUIRE_MESSAGE(!answer.json.get(items), answer.reply.body);
  for (const JsonElement item : items) ids.emplace_back(json_string(item, "id").value_or(""));
  return ids;
}

constexpr std::int64_t kHour = 3'600'000;

}  // namespace

TEST_CASE("creatify model: states go forward by themselves, some are skipped, and each is a documented word") {
  CreatifyModel model({});
  std::set<std::string> first;
  std::set<std::string> all;
  for (int job = 0; job < 40; ++job) {
    const std::string id = start(model, 0);
    first.insert(of_job(model, id, 0, "status"));
  }
  const std::vector<std::string> order{"pending", "in_queue", "running", "done"};
  for (const ServiceJob& job : model.jobs()) {
    std::size_t last = 0;
    CreatifyModel again({});
    for (const std::string& line : model.snapshot()) REQUIRE(again.restore(line));
    for (std::int64_t now_ms = 0; now_ms < 200'000; now_ms += 5'000) {
      const std::string status = of_job(again, job.id, now_ms, "status");
      all.insert(status);
      const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), status) - order.begin());
      REQUIRE(at < order.size());
      CHECK(at >= last);
      last = at;
    }
    CHECK(last == 3);
  }
  CHECK(first == std::set<std::string>{"pending", "in_queue", "running"});
  CHECK(all.size() == 4);
}

TEST_CASE("creatify model: the name is echoed, the inputs come back as copies") {
  CreatifyModel model({});
  const std::string id = start(model, 1'500);
  CHECK(of_job(model, id, 2'000, "name") == "Lyon [rb-1-1]");
  CHECK(of_job(model, id, 2'000, "audio") != "https://x.test/v.mp3");
  CHECK(of_job(model, id, 2'000, "created_at") == "2026-01-02T00:00:01.500728-08:00");
  CHECK(of_job(model, id, 2'001, "updated_at") == "2026-01-02T00:00:01.530728-08:00");
  CHECK(of_job(model, id, kHour, "updated_at") != "2026-01-02T00:00:01.530728-08:00");
  const Answer nameless(
      model, request("POST", kPath, R"({"name":null,"audio":"https://x.test/a","image":"https://x.test/b"})"), kHour);
  CHECK(nameless.json["name"].is_null());
}

TEST_CASE("creatify model: a done job may for a moment lack its address") {
  CreatifyModel model({});
  int lacking = 0;
  for (int job = 0; job < 40; ++job) start(model, 0);
  std::set<std::string> complete;
  for (std::int64_t now_ms = 0; now_ms < 200'000; now_ms += 500) {
    for (const ServiceJob& job : model.jobs()) {
      if (complete.contains(job.id) || of_job(model, job.id, now_ms, "status") != "done") continue;
      const std::string url = of_job(model, job.id, now_ms, "video_output");
      if (url.empty()) {
        ++lacking;
      } else {
        CHECK(url == "https://videos.sandbox.test/" + job.id + ".mp4");
        complete.insert(job.id);
      }
    }
  }
  CHECK(complete.size() == 40);
  CHECK(lacking > 5);
}

TEST_CASE("creatify model: credits_used begins at nothing and grows to the price, which follows the length") {
  for (const bool fast : {false, true}) {
    for (const bool half_credits : {true, false}) {
      ServiceOptions options;
      options.credits = Credits::whole(100'000);
      options.half_credits = half_credits;
      CreatifyModel model(options);
      int halves = 0;
      Credits sum;
      for (int job = 0; job < 20; ++job) {
        const std::string body =
            fmt::format(R"({{"audio":"https://x.test/{}.mp3","image":"https://x.test/f.png","model_version":"{}"}})",
                        job, fast ? "aurora_v1_fast" : "aurora_v1");
        const std::string id = start(model, job * kHour, body);
        CHECK(of_job(model, id, job * kHour, "credits_used") == "0");
        Credits last;
        for (std::int64_t now_ms = job * kHour; now_ms < job * kHour + 200'000; now_ms += 3'000) {
          const Credits used = parse_credits(of_job(model, id, now_ms, "credits_used")).value();
          CHECK(used >= last);
          last = used;
        }
        const std::int64_t seconds = std::stoll(of_job(model, id, job * kHour + 200'000, "duration"));
        CHECK(seconds >= 3);
        CHECK(seconds <= 60);
        const std::int64_t exact = seconds * (fast ? 500 : 1000);
        CHECK(last.milli == (half_credits ? exact : (exact + 999) / 1000 * 1000));
        halves += last.milli % 1000 == 500 ? 1 : 0;
        sum = sum + last;
        CHECK(model.jobs().back().charged == last);
      }
      CHECK((halves > 0) == (fast && half_credits));
      CHECK(balance(model, 100 * kHour) == to_text(options.credits - sum));
    }
  }
}

TEST_CASE("creatify model: the balance goes down in steps and late, and can go below zero") {
  ServiceOptions options;
  options.charge_late_ms = 60'000;
  CreatifyModel model(options);
  start(model, 0);
  std::vector<std::string> seen;
  for (std::int64_t now_ms = 0; now_ms < 400'000; now_ms += 2'000) {
    const std::string now = balance(model, now_ms);
    if (seen.empty() || seen.back() != now) seen.push_back(now);
  }
  CHECK(seen.size() == 3);
  CHECK(seen.front() != "1000");
  CHECK(seen.back() == to_text(options.credits - model.jobs()[0].charged));

  ServiceOptions poor = options;
  poor.credits = model.jobs()[0].charged + Credits{500};
  CreatifyModel other(poor);
  start(other, 0);
  // A quarter was taken, so that the next one is refused, but not for what is still to come.
  CHECK(other.handle(request("POST", kPath, kBody), 1).status == 400);
  poor.credits = Credits{model.jobs()[0].charged.milli + model.jobs()[0].charged.milli / 4 + 1000};
  CreatifyModel third(poor);
  start(third, 0);
  start(third, 1);
  CHECK(parse_credits(balance(third, kHour)).value() < Credits{});
}

TEST_CASE("creatify model: without credits the POST is refused, in words") {
  ServiceOptions options;
  options.credits = Credits::whole(1);
  CreatifyModel model(options);
  const Answer refused(model, request("POST", kPath, kBody), 0);
  CHECK(refused.reply.status == 400);
  CHECK(refused.reply.body.find("enough credits") != std::string::npos);
  CHECK(model.jobs().empty());
}

TEST_CASE("creatify model: jobs that fail or are rejected, paid for or not") {
  for (const bool refunds : {false, true}) {
    ServiceOptions options;
    options.credits = Credits::whole(100'000);
    options.job_error_rate = 0.3;
    options.reject_rate = 0.3;
    options.refunds = refunds;
    CreatifyModel model(options);
    for (int job = 0; job < 60; ++job) start(model, 0);
    std::map<std::string, int> ends;
    std::set<std::string> reasons;
    Credits sum;
    balance(model, kHour);
    for (const ServiceJob& job : model.jobs()) {
      ++ends[job.status];
      sum = sum + job.charged;
      if (job.status == "done") continue;
      CHECK((job.charged == Credits{}) == refunds);
      CHECK(of_job(model, job.id, kHour, "video_output").empty());
      reasons.insert(of_job(model, job.id, kHour, "failed_reason"));
    }
    CHECK(ends.size() == 3);
    for (const auto& [end, count] : ends) CHECK_MESSAGE(count > 5, end);
    CHECK(reasons.contains(""));
    CHECK(reasons.size() == 3);
    CHECK(balance(model, kHour) == to_text(options.credits - sum));
  }
}

TEST_CASE("creatify model: routes, methods, headers and slashes") {
  ServiceOptions options;
  options.key = "secret";
  struct Case {
    const char* name;
    const char* method;
    std::string path;
    Headers headers;
    int status;
    const char* part;
  };
  const Headers good{{"x-api-id", "i"}, {"x-api-key", "secret"}, {"content-type", "application/json; charset=utf-8"}};
  const Case cases[] = {
      {"taken", "POST", kPath, good, 201, "\"status\":"},
      {"no headers", "POST", kPath, {}, 401, "Authentication credentials were not provided."},
      {"no id", "GET", kPath, {{"x-api-key", "secret"}}, 401, "Authentication credentials were not provided."},
      {"no key", "GET", kPath, {{"x-api-id", "i"}}, 401, "Authentication credentials were not provided."},
      {"wrong key", "GET", "/api/remaining_credits/", {{"x-api-id", "i"}, {"x-api-key", "x"}}, 401, "Invalid API key."},
      {"no slash", "POST", "/api/aurora", good, 301, ""},
      {"no slash, no key", "GET", "/api/aurora/x", {}, 301, ""},
      {"balance without a slash", "GET", "/api/remaining_credits", good, 301, ""},
      {"unknown job", "GET", "/api/aurora/4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f/", good, 404,
       "No Aurora matches the given query."},
      {"deeper", "GET", "/api/aurora/x/preview/", good, 404, "Not Found"},
      {"only a slash more", "GET", "/api/aurora//", good, 404, "Not Found"},
      {"delete", "DELETE", "/api/aurora/x/", good, 405, "Method \\\"DELETE\\\" not allowed."},
      {"post to the balance", "POST", "/api/remaining_credits/", good, 405, "not allowed"},
      {"form",
       "POST",
       kPath,
       {{"x-api-id", "i"}, {"x-api-key", "secret"}, {"content-type", "text/plain"}},
       415,
       "Unsupported media type"},
      {"list", "GET", kPath, good, 200, "[]"},
      {"balance", "GET", "/api/remaining_credits/", good, 200, R"({"remaining_credits":1000})"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    CreatifyModel model(options);
    CHECK(model.serves(one.path));
    const ServiceReply reply = model.handle({one.method, one.path, "", one.headers, kBody}, 0);
    CHECK(reply.status == one.status);
    CHECK_MESSAGE(reply.body.find(one.part) != std::string::npos, reply.body);
    CHECK(model.jobs().size() == (one.status == 201 ? 1 : 0));
  }
  CreatifyModel model(options);
  const ServiceReply moved = model.handle({"GET", "/api/aurora", "ids=a", good, ""}, 0);
  CHECK(moved.body.empty());
  REQUIRE(moved.headers.size() == 1);
  CHECK(moved.headers[0] == std::pair<std::string, std::string>("Location", "/api/aurora/?ids=a"));
  for (const char* path : {"/", "/api/auroras", "/api/", "/api/video-editor"}) CHECK_FALSE(model.serves(path));
}

TEST_CASE("creatify model: bodies are refused as the framework does it, all members at once") {
  const std::string rest = R"("audio":"https://x.test/v.mp3","image":"https://x.test/f.png")";
  struct Case {
    std::string body;
    int status;
    std::string_view answer;
  };
  const Case cases[] = {
      {"{" + rest + R"(,"model":"ignored","text_prompt":"","prompt_guidance_scale":2.5,"webhook_url":null})", 201, ""},
      {"{" + rest + R"(,"name":")" + std::string(255, 'x') + "\"}", 201, ""},
      {"", 400, R"({"detail":"JSON parse error - Expecting value: line 1 column 1"})"},
      {"[]", 400, R"({"non_field_errors":["Invalid data. Expected a dictionary."]})"},
      {"{}", 400, R"({"audio":["This field is required."],"image":["This field is required."]})"},
      {R"({"audio":null,"image":"x"})", 400,
       R"({"audio":["This field may not be null."],"image":["Enter a valid URL."]})"},
      {"{" + rest + R"(,"name":7})", 400, R"({"name":["Not a valid string."]})"},
      {"{" + rest + R"(,"name":")" + std::string(256, 'x') + "\"}", 400,
       R"({"name":["Ensure this field has no more than 255 characters."]})"},
      {"{" + rest + R"(,"model_version":"aurora"})", 400, R"({"model_version":["\"aurora\" is not a valid choice."]})"},
      {"{" + rest + R"(,"prompt_guidance_scale":11})", 400,
       R"({"prompt_guidance_scale":["Ensure this value is less than or equal to 10."]})"},
      {"{" + rest + R"(,"prompt_guidance_scale":"x"})", 400,
       R"({"prompt_guidance_scale":["A valid number is required."]})"},
      {"{" + rest + R"(,"webhook_url":"https://x.test/)" + std::string(200, 'x') + "\"}", 400,
       R"({"webhook_url":["Ensure this field has no more than 200 characters."]})"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body.substr(0, 150));
    CreatifyModel model({});
    const ServiceReply reply = model.handle(request("POST", kPath, one.body), 0);
    CHECK_MESSAGE(reply.status == one.status, reply.body);
    if (one.status == 400) CHECK(reply.body == one.answer);
    CHECK(model.jobs().size() == (one.status == 201 ? 1 : 0));
  }
}

TEST_CASE("creatify model: lists, whole, by ids, capped and refused") {
  CreatifyModel model({});
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(start(model, i));
  const std::vector<std::string> newest(ids.rbegin(), ids.rend());
  CHECK(ids_in(model, "/api/aurora/", 10) == newest);
  CHECK(ids_in(model, "/api/aurora/?ordering=-created_at", 10) == newest);
  CHECK(ids_in(model, "/api/aurora/?ordering=created_at", 10) == ids);
  const std::string unknown = "4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f";
  CHECK(ids_in(model, "/api/aurora/?ids=" + ids[3] + "," + unknown + "%2C" + ids[1], 10) ==
        std::vector<std::string>{ids[3], ids[1]});
  CHECK(ids_in(model, "/api/aurora/?ids=" + unknown, 10).empty());
  std::string many = ids[0];
  for (int i = 1; i < 100; ++i) many += "," + unknown;
  CHECK(ids_in(model, "/api/aurora/?ids=" + many, 10).size() == 1);
  CHECK(model.handle(request("GET", "/api/aurora/?ids=" + many + "," + unknown), 10).status == 400);
  for (const char* wrong : {"ids=", "ids=x", "ids=..", "ids="}) {
    CHECK(model.handle(request("GET", std::string("/api/aurora/?") + wrong), 10).status == 400);
  }

  ServiceOptions options;
  options.list_max = 2;
  options.refuse_ids = true;
  CreatifyModel other(options);
  for (const std::string& line : model.snapshot()) REQUIRE(other.restore(line));
  CHECK(ids_in(other, "/api/aurora/", 10) == std::vector<std::string>{ids[4], ids[3]});
  CHECK(other.handle(request("GET", "/api/aurora/?ids=" + ids[0]), 10).status == 400);
}

TEST_CASE("creatify model: webhooks on every end, to some twice, and never again after a restart") {
  ServiceOptions options;
  options.credits = Credits::whole(100'000);
  options.job_error_rate = 0.5;
  CreatifyModel model(options);
  const std::string body =
      R"({"audio":"https://x.test/v.mp3","image":"https://x.test/f.png","webhook_url":"http://127.0.0.1:1/h"})";
  for (int i = 0; i < 30; ++i) start(model, 0, body);
  start(model, 0);
  CHECK(model.take_webhooks().empty());
  balance(model, kHour);
  const std::vector<WebhookCall> calls = model.take_webhooks();
  CHECK(calls.size() > 30);
  CHECK(calls.size() < 60);
  std::set<std::string> told;
  for (const WebhookCall& call : calls) {
    CHECK(call.url == "http://127.0.0.1:1/h");
    JsonReader reader;
    const auto parsed = reader.parse(call.body);
    REQUIRE(parsed);
    const std::string id(json_string(*parsed, "id").value());
    const std::string status(json_string(*parsed, "status").value());
    CHECK(json_string(*parsed, "video_output").has_value() == (status == "done"));
    CHECK(json_string(*parsed, "failed_reason").has_value());
    told.insert(id);
  }
  CHECK(told.size() == 30);
  CreatifyModel restored(options);
  for (const std::string& line : model.snapshot()) REQUIRE(restored.restore(line));
  balance(restored, 2 * kHour);
  CHECK(restored.take_webhooks().empty());
}

TEST_CASE("creatify model: a restored model continues exactly, wherever it was stopped") {
  ServiceOptions options;
  options.credits = Credits::whole(100'000);
  options.job_error_rate = 0.3;
  options.charge_late_ms = 30'000;
  const std::string body =
      R"({"audio":"https://x.test/v.mp3","image":"https://x.test/f.png","webhook_url":"http://127.0.0.1:1/h"})";
  for (int stop_at = 0; stop_at < 24; ++stop_at) {
    CAPTURE(stop_at);
    CreatifyModel whole(options);
    auto first = std::make_unique<CreatifyModel>(options);
    CreatifyModel second(options);
    ServiceModel* model = first.get();
    std::vector<std::string> journal;
    for (int turn = 0; turn < 24; ++turn) {
      if (turn == stop_at) {
        for (const std::string& line : journal) REQUIRE(second.restore(line));
        CHECK(second.take_changes().empty());
        CHECK(second.snapshot() == first->snapshot());
        first.reset();
        model = &second;
      }
      const std::int64_t now_ms = turn * 20'000;
      const ServiceRequest asked = turn % 3 == 0   ? request("POST", kPath, body)
                                   : turn % 3 == 1 ? request("GET", kPath)
                                                   : request("GET", "/api/remaining_credits/");
      CHECK(model->handle(asked, now_ms).body == whole.handle(asked, now_ms).body);
      for (std::string& line : model->take_changes()) journal.push_back(std::move(line));
    }
    CreatifyModel compact(options);
    for (const std::string& line : model->snapshot()) REQUIRE(compact.restore(line));
    CHECK(compact.snapshot() == whole.snapshot());
  }
}

TEST_CASE("creatify model: a line that cannot be restored leaves the model as it was") {
  CreatifyModel model({});
  start(model, 0);
  const auto before = model.snapshot();
  for (const std::string& line :
       {std::string("{"), std::string("{}"), std::string("[]"), before[0], std::string(R"({"job":"x","draw":1})"),
        std::string(R"({"job":"x","draw":1,"created_ms":0,"price":1,"body":"{}"})"),
        std::string(R"({"told":"nobody"})")}) {
    CAPTURE(line);
    CHECK_FALSE(model.restore(line));
    CHECK(model.snapshot() == before);
  }
}

TEST_CASE("creatify model: an id and key have jobs and credits of their own") {
  const auto by = [](ServiceRequest asked, std::string key) {
    asked.headers[1].second = std::move(key);
    return asked;
  };
  const ServiceOptions options;
  CreatifyModel model(options);
  const Answer made(model, by(request("POST", kPath, kBody), "one"), 0);
  const std::string id = made.text("id");
  CreatifyModel restored(options);
  for (const std::string& line : model.snapshot()) {
    CHECK(line.find("one") == std::string::npos);
    REQUIRE(restored.restore(line));
  }
  for (CreatifyModel* each : {&model, &restored}) {
    CHECK(each->handle(by(request("GET", kPath + id + "/"), "one"), kHour).status == 200);
    CHECK(each->handle(by(request("GET", kPath + id + "/"), "two"), kHour).status == 404);
    CHECK(each->handle(by(request("GET", kPath), "two"), kHour).body == "[]");
    CHECK(each->handle(by(request("GET", std::string(kPath) + "?ids=" + id), "two"), kHour).body == "[]");
    const Answer poorer(*each, by(request("GET", "/api/remaining_credits/"), "one"), kHour);
    CHECK(poorer.text("remaining_credits") == to_text(options.credits - each->jobs()[0].price));
    const Answer untouched(*each, by(request("GET", "/api/remaining_credits/"), "two"), kHour);
    CHECK(untouched.text("remaining_credits") == to_text(options.credits));
  }
}

}  // namespace reelbatch
