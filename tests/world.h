// A whole service, its network and its time in one object, so that the real loop, limiter and ledger run without
// waiting. Time moves only in wait_until(). A seed chooses latencies and faults and repeats a run; every send is
// logged.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "jobs/service_model.h"
#include "runner/clock.h"
#include "runner/progress.h"
#include "runner/stop.h"
#include "runner/transport.h"

namespace reelbatch {

struct WorldOptions {
  std::uint64_t seed = 1;
  Duration connect{};                               ///< from start to ready, at most
  Duration latency = std::chrono::milliseconds(1);  ///< from ready to answer, at most
  double lost_answer = 0;                           ///< handled, but the answer never arrives
  double lost_request = 0;                          ///< a byte left, but the service never saw it
  double never_left = 0;                            ///< proof that nothing left
  double server_error = 0;  ///< 500 instead of the answer, half of them after the request was handled
  double too_many = 0;      ///< 429 with Retry-After: 2
  ServiceOptions service;
};

/// Thrown where a test wants the process to die.
struct Crash {};

class World final : public Clock, public Transport {
 public:
  explicit World(const WorldOptions& options);

  Instant now() const override { return now_; }
  WallTime wall() const override {
    return WallTime(std::chrono::milliseconds(1'800'000'000'000)) + to_ms(now_) + wall_step;
  }
  void start(Exchange exchange) override;
  std::size_t open() const override { return open_; }
  void wait_until(Instant deadline, Happenings& out) override;

  /// The process is gone: its open exchanges are answered to nobody. Whatever was started reaches the service all the
  /// same, the worst that can be: a request may have left at any moment after its start.
  void reboot();
  /// Time passes until every request that was ever started has had its effect.
  void settle();

  /// Takes the place of the service for requests it answers; nothing leaves the request to the service.
  std::function<std::optional<Completion>(const Exchange&)> answer;
  /// Asked before each event is handed over; true ends the process there (Crash).
  std::function<bool()> crash_now;
  std::chrono::milliseconds wall_step{};  ///< how far the wall clock was set

  struct Send {
    Instant at;
    bool paid;
    std::string url;
  };
  std::vector<Send> sends;  ///< every request that left, by the client's clock
  /// How often the service accepted each description.
  std::map<std::string, int> accepted() const;

  const ServiceModel& service() const { return *service_; }
  WorldOptions options;

 private:
  enum class What { Ready, Arrives, Ends };
  struct Happening {
    Instant at;
    std::uint64_t order;
    What what;
    std::uint64_t exchange;
    bool operator>(const Happening& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct OpenExchange {
    Exchange exchange;
    Completion completion;
    bool arrives = true;
    std::uint64_t life = 0;
  };

  static std::chrono::milliseconds to_ms(Instant at) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  }
  bool chance(double share);
  Duration up_to(Duration most);
  void plan(OpenExchange& open);
  void serve(OpenExchange& open);
  void push(Instant at, What what, std::uint64_t exchange);

  Instant now_{};
  std::uint64_t state_;
  std::uint64_t order_ = 0;
  std::uint64_t life_ = 0;
  std::size_t open_ = 0;
  std::unique_ptr<ServiceModel> service_;
  std::map<std::uint64_t, OpenExchange> exchanges_;
  std::uint64_t next_key_ = 0;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> happenings_;
};

/// Nobody asks to stop, until `at`.
class StopAt final : public StopRequest {
 public:
  explicit StopAt(const Clock& clock, Instant at = kNever) : clock_(clock), at_(at) {}
  bool requested() const override { return clock_.now() >= at_; }

 private:
  const Clock& clock_;
  Instant at_;
};

/// Keeps what an operator would see.
class SilentProgress final : public Progress {
 public:
  void update(const ProgressCounts& counts, Instant) override { last = counts; }
  void warn(std::string_view text) override { warnings.emplace_back(text); }
  void detail(std::string_view) override {}
  void alarm(std::string_view text) override { alarms.emplace_back(text); }
  ProgressCounts last;
  std::vector<std::string> warnings, alarms;
};

}  // namespace reelbatch
