// SIGINT, SIGTERM and SIGHUP as a question the loop asks, and as a descriptor that wakes it.
#pragma once

namespace reelbatch {

class StopRequest {
 public:
  virtual ~StopRequest() = default;
  virtual bool requested() const = 0;
};

/// Installs the handlers. The first signal sets the request; a second one ends the process at once with status 3, which
/// is safe anywhere: whatever is not in the ledger yet is found there as unfinished by the next run. At most one at a
/// time.
class SignalStop final : public StopRequest {
 public:
  SignalStop();
  ~SignalStop() override;
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  bool requested() const override;
  /// Readable from the first signal on until requested() has said so.
  int wake_fd() const;
};

}  // namespace reelbatch
