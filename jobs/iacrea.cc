#include "jobs/iacrea.h"

#include <fmt/format.h>

#include <array>

#include "jobs/http_rules.h"
#include "jobs/job_answers.h"
#include "jobs/json_quote.h"
#include "jobs/service_words.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<CredentialSpec, 1> kCredentials{{{"key", "x-api-key", "IACREA_API_KEY"}}};

/// `ERROR` is named by the polling advice of the video pages, `FAILED` by the introduction (PROVIDERS 4.7).
constexpr std::array<std::string_view, 2> kFailed{"error", "failed"};

std::string failure_words(JsonElement answer) {
  return one_line(messages_in(answer));
}

std::optional<std::vector<std::string>> clips_in_error(JsonElement answer) {
  simdjson::dom::array clips;
  if (answer.at_key("generatedContent").get(clips)) return std::nullopt;
  std::vector<std::string> broken;
  for (const JsonElement clip : clips) {
    const std::string_view status = trim_blanks(json_string(clip, "status").value_or(""));
    if (ascii_lower(status) != "error") continue;
    if (std::string id = job_id_in(clip, "id"); !id.empty()) broken.push_back(std::move(id));
  }
  return broken;
}

constexpr AnswerWords kWords{"done", "url", kFailed, failure_words, iacrea_credits, clips_in_error};

constexpr std::array<std::string_view, 7> kEffects{"CAMERA_PUSH_IN",  "CAMERA_PUSH_OUT",   "CAMERA_MOVE_RIGHT",
                                                   "CAMERA_CRANE_UP", "CAMERA_ORBIT_LEFT", "AUTO_EFFECTS",
                                                   "AUTO_REVERSE"};

}  // namespace

constinit const ServiceSpec kIacrea{"iacrea", "https://iacrea.com", "IACREA_BASE_URL", kCredentials};

CreditFigures iacrea_credits(JsonElement answer) {
  return {json_credits(answer, "creditsTotal"), json_credits(answer, "creditsUsed")};
}

SubmitVerdict read_iacrea_submit(const Response& response, std::string_view id_member) {
  return read_job_submission(response, id_member, kWords);
}

PollVerdict read_iacrea_poll(const Response& response, std::string_view video) {
  return read_job_poll(response, kWords, video);
}

Request get_iacrea_video(std::string_view id) {
  return {"GET", "/api/video-editor/generate/video/" + encode_path_segment(id), {}};
}

FieldReading read_iacrea_effect(const RawValue& value) {
  return read_open_choice(value, kEffects);
}

}  // namespace reelbatch
