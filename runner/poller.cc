#include "runner/poller.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace reelbatch {

using std::chrono::milliseconds;

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error(fmt::format("cannot make an epoll descriptor: {}", std::strerror(errno)));
}

Poller::~Poller() {
  ::close(epoll_);
}

Poller::Watched& Poller::watched(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + 64);
  return watched_[index];
}

void Poller::disarm(int fd, Watched& state) {
  if (state.armed != 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  state.armed = 0;
}

void Poller::opened(int fd) {
  Watched& state = watched(fd);
  state = Watched{};
  state.announced = true;
}

void Poller::closing(int fd) {
  Watched& state = watched(fd);
  disarm(fd, state);
  state = Watched{};
}

void Poller::want(int fd, bool read, bool write, void* owner) {
  Watched& state = watched(fd);
  state.owner = owner;
  state.wanted = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  if (state.wanted == 0) {
    if (!state.announced) disarm(fd, state);  // it may be closed and its number used again without a word to us
    return;
  }
  if (state.wanted == state.armed) return;
  epoll_event event{};
  event.events = state.wanted;
  event.data.fd = fd;
  const int likely = state.armed == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  const int other = state.armed == 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  // Should the kernel have no memory for it, there will be no event and the owner's timeout has to do.
  if (::epoll_ctl(epoll_, likely, fd, &event) == 0 || ::epoll_ctl(epoll_, other, fd, &event) == 0) {
    state.armed = state.wanted;
  }
}

bool Poller::wait(Duration longest, const std::function<void(const PollEvent&)>& deliver) {
  const Duration bounded = std::clamp<Duration>(longest, Duration::zero(), std::chrono::hours(1));
  const auto timeout_ms = static_cast<int>(std::chrono::ceil<milliseconds>(bounded).count());
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    Watched& state = watched(fd);  // as it is now: an event before this one may have changed it
    if (state.wanted == 0) {
      disarm(fd, state);
      continue;
    }
    std::uint32_t happened = event.events;
    if ((happened & (EPOLLERR | EPOLLHUP)) != 0) happened |= state.wanted;
    happened &= state.wanted;
    if (happened != 0) deliver({fd, state.owner, (happened & EPOLLIN) != 0, (happened & EPOLLOUT) != 0});
  }
  return count >= 0 || errno != EINTR;
}

}  // namespace reelbatch
