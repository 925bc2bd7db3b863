// The sandbox's memory across restarts: a journal of JSON lines, written before the answers that they stand behind.
//
//   {"sandbox":1,"seed":7}                     first line: format version, and the seed of every id and duration
//   {"time_ms":360000}                         the services' own time may have been read as late as this
//   {"service":"NAME","line":{...}}            what a service model gave to remember (ServiceModel::take_changes)
//
// Written before the reply and not synced: it survives the death of the process, not that of the machine. A last line
// without its line end was never answered for and is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jobs/error.h"

namespace reelbatch {

/// What a journal said, in order.
struct SandboxMemory {
  std::uint64_t seed = 0;
  std::int64_t time_ms = 0;
  std::vector<std::pair<std::string, std::string>> lines;  ///< service, line
};

/// Text of one journal line, with its line end.
std::string sandbox_state_line(const std::string& service, const std::string& line);
std::string sandbox_time_line(std::int64_t time_ms);

class SandboxState {
 public:
  /// Opens `path`, for its owner alone, and locks it until the object ends; a missing or empty file is a new state with
  /// `seed_if_new`. What was read is in memory().
  ///
  /// Fails with Conflict if another sandbox has it, with Usage if it is no sandbox's state (and leaves it as it was),
  /// with Ground if it cannot be opened or read.
  static Result<std::unique_ptr<SandboxState>> open(const std::string& path, std::uint64_t seed_if_new);

  SandboxState(const SandboxState&) = delete;
  SandboxState& operator=(const SandboxState&) = delete;
  ~SandboxState();

  SandboxMemory& memory() { return memory_; }

  /// Replaces the file by the header and `lines`, through a temporary file and a rename: a death in between leaves the
  /// old one. To be called once after open(), before append().
  Result<void> rewrite(const std::string& lines);

  /// Adds whole lines, each with its line end. After an error nothing may be answered any more.
  Result<void> append(const std::string& lines);

 private:
  SandboxState(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Result<void> read(std::uint64_t seed_if_new);

  std::string path_;
  int fd_;
  SandboxMemory memory_;
};

}  // namespace reelbatch
