#include "jobs/iacrea_video.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/address.h"
#include "jobs/canonical_json.h"
#include "jobs/iacrea.h"
#include "jobs/iacrea_storyboard.h"
#include "jobs/json.h"
#include "jobs/row_reader.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<FieldSpec, 3> kFields{{
    {.name = "video_id", .api_name = "videoId"},
    {.name = "video", .api_name = "video"},
    {.name = "webhook_url", .api_name = "webhookUrl", .is_content = false},
}};
constexpr std::array<FieldReader, kFields.size()> kReaders{read_service_id, read_iacrea_storyboard, read_address};

const FieldSpec& kVideo = kFields[1];
const FieldSpec& kWebhook = kFields[2];

/// The members of the object in its normal form.
JsonMembers members_of(const NormalField& video) {
  JsonReader reader;
  simdjson::dom::object object;
  const Result<JsonElement> root = reader.parse(video.json);
  if (!root || root->get(object)) return {};
  return canonical_members(object).value_or(JsonMembers{});
}

/// The object may say where to call; that is no part of the video, and becomes the field beside it.
void take_webhook(Normalised& normal) {
  const auto is_video = [](const NormalField& field) { return field.spec == &kVideo; };
  const auto video = std::find_if(normal.fields.begin(), normal.fields.end(), is_video);
  if (video == normal.fields.end()) return;
  JsonMembers members = members_of(*video);
  const auto inside = members.find(kWebhook.api_name);
  if (inside == members.end()) return;
  const FieldReading reading = read_address({RawValue::Form::Json, inside->second});
  // Whatever it is: one that an older version kept and that is refused now makes the video no other either.
  members.erase(inside);
  video->json = json_object(members);
  const auto in_video = [](const std::string& words) {
    return Problem{std::string(kVideo.name), fmt::format("{}: {}", kWebhook.api_name, words)};
  };
  for (const std::string& words : reading.problems) normal.problems.push_back(in_video(words));
  for (const std::string& words : reading.remarks) normal.remarks.push_back(in_video(words));
  if (!reading.json) return;
  const NormalField* beside = find_field(normal.fields, kWebhook.name);
  if (beside == nullptr) {
    normal.fields.push_back({&kWebhook, *reading.json});
  } else if (beside->json != *reading.json) {
    normal.problems.push_back({"webhook_url", "is another one than the webhookUrl in video; give one of them"});
  }
}

}  // namespace

std::string_view IacreaVideo::name() const {
  return "iacrea.video";
}
std::string_view IacreaVideo::service() const {
  return kIacrea.name;
}
std::span<const FieldSpec> IacreaVideo::fields() const {
  return kFields;
}

Normalised IacreaVideo::normalise(const RawFields& raw) const {
  Normalised normal = read_row(kFields, kReaders, raw);
  const bool has_id = find_field(normal.fields, "video_id") || has_problem(normal, "video_id");
  const bool has_video = find_field(normal.fields, "video") || has_problem(normal, "video");
  if (has_id && has_video) {
    normal.problems.push_back(
        {"video_id", "stands beside video; give one of them: an id follows a video, an object makes a new one"});
  } else if (!has_id && !has_video) {
    normal.problems.push_back(
        {"video", "is missing; give the object of a new video, or the video_id of one to be followed"});
  }
  take_webhook(normal);
  if (has_id && !has_video && find_field(normal.fields, "webhook_url")) {
    normal.remarks.push_back({"webhook_url", "will not be called: the video exists, and is only followed"});
  }
  return normal;
}

std::vector<MediaAddress> IacreaVideo::media(std::span<const NormalField> fields) const {
  std::vector<MediaAddress> found;
  const NormalField* video = find_field(fields, "video");
  if (video == nullptr) return found;
  JsonReader reader;
  for_each_text(reader, video->json, [&](std::string_view member, std::string_view text) {
    if (!is_http_address(text) || ascii_lower(member).starts_with("webhook")) return;
    found.push_back({video->spec->name, std::string(text), member == "logoUrl" ? Media::Image : Media::Any});
  });
  return found;
}

std::string IacreaVideo::followed(std::span<const NormalField> fields) const {
  return field_text(fields, "video_id");
}

std::optional<Repair> IacreaVideo::repair(std::string_view remote_id, std::string_view part) const {
  Repair repair{"iacrea.sequence", {}};
  repair.fields.push_back({"video_id", {RawValue::Form::Text, std::string(remote_id)}});
  repair.fields.push_back({"sequence_id", {RawValue::Form::Text, std::string(part)}});
  return repair;
}

Request IacreaVideo::submit(std::span<const NormalField> fields, std::string_view) const {
  const NormalField* video = find_field(fields, "video");
  JsonMembers members = video != nullptr ? members_of(*video) : JsonMembers{};
  if (const NormalField* webhook = find_field(fields, "webhook_url")) {
    members.emplace(webhook->spec->api_name, webhook->json);
  }
  return {"POST", "/api/video-editor/generate/video", fmt::format("{{\"video\":{}}}", json_object(members))};
}

SubmitVerdict IacreaVideo::read_submit(const Response& response) const {
  return read_iacrea_submit(response, "id");
}

Request IacreaVideo::poll(std::span<const PolledJob> jobs) const {
  return get_iacrea_video(jobs.front().remote_id);
}

std::vector<PollVerdict> IacreaVideo::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  return std::vector<PollVerdict>(jobs.size(), read_iacrea_poll(response, jobs.front().remote_id));
}

}  // namespace reelbatch
