#include "runner/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace reelbatch {
namespace {

constexpr std::size_t kBuffer = 1 << 16;

Error cannot_write(const std::string& path, int error) {
  return {Fault::Ground, fmt::format("cannot write {}: {}", path, std::strerror(error))};
}

std::string temporary_name(const std::filesystem::path& place) {
  static int count = 0;
  const std::string name = fmt::format(".{}.{}-{}.partial", place.filename().string(), ::getpid(), ++count);
  return (place.parent_path() / name).string();
}

}  // namespace

Result<AtomicFile> AtomicFile::open(const std::string& path) {
  const std::filesystem::path place(path);
  std::error_code ignored;
  if (std::filesystem::is_directory(place, ignored)) return tl::unexpected(cannot_write(path, EISDIR));
  // Without a name where the file system can: a killed run then leaves nothing behind. The name that commit() gives is
  // its own, so that two who write the same output do not write into each other's file.
  const std::string folder = place.parent_path().empty() ? "." : place.parent_path().string();
  std::string temporary;
  int fd = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 && errno != ENOENT) {
    temporary = temporary_name(place);
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  if (fd < 0) return tl::unexpected(cannot_write(path, errno));
  return AtomicFile(path, temporary, fd);
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      buffer_(std::move(other.buffer_)),
      fd_(std::exchange(other.fd_, -1)),
      error_(other.error_) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void AtomicFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && error_ == 0) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) error_ = errno;
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

Result<void> AtomicFile::commit() {
  flush();
  if (error_ == 0 && ::fsync(fd_) != 0) error_ = errno;
  if (error_ == 0 && temporary_.empty()) {
    temporary_ = temporary_name(path_);
    const std::string unnamed = fmt::format("/proc/self/fd/{}", fd_);
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) error_ = errno;
  }
  if (error_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return tl::unexpected(cannot_write(path_, error_));
  ::close(std::exchange(fd_, -1));
  // The rename itself is durable once the folder is; a folder that cannot be synced has the file all the same.
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  const int dir = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
  return {};
}

}  // namespace reelbatch
