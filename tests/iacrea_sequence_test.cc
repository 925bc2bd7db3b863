#include "jobs/iacrea_sequence.h"

#include <doctest/doctest.h>

#include "tests/kind_rows.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

const IacreaSequence kKind;

RawFields row(TextFields more = {}) {
  return cells({{"video_id", "v/1"}, {"sequence_id", "s-1"}}, more);
}

std::string body_of(TextFields more) {
  const Normalised normal = kKind.normalise(row(more));
  REQUIRE(lines_of(normal.problems) == "");
  return kKind.submit(normal.fields, "marker").body;
}

}  // namespace

TEST_CASE("iacrea.sequence: what stays as it was is not sent") {
  const Normalised normal = kKind.normalise(row());
  REQUIRE(lines_of(normal.problems) == "");
  const Request request = kKind.submit(normal.fields, "marker");
  CHECK(request.method == "POST");
  CHECK(request.path == "/api/video-editor/generate/sequence/v%2F1");
  CHECK(request.body == R"({"sequenceId":"s-1"})");
  CHECK(body_of({{"url", "https://a.example/n.jpg"}}) ==
        R"({"sequence":{"url":"https://a.example/n.jpg"},"sequenceId":"s-1"})");
  CHECK(body_of({{"effect", "camera_push_out"}}) == R"({"sequence":{"effect":"CAMERA_PUSH_OUT"},"sequenceId":"s-1"})");
  CHECK(body_of({{"url", "https://a.example/n.jpg"}, {"effect", "AUTO_REVERSE"}}) ==
        R"({"sequence":{"effect":"AUTO_REVERSE","url":"https://a.example/n.jpg"},"sequenceId":"s-1"})");
}

TEST_CASE("iacrea.sequence: problems and remarks") {
  CHECK(lines_of(kKind.normalise({}).problems) ==
        "video_id: is missing; give the id of the video that has the sequence\n"
        "sequence_id: is missing; give the id of the sequence, as generatedContent has it\n");
  CHECK(lines_of(kKind.normalise(row({{"video_id", ".."}, {"sequence_id", "."}})).problems) ==
        "video_id: needs to be the service's id, not dots\nsequence_id: needs to be the service's id, not dots\n");
  CHECK(lines_of(kKind.normalise(row({{"url", "n.jpg"}})).problems) ==
        "url: 'n.jpg' is not an address: needs to begin with http:// or https://\n");
  // The words of the older animation API are another vocabulary; whether they are taken is not known.
  const Normalised older = kKind.normalise(row({{"effect", "ZOOM_IN"}}));
  CHECK(lines_of(older.problems) == "");
  CHECK(json_of(older, "effect") == "\"ZOOM_IN\"");
  CHECK(lines_of(older.remarks).starts_with("effect: 'ZOOM_IN' is not among the documented ones, CAMERA_PUSH_IN, "));
}

TEST_CASE("iacrea.sequence: an answer that names another video says nothing of its sequences") {
  const std::vector<PolledJob> jobs{{"gen-1", "v/1"}, {"gen-2", "v/1"}};
  const auto read = [&](const std::string& id) {
    const std::string body = R"({"status":"DONE","id":)" + id + R"(,"url":"https://cdn.test/v.mp4"})";
    const std::vector<PollVerdict> verdicts = kKind.read_poll(jobs, {200, body});
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].outcome == verdicts[1].outcome);
    return verdicts[0].outcome;
  };
  CHECK(read(R"("v/1")") == PollOutcome::Done);
  CHECK(read("null") == PollOutcome::Done);
  CHECK(read(R"("v/2")") == PollOutcome::TryAgain);
}

TEST_CASE("iacrea.sequence: its job is the generation, its subject the video, and the video is what is polled") {
  const Normalised normal = kKind.normalise(row());
  CHECK(kKind.subject(normal.fields) == "v/1");
  CHECK(kKind.followed(normal.fields).empty());
  CHECK(kKind.may_answer_with_the_past());
  const std::vector<PolledJob> jobs{{"gen-1", "v/1"}, {"gen-2", "v/1"}};
  CHECK(kKind.poll(jobs).path == "/api/video-editor/generate/video/v%2F1");
  const std::vector<PollVerdict> verdicts =
      kKind.read_poll(jobs, {200, R"({"status":"DONE","url":"https://a.example/v.mp4"})"});
  REQUIRE(verdicts.size() == 2);
  for (const PollVerdict& verdict : verdicts) {
    CHECK(verdict.outcome == PollOutcome::Done);
    CHECK(verdict.url == "https://a.example/v.mp4");
  }
}

TEST_CASE("iacrea.sequence: only a generation id accepts") {
  struct Case {
    std::string name;
    Response response;
    SubmitOutcome outcome;
    std::string_view remote_id;
  };
  const Case cases[] = {
      {"documented",
       {200, R"({"status":"START_GENERATION","generationId":"g-1","creditsTotal":46,"creditsUsed":4})"},
       SubmitOutcome::Accepted,
       "g-1"},
      {"a number", {200, R"({"generationId":7})"}, SubmitOutcome::Accepted, "7"},
      {"the video's id is not the job's",
       {200, R"({"id":"v-1","status":"START_GENERATION"})"},
       SubmitOutcome::Unknown,
       ""},
      {"null", {200, R"({"generationId":null})"}, SubmitOutcome::Unknown, ""},
      {"nothing", {200, "null"}, SubmitOutcome::Unknown, ""},
      {"empty", {200, ""}, SubmitOutcome::Unknown, ""},
      {"dots", {200, R"({"generationId":".."})"}, SubmitOutcome::Unknown, ""},
      {"bad id", {400, R"({"error":"Invalid sequenceId"})"}, SubmitOutcome::RowRefused, ""},
      {"no credits", {400, R"({"error":"Insufficient video credits"})"}, SubmitOutcome::NoCredits, ""},
      {"not there", {404, R"({"error":"Sequence not found"})"}, SubmitOutcome::AddressRefused, ""},
      {"broken", {500, R"({"generationId":"g-1"})"}, SubmitOutcome::Unknown, ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const SubmitVerdict verdict = kKind.read_submit(one.response);
    CHECK(verdict.outcome == one.outcome);
    CHECK(verdict.remote_id == one.remote_id);
  }
  const SubmitVerdict accepted = kKind.read_submit(cases[0].response);
  CHECK(accepted.credits.remaining == Credits::whole(46));
  CHECK(accepted.credits.used == Credits::whole(4));
}

TEST_CASE("iacrea.sequence: everything of a row is paid for") {
  for (const FieldSpec& spec : kKind.fields()) CHECK(spec.is_content);
}

}  // namespace reelbatch
