// A look at what is behind other people's addresses: the head of an answer and no more. The real form is CurlProbe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/clock.h"
#include "runner/transport.h"

namespace reelbatch {

struct ProbeRequest {
  ExchangeId id = 0;
  std::string url;   ///< absolute, http or https
  bool get = false;  ///< GET of the first bytes instead of HEAD
  /// Whether it may lead to this machine or into a private network. Else only where everyone can reach.
  bool may_lead_inside = false;
};

struct ProbeAnswer {
  ExchangeId id = 0;
  Instant at;
  bool connected = false;             ///< false: the host was not reached, and `error` says why
  bool leads_inside = false;          ///< it may not, and was not asked; `error` says where
  bool timed_out = false;             ///< no answer came in time; `status` is 0
  int status = 0;                     ///< 0: no answer came, and `error` says why
  std::string content_type;           ///< in lower case, without parameters; empty if there is none
  std::optional<std::uint64_t> size;  ///< of the whole file in bytes, as far as it is told
  std::string redirect;               ///< where a redirect leads, absolute; empty if nowhere
  std::string retry_after;            ///< the header as sent
  std::string error;                  ///< also of an answer to a GET that broke off
};

struct ProbeHappenings {
  std::vector<Ready> ready;  ///< once for each request that is sent, before its answer
  std::vector<ProbeAnswer> answers;
};

class ProbeTransport {
 public:
  virtual ~ProbeTransport() = default;
  /// Begins to ask; a later wait_until() reports the end, which comes in a bounded time whatever the host does. Never
  /// blocks, never fails.
  virtual void start(const ProbeRequest& request) = 0;
  /// Started and not yet reported as ended.
  virtual std::size_t open() const = 0;
  /// Waits until `deadline` or until something happened, and puts that into `out` (cleared first).
  virtual void wait_until(Instant deadline, ProbeHappenings& out) = 0;
};

}  // namespace reelbatch
