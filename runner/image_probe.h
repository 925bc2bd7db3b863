// `check --probe-images`: is there, behind every address that a service would fetch, what it should fetch? Asked before
// anything is paid for: a job whose image is dead costs as much as any other.
//
// Each distinct address is asked for once in a run, with HEAD; where that is refused, with a GET of the first bytes.
// Hosts are other people's: each has its own pace, and a port of one that cannot be reached or stays silent is asked no
// further.
// Addresses are other people's as well: none leads into a private network or to this machine, be it by a redirect or by
// what a name resolves to. Only what a row itself calls this machine is asked there, for rehearsals.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "jobs/job.h"
#include "runner/clock.h"
#include "runner/digest.h"
#include "runner/manifest.h"
#include "runner/options.h"
#include "runner/probe_transport.h"
#include "runner/rate_limiter.h"

namespace reelbatch {

struct ProbeOptions {
  std::vector<RateWindow> rate = {{5, std::chrono::seconds(1)}};  ///< of a host, at least one
  int open = 20;                                                  ///< requests at once, all hosts together
  Duration timeout = std::chrono::seconds(10);                    ///< for one request; the transport keeps it
  std::uint64_t size_max = 50'000'000;                            ///< bytes; no service documents a limit
};

struct ProbeCounts {
  std::int64_t addresses = 0;    ///< distinct ones
  std::int64_t dead = 0;         ///< of those: no answer, or one that is none of a file
  std::int64_t wrong = 0;        ///< something else than was wanted, such as a page
  std::int64_t large = 0;        ///< more than ProbeOptions::size_max
  std::int64_t unreachable = 0;  ///< their host could not be reached
  std::int64_t slow = 0;         ///< of those that are fine
  std::int64_t unknown = 0;      ///< the host did not let us look
  std::int64_t rows = 0;         ///< that have an address which is dead, wrong, large or unreachable
};

class ImageProbe {
 public:
  /// remark  is given what is found, in the order in which it is; of a host that cannot be reached the first place.
  /// reject  is given each address because of which its row is not to be paid for, with the row; may be empty.
  /// The references must outlive the probe.
  ImageProbe(const Clock& clock, ProbeTransport& transport, const ProbeOptions& options, const RemarkSink& remark,
             const RemarkSink& reject = kNoSink);

  /// The addresses of the next row, a valid one that is with its sink. Where much is waiting to be asked, asks first:
  /// what is held of a manifest is bounded, but for some 60 bytes for each distinct address and a bit for each row.
  void add_row(const ManifestRow& row, const std::vector<MediaAddress>& addresses);

  /// Asks for everything that is left.
  void finish();

  const ProbeCounts& counts() const { return counts_; }

 private:
  using Number = std::uint64_t;  ///< of an address, in the order first met

  /// Where an address stands.
  struct Mention {
    std::string file;
    Place place;
    std::string_view field;
    Media media = Media::Any;  ///< what is wanted there
    std::int64_t row = 0;
    std::shared_ptr<const Remark> record;  ///< the row's, where it is wanted
  };
  /// What other people's machines are spared: all ports together.
  struct Host {
    explicit Host(std::span<const RateWindow> windows) : limiter(windows) {}
    RateLimiter limiter;
    int open = 0;
    Instant held_until;  ///< it asked for a pause
  };
  /// A port of a host. One that refuses says nothing of another one.
  struct Port {
    explicit Port(std::shared_ptr<Host> of) : host(std::move(of)) {}
    std::shared_ptr<Host> host;
    std::deque<Number> waiting;
    int open = 0;
    int refusals = 0;    ///< connections that did not come about, one after the other
    int silences = 0;    ///< requests without an answer in time, the same
    Instant held_until;  ///< it could not be reached
    bool unreachable = false;
  };
  struct Look {
    std::string address;
    std::string url;  ///< of the present request
    Port* port = nullptr;
    bool get = false;
    int redirects = 0;
    int retries = 0;
    Instant started;
    std::vector<Mention> mentions;  ///< at least one
  };
  /// What was found, in few different forms.
  struct Verdict {
    std::int64_t ProbeCounts::*count = nullptr;  ///< nullptr: nothing is wrong, but for the type perhaps
    std::string type;                            ///< of what is there, empty where that is not known
    std::string message;                         ///< empty: nothing to say
  };

  void ask_until(std::size_t waiting_most);
  Instant start_due(Instant now);
  Instant start_due(Port& port, Instant now);
  void start(Look& look, Number number, Instant now);
  void settle(const ProbeAnswer& answer);
  bool ask_again(Look& look, Number number, const ProbeAnswer& answer);
  bool follow(Look& look, Number number, const ProbeAnswer& answer);
  static Verdict out_of_reach(const Look& look, const std::string& why);
  static Verdict inside(const Look& look, const ProbeAnswer& answer);
  void conclude(Number number, const Verdict& verdict);
  void tell(const Mention& mention, const std::string& address, std::uint32_t position);
  void reject(const Mention& mention, const std::string& address, std::string message, std::string_view code);
  Port& port_for(const std::string& url);
  void forget_idle();
  std::uint32_t position_of(const Verdict& verdict);

  const Clock& clock_;
  ProbeTransport& transport_;
  const ProbeOptions options_;
  static const RemarkSink kNoSink;
  const RemarkSink& remark_;
  const RemarkSink& reject_;
  ProbeCounts counts_;
  std::int64_t rows_ = 0;
  std::vector<bool> bad_rows_;

  struct DigestHash {
    std::size_t operator()(const Digest& digest) const { return static_cast<std::size_t>(digest.low); }
  };
  std::vector<Verdict> verdicts_;
  std::map<std::string, std::uint32_t> positions_;        ///< in verdicts_, from 1, by what a verdict says
  std::unordered_map<Digest, Number, DigestHash> known_;  ///< by the address
  std::vector<std::uint32_t> concluded_;                  ///< by number: a position in verdicts_, from 1; 0: not yet
  std::unordered_map<Number, Look> looks_;                ///< those not concluded
  std::size_t mentions_ = 0;                              ///< in looks_
  std::size_t record_bytes_ = 0;                          ///< of their rows
  std::map<std::string, std::shared_ptr<Host>, std::less<>> hosts_;
  std::map<std::string, Port> ports_;  ///< by host_and_port_of()
  std::string last_port_;              ///< from which something was started
};

/// `1,200 addresses ...` in words for the end of a check; one line.
std::string probe_line(const ProbeCounts& counts);

}  // namespace reelbatch
