// A file that appears whole or not at all: written beside its place, synced, then renamed over what was there.
#pragma once

#include <string>
#include <string_view>

#include "jobs/error.h"

namespace reelbatch {

class AtomicFile {
 public:
  /// Opens the temporary file, for its owner alone, so that a path that cannot be written is known now. The file at
  /// `path` is untouched until commit().
  static Result<AtomicFile> open(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  ///< without commit(), the temporary file goes

  /// Buffered; an error shows in commit().
  void write(std::string_view text);
  Result<void> commit();

  const std::string& path() const { return path_; }

 private:
  AtomicFile(std::string path, std::string temporary, int fd);
  void flush();

  std::string path_, temporary_, buffer_;
  int fd_ = -1;
  int error_ = 0;
};

}  // namespace reelbatch
