#include "jobs/creatify.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <unordered_map>

#include "jobs/http_rules.h"
#include "jobs/job_answers.h"
#include "jobs/rfc3339.h"
#include "jobs/service_words.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<CredentialSpec, 2> kCredentials{{
    {"id", "X-API-ID", "CREATIFY_API_ID"},
    {"key", "X-API-KEY", "CREATIFY_API_KEY"},
}};

/// `rejected` is an end as well, though few clients know it (PROVIDERS 3).
constexpr std::array<std::string_view, 2> kFailed{"failed", "rejected"};

constexpr std::size_t kNameMax = 255;

/// `failed_reason` is documented as a string, and recorded as null and as "".
std::string failure_words(JsonElement job) {
  JsonElement reason;
  if (!job.is_object() || job.at_key("failed_reason").get(reason)) return {};
  return one_line(texts_in(reason));
}

constexpr AnswerWords kWords{"done", "video_output", kFailed, failure_words, creatify_credits};

/// The jobs of a list answer: a bare array, or under `results` (PROVIDERS 2.4). Nothing if it is neither.
std::optional<simdjson::dom::array> listed_jobs(JsonElement answer) {
  simdjson::dom::array jobs;
  if (!answer.get(jobs)) return jobs;
  if (answer.is_object() && !answer.at_key("results").get(jobs)) return jobs;
  return std::nullopt;
}

/// True where a question about several jobs is what was refused, and not the account or the moment.
bool refuses_groups(int status) {
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 414:
    case 422:
    case 431:
    case 501:
      return true;
    default:
      return false;
  }
}

bool is_marker_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/// True if `name` has the marker in it, and not as a part of a longer one.
bool has_marker(std::string_view name, std::string_view marker) {
  if (marker.empty()) return false;
  for (std::size_t at = name.find(marker); at != std::string_view::npos; at = name.find(marker, at + 1)) {
    const std::size_t end = at + marker.size();
    const bool begins = at == 0 || !is_marker_character(name[at - 1]);
    const bool ends = end == name.size() || !is_marker_character(name[end]);
    if (begins && ends) return true;
  }
  return false;
}

struct ListedJob {
  std::string id;
  std::string_view name;
  std::optional<Moment> created;
};

std::vector<ListedJob> named_jobs(simdjson::dom::array answer) {
  std::vector<ListedJob> jobs;
  for (const JsonElement item : answer) {
    ListedJob job{job_id_in(item, "id"), json_string(item, "name").value_or(""), std::nullopt};
    if (job.id.empty() || job.name.empty()) continue;
    if (const auto created = json_string(item, "created_at")) job.created = parse_moment(trim_blanks(*created));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

const ListedJob* find_marked(const std::vector<ListedJob>& jobs, std::string_view marker) {
  const ListedJob* found = nullptr;
  for (const ListedJob& job : jobs) {
    if (!has_marker(job.name, marker)) continue;
    const bool earlier = found && job.created && (!found->created || *job.created < *found->created);
    if (!found || earlier) found = &job;
  }
  return found;
}

SearchVerdict not_listed(std::size_t markers, SearchVerdict::Outcome outcome, std::string detail) {
  return {outcome, std::vector<std::string>(markers), std::move(detail)};
}

SearchVerdict::Outcome search_outcome_of(PollOutcome outcome) {
  if (outcome == PollOutcome::KeyRefused) return SearchVerdict::Outcome::KeyRefused;
  if (outcome == PollOutcome::Throttled) return SearchVerdict::Outcome::Throttled;
  return SearchVerdict::Outcome::TryAgain;
}

}  // namespace

constinit const ServiceSpec kCreatify{.name = "creatify",
                                      .base_url = "https://api.creatify.ai",
                                      .base_url_env = "CREATIFY_BASE_URL",
                                      .credentials = kCredentials,
                                      .cost_is_per_job = true,
                                      .balance_path = "/api/remaining_credits/",
                                      .read_balance = read_creatify_balance};

CreditFigures creatify_credits(JsonElement answer) {
  std::optional<Credits> used = json_credits(answer, "credits_used");
  if (used && used->milli < 0) used.reset();
  return {std::nullopt, used};
}

CreditFigures read_creatify_balance(const Response& response) {
  if (response.status < 200 || response.status > 299) return {};
  const Result<JsonElement> answer = shared_reader().parse(response.body);
  if (!answer) return {};
  return {json_credits(*answer, "remaining_credits"), std::nullopt};
}

SubmitVerdict read_creatify_submit(const Response& response) {
  return read_job_submission(response, "id", kWords);
}

PollVerdict read_creatify_poll(std::string_view remote_id, const Response& response) {
  return read_job_poll(response, kWords, remote_id);
}

std::vector<PollVerdict> read_creatify_list(std::span<const PolledJob> jobs, const Response& response) {
  const auto all = [&](PollOutcome outcome, std::string detail) {
    return std::vector<PollVerdict>(jobs.size(), PollVerdict{outcome, {}, std::move(detail), {}});
  };
  if (refuses_groups(response.status)) return all(PollOutcome::AskAlone, describe_refusal(response));
  if (response.status < 200 || response.status > 299) {
    return all(poll_outcome_of_status(response.status), describe_refusal(response));
  }
  const Result<JsonElement> answer = shared_reader().parse(response.body);
  // What cannot be read at all may be a page of a moment, which asking a hundred times as often would not mend.
  if (!answer) return all(PollOutcome::TryAgain, "the answer cannot be read: " + answer.error().message);
  const auto listed = listed_jobs(*answer);
  if (!listed) return all(PollOutcome::AskAlone, "the answer to a question about several jobs is no list");
  std::unordered_map<std::string, JsonElement> by_id;
  for (const JsonElement item : *listed) by_id.emplace(job_id_in(item, "id"), item);
  std::vector<PollVerdict> verdicts;
  verdicts.reserve(jobs.size());
  for (const PolledJob& job : jobs) {
    const auto found = job.remote_id.empty() ? by_id.end() : by_id.find(std::string(job.remote_id));
    verdicts.push_back(found == by_id.end() ? PollVerdict{PollOutcome::AskAlone, {}, "the list leaves this job out", {}}
                                            : read_job_state(found->second, kWords));
  }
  return verdicts;
}

SearchVerdict find_creatify_markers(std::span<const std::string> markers, const Response& response) {
  using Outcome = SearchVerdict::Outcome;
  if (response.status < 200 || response.status > 299) {
    const PollOutcome outcome = poll_outcome_of_status(response.status);
    return not_listed(markers.size(), search_outcome_of(outcome), describe_refusal(response));
  }
  JsonReader reader;  // of its own: a list may be large, and is read seldom
  const Result<JsonElement> answer = reader.parse(response.body);
  if (!answer) {
    return not_listed(markers.size(), Outcome::TryAgain, "the list cannot be read: " + answer.error().message);
  }
  const auto listed = listed_jobs(*answer);
  if (!listed) return not_listed(markers.size(), Outcome::TryAgain, "the answer is no list");
  const std::vector<ListedJob> jobs = named_jobs(*listed);
  SearchVerdict verdict{Outcome::Listed, {}, {}};
  // Beside `results`, by the habit of the framework (PROVIDERS 2.1); no page of the vendor has it.
  verdict.next = json_string(*answer, "next").value_or("");
  verdict.remote_ids.reserve(markers.size());
  for (const std::string& marker : markers) {
    const ListedJob* job = find_marked(jobs, marker);
    verdict.remote_ids.push_back(job ? job->id : std::string());
  }
  return verdict;
}

std::string mark_creatify_name(std::string_view name, std::string_view marker) {
  const std::string bracketed = fmt::format("[{}]", marker);
  const std::size_t taken = count_code_points(bracketed) + 1;
  const std::size_t room = taken < kNameMax ? kNameMax - taken : 0;
  std::size_t end = 0;
  for (std::size_t points = 0; end < name.size() && points < room; ++points) end += code_point_at(name, end).size;
  const std::string_view kept = trim_blanks(name.substr(0, end));
  return kept.empty() ? bracketed : fmt::format("{} {}", kept, bracketed);
}

}  // namespace reelbatch
