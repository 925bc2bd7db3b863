// Watches when one process after the other starts its requests: what a signal, a deadline, a doubtful submission, a
// poll and a job timeout ask it to wait for or to leave (PRODUCT.md sections 2, 4.6 and 5).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "runner/ledger.h"
#include "runner/options.h"
#include "tests/simulation/world.h"

namespace reelbatch {

class PaceAuditor {
 public:
  /// check  is told what must hold and what is broken if it does not. All must outlive this.
  using Check = std::function<void(bool holds, const std::string& violation)>;
  PaceAuditor(const World& world, const Options& options, Check check);

  /// A process starts to work, with what the ledger knows of past jobs.
  void begin(Ledger& ledger);
  void started(const World::Start& start);
  void sent(const World::Send& send);
  void ended(const World::End& end);
  /// A run came to its end by itself.
  void run_ended();

  Instant stop_at = kNever;  ///< a signal asks the process to stop
  /// Videos that rows only follow, and the rows: which begins when no request tells. From then on it has as much time
  /// again, and may ask at once where no other asks any more.
  std::map<std::string, std::set<std::string>> followed;

 private:
  struct Service {
    int doubts = 0;  ///< submissions in a row of which nobody knows whether they were taken
    Instant last_doubt;
    std::map<std::string, Duration> usual;  ///< how long a job of a kind takes, by what the process knew at its start
  };
  struct Job {
    Instant waited_from;  ///< accepted, or found in flight
    Instant asked;        ///< the last poll that got an answer about it
    bool answered = false;
    bool over = false;  ///< an answer came after the job timeout: it is given up for this run
    int early = 0;      ///< polls sooner after the one before than the interval
  };
  bool is_polled_alone(const std::string& url, std::size_t service) const;
  void check_doubts(const World::Start& start);
  Job& job_of(std::size_t service, const std::string& id);

  const World& world_;
  const Options& options_;
  Check check_;
  Instant began_;
  Instant deadline_ = kNever;
  std::vector<Service> services_;
  std::map<std::pair<std::size_t, std::string>, Job> jobs_;
};

}  // namespace reelbatch
