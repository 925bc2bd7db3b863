// What public clients of these services got wrong, what must not be assumed of them, and what surprises: PROVIDERS.md
// sections 3, 5 and 6, one test an item, as far as a kind can get it right by itself. tests/README.md has the whole
// list, with the items that are the loop's.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/registry.h"
#include "tests/kind_rows.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

const JobKind& kAuto = *find_kind("iacrea.auto");
const JobKind& kVideo = *find_kind("iacrea.video");
const JobKind& kSequence = *find_kind("iacrea.sequence");
const JobKind& kAurora = *find_kind("creatify.aurora");

constexpr const char* kHtml = "<!DOCTYPE html><html><body><h1>Oops</h1></body></html>";

std::vector<const JobKind*> iacrea_kinds() {
  return {&kAuto, &kVideo, &kSequence};
}

PollVerdict poll(const JobKind& kind, int status, std::string body) {
  const std::vector<PolledJob> job{{"j-1", "v-1"}};
  return kind.read_poll(job, {status, std::move(body)}).front();
}
PollOutcome outcome(const JobKind& kind, int status, std::string body) {
  return poll(kind, status, std::move(body)).outcome;
}
SubmitVerdict submit(const JobKind& kind, int status, std::string body) {
  return kind.read_submit({status, std::move(body)});
}

RawFields aurora_row(TextFields more = {}) {
  return cells({{"audio", "https://a.example/v.mp3"}, {"image", "https://a.example/f.png"}}, more);
}

}  // namespace

// ---- Section 3: weaknesses of public clients ------------------------------------------------------------------------

TEST_CASE("providers 3.1: rejected is an end, and a status that is not 200 is not a running job") {
  CHECK(outcome(kAurora, 200, R"({"status":"rejected"})") == PollOutcome::Failed);
  for (const int status : {400, 401, 403, 404, 429, 500, 503}) {
    CHECK(outcome(kAurora, status, R"({"status":"running"})") != PollOutcome::Running);
  }
}

TEST_CASE("providers 3.2: done without an address is neither done nor an end") {
  const PollVerdict verdict = poll(kAurora, 200, R"({"status":"done","video_output":null})");
  CHECK(verdict.outcome == PollOutcome::Running);
  CHECK(verdict.detail == "done without a video_output");
}

TEST_CASE("providers 3.3: the result is in video_output alone, and one failed poll ends nothing") {
  for (const char* member : {"output", "video_url", "url", "preview", "editor_url"}) {
    const std::string body = fmt::format(R"({{"status":"done","{}":"https://a.example/v.mp4"}})", member);
    CHECK(outcome(kAurora, 200, body) == PollOutcome::Running);
  }
  for (const int status : {408, 500, 502, 504}) CHECK(outcome(kAurora, status, kHtml) == PollOutcome::TryAgain);
}

TEST_CASE("providers 3.4: a 401 or a 404 to a poll is not pending") {
  for (const JobKind* kind : all_kinds()) {
    CHECK(outcome(*kind, 401, R"({"status":"pending"})") == PollOutcome::KeyRefused);
    CHECK(outcome(*kind, 404, R"({"status":"pending"})") == PollOutcome::NotKnown);
  }
}

TEST_CASE("providers 3.5: polls have the final slash, done is the word, and completed is not") {
  const std::vector<PolledJob> job{{"j-1"}};
  CHECK(kAurora.poll(job).path == "/api/aurora/j-1/");
  CHECK(outcome(kAurora, 200, R"({"status":"done","video_output":"https://a.example/v.mp4"})") == PollOutcome::Done);
  CHECK(outcome(kAurora, 200, R"({"status":"completed","video_output":"https://a.example/v.mp4"})") ==
        PollOutcome::Running);
}

TEST_CASE("providers 3.6: a POST that was answered 5xx is not one that may be sent again") {
  for (const JobKind* kind : all_kinds()) {
    for (const int status : {500, 501, 502, 503, 504, 520, 599, 408, 409, 425}) {
      CHECK(submit(*kind, status, R"({"error":"try again"})").outcome == SubmitOutcome::Unknown);
    }
  }
}

TEST_CASE("providers 3.9: the service's words are found wherever they are, and a failed balance read is not 0") {
  CHECK(submit(kAurora, 400, R"({"detail":"no such thing"})").detail == "400 Bad Request: no such thing");
  CHECK(submit(kAurora, 400, R"({"image":["Enter a valid URL."]})").detail ==
        "400 Bad Request: image: Enter a valid URL.");
  const ServiceSpec& service = *find_service("creatify");
  for (const int status : {401, 403, 404, 429, 500, 503}) {
    CHECK_FALSE(service.read_balance({status, R"({"remaining_credits":5})"}).any());
  }
  CHECK_FALSE(service.read_balance({200, "{}"}).any());
}

TEST_CASE("providers 3.10: a 429 says nothing about any row") {
  for (const JobKind* kind : all_kinds()) {
    CHECK(submit(*kind, 429, R"({"detail":"Request was throttled. Expected available in 5 seconds."})").outcome ==
          SubmitOutcome::Throttled);
    CHECK(outcome(*kind, 429, "") == PollOutcome::Throttled);
  }
}

// ---- Section 5: what must not be assumed of IACrea ------------------------------------------------------------------

TEST_CASE("providers 5, IACrea 1: progress has no scale, may shrink, and may be missing") {
  for (const JobKind* kind : iacrea_kinds()) {
    for (const char* progress : {"0.65", "65", "650", "-1", "null", "\"65 %\"", "{}", "[]"}) {
      const std::string body = fmt::format(R"({{"status":"RENDERING_VIDEO","progress":{}}})", progress);
      CHECK(outcome(*kind, 200, body) == PollOutcome::Running);
    }
    CHECK(outcome(*kind, 200, R"({"status":"RENDERING_VIDEO"})") == PollOutcome::Running);
    // All of it is not the end of it.
    CHECK(outcome(*kind, 200, R"({"status":"RENDERING_VIDEO","progress":100})") == PollOutcome::Running);
  }
  CHECK(poll(kAuto, 200, R"({"status":"RENDERING_VIDEO","progress":65})").detail == "RENDERING_VIDEO 65");
}

TEST_CASE("providers 5, IACrea 2: states go back and may be skipped: a verdict depends on one answer alone") {
  for (const JobKind* kind : iacrea_kinds()) {
    for (int round = 0; round < 3; ++round) {
      CHECK(outcome(*kind, 200, R"({"status":"GENERATING_VIDEO"})") == PollOutcome::Running);
      CHECK(outcome(*kind, 200, R"({"status":"PENDING"})") == PollOutcome::Running);
    }
    CHECK(outcome(*kind, 200, R"({"status":"DONE","url":"https://a.example/v.mp4"})") == PollOutcome::Done);
  }
}

TEST_CASE("providers 5, IACrea 3: states are compared without case, and shown as they came") {
  for (const JobKind* kind : iacrea_kinds()) {
    CHECK(poll(*kind, 200, R"({"status":"Pending"})").detail == "Pending");
    CHECK(outcome(*kind, 200, R"({"status":"done","url":"https://a.example/v.mp4"})") == PollOutcome::Done);
    CHECK(poll(*kind, 200, R"({"status":"eRRor"})").detail == "eRRor");
  }
}

TEST_CASE("providers 5, IACrea 4: a failure may have any words, and a 5xx is none") {
  for (const JobKind* kind : iacrea_kinds()) {
    for (const char* body : {R"({"status":"ERROR"})", R"({"status":"FAILED","message":"x"})",
                             R"({"status":"error","error":{"code":7,"message":["x"]}})"}) {
      CHECK(outcome(*kind, 200, body) == PollOutcome::Failed);
    }
    CHECK(outcome(*kind, 500, R"({"status":"ERROR"})") == PollOutcome::TryAgain);
  }
}

TEST_CASE("providers 5, IACrea 5: an unknown state is not an end") {
  for (const JobKind* kind : all_kinds()) {
    for (const char* word : {"CANCELLED", "ERRORED", "STARTING", "SUCCEEDED", "completed", "?"}) {
      const PollVerdict verdict = poll(*kind, 200, fmt::format(R"({{"status":"{}"}})", word));
      CHECK(verdict.outcome == PollOutcome::Running);
      CHECK(verdict.detail == word);
    }
  }
}

TEST_CASE("providers 5, IACrea 6: ids are opaque, and one segment of a path") {
  for (const std::string& id : {std::string("42"), std::string("a b"), std::string("a/b"), std::string("é"),
                                std::string("x?y=z#"), std::string(500, 'x')}) {
    const SubmitVerdict verdict = submit(kAuto, 201, fmt::format(R"({{"id":"{}"}})", id));
    CHECK(verdict.remote_id == id);
    const std::vector<PolledJob> job{{verdict.remote_id, verdict.remote_id}};
    const std::string path = kAuto.poll(job).path;
    CHECK(std::count(path.begin(), path.end(), '/') == 6);
    CHECK(path.find_first_of("?# ") == std::string::npos);
  }
}

TEST_CASE("providers 5, IACrea 7: each kind polls on the path of its own endpoint") {
  const std::vector<PolledJob> job{{"j-1", "v-1"}};
  CHECK(kAuto.poll(job).path == "/api/video-editor/generate/video/auto/j-1");
  CHECK(kVideo.poll(job).path == "/api/video-editor/generate/video/j-1");
  CHECK(kSequence.poll(job).path == "/api/video-editor/generate/video/v-1");
}

TEST_CASE("providers 5, IACrea 8: DONE needs no id, and without an address it is not done") {
  for (const JobKind* kind : iacrea_kinds()) {
    CHECK(outcome(*kind, 200, R"({"status":"DONE","url":"https://a.example/v.mp4"})") == PollOutcome::Done);
    for (const char* url : {"\"\"", "\" \"", "null", "7", "\"/v.mp4\"", "\"javascript:x\"", "[]"}) {
      CHECK(outcome(*kind, 200, fmt::format(R"({{"status":"DONE","url":{}}})", url)) == PollOutcome::Running);
    }
  }
}

TEST_CASE("providers 5, IACrea 9: nothing is read out of generatedContent") {
  for (const JobKind* kind : iacrea_kinds()) {
    for (const char* content :
         {"[]", "null", "{}", "7", R"([{"status":"error"}])", R"([{"id":"other"},{"id":"other"}])"}) {
      CHECK(outcome(*kind, 200,
                    fmt::format(R"({{"status":"DONE","url":"https://a.example/v.mp4","generatedContent":{}}})",
                                content)) == PollOutcome::Done);
      CHECK(outcome(*kind, 200, fmt::format(R"({{"status":"GENERATING_VIDEO","generatedContent":{}}})", content)) ==
            PollOutcome::Running);
    }
  }
}

TEST_CASE("providers 5, IACrea 10: figures are told as figures, present or not, and never as the job's") {
  CHECK_FALSE(find_service("iacrea")->cost_is_per_job);
  for (const JobKind* kind : iacrea_kinds()) {
    const PollVerdict with = poll(*kind, 200, R"({"status":"GENERATING_VIDEO","creditsTotal":47,"creditsUsed":3})");
    CHECK(with.credits == CreditFigures{Credits::whole(47), Credits::whole(3)});
    CHECK_FALSE(poll(*kind, 200, R"({"status":"PENDING"})").credits.any());
    CHECK(poll(*kind, 200, R"({"status":"PENDING","creditsUsed":3})").credits ==
          CreditFigures{std::nullopt, Credits::whole(3)});
  }
}

TEST_CASE("providers 5, IACrea 11: there is no free read of video credits") {
  CHECK(find_service("iacrea")->balance_path.empty());
}

TEST_CASE("providers 5, IACrea 14: errors may be pages") {
  for (const JobKind* kind : all_kinds()) {
    CHECK(submit(*kind, 404, kHtml).detail == "404 Not Found");
    CHECK(submit(*kind, 500, kHtml).detail == "500 Internal Server Error");
    CHECK(submit(*kind, 400, kHtml).outcome == SubmitOutcome::RowRefused);
    CHECK(poll(*kind, 502, kHtml).detail == "502 Bad Gateway");
    CHECK(outcome(*kind, 200, kHtml) == PollOutcome::TryAgain);
    CHECK(submit(*kind, 200, kHtml).outcome == SubmitOutcome::Unknown);
  }
}

TEST_CASE("providers 5, IACrea 15: without 402 an empty account may be a 400, without 429 nothing is throttled") {
  for (const JobKind* kind : all_kinds()) {
    CHECK(submit(*kind, 402, "").outcome == SubmitOutcome::NoCredits);
    CHECK(submit(*kind, 400, R"({"error":"Insufficient credits"})").outcome == SubmitOutcome::NoCredits);
    CHECK(submit(*kind, 503, R"({"error":"Too many requests"})").outcome == SubmitOutcome::Unknown);
  }
}

TEST_CASE("providers 5, IACrea 16: a number may come as text, and nothing else is guessed") {
  const auto used = [](std::string_view json) {
    return poll(kAuto, 200, fmt::format(R"({{"status":"PENDING","creditsUsed":{}}})", json)).credits.used;
  };
  CHECK(used("3") == Credits::whole(3));
  CHECK(used("\"3\"") == Credits::whole(3));
  CHECK(used("3.0") == Credits::whole(3));
  CHECK(used("\"2.5\"") == Credits{2500});
  for (const char* odd : {"null", "true", "\"\"", "\"3 credits\"", "\"3,5\"", "[3]", "{}", "1e300", "\"NaN\""}) {
    CHECK_FALSE(used(odd));
  }
}

// ---- Section 5: what must not be assumed of Creatify ----------------------------------------------------------------

TEST_CASE("providers 5, Creatify 1: a create answer may have any state") {
  for (const char* state : {"pending", "in_queue", "running", "done", "failed", "rejected", "new"}) {
    const SubmitVerdict verdict = submit(kAurora, 201, fmt::format(R"({{"id":"a-1","status":"{}"}})", state));
    CHECK(verdict.outcome == SubmitOutcome::Accepted);
    CHECK(verdict.remote_id == "a-1");
  }
}

TEST_CASE("providers 5, Creatify 2: there are three ends") {
  CHECK(outcome(kAurora, 200, R"({"status":"done","video_output":"https://a.example/v.mp4"})") == PollOutcome::Done);
  CHECK(outcome(kAurora, 200, R"({"status":"failed"})") == PollOutcome::Failed);
  CHECK(outcome(kAurora, 200, R"({"status":"rejected"})") == PollOutcome::Failed);
}

TEST_CASE("providers 5, Creatify 3: done does not imply an address") {
  for (const char* url : {"null", "\"\"", "7", "\"x.mp4\""}) {
    CHECK(outcome(kAurora, 200, fmt::format(R"({{"status":"done","video_output":{}}})", url)) == PollOutcome::Running);
  }
}

TEST_CASE("providers 5, Creatify 4: failed_reason may be anything") {
  const auto detail = [](std::string_view reason) {
    return poll(kAurora, 200, fmt::format(R"({{"status":"failed","failed_reason":{}}})", reason)).detail;
  };
  CHECK(detail("\"No face found\"") == "failed: No face found");
  CHECK(detail("[\"a\",\"b\"]") == "failed: a; b");
  CHECK(detail("{\"image\":[\"no face\"]}") == "failed: image: no face");
  for (const char* nothing : {"null", "\"\"", "\" \"", "7", "{}", "[]", "false"}) CHECK(detail(nothing) == "failed");
}

TEST_CASE("providers 5, Creatify 5: credits_used is whatever it is, at any moment") {
  const auto used = [](std::string_view state, std::string_view json) {
    return poll(kAurora, 200, fmt::format(R"({{"status":"{}","credits_used":{}}})", state, json)).credits.used;
  };
  CHECK(used("pending", "0") == Credits{});
  CHECK(used("running", "84") == Credits::whole(84));
  CHECK(used("running", "7.5") == Credits{7500});
  CHECK(used("failed", "7.5") == Credits{7500});
  CHECK(used("failed", "0") == Credits{});
  CHECK(used("done", "\"2\"") == Credits::whole(2));
  for (const char* odd : {"null", "\"\"", "[]", "-1", "true"}) CHECK_FALSE(used("done", odd));
}

TEST_CASE("providers 5, Creatify 6: a job's cost is its own figure, the balance another one") {
  CHECK(find_service("creatify")->cost_is_per_job);
  const PollVerdict verdict = poll(kAurora, 200, R"({"status":"running","credits_used":1,"remaining_credits":5})");
  CHECK(verdict.credits == CreditFigures{std::nullopt, Credits::whole(1)});
  CHECK(find_service("creatify")->read_balance({200, R"({"remaining_credits":489.5})"}) ==
        CreditFigures{Credits{489'500}, std::nullopt});
}

TEST_CASE("providers 5, Creatify 8 and 9: no verdict depends on a time in an answer") {
  for (const char* times : {R"("updated_at":"2026-10-03T13:42:43.991283-07:00")", R"("updated_at":null)",
                            R"("updated_at":"never","created_at":7)", R"("created_at":"2023-11-07T05:31:56Z")"}) {
    CHECK(outcome(kAurora, 200, fmt::format(R"({{"status":"running",{}}})", times)) == PollOutcome::Running);
  }
}

TEST_CASE("providers 5, Creatify 10: a job is found by its id or its marker, not by its inputs") {
  const std::vector<std::string> markers{"rb-1-1"};
  const std::string list =
      R"([{"id":"other","name":"x","audio":"https://a.example/v.mp3","image":"https://a.example/f.png"},)"
      R"({"id":"ours","name":"Lyon [rb-1-1]","audio":"https://cdn.creatify.ai/1","image":"https://cdn.creatify.ai/2"}])";
  CHECK(kAurora.read_search(markers, {200, list}).remote_ids.front() == "ours");
}

TEST_CASE("providers 5, Creatify 11: the list may be in any order, incomplete, an array or an envelope") {
  const std::vector<PolledJob> jobs{{"a"}, {"b"}};
  for (const char* list :
       {R"([{"id":"b","status":"running"}])",
        R"({"count":9,"next":"https://x.example","results":[{"id":"x"},{"id":"b","status":"running"}]})"}) {
    const std::vector<PollVerdict> verdicts = kAurora.read_poll(jobs, {200, list});
    CHECK(verdicts[0].outcome == PollOutcome::AskAlone);
    CHECK(verdicts[1].outcome == PollOutcome::Running);
  }
}

TEST_CASE("providers 5, Creatify 12: error bodies have every shape") {
  struct Case {
    const char* body;
    const char* words;
  };
  for (const Case& one :
       {Case{R"(["AI model not found"])", "AI model not found"},
        Case{R"({"non_field_errors":["not both"]})", "not both"},
        Case{R"({"link":["Invalid link ID"]})", "link: Invalid link ID"},
        Case{R"({"detail":"Not found."})", "Not found."}, Case{R"("plain")", "plain"}, Case{"plain", "plain"}}) {
    CHECK(submit(kAurora, 400, one.body).detail == std::string("400 Bad Request: ") + one.words);
    CHECK(submit(kAurora, 400, one.body).outcome == SubmitOutcome::RowRefused);
  }
  CHECK(submit(kAurora, 400, "").detail == "400 Bad Request");
}

TEST_CASE("providers 5, Creatify 14: every path has its final slash, but for a query behind it") {
  const Normalised normal = kAurora.normalise(aurora_row());
  const std::vector<PolledJob> one{{"a", "v"}};
  const std::vector<PolledJob> two{{"a"}, {"b"}};
  CHECK(kAurora.submit(normal.fields, "m").path.ends_with('/'));
  CHECK(kAurora.poll(one).path.ends_with('/'));
  CHECK(kAurora.poll(two).path.starts_with("/api/aurora/?"));
  CHECK(kAurora.search()->path.ends_with('/'));
  CHECK(find_service("creatify")->balance_path.ends_with('/'));
  for (const JobKind* kind : iacrea_kinds()) CHECK_FALSE(kind->poll(one).path.ends_with('/'));
}

TEST_CASE("providers 5, both 1: an answer that was lost on the way may be a job") {
  for (const JobKind* kind : all_kinds()) {
    for (const char* body : {"", "{", R"({"id":"a-1","generationId":"a-1")", "null", "[]", kHtml}) {
      CHECK(submit(*kind, 201, body).outcome == SubmitOutcome::Unknown);
    }
  }
}

// ---- Section 6: what would surprise ---------------------------------------------------------------------------------

TEST_CASE("providers 6.3: IACrea answers 200 whatever became of the job") {
  for (const JobKind* kind : iacrea_kinds()) {
    CHECK(outcome(*kind, 200, R"({"status":"ERROR"})") == PollOutcome::Failed);
    CHECK(outcome(*kind, 200, R"({"status":"PENDING"})") == PollOutcome::Running);
    CHECK(outcome(*kind, 200, R"({"error":"something"})") == PollOutcome::TryAgain);
  }
}

TEST_CASE("providers 6.4: an IACrea job that circles never ends by itself") {
  for (const JobKind* kind : iacrea_kinds()) {
    CHECK(outcome(*kind, 200, R"({"status":"PENDING","message":"Re-generating video in error"})") ==
          PollOutcome::Running);
  }
}

TEST_CASE("providers 6.5: IACrea cannot be searched, Creatify can") {
  for (const JobKind* kind : iacrea_kinds()) CHECK_FALSE(kind->search());
  CHECK(kAurora.search());
}

TEST_CASE("providers 6.6: regenerations of one video are jobs on one subject, and may be answered with the past") {
  const Normalised normal = kSequence.normalise(cells({{"video_id", "v-1"}, {"sequence_id", "s-1"}}));
  CHECK(kSequence.subject(normal.fields) == "v-1");
  CHECK(kSequence.may_answer_with_the_past());
  for (const JobKind* kind : {&kAuto, &kVideo, &kAurora}) CHECK_FALSE(kind->may_answer_with_the_past());
}

TEST_CASE("providers 6.7 and 6.8: a redirect is the account's address and no job, and the list it leads to is none") {
  for (const JobKind* kind : all_kinds()) {
    for (const int status : {301, 302, 303, 307, 308}) {
      CHECK(submit(*kind, status, R"({"id":"a-1","generationId":"a-1"})").outcome == SubmitOutcome::AddressRefused);
      CHECK(outcome(*kind, status, R"({"status":"DONE","url":"https://a.example/v.mp4"})") == PollOutcome::TryAgain);
    }
  }
  CHECK(submit(kAurora, 200, R"([{"id":"a-1","status":"done"}])").outcome == SubmitOutcome::Unknown);
}

TEST_CASE("providers 6.9: only members that the service knows are sent") {
  const Normalised normal =
      kAurora.normalise(aurora_row({{"model", "aurora_v1_fast"}, {"model_version", "AURORA_V1"}}));
  const std::string body = kAurora.submit(normal.fields, "m").body;
  CHECK(body.find("\"model\"") == std::string::npos);
  CHECK(body.find(R"("model_version":"aurora_v1")") != std::string::npos);
}

TEST_CASE("providers 6.10: what only the audio's length decides is the service's to refuse") {
  const Normalised normal = kAurora.normalise(aurora_row());
  CHECK(normal.problems.empty());
  CHECK(submit(kAurora, 400, R"({"audio":["Audio is longer than 60 seconds."]})").outcome == SubmitOutcome::RowRefused);
}

TEST_CASE("providers 6.12: a lost Aurora job is found by a name that is unique") {
  const Normalised normal = kAurora.normalise(aurora_row({{"name", "Lyon"}}));
  const std::string first = kAurora.submit(normal.fields, "rb-1-1").body;
  const std::string second = kAurora.submit(normal.fields, "rb-1-2").body;
  CHECK(first != second);
  CHECK(first.find("Lyon [rb-1-1]") != std::string::npos);
  const std::vector<std::string> markers{"rb-1-1", "rb-1-2"};
  const SearchVerdict found = kAurora.read_search(markers, {200, R"([{"id":"a","name":"Lyon [rb-1-1]"}])"});
  CHECK(found.remote_ids == std::vector<std::string>{"a", ""});
}

TEST_CASE("providers 6.13: a hundred Aurora jobs are one request") {
  CHECK(kAurora.poll_max() == 100);
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(fmt::format("4b1f6c2e-5d3a-4c68-9f0e-{:012}", i));
  std::vector<PolledJob> jobs;
  for (const std::string& id : ids) jobs.push_back({id});
  const std::string path = kAurora.poll(jobs).path;
  CHECK(std::count(path.begin(), path.end(), ',') == 99);
  CHECK(path.size() < 4000);  // servers refuse lines of 8,000 bytes and more
}

TEST_CASE("providers 6.14: half credits and whole ones are both read") {
  const auto used = [](std::string_view json) {
    return poll(kAurora, 200, fmt::format(R"({{"status":"done","credits_used":{}}})", json)).credits.used;
  };
  CHECK(used("7.5") == Credits{7500});
  CHECK(used("2") == Credits::whole(2));
  CHECK(used("2.0") == Credits::whole(2));
}

TEST_CASE("providers 6.15: answers of every top-level type are read or refused, never misread") {
  for (const JobKind* kind : all_kinds()) {
    for (const char* body : {"{}", "[]", "\"x\"", "7", "null", "true"}) {
      CHECK(submit(*kind, 201, body).outcome == SubmitOutcome::Unknown);
      CHECK(submit(*kind, 401, body).outcome == SubmitOutcome::KeyRefused);
      CHECK(outcome(*kind, 200, body) == PollOutcome::TryAgain);
    }
  }
}

}  // namespace reelbatch
