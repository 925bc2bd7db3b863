// SIGINT, SIGTERM and SIGHUP as a question the loop asks, and as a descriptor that wakes it.
#pragma once

namespace reelbatch {

class StopRequest {
 public:
  virtual ~StopRequest() = default;
  virtual bool requested() const = 0;
};

/// Installs the handlers. Until there is work to end, a signal ends the process at once with status 3, whatever it
/// waits for; from then on the first one sets the request, and a second one ends it at once. That is safe anywhere:
/// whatever is not in the ledger yet is found there as unfinished by the next run. At most one at a time.
class SignalStop final : public StopRequest {
 public:
  SignalStop();
  ~SignalStop() override;
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  /// From here on there is work to end.
  static void expect_work();

  bool requested() const override;
  /// Readable from the first signal on until requested() has said so.
  int wake_fd() const;
};

}  // namespace reelbatch
