#include "runner/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace reelbatch {
namespace {

constexpr std::size_t kHead = std::size_t{64} * 1024;

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  return usage_error(fmt::format("cannot read {}: {}", path == "-" ? "standard input" : path, std::strerror(error)));
}

InputFile::Identity identity_of(const struct stat& status) {
  return {S_ISREG(status.st_mode), status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

}  // namespace

bool InputFile::Identity::operator==(const Identity& other) const {
  return regular == other.regular && device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

Result<std::size_t> StringSource::read(char* to, std::size_t size) {
  const std::size_t taken = text_.copy(to, std::min(size, piece_));
  text_.remove_prefix(taken);
  return taken;
}

InputFile::InputFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)), head_(kHead) {}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

Result<std::unique_ptr<InputFile>> InputFile::open(const std::string& path) {
  const int descriptor = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return cannot_read(path, errno);
  std::unique_ptr<InputFile> file(new InputFile(descriptor, path));

  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return cannot_read(path, errno);
  file->identity_ = identity_of(status);

  while (file->head_size_ < kHead) {
    const Result<std::size_t> taken =
        file->read_descriptor(file->head_.data() + file->head_size_, kHead - file->head_size_);
    if (!taken) return tl::unexpected<Error>(taken.error());
    if (*taken == 0) break;
    file->head_size_ += *taken;
  }
  return file;
}

Result<std::size_t> InputFile::read(char* to, std::size_t size) {
  if (head_taken_ < head_size_) {
    const std::size_t taken = head().substr(head_taken_).copy(to, size);
    head_taken_ += taken;
    return taken;
  }
  return read_descriptor(to, size);
}

Result<std::size_t> InputFile::read_descriptor(char* to, std::size_t size) {
  while (true) {
    const ssize_t taken = ::read(descriptor_, to, size);
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (errno != EINTR) return cannot_read(path_, errno);
  }
}

Result<void> InputFile::check_unchanged() const {
  struct stat now {};
  if (!identity_.regular || ::fstat(descriptor_, &now) != 0 || identity_of(now) == identity_) return {};
  return usage_error(fmt::format("{}: the file was written to while it was read: run again when it is whole", path_));
}

SourceBuffer::int_type SourceBuffer::underflow() {
  const Result<std::size_t> taken = source_.read(block_.data(), block_.size());
  if (!taken) error_ = taken.error().message;
  const std::size_t size = taken.value_or(0);
  const std::size_t seen = std::string_view(block_.data(), size).find_last_not_of(" \t");
  if (size > 0) ends_in_blanks_ = seen != size - 1;
  if (seen < size) last_ = block_[seen];
  setg(block_.data(), block_.data(), block_.data() + size);
  return size == 0 ? traits_type::eof() : traits_type::to_int_type(block_[0]);
}

}  // namespace reelbatch
