#include "jobs/iacrea_auto.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/field_rules.h"
#include "jobs/http_rules.h"
#include "jobs/iacrea.h"
#include "jobs/json.h"

namespace reelbatch {
namespace {

constexpr std::string_view kPath = "/api/video-editor/generate/video/auto";

constexpr std::size_t kDescriptionMin = 10;
constexpr std::array<std::string_view, 3> kFormats{"landscape", "portrait", "square"};

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

/// How each of kFields is read, in its order.
using Reader = FieldReading (*)(const RawValue&);
constexpr std::array<Reader, kFields.size()> kReaders{
    read_addresses,
    [](const RawValue& value) { return read_text(value, kDescriptionMin); },
    [](const RawValue& value) { return read_choice(value, kFormats); },
    read_color_pair,
    read_line,
    read_line,
    read_boolean,
    read_address,
    read_address,
};

const NormalField* find_normal(const Normalised& normal, std::string_view name) {
  for (const NormalField& field : normal.fields) {
    if (field.spec->name == name) return &field;
  }
  return nullptr;
}

bool has_problem(const Normalised& normal, std::string_view name) {
  for (const Problem& problem : normal.problems) {
    if (problem.field == name) return true;
  }
  return false;
}

void read_into(Normalised& normal, const FieldSpec& spec, Reader reader, const RawValue& value) {
  FieldReading reading = reader(value);
  for (std::string& problem : reading.problems) normal.problems.push_back({std::string(spec.name), std::move(problem)});
  for (std::string& remark : reading.remarks) normal.remarks.push_back({std::string(spec.name), std::move(remark)});
  if (reading.json) normal.fields.push_back({&spec, std::move(*reading.json)});
}

void require(Normalised& normal, std::string_view name, std::string_view message) {
  if (find_normal(normal, name) || has_problem(normal, name)) return;
  normal.problems.push_back({std::string(name), std::string(message)});
}

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
  normal.fields.reserve(raw.size());
  // Fields as read come in the order of kFields, but for those that a version with another order has kept.
  auto likely = raw.begin();
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto same_name = [&](const RawField& field) { return field.name == kFields[i].name; };
    const bool guessed = likely != raw.end() && same_name(*likely);
    const auto field = guessed ? likely : std::find_if(raw.begin(), raw.end(), same_name);
    if (field == raw.end()) continue;
    read_into(normal, kFields[i], kReaders[i], field->value);
    likely = field + 1;
  }
  require(normal, "image_urls", "is missing; give the http or https address of at least one image");
  require(normal, "description", "is missing; needs at least 10 characters");
  const NormalField* display_logo = find_normal(normal, "display_logo");
  const bool shows_logo = display_logo && display_logo->json == "true";
  if (shows_logo) require(normal, "logo_url", "is missing; display_logo needs the address of the logo");
  if (!display_logo && !has_problem(normal, "display_logo") && find_normal(normal, "logo_url")) {
    normal.remarks.push_back({"logo_url", "will not be shown unless display_logo is true"});
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
  std::string path(kPath);
  path += '/';
  path += encode_path_segment(jobs.front().remote_id);
  return {"GET", std::move(path), {}};
}

std::vector<PollVerdict> IacreaAuto::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  return std::vector<PollVerdict>(jobs.size(), read_iacrea_poll(response));
}

}  // namespace reelbatch
