#include "runner/sandbox_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "jobs/json.h"
#include "jobs/json_quote.h"

namespace reelbatch {
namespace {

tl::unexpected<Error> cannot(std::string_view what, const std::string& path) {
  return ground_error(fmt::format("cannot {} sandbox state '{}': {}", what, path, std::strerror(errno)));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool read_all(int fd, std::string& out) {
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// True if `path` still names the file behind `fd`: another sandbox may have replaced it between open and lock.
bool is_same_file(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

std::string header_line(std::uint64_t seed) {
  return fmt::format("{{\"sandbox\":1,\"seed\":{}}}\n", seed);
}

bool read_header(JsonElement line, SandboxMemory& memory) {
  std::int64_t version = 0;
  return line["sandbox"].get(version) == simdjson::SUCCESS && version == 1 &&
         line["seed"].get(memory.seed) == simdjson::SUCCESS;
}

bool read_entry(JsonElement line, SandboxMemory& memory) {
  std::int64_t time_ms = 0;
  if (line["time_ms"].get(time_ms) == simdjson::SUCCESS) {
    memory.time_ms = std::max(memory.time_ms, time_ms);
    return true;
  }
  const auto service = json_string(line, "service");
  JsonElement inner;
  if (!service || line["line"].get(inner) != simdjson::SUCCESS) return false;
  memory.lines.emplace_back(*service, json_text(inner));
  return true;
}

}  // namespace

std::string sandbox_state_line(const std::string& service, const std::string& line) {
  return fmt::format("{{\"service\":{},\"line\":{}}}\n", json_quote(service), line);
}

std::string sandbox_time_line(std::int64_t time_ms) {
  return fmt::format("{{\"time_ms\":{}}}\n", time_ms);
}

Result<std::unique_ptr<SandboxState>> SandboxState::open(const std::string& path, std::uint64_t seed_if_new) {
  while (true) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
    if (fd < 0) return cannot("open", path);
    std::unique_ptr<SandboxState> state(new SandboxState(path, fd));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return cannot("lock", path);
      return fail(Fault::Conflict, fmt::format("another sandbox is using state '{}'", path));
    }
    if (!is_same_file(fd, path)) continue;
    if (const auto read = state->read(seed_if_new); !read) return tl::unexpected(read.error());
    return state;
  }
}

SandboxState::~SandboxState() {
  ::close(fd_);
}

Result<void> SandboxState::read(std::uint64_t seed_if_new) {
  memory_.seed = seed_if_new;
  std::string text;
  if (!read_all(fd_, text)) return cannot("read", path_);
  JsonReader reader;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos && number > 1) break;  // torn: never answered for
    const Result<JsonElement> line = reader.parse(rest.substr(0, end));
    const bool known = line && (number == 1 ? read_header(*line, memory_) : read_entry(*line, memory_));
    if (!known && number == 1) {
      return usage_error(fmt::format("'{}' is not the state of a sandbox: name another file", path_));
    }
    if (!known) {
      return ground_error(
          fmt::format("sandbox state '{}' is damaged in line {}: move it away to start anew", path_, number));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return {};
}

Result<void> SandboxState::rewrite(const std::string& lines) {
  const std::string temporary = path_ + ".new";
  ::unlink(temporary.c_str());  // of a sandbox that died here; nobody else writes it while we hold the lock
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600);
  if (fd < 0) return cannot("write", temporary);
  const bool written = ::flock(fd, LOCK_EX | LOCK_NB) == 0 && write_all(fd, header_line(memory_.seed) + lines) &&
                       ::fsync(fd) == 0 && ::rename(temporary.c_str(), path_.c_str()) == 0;
  if (!written) {
    auto error = cannot("write", temporary);
    ::close(fd);
    return error;
  }
  ::close(fd_);
  fd_ = fd;
  return {};
}

Result<void> SandboxState::append(const std::string& lines) {
  if (!write_all(fd_, lines)) return cannot("write", path_);
  return {};
}

}  // namespace reelbatch
