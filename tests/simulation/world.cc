#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/json.h"
#include "jobs/service_faults.h"

namespace reelbatch {
namespace {

constexpr int kSlowdown = 100;

constexpr std::string_view kRemakes = "https://img.test/again/";

/// By a row or by a repair.
bool is_remake(const Exchange& exchange) {
  return exchange.paid && exchange.url.find("/generate/sequence/") != std::string::npos;
}

bool is_repair(const Exchange& exchange) {
  return is_remake(exchange) && description_of(exchange.body).empty();
}

std::string kind_of(const Exchange& exchange) {
  if (is_remake(exchange)) return "iacrea.sequence";
  if (exchange.url.ends_with("/generate/video")) return "iacrea.video";
  return exchange.url.ends_with("/auto") ? "iacrea.auto" : "creatify.aurora";
}

/// World::Start::job of a GET.
std::string asked_job(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const std::string last = url.substr(url.rfind('/') + 1);
  return last.find_first_of("?_") == std::string::npos && last != "aurora" ? last : std::string();
}

}  // namespace

std::string remake_url(std::int64_t number) {
  return fmt::format("{}{}.jpg", kRemakes, number);
}

std::string remake_description(std::int64_t number) {
  return fmt::format("A clip made again, number {} v0", number);
}

std::string description_of(const std::string& body) {
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(body);
  if (!root) return {};
  JsonElement part;
  if (root->at_key("video").get(part) == simdjson::SUCCESS) {
    return std::string(json_string(part, "description").value_or(""));
  }
  if (root->at_key("sequence").get(part) == simdjson::SUCCESS) {
    const std::string_view url = json_string(part, "url").value_or("");
    return url.starts_with(kRemakes) ? remake_description(std::stoll(std::string(url.substr(kRemakes.size())))) : "";
  }
  return std::string(json_string(*root, "description").value_or(json_string(*root, "text_prompt").value_or("")));
}

World::World(const WorldOptions& chosen)
    : options(chosen),
      balance_told(chosen.origins.size()),
      old_balance_told(chosen.origins.size()),
      held_until(chosen.origins.size()) {
  for (std::size_t i = 0; i < options.origins.size(); ++i) {
    ServiceOptions service = options.service;
    service.seed = mix(service.seed, i);
    service.credits = options.credits_of(i);
    if (i < options.keys.size()) service.key = options.keys[i];
    Service made;
    made.model = make_service_model(options.service_name(i), service);
    services_.push_back(std::move(made));
  }
}

// ---- Chance ---------------------------------------------------------------------------------------------------------

Duration World::up_to(Duration most, const char* name) {
  if (most.count() <= 0) return {};
  DrawStream& stream = streams_.try_emplace(name, DrawStream{text_seed(name)}).first->second;
  const std::uint64_t drawn = mix(options.seed, mix(stream.salt, ++stream.count));
  return Duration(static_cast<std::int64_t>(drawn % static_cast<std::uint64_t>(most.count() + 1)));
}

bool World::hit(double share, const char* name) {
  if (share <= 0) return false;
  if (up_to(Duration(1'000'000), name).count() >= static_cast<std::int64_t>(share * 1e6)) return false;
  ++reached[name];
  return true;
}

// ---- The way there and back -----------------------------------------------------------------------------------------

void World::push(Instant at, What what, std::uint64_t exchange) {
  happenings_.push({at, ++order_, what, exchange});
}

void World::maybe_crash() {
  if (dead && dead()) throw Crash();
  if (!crash_now || !crash_now()) return;
  say("the process dies");
  if (dying) dying();
  throw Crash();
}

void World::start(Exchange exchange) {
  maybe_crash();
  OpenExchange open;
  open.completion.id = exchange.id;
  open.life = life_;
  open.started_at = wall();
  open.exchange = std::move(exchange);
  for (std::size_t i = 0; i < options.origins.size(); ++i) {
    if (open.exchange.url.starts_with(options.origins[i] + "/")) open.service = i;
  }
  open.sent_at = now_;
  if (!open.exchange.paid) open.job_id = asked_job(open.exchange.url);
  if (on_started) {
    const bool remake = is_remake(open.exchange);
    on_started({open.service, open.exchange.paid, open.job_id, is_repair(open.exchange),
                remake ? asked_job(open.exchange.url) : open.job_id, kind_of(open.exchange)});
  }
  const std::uint64_t key = ++next_key_;
  OpenExchange& kept = exchanges_.emplace(key, std::move(open)).first->second;
  ++open_;
  say(fmt::format("start #{} {} {}", key, kept.exchange.method, kept.exchange.url));
  const bool out = now_ >= faults.outage_from && now_ < faults.outage_until;
  if (out) ++reached["outage"];
  if (out || hit(faults.never_left, "never left")) {
    kept.arrives = false;
    kept.completion.may_have_left = false;
    kept.completion.error = "connection refused";
    return push(now_ + up_to(options.connect + options.latency, "latency"), What::Ends, key);
  }
  const Instant ready = now_ + up_to(options.connect, "connect");
  const Duration slow =
      hit(faults.slow, "slow answer") ? up_to(options.latency * kSlowdown, "slow latency") : Duration();
  const Instant answered = ready + up_to(options.latency, "latency") + slow;
  const Instant ends = std::min(answered, ready + options.request_timeout);
  if (answered > ends) {
    kept.cut_off = true;
    ++reached["request timeout"];
  }
  kept.arrives = !hit(faults.lost_request, "lost request");
  push(ready, What::Ready, key);
  push(ready + (ends - ready) / 2, What::Arrives, key);
  push(ends, What::Ends, key);
}

void World::answer_429(Completion& completion) {
  completion.status = 429;
  const std::int64_t unix_s = std::chrono::duration_cast<std::chrono::seconds>(wall().time_since_epoch()).count();
  switch (faults.retry) {
    case WorldFaults::Retry::Seconds:
      completion.retry_after = "2";
      break;
    case WorldFaults::Retry::Date:
      completion.retry_after = to_http_date(unix_s + 5);
      break;
    case WorldFaults::Retry::None:
      break;
    case WorldFaults::Retry::Garbage:
      completion.retry_after = "soon, perhaps";
      break;
    case WorldFaults::Retry::Past:
      completion.retry_after = to_http_date(unix_s - 100);
      break;
    case WorldFaults::Retry::Long:
      completion.retry_after = "7200";
      break;
  }
}

/// True if the request never came to the service itself, and is answered, or lost, as `open.completion` says.
bool World::fail_before_service(OpenExchange& open) {
  Completion& completion = open.completion;
  const bool paid = open.exchange.paid;
  if (now_ >= faults.key_refused_from && now_ < faults.key_refused_until) {
    ++reached["key refused"];
    completion.status = 401;
    completion.body = R"({"error":"Unauthorized"})";
  } else if (hit(faults.too_many, "429")) {
    answer_429(completion);
  } else if (hit(faults.error_before, "500 before")) {
    completion.status = 500;
    open.doubtful = true;
  } else if (hit(faults.echo, "500 with the request's headers")) {
    completion.status = 500;
    if (open.exchange.headers) completion.body = fmt::format("{}", fmt::join(*open.exchange.headers, "\n"));
    open.doubtful = true;
  } else if (hit(faults.unavailable, "503")) {
    completion.status = 503;
    open.doubtful = true;
  } else if (paid && hit(faults.refuse_row, "422")) {
    completion.status = 422;
    completion.body = R"({"error":"the photos cannot be used"})";
  } else {
    return false;
  }
  return true;
}

ServiceReply World::ask_service(OpenExchange& open) {
  std::string& job_id = open.job_id;
  Service& service = services_[open.service];
  ServiceRequest request;
  request.method = open.exchange.method;
  const std::string target = open.exchange.url.substr(options.origins[open.service].size());
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.headers = {{"content-type", "application/json"}};
  if (open.exchange.headers) {
    for (const std::string& line : *open.exchange.headers) {
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      request.headers.emplace_back(std::move(name), line.substr(line.find(": ") + 2));
    }
  }
  request.body = open.exchange.body;
  const std::int64_t now_ms = to_ms(now_).count();
  const bool remakes = is_remake(open.exchange);
  const std::string before = remakes ? status_of(open.service, asked_job(open.exchange.url)) : std::string();
  ServiceReply reply = service.model->handle(request, now_ms);
  if (!open.exchange.paid) return reply;
  if (reply.status != (remakes ? 200 : 201)) return reply;
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(reply.body);
  job_id = json_string(*root, remakes ? "generationId" : "id").value_or("");
  service.accepted_ms[job_id] = now_ms;
  Acceptance acceptance{
      open.service,    job_id,   service.model->jobs().back().price, description_of(open.exchange.body),
      open.started_at, open.life};
  if (!remakes) {
    service.descriptions[job_id] = acceptance.description;
    if (kind_of(open.exchange) == "iacrea.video") note_video(service, job_id, *root);
  } else {
    note_remake(open, before, acceptance);
  }
  say(fmt::format("accepted {} for {} credits: {}{}{}", job_id, to_text(acceptance.charged), acceptance.description,
                  acceptance.part.empty() ? "" : ", again part ", acceptance.part));
  if (on_accepted) on_accepted(acceptance);
  return reply;
}

void World::note_video(Service& service, const std::string& id, JsonElement reply) {
  Video video{id, {}};
  simdjson::dom::array clips;
  if (reply.at_key("generatedContent").get(clips) != simdjson::SUCCESS) return;
  for (const JsonElement clip : clips) video.clips.emplace_back(json_string(clip, "id").value_or(""));
  if (!video.clips.empty()) service.videos.push_back(std::move(video));
}

std::string World::status_of(std::size_t service, const std::string& id) const {
  for (const ServiceJob& job : services_[service].model->jobs()) {
    if (job.id == id) return job.status;
  }
  return {};
}

/// before  what the video was until then.
void World::note_remake(const OpenExchange& open, const std::string& before, Acceptance& acceptance) {
  Service& service = services_[open.service];
  acceptance.video = asked_job(open.exchange.url);
  if (!is_repair(open.exchange)) {
    const bool rendering = before == "START_RENDERING_VIDEO" || before == "RENDERING_VIDEO";
    const bool ended = before == "DONE" || before == "ERROR";
    ++reached[rendering ? "row throws a render away"
              : ended   ? "row on a video that has ended"
                        : "row on a video in flight"];
    return;
  }
  ++reached["part made again"];
  acceptance.of = acceptance.video;
  acceptance.description = service.descriptions[acceptance.of];
  JsonReader reader;
  const Result<JsonElement> asked = reader.parse(open.exchange.body);
  acceptance.part = json_string(*asked, "sequenceId").value_or("");
}

/// A version of the service that does not tell them.
void World::hide_credits(std::string& body) {
  for (const std::string_view member : {"creditsTotal", "creditsUsed"}) {
    for (std::size_t at; (at = body.find(member)) != std::string::npos;) body.replace(at, 7, "figures");
  }
}

/// An answer about jobs may leave out what was used.
void World::hide_used(OpenExchange& open, std::string& body) {
  constexpr std::array kMembers = {std::string_view("\"creditsUsed\""), std::string_view("\"credits_used\"")};
  const auto tells = [&] {
    return std::any_of(kMembers.begin(), kMembers.end(),
                       [&](std::string_view member) { return body.find(member) != std::string::npos; });
  };
  if (!tells()) return;
  const bool ended = !open.exchange.paid && (body.find(R"("status":"DONE")") != std::string::npos ||
                                             body.find(R"("status":"done")") != std::string::npos);
  if (hit(faults.hides_used, "answer without what was used")) {
    for (const std::string_view member : kMembers) {
      for (std::size_t at; (at = body.find(member)) != std::string::npos;) body.replace(at, member.size(), "\"other\"");
    }
    if (ended) ++reached["end without what was used"];
  } else if (!open.job_id.empty() && services_[open.service].used_told.insert(open.job_id).second && ended) {
    ++reached["what was used told at the end alone"];
  }
}

/// The service's side of an exchange, and what goes wrong on the way back.
void World::serve(OpenExchange& open) {
  Completion& completion = open.completion;
  completion.may_have_left = true;
  if (!open.arrives) {
    completion.error = "connection closed before the answer";
    open.doubtful = true;
    return;
  }
  if (answer) {
    if (std::optional<Completion> chosen = answer(open.exchange)) {
      const ExchangeId id = completion.id;
      completion = std::move(*chosen);
      completion.id = id;
      return;
    }
  }
  completion.answered = true;
  if (fail_before_service(open)) return;
  ServiceReply reply = ask_service(open);
  if (!options.tells_credits) hide_credits(reply.body);
  hide_used(open, reply.body);
  spoil_answer(open, reply);
}

void World::spoil_answer(OpenExchange& open, const ServiceReply& reply) {
  const std::string& job_id = open.job_id;
  Service& service = services_[open.service];
  Completion& completion = open.completion;
  completion.status = reply.status;
  completion.body = reply.body;
  const bool paid = open.exchange.paid;
  if (!paid && reply.status == 200 && !job_id.empty()) {
    const std::string& first = service.first_answer.try_emplace(job_id, reply.body).first->second;
    const bool unknown = to_ms(now_).count() - service.accepted_ms[job_id] <
                         std::chrono::duration_cast<std::chrono::milliseconds>(faults.unknown_for).count();
    if (unknown) {
      ++reached["404 at first"];
      completion.status = 404;
      completion.body = R"({"error":"Video generation not found"})";
    } else if (hit(faults.stale, "state that goes backwards")) {
      const bool has_balance = first.find("creditsTotal") != std::string::npos;
      old_balance_told[open.service] = old_balance_told[open.service] || (has_balance && first != reply.body);
      completion.body = first;
    }
  }
  if (hit(faults.error_after, "500 after")) {
    completion.status = 500;
    completion.body.clear();
    open.doubtful = true;
  } else if (hit(faults.cut, "answer cut")) {
    completion.body.resize(completion.body.size() / 2);
    open.doubtful = reply.status < 400;
  } else if (hit(faults.html, "page instead of an answer")) {
    completion.status = 200;
    completion.body = "<!DOCTYPE html><html><body>Please sign in</body></html>";
    open.doubtful = true;
  } else if (paid && reply.status / 100 == 2 && !service.told.empty() && hit(faults.other_id, "id of another job")) {
    completion.body.replace(completion.body.find(job_id), job_id.size(), service.told[service.told.size() / 2]);
    open.doubtful = true;
  }
  if (hit(faults.lost_answer, "lost answer")) open.cut_off = true;
}

void World::wait_until(Instant deadline, Happenings& out) {
  out.clear();
  const bool woken = wake_at != kNever && wake_at <= deadline;
  if (woken) deadline = std::max(now_, wake_at);
  while (!happenings_.empty() && out.ready.empty() && out.completions.empty() && happenings_.top().at <= deadline) {
    const Instant at = std::max(now_, happenings_.top().at);
    now_ = at;
    // Everything of one moment comes together, as it would in one turn.
    while (!happenings_.empty() && happenings_.top().at <= at) {
      const Happening next = happenings_.top();
      happenings_.pop();
      const auto found = exchanges_.find(next.exchange);
      OpenExchange& open = found->second;
      const bool gone = open.life != life_;  // of a process that died
      if (next.what == What::Ready) {
        if (gone) continue;
        open.sent_at = at;
        sends.push_back({at, open.exchange.paid, open.service, open.exchange.url, open.job_id});
        if (on_sent) on_sent(sends.back());
        out.ready.push_back({open.exchange.id, at});
      } else if (next.what == What::Arrives) {
        serve(open);
      } else {
        if (!gone) {
          Completion& completion = open.completion;
          completion.at = at;
          if (open.cut_off && completion.answered) {
            completion =
                Completion{completion.id, at, false, true, 0, "", "", "", "connection closed before the answer"};
            open.doubtful = true;
          }
          if (completion.answered && (completion.body.find("creditsTotal") != std::string::npos ||
                                      completion.body.find("remaining_credits") != std::string::npos)) {
            balance_told[open.service] = true;
          }
          const int taken = is_remake(open.exchange) ? 200 : 201;
          if (open.exchange.paid && completion.status == taken && !open.doubtful) {
            services_[open.service].told.push_back(open.job_id);
            told.emplace_back(open.service, open.job_id);
          }
          if (completion.answered && completion.status == 429 && completion.retry_after == "2") {
            held_until[open.service] = at + std::chrono::seconds(2);
          }
          if (on_ended) {
            on_ended({open.service, open.exchange.paid, completion.answered, open.doubtful, completion.status,
                      open.sent_at, is_remake(open.exchange) ? asked_job(open.exchange.url) : open.job_id});
          }
          paid_answers += open.exchange.paid;
          doubtful_answers += open.exchange.paid && open.doubtful;
          say(fmt::format("end #{}: {} {}", next.exchange,
                          completion.answered ? fmt::format("{}", completion.status) : completion.error,
                          completion.answered ? completion.body.substr(0, 60) : ""));
          out.completions.push_back(std::move(completion));
          --open_;
        }
        exchanges_.erase(found);
      }
    }
  }
  if (out.ready.empty() && out.completions.empty()) {
    now_ = std::max(now_, deadline);
    if (woken) wake_at = kNever;
  }
  maybe_crash();
}

std::int64_t World::paid_open(std::optional<std::size_t> service) const {
  return std::count_if(exchanges_.begin(), exchanges_.end(), [&](const auto& entry) {
    const OpenExchange& open = entry.second;
    return open.life == life_ && open.exchange.paid && (!service || open.service == *service);
  });
}

std::vector<std::string> World::paid_on(std::size_t service) const {
  std::vector<std::string> videos;
  for (const auto& [key, open] : exchanges_) {
    if (open.life != life_ || open.service != service || !open.exchange.paid || is_repair(open.exchange)) continue;
    videos.push_back(is_remake(open.exchange) ? asked_job(open.exchange.url) : std::string());
  }
  return videos;
}

std::int64_t World::open_on(std::size_t service, const std::string& video) const {
  return std::count_if(exchanges_.begin(), exchanges_.end(), [&](const auto& entry) {
    const OpenExchange& open = entry.second;
    const bool about = is_remake(open.exchange) || !open.exchange.paid;
    return open.life == life_ && open.service == service && about && asked_job(open.exchange.url) == video;
  });
}

void World::reboot(bool recorded) {
  for (Service& service : services_) {
    if (!recorded) service.told.resize(service.told_to_others);
    service.told_to_others = service.told.size();
  }
  say("--- a new process ---");
  ++life_;
  open_ = 0;
  wake_at = kNever;
  held_until.assign(held_until.size(), Instant());  // the next process knows nothing of it
  told.clear();
}

void World::pass(Duration time) {
  const std::function<bool()> asked = std::exchange(crash_now, nullptr);
  const Instant until = now_ + time;
  Happenings nobody_hears;
  while (now_ < until) wait_until(until, nobody_hears);
  crash_now = asked;
}

void World::settle() {
  while (!happenings_.empty()) pass(happenings_.top().at > now_ ? happenings_.top().at - now_ : Duration(1));
}

void World::suspend(std::chrono::milliseconds time) {
  say(fmt::format("the machine sleeps for {} s", time.count() / 1000));
  ++reached["suspended"];
  wall_step += time;
  for (auto& [key, open] : exchanges_) open.cut_off = true;
}

std::map<std::string, int> World::accepted() const {
  std::map<std::string, int> accepted;
  for (const Service& service : services_) {
    for (const ServiceJob& job : service.model->jobs()) ++accepted[description_of(job.body)];
  }
  return accepted;
}

}  // namespace reelbatch
