// Answers of every kind with every status: a verdict is one that the tables of jobs/README.md allow.
#include <array>

#include "jobs/address.h"
#include "jobs/http_rules.h"
#include "jobs/registry.h"
#include "jobs/service_words.h"
#include "jobs/unicode.h"
#include "tests/fuzz/fuzz.h"

namespace reelbatch {
namespace {

constexpr std::array kStatuses = {200, 201, 202, 204, 206, 301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409,
                                  410, 413, 415, 418, 422, 425, 429, 451, 500, 501, 502, 503, 504, 599, 100, 0,   999};

void hold_submission(const JobKind& kind, const Response& response) {
  const SubmitVerdict verdict = kind.read_submit(response);
  const bool good = response.status / 100 == 2;
  must(is_utf8(verdict.detail), "words for people are UTF-8");
  must((verdict.outcome == SubmitOutcome::Accepted) == !verdict.remote_id.empty(), "an id comes with acceptance alone");
  if (verdict.outcome == SubmitOutcome::Accepted) {
    must(good, "only a 2xx accepts");
    // Half an answer is none, and neither is one with something behind it.
    Response broken = response;
    while (!broken.body.empty() && std::string_view(" \t\r\n").find(broken.body.back()) != std::string_view::npos)
      broken.body.pop_back();
    broken.body.pop_back();
    must(kind.read_submit(broken).outcome == SubmitOutcome::Unknown, "half an answer accepts nothing", broken.body);
    broken.body = response.body + "}";
    must(kind.read_submit(broken).outcome == SubmitOutcome::Unknown, "an answer and more accepts nothing", broken.body);
    const std::array<PolledJob, 1> job = {PolledJob{verdict.remote_id, "video-1"}};
    const Request poll = kind.poll(job);
    must(poll.method == "GET" && poll.path.starts_with('/') && poll.body.empty(), "an accepted job can be polled");
    for (const char c : poll.path) must(c > ' ' && c < 0x7f && c != '?' && c != '#', "an id is one path segment");
  } else if (good) {
    must(verdict.outcome == SubmitOutcome::Unknown, "a 2xx is taken or unknown");
  } else if (response.status == 400) {
    must(verdict.outcome == SubmitOutcome::RowRefused || verdict.outcome == SubmitOutcome::NoCredits,
         "a 400 is the row's fault, or says that credits are missing");
  } else {
    must(verdict.outcome == submit_outcome_of_status(response.status), "the status decides");
  }
  must((verdict.outcome == SubmitOutcome::Throttled) == (response.status == 429), "429 alone throttles");
}

/// What holds for the verdict on one job, whether it was asked for alone or not.
void hold_verdict(const PollVerdict& verdict, const Response& response, bool alone) {
  must(is_utf8(verdict.detail) && is_utf8(verdict.url), "words for people are UTF-8");
  must((verdict.outcome == PollOutcome::Done) == !verdict.url.empty(), "an address comes with the end alone");
  if (verdict.outcome == PollOutcome::Done)
    must(is_http_address(verdict.url), "a video has an http address", verdict.url);
  if (alone) must(verdict.outcome != PollOutcome::AskAlone, "a job alone is not asked for alone again");
  if (verdict.outcome == PollOutcome::AskAlone) return;
  if (response.status / 100 == 2) {
    must(verdict.outcome == PollOutcome::Done || verdict.outcome == PollOutcome::Failed ||
             verdict.outcome == PollOutcome::Running || verdict.outcome == PollOutcome::TryAgain,
         "a 2xx tells a state or nothing");
  } else {
    must(verdict.outcome == poll_outcome_of_status(response.status), "no status ends a job");
    must(alone || verdict.outcome != PollOutcome::NotKnown, "a group's address speaks for no job");
  }
}

void hold_poll(const JobKind& kind, const Response& response) {
  const std::array<PolledJob, 3> jobs = {PolledJob{"gen-1", "video-1"}, PolledJob{"gen-2", "video-1"},
                                         PolledJob{"4b1f6c2e-5d3a-4c68-9f0e-2a7b8c9d0e1f", "video-1"}};
  const std::vector<PollVerdict> alone = kind.read_poll({jobs.data(), 1}, response);
  must(alone.size() == 1, "a verdict for each job");
  hold_verdict(alone.front(), response, true);
  if (kind.poll_max() == 1 && !kind.may_answer_with_the_past()) return;
  const std::vector<PollVerdict> verdicts = kind.read_poll(jobs, response);
  must(verdicts.size() == jobs.size(), "a verdict for each job");
  for (const PollVerdict& verdict : verdicts) hold_verdict(verdict, response, kind.poll_max() == 1);
}

void hold_search(const JobKind& kind, const Response& response) {
  const std::array<std::string, 3> markers = {"rb-1-1", "rb-1-11", ""};
  const SearchVerdict verdict = kind.read_search(markers, response);
  must(verdict.remote_ids.size() == markers.size(), "an answer for each marker");
  must(verdict.remote_ids.back().empty(), "no marker is in no name");
  must(is_utf8(verdict.detail), "words for people are UTF-8");
  if (verdict.outcome == SearchVerdict::Outcome::Listed) {
    must(kind.search().has_value() && response.status / 100 == 2, "only a list of a 2xx lists");
  } else {
    for (const std::string& id : verdict.remote_ids) must(id.empty(), "what was not listed was not found");
  }
}

void hold_balance(const ServiceSpec& service, const Response& response) {
  if (!service.read_balance) return;
  const CreditFigures figures = service.read_balance(response);
  must(!figures.used, "a balance is what remains");
  must(!figures.any() || response.status / 100 == 2, "only a 2xx tells a balance");
}

}  // namespace

FUZZ_TARGET(replies, 75'000) {
  Response response;
  response.status = kStatuses[take_byte(data) % kStatuses.size()];
  response.body = data;
  for (const JobKind* kind : all_kinds()) {
    hold_submission(*kind, response);
    hold_poll(*kind, response);
    hold_search(*kind, response);
  }
  for (const ServiceSpec& service : all_services()) hold_balance(service, response);
  must(is_utf8(describe_refusal(response)), "words for people are UTF-8");
}

}  // namespace reelbatch
