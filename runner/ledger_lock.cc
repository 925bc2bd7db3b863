#include "runner/ledger_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLookEvery = 100ms;

/// File systems on which a lock may be granted to two hosts. Numbers from statfs(2) where linux/magic.h lacks them.
constexpr std::array<unsigned long, 7> kNetworkFileSystems = {
    NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, AFS_SUPER_MAGIC,
    CEPH_SUPER_MAGIC, 0x01021997 /* 9p */};

Result<void> refuse_network(const std::string& ledger) {
  const std::filesystem::path folder = std::filesystem::path(ledger).parent_path();
  struct statfs stats = {};
  if (statfs(folder.empty() ? "." : folder.c_str(), &stats) != 0) return {};  // opening it will say why
  for (const unsigned long magic : kNetworkFileSystems) {
    if (static_cast<unsigned long>(stats.f_type) == magic) {
      return usage_error(
          fmt::format("the ledger {} is on a network file system, where its lock and its writes cannot be trusted: "
                      "put it on a local disk (--ledger)",
                      ledger));
    }
  }
  return {};
}

/// Takes the lock of an open file, waiting until `until`. False if another process has it then.
Result<bool> lock_by(int fd, const std::string& path, Instant until, const Clock& clock) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return ground_error(fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    }
    if (clock.now() >= until) return false;
    // flock has no timeout of its own.
    poll(nullptr, 0, static_cast<int>(kLookEvery / 1ms));
  }
  return true;
}

std::string holder_of(int fd) {
  std::array<char, 200> text{};
  const ssize_t length = pread(fd, text.data(), text.size(), 0);
  std::string holder(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : holder;
}

}  // namespace

Result<LedgerLock> LedgerLock::take(const std::string& ledger, Duration wait, const Clock& clock) {
  if (Result<void> local = refuse_network(ledger); !local) return tl::unexpected(local.error());
  const std::string path = ledger + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return ground_error(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  LedgerLock lock(fd);
  // Whoever asks for the holder has the lock for a moment himself: look twice, even without --wait.
  const Instant until = clock.now() + std::max(wait, kLookEvery);
  const auto held_by = [&](const std::string& holder) {
    return fail(Fault::Conflict,
                fmt::format("another run holds the ledger {}: {}; wait for it to end, or give --wait", ledger, holder));
  };
  const Result<bool> named = lock_by(fd, path, until, clock);
  if (!named) return tl::unexpected(named.error());
  if (!*named) return held_by(holder_of(fd));
  // A lock file can be deleted, and a ledger can have two names. SQLite locks parts of the file (fcntl) and never the
  // whole of it (flock). What cannot be opened is told by who opens the ledger.
  lock.ledger_fd_ = open(ledger.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.ledger_fd_ >= 0) {
    const Result<bool> itself = lock_by(lock.ledger_fd_, ledger, until, clock);
    if (!itself) return tl::unexpected(itself.error());
    if (!*itself)
      return held_by("another process, whose lock file was removed or which knows the ledger by another name");
  }
  const std::string holder = fmt::format("process {} since {}\n", getpid(), to_rfc3339(clock.wall()));
  if (ftruncate(fd, 0) != 0 || pwrite(fd, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    return ground_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  return lock;
}

std::optional<std::string> LedgerLock::holder(const std::string& ledger) {
  const int fd = open((ledger + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  const LedgerLock looked(fd);
  // A shared lock is granted unless a run holds its own; it goes with the descriptor at once.
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return holder_of(fd);
}

LedgerLock::LedgerLock(LedgerLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ledger_fd_(std::exchange(other.ledger_fd_, -1)) {}

LedgerLock::~LedgerLock() {
  if (ledger_fd_ >= 0) close(ledger_fd_);
  if (fd_ >= 0) close(fd_);
}

}  // namespace reelbatch
