// The client's kind against the service's model: each was written from the vendor's page alone, here they meet.
#include "jobs/canonical_json.h"
#include "tests/both_sides.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

RawFields row() {
  return {{"image_urls", {RawValue::Form::Text, "https://x.test/1.jpg|https://x.test/2.jpg"}},
          {"description", {RawValue::Form::Text, "Séjour lumineux \"traversant\",\nterrasse"}}};
}

}  // namespace

TEST_CASE("a row becomes a job, is polled through every state and ends with its url and its price") {
  for (const double clip_error_rate : {0.0, 1.0}) {
    ServiceOptions options;
    options.clip_error_rate = clip_error_rate;
    BothSides sides("iacrea.auto", options);
    const SubmitVerdict taken = sides.submit(row());
    REQUIRE(taken.outcome == SubmitOutcome::Accepted);
    CHECK(taken.credits.remaining == Credits::whole(998));
    CHECK(taken.credits.used == Credits::whole(2));
    CHECK(sides.model_->jobs()[0].id == taken.remote_id);
    const PollVerdict verdict = sides.finish(taken.remote_id);
    REQUIRE(verdict.outcome == PollOutcome::Done);
    CHECK(verdict.url == options.video_base + "/" + taken.remote_id + ".mp4");
    CHECK(verdict.credits.used == Credits::whole(2));
    CHECK(sides.polls > 5);
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
  BothSides sides("iacrea.auto", ServiceOptions{});
  CHECK(sides.submit(all).outcome == SubmitOutcome::Accepted);
}

TEST_CASE("the service's refusals are read for what they are") {
  ServiceOptions options;
  options.key = "right";
  options.credits = Credits::whole(1);
  BothSides sides("iacrea.auto", options);
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
  BothSides sides("iacrea.auto", options);
  const std::string id = sides.submit(row()).remote_id;
  const PollVerdict verdict = sides.finish(id);
  CHECK(verdict.outcome == PollOutcome::Failed);
}

TEST_CASE("a video of explicit sequences is made, followed by another row, and a sequence of it made again") {
  for (const std::int64_t lag_ms : {0, 20'000}) {
    ServiceOptions options;
    options.regenerate_lag_ms = lag_ms;
    BothSides sides("iacrea.video", options);
    const SubmitVerdict made = sides.submit(fixture_row(sides.kind_));
    REQUIRE(made.outcome == SubmitOutcome::Accepted);
    const PollVerdict done = sides.finish(made.remote_id);
    REQUIRE(done.outcome == PollOutcome::Done);

    const RawFields follower{{"video_id", {RawValue::Form::Text, made.remote_id}}};
    CHECK(sides.kind_.followed(sides.normal(follower).fields) == made.remote_id);
    CHECK(sides.poll(made.remote_id).url == done.url);

    const Response answer = sides.exchange(sides.kind_.poll(std::vector<PolledJob>{{made.remote_id}}));
    JsonReader reader;
    simdjson::dom::array items;
    REQUIRE(!reader.parse(answer.body).value()["generatedContent"].get(items));
    const std::string item(json_string(items.at(0), "id").value());

    BothSides again("iacrea.sequence", sides);
    const RawFields row{{"video_id", {RawValue::Form::Text, made.remote_id}},
                        {"sequence_id", {RawValue::Form::Text, item}},
                        {"effect", {RawValue::Form::Text, "AUTO_REVERSE"}}};
    const SubmitVerdict taken = again.submit(row);
    REQUIRE(taken.outcome == SubmitOutcome::Accepted);
    CHECK(taken.remote_id != made.remote_id);
    CHECK(again.model_->jobs().back().id == taken.remote_id);
    if (lag_ms > 0) {
      // The past is still told: what may_answer_with_the_past() warns of.
      CHECK(again.poll(taken.remote_id, made.remote_id).url == done.url);
      again.now_ms += lag_ms;
    }
    CHECK(again.poll(taken.remote_id, made.remote_id).outcome == PollOutcome::Running);
    const PollVerdict remade = again.finish(taken.remote_id, made.remote_id);
    CHECK(remade.outcome == PollOutcome::Done);
    CHECK(remade.url != done.url);
    CHECK(remade.credits.remaining == Credits::whole(997));
  }
}

TEST_CASE("a sequence or a video that is not there") {
  BothSides sides("iacrea.sequence", ServiceOptions{});
  // As documented: a bad id is the row's fault. That a right one is not known is a 404, which PRODUCT.md 4.5 gives to
  // the account.
  CHECK(
      sides.submit({{"video_id", {RawValue::Form::Text, "x"}}, {"sequence_id", {RawValue::Form::Text, "y"}}}).outcome ==
      SubmitOutcome::RowRefused);
  CHECK(sides.submit(fixture_row(sides.kind_)).outcome == SubmitOutcome::AddressRefused);
  CHECK(sides.poll("g", "nobody").outcome == PollOutcome::NotKnown);
}

}  // namespace reelbatch
