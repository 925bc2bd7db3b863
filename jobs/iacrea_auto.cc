#include "jobs/iacrea_auto.h"

#include <fmt/format.h>

#include <array>

#include "jobs/http_rules.h"
#include "jobs/iacrea.h"
#include "jobs/json.h"

namespace reelbatch {
namespace {

constexpr std::string_view kPath = "/api/video-editor/generate/video/auto";

constexpr std::array<FieldSpec, 9> kFields{{
    {.name = "image_urls", .api_name = "image_urls", .is_list = true},
    {.name = "description", .api_name = "description"},
    {.name = "format", .api_name = "format"},
    {.name = "colors", .api_name = "colors", .is_list = true},
    {.name = "font", .api_name = "font"},
    {.name = "music", .api_name = "music"},
    {.name = "display_logo", .api_name = "displayLogo"},
    {.name = "logo_url", .api_name = "logoUrl"},
    {.name = "webhook_url", .api_name = "webhookUrl", .is_content = false},
}};

}  // namespace

std::string_view IacreaAuto::name() const {
  return "iacrea.auto";
}
std::string_view IacreaAuto::service() const {
  return kIacrea.name;
}
std::span<const FieldSpec> IacreaAuto::fields() const {
  return kFields;
}

Normalised IacreaAuto::normalise(const RawFields& raw) const {
  Normalised normal;
  for (const FieldSpec& spec : kFields) {
    for (const RawField& field : raw) {
      if (field.name == spec.name) normal.fields.push_back({&spec, json_quote(field.value.text)});
    }
  }
  return normal;
}

Request IacreaAuto::submit(std::span<const NormalField> fields, std::string_view) const {
  std::string body = "{";
  for (const NormalField& field : fields) {
    if (body.size() > 1) body.push_back(',');
    append_json_quoted(body, field.spec->api_name);
    body.push_back(':');
    body += field.json;
  }
  body.push_back('}');
  return {"POST", std::string(kPath), std::move(body)};
}

SubmitVerdict IacreaAuto::read_submit(const Response& response) const {
  return read_iacrea_submit(response);
}

Request IacreaAuto::poll(std::span<const PolledJob> jobs) const {
  return {"GET", fmt::format("{}/{}", kPath, encode_path_segment(jobs.front().remote_id)), {}};
}

std::vector<PollVerdict> IacreaAuto::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  return std::vector<PollVerdict>(jobs.size(), read_iacrea_poll(response));
}

}  // namespace reelbatch
