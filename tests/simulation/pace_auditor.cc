#include "tests/simulation/pace_auditor.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

/// A stopping run waits so long for what is on the wire, and looks up at least once a second.
constexpr Duration kDrained = 11s;
/// Polls of one moment go together, which may shift each by this part of the interval.
constexpr int kCompanyPart = 32;

Duration after_doubts(int doubts) {
  return std::min<Duration>(5s * (1 << std::min(doubts - 1, 4)), 60s);
}

}  // namespace

PaceAuditor::PaceAuditor(const World& world, const Options& options, Check check)
    : world_(world), options_(options), check_(std::move(check)) {}

void PaceAuditor::begin(Ledger& ledger) {
  began_ = world_.now();
  deadline_ = kNever;
  if (options_.deadline && options_.deadline->after) deadline_ = began_ + *options_.deadline->after;
  jobs_.clear();
  services_.assign(world_.service_count(), {});
  for (std::size_t i = 0; i < services_.size(); ++i) {
    for (const char* kind : {"iacrea.auto", "iacrea.video", "iacrea.sequence", "creatify.aurora"}) {
      const auto past = ledger.past_durations(kind, options_.job_timeout, 200);
      const bool known = past && !past->empty();
      services_[i].usual[kind] = known ? (*past)[past->size() * 9 / 10] : Duration(options_.job_timeout);
    }
  }
}

/// Only IACrea's polls are about one job each.
bool PaceAuditor::is_polled_alone(const std::string& job, std::size_t service) const {
  return !job.empty() && world_.options.service_name(service) == "iacrea";
}

PaceAuditor::Job& PaceAuditor::job_of(std::size_t service, const std::string& id) {
  const auto [found, is_new] = jobs_.try_emplace({service, id});
  if (is_new) found->second.waited_from = began_;
  return found->second;
}

void PaceAuditor::started(const World::Start& start) {
  const Instant now = world_.now();
  check_(now < stop_at, "a request starts after a signal");
  if (start.paid) {
    check_(deadline_ == kNever || now + services_[start.service].usual[start.kind] <= deadline_,
           "a submission starts that would not be finished by the deadline");
    check_doubts(start);
  } else if (is_polled_alone(start.job, start.service)) {
    check_(!job_of(start.service, start.job).over || followed.count(start.job) > 0,
           "a job is polled after its time was up: " + start.job);
  }
}

/// A service that lists its jobs may end a doubt without an answer.
void PaceAuditor::check_doubts(const World::Start& start) {
  const Service& service = services_[start.service];
  if (service.doubts == 0 || world_.options.service_name(start.service) != "iacrea") return;
  check_(service.doubts < options_.accounts[start.service].hold_limit,
         fmt::format("a submission starts after {} in a row whose fate is unknown", service.doubts));
  check_(world_.paid_open(start.service) == 0, "two submissions are out after one whose fate is unknown");
  check_(world_.now() >= service.last_doubt + after_doubts(service.doubts),
         fmt::format("a submission starts {} ms after the last of {} whose fate is unknown",
                     (world_.now() - service.last_doubt) / 1ms, service.doubts));
}

void PaceAuditor::sent(const World::Send& send) {
  if (send.paid || !is_polled_alone(send.job, send.service)) return;
  Job& job = job_of(send.service, send.job);
  const Duration least = options_.poll_interval - options_.poll_interval / kCompanyPart;
  const auto rows = followed.find(send.job);
  const bool early = job.answered && send.at - job.asked < least;
  if (early && rows != followed.end() && ++job.early <= static_cast<int>(rows->second.size())) return;
  check_(!job.answered || send.at - job.asked >= least,
         fmt::format("a job is polled again after {} ms", (send.at - job.asked) / 1ms));
}

void PaceAuditor::ended(const World::End& end) {
  Service& service = services_[end.service];
  if (end.paid) {
    const bool taken_or_refused = end.status / 100 == 2 || end.status == 400 || end.status == 422;
    const std::vector<int>& untaken = options_.accounts[end.service].not_taken;
    if (end.answered && std::count(untaken.begin(), untaken.end(), end.status) > 0)
      return;  // the operator knows better
    if (end.doubtful) {
      ++service.doubts;
      service.last_doubt = world_.now();
    } else if (end.answered && taken_or_refused) {
      service.doubts = 0;
    }
    // A video of which a part is made again has its time anew, or what made it has.
    const bool taken = end.status == 200 || end.status == 201;
    if (end.doubtful || !taken) return;
    Job& job = job_of(end.service, end.job);
    job.waited_from = world_.now();
    job.over = false;
    return;
  }
  if (!is_polled_alone(end.job, end.service)) return;
  Job& job = job_of(end.service, end.job);
  const bool throttled = end.answered && end.status == 429;
  if (!throttled && world_.now() >= job.waited_from + options_.job_timeout) job.over = true;
  job.answered = end.answered && !end.doubtful && (end.status == 200 || end.status == 404);
  job.asked = end.sent_at;
}

void PaceAuditor::run_ended() {
  check_(stop_at == kNever || world_.now() <= std::max(stop_at, began_) + kDrained,
         "a run goes on long after a signal");
}

}  // namespace reelbatch
