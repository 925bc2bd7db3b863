// Answers of every kind with every status: a verdict is one that the tables of jobs/README.md allow.
#include <array>

#include "jobs/address.h"
#include "jobs/http_rules.h"
#include "jobs/json.h"
#include "jobs/registry.h"
#include "jobs/service_words.h"
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
    const std::array<PolledJob, 1> job = {PolledJob{verdict.remote_id}};
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

void hold_poll(const JobKind& kind, const Response& response) {
  const std::array<PolledJob, 1> job = {PolledJob{"gen-1"}};
  const std::vector<PollVerdict> verdicts = kind.read_poll(job, response);
  must(verdicts.size() == 1, "a verdict for each job");
  const PollVerdict& verdict = verdicts.front();
  must(is_utf8(verdict.detail) && is_utf8(verdict.url), "words for people are UTF-8");
  must((verdict.outcome == PollOutcome::Done) == !verdict.url.empty(), "an address comes with the end alone");
  if (verdict.outcome == PollOutcome::Done)
    must(is_http_address(verdict.url), "a video has an http address", verdict.url);
  if (response.status / 100 == 2) {
    must(verdict.outcome == PollOutcome::Done || verdict.outcome == PollOutcome::Failed ||
             verdict.outcome == PollOutcome::Running || verdict.outcome == PollOutcome::TryAgain,
         "a 2xx tells a state or nothing");
  } else {
    must(verdict.outcome == poll_outcome_of_status(response.status), "no status ends a job");
  }
}

}  // namespace

FUZZ_TARGET(replies) {
  Response response;
  response.status = kStatuses[take_byte(data) % kStatuses.size()];
  response.body = data;
  for (const JobKind* kind : all_kinds()) {
    hold_submission(*kind, response);
    hold_poll(*kind, response);
  }
  must(is_utf8(describe_refusal(response)), "words for people are UTF-8");
}

}  // namespace reelbatch
