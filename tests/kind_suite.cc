#include "tests/kind_suite.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "jobs/http_rules.h"
#include "jobs/json.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

namespace fs = std::filesystem;
using Rng = std::mt19937_64;

constexpr int kRounds = 3000;

std::size_t pick(Rng& rng, std::size_t size) {
  return std::uniform_int_distribution<std::size_t>(0, size - 1)(rng);
}

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string random_bytes(Rng& rng, std::size_t size_max) {
  std::string text(pick(rng, size_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(pick(rng, 256));
  return text;
}

/// A few small wounds: a byte changed, lost, doubled, or the end cut off.
std::string mutated(Rng& rng, std::string text) {
  for (std::size_t wounds = 1 + pick(rng, 4); wounds > 0 && !text.empty(); --wounds) {
    const std::size_t at = pick(rng, text.size());
    switch (pick(rng, 4)) {
      case 0:
        text[at] = static_cast<char>(pick(rng, 256));
        break;
      case 1:
        text.erase(at, 1 + pick(rng, 5));
        break;
      case 2:
        text.insert(at, text.substr(at, pick(rng, 40)));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

std::vector<std::string> odd_bodies(const JobKind& kind) {
  std::vector<std::string> bodies{"",
                                  "null",
                                  "[]",
                                  "{}",
                                  "\"text\"",
                                  "0",
                                  "<!DOCTYPE html><html><body>502</body></html>",
                                  R"({"id":""})",
                                  R"({"id":null})",
                                  R"({"id":{}})",
                                  R"({"id":".."})",
                                  R"({"status":7})",
                                  R"({"status":""})",
                                  R"({"status":"DONE","url":7})",
                                  R"([{"id":"a"}])",
                                  R"([null,7,"x",{"id":{}},{"id":"another-job","status":["done"]}])",
                                  R"({"results":{}})",
                                  R"({"generationId":""})",
                                  R"({"status":"done","video_output":["https://a.example/v.mp4"]})",
                                  R"({"status":"failed","failed_reason":[[[{}]]]})",
                                  std::string("\0\x1B[2J", 5),
                                  "\xFF\xFE",
                                  std::string(100'000, '['),
                                  "\"" + std::string(100'000, 'x') + "\""};
  for (const Fixture& fixture : fixtures(kind, "")) bodies.push_back(fixture.body);
  return bodies;
}

bool is_clean_line(std::string_view text) {
  if (!is_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return count_code_points(text) <= 400;
}

bool is_success(int status) {
  return status >= 200 && status <= 299;
}

// ---- Answers --------------------------------------------------------------------------------------------------------

void check_submit_verdict(const JobKind& kind, const Response& response) {
  SubmitVerdict verdict;
  REQUIRE_NOTHROW(verdict = kind.read_submit(response));
  CHECK((verdict.outcome == SubmitOutcome::Accepted) == !verdict.remote_id.empty());
  CHECK(is_clean_line(verdict.detail));
  if (is_success(response.status)) {
    // The answer of a request that may have been taken never says that it was not.
    CHECK((verdict.outcome == SubmitOutcome::Accepted || verdict.outcome == SubmitOutcome::Unknown));
    return;
  }
  const SubmitOutcome by_status = submit_outcome_of_status(response.status);
  const bool reads_no_credits = by_status == SubmitOutcome::RowRefused && verdict.outcome == SubmitOutcome::NoCredits;
  CHECK((verdict.outcome == by_status || reads_no_credits));
}

/// The job `id` of the fixture row, as a poll would name it. `id` must outlive it.
PolledJob polled_job(const JobKind& kind, std::string_view id) {
  static std::map<std::string_view, std::string> subjects;
  const auto [found, fresh] = subjects.try_emplace(kind.name());
  if (fresh) found->second = kind.subject(kind.normalise(fixture_row(kind)).fields);
  return {id, found->second};
}

void check_poll_verdict(const PollVerdict& verdict, const Response& response, bool alone) {
  CHECK(is_clean_line(verdict.detail));
  CHECK((verdict.url.empty() || verdict.outcome == PollOutcome::Done));
  CHECK((verdict.url.empty() || ascii_lower(verdict.url).starts_with("http")));
  if (is_success(response.status)) {
    CHECK(verdict.outcome != PollOutcome::NotKnown);
    CHECK(verdict.outcome != PollOutcome::KeyRefused);
    CHECK(verdict.outcome != PollOutcome::Throttled);
  } else if (alone || verdict.outcome != PollOutcome::AskAlone) {
    CHECK(verdict.outcome == poll_outcome_of_status(response.status));
  }
  if (alone) {
    CHECK(verdict.outcome != PollOutcome::AskAlone);
  } else {
    // The one address of a group speaks for no single job.
    CHECK(verdict.outcome != PollOutcome::NotKnown);
  }
}

void check_poll_verdicts(const JobKind& kind, const std::string& id, const Response& response) {
  std::vector<PolledJob> jobs{polled_job(kind, id)};
  std::vector<PollVerdict> verdicts;
  REQUIRE_NOTHROW(verdicts = kind.read_poll(jobs, response));
  REQUIRE(verdicts.size() == 1);
  check_poll_verdict(verdicts.front(), response, true);
  const PollVerdict alone = verdicts.front();

  jobs.push_back(polled_job(kind, "another-job"));
  if (!jobs.front().subject.empty()) {
    // What is said of the subject is said of every job on it.
    REQUIRE_NOTHROW(verdicts = kind.read_poll(jobs, response));
    REQUIRE(verdicts.size() == 2);
    for (const PollVerdict& verdict : verdicts) {
      CHECK(verdict.outcome == alone.outcome);
      CHECK(verdict.url == alone.url);
      CHECK(verdict.credits == alone.credits);
    }
  } else if (kind.poll_max() > 1) {
    REQUIRE_NOTHROW(verdicts = kind.read_poll(jobs, response));
    REQUIRE(verdicts.size() == 2);
    for (const PollVerdict& verdict : verdicts) check_poll_verdict(verdict, response, false);
  }
}

void check_search_verdict(const JobKind& kind, const Response& response) {
  const std::vector<std::string> markers{"rb-1-1", "rb-1-2", ""};
  SearchVerdict verdict;
  REQUIRE_NOTHROW(verdict = kind.read_search(markers, response));
  CHECK(verdict.remote_ids.size() == markers.size());
  CHECK(verdict.remote_ids.back().empty());
  CHECK(is_clean_line(verdict.detail));
  if (verdict.outcome == SearchVerdict::Outcome::Listed) {
    CHECK(is_success(response.status));
    CHECK(kind.search());
  } else {
    for (const std::string& id : verdict.remote_ids) CHECK(id.empty());
    CHECK(!verdict.detail.empty());
  }
  CHECK((verdict.outcome == SearchVerdict::Outcome::Throttled) == (kind.search() && response.status == 429));
  CHECK((verdict.outcome == SearchVerdict::Outcome::KeyRefused) == (kind.search() && response.status == 401));
}

void check_balance(const ServiceSpec& service, const Response& response) {
  if (!service.read_balance) return;
  CreditFigures figures;
  REQUIRE_NOTHROW(figures = service.read_balance(response));
  CHECK((is_success(response.status) || !figures.any()));
  CHECK(!figures.used);
}

/// Whatever may be asked of a kind, answered like this.
void check_answer(const JobKind& kind, const std::string& id, const Response& response) {
  check_submit_verdict(kind, response);
  check_poll_verdicts(kind, id, response);
  check_search_verdict(kind, response);
  check_balance(*find_service(kind.service()), response);
}

void check_any_status(const JobKind& kind, const std::string& id) {
  const std::vector<std::string> bodies = odd_bodies(kind);
  for (int status = 0; status < 1000; ++status) {
    // Long bodies need not meet every status.
    const std::string& body = bodies[static_cast<std::size_t>(status) % bodies.size()];
    CAPTURE(status);
    for (const std::string& text : {body, std::string(), std::string(R"({"error":"x"})")}) {
      check_answer(kind, id, {status, text});
    }
  }
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 200));
    for (const int status : {200, 201, 400, 401, 402, 404, 422, 429, 500, 503}) {
      check_answer(kind, id, {status, body});
    }
  }
}

void check_any_bytes(const JobKind& kind, const std::string& id) {
  const std::vector<Fixture> known = fixtures(kind, "");
  Rng rng(20261121);
  for (int round = 0; round < kRounds; ++round) {
    const std::string body =
        round % 3 == 0 ? random_bytes(rng, 200) : mutated(rng, known[pick(rng, known.size())].body);
    const int status = round % 2 == 0 ? 200 : static_cast<int>(pick(rng, 1000));
    CAPTURE(round);
    CAPTURE(status);
    check_answer(kind, id, {status, body});
  }
}

void check_documented_submissions(const JobKind& kind) {
  for (const Fixture& fixture : fixtures(kind, "submit-accepted")) {
    CAPTURE(fixture.name);
    CHECK(kind.read_submit({201, fixture.body}).outcome == SubmitOutcome::Accepted);
    CHECK(kind.read_submit({200, fixture.body}).outcome == SubmitOutcome::Accepted);
    CHECK(kind.read_submit({500, fixture.body}).outcome == SubmitOutcome::Unknown);
  }
  for (const Fixture& fixture : fixtures(kind, "submit-refused")) {
    CAPTURE(fixture.name);
    const SubmitVerdict verdict = kind.read_submit({400, fixture.body});
    CHECK(verdict.outcome == SubmitOutcome::RowRefused);
    CHECK(verdict.detail.starts_with("400 Bad Request: "));
  }
  for (const Fixture& fixture : fixtures(kind, "submit-no-credits")) {
    CAPTURE(fixture.name);
    CHECK(kind.read_submit({400, fixture.body}).outcome == SubmitOutcome::NoCredits);
  }
}

void check_documented_polls(const JobKind& kind, const std::string& id) {
  const std::vector<PolledJob> job{polled_job(kind, id)};
  const auto poll = [&](const Fixture& fixture) { return kind.read_poll(job, {200, fixture.body}).front(); };
  for (const Fixture& fixture : fixtures(kind, "poll-working")) {
    CAPTURE(fixture.name);
    CHECK(poll(fixture).outcome == PollOutcome::Running);
    CHECK(!poll(fixture).detail.empty());
  }
  for (const Fixture& fixture : fixtures(kind, "poll-without-url")) {
    CAPTURE(fixture.name);
    CHECK(poll(fixture).outcome == PollOutcome::Running);
  }
  for (const Fixture& fixture : fixtures(kind, "poll-failed")) {
    CAPTURE(fixture.name);
    CHECK(poll(fixture).outcome == PollOutcome::Failed);
    CHECK(!poll(fixture).detail.empty());
  }
  for (const Fixture& fixture : fixtures(kind, "poll-done")) {
    CAPTURE(fixture.name);
    CHECK(poll(fixture).outcome == PollOutcome::Done);
    CHECK(!poll(fixture).url.empty());
  }
}

void check_documented_lists(const JobKind& kind, const std::string& id) {
  const std::vector<PolledJob> jobs{polled_job(kind, id), polled_job(kind, "another-job")};
  for (const Fixture& fixture : fixtures(kind, "group-")) {
    CAPTURE(fixture.name);
    const std::vector<PollVerdict> verdicts = kind.read_poll(jobs, {200, fixture.body});
    CHECK((verdicts[0].outcome != PollOutcome::AskAlone) == fixture.name.starts_with("group-listed"));
    CHECK(verdicts[1].outcome == PollOutcome::AskAlone);
  }
  const std::vector<std::string> markers{"rb-0-0", "rb-1-1"};
  for (const Fixture& fixture : fixtures(kind, "search-")) {
    CAPTURE(fixture.name);
    const SearchVerdict verdict = kind.read_search(markers, {200, fixture.body});
    CHECK(verdict.outcome == SearchVerdict::Outcome::Listed);
    const std::string expected = fixture.name.starts_with("search-listed") ? id : "";
    CHECK(verdict.remote_ids == std::vector<std::string>{"", expected});
  }
}

void check_half_answers(const JobKind& kind, const std::string& id) {
  std::vector<PolledJob> job{polled_job(kind, id)};
  for (const Fixture& fixture : fixtures(kind, "")) {
    CAPTURE(fixture.name);
    const std::string whole(trim_blanks(fixture.body));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string half = whole.substr(0, size);
      CHECK(kind.read_submit({201, half}).outcome == SubmitOutcome::Unknown);
      const PollOutcome outcome = kind.read_poll(job, {200, half}).front().outcome;
      CHECK(outcome == PollOutcome::TryAgain);
      CHECK(kind.read_search({}, {200, half}).outcome == SearchVerdict::Outcome::TryAgain);
    }
  }
}

// ---- Requests -------------------------------------------------------------------------------------------------------

bool is_path(std::string_view path) {
  if (!path.starts_with('/') || path.find("/../") != std::string_view::npos || path.ends_with("/..")) return false;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    if (c == '%') {
      if (at + 2 >= path.size() || !std::isxdigit(path[at + 1]) || !std::isxdigit(path[at + 2])) return false;
    } else if (!std::isalnum(static_cast<unsigned char>(c)) &&
               std::string_view("/-._~?=&,").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

void check_poll_paths(const JobKind& kind) {
  const std::vector<std::string> hostile{"../x?y#z",
                                         "a b",
                                         std::string("a\0b", 3),
                                         std::string(10'000, 'x'),
                                         std::string(10'000, '/'),
                                         "..",
                                         "%2e%2e",
                                         "\xFF\r\nHost: x",
                                         "é",
                                         "a,b&c=d"};
  const std::string subject(polled_job(kind, "8f2b9a54").subject);
  for (const std::size_t size : {std::size_t{1}, std::min<std::size_t>(kind.poll_max(), 3), kind.poll_max()}) {
    const std::vector<PolledJob> harmless(size, PolledJob{"8f2b9a54", subject});
    const Request expected = kind.poll(harmless);
    CHECK(expected.path.size() < 8000);
    for (const std::string& id : hostile) {
      CAPTURE(id.substr(0, 40));
      std::vector<PolledJob> jobs = harmless;
      jobs.back() = subject.empty() ? PolledJob{id} : PolledJob{id, id};
      if (!subject.empty()) jobs.resize(1);
      const Request request = kind.poll(jobs);
      CHECK(request.method == "GET");
      CHECK(request.body.empty());
      CHECK(is_path(request.path));
      for (const char c : {'/', '?', '&', '=', ',', '#'}) {
        CHECK(std::count(request.path.begin(), request.path.end(), c) ==
              std::count(expected.path.begin(), expected.path.end(), c));
      }
      CHECK(kind.poll(jobs).path == request.path);
    }
  }
}

void check_rows(const JobKind& kind) {
  for (const RawFields& row : fixture_rows(kind)) {
    const Normalised normal = kind.normalise(row);
    REQUIRE_MESSAGE(normal.problems.empty(), normal.problems.front().field << ": " << normal.problems.front().message);
    // A row is submitted or follows, and what it follows can be asked for.
    const std::string followed = kind.followed(normal.fields);
    if (!followed.empty()) {
      CHECK(kind.may_follow());
      const std::string subject = kind.subject(normal.fields);
      const std::vector<PolledJob> job{{followed, subject}};
      CHECK(is_path(kind.poll(job).path));
      continue;
    }
    const Request request = kind.submit(normal.fields, "rb-1-7");
    CHECK(request.method == "POST");
    CHECK(is_path(request.path));
    JsonReader reader;
    const Result<JsonElement> body = reader.parse(request.body);
    REQUIRE(body.has_value());
    CHECK(body->is_object());
    // Where lost jobs can be looked for, they have something to be found by.
    CHECK((request.body.find("rb-1-7") != std::string::npos) == kind.search().has_value());
    CHECK(kind.submit(normal.fields, "rb-1-7").body == request.body);
  }
}

void check_search_request(const JobKind& kind) {
  const std::optional<Request> search = kind.search();
  if (!search) return;
  CHECK(search->method == "GET");
  CHECK(search->body.empty());
  CHECK(is_path(search->path));
  CHECK(!fixtures(kind, "search-listed").empty());
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

void check_fields(const JobKind& kind) {
  std::set<std::string_view> names;
  for (const FieldSpec& spec : kind.fields()) {
    CHECK(!spec.name.empty());
    CHECK(!spec.api_name.empty());
    CHECK(names.insert(spec.name).second);
    CHECK(ascii_lower(spec.name) == spec.name);
  }
  CHECK(!names.empty());
  for (const RawFields& row : fixture_rows(kind)) {
    for (const RawField& field : row) CHECK(names.contains(field.name));
  }
}

void check_normalised(const JobKind& kind, const RawFields& raw) {
  Normalised normal;
  REQUIRE_NOTHROW(normal = kind.normalise(raw));
  const FieldSpec* last = nullptr;
  for (const NormalField& field : normal.fields) {
    JsonReader reader;
    CHECK(reader.parse(field.json).has_value());
    CHECK(field.spec > last);
    last = field.spec;
  }
  for (const auto* list : {&normal.problems, &normal.remarks}) {
    for (const Problem& problem : *list) {
      CHECK(!problem.message.empty());
      CHECK(is_clean_line(problem.message));
    }
  }
  const Normalised again = kind.normalise(raw);
  REQUIRE(again.fields.size() == normal.fields.size());
  for (std::size_t i = 0; i < again.fields.size(); ++i) CHECK(again.fields[i].json == normal.fields[i].json);
  if (!normal.problems.empty()) return;
  // What is sent, read again as if it had stood in the manifest, is sent just so.
  RawFields sent;
  for (const NormalField& field : normal.fields) {
    sent.push_back({std::string(field.spec->name), {RawValue::Form::Json, field.json}});
  }
  const Normalised twice = kind.normalise(sent);
  CHECK(twice.problems.empty());
  REQUIRE(twice.fields.size() == normal.fields.size());
  for (std::size_t i = 0; i < twice.fields.size(); ++i) CHECK(twice.fields[i].json == normal.fields[i].json);
}

void check_any_row(const JobKind& kind) {
  check_normalised(kind, {});
  const std::vector<RawFields> rows = fixture_rows(kind);
  for (const RawFields& row : rows) check_normalised(kind, row);
  Rng rng(7);
  for (int round = 0; round < kRounds; ++round) {
    RawFields raw = rows[pick(rng, rows.size())];
    CAPTURE(round);
    RawValue& value = raw[pick(rng, raw.size())].value;
    value.text = round % 3 == 0 ? random_bytes(rng, 60) : mutated(rng, value.text);
    if (pick(rng, 4) == 0) value.form = RawValue::Form::Json;
    if (pick(rng, 4) == 0) raw.erase(raw.begin() + static_cast<std::ptrdiff_t>(pick(rng, raw.size())));
    check_normalised(kind, raw);
  }
}

}  // namespace

std::vector<Fixture> fixtures(std::string_view folder_name, std::string_view prefix) {
  std::vector<Fixture> found;
  const fs::path folder = fs::path(FIXTURES) / folder_name;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".json" || name.starts_with("row") || !name.starts_with(prefix)) continue;
    found.push_back({name, file_text(entry.path())});
  }
  std::sort(found.begin(), found.end(), [](const Fixture& a, const Fixture& b) { return a.name < b.name; });
  return found;
}

namespace {

RawFields row_in(const fs::path& path) {
  JsonReader reader;
  simdjson::dom::object row;
  const std::string text = file_text(path);
  REQUIRE(!reader.parse(text).value().get(row));
  RawFields fields;
  for (const auto& [name, value] : row) {
    std::string_view scalar;
    const bool is_text = !value.get(scalar);
    fields.push_back({std::string(name), is_text ? RawValue{RawValue::Form::Text, std::string(scalar)}
                                                 : RawValue{RawValue::Form::Json, json_text(value)}});
  }
  return fields;
}

}  // namespace

std::vector<Fixture> fixtures(const JobKind& kind, std::string_view prefix) {
  return fixtures(kind.name(), prefix);
}

RawFields fixture_row(const JobKind& kind) {
  return row_in(fs::path(FIXTURES) / kind.name() / "row.json");
}

std::vector<RawFields> fixture_rows(const JobKind& kind) {
  std::set<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(FIXTURES) / kind.name())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("row") && name.ends_with(".json")) paths.insert(entry.path());
  }
  std::vector<RawFields> rows;
  for (const fs::path& path : paths) rows.push_back(row_in(path));
  return rows;
}

void check_kind(const JobKind& kind) {
  const std::vector<Fixture> accepted = fixtures(kind, "submit-accepted");
  REQUIRE(!accepted.empty());
  REQUIRE(!fixtures(kind, "poll-working").empty());
  REQUIRE(!fixtures(kind, "poll-done").empty());
  const std::string id = kind.read_submit({201, accepted.back().body}).remote_id;
  check_fields(kind);
  check_documented_submissions(kind);
  check_documented_polls(kind, id);
  check_documented_lists(kind, id);
  check_half_answers(kind, id);
  check_any_status(kind, id);
  check_any_bytes(kind, id);
  check_poll_paths(kind);
  check_rows(kind);
  check_search_request(kind);
  check_any_row(kind);
}

}  // namespace reelbatch
