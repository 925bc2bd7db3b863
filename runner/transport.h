// The one way out: HTTP exchanges started now and reported later. The real form is CurlTransport, the other one a
// simulated network in tests/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runner/clock.h"

namespace reelbatch {

/// Chosen by the caller, unique among open exchanges.
using ExchangeId = std::uint64_t;

/// Request headers of an account, secrets included; shared by all its exchanges, never logged.
using HeaderSet = std::shared_ptr<const std::vector<std::string>>;

struct Exchange {
  ExchangeId id = 0;
  std::string method;  ///< `GET` or `POST`
  std::string url;     ///< absolute
  HeaderSet headers;   ///< `name: value` lines; may be null
  std::string body;    ///< sent as application/json when the method is POST
  bool paid = false;   ///< must reach the server at most once, whatever happens
  bool list = false;   ///< the answer lists all jobs, and may be long
};

/// The connection of an exchange can carry the request: its first byte leaves now. Reported before the Completion, and
/// again if nothing had left and the request starts again on another connection; the last one counts.
struct Ready {
  ExchangeId id = 0;
  Instant at;
};

/// How an exchange ended.
struct Completion {
  ExchangeId id = 0;
  Instant at;
  bool answered = false;      ///< a whole answer by the rules of HTTP; `status` and `body` are what was read
  bool may_have_left = true;  ///< false only on proof that not one byte of the request left this machine
  int status = 0;             ///< 0 if no status line arrived
  std::string body;           ///< at most the transport's limit
  std::string retry_after;    ///< the header's value as sent, empty if absent
  std::string location;       ///< the same, for redirects, which are never followed
  std::string error;          ///< when !answered: why, for people: `connection refused`
};

struct Happenings {
  std::vector<Ready> ready;
  std::vector<Completion> completions;
  void clear() {
    ready.clear();
    completions.clear();
  }
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Begins an exchange; its end is reported by a later wait_until(). Never blocks, never fails.
  virtual void start(Exchange exchange) = 0;

  /// Exchanges started and not yet reported as completed.
  virtual std::size_t open() const = 0;

  /// Waits until `deadline`, or until something happened, or until it is woken by a signal, and puts what happened into
  /// `out` (cleared first). When busy it gathers for a few milliseconds, so that one turn of the loop serves many
  /// exchanges: the turn is also the ledger's group commit.
  virtual void wait_until(Instant deadline, Happenings& out) = 0;
};

}  // namespace reelbatch
