// One run at a time per ledger: a kernel lock on a file beside it, which goes with its process however that ends.
#pragma once

#include <optional>
#include <string>

#include "jobs/error.h"
#include "runner/clock.h"

namespace reelbatch {

class LedgerLock {
 public:
  /// Takes the lock on `<ledger>.lock`, waiting at most `wait` for another process to end.
  ///
  /// Fails with Fault::Conflict naming the process and since when it holds the lock; Fault::Usage for a ledger on a
  /// network file system, where such locks do not hold; Fault::Ground if the lock file cannot be written.
  static Result<LedgerLock> take(const std::string& ledger, Duration wait, const Clock& clock);
  /// Who holds the lock now, as `process 123 since ...`; nothing if nobody does.
  static std::optional<std::string> holder(const std::string& ledger);
  LedgerLock(LedgerLock&& other) noexcept;
  LedgerLock& operator=(LedgerLock&&) = delete;
  ~LedgerLock();

 private:
  explicit LedgerLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace reelbatch
