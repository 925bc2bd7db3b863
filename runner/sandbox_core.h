// The sandbox without its sockets: requests in, answers out, at times it is told. Puts together the service models,
// their faster time, the faults, the rate limit and the state file.
//
// Its own pages, never hit by faults or limits and not counted:
//   GET /sandbox/jobs       every job of every service with what it was charged and, as a digest, by whose key: the
//                           ground truth of a rehearsal
//   GET /sandbox/requests   requests and answers counted by method and status, faults by name
//   GET /sandbox/videos/... a few bytes that stand for a finished video
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/error.h"
#include "jobs/request_meter.h"
#include "jobs/seeded_random.h"
#include "jobs/service_faults.h"
#include "jobs/service_model.h"
#include "runner/clock.h"
#include "runner/options.h"
#include "runner/sandbox_state.h"

namespace reelbatch {

/// What `sandbox` was asked to do.
struct SandboxOptions {
  int port = 0;       ///< on 127.0.0.1; 0 is any free one
  double speed = 60;  ///< the services' time runs so many times faster than ours, more than 0
  std::string state;  ///< journal, made if missing; empty: nothing survives the end

  /// Of ids, durations and faults. Without one it is drawn, so that a sandbox that forgot its jobs does not hand out
  /// their ids again. A state keeps the seed of its ids and durations, whatever is given later.
  std::optional<std::uint64_t> seed;

  ServiceOptions service;        ///< of every service alike; `seed` and `video_base` in it are not read
  FaultOptions faults;           ///< add_faults() in jobs/service_faults.h reads them
  std::vector<RateWindow> rate;  ///< enforced in real time over all services together
  bool verbose = false;          ///< one line a request on standard error
};

/// What becomes of one request.
struct SandboxAnswer {
  ServiceReply reply;
  bool answered = true;    ///< false: close the connection without a byte
  Duration delay{};        ///< to wait before
  std::string_view fault;  ///< for the log, empty if none
};

class SandboxCore {
 public:
  /// Makes a model for every service that has one and restores them from the state file.
  ///
  /// base_url  where it will be reached, for the addresses of finished videos: `http://127.0.0.1:8080`.
  /// start     from when time is counted.
  ///
  /// Fails like SandboxState::open(), or with Ground if the state does not fit the services.
  static Result<std::unique_ptr<SandboxCore>> make(const SandboxOptions& options, const std::string& base_url,
                                                   Instant start);

  /// Answers one request. What it changed is in the state file when this returns; if that failed, the answer is "close
  /// the connection", and failure() says why.
  ///
  /// now   never goes back.
  /// wall  for dates in answers.
  SandboxAnswer handle(const ServiceRequest& request, Instant now, WallTime wall);

  /// True while connections are to be closed as they come.
  bool in_outage(Instant now) const;

  /// Webhook calls due since the last take.
  std::vector<WebhookCall> take_webhooks();

  /// Set once the state could not be written: the sandbox has to stop.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Service {
    std::string name;
    std::unique_ptr<ServiceModel> model;
  };

  SandboxCore(const SandboxOptions& options, Instant start);
  Result<void> load(const std::string& base_url);
  Result<void> restore();
  std::int64_t model_ms(Instant now) const;
  std::int64_t since_start_ms(Instant now) const;
  ServiceReply page(const ServiceRequest& request, Instant now);
  ServiceReply ask_service(const ServiceRequest& request, Instant now);
  std::optional<FaultAction> refuse_by_rate(Instant now);
  void remember(std::int64_t now_ms);
  std::string jobs_page(Instant now) const;
  std::string requests_page() const;

  SandboxOptions options_;
  Instant start_;
  SeededRandom random_;  ///< of the faults
  std::vector<Service> services_;
  std::vector<RequestMeter> meters_;
  std::unique_ptr<SandboxState> state_;  ///< null without a state file
  std::int64_t base_ms_ = 0;             ///< the services' time at start_
  std::int64_t reserved_ms_ = 0;         ///< the state file says that their time may have come so far
  std::map<std::string, std::int64_t> requests_, answers_, faults_;
  std::optional<Error> failure_;
};

}  // namespace reelbatch
