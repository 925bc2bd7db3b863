#include "jobs/creatify_aurora.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/creatify.h"
#include "jobs/rfc3339.h"
#include "jobs/unicode.h"
#include "tests/kind_rows.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

const CreatifyAurora kKind;

RawFields row(TextFields more = {}) {
  return cells({{"audio", "https://a.example/v.mp3"}, {"image", "https://a.example/f.png"}}, more);
}

std::string name_sent(std::string_view name, std::string_view marker) {
  const Normalised normal = kKind.normalise(row({{"name", name}}));
  REQUIRE(lines_of(normal.problems) == "");
  JsonReader reader;
  const std::string body = kKind.submit(normal.fields, marker).body;
  return std::string(json_string(reader.parse(body).value(), "name").value_or("(none)"));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("creatify.aurora: the smallest row, with nothing added but the marker") {
  const Normalised normal = kKind.normalise(row());
  REQUIRE(lines_of(normal.problems) == "");
  CHECK(lines_of(normal.remarks) == "");
  const Request request = kKind.submit(normal.fields, "rb-1-1");
  CHECK(request.method == "POST");
  CHECK(request.path == "/api/aurora/");
  CHECK(request.body == R"({"audio":"https://a.example/v.mp3","image":"https://a.example/f.png","name":"[rb-1-1]"})");
}

TEST_CASE("creatify.aurora: the fullest row") {
  const Normalised normal = kKind.normalise(fixture_row(kKind));
  REQUIRE(lines_of(normal.problems) == "");
  CHECK(
      kKind.submit(normal.fields, "rb-1-1").body ==
      R"({"audio":"https://media.example.com/lyon/1001/voice.mp3","image":"https://media.example.com/lyon/agent.png",)"
      R"("text_prompt":"speaks calmly, looks into the camera","prompt_guidance_scale":1,)"
      R"("model_version":"aurora_v1_fast","webhook_url":"https://hooks.example.com/creatify",)"
      R"("name":"Lyon 1001, visite guidée [rb-1-1]"})");
}

TEST_CASE("creatify.aurora: the marker fits behind any name, whole") {
  CHECK(name_sent("Lyon", "rb-1-1") == "Lyon [rb-1-1]");
  CHECK(name_sent(repeated("x", 246), "rb-1-1") == repeated("x", 246) + " [rb-1-1]");
  CHECK(name_sent(repeated("x", 247), "rb-1-1") == repeated("x", 246) + " [rb-1-1]");
  CHECK(name_sent(repeated("é", 255), "rb-1-1") == repeated("é", 246) + " [rb-1-1]");
  CHECK(name_sent(repeated("x", 245) + " y", "rb-1-1") == repeated("x", 245) + " [rb-1-1]");
  for (const std::size_t size : {1U, 240U, 246U, 247U, 255U}) {
    for (const std::string_view marker : {"m", "rb-12345678-1000000"}) {
      const std::string sent = name_sent(repeated("é", size), marker);
      CHECK(count_code_points(sent) <= 255);
      CHECK(sent.ends_with(fmt::format("[{}]", marker)));
    }
  }
  CHECK(mark_creatify_name("Lyon", std::string(300, 'm')) == "[" + std::string(300, 'm') + "]");
}

TEST_CASE("creatify.aurora: problems say what would be right") {
  struct Case {
    std::string_view field;
    std::string value;
    std::string_view problem;
  };
  const std::string long_webhook = "https://a.example/" + std::string(183, 'x');
  const Case cases[] = {
      {"audio", " ", "audio: is missing; give the http or https address of the voice, mp3 or wav\n"},
      {"image", "", "image: is missing; give the http or https address of the picture\n"},
      {"audio", "v.mp3", "audio: 'v.mp3' is not an address: needs to begin with http:// or https://\n"},
      {"name", repeated("é", 256), "name: has 256 characters; the service takes at most 255\n"},
      {"name", "a\nb", "name: needs to be on one line, without tabs\n"},
      {"prompt_guidance_scale", "10.1", "prompt_guidance_scale: needs to be a number from 0 to 10, not '10.1'\n"},
      {"prompt_guidance_scale", "-1", "prompt_guidance_scale: needs to be a number from 0 to 10, not '-1'\n"},
      {"prompt_guidance_scale", "1,5", "prompt_guidance_scale: needs to be a number from 0 to 10, not '1,5'\n"},
      {"prompt_guidance_scale", "nan", "prompt_guidance_scale: needs to be a number from 0 to 10, not 'nan'\n"},
      {"prompt_guidance_scale", "0x1", "prompt_guidance_scale: needs to be a number from 0 to 10, not '0x1'\n"},
      {"model_version", "aurora_v2",
       "model_version: needs to be aurora_v1 or aurora_v1_fast, not 'aurora_v2'; did you mean 'aurora_v1'?\n"},
      {"webhook_url", long_webhook, "webhook_url: has 201 characters; the service takes at most 200\n"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.problem);
    CHECK(lines_of(kKind.normalise(row({{one.field, one.value}})).problems) == one.problem);
  }
  CHECK(kKind.normalise(row({{"webhook_url", std::string_view(long_webhook).substr(0, 200)}})).problems.empty());
}

TEST_CASE("creatify.aurora: equal guidance is equal content") {
  const auto guidance = [](std::string_view text) {
    return json_of(kKind.normalise(row({{"prompt_guidance_scale", text}})), "prompt_guidance_scale");
  };
  for (const std::string_view text : {"1", "1.0", " 1.00 ", "1e0", "01"}) CHECK(guidance(text) == "1");
  CHECK(guidance("0") == "0");
  CHECK(guidance("-0") == "0");
  CHECK(guidance("10.0") == "10");
  CHECK(guidance(".5") == "0.5");
  CHECK(guidance("2.4") == "2.4");
  CHECK(guidance("") == "(absent)");
}

TEST_CASE("creatify.aurora: a remark only where the ending says that it is another file") {
  struct Case {
    std::string_view field;
    std::string_view address;
    std::string_view remark;
  };
  constexpr std::string_view kAudio = "audio: ends in .m4a; the service documents mp3 and wav, 60 seconds at most\n";
  const Case cases[] = {
      {"audio", "https://a.example/v.m4a", kAudio},
      {"audio", "https://a.example/v.M4A?sig=x.mp3", kAudio},
      {"audio", "https://a.example/f.png",
       "audio: ends in .png; the service documents mp3 and wav, 60 seconds at most\n"},
      {"image", "https://a.example/f.gif", "image: ends in .gif; the service documents png, jpg, jpeg and webp\n"},
      {"image", "https://a.example/f.JPEG", ""},
      {"audio", "https://a.example/v.wav", ""},
      {"audio", "https://a.example/voice", ""},
      {"audio", "https://a.example/voice.php?id=7", ""},
      {"audio", "https://a.example/v.2", ""},
      {"audio", "https://mp4.example", ""},
      {"audio", "https://a.example/dir.mp4/voice", ""},
      {"image", "https://a.example/show?f=x.gif", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.address);
    const Normalised normal = kKind.normalise(row({{one.field, one.address}}));
    CHECK(lines_of(normal.problems) == "");
    CHECK(lines_of(normal.remarks) == one.remark);
  }
}

TEST_CASE("creatify.aurora: neither the name nor the webhook is what is paid for") {
  for (const FieldSpec& spec : kKind.fields()) {
    CHECK(spec.is_content == (spec.name != "name" && spec.name != "webhook_url"));
  }
}

TEST_CASE("creatify.aurora: one job by its own address, more in a list, both with the final slash") {
  std::vector<PolledJob> jobs{{"a/1"}};
  CHECK(kKind.poll(jobs).path == "/api/aurora/a%2F1/");
  jobs.push_back({"b"});
  jobs.push_back({"c,d"});
  CHECK(kKind.poll(jobs).path == "/api/aurora/?ids=a%2F1,b,c%2Cd");
  CHECK(kKind.poll_max() == 100);
  CHECK(kKind.search()->path == "/api/aurora/");
}

TEST_CASE("creatify.aurora: an answer that names another job says nothing of this one") {
  const std::vector<PolledJob> jobs{{"job-1", {}}};
  const auto read = [&](const std::string& id) {
    const std::string body = R"({"id":)" + id + R"(,"status":"done","video_output":"https://cdn.test/v.mp4"})";
    return kKind.read_poll(jobs, {200, body}).front().outcome;
  };
  CHECK(read(R"("job-1")") == PollOutcome::Done);
  CHECK(read("null") == PollOutcome::Done);
  CHECK(read(R"("")") == PollOutcome::Done);
  CHECK(read(R"("job-2")") == PollOutcome::TryAgain);
}

TEST_CASE("creatify.aurora: a group's jobs each have their own verdict, whatever the order of the answer") {
  const std::vector<PolledJob> jobs{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}};
  const std::string list =
      R"([{"id":"d","status":"strange"},{"id":"c","status":"rejected","failed_reason":"no"},{"id":"x","status":"done"},)"
      R"({"id":"a","status":"done","video_output":"https://c.example/a.mp4","credits_used":"7.5"},{"id":"e"}])";
  for (const std::string& body : {list, R"({"results":)" + list + "}"}) {
    const std::vector<PollVerdict> verdicts = kKind.read_poll(jobs, {200, body});
    REQUIRE(verdicts.size() == 5);
    CHECK(verdicts[0].outcome == PollOutcome::Done);
    CHECK(verdicts[0].url == "https://c.example/a.mp4");
    CHECK(verdicts[0].credits.used == Credits{7500});
    CHECK(verdicts[1].outcome == PollOutcome::AskAlone);
    CHECK(verdicts[2].outcome == PollOutcome::Failed);
    CHECK(verdicts[2].detail == "rejected: no");
    CHECK(verdicts[3].outcome == PollOutcome::Running);
    CHECK(verdicts[4].outcome == PollOutcome::TryAgain);
  }
}

TEST_CASE("creatify.aurora: a refused question about several jobs is asked for each alone, a refused account is not") {
  const std::vector<PolledJob> jobs{{"a"}, {"b"}};
  const auto outcome = [&](int status, std::string body = "") {
    const std::vector<PollVerdict> verdicts = kKind.read_poll(jobs, {status, std::move(body)});
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].outcome == verdicts[1].outcome);
    return verdicts[0].outcome;
  };
  for (const int status : {400, 404, 405, 414, 422, 431, 501}) CHECK(outcome(status) == PollOutcome::AskAlone);
  for (const int status : {301, 403, 408, 500, 502, 503}) CHECK(outcome(status) == PollOutcome::TryAgain);
  CHECK(outcome(401) == PollOutcome::KeyRefused);
  CHECK(outcome(429) == PollOutcome::Throttled);
  for (const char* body : {"{}", "null", "7", R"({"results":{}})", R"({"id":"a","status":"done"})", "[]"}) {
    CHECK(outcome(200, body) == PollOutcome::AskAlone);
  }
  for (const char* body : {"", "<html>", "[", R"([{"id":"a","status":"running"})"}) {
    CHECK(outcome(200, body) == PollOutcome::TryAgain);
  }
}

TEST_CASE("creatify.aurora: a marker is found whole, and of two jobs with it the earlier one") {
  const auto found = [](std::string_view jobs, std::string marker = "rb-1-1") {
    const std::vector<std::string> markers{std::move(marker)};
    return kKind.read_search(markers, {200, "[" + std::string(jobs) + "]"}).remote_ids.front();
  };
  CHECK(found(R"({"id":"a","name":"Lyon [rb-1-1]"})") == "a");
  CHECK(found(R"({"id":"a","name":"rb-1-1"})") == "a");
  CHECK(found(R"({"id":"a","name":"(rb-1-1), renamed"})") == "a");
  CHECK(found(R"({"id":"a","name":"é rb-1-1é"})") == "a");
  for (const char* name : {"[rb-1-11]", "[xrb-1-1]", "[rb-1-1-2]", "[0rb-1-1]", "[-rb-1-1]", "[RB-1-1]", ""}) {
    CAPTURE(std::string(name));
    CHECK(found(fmt::format(R"({{"id":"a","name":"{}"}})", name)) == "");
  }
  // The longer one first: the search goes on behind it.
  CHECK(found(R"({"id":"a","name":"rb-1-11 rb-1-1"})") == "a");
  CHECK(found(R"({"id":"a","name":"[rb-1-1]"},{"id":"b","name":"[rb-1-1]"})") == "a");
  CHECK(found(R"({"id":"a","name":"[rb-1-1]","created_at":"2026-10-03T13:42:43.9-07:00"},)"
              R"({"id":"b","name":"[rb-1-1]","created_at":"2026-10-03T20:42:43Z"})") == "b");
  CHECK(found(R"({"id":"a","name":"[rb-1-1]"},{"id":"b","name":"[rb-1-1]","created_at":"2026-10-03T20:42:43Z"})") ==
        "b");
  CHECK(found(R"({"id":"a","name":"[rb-1-1]","created_at":7},{"id":"b","name":"[rb-1-1]","created_at":"soon"})") ==
        "a");
  CHECK(found(R"({"name":"[rb-1-1]"},{"id":"..","name":"[rb-1-1]"},{"id":5,"name":"[rb-1-1]"})") == "5");
  CHECK(found(R"({"id":"a","name":"anything"})", "") == "");
}

TEST_CASE("creatify.aurora: a search that was refused proves nothing") {
  using Outcome = SearchVerdict::Outcome;
  const std::vector<std::string> markers{"a", "b"};
  const auto outcome = [&](int status, std::string body) {
    const SearchVerdict verdict = kKind.read_search(markers, {status, std::move(body)});
    CHECK(verdict.remote_ids == std::vector<std::string>(2));
    return verdict.outcome;
  };
  CHECK(outcome(200, "[]") == Outcome::Listed);
  CHECK(outcome(200, "{}") == Outcome::TryAgain);
  CHECK(outcome(200, "") == Outcome::TryAgain);
  CHECK(outcome(401, "{}") == Outcome::KeyRefused);
  CHECK(outcome(429, "{}") == Outcome::Throttled);
  CHECK(outcome(403, "[]") == Outcome::TryAgain);
  CHECK(outcome(404, "[]") == Outcome::TryAgain);
  CHECK(outcome(500, "[]") == Outcome::TryAgain);
}

TEST_CASE("moments in the spellings that services were seen to use") {
  const auto at = [](std::string_view text) { return parse_moment(text); };
  const Moment noon = std::chrono::sys_days(std::chrono::year(2026) / 10 / 3) + std::chrono::hours(12);
  for (const char* text :
       {"2026-10-03T12:00:00Z", "2026-10-03t12:00:00.000z", "2026-10-03 12:00:00+00:00", "2026-10-03T05:00:00-07:00",
        "2026-10-03T17:30:00+0530", "2026-10-03T12:00:00.0000000001Z"}) {
    CAPTURE(std::string(text));
    CHECK(at(text) == noon);
  }
  CHECK(at("2026-10-03T12:00:00.964728Z") == noon + std::chrono::microseconds(964'728));
  for (const char* text : {"", "2026-10-03", "2026-10-03T12:00:00", "2026-02-30T12:00:00Z", "2026-10-03T24:00:00Z",
                           "2026-10-03T12:00:00.Z", "2026-10-03T12:00:00Zx", "2026-10-03T12:00:00+24:00",
                           "1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "now"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(at(text));
  }
}

}  // namespace reelbatch
