// Files fetched over libcurl, a few at a time: the finished videos of `--download`. Nothing of an account goes out with
// it: no key, no cookie, no name and password, neither from an address nor from .netrc.
//
// https alone, and http where the address that was given is this machine's; redirects are followed, a few, and lead
// away from https nowhere. Bodies go to disk as they come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/error.h"
#include "runner/clock.h"

namespace reelbatch {

struct FetcherOptions {
  int at_once = 4;
  std::string ca_file;  ///< PEM file of the roots to trust; empty: the system's
  int wake_fd = -1;     ///< readable: wait() returns
  std::uint64_t size_max = std::uint64_t{4} << 30;
};

struct FetchAnswer {
  std::size_t id = 0;
  std::string error;        ///< why it is not there, for people; empty: the file is whole, and on disk
  bool may_change = false;  ///< another try may bring it
  bool no_answer = false;   ///< the host could not be reached, or said nothing
  std::optional<Duration> retry_after;
  std::uint64_t bytes = 0;
};

class VideoFetcher {
 public:
  explicit VideoFetcher(const Clock& clock, FetcherOptions options);
  /// Removes what is not whole.
  ~VideoFetcher();
  VideoFetcher(const VideoFetcher&) = delete;
  VideoFetcher& operator=(const VideoFetcher&) = delete;

  bool has_room() const;
  std::size_t open() const;
  /// Fetches `url` into `path`, over what may be there. Its answer comes from wait().
  void start(std::size_t id, const std::string& url, const std::string& path);
  /// Whatever has ended; returns at the deadline, or sooner.
  std::vector<FetchAnswer> wait(Instant deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reelbatch
