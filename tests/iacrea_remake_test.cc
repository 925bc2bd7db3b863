// The model of IACrea: videos from explicit sequences, and sequences made again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/iacrea_model.h"
#include "jobs/json.h"

namespace reelbatch {
namespace {

const std::string kVideo = "/api/video-editor/generate/video";
const std::string kSequence = "/api/video-editor/generate/sequence/";
constexpr const char* kBody =
    R"({"video":{"format":"landscape","colors":["#000","#fff"],"sequences":[)"
    R"({"order":0,"duration":3,"type":"intro"},)"
    R"({"order":1,"duration":5,"type":"video","animationType":"CAMERA_CRANE_UP","url":"https://x.test/1.jpg"},)"
    R"({"order":2,"duration":4,"type":"image"},{"order":3,"duration":3,"type":"outro"}]}})";

/// A model and its clock.
struct Service {
  IacreaModel model;
  std::int64_t now_ms = 0;
  JsonReader reader;
  int status = 0;

  explicit Service(const ServiceOptions& options) : model(options) {}

  JsonElement ask(const char* method, const std::string& path, std::string body = "") {
    const ServiceReply reply = model.handle(
        {method, path, "", {{"x-api-key", "k"}, {"content-type", "application/json"}}, std::move(body)}, now_ms);
    status = reply.status;
    const auto parsed = reader.parse(reply.body);
    REQUIRE_MESSAGE(parsed, reply.body);
    return *parsed;
  }
  std::string text(JsonElement from, std::string_view member) const {
    if (const auto found = json_string(from, member)) return std::string(*found);
    if (const auto number = json_credits(from, member)) return to_text(*number);
    return "";
  }
  std::string start(const std::string& body = kBody) {
    const std::string id = text(ask("POST", kVideo, body), "id");
    REQUIRE(status == 201);
    return id;
  }
  std::string poll(const std::string& id, std::string_view member = "status") {
    const std::string found = text(ask("GET", kVideo + "/" + id), member);
    REQUIRE(status == 200);
    return found;
  }
  /// Polls every 10 s until the video has ended; the states seen, repeats left out.
  std::vector<std::string> finish(const std::string& id) {
    std::vector<std::string> seen;
    for (int i = 0; i < 200; ++i, now_ms += 10'000) {
      const std::string state = poll(id);
      if (seen.empty() || seen.back() != state) seen.push_back(state);
      if (state == "DONE" || state == "ERROR") break;
    }
    return seen;
  }
  std::vector<std::string> item_ids(const std::string& id) {
    const JsonElement answer = ask("GET", kVideo + "/" + id);
    std::vector<std::string> ids;
    simdjson::dom::array items;
    if (!answer["generatedContent"].get(items)) {
      for (const JsonElement item : items) ids.emplace_back(text(item, "id"));
    }
    return ids;
  }
  std::string again(const std::string& video, const std::string& sequence, const std::string& more = "") {
    return text(ask("POST", kSequence + video, fmt::format(R"({{"sequenceId":"{}"{}}})", sequence, more)),
                "generationId");
  }
};

ServiceOptions calm() {
  ServiceOptions options;
  options.clip_error_rate = 0;
  return options;
}

using States = std::vector<std::string>;
const States kAllStates{"GENERATING_VIDEO", "START_RENDERING_VIDEO", "RENDERING_VIDEO", "DONE"};

}  // namespace

TEST_CASE("iacrea model: a video of explicit sequences is made and read on its own paths") {
  Service service(calm());
  const std::string id = service.start();
  CHECK(service.model.jobs()[0].charged == Credits::whole(2));  // intro and outro are no clips
  CHECK(service.finish(id) == kAllStates);
  CHECK(service.poll(id, "id") == id);
  CHECK(service.poll(id, "url") == "https://videos.sandbox.test/" + id + ".mp4");
  CHECK(service.item_ids(id).size() == 2);
  service.ask("GET", kVideo + "/auto/" + id);
  CHECK(service.status == 404);
  service.ask("GET", kVideo + "/nobody");
  CHECK(service.status == 404);
}

TEST_CASE("iacrea model: the members of each state, as the page of this endpoint has them") {
  ServiceOptions options;
  options.clip_error_rate = 1;
  Service service(options);
  const std::string id = service.start();
  CHECK(service.poll(id, "creditsUsed") == "2");
  service.now_ms = 100'000;
  CHECK(service.poll(id, "message") == "Re-generating video in error");
  CHECK(service.poll(id) == "GENERATING_VIDEO");
  service.now_ms = 200'000;
  CHECK(service.poll(id, "creditsTotal") == "998");  // START_RENDERING_VIDEO
  service.now_ms = 215'000;
  const double progress = std::stod(service.poll(id, "progress"));
  CHECK(progress > 1);  // this endpoint counts to a hundred
  CHECK(progress < 100);
}

TEST_CASE("iacrea model: videos are refused as documented") {
  const std::string head = R"({"video":{"format":"square","colors":["#000","#fff"],)";
  struct Case {
    std::string body;
    std::string_view error;
  };
  const Case cases[] = {
      {"{", "Invalid JSON body"},
      {"{}", "video is required"},
      {R"({"video":{"colors":["#000","#fff"],"sequences":[]}})", "format must be one of"},
      {R"({"video":{"format":"square","sequences":[]}})", "colors is required"},
      {head + R"("sequences":[]}})", "at least 1 sequence"},
      {head + R"("sequences":[7]}})", "sequences[0] must be an object"},
      {head + R"("sequences":[{"duration":3,"type":"image"}]}})", "sequences[0].order"},
      {head + R"("sequences":[{"order":"0","duration":3,"type":"image"}]}})", "sequences[0].order"},
      {head + R"("sequences":[{"order":0,"duration":0,"type":"image"}]}})", "sequences[0].duration"},
      {head + R"("sequences":[{"order":0,"duration":3,"type":"Image"}]}})", "sequences[0].type"},
      {head + R"("sequences":[{"order":0,"duration":3,"type":"video"}]}})", "sequences[0].animationType"},
      {head + R"("displayLogo":true,"sequences":[{"order":0,"duration":3,"type":"image"}]}})", "logoUrl is required"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body);
    Service service(calm());
    const std::string error = service.text(service.ask("POST", kVideo, one.body), "error");
    CHECK(service.status == 400);
    CHECK_MESSAGE(error.find(one.error) != std::string::npos, error);
    CHECK(service.model.jobs().empty());
  }
}

TEST_CASE("iacrea model: a sequence made again sends the video back, charges, and ends with another render") {
  Service service(calm());
  const std::string id = service.start();
  service.finish(id);
  const std::vector<std::string> items = service.item_ids(id);
  const std::string generation = service.again(id, items[1], R"(,"sequence":{"url":"https://x.test/new.jpg"})");
  CHECK(service.status == 200);
  CHECK(generation.size() == 36);
  CHECK(service.model.jobs()[0].status == "PENDING");
  REQUIRE(service.model.jobs().size() == 2);
  CHECK(service.model.jobs()[1].id == generation);
  CHECK(service.model.jobs()[1].charged == Credits::whole(1));
  CHECK(service.finish(id) == kAllStates);
  CHECK(service.model.jobs()[1].status == "DONE");
  CHECK(service.poll(id, "url") == "https://videos.sandbox.test/" + id + "-1.mp4");
  CHECK(service.poll(id, "creditsTotal") == "997");
  CHECK(service.item_ids(id) == std::vector<std::string>{items[0], generation});
  // Both the old id and the new one name it from now on.
  CHECK(service.again(id, items[1]).size() == 36);
  CHECK(service.again(id, generation).size() == 36);
}

TEST_CASE("iacrea model: a render under way is thrown away") {
  Service service(calm());
  const std::string id = service.start();
  while (service.poll(id) != "RENDERING_VIDEO") service.now_ms += 10'000;
  CHECK(service.poll(id) == "RENDERING_VIDEO");
  // The ids of the items are told while the clips are made and when the video is done.
  Service twin(calm());
  const std::string item = [&] {
    const std::string same = twin.start();
    REQUIRE(same == id);
    twin.poll(same);
    return twin.item_ids(same)[0];
  }();
  service.again(id, item);
  CHECK(service.status == 200);
  CHECK(service.finish(id) == kAllStates);
}

TEST_CASE("iacrea model: for a while a GET may still show the old render") {
  ServiceOptions options = calm();
  options.regenerate_lag_ms = 20'000;
  Service service(options);
  const std::string id = service.start();
  service.finish(id);
  const std::string item = service.item_ids(id)[0];
  service.again(id, item);
  for (const int after_ms : {0, 5'000, 19'999}) {
    const std::int64_t now_ms = service.now_ms;
    service.now_ms += after_ms;
    CHECK(service.poll(id) == "DONE");
    CHECK(service.poll(id, "url") == "https://videos.sandbox.test/" + id + ".mp4");
    service.now_ms = now_ms;
  }
  CHECK(service.model.jobs()[1].status == "PENDING");
  service.now_ms += 20'000;
  CHECK(service.poll(id) == "PENDING");
  CHECK(service.finish(id) == kAllStates);
  CHECK(service.poll(id, "url") == "https://videos.sandbox.test/" + id + "-1.mp4");
}

TEST_CASE("iacrea model: sequences are refused by whose fault it is") {
  ServiceOptions options = calm();
  options.credits = Credits::whole(2);
  Service service(options);
  const std::string id = service.start();
  const std::string item = service.item_ids(id)[0];
  const auto status = [&](const std::string& video, const std::string& body) {
    service.ask("POST", kSequence + video, body);
    return service.status;
  };
  const std::string good = fmt::format(R"({{"sequenceId":"{}"}})", item);
  CHECK(status("x", good) == 400);
  CHECK(status(id, "{}") == 400);
  CHECK(status(id, R"({"sequenceId":7})") == 400);
  CHECK(status(id, fmt::format(R"({{"sequenceId":"{}","sequence":{{"url":"x"}}}})", item)) == 400);
  CHECK(status("4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f", good) == 404);
  CHECK(status(id, R"({"sequenceId":"nobody"})") == 404);
  CHECK(status(id, good) == 402);
  CHECK(service.model.jobs().size() == 1);
}

TEST_CASE("iacrea model: ids of auto videos are not known to the other endpoints") {
  Service service(calm());
  const std::string id =
      service.text(service.ask("POST", kVideo + "/auto",
                               R"({"image_urls":["https://x.test/1.jpg"],"description":"Bright flat, terrace"})"),
                   "id");
  REQUIRE(service.status == 201);
  service.ask("GET", kVideo + "/" + id);
  CHECK(service.status == 404);
  service.ask("POST", kSequence + id, R"({"sequenceId":"x"})");
  CHECK(service.status == 404);
}

TEST_CASE("iacrea model: a job in error can be mended by making a sequence again") {
  ServiceOptions options = calm();
  options.job_error_rate = 0.5;
  Service service(options);
  int mended = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string id = service.start();
    if (service.finish(id).back() != "ERROR") continue;
    for (int attempt = 0; attempt < 10; ++attempt) {
      service.again(id, service.item_ids(id)[0]);
      if (service.finish(id).back() == "DONE") break;
    }
    CHECK(service.poll(id) == "DONE");
    ++mended;
  }
  CHECK(mended > 3);
}

TEST_CASE("iacrea model: a clip that stays in error holds its video up until it is made again") {
  ServiceOptions options = calm();
  options.clip_stuck_rate = 0.5;
  int held_up = 0;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    Service service(options);
    const std::string id = service.start();
    int remakes = 0;
    while (service.finish(id).back() != "DONE") {
      // As long as nobody asks, nothing changes.
      const JsonElement answer = service.ask("GET", kVideo + "/" + id);
      CHECK(service.text(answer, "status") == "GENERATING_VIDEO");
      simdjson::dom::array items;
      REQUIRE(!answer["generatedContent"].get(items));
      std::vector<std::string> broken;
      for (const JsonElement item : items) {
        if (service.text(item, "status") == "error") broken.push_back(service.text(item, "id"));
      }
      REQUIRE_FALSE(broken.empty());
      for (const std::string& clip : broken) service.again(id, clip);
      remakes += static_cast<int>(broken.size());
      REQUIRE(remakes < 50);
    }
    held_up += remakes > 0 ? 1 : 0;
    CHECK(service.model.jobs().size() == 1U + static_cast<unsigned>(remakes));
  }
  CHECK(held_up > 5);
  CHECK(held_up < 20);
}

TEST_CASE("iacrea model: with sequences made again a restored model continues exactly, wherever it was stopped") {
  ServiceOptions options;
  options.clip_error_rate = 0.5;
  options.regenerate_lag_ms = 15'000;
  for (int stop_at = 0; stop_at < 40; ++stop_at) {
    CAPTURE(stop_at);
    Service whole(options);
    Service first(options);
    Service second(options);
    Service* service = &first;
    std::vector<std::string> journal;
    const std::string id = whole.start();
    REQUIRE(first.start() == id);
    const std::string item = whole.item_ids(id)[0];
    REQUIRE(first.item_ids(id)[0] == item);
    for (int turn = 0; turn < 40; ++turn) {
      for (std::string& line : service->model.take_changes()) journal.push_back(std::move(line));
      if (turn == stop_at) {
        for (const std::string& line : journal) REQUIRE(second.model.restore(line));
        CHECK(second.model.take_changes().empty());
        CHECK(second.model.snapshot() == first.model.snapshot());
        service = &second;
      }
      for (Service* one : {&whole, service}) one->now_ms = turn * 12'000;
      if (turn % 9 == 4) {
        CHECK(service->again(id, item) == whole.again(id, item));
      } else {
        CHECK(service->poll(id) == whole.poll(id));
      }
      CHECK(service->model.snapshot() == whole.model.snapshot());
    }
    IacreaModel compact(options);
    for (const std::string& line : service->model.snapshot()) REQUIRE(compact.restore(line));
    CHECK(compact.snapshot() == whole.model.snapshot());
    CHECK(whole.model.jobs().size() == 5);
  }
}

TEST_CASE("iacrea model: a remake's line that cannot be restored leaves the model as it was") {
  Service service(calm());
  const std::string id = service.start();
  service.again(id, service.item_ids(id)[0]);
  const auto before = service.model.snapshot();
  for (const std::string& line :
       {std::string(R"({"again":"g","video":"nobody","clip":0,"at_ms":0,"charged":1,"body":"{\"sequenceId\":\"s\"}"})"),
        fmt::format(R"({{"again":"g","video":"{}","clip":-1,"at_ms":0,"charged":1,"body":"{{}}"}})", id),
        fmt::format(R"({{"again":"g","video":"{}","clip":0,"at_ms":0,"charged":1,"body":"{{}}"}})", id),
        fmt::format(R"({{"step":"{}","status":"DONE","since_ms":0,"round":2,"applied":2,"finished":0}})", id),
        fmt::format(R"({{"step":"{}","status":"DONE","since_ms":0,"round":2,"applied":1,"finished":2}})", id),
        fmt::format(R"({{"step":"{}","status":"DONE","since_ms":0,"round":2}})", id)}) {
    CAPTURE(line);
    CHECK_FALSE(service.model.restore(line));
    CHECK(service.model.snapshot() == before);
  }
}

}  // namespace reelbatch
