#include "runner/sandbox_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "jobs/json_quote.h"
#include "jobs/registry.h"

namespace reelbatch {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::string_view kPages = "/sandbox/";
constexpr std::string_view kVideos = "/sandbox/videos/";

ServiceReply not_found() {
  return {404, "text/html; charset=utf-8", "<!DOCTYPE html><html><body><h1>404</h1></body></html>", {}};
}

/// The file type box that every MP4 begins with, and nothing to play.
std::string stand_in_video() {
  using namespace std::string_literals;
  return "\0\0\0\x14"s + "ftypisom\0\0\2\0isom"s + "\0\0\0\x08"s + "mdat"s;
}

std::string counts_json(const std::map<std::string, std::int64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_quote(name), count);
  return "{" + text + "}";
}

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

SandboxCore::SandboxCore(const SandboxOptions& options, Instant start) : options_(options), start_(start), random_(0) {}

Result<std::unique_ptr<SandboxCore>> SandboxCore::make(const SandboxOptions& options, const std::string& base_url,
                                                       Instant start) {
  if (!(options.speed > 0)) return usage_error("the speed of the sandbox must be more than 0");
  std::unique_ptr<SandboxCore> core(new SandboxCore(options, start));
  if (const auto loaded = core->load(base_url); !loaded) return tl::unexpected(loaded.error());
  return core;
}

Result<void> SandboxCore::load(const std::string& base_url) {
  ServiceOptions service = options_.service;
  service.seed = options_.seed ? *options_.seed : draw_seed();
  random_ = SeededRandom(mix(service.seed, text_seed("faults")));
  for (const RateWindow& window : options_.rate) {
    meters_.emplace_back(window.limit, duration_cast<microseconds>(window.width).count());
  }
  if (!options_.state.empty()) {
    auto state = SandboxState::open(options_.state, service.seed);
    if (!state) return tl::unexpected(state.error());
    state_ = std::move(*state);
    service.seed = state_->memory().seed;
  }
  service.video_base = base_url + std::string(kVideos.substr(0, kVideos.size() - 1));
  for (const ServiceSpec& spec : all_services()) {
    if (auto model = make_service_model(spec.name, service)) {
      services_.push_back({std::string(spec.name), std::move(model)});
    }
  }
  return state_ ? restore() : Result<void>();
}

Result<void> SandboxCore::restore() {
  for (const auto& [name, line] : state_->memory().lines) {
    const auto found =
        std::find_if(services_.begin(), services_.end(), [&](const Service& s) { return s.name == name; });
    if (found == services_.end()) {
      return ground_error(fmt::format("sandbox state '{}' has jobs of service '{}', which this version does not have",
                                      options_.state, name));
    }
    if (const auto restored = found->model->restore(line); !restored) {
      return ground_error(fmt::format("sandbox state '{}': {}", options_.state, restored.error().message));
    }
  }
  base_ms_ = reserved_ms_ = state_->memory().time_ms;
  state_->memory().lines.clear();
  std::string text = sandbox_time_line(base_ms_);
  for (const Service& one : services_) {
    for (const std::string& line : one.model->snapshot()) text += sandbox_state_line(one.name, line);
  }
  return state_->rewrite(text);
}

std::int64_t SandboxCore::model_ms(Instant now) const {
  const double real_ms = std::chrono::duration<double, std::milli>(now - start_).count();
  return base_ms_ + static_cast<std::int64_t>(real_ms * options_.speed);
}

std::int64_t SandboxCore::since_start_ms(Instant now) const {
  return duration_cast<milliseconds>(now - start_).count();
}

bool SandboxCore::in_outage(Instant now) const {
  return reelbatch::in_outage(options_.faults, since_start_ms(now));
}

SandboxAnswer SandboxCore::handle(const ServiceRequest& request, Instant now, WallTime wall) {
  if (request.path.starts_with(kPages)) return {page(request, now), true, {}, ""};
  ++requests_[request.method];
  FaultAction action = decide_fault(options_.faults, request.method, since_start_ms(now), random_);
  if (!in_outage(now)) {
    if (auto refused = refuse_by_rate(now)) action = *std::move(refused);
  }
  SandboxAnswer answer;
  if (action.handled) answer.reply = ask_service(request, now);
  answer.answered = action.answered && !failure_;
  answer.delay = milliseconds(action.delay_ms);
  answer.fault = action.name;
  const std::int64_t unix_s = duration_cast<std::chrono::seconds>(wall.time_since_epoch()).count();
  answer.reply = faulty_reply(action, std::move(answer.reply), unix_s);
  const std::string what = answer.answered ? std::to_string(answer.reply.status) : "lost";
  ++answers_[fmt::format("{} {}", request.method, what)];
  if (!action.name.empty()) ++faults_[std::string(action.name)];
  return answer;
}

std::optional<FaultAction> SandboxCore::refuse_by_rate(Instant now) {
  const std::int64_t now_us = duration_cast<microseconds>(now - start_).count();
  std::int64_t wait_us = 0;
  for (const RequestMeter& meter : meters_) wait_us = std::max(wait_us, meter.wait_us(now_us));
  if (wait_us == 0) {
    for (RequestMeter& meter : meters_) meter.admit(now_us);
    return {};
  }
  FaultAction refused;
  refused.name = "rate";
  refused.handled = false;
  refused.status = 429;
  refused.retry_after_ms = (wait_us + 999) / 1000;
  return refused;
}

ServiceReply SandboxCore::ask_service(const ServiceRequest& request, Instant now) {
  for (const Service& one : services_) {
    if (!one.model->serves(request.path)) continue;
    const std::int64_t now_ms = model_ms(now);
    ServiceReply reply = one.model->handle(request, now_ms);
    remember(now_ms);
    return reply;
  }
  return not_found();
}

void SandboxCore::remember(std::int64_t now_ms) {
  std::string text;
  if (now_ms > reserved_ms_) {
    // A tenth of our seconds at a time: a restart begins there, so it never goes back and never skips more than that.
    reserved_ms_ = now_ms + static_cast<std::int64_t>(100 * options_.speed);
    text = sandbox_time_line(reserved_ms_);
  }
  for (const Service& one : services_) {
    for (const std::string& line : one.model->take_changes()) {
      if (state_) text += sandbox_state_line(one.name, line);
    }
  }
  if (!state_ || text.empty() || failure_) return;
  if (const auto written = state_->append(text); !written) failure_ = written.error();
}

std::vector<WebhookCall> SandboxCore::take_webhooks() {
  std::vector<WebhookCall> calls;
  for (const Service& one : services_) {
    for (WebhookCall& call : one.model->take_webhooks()) calls.push_back(std::move(call));
  }
  return calls;
}

ServiceReply SandboxCore::page(const ServiceRequest& request, Instant now) {
  if (request.method != "GET") return {405, "text/plain", "only GET\n", {{"Allow", "GET"}}};
  if (request.path == "/sandbox/jobs") {
    // Jobs that move by themselves have moved since the last request, which may have been another process's.
    for (const Service& one : services_) one.model->pass(model_ms(now));
    return {200, "application/json", jobs_page(now), {}};
  }
  if (request.path == "/sandbox/requests") return {200, "application/json", requests_page(), {}};
  if (request.path.starts_with(kVideos)) return {200, "video/mp4", stand_in_video(), {}};
  return not_found();
}

std::string SandboxCore::jobs_page(Instant now) const {
  std::string jobs;
  std::string sums;
  for (const Service& one : services_) {
    Credits sum;
    for (const ServiceJob& job : one.model->jobs()) {
      sum = sum + job.charged;
      jobs += fmt::format(R"({}{{"service":{},"customer":{},"id":{},"status":{},"charged":{},"request":{}}})",
                          jobs.empty() ? "" : ",\n", json_quote(one.name), json_quote(job.customer), json_quote(job.id),
                          json_quote(job.status), to_text(job.charged), json_quote(job.body));
    }
    sums += fmt::format("{}{}:{}", sums.empty() ? "" : ",", json_quote(one.name), to_text(sum));
  }
  return fmt::format("{{\"time_ms\":{},\"charged\":{{{}}},\"jobs\":[{}]}}\n", model_ms(now), sums, jobs);
}

std::string SandboxCore::requests_page() const {
  return fmt::format("{{\"requests\":{},\"answers\":{},\"faults\":{}}}\n", counts_json(requests_),
                     counts_json(answers_), counts_json(faults_));
}

}  // namespace reelbatch
