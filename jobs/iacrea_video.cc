#include "jobs/iacrea_video.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/address.h"
#include "jobs/canonical_json.h"
#include "jobs/iacrea.h"
#include "jobs/iacrea_storyboard.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/row_reader.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<FieldSpec, 3> kFields{{
    {.name = "video_id", .api_name = "videoId"},
    {.name = "video", .api_name = "video"},
    {.name = "webhook_url", .api_name = "webhookUrl", .is_content = false},
}};
constexpr std::array<FieldReader, kFields.size()> kReaders{read_iacrea_id, read_iacrea_storyboard, read_address};

/// The object says where to call as well; that is no part of the video, and becomes the field beside it.
void take_webhook(Normalised& normal) {
  const auto is_video = [](const NormalField& field) { return field.spec == &kFields[1]; };
  const auto video = std::find_if(normal.fields.begin(), normal.fields.end(), is_video);
  if (video == normal.fields.end()) return;
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(video->json);
  simdjson::dom::object object;
  if (!root || root->get(object)) return;
  Result<JsonMembers> members = canonical_members(object);
  const auto inside = members ? members->find(kFields[2].api_name) : JsonMembers::iterator();
  if (!members || inside == members->end() || !inside->second.starts_with('"')) return;
  const FieldReading reading = read_address({RawValue::Form::Text, json_unquote(inside->second)});
  if (!reading.problems.empty()) {
    normal.problems.push_back({"video", fmt::format("webhookUrl: {}", reading.problems.front())});
    return;
  }
  members->erase(inside);
  video->json = json_object(*members);
  const NormalField* beside = find_field(normal.fields, kFields[2].name);
  if (beside != nullptr && reading.json && beside->json != *reading.json) {
    normal.problems.push_back({"webhook_url", "is another one than the webhookUrl in video; give one of them"});
  } else if (beside == nullptr && reading.json) {
    normal.fields.push_back({&kFields[2], *reading.json});
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
  const NormalField* webhook = find_field(fields, "webhook_url");
  std::string object = video != nullptr ? video->json : "{}";
  if (webhook != nullptr) {
    object.pop_back();
    object += fmt::format("{}\"{}\":{}}}", object.size() > 1 ? "," : "", webhook->spec->api_name, webhook->json);
  }
  return {"POST", "/api/video-editor/generate/video", fmt::format("{{\"video\":{}}}", object)};
}

SubmitVerdict IacreaVideo::read_submit(const Response& response) const {
  return read_iacrea_submit(response, "id");
}

Request IacreaVideo::poll(std::span<const PolledJob> jobs) const {
  return get_iacrea_video(jobs.front().remote_id);
}

std::vector<PollVerdict> IacreaVideo::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  return std::vector<PollVerdict>(jobs.size(), read_iacrea_video(jobs.front().remote_id, response));
}

}  // namespace reelbatch
