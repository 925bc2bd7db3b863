// The client's kind against the service's model: each was written from the vendor's page alone, here they meet.
#include <fmt/format.h>

#include "tests/both_sides.h"
#include "tests/kind_rows.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

constexpr std::string_view kKind = "creatify.aurora";

RawFields row(std::string_view audio = "https://x.test/v.mp3") {
  return cells({{"audio", audio}, {"image", "https://x.test/f.png"}, {"name", "Lyon"}});
}

ServiceOptions rich() {
  ServiceOptions options;
  options.credits = Credits::whole(100'000);
  return options;
}

}  // namespace

TEST_CASE("an Aurora row becomes a job, is polled through its states and ends with its address and its price") {
  for (const bool fast : {false, true}) {
    BothSides sides(kKind, rich());
    RawFields all = fixture_row(sides.kind_);
    for (RawField& field : all) {
      if (field.name == "model_version") field.value.text = fast ? "aurora_v1_fast" : "aurora_v1";
    }
    const SubmitVerdict taken = sides.submit(all, "rb-1-1");
    REQUIRE(taken.outcome == SubmitOutcome::Accepted);
    CHECK(taken.credits.used == Credits{});
    const PollVerdict done = sides.finish(taken.remote_id);
    REQUIRE(done.outcome == PollOutcome::Done);
    CHECK(done.url == "https://videos.sandbox.test/" + taken.remote_id + ".mp4");
    CHECK(done.credits.used == sides.model_->jobs()[0].charged);
    CHECK(done.credits.used > Credits{});
    CHECK(sides.polls > 3);
  }
}

TEST_CASE("a hundred Aurora jobs are polled in one request, or one by one where the service refuses that") {
  for (const bool refuses : {false, true}) {
    ServiceOptions options = rich();
    options.refuse_ids = refuses;
    BothSides sides(kKind, options);
    std::vector<std::string> ids;
    for (int i = 0; i < 99; ++i) ids.push_back(sides.submit(row(fmt::format("https://x.test/{}.mp3", i))).remote_id);
    ids.push_back("4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f");
    std::vector<PolledJob> jobs;
    for (const std::string& id : ids) jobs.push_back({id});
    sides.now_ms += 3'600'000;
    const std::vector<PollVerdict> verdicts = sides.poll(jobs);
    REQUIRE(verdicts.size() == 100);
    for (std::size_t i = 0; i < 99; ++i) {
      CHECK(verdicts[i].outcome == (refuses ? PollOutcome::AskAlone : PollOutcome::Done));
      CHECK(sides.poll(ids[i]).outcome == PollOutcome::Done);
    }
    CHECK(verdicts[99].outcome == PollOutcome::AskAlone);
    CHECK(sides.poll(ids[99]).outcome == PollOutcome::NotKnown);
  }
}

TEST_CASE("Aurora jobs whose answers were lost are found by their markers, as far as the list goes") {
  ServiceOptions options = rich();
  for (const std::size_t list_max : {std::size_t{0}, std::size_t{5}}) {
    options.list_max = list_max;
    BothSides sides(kKind, options);
    std::vector<std::string> markers;
    for (int i = 0; i < 12; ++i) {
      markers.push_back(fmt::format("rb-1-{}", i));
      sides.submit(row(), markers.back());
    }
    markers.push_back("rb-2-0");
    const SearchVerdict found = sides.kind_.read_search(markers, sides.exchange(*sides.kind_.search()));
    REQUIRE(found.outcome == SearchVerdict::Outcome::Listed);
    const std::vector<ServiceJob> jobs = sides.model_->jobs();
    for (std::size_t i = 0; i < 12; ++i) {
      const bool listed = list_max == 0 || i + list_max >= 12;
      CHECK(found.remote_ids[i] == (listed ? jobs[i].id : ""));
    }
    CHECK(found.remote_ids.back().empty());
  }
}

TEST_CASE("of two Aurora jobs with one marker the first that was made is found") {
  BothSides sides(kKind, rich());
  const std::string first = sides.submit(row(), "rb-1-1").remote_id;
  sides.submit(row(), "rb-1-1");
  const std::vector<std::string> markers{"rb-1-1"};
  CHECK(sides.kind_.read_search(markers, sides.exchange(*sides.kind_.search())).remote_ids.front() == first);
}

TEST_CASE("Creatify's refusals are read for what they are") {
  ServiceOptions options;
  options.key = "right";
  options.credits = Credits::whole(1);
  BothSides sides(kKind, options);
  Request request = sides.kind_.submit(sides.normal(row()).fields, "m");
  const auto outcome = [&](const Request& one, const char* key) {
    return sides.kind_.read_submit(sides.exchange(one, key)).outcome;
  };
  CHECK(outcome(request, "wrong") == SubmitOutcome::KeyRefused);
  CHECK(outcome(request, "right") == SubmitOutcome::NoCredits);
  Request other = request;
  other.path.pop_back();
  CHECK(outcome(other, "right") == SubmitOutcome::AddressRefused);
  // What a client that follows the redirect would get: a GET of the list.
  other = {"GET", "/api/aurora/", ""};
  CHECK(outcome(other, "right") == SubmitOutcome::Unknown);
  request.body = R"({"audio":"v.mp3"})";
  const SubmitVerdict refused = sides.kind_.read_submit(sides.exchange(request, "right"));
  CHECK(refused.outcome == SubmitOutcome::RowRefused);
  CHECK(refused.detail == "400 Bad Request: audio: Enter a valid URL.; image: This field is required.");
  const std::vector<PolledJob> job{{"nobody"}};
  CHECK(sides.kind_.read_poll(job, sides.exchange(sides.kind_.poll(job), "right"))[0].outcome == PollOutcome::NotKnown);
  CHECK(sides.kind_.read_poll(job, sides.exchange(sides.kind_.poll(job), "wrong"))[0].outcome ==
        PollOutcome::KeyRefused);
}

TEST_CASE("the balance is read, and moves after the jobs are done") {
  ServiceOptions options = rich();
  options.charge_late_ms = 60'000;
  BothSides sides(kKind, options);
  const ServiceSpec& service = *find_service("creatify");
  const auto balance = [&] {
    return service.read_balance(sides.exchange({"GET", std::string(service.balance_path), ""})).remaining;
  };
  CHECK(balance() == Credits::whole(100'000));
  const std::string id = sides.submit(row()).remote_id;
  const PollVerdict done = sides.finish(id);
  REQUIRE(done.outcome == PollOutcome::Done);
  const std::optional<Credits> early = balance();
  REQUIRE(early);
  CHECK(*early > Credits::whole(100'000) - *done.credits.used);
  sides.now_ms += 60'000;
  CHECK(balance() == Credits::whole(100'000) - *done.credits.used);
}

TEST_CASE("Aurora jobs that fail or are rejected are failed, with the service's words or without") {
  ServiceOptions options = rich();
  options.job_error_rate = 0.5;
  options.reject_rate = 0.5;
  BothSides sides(kKind, options);
  std::vector<std::string> details;
  for (int i = 0; i < 20; ++i) {
    const PollVerdict verdict = sides.finish(sides.submit(row()).remote_id);
    CHECK(verdict.outcome == PollOutcome::Failed);
    details.push_back(verdict.detail);
  }
  for (const char* detail : {"failed: No face found", "rejected", "rejected: The input was rejected by moderation"}) {
    CHECK(std::find(details.begin(), details.end(), detail) != details.end());
  }
}

}  // namespace reelbatch
