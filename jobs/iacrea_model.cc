#include "jobs/iacrea_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/seeded_random.h"

namespace reelbatch {
namespace {

constexpr std::string_view kSpace = "/api/video-editor";
constexpr std::string_view kAuto = "/api/video-editor/generate/video/auto";
constexpr std::size_t kClipsMax = 5;
constexpr Credits kClipPrice = Credits::whole(1);

struct Scene {
  std::string_view category, text;
};
constexpr std::array<Scene, 6> kScenes = {{{"living_room", "A bright living room"},
                                           {"kitchen", "A kitchen ready to cook in"},
                                           {"bedroom", "A quiet bedroom"},
                                           {"bathroom", "A bathroom with daylight"},
                                           {"terrace", "A terrace for long evenings"},
                                           {"facade", "A house with character"}}};
constexpr std::array<std::string_view, 5> kEffects = {"CAMERA_PUSH_IN", "CAMERA_PUSH_OUT", "CAMERA_MOVE_RIGHT",
                                                      "CAMERA_CRANE_UP", "CAMERA_ORBIT_LEFT"};

ServiceReply json_reply(int status, std::string body) {
  return ServiceReply{status, "application/json", std::move(body), {}};
}

ServiceReply error_reply(int status, std::string_view message) {
  return json_reply(status, fmt::format(R"({{"error":{}}})", json_quote(message)));
}

ServiceReply wrong_method(std::string_view allowed) {
  ServiceReply reply = error_reply(405, "Method not allowed");
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

ServiceReply no_such_page() {
  return ServiceReply{404,
                      "text/html; charset=utf-8",
                      "<!DOCTYPE html><html><head><title>404: This page could not be found.</title></head>"
                      "<body><h1>404</h1><h2>This page could not be found.</h2></body></html>",
                      {}};
}

ServiceReply moved_to(std::string_view path, std::string_view query) {
  ServiceReply reply{308, "text/plain", "", {}};
  const std::string target = fmt::format("{}{}{}", path, query.empty() ? "" : "?", query);
  reply.body = target;
  reply.headers.emplace_back("Location", target);
  return reply;
}

std::string_view header(const ServiceRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  type.erase(std::remove(type.begin(), type.end(), ' '), type.end());
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type == "application/json";
}

/// A version 4 UUID.
std::string draw_uuid(SeededRandom& random) {
  const std::uint64_t high = (random.next() & ~0xF000U) | 0x4000U;
  const std::uint64_t low = (random.next() & ~(0xC0ULL << 56U)) | (0x80ULL << 56U);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFFU,
                     low >> 48U, low & 0xFFFFFFFFFFFFU);
}

/// Between 70 and 130 % of `about_ms`.
std::int64_t draw_duration(SeededRandom& random, std::int64_t about_ms) {
  return static_cast<std::int64_t>(static_cast<double>(about_ms) * (0.7 + 0.6 * random.unit()));
}

/// `wanted` different positions below `size`, in order.
std::vector<std::size_t> draw_positions(SeededRandom& random, std::size_t size, std::size_t wanted) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < size && chosen.size() < wanted; ++i) {
    if (random.below(size - i) < wanted - chosen.size()) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace

IacreaModel::IacreaModel(const ServiceOptions& options) : options_(options) {}

std::string_view IacreaModel::name_of(Status status) {
  switch (status) {
    case Status::Pending:
      return "PENDING";
    case Status::Generating:
      return "GENERATING_VIDEO";
    case Status::StartRendering:
      return "START_RENDERING_VIDEO";
    case Status::Rendering:
      return "RENDERING_VIDEO";
    case Status::Done:
      return "DONE";
    case Status::Error:
      return "ERROR";
  }
  return "";
}

bool IacreaModel::serves(std::string_view path) const {
  return path == kSpace || (path.starts_with(kSpace) && path[kSpace.size()] == '/');
}

ServiceReply IacreaModel::handle(const ServiceRequest& request, std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  std::string_view path = request.path;
  if (serves(path) && path.ends_with('/')) {
    return moved_to(path.substr(0, path.find_last_not_of('/') + 1), request.query);
  }
  const bool starts = path == kAuto;
  std::string_view id;
  if (!starts && path.starts_with(kAuto) && path[kAuto.size()] == '/') id = path.substr(kAuto.size() + 1);
  if (!starts && (id.empty() || id.find('/') != std::string_view::npos)) return no_such_page();

  if (starts && request.method != "POST") return wrong_method("POST");
  if (!starts && request.method != "GET") return wrong_method("GET");
  if (!key_is_right(request)) return error_reply(401, "Unauthorized: missing or invalid API key");
  return starts ? start(request, now_ms_) : read(id, now_ms_);
}

bool IacreaModel::key_is_right(const ServiceRequest& request) const {
  const std::string_view key = header(request, "x-api-key");
  return !key.empty() && (options_.key.empty() || key == options_.key);
}

ServiceReply IacreaModel::start(const ServiceRequest& request, std::int64_t now_ms) {
  if (!is_json(header(request, "content-type"))) return error_reply(415, "Content-Type must be application/json");
  const Result<IacreaOrder> order = read_iacrea_order(reader_, request.body);
  if (!order) return error_reply(400, order.error().message);
  const auto clips = static_cast<std::int64_t>(std::min(order->image_urls.size(), kClipsMax));
  const Credits price{kClipPrice.milli * clips};
  if (options_.credits - charged_ < price) return error_reply(402, "Insufficient credits");

  Job job;
  job.draw = mix(options_.seed, mix(jobs_.size(), text_seed(request.body)));
  do {
    SeededRandom random(++job.draw);
    job.id = draw_uuid(random);
  } while (index_.contains(job.id));
  job.created_ms = now_ms;
  job.charged = price;
  job.body = request.body;
  Job& added = add(std::move(job));
  touch(added);

  const Plan plan = plan_of(added);
  std::string selections;
  for (const Clip& clip : plan.clips) {
    selections += fmt::format(R"({}{{"image_url":{},"category":{}}})", selections.empty() ? "" : ",",
                              json_quote(clip.url), json_quote(clip.category));
  }
  return json_reply(201, fmt::format(R"({{"id":"{}","status":"PENDING",{},"analysis":{{"selections":[{}]}},{}}})",
                                     added.id, content_json(added, plan, now_ms), selections, credits_json(added)));
}

ServiceReply IacreaModel::read(std::string_view id, std::int64_t now_ms) {
  const auto found = index_.find(std::string(id));
  if (found == index_.end()) return error_reply(404, "Video generation not found");
  Job& job = jobs_[found->second];
  const Plan plan = plan_of(job);
  advance(job, plan, now_ms);

  std::string body = fmt::format(R"({{"status":"{}")", name_of(job.status));
  if (job.status == Status::StartRendering) body += R"(,"progress":0)";
  if (job.status == Status::Rendering) {
    const double part = static_cast<double>(now_ms - job.since_ms) / static_cast<double>(plan.render_ms + 1);
    body += fmt::format(R"(,"progress":{:.2f})", std::clamp(part, 0.0, 0.99));
  }
  if (job.status == Status::Done) {
    body += fmt::format(R"(,"url":{})", json_quote(fmt::format("{}/{}.mp4", options_.video_base, job.id)));
  }
  if (job.status == Status::Generating || job.status == Status::Done || job.status == Status::Error) {
    body += fmt::format(",{},{}", content_json(job, plan, now_ms), credits_json(job));
  }
  return json_reply(200, body + "}");
}

void IacreaModel::advance(Job& job, const Plan& plan, std::int64_t now_ms) {
  const auto any = [&](std::string_view status) {
    return std::any_of(plan.clips.begin(), plan.clips.end(),
                       [&](const Clip& clip) { return clip_status(job, clip, now_ms) == status; });
  };
  const Status before = job.status;
  switch (job.status) {
    case Status::Pending:
      job.status = Status::Generating;
      job.since_ms = now_ms;
      break;
    case Status::Generating:
      if (any("pending")) return;
      if (any("error")) {
        job.status = Status::Pending;
        job.round = 1;
      } else {
        job.status = plan.fails ? Status::Error : Status::StartRendering;
        job.since_ms = now_ms;
      }
      break;
    case Status::StartRendering:
      job.status = Status::Rendering;
      break;
    case Status::Rendering:
      if (now_ms - job.since_ms < plan.render_ms) return;
      job.status = Status::Done;
      break;
    case Status::Done:
    case Status::Error:
      return;
  }
  if (job.status != before) touch(job);
  if (job.status == Status::Done && !plan.order.webhook_url.empty()) {
    const std::string url = fmt::format("{}/{}.mp4", options_.video_base, job.id);
    webhooks_.push_back(
        {plan.order.webhook_url, fmt::format(R"({{"id":"{}","status":"DONE","url":{}}})", job.id, json_quote(url))});
  }
}

IacreaModel::Plan IacreaModel::plan_of(const Job& job) {
  Plan plan;
  plan.order = read_iacrea_order(reader_, job.body).value_or(IacreaOrder{});
  SeededRandom random(mix(job.draw, 1));
  const std::size_t images = plan.order.image_urls.size();
  for (const std::size_t at : draw_positions(random, images, std::min(images, kClipsMax))) {
    const Scene& scene = kScenes[random.below(kScenes.size())];
    Clip clip;
    clip.id = draw_uuid(random);
    clip.url = plan.order.image_urls[at];
    clip.effect = kEffects[random.below(kEffects.size())];
    clip.category = scene.category;
    clip.text = scene.text;
    clip.takes_ms = draw_duration(random, options_.clip_ms);
    clip.fails_first = random.unit() < options_.clip_error_rate;
    plan.clips.push_back(std::move(clip));
  }
  plan.render_ms = draw_duration(random, options_.render_ms);
  plan.fails = random.unit() < options_.job_error_rate;
  return plan;
}

std::string IacreaModel::clip_status(const Job& job, const Clip& clip, std::int64_t now_ms) const {
  const bool made = now_ms - job.since_ms >= clip.takes_ms;
  if (job.status == Status::Error) return "error";
  if (job.status == Status::Pending) return job.round == 0 ? "pending" : clip.fails_first ? "error" : "success";
  if (job.status != Status::Generating) return "success";
  if (job.round == 0) return !made ? "pending" : clip.fails_first ? "error" : "success";
  return clip.fails_first && !made ? "pending" : "success";
}

std::string IacreaModel::content_json(const Job& job, const Plan& plan, std::int64_t now_ms) const {
  std::string items;
  for (const Clip& clip : plan.clips) {
    items +=
        fmt::format(R"({}{{"id":"{}","url":{},"effect":"{}","format":"{}","category":"{}","text":{},"status":"{}"}})",
                    items.empty() ? "" : ",", clip.id, json_quote(clip.url), clip.effect, plan.order.format,
                    clip.category, json_quote(clip.text), clip_status(job, clip, now_ms));
  }
  return fmt::format(R"("generatedContent":[{}])", items);
}

std::string IacreaModel::credits_json(const Job& job) const {
  return fmt::format(R"("creditsTotal":{},"creditsUsed":{})", to_text(options_.credits - charged_),
                     to_text(options_.used_per_job ? job.charged : charged_));
}

IacreaModel::Job& IacreaModel::add(Job job) {
  index_.emplace(job.id, jobs_.size());
  charged_ = charged_ + job.charged;
  return jobs_.emplace_back(std::move(job));
}

void IacreaModel::touch(Job& job) {
  if (!job.dirty) dirty_.push_back(static_cast<std::size_t>(&job - jobs_.data()));
  job.dirty = true;
}

std::vector<WebhookCall> IacreaModel::take_webhooks() {
  return std::exchange(webhooks_, {});
}

std::vector<ServiceJob> IacreaModel::jobs() const {
  std::vector<ServiceJob> jobs;
  jobs.reserve(jobs_.size());
  for (const Job& job : jobs_) jobs.push_back({job.id, std::string(name_of(job.status)), job.charged, job.body});
  return jobs;
}

std::string IacreaModel::first_line(const Job& job) {
  return fmt::format(R"({{"job":"{}","draw":{},"created_ms":{},"charged":{},"body":{}}})", job.id, job.draw,
                     job.created_ms, to_text(job.charged), json_quote(job.body));
}

std::string IacreaModel::step_line(const Job& job) {
  return fmt::format(R"({{"step":"{}","status":"{}","since_ms":{},"round":{}}})", job.id, name_of(job.status),
                     job.since_ms, job.round);
}

std::vector<std::string> IacreaModel::take_changes() {
  std::vector<std::string> lines;
  for (const std::size_t at : std::exchange(dirty_, {})) {
    Job& job = jobs_[at];
    job.dirty = false;
    if (!std::exchange(job.journaled, true)) lines.push_back(first_line(job));
    if (job.status != Status::Pending || job.round != 0) lines.push_back(step_line(job));
  }
  return lines;
}

std::vector<std::string> IacreaModel::snapshot() const {
  std::vector<std::string> lines;
  for (const Job& job : jobs_) {
    lines.push_back(first_line(job));
    if (job.status != Status::Pending || job.round != 0) lines.push_back(step_line(job));
  }
  return lines;
}

Result<void> IacreaModel::restore(std::string_view line) {
  const Result<JsonElement> parsed = reader_.parse(line);
  if (!parsed) return ground_error("cannot restore a job: " + parsed.error().message);
  if (const auto id = json_string(*parsed, "job")) return restore_job(*parsed, *id);
  if (const auto id = json_string(*parsed, "step")) return restore_step(*parsed, *id);
  return ground_error("cannot restore a job: the line has neither 'job' nor 'step'");
}

Result<void> IacreaModel::restore_job(JsonElement line, std::string_view id) {
  Job job;
  job.id = id;
  job.journaled = true;
  const auto charged = json_credits(line, "charged");
  const auto body = json_string(line, "body");
  const bool whole = charged && body && line["draw"].get(job.draw) == simdjson::SUCCESS &&
                     line["created_ms"].get(job.created_ms) == simdjson::SUCCESS;
  if (!whole) return ground_error(fmt::format("cannot restore job '{}': a member is missing or has another type", id));
  if (index_.contains(job.id)) return ground_error(fmt::format("cannot restore job '{}': it is there already", id));
  job.charged = *charged;
  job.body = *body;
  if (const auto order = read_iacrea_order(reader_, job.body); !order) {
    return ground_error(fmt::format("cannot restore job '{}': {}", job.id, order.error().message));
  }
  now_ms_ = std::max(now_ms_, job.created_ms);
  add(std::move(job));
  return {};
}

Result<void> IacreaModel::restore_step(JsonElement line, std::string_view id) {
  constexpr std::array kAll = {Status::Pending,   Status::Generating, Status::StartRendering,
                               Status::Rendering, Status::Done,       Status::Error};
  const auto found = index_.find(std::string(id));
  const auto name = json_string(line, "status");
  const auto status = std::find_if(kAll.begin(), kAll.end(), [&](Status one) { return name && name_of(one) == *name; });
  std::int64_t since_ms = 0;
  std::int64_t round = 0;
  if (found == index_.end()) return ground_error(fmt::format("cannot restore a step of job '{}': no such job", id));
  if (status == kAll.end() || line["since_ms"].get(since_ms) != simdjson::SUCCESS ||
      line["round"].get(round) != simdjson::SUCCESS || round < 0 || round > 1) {
    return ground_error(fmt::format("cannot restore a step of job '{}': a member is missing or wrong", id));
  }
  Job& job = jobs_[found->second];
  job.status = *status;
  job.since_ms = since_ms;
  job.round = static_cast<int>(round);
  now_ms_ = std::max(now_ms_, since_ms);
  return {};
}

}  // namespace reelbatch
