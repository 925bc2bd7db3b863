// The bytes of a manifest as UTF-8, whatever encoding they are in: decided once a file, read as a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jobs/error.h"
#include "runner/byte_source.h"

namespace reelbatch {

enum class Encoding { Utf8, Utf16Le, Utf16Be, Utf32Le, Utf32Be, Windows1252, Latin1 };

/// `utf-8`, `windows-1252` ...: what `--encoding` takes, letter case, `-` and `_` aside; also `cp1252`, `latin-1`.
std::optional<Encoding> encoding_named(std::string_view name);
/// The same, for people.
std::string_view name_of(Encoding encoding);

/// What the first bytes show.
struct EncodingMark {
  std::optional<Encoding> encoding;  ///< nothing: no sign of any
  bool guessed = false;              ///< by NUL bytes, not by a byte order mark
};
EncodingMark find_encoding(std::string_view head);

/// Decodes. UTF-8 passes through as it is, malformed or not. UTF-16 and UTF-32 lose their byte order mark; a surrogate
/// without its other half, a byte that windows-1252 does not have and a last character that is cut come out malformed,
/// so that they are found where UTF-8 is checked.
class TextSource final : public ByteSource {
 public:
  /// source  must outlive this.
  /// stated  what it is; nothing: UTF-8, or windows-1252 if the first 64 KiB from the first byte beyond ASCII on have
  ///         more bytes that cannot be UTF-8 than characters that are. Reading then fails where UTF-8 follows, and at
  ///         once where the words are of another script.
  /// file    its name, for errors; empty for a part of one.
  TextSource(ByteSource& source, std::optional<Encoding> stated, std::string_view file = {});

  Result<std::size_t> read(char* to, std::size_t size) override;

  /// As far as it is known by now.
  Encoding encoding() const { return encoding_; }

 private:
  Result<std::size_t> read_undecided(char* to, std::size_t size);
  Result<std::size_t> hand_out(char* to, std::size_t size);
  Result<void> decode_more();
  Result<void> check_not_mixed();
  void decode(bool last);
  void decode_bytes();
  void decode_units(std::size_t width, bool big, bool last);

  ByteSource& source_;
  Encoding encoding_ = Encoding::Utf8;
  std::string file_;
  bool stated_ = false;
  bool decided_ = false;
  std::uint64_t lines_ = 0;  ///< of windows-1252 that was found out, up to what was decoded
  bool ended_ = false;
  bool at_start_ = true;
  std::string raw_;      ///< read and not yet decoded
  std::string decoded_;  ///< not yet handed out, from taken_ on
  std::size_t taken_ = 0;
};

}  // namespace reelbatch
