// The services, the network and time in one object, so that the real loop, limiter and ledger run without waiting. Time
// moves only in wait_until() and pass(). A seed chooses latencies and faults and repeats a run; every fault has draws
// of its own, so that leaving one out does not move the others.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "jobs/json.h"
#include "jobs/seeded_random.h"
#include "jobs/service_model.h"
#include "runner/clock.h"
#include "runner/progress.h"
#include "runner/stop.h"
#include "runner/transport.h"

namespace reelbatch {

/// By which a submission is known again: the text of its listing, or of a row that makes a clip again the number in
/// the address of its image. Empty for a repair.
std::string description_of(const std::string& body);
/// The address and the description of a row that makes a clip again.
std::string remake_url(std::int64_t number);
std::string remake_description(std::int64_t number);

/// What goes wrong, each as the share of requests it hits, 0 to 1, unless said otherwise.
struct WorldFaults {
  double never_left = 0;    ///< proof that nothing left
  double lost_request = 0;  ///< a byte left, but the service never saw it
  double lost_answer = 0;   ///< handled, but the answer never arrives
  double slow = 0;  ///< the answer takes up to a hundred times the latency: past the request timeout, it is lost
  double error_before = 0;  ///< 500, and nothing was done
  double error_after = 0;   ///< 500, and the request was handled
  double unavailable = 0;   ///< 503, and nothing was done
  double too_many = 0;      ///< 429 in the form of `retry`
  enum class Retry { Seconds, Date, None, Garbage, Past, Long };
  Retry retry = Retry::Seconds;
  double cut = 0;          ///< handled, 200 or 201 with half of the JSON
  double html = 0;         ///< handled, 200 with a page
  double other_id = 0;     ///< a submission is handled, and answered with the id of an earlier job
  double refuse_row = 0;   ///< a submission is answered 422, and nothing was done
  double stale = 0;        ///< a poll is answered with the first answer the job ever had
  double hides_used = 0;   ///< an answer about jobs leaves out what was used
  double echo = 0;         ///< a 500 whose body repeats the request's headers
  Duration unknown_for{};  ///< a job is 404 for so long after it was accepted
  Instant outage_from = kNever, outage_until = kNever;  ///< every connection is refused
  Instant key_refused_from = kNever, key_refused_until = kNever;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  Duration connect{};                               ///< from start to ready, at most
  Duration latency = std::chrono::milliseconds(1);  ///< from ready to answer, at most
  Duration request_timeout = std::chrono::seconds(30);
  std::vector<std::string> origins = {"https://service.test"};  ///< a service for each
  std::vector<std::string> services;                            ///< ServiceSpec::name of each; else iacrea
  std::string service_name(std::size_t at) const { return at < services.size() ? services[at] : "iacrea"; }
  std::vector<std::string> keys;  ///< the only one that each service takes; else any
  bool tells_credits = true;      ///< where answers about jobs have figures
  ServiceOptions service;
  std::vector<Credits> credits;  ///< of each service; else those of `service`
  Credits credits_of(std::size_t at) const { return at < credits.size() ? credits[at] : service.credits; }
};

/// Thrown where the simulated process dies.
struct Crash {};

class World final : public Clock, public Transport {
 public:
  explicit World(const WorldOptions& options);

  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_start + to_ms(now_) + wall_step; }
  std::int64_t boot() const override { return boots; }
  void start(Exchange exchange) override;
  std::size_t open() const override { return open_; }
  void wait_until(Instant deadline, Happenings& out) override;

  /// The process is gone: its open exchanges are answered to nobody. Whatever was started reaches the service all the
  /// same, the worst that can be: a request may have left at any moment after its start.
  ///
  /// recorded  what it was told by the services is in its ledger. Otherwise no service names such a job to another row:
  /// the
  ///           next process could not know that it lies.
  void reboot(bool recorded = true);
  /// Time passes without a process.
  void pass(Duration time);
  /// Time passes until every request that was ever started has had its effect.
  void settle();
  /// The machine sleeps: the wall clock goes on, the monotonic one does not, and every open connection is dead.
  void suspend(std::chrono::milliseconds time);

  WorldOptions options;
  WorldFaults faults;
  WallTime wall_start{std::chrono::milliseconds(1'800'000'000'000)};
  std::chrono::milliseconds wall_step{};  ///< how far the wall clock was set
  std::int64_t boots = 1;                 ///< of the machine
  Instant wake_at = kNever;               ///< a signal: waiting ends there once

  /// Takes the place of the service for requests it answers; nothing leaves the request to the service.
  std::function<std::optional<Completion>(const Exchange&)> answer;
  /// Asked before each event is handed over and before each request starts; true ends the process there (Crash).
  std::function<bool()> crash_now;
  /// Called just before a Crash is thrown.
  std::function<void()> dying;
  /// The process died in something else than the world: it neither waits nor sends.
  std::function<bool()> dead;

  struct Start {
    std::size_t service;  ///< its place in WorldOptions::origins
    bool paid;
    std::string job;         ///< that a poll asks for; empty where it asks for several, or for none
    bool repair;             ///< it makes a part of a job again
    std::string video = {};  ///< that it is about, where several requests may be
    std::string kind = {};   ///< of a submission
  };
  struct Send {
    Instant at;
    bool paid;
    std::size_t service;
    std::string url, job;  ///< job: as in Start
  };
  /// What became of a request of the process that runs.
  struct End {
    std::size_t service;
    bool paid;
    bool answered;
    bool doubtful;    ///< the answer, or that there is none, proves nothing
    int status;       ///< of the answer
    Instant sent_at;  ///< when its connection was ready; when it started, if none ever was
    std::string job;  ///< that a poll asked for, that a submission made, or of which one makes a part again
  };
  std::vector<Send> sends;  ///< every request that left, by the client's clock
  std::function<void(const Start&)> on_started;
  std::function<void(const Send&)> on_sent;
  std::function<void(const End&)> on_ended;

  struct Acceptance {
    std::size_t service;
    std::string id;
    Credits charged;          ///< what it will have cost
    std::string description;  ///< of the submission
    WallTime started_at;      ///< when the client started it
    std::uint64_t life;       ///< and which one: counts reboots
    std::string of = {};      ///< of a repair: the job that has the part, whose description this is
    std::string part = {};    ///< and the part's id
    std::string video = {};   ///< that a repair, or a row of its own, works on
  };
  std::function<void(const Acceptance&)> on_accepted;

  /// Jobs of which the process that runs now was told that they were accepted: service and id.
  std::vector<std::pair<std::size_t, std::string>> told;

  /// How often each description was accepted.
  std::map<std::string, int> accepted() const;
  const ServiceModel& service(std::size_t at = 0) const { return *services_[at].model; }
  /// As the service itself knows it; empty if it does not.
  std::string status_of(std::size_t service, const std::string& id) const;
  std::size_t service_count() const { return services_.size(); }
  std::uint64_t life() const { return life_; }

  /// Paid requests started in this life and not answered yet, to one service or all.
  std::int64_t paid_open(std::optional<std::size_t> service = std::nullopt) const;
  /// The videos that those of them work on, in one service, repairs left out; empty for one that stands for itself.
  std::vector<std::string> paid_on(std::size_t service) const;
  /// Requests of this life about a video that are not answered yet.
  std::int64_t open_on(std::size_t service, const std::string& video) const;

  /// A video of explicit sequences, as the customer's account shows it.
  struct Video {
    std::string id;
    std::vector<std::string> clips;
  };
  const std::vector<Video>& videos(std::size_t service) const { return services_[service].videos; }
  std::vector<bool> balance_told;      ///< by service: an answer with figures arrived
  std::vector<bool> old_balance_told;  ///< by service: an answer had figures of long ago, at any time
  std::vector<Instant> held_until;     ///< by service: what a 429 that was answered asks for
  std::int64_t paid_answers = 0;       ///< how many were answered, or lost
  /// Paid requests answered in such a way that nobody can know whether they were taken.
  std::int64_t doubtful_answers = 0;
  /// How often each fault, and each other event worth reaching, happened.
  std::map<std::string, std::int64_t> reached;
  /// Told of every event in words, for a trace; may be empty.
  std::function<void(const std::string&)> trace;

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
    std::size_t service = 0;
    std::string job_id;
    WallTime started_at;
    Instant sent_at;
    bool arrives = true;
    bool cut_off = false;   ///< the connection died while the machine slept
    bool doubtful = false;  ///< the answer proves nothing
    std::uint64_t life = 0;
  };
  struct Service {
    std::unique_ptr<ServiceModel> model;
    std::vector<std::string> told;   ///< ids of jobs whose acceptance arrived
    std::size_t told_to_others = 0;  ///< of them, those told to earlier processes
    std::map<std::string, std::int64_t> accepted_ms;
    std::map<std::string, std::string> first_answer;
    std::map<std::string, std::string> descriptions;  ///< by job
    std::vector<Video> videos;
    std::set<std::string> used_told;  ///< jobs of which an answer told what was used
  };
  struct DrawStream {
    std::uint64_t salt;
    std::uint64_t count = 0;
  };

  static std::chrono::milliseconds to_ms(Instant at) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  }
  bool hit(double share, const char* name);
  Duration up_to(Duration most, const char* name);
  void push(Instant at, What what, std::uint64_t exchange);
  void maybe_crash();
  void serve(OpenExchange& open);
  bool fail_before_service(OpenExchange& open);
  void spoil_answer(OpenExchange& open, const ServiceReply& reply);
  static void hide_credits(std::string& body);
  void hide_used(OpenExchange& open, std::string& body);
  void note_video(Service& service, const std::string& id, JsonElement reply);
  void note_remake(const OpenExchange& open, const std::string& before, Acceptance& acceptance);
  ServiceReply ask_service(OpenExchange& open);
  void answer_429(Completion& completion);
  void say(const std::string& text) const {
    if (trace) trace(text);
  }

  Instant now_{};
  std::map<std::string, DrawStream> streams_;
  std::uint64_t order_ = 0;
  std::uint64_t life_ = 0;
  std::size_t open_ = 0;
  std::vector<Service> services_;
  std::map<std::uint64_t, OpenExchange> exchanges_;
  std::uint64_t next_key_ = 0;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> happenings_;
};

/// Nobody asks to stop, until `at`.
class StopAt final : public StopRequest {
 public:
  explicit StopAt(const Clock& clock, Instant at = kNever) : clock_(clock), at_(at) {}
  bool requested() const override { return clock_.now() >= at_; }
  void set(Instant at) { at_ = at; }
  Instant at() const { return at_; }

 private:
  const Clock& clock_;
  Instant at_;
};

/// Keeps what an operator would see.
class SilentProgress final : public Progress {
 public:
  void update(const ProgressCounts& counts, Instant) override { last = counts; }
  void warn(std::string_view text) override { warnings.emplace_back(text); }
  void detail(std::string_view text) override {
    if (keep_details) details.emplace_back(text);
  }
  void alarm(std::string_view text) override { alarms.emplace_back(text); }
  bool keep_details = false;
  ProgressCounts last;
  std::vector<std::string> warnings, alarms, details;
};

}  // namespace reelbatch
