#include "jobs/iacrea_sequence.h"

#include <array>

#include "jobs/canonical_json.h"
#include "jobs/http_rules.h"
#include "jobs/iacrea.h"
#include "jobs/row_reader.h"

namespace reelbatch {
namespace {

constexpr std::string_view kPath = "/api/video-editor/generate/sequence/";

constexpr std::array<FieldSpec, 4> kFields{{
    {.name = "video_id", .api_name = "videoId"},
    {.name = "sequence_id", .api_name = "sequenceId"},
    {.name = "url", .api_name = "url", .media = Media::Visual},
    {.name = "effect", .api_name = "effect"},
}};
constexpr std::array<FieldReader, kFields.size()> kReaders{read_service_id, read_service_id, read_address,
                                                           read_iacrea_effect};

}  // namespace

std::string_view IacreaSequence::name() const {
  return "iacrea.sequence";
}
std::string_view IacreaSequence::service() const {
  return kIacrea.name;
}
std::span<const FieldSpec> IacreaSequence::fields() const {
  return kFields;
}

Normalised IacreaSequence::normalise(const RawFields& raw) const {
  Normalised normal = read_row(kFields, kReaders, raw);
  require_field(normal, "video_id", "is missing; give the id of the video that has the sequence");
  require_field(normal, "sequence_id", "is missing; give the id of the sequence, as generatedContent has it");
  return normal;
}

std::string IacreaSequence::subject(std::span<const NormalField> fields) const {
  return field_text(fields, "video_id");
}

Request IacreaSequence::submit(std::span<const NormalField> fields, std::string_view) const {
  JsonMembers sequence;
  for (const std::string_view name : {"url", "effect"}) {
    if (const NormalField* field = find_field(fields, name)) sequence.emplace(name, field->json);
  }
  JsonMembers body;
  if (const NormalField* id = find_field(fields, "sequence_id")) body.emplace("sequenceId", id->json);
  if (!sequence.empty()) body.emplace("sequence", json_object(sequence));
  return {"POST", std::string(kPath) + encode_path_segment(subject(fields)), json_object(body)};
}

SubmitVerdict IacreaSequence::read_submit(const Response& response) const {
  return read_iacrea_submit(response, "generationId");
}

Request IacreaSequence::poll(std::span<const PolledJob> jobs) const {
  return get_iacrea_video(jobs.front().subject);
}

std::vector<PollVerdict> IacreaSequence::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  return std::vector<PollVerdict>(jobs.size(), read_iacrea_poll(response, jobs.front().subject));
}

}  // namespace reelbatch
