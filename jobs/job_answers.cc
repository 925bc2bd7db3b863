#include "jobs/job_answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/address.h"
#include "jobs/http_rules.h"
#include "jobs/no_credits.h"
#include "jobs/service_words.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kWordMax = 60;
constexpr std::size_t kWordsMax = 300;

bool is_success(int status) {
  return status >= 200 && status <= 299;
}

/// `RENDERING_VIDEO 0.65: words`: the state as the service spells it, and what it says beside it.
std::string running_detail(JsonElement job, std::string_view status) {
  std::string detail = printable(status, kWordMax);
  JsonElement progress;
  if (!job.at_key("progress").get(progress) && !progress.is_null()) {
    // Shown as it comes: no page says whether it goes to 1 or to 100.
    std::string_view text;
    detail += " " + printable(progress.get(text) ? json_text(progress) : std::string(text), kWordMax);
  }
  if (const auto message = json_string(job, "message")) detail += ": " + printable(*message, kWordsMax);
  return detail;
}

PollVerdict read_state(JsonElement job, const AnswerWords& words) {
  const std::optional<std::string_view> status = json_string(job, "status");
  if (!status || trim_blanks(*status).empty()) return {PollOutcome::TryAgain, {}, "the answer has no status", {}};
  const std::string word = ascii_lower(trim_blanks(*status));
  const std::string shown = printable(*status, kWordMax);
  if (std::find(words.failed.begin(), words.failed.end(), word) != words.failed.end()) {
    const std::string why = words.failure(job);
    return {PollOutcome::Failed, {}, why.empty() ? shown : fmt::format("{}: {}", shown, why), {}};
  }
  if (word != words.done) return {PollOutcome::Running, {}, running_detail(job, *status), {}};
  const std::string_view url = trim_blanks(json_string(job, words.url).value_or(""));
  if (url.empty()) return {PollOutcome::Running, {}, fmt::format("{} without a {}", shown, words.url), {}};
  if (!is_http_address(url)) {
    return {PollOutcome::Running, {}, fmt::format("{} with a {} that is no http address", shown, words.url), {}};
  }
  return {PollOutcome::Done, std::string(url), shown, {}};
}

}  // namespace

JsonReader& shared_reader() {
  thread_local JsonReader reader;
  return reader;
}

std::string job_id_in(JsonElement answer, std::string_view member) {
  JsonElement id;
  if (!answer.is_object() || answer.at_key(member).get(id)) return {};
  std::string_view text;
  if (!id.get(text)) {
    // Dots alone are no name but a direction in the path of the poll.
    const bool usable = !trim_blanks(text).empty() && text != "." && text != "..";
    return usable ? std::string(text) : std::string();
  }
  return id.is_int64() || id.is_uint64() ? json_text(id) : std::string();
}

SubmitVerdict read_job_submission(const Response& response, std::string_view id_member, const AnswerWords& words) {
  SubmitVerdict verdict{submit_outcome_of_status(response.status), {}, {}, {}};
  const Result<JsonElement> answer = shared_reader().parse(response.body);
  if (answer) verdict.credits = words.credits(*answer);

  if (!is_success(response.status)) {
    verdict.detail = describe_refusal(response);
    // No page of a vendor names a status for an empty account; a validation error is the nearest one that does, and
    // what clients guess (PROVIDERS 1.1 and 2.7).
    if (response.status == 400 && refuses_for_credits(response)) verdict.outcome = SubmitOutcome::NoCredits;
    return verdict;
  }
  const std::string status = describe_status(response.status);
  if (!answer) {
    verdict.detail = fmt::format("{}, but the answer cannot be read: {}", status, answer.error().message);
    return verdict;
  }
  verdict.remote_id = job_id_in(*answer, id_member);
  if (verdict.remote_id.empty()) {
    verdict.detail = fmt::format("{}, but the answer names no job id", status);
    return verdict;
  }
  verdict.outcome = SubmitOutcome::Accepted;
  verdict.detail = printable(json_string(*answer, "status").value_or(""), kWordMax);
  return verdict;
}

PollVerdict read_job_state(JsonElement job, const AnswerWords& words) {
  PollVerdict verdict = read_state(job, words);
  verdict.credits = words.credits(job);
  if (verdict.outcome == PollOutcome::Running && words.broken != nullptr) verdict.broken = words.broken(job);
  return verdict;
}

PollVerdict read_job_poll(const Response& response, const AnswerWords& words, std::string_view id) {
  const Result<JsonElement> answer = shared_reader().parse(response.body);
  PollVerdict verdict;
  if (is_success(response.status)) {
    const std::string named = answer && !id.empty() ? job_id_in(*answer, "id") : std::string();
    if (!named.empty() && named != id) return {PollOutcome::TryAgain, {}, "the answer is that of another job", {}};
    if (answer) return read_job_state(*answer, words);
    verdict.detail = fmt::format("the answer cannot be read: {}", answer.error().message);
    return verdict;
  }
  if (answer) verdict.credits = words.credits(*answer);
  verdict.outcome = poll_outcome_of_status(response.status);
  verdict.detail = describe_refusal(response);
  return verdict;
}

}  // namespace reelbatch
