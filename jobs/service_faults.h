// What goes wrong between a service and its client, decided from one seeded generator: the sandbox and the simulated
// world inject the same faults. Pure: a fault is decided here and carried out by who owns the connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/seeded_random.h"
#include "jobs/service_model.h"

namespace reelbatch {

/// The grammar of a fault, for `--help`.
inline constexpr std::string_view kFaultHelp =
    R"(A fault is [post:|get:]NAME[@DURATION]=RATE, several separated by commas, e.g.
post:500-after=0.1,get:slow@2s=0.05. RATE is the share of requests hit, from 0
to 1; without post: or get: both are. A request has at most one fault.
Durations are real time, like 200ms, 3s, 2m.
  429 [5s]       too many requests, Retry-After in seconds; not handled
  429-date [5s]  the same, Retry-After as a date
  429-bare       the same without Retry-After
  500-before     server error, nothing was created
  500-after      server error, the request was handled: a job may exist
  503 [none]     unavailable, Retry-After if there is a duration; not handled
  lost-before    connection closed unanswered, nothing was created
  lost-after     connection closed unanswered, the request was handled
  slow [5s]      handled, answered so much later
  cut            handled, the JSON of the answer ends half way
  html           handled, answered 200 with an HTML page
  outage@T+D     from T after the start, for D: connections closed unanswered
                 (no RATE, no post: or get:)
)";

enum class Fault429 { Seconds, Date, Bare };

/// One kind of fault and how often it happens.
struct FaultRule {
  enum class Name { TooMany, ErrorBefore, ErrorAfter, Unavailable, LostBefore, LostAfter, Slow, Cut, Html };
  Name name = Name::Slow;
  bool on_post = true;
  bool on_get = true;
  Fault429 form = Fault429::Seconds;  ///< TooMany only
  std::int64_t duration_ms = 0;       ///< Retry-After or delay; 0 if the fault has none
  double rate = 0;                    ///< 0 to 1
};

/// From `from_ms` after the start, for `length_ms`, nothing is answered.
struct Outage {
  std::int64_t from_ms = 0;
  std::int64_t length_ms = 0;
};

struct FaultOptions {
  std::vector<FaultRule> rules;  ///< the rates that concern one method add up to 1 at most
  std::vector<Outage> outages;
};

/// Adds what `text` says (grammar: kFaultHelp) to `options`, so that the option may be repeated.
/// Fails with Fault::Usage and names the part that is wrong; `options` is then as it was.
Result<void> add_faults(std::string_view text, FaultOptions& options);

/// What happens to one request. Without a fault all members are as here.
struct FaultAction {
  enum class Body { Whole, Cut, Html };
  std::string_view name = "";       ///< as in kFaultHelp, for counters and logs; static storage
  bool handled = true;              ///< the service sees the request, and charges for it
  bool answered = true;             ///< false: the connection ends without one byte of an answer
  std::int64_t delay_ms = 0;        ///< before the answer
  std::optional<int> status;        ///< takes the place of the service's answer
  std::int64_t retry_after_ms = 0;  ///< with `status`; 0 is no Retry-After
  bool retry_after_is_date = false;
  Body body = Body::Whole;
};

/// Decides the fate of a request that arrives `since_start_ms` after the start.
///
/// method  of the request; faults hit `POST` and `GET` only, an outage everything.
/// random  drawn from once for every POST and GET, whatever the options: switching one fault on does not move the rest.
FaultAction decide_fault(const FaultOptions& options, std::string_view method, std::int64_t since_start_ms,
                         SeededRandom& random);

/// True while connections are closed as soon as they are opened.
bool in_outage(const FaultOptions& options, std::int64_t since_start_ms);

/// The answer that leaves, given what the service said (ignored when the action has a status of its own).
///
/// unix_s  the wall time in seconds, for the date form of Retry-After, rounded up so that it is never too early.
ServiceReply faulty_reply(const FaultAction& action, ServiceReply reply, std::int64_t unix_s);

/// An IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
std::string to_http_date(std::int64_t unix_s);

}  // namespace reelbatch
