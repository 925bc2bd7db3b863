#include "jobs/creatify_aurora.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/creatify.h"
#include "jobs/http_rules.h"
#include "jobs/json_quote.h"
#include "jobs/row_reader.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::string_view kPath = "/api/aurora/";

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kWebhookMax = 200;
constexpr double kGuidanceMax = 10;
constexpr std::array<std::string_view, 2> kModels{"aurora_v1", "aurora_v1_fast"};
/// Named by the newest page without their meaning (PROVIDERS 2.2); and what people write for model_version, without
/// which the dearer model is billed in silence (PROVIDERS 6.9).
constexpr std::array<std::string_view, 5> kUnsent{"ttl_days", "output_upload_url", "model", "version",
                                                  "aurora_version"};
constexpr std::array<std::string_view, 2> kAudioTypes{"mp3", "wav"};
constexpr std::array<std::string_view, 4> kImageTypes{"png", "jpg", "jpeg", "webp"};

/// Endings that say what a file is; behind any other one, `.php` or `.aspx`, may be anything.
constexpr std::array<std::string_view, 34> kFileTypes{
    "mp3",  "wav",  "m4a", "aac", "ogg", "oga",  "opus", "flac", "wma", "aif", "aiff", "amr",
    "mid",  "midi", "mp4", "m4v", "mov", "webm", "avi",  "mkv",  "png", "jpg", "jpeg", "webp",
    "avif", "heic", "gif", "bmp", "tif", "tiff", "svg",  "pdf",  "txt", "zip"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// `m4a` of `https://a.example/voice.M4A?x=1`, or nothing.
std::string file_type_of(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string_view::npos) return {};
  address.remove_prefix(scheme + 3);
  address = address.substr(0, address.find_first_of("?#"));
  const std::size_t slash = address.rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::size_t dot = address.rfind('.');
  return dot == std::string_view::npos || dot < slash ? std::string() : ascii_lower(address.substr(dot + 1));
}

/// An address with a remark if its ending says that the file is of another type. No more: what is behind an address
/// only its server knows.
template <std::size_t N>
FieldReading read_file(const RawValue& value, const std::array<std::string_view, N>& types, std::string_view wanted) {
  FieldReading reading = read_address(value);
  if (!reading.json) return reading;
  const std::string type = file_type_of(json_unquote(*reading.json));
  if (!contains(types, type) && contains(kFileTypes, type)) {
    reading.remarks.push_back(fmt::format("ends in .{}; the service documents {}", type, wanted));
  }
  return reading;
}

/// Drops a value of more than `points_max` code points.
FieldReading bounded(FieldReading reading, std::size_t points_max) {
  const std::size_t points = count_code_points(json_unquote(reading.json.value_or("")));
  if (points <= points_max) return reading;
  return {std::nullopt, {fmt::format("has {} characters; the service takes at most {}", points, points_max)}, {}};
}

constexpr std::array<FieldSpec, 7> kFields{{
    {.name = "audio", .api_name = "audio", .media = Media::Audio},
    {.name = "image", .api_name = "image", .media = Media::Image},
    {.name = "name", .api_name = "name", .is_content = false},
    {.name = "text_prompt", .api_name = "text_prompt"},
    {.name = "prompt_guidance_scale", .api_name = "prompt_guidance_scale"},
    {.name = "model_version", .api_name = "model_version"},
    {.name = "webhook_url", .api_name = "webhook_url", .is_content = false},
}};

/// How each of kFields is read, in its order.
constexpr std::array<FieldReader, kFields.size()> kReaders{
    [](const RawValue& value) { return read_file(value, kAudioTypes, "mp3 and wav, 60 seconds at most"); },
    [](const RawValue& value) { return read_file(value, kImageTypes, "png, jpg, jpeg and webp"); },
    [](const RawValue& value) { return bounded(read_line(value), kNameMax); },
    [](const RawValue& value) { return read_text(value, 0); },
    [](const RawValue& value) { return read_number(value, 0, kGuidanceMax); },
    [](const RawValue& value) { return read_choice(value, kModels); },
    [](const RawValue& value) { return bounded(read_address(value), kWebhookMax); },
};

const FieldSpec& name_spec() {
  return *std::find_if(kFields.begin(), kFields.end(), [](const FieldSpec& spec) { return spec.name == "name"; });
}

}  // namespace

std::string_view CreatifyAurora::name() const {
  return "creatify.aurora";
}
std::string_view CreatifyAurora::service() const {
  return kCreatify.name;
}
std::span<const FieldSpec> CreatifyAurora::fields() const {
  return kFields;
}
std::span<const std::string_view> CreatifyAurora::unsent() const {
  return kUnsent;
}

Normalised CreatifyAurora::normalise(const RawFields& raw) const {
  Normalised normal = read_row(kFields, kReaders, raw);
  require_field(normal, "audio", "is missing; give the http or https address of the voice, mp3 or wav");
  require_field(normal, "image", "is missing; give the http or https address of the picture");
  return normal;
}

Request CreatifyAurora::submit(std::span<const NormalField> fields, std::string_view marker) const {
  const std::string name = json_quote(mark_creatify_name(field_text(fields, "name"), marker));
  std::vector<NormalField> sent;
  sent.reserve(fields.size() + 1);
  for (const NormalField& field : fields) {
    if (field.spec->name != "name") sent.push_back(field);
  }
  sent.push_back({&name_spec(), name});
  return {"POST", std::string(kPath), fields_as_object(sent)};
}

SubmitVerdict CreatifyAurora::read_submit(const Response& response) const {
  return read_creatify_submit(response);
}

Request CreatifyAurora::poll(std::span<const PolledJob> jobs) const {
  std::string path(kPath);
  if (jobs.size() == 1) {
    path += encode_path_segment(jobs.front().remote_id);
    return {"GET", path + "/", {}};
  }
  path += "?ids=";
  for (const PolledJob& job : jobs) {
    if (path.back() != '=') path.push_back(',');
    path += encode_path_segment(job.remote_id);
  }
  return {"GET", std::move(path), {}};
}

std::vector<PollVerdict> CreatifyAurora::read_poll(std::span<const PolledJob> jobs, const Response& response) const {
  if (jobs.size() == 1) return {read_creatify_poll(jobs.front().remote_id, response)};
  return read_creatify_list(jobs, response);
}

std::optional<Request> CreatifyAurora::search() const {
  // Plain, though there is an `ordering`: the names that it takes are not documented.
  return Request{"GET", std::string(kPath), {}};
}

SearchVerdict CreatifyAurora::read_search(std::span<const std::string> markers, const Response& response) const {
  return find_creatify_markers(markers, response);
}

}  // namespace reelbatch
