// Where a manifest's bytes come from: a file, standard input, or a string in tests.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"

namespace reelbatch {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `size` (at least 1) bytes into `to`; 0 only at the end. Fails if the bytes cannot be had.
  virtual Result<std::size_t> read(char* to, std::size_t size) = 0;
};

/// Bytes in memory; `piece` is the most that one read gives.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view text, std::size_t piece = SIZE_MAX) : text_(text), piece_(piece) {}
  Result<std::size_t> read(char* to, std::size_t size) override;

 private:
  std::string_view text_;
  std::size_t piece_;
};

/// A file, or standard input for `-`. Its first bytes can be looked at before they are read.
class InputFile final : public ByteSource {
 public:
  /// Fails with `cannot read listings.csv: No such file or directory`.
  static Result<std::unique_ptr<InputFile>> open(const std::string& path);
  ~InputFile() override;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// The first bytes, at most 64 KiB, fewer only if there are no more. Valid as long as the file is open.
  std::string_view head() const { return {head_.data(), head_size_}; }

  /// Whether there is nothing behind them.
  bool head_is_whole() const { return head_size_ < head_.size(); }

  Result<std::size_t> read(char* to, std::size_t size) override;

  /// What tells this file from any other, and from itself after it was written to.
  struct Identity {
    bool regular = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    bool operator==(const Identity& other) const;
  };
  const Identity& identity() const { return identity_; }

  /// At the end: fails if a regular file was written to since it was opened, so that what was read may be half of it.
  Result<void> check_unchanged() const;

 private:
  InputFile(int descriptor, std::string path);
  Result<std::size_t> read_descriptor(char* to, std::size_t size);

  int descriptor_;
  std::string path_;
  std::vector<char> head_;
  std::size_t head_size_ = 0;
  std::size_t head_taken_ = 0;
  Identity identity_;
};

/// A source as a stream buffer, for readers that want a std::istream. After the stream ended, error() says whether the
/// source failed.
class SourceBuffer final : public std::streambuf {
 public:
  explicit SourceBuffer(ByteSource& source) : source_(source), block_(std::size_t{64} * 1024) {}
  const std::string& error() const { return error_; }  ///< empty: none
  /// Byte that was read and is no blank; '\0' if none was.
  char last() const { return last_; }
  bool ends_in_blanks() const { return ends_in_blanks_; }

 protected:
  int_type underflow() override;

 private:
  ByteSource& source_;
  char last_ = '\0';
  bool ends_in_blanks_ = false;
  std::vector<char> block_;
  std::string error_;
};

}  // namespace reelbatch
