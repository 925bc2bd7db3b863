// The client's kind against the service's model: each was written from the vendor's page alone, here they meet.
#include <doctest/doctest.h>

#include <array>

#include "jobs/registry.h"
#include "jobs/service_model.h"

namespace reelbatch {
namespace {

class BothSides {
 public:
  explicit BothSides(const ServiceOptions& options) : model_(make_service_model(kind_.service(), options)) {}

  SubmitVerdict submit(const RawFields& row) {
    const Normalised normal = kind_.normalise(row);
    REQUIRE_MESSAGE(normal.problems.empty(), normal.problems[0].field, ": ", normal.problems[0].message);
    return kind_.read_submit(exchange(kind_.submit(normal.fields, "marker")));
  }
  PollVerdict poll(const std::string& id) {
    const std::array<PolledJob, 1> group = {PolledJob{id}};
    return kind_.read_poll(group, exchange(kind_.poll(group)))[0];
  }
  Response exchange(const Request& request, const std::string& key = "k") {
    const ServiceReply reply = model_->handle(
        {request.method, request.path, "", {{"x-api-key", key}, {"content-type", "application/json"}}, request.body},
        now_ms += 5'000);
    return {reply.status, reply.body};
  }

  const JobKind& kind_ = *find_kind("iacrea.auto");
  std::unique_ptr<ServiceModel> model_;
  std::int64_t now_ms = 0;
};

RawFields row() {
  return {{"image_urls", {RawValue::Form::Text, "https://x.test/1.jpg|https://x.test/2.jpg"}},
          {"description", {RawValue::Form::Text, "Séjour lumineux \"traversant\",\nterrasse"}}};
}

}  // namespace

TEST_CASE("a row becomes a job, is polled through every state and ends with its url and its price") {
  for (const double clip_error_rate : {0.0, 1.0}) {
    ServiceOptions options;
    options.clip_error_rate = clip_error_rate;
    BothSides sides(options);
    const SubmitVerdict taken = sides.submit(row());
    REQUIRE(taken.outcome == SubmitOutcome::Accepted);
    CHECK(taken.credits.remaining == Credits::whole(998));
    CHECK(taken.credits.used == Credits::whole(2));
    CHECK(sides.model_->jobs()[0].id == taken.remote_id);
    PollVerdict verdict;
    int polls = 0;
    do {
      verdict = sides.poll(taken.remote_id);
    } while (verdict.outcome == PollOutcome::Running && ++polls < 200);
    REQUIRE(verdict.outcome == PollOutcome::Done);
    CHECK(verdict.url == options.video_base + "/" + taken.remote_id + ".mp4");
    CHECK(verdict.credits.used == Credits::whole(2));
    CHECK(polls > 5);
  }
}

TEST_CASE("everything a row can carry is accepted by the service") {
  RawFields all = row();
  for (const auto& [name, text] :
       std::array<std::pair<const char*, const char*>, 7>{{{"format", "Square"},
                                                           {"colors", "#1A1A2E|#fff"},
                                                           {"font", "Inter"},
                                                           {"music", "calm"},
                                                           {"display_logo", "yes"},
                                                           {"logo_url", "https://x.test/l.png"},
                                                           {"webhook_url", "https://x.test/h"}}}) {
    all.push_back({name, {RawValue::Form::Text, text}});
  }
  BothSides sides({});
  CHECK(sides.submit(all).outcome == SubmitOutcome::Accepted);
}

TEST_CASE("the service's refusals are read for what they are") {
  ServiceOptions options;
  options.key = "right";
  options.credits = Credits::whole(1);
  BothSides sides(options);
  const Normalised normal = sides.kind_.normalise(row());
  Request request = sides.kind_.submit(normal.fields, "marker");
  const auto outcome = [&](const Request& one, const char* key) {
    return sides.kind_.read_submit(sides.exchange(one, key)).outcome;
  };
  CHECK(outcome(request, "wrong") == SubmitOutcome::KeyRefused);
  CHECK(outcome(request, "right") == SubmitOutcome::NoCredits);
  Request other = request;
  other.path += "/";
  CHECK(outcome(other, "right") == SubmitOutcome::AddressRefused);
  other.path = "/api/video-editor/other";
  CHECK(outcome(other, "right") == SubmitOutcome::AddressRefused);
  request.body = R"({"image_urls":[]})";
  CHECK(outcome(request, "right") == SubmitOutcome::RowRefused);
  const std::array<PolledJob, 1> group = {PolledJob{"nobody"}};
  const Request poll = sides.kind_.poll(group);
  CHECK(sides.kind_.read_poll(group, sides.exchange(poll, "right"))[0].outcome == PollOutcome::NotKnown);
  CHECK(sides.kind_.read_poll(group, sides.exchange(poll, "wrong"))[0].outcome == PollOutcome::KeyRefused);
}

TEST_CASE("a job that the service gives up is failed") {
  ServiceOptions options;
  options.job_error_rate = 1;
  BothSides sides(options);
  const std::string id = sides.submit(row()).remote_id;
  PollVerdict verdict;
  for (int i = 0; i < 200; ++i) {
    verdict = sides.poll(id);
    if (verdict.outcome != PollOutcome::Running) break;
  }
  CHECK(verdict.outcome == PollOutcome::Failed);
}

}  // namespace reelbatch
