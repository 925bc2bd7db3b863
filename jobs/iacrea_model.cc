#include "jobs/iacrea_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/json_quote.h"
#include "jobs/model_parts.h"
#include "jobs/seeded_random.h"

namespace reelbatch {
namespace {

using Status = IacreaStatus;

constexpr std::string_view kSpace = "/api/video-editor";
constexpr std::string_view kVideo = "/api/video-editor/generate/video";
constexpr std::string_view kAuto = "/api/video-editor/generate/video/auto";
constexpr std::string_view kSequence = "/api/video-editor/generate/sequence";
constexpr std::size_t kAutoClipsMax = 5;
constexpr Credits kClipPrice = Credits::whole(1);

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
  ServiceReply reply{308, "text/plain", with_query(path, query), {}};
  reply.headers.emplace_back("Location", reply.body);
  return reply;
}

/// What is behind `base/`, as one segment; nothing if the path goes elsewhere.
std::optional<std::string_view> below(std::string_view path, std::string_view base) {
  if (!path.starts_with(base) || path.size() < base.size() + 2 || path[base.size()] != '/') return std::nullopt;
  const std::string_view rest = path.substr(base.size() + 1);
  if (rest.find('/') != std::string_view::npos) return std::nullopt;
  return rest;
}

}  // namespace

IacreaModel::IacreaModel(const ServiceOptions& options) : options_(options) {}

bool IacreaModel::serves(std::string_view path) const {
  return path == kSpace || (path.starts_with(kSpace) && path[kSpace.size()] == '/');
}

std::optional<IacreaModel::Route> IacreaModel::route_of(std::string_view path) {
  if (path == kAuto) return Route{Route::To::Start, true, {}};
  if (path == kVideo) return Route{Route::To::Start, false, {}};
  if (const auto id = below(path, kAuto)) return Route{Route::To::Read, true, *id};
  if (const auto id = below(path, kVideo)) return Route{Route::To::Read, false, *id};
  if (const auto id = below(path, kSequence)) return Route{Route::To::Remake, false, *id};
  return std::nullopt;
}

void IacreaModel::pass(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
}

ServiceReply IacreaModel::handle(const ServiceRequest& request, std::int64_t now_ms) {
  pass(now_ms);
  std::string_view path = request.path;
  if (serves(path) && path.ends_with('/')) {
    return moved_to(path.substr(0, path.find_last_not_of('/') + 1), request.query);
  }
  const std::optional<Route> route = route_of(path);
  if (!route) return no_such_page();
  const std::string_view allowed = route->to == Route::To::Read ? "GET" : "POST";
  if (request.method != allowed) return wrong_method(allowed);
  if (!key_is_right(request)) return error_reply(401, "Unauthorized: missing or invalid API key");
  const std::string customer = customer_of(options_.seed, {header_of(request, "x-api-key")});
  if (route->to == Route::To::Read) return read(route->id, route->is_auto, customer);
  if (!is_json_type(header_of(request, "content-type"))) {
    return error_reply(415, "Content-Type must be application/json");
  }
  return route->to == Route::To::Start ? start(request, route->is_auto, customer)
                                       : remake(request, route->id, customer);
}

bool IacreaModel::key_is_right(const ServiceRequest& request) const {
  const std::string_view key = header_of(request, "x-api-key");
  return !key.empty() && (options_.key.empty() || key == options_.key);
}

ServiceReply IacreaModel::start(const ServiceRequest& request, bool is_auto, std::string_view customer) {
  const Result<IacreaOrder> order =
      is_auto ? read_iacrea_order(reader_, request.body) : read_iacrea_video_order(reader_, request.body);
  if (!order) return error_reply(400, order.error().message);
  const std::size_t images = order->image_urls.size();
  const auto clips = static_cast<std::int64_t>(is_auto ? std::min(images, kAutoClipsMax) : images);
  const Credits price{kClipPrice.milli * clips};
  IacreaJob job;
  job.customer = customer;
  if (remaining(job.customer) < price) return error_reply(402, "Insufficient credits");
  job.is_auto = is_auto;
  job.draw = mix(options_.seed, mix(jobs_.size(), text_seed(request.body)));
  do {
    SeededRandom random(++job.draw);
    job.id = draw_uuid(random);
  } while (index_.contains(job.id));
  job.created_ms = now_ms_;
  job.charged = price;
  job.body = request.body;
  IacreaJob& added = add(std::move(job), false);

  const IacreaPlan plan = plan_iacrea_job(added, options_, reader_);
  std::string analysis;
  if (is_auto) {
    std::string selections;
    for (const IacreaClip& clip : plan.clips) {
      selections += fmt::format(R"({}{{"image_url":{},"category":{}}})", selections.empty() ? "" : ",",
                                json_quote(clip.url), json_quote(clip.category));
    }
    analysis = fmt::format(R"("analysis":{{"selections":[{}]}},)", selections);
  }
  return json_reply(201, fmt::format(R"({{"id":"{}","status":"PENDING",{},{}{}}})", added.id, content_json(added, plan),
                                     analysis, credits_json(added)));
}

ServiceReply IacreaModel::read(std::string_view id, bool is_auto, std::string_view customer) {
  IacreaJob* job = find(id, is_auto, customer);
  if (!job) return error_reply(404, is_auto ? "Video generation not found" : "Video not found");
  IacreaPlan plan = plan_iacrea_job(*job, options_, reader_);
  const Status before = job->status;
  const std::size_t applied = job->applied;
  advance_iacrea_job(*job, plan, options_.regenerate_lag_ms, now_ms_);
  if (job->status != before || job->applied != applied) touch(*job);
  if (job->applied != applied) plan = plan_iacrea_job(*job, options_, reader_);
  if (job->status == Status::Done && before != Status::Done && !plan.order.webhook_url.empty()) {
    webhooks_.push_back({plan.order.webhook_url, fmt::format(R"({{"id":"{}","status":"DONE","url":{}}})", job->id,
                                                             json_quote(iacrea_video_url(*job, options_)))});
  }
  return json_reply(200, state_json(*job, plan));
}

/// The members that the two pages promise for each state differ a little (PROVIDERS 1.3 and 1.5).
std::string IacreaModel::state_json(const IacreaJob& job, const IacreaPlan& plan) const {
  std::string body = fmt::format(R"({{"status":"{}")", name_of(job.status));
  if (job.status == Status::Pending && !job.is_auto && job.round == 1) {
    body += R"(,"message":"Re-generating video in error")";
  }
  if (job.status == Status::StartRendering) body += R"(,"progress":0)";
  if (job.status == Status::Rendering) {
    const double part = static_cast<double>(now_ms_ - job.since_ms) / static_cast<double>(plan.render_ms + 1);
    const double shown = std::clamp(part, 0.0, 0.99);
    body +=
        job.is_auto ? fmt::format(R"(,"progress":{:.2f})", shown) : fmt::format(R"(,"progress":{:.0f})", 100 * shown);
  }
  if (job.status == Status::Done) {
    if (!job.is_auto) body += fmt::format(R"(,"id":"{}")", job.id);
    body += fmt::format(R"(,"url":{})", json_quote(iacrea_video_url(job, options_)));
  }
  const bool rendering = job.status == Status::StartRendering || job.status == Status::Rendering;
  if (job.status == Status::Generating || job.status == Status::Done || job.status == Status::Error) {
    body += fmt::format(",{},{}", content_json(job, plan), credits_json(job));
  } else if (rendering && !job.is_auto) {
    body += "," + credits_json(job);
  }
  return body + "}";
}

ServiceReply IacreaModel::remake(const ServiceRequest& request, std::string_view id, std::string_view customer) {
  if (!is_uuid(id)) return error_reply(400, "Invalid video id");
  const Result<IacreaRemakeOrder> order = read_iacrea_remake(reader_, request.body);
  if (!order) return error_reply(400, order.error().message);
  IacreaJob* job = find(id, false, customer);
  if (!job) return error_reply(404, "Video not found");
  const IacreaPlan plan = plan_iacrea_job(*job, options_, reader_);
  const auto clip = std::find_if(plan.clips.begin(), plan.clips.end(), [&](const IacreaClip& one) {
    return one.id == order->sequence_id ||
           std::find(one.known_as.begin(), one.known_as.end(), order->sequence_id) != one.known_as.end();
  });
  if (clip == plan.clips.end()) return error_reply(404, "Sequence not found");
  if (remaining(job->customer) < kClipPrice) return error_reply(402, "Insufficient credits");

  IacreaRemake remake;
  SeededRandom random(mix(job->draw, mix(2, job->remakes.size())));
  remake.id = draw_uuid(random);
  remake.clip = static_cast<std::size_t>(clip - plan.clips.begin());
  remake.at_ms = now_ms_;
  remake.charged = kClipPrice;
  remake.body = request.body;
  const std::string generation = remake.id;
  add(static_cast<std::size_t>(job - jobs_.data()), std::move(remake), false);
  // Without a lag the video is pending from here on, whoever looks.
  if (options_.regenerate_lag_ms == 0) {
    advance_iacrea_job(*job, plan, 0, now_ms_);
    touch(*job);
  }
  return json_reply(
      200, fmt::format(R"({{"status":"START_GENERATION","generationId":"{}",{}}})", generation, credits_json(*job)));
}

IacreaJob* IacreaModel::find(std::string_view id, bool is_auto, std::string_view customer) {
  const auto found = index_.find(std::string(id));
  if (found == index_.end()) return nullptr;
  IacreaJob& job = jobs_[found->second];
  return job.is_auto == is_auto && is_known_to(customer, job.customer) ? &job : nullptr;
}

Credits IacreaModel::remaining(const std::string& customer) const {
  const auto charged = charged_.find(customer);
  return charged == charged_.end() ? options_.credits : options_.credits - charged->second;
}

std::string IacreaModel::content_json(const IacreaJob& job, const IacreaPlan& plan) const {
  std::string items;
  for (std::size_t at = 0; at < plan.clips.size(); ++at) {
    const IacreaClip& clip = plan.clips[at];
    items += fmt::format(R"({}{{"id":"{}","url":{},"effect":{},"format":"{}")", items.empty() ? "" : ",", clip.id,
                         json_quote(clip.url), json_quote(clip.effect), plan.order.format);
    if (job.is_auto) items += fmt::format(R"(,"category":"{}","text":{})", clip.category, json_quote(clip.text));
    items += fmt::format(R"(,"status":"{}"}})", iacrea_clip_status(job, plan, at, now_ms_));
  }
  return fmt::format(R"("generatedContent":[{}])", items);
}

std::string IacreaModel::credits_json(const IacreaJob& job) const {
  Credits own = job.charged;
  for (const IacreaRemake& remake : job.remakes) own = own + remake.charged;
  const Credits left = remaining(job.customer);
  return fmt::format(R"("creditsTotal":{},"creditsUsed":{})", to_text(left),
                     to_text(options_.used_per_job ? own : options_.credits - left));
}

IacreaJob& IacreaModel::add(IacreaJob job, bool journaled) {
  index_.emplace(job.id, jobs_.size());
  Credits& sum = charged_[job.customer];
  sum = sum + job.charged;
  accepted_.push_back({jobs_.size(), std::nullopt, journaled});
  is_dirty_.push_back(false);
  return jobs_.emplace_back(std::move(job));
}

void IacreaModel::add(std::size_t job, IacreaRemake remake, bool journaled) {
  Credits& sum = charged_[jobs_[job].customer];
  sum = sum + remake.charged;
  accepted_.push_back({job, jobs_[job].remakes.size(), journaled});
  jobs_[job].remakes.push_back(std::move(remake));
}

void IacreaModel::touch(IacreaJob& job) {
  const auto at = static_cast<std::size_t>(&job - jobs_.data());
  if (!is_dirty_[at]) dirty_.push_back(at);
  is_dirty_[at] = true;
}

std::vector<WebhookCall> IacreaModel::take_webhooks() {
  return std::exchange(webhooks_, {});
}

std::vector<ServiceJob> IacreaModel::jobs() const {
  std::vector<ServiceJob> jobs;
  jobs.reserve(accepted_.size());
  for (const Accepted& one : accepted_) {
    const IacreaJob& job = jobs_[one.job];
    if (!one.remake) {
      jobs.push_back({job.id, std::string(name_of(job.status)), job.charged, job.body, job.charged, job.customer});
      continue;
    }
    const IacreaRemake& remake = job.remakes[*one.remake];
    const Status status = *one.remake < job.applied ? job.status : Status::Pending;
    jobs.push_back(
        {remake.id, std::string(name_of(status)), remake.charged, remake.body, remake.charged, job.customer});
  }
  return jobs;
}

}  // namespace reelbatch
