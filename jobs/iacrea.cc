#include "jobs/iacrea.h"

#include <fmt/format.h>

#include <array>

#include "jobs/address.h"
#include "jobs/http_rules.h"
#include "jobs/no_credits.h"
#include "jobs/service_words.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<CredentialSpec, 1> kCredentials{{{"key", "x-api-key", "IACREA_API_KEY"}}};

constexpr std::size_t kWordMax = 60;
constexpr std::size_t kWordsMax = 300;

/// The id as opaque text: a string, or a whole number as it stands. Empty if there is none that can be polled.
std::string id_in(JsonElement answer) {
  JsonElement id;
  if (!answer.is_object() || answer.at_key("id").get(id)) return {};
  std::string_view text;
  if (!id.get(text)) {
    // Dots alone are no name but a direction in the path of the poll.
    const bool usable = !trim_blanks(text).empty() && text != "." && text != "..";
    return usable ? std::string(text) : std::string();
  }
  return id.is_int64() || id.is_uint64() ? json_text(id) : std::string();
}

/// `RENDERING_VIDEO 0.65: words`: the state as the service spells it, and what it says beside it.
std::string running_detail(JsonElement answer, std::string_view status) {
  std::string detail = printable(status, kWordMax);
  JsonElement progress;
  if (!answer.at_key("progress").get(progress) && !progress.is_null()) {
    // Shown as it comes: no page says whether it goes to 1 or to 100.
    std::string_view text;
    detail += " " + printable(progress.get(text) ? json_text(progress) : std::string(text), kWordMax);
  }
  if (const auto message = json_string(answer, "message")) detail += ": " + printable(*message, kWordsMax);
  return detail;
}

/// One for all answers: most of what a parse costs is the memory that it makes and throws away.
JsonReader& shared_reader() {
  thread_local JsonReader reader;
  return reader;
}

PollVerdict read_state(JsonElement answer) {
  const std::optional<std::string_view> status = json_string(answer, "status");
  if (!status || trim_blanks(*status).empty()) return {PollOutcome::TryAgain, {}, "the answer has no status", {}};
  const std::string word = ascii_lower(trim_blanks(*status));
  if (word == "error" || word == "failed") {
    const std::string words = one_line(messages_in(answer));
    const std::string shown = printable(*status, kWordMax);
    return {PollOutcome::Failed, {}, words.empty() ? shown : fmt::format("{}: {}", shown, words), {}};
  }
  if (word != "done") return {PollOutcome::Running, {}, running_detail(answer, *status), {}};
  const std::string_view url = trim_blanks(json_string(answer, "url").value_or(""));
  if (url.empty()) return {PollOutcome::Running, {}, "DONE without a url", {}};
  if (!is_http_address(url)) return {PollOutcome::Running, {}, "DONE with a url that is no http address", {}};
  return {PollOutcome::Done, std::string(url), printable(*status, kWordMax), {}};
}

}  // namespace

constinit const ServiceSpec kIacrea{"iacrea", "https://iacrea.com", "IACREA_BASE_URL", kCredentials};

CreditFigures iacrea_credits(JsonElement answer) {
  return {json_credits(answer, "creditsTotal"), json_credits(answer, "creditsUsed")};
}

SubmitVerdict read_iacrea_submit(const Response& response) {
  SubmitVerdict verdict{submit_outcome_of_status(response.status), {}, {}, {}};
  JsonReader& reader = shared_reader();
  const Result<JsonElement> answer = reader.parse(response.body);
  if (answer) verdict.credits = iacrea_credits(*answer);

  if (response.status < 200 || response.status > 299) {
    verdict.detail = describe_refusal(response);
    // No page names a status for an empty account; a validation error is the nearest one that does (PROVIDERS 1.1).
    if (response.status == 400 && refuses_for_credits(response)) verdict.outcome = SubmitOutcome::NoCredits;
    return verdict;
  }
  const std::string status = describe_status(response.status);
  if (!answer) {
    verdict.detail = fmt::format("{}, but the answer cannot be read: {}", status, answer.error().message);
    return verdict;
  }
  verdict.remote_id = id_in(*answer);
  if (verdict.remote_id.empty()) {
    verdict.detail = fmt::format("{}, but the answer names no job id", status);
    return verdict;
  }
  verdict.outcome = SubmitOutcome::Accepted;
  verdict.detail = printable(json_string(*answer, "status").value_or(""), kWordMax);
  return verdict;
}

PollVerdict read_iacrea_poll(const Response& response) {
  JsonReader& reader = shared_reader();
  const Result<JsonElement> answer = reader.parse(response.body);
  const CreditFigures credits = answer ? iacrea_credits(*answer) : CreditFigures{};
  PollVerdict verdict;
  if (response.status < 200 || response.status > 299) {
    verdict = {poll_outcome_of_status(response.status), {}, describe_refusal(response), {}};
  } else if (!answer) {
    verdict.detail = fmt::format("the answer cannot be read: {}", answer.error().message);
  } else {
    verdict = read_state(*answer);
  }
  verdict.credits = credits;
  return verdict;
}

}  // namespace reelbatch
