#include "jobs/creatify_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "jobs/json_quote.h"
#include "jobs/model_parts.h"
#include "jobs/seeded_random.h"

namespace reelbatch {
namespace {

constexpr std::string_view kAurora = "/api/aurora/";
constexpr std::string_view kBalance = "/api/remaining_credits/";
constexpr std::size_t kIdsMax = 100;
constexpr std::uint64_t kSecondsMin = 3;
constexpr std::uint64_t kSecondsMax = 60;  // of audio, as the page allows

ServiceReply detail_reply(int status, std::string_view detail) {
  return json_reply(status, fmt::format(R"({{"detail":{}}})", json_quote(detail)));
}

/// True for `base` with or without its last slash, and for what is below it.
bool is_below(std::string_view path, std::string_view base) {
  return path == base.substr(0, base.size() - 1) || path.starts_with(base);
}

/// The length of the audio: the request does not say it, so it follows from the address.
std::int64_t seconds_of(const CreatifyOrder& order) {
  return static_cast<std::int64_t>(kSecondsMin + text_seed(order.audio) % (kSecondsMax - kSecondsMin + 1));
}

Credits price_of(const CreatifyOrder& order, bool half_credits) {
  const std::int64_t milli = seconds_of(order) * (order.model_version == "aurora_v1_fast" ? 500 : 1000);
  const std::int64_t unit = half_credits ? 500 : 1000;
  return Credits{(milli + unit - 1) / unit * unit};
}

/// The service's clock: its first moment is a Friday in California.
std::string timestamp(std::int64_t ms) {
  using std::chrono::sys_days;
  constexpr std::chrono::sys_seconds kStart = sys_days(std::chrono::year(2026) / 1 / 2);
  const std::chrono::sys_seconds at = kStart + std::chrono::seconds(ms / 1000);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}728-08:00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), ms % 1000);
}

std::string copy_of(std::string_view address) {
  return fmt::format("https://cdn.sandbox.test/inputs/{:016x}", text_seed(address));
}

std::string or_null(std::string_view text) {
  return text.empty() ? "null" : json_quote(text);
}

}  // namespace

CreatifyModel::CreatifyModel(const ServiceOptions& options) : options_(options) {}

std::string_view CreatifyModel::name_of(Status status) {
  constexpr std::array<std::string_view, 6> kNames{"pending", "in_queue", "running", "done", "failed", "rejected"};
  return kNames[static_cast<std::size_t>(status)];
}

bool CreatifyModel::serves(std::string_view path) const {
  return is_below(path, kAurora) || is_below(path, kBalance);
}

void CreatifyModel::pass(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  settle();
}

ServiceReply CreatifyModel::handle(const ServiceRequest& request, std::int64_t now_ms) {
  pass(now_ms);
  const std::string_view path = request.path;
  if (!path.ends_with('/')) {
    ServiceReply moved{301, "text/html; charset=utf-8", "", {}};
    moved.headers.emplace_back("Location", with_query(request.path + "/", request.query));
    return moved;
  }
  std::string_view id;
  if (path.starts_with(kAurora)) id = path.substr(kAurora.size());
  if (!id.empty()) id.remove_suffix(1);
  const bool known = path == kAurora || path == kBalance || (path.starts_with(kAurora) && !id.empty());
  if (!known || id.find('/') != std::string_view::npos) {
    return ServiceReply{
        404, "text/html; charset=utf-8", "<!doctype html><html><body><h1>Not Found</h1></body></html>", {}};
  }
  const bool takes_posts = path == kAurora;
  if (request.method != "GET" && !(takes_posts && request.method == "POST")) {
    ServiceReply refused = detail_reply(405, fmt::format("Method \"{}\" not allowed.", request.method));
    refused.headers.emplace_back("Allow", takes_posts ? "GET, POST" : "GET");
    return refused;
  }
  if (auto refused = refuse_key(request)) return *std::move(refused);
  const std::string customer =
      customer_of(options_.seed, {header_of(request, "x-api-id"), header_of(request, "x-api-key")});
  if (path == kBalance) return balance(customer);
  if (!id.empty()) return read(id, customer);
  return request.method == "POST" ? start(request, customer) : list(request, customer);
}

std::optional<ServiceReply> CreatifyModel::refuse_key(const ServiceRequest& request) const {
  const std::string_view id = header_of(request, "x-api-id");
  const std::string_view key = header_of(request, "x-api-key");
  if (id.empty() || key.empty()) return detail_reply(401, "Authentication credentials were not provided.");
  if (options_.key.empty() || key == options_.key) return std::nullopt;
  return detail_reply(401, "Invalid API key.");
}

ServiceReply CreatifyModel::start(const ServiceRequest& request, const std::string& customer) {
  const std::string_view type = header_of(request, "content-type");
  if (!is_json_type(type)) {
    return detail_reply(415, fmt::format("Unsupported media type \"{}\" in request.", type));
  }
  const Result<CreatifyOrder> order = read_creatify_order(reader_, request.body);
  if (!order) return json_reply(400, order.error().message);
  const Credits price = price_of(*order, options_.half_credits);
  if (remaining(customer) < price) {
    return json_reply(400, R"({"non_field_errors":["You do not have enough credits to create this video."]})");
  }
  Job job;
  job.draw = mix(options_.seed, mix(jobs_.size(), text_seed(request.body)));
  do {
    SeededRandom random(++job.draw);
    job.id = draw_uuid(random);
  } while (index_.contains(job.id));
  job.customer = customer;
  job.created_ms = now_ms_;
  job.price = price;
  job.body = request.body;
  job.order = *order;
  return json_reply(201, job_json(add(std::move(job))));
}

ServiceReply CreatifyModel::read(std::string_view id, std::string_view customer) const {
  const auto found = index_.find(percent_decode(id));
  if (found == index_.end() || !is_known_to(customer, jobs_[found->second].customer)) {
    return detail_reply(404, "No Aurora matches the given query.");
  }
  return json_reply(200, job_json(jobs_[found->second]));
}

ServiceReply CreatifyModel::list(const ServiceRequest& request, std::string_view customer) const {
  const auto ordering = query_value(request.query, "ordering");
  std::vector<std::size_t> chosen;
  if (const auto ids = query_value(request.query, "ids")) {
    std::vector<std::string> wanted;
    for (std::size_t at = 0; at <= ids->size();) {
      const std::size_t comma = std::min(ids->find(',', at), ids->size());
      wanted.push_back(ids->substr(at, comma - at));
      at = comma + 1;
    }
    if (options_.refuse_ids) return json_reply(400, R"({"ids":["Filtering by ids is not available."]})");
    if (wanted.size() > kIdsMax)
      return json_reply(400, R"({"ids":["Ensure this field has no more than 100 elements."]})");
    if (!std::all_of(wanted.begin(), wanted.end(), is_uuid)) {
      return json_reply(400, R"({"ids":["Enter a valid UUID."]})");
    }
    for (const std::string& id : wanted) {
      if (const auto found = index_.find(id); found != index_.end()) chosen.push_back(found->second);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  } else {
    for (std::size_t at = 0; at < jobs_.size(); ++at) chosen.push_back(at);
  }
  std::erase_if(chosen, [&](std::size_t at) { return !is_known_to(customer, jobs_[at].customer); });
  if (ordering != "created_at") std::reverse(chosen.begin(), chosen.end());
  if (options_.list_max > 0 && chosen.size() > options_.list_max) chosen.resize(options_.list_max);
  std::string items;
  for (const std::size_t at : chosen) items += (items.empty() ? "" : ",") + job_json(jobs_[at]);
  return json_reply(200, "[" + items + "]");
}

ServiceReply CreatifyModel::balance(const std::string& customer) const {
  return json_reply(200, fmt::format(R"({{"remaining_credits":{}}})", to_text(remaining(customer))));
}

// ---- What becomes of a job ------------------------------------------------------------------------------------------

void CreatifyModel::make_plan(Job& job) const {
  SeededRandom random(mix(job.draw, 1));
  // Some jobs are further on when the POST is answered.
  const std::uint64_t skipped = random.below(4);
  const std::int64_t pending = draw_duration(random, options_.clip_ms / 9);
  const std::int64_t queued = draw_duration(random, options_.clip_ms * 2 / 9);
  job.queued_ms = job.created_ms + (skipped >= 2 ? 0 : pending);
  job.running_ms = job.queued_ms + (skipped == 3 ? 0 : queued);
  job.ended_ms = job.running_ms + draw_duration(random, options_.clip_ms * 6 / 9 + options_.render_ms);
  job.url_ms = job.ended_ms + (random.below(4) == 0 ? 2'000 : 0);
  const double drawn = random.unit();
  if (drawn < options_.job_error_rate) job.end = Status::Failed;
  if (drawn >= options_.job_error_rate && drawn < options_.job_error_rate + options_.reject_rate) {
    job.end = Status::Rejected;
  }
  job.refunded = job.end != Status::Done && options_.refunds;
}

CreatifyModel::Status CreatifyModel::status_of(const Job& job) const {
  if (now_ms_ >= job.ended_ms) return job.end;
  if (now_ms_ >= job.running_ms) return Status::Running;
  return now_ms_ >= job.queued_ms ? Status::InQueue : Status::Pending;
}

/// `credits_used`, which is 0 in the answer to the POST whatever was charged.
Credits CreatifyModel::used_by(const Job& job) const {
  if (now_ms_ >= job.ended_ms) return job.refunded ? Credits{} : job.price;
  return now_ms_ > job.running_ms ? Credits{job.price.milli / 2} : Credits{};
}

/// What the balance has lost for the job so far.
Credits CreatifyModel::taken_for(const Job& job) const {
  if (now_ms_ >= job.ended_ms && job.refunded) return {};
  if (options_.charge_late_ms == 0 || now_ms_ >= job.ended_ms + options_.charge_late_ms) return job.price;
  const Credits quarter{job.price.milli / 4};
  return now_ms_ >= job.running_ms ? quarter + quarter : quarter;
}

/// Webhooks that are due, and the jobs that change nothing any more.
void CreatifyModel::settle() {
  for (std::size_t i = 0; i < open_.size();) {
    Job& job = jobs_[open_[i]];
    if (now_ms_ >= std::max(job.ended_ms, job.url_ms) && !job.told) tell(job);
    if (job.told && now_ms_ >= job.ended_ms + options_.charge_late_ms) {
      Credits& sum = settled_[job.customer];
      sum = sum + taken_for(job);
      open_[i] = open_.back();
      open_.pop_back();
    } else {
      ++i;
    }
  }
}

void CreatifyModel::tell(Job& job) {
  job.told = true;
  if (job.order.webhook_url.empty()) return;
  changed_.push_back(static_cast<std::size_t>(&job - jobs_.data()));
  const WebhookCall call{job.order.webhook_url,
                         fmt::format(R"({{"id":"{}","status":"{}","failed_reason":{},"video_output":{}}})", job.id,
                                     name_of(job.end), json_quote(failed_reason(job)), or_null(video_url(job)))};
  const bool twice = mix(job.draw, 2) % 4 == 0;
  for (int i = 0; i < (twice ? 2 : 1); ++i) webhooks_.push_back(call);
}

Credits CreatifyModel::remaining(const std::string& customer) const {
  const auto settled = settled_.find(customer);
  Credits taken = settled == settled_.end() ? Credits{} : settled->second;
  for (const std::size_t at : open_) {
    if (jobs_[at].customer == customer) taken = taken + taken_for(jobs_[at]);
  }
  return options_.credits - taken;
}

std::string CreatifyModel::video_url(const Job& job) const {
  if (job.end != Status::Done || now_ms_ < job.url_ms) return {};
  return fmt::format("{}/{}.mp4", options_.video_base, job.id);
}

std::string_view CreatifyModel::failed_reason(const Job& job) const {
  if (now_ms_ < job.ended_ms || job.end == Status::Done) return "";
  if (job.end == Status::Failed) return "No face found";
  return mix(job.draw, 3) % 2 == 0 ? "" : "The input was rejected by moderation";
}

std::string CreatifyModel::job_json(const Job& job) const {
  const Status status = status_of(job);
  const bool ended = now_ms_ >= job.ended_ms;
  const double run_ms = static_cast<double>(job.ended_ms - job.running_ms) + 1;
  const double progress = std::clamp(static_cast<double>(now_ms_ - job.running_ms) / run_ms, 0.0, 0.99);
  const std::string reason = status == Status::Pending ? "null" : json_quote(failed_reason(job));
  std::string json =
      fmt::format(R"({{"id":"{}","created_at":"{}","updated_at":"{}","name":{},"audio":{},"image":{})", job.id,
                  timestamp(job.created_ms), timestamp(ended ? job.ended_ms : job.created_ms + 30),
                  job.order.name ? json_quote(*job.order.name) : "null", json_quote(copy_of(job.order.audio)),
                  json_quote(copy_of(job.order.image)));
  json += fmt::format(R"(,"text_prompt":{},"prompt_guidance_scale":{},"model_version":"{}")",
                      json_quote(job.order.text_prompt), job.order.prompt_guidance_scale, job.order.model_version);
  json += fmt::format(R"(,"video_output":{},"credits_used":{},"duration":{}.0,"progress":{},"failed_reason":{})",
                      or_null(video_url(job)), to_text(used_by(job)), ended ? seconds_of(job.order) : 0,
                      ended && job.end == Status::Done ? "1" : fmt::format("{:.2f}", progress), reason);
  json += fmt::format(R"(,"media_job":null,"status":"{}","is_hidden":false,"webhook_url":{},"preview":null)",
                      name_of(status), or_null(job.order.webhook_url));
  return json + R"(,"editor_url":null})";
}

CreatifyModel::Job& CreatifyModel::add(Job job) {
  make_plan(job);
  index_.emplace(job.id, jobs_.size());
  open_.push_back(jobs_.size());
  if (!job.journaled) changed_.push_back(jobs_.size());
  return jobs_.emplace_back(std::move(job));
}

std::vector<WebhookCall> CreatifyModel::take_webhooks() {
  return std::exchange(webhooks_, {});
}

std::vector<ServiceJob> CreatifyModel::jobs() const {
  std::vector<ServiceJob> jobs;
  jobs.reserve(jobs_.size());
  for (const Job& job : jobs_) {
    const bool refunded = now_ms_ >= job.ended_ms && job.refunded;
    jobs.push_back(
        {job.id, std::string(name_of(status_of(job))), used_by(job), job.body, job.price, job.customer, refunded});
  }
  return jobs;
}

// ---- The journal: {"job":..} for every job, {"told":ID} when its webhook was called ---------------------------------

std::string CreatifyModel::first_line(const Job& job) {
  return fmt::format(R"({{"job":"{}","customer":"{}","draw":{},"created_ms":{},"price":{},"body":{}}})", job.id,
                     job.customer, job.draw, job.created_ms, to_text(job.price), json_quote(job.body));
}

std::string CreatifyModel::told_line(const Job& job) {
  return fmt::format(R"({{"told":"{}"}})", job.id);
}

std::vector<std::string> CreatifyModel::take_changes() {
  std::vector<std::string> lines;
  for (const std::size_t at : std::exchange(changed_, {})) {
    Job& job = jobs_[at];
    if (!std::exchange(job.journaled, true)) lines.push_back(first_line(job));
    if (job.told && !job.order.webhook_url.empty() && !std::exchange(job.told_journaled, true)) {
      lines.push_back(told_line(job));
    }
  }
  return lines;
}

std::vector<std::string> CreatifyModel::snapshot() const {
  std::vector<std::string> lines;
  for (const Job& job : jobs_) {
    lines.push_back(first_line(job));
    if (job.told && !job.order.webhook_url.empty()) lines.push_back(told_line(job));
  }
  return lines;
}

Result<void> CreatifyModel::restore(std::string_view line) {
  const Result<JsonElement> parsed = reader_.parse(line);
  if (!parsed) return ground_error("cannot restore a job: " + parsed.error().message);
  if (const auto id = json_string(*parsed, "told")) {
    const auto found = index_.find(std::string(*id));
    if (found == index_.end()) return ground_error(fmt::format("cannot restore the end of job '{}': no such job", *id));
    jobs_[found->second].told = jobs_[found->second].told_journaled = true;
    return {};
  }
  const auto id = json_string(*parsed, "job");
  if (!id) return ground_error("cannot restore a job: the line has neither 'job' nor 'told'");
  Job job;
  job.id = *id;
  job.customer = json_string(*parsed, "customer").value_or("");
  job.journaled = true;
  const auto price = json_credits(*parsed, "price");
  const auto body = json_string(*parsed, "body");
  const bool whole = price && body && (*parsed)["draw"].get(job.draw) == simdjson::SUCCESS &&
                     (*parsed)["created_ms"].get(job.created_ms) == simdjson::SUCCESS;
  if (!whole) return ground_error(fmt::format("cannot restore job '{}': a member is missing or wrong", job.id));
  if (index_.contains(job.id)) return ground_error(fmt::format("cannot restore job '{}': it is there already", job.id));
  job.price = *price;
  job.body = *body;
  const Result<CreatifyOrder> order = read_creatify_order(reader_, job.body);
  if (!order) return ground_error(fmt::format("cannot restore job '{}': {}", job.id, order.error().message));
  job.order = *order;
  now_ms_ = std::max(now_ms_, job.created_ms);
  add(std::move(job));
  return {};
}

}  // namespace reelbatch
