#include "jobs/iacrea_auto.h"

#include <algorithm>
#include <array>

#include "jobs/address_list.h"
#include "jobs/field_rules.h"
#include "jobs/http_rules.h"
#include "jobs/iacrea.h"
#include "jobs/row_reader.h"

namespace reelbatch {
namespace {

constexpr std::string_view kPath = "/api/video-editor/generate/video/auto";

constexpr std::size_t kDescriptionMin = 10;
constexpr std::array<std::string_view, 3> kFormats{"landscape", "portrait", "square"};

constexpr std::array<FieldSpec, 9> kFields{{
    {.name = "image_urls", .api_name = "image_urls", .is_list = true, .is_images = true, .media = Media::Image},
    {.name = "description", .api_name = "description", .is_prose = true},
    {.name = "format", .api_name = "format"},
    {.name = "colors", .api_name = "colors", .is_list = true},
    {.name = "font", .api_name = "font"},
    {.name = "music", .api_name = "music"},
    {.name = "display_logo", .api_name = "displayLogo"},
    {.name = "logo_url", .api_name = "logoUrl", .media = Media::Image},
    {.name = "webhook_url", .api_name = "webhookUrl", .is_content = false},
}};

/// How each of kFields is read, in its order.
constexpr std::array<FieldReader, kFields.size()> kReaders{
    read_addresses,
    [](const RawValue& value) { return read_prose(value, kDescriptionMin); },
    [](const RawValue& value) { return read_choice(value, kFormats); },
    read_color_pair,
    read_line,
    read_line,
    read_boolean,
    read_address,
    read_address,
};

constexpr std::array<FieldGlance, kFields.size()> kGlances{
    [](const FieldText& field) {
      PlainAddresses addresses;
      return read_plain_addresses(field.form, field.text, addresses);
    },
    [](const FieldText& field) { return is_plain_description(field.form, field.text, kDescriptionMin); },
    [](const FieldText& field) { return std::find(kFormats.begin(), kFormats.end(), field.text) != kFormats.end(); },
    [](const FieldText& field) { return is_plain_color_pair(field.form, field.text); },
};

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
  Normalised normal = read_row(kFields, kReaders, raw);
  require_field(normal, "image_urls", "is missing; give the http or https address of at least one image");
  require_field(normal, "description", "is missing; needs at least 10 characters");
  const NormalField* display_logo = find_field(normal.fields, "display_logo");
  const bool shows_logo = display_logo && display_logo->json == "true";
  if (shows_logo) require_field(normal, "logo_url", "is missing; display_logo needs the address of the logo");
  if (!display_logo && !has_problem(normal, "display_logo") && find_field(normal.fields, "logo_url")) {
    normal.remarks.push_back({"logo_url", "will not be shown unless display_logo is true"});
  }
  return normal;
}

bool IacreaAuto::is_plain(std::span<const FieldText> fields) const {
  constexpr std::size_t kRequired = 2;  // image_urls and description
  return are_plain(kFields, kGlances, kRequired, fields);
}

Request IacreaAuto::submit(std::span<const NormalField> fields, std::string_view) const {
  return {"POST", std::string(kPath), fields_as_object(fields)};
}

SubmitVerdict IacreaAuto::read_submit(const Response& response) const {
  return read_iacrea_submit(response, "id");
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
