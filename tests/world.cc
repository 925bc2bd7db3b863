#include "tests/world.h"

#include <fmt/format.h>

#include "jobs/json.h"
#include "jobs/registry.h"

namespace reelbatch {

World::World(const WorldOptions& chosen)
    : options(chosen),
      state_(chosen.seed * 0x9e3779b97f4a7c15 + 1),
      service_(make_service_model("iacrea", chosen.service)) {}

bool World::chance(double share) {
  return up_to(Duration(1'000'000)).count() < static_cast<std::int64_t>(share * 1e6);
}

Duration World::up_to(Duration most) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return Duration(static_cast<std::int64_t>((state_ >> 11) % static_cast<std::uint64_t>(most.count() + 1)));
}

void World::push(Instant at, What what, std::uint64_t exchange) {
  happenings_.push({at, ++order_, what, exchange});
}

void World::start(Exchange exchange) {
  OpenExchange open;
  open.completion.id = exchange.id;
  open.life = life_;
  open.exchange = std::move(exchange);
  const std::uint64_t key = ++next_key_;
  OpenExchange& kept = exchanges_.emplace(key, std::move(open)).first->second;
  ++open_;
  if (chance(options.never_left)) {
    kept.arrives = false;
    kept.completion.may_have_left = false;
    kept.completion.error = "connection refused";
    return push(now_ + up_to(options.connect + options.latency), What::Ends, key);
  }
  const Instant ready = now_ + up_to(options.connect);
  const Instant ends = ready + up_to(options.latency);
  kept.arrives = !chance(options.lost_request);
  push(ready, What::Ready, key);
  push(ready + (ends - ready) / 2, What::Arrives, key);
  push(ends, What::Ends, key);
}

/// The service's side of an exchange, and what goes wrong on the way back.
void World::serve(OpenExchange& open) {
  Completion& completion = open.completion;
  completion.may_have_left = true;
  if (!open.arrives) {
    completion.error = "connection closed before the answer";
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
  if (chance(options.too_many)) {
    completion.status = 429;
    completion.retry_after = "2";
    return;
  }
  const bool error = chance(options.server_error);
  if (error && chance(0.5)) {
    completion.status = 500;
    return;
  }
  ServiceRequest request;
  request.method = open.exchange.method;
  request.path = open.exchange.url.substr(open.exchange.url.find('/', 8));
  request.headers = {{"x-api-key", "key"}, {"content-type", "application/json"}};
  request.body = open.exchange.body;
  const ServiceReply reply = service_->handle(request, to_ms(now_).count());
  completion.status = error ? 500 : reply.status;
  completion.body = error ? "" : reply.body;
  if (chance(options.lost_answer)) {
    completion.answered = false;
    completion.status = 0;
    completion.body.clear();
    completion.error = "connection closed before the answer";
  }
}

void World::wait_until(Instant deadline, Happenings& out) {
  out.clear();
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
        sends.push_back({at, open.exchange.paid, open.exchange.url});
        out.ready.push_back({open.exchange.id, at});
      } else if (next.what == What::Arrives) {
        serve(open);
      } else {
        if (!gone) {
          open.completion.at = at;
          out.completions.push_back(std::move(open.completion));
          --open_;
        }
        exchanges_.erase(found);
      }
    }
  }
  if (out.ready.empty() && out.completions.empty()) now_ = std::max(now_, deadline);
  if (crash_now && crash_now()) throw Crash();
}

void World::reboot() {
  ++life_;
  open_ = 0;
}

void World::settle() {
  Happenings nobody_hears;
  while (!happenings_.empty()) wait_until(happenings_.top().at, nobody_hears);
}

std::map<std::string, int> World::accepted() const {
  std::map<std::string, int> accepted;
  JsonReader reader;
  for (const ServiceJob& job : service_->jobs()) {
    const Result<JsonElement> body = reader.parse(job.body);
    if (body) ++accepted[std::string(json_string(*body, "description").value_or(""))];
  }
  return accepted;
}

}  // namespace reelbatch
