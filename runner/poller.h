// epoll for the descriptors of a library that says what it wants of each and often changes its mind.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runner/clock.h"

namespace reelbatch {

struct PollEvent {
  int fd = -1;
  void* owner = nullptr;
  bool readable = false;  ///< set only if wanted; an error or a hang-up counts as what was wanted
  bool writable = false;
};

/// A descriptor announced by opened() stays in epoll when nothing more is wanted of it, for most are wanted again soon
/// and in the same way, until an event comes that nobody wants. (Half the system calls of a kept connection.)
class Poller {
 public:
  /// Throws std::runtime_error if the system gives no epoll descriptor.
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// `fd` is new, whatever was known under that number, and closing() will be called before it is closed.
  void opened(int fd);
  void closing(int fd);

  /// From now on events go to `owner`. Neither read nor write: nothing is wanted.
  void want(int fd, bool read, bool write, void* owner);

  /// Waits at most `longest` (below zero: not at all; at most an hour), then delivers what happened. `deliver` may call
  /// the functions above. Returns false if a signal ended the wait.
  bool wait(Duration longest, const std::function<void(const PollEvent&)>& deliver);

 private:
  struct Watched {
    void* owner = nullptr;
    std::uint32_t wanted = 0;
    std::uint32_t armed = 0;  // what epoll was told, 0 when it does not have it
    bool announced = false;
  };
  Watched& watched(int fd);
  void disarm(int fd, Watched& state);

  int epoll_ = -1;
  std::vector<Watched> watched_;  // by descriptor
};

}  // namespace reelbatch
