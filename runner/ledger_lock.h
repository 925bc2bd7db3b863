// One run at a time per ledger: kernel locks on a file beside it, which names the holder, and on the ledger itself.
// They go with their process however that ends.
#pragma once

#include <optional>
#include <string>

#include "jobs/error.h"
#include "runner/clock.h"

namespace reelbatch {

class LedgerLock {
 public:
  /// Takes the locks on `<ledger>.lock` and on the ledger, which is made if it is missing, waiting at most `wait` for
  /// another process to end.
  ///
  /// The lock must outlive every connection to the ledger: closing a file drops what SQLite has locked of it
  /// (fcntl(2)).
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
  int ledger_fd_ = -1;
};

}  // namespace reelbatch
