// The line that an error is about, with a mark under the place: for people, on a terminal.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runner/byte_source.h"
#include "runner/text_source.h"

namespace reelbatch {

/// Two lines without a line end behind the second, each indented by four: the text, and a caret under its column. Of a
/// long line the part around the column; control characters and what else a terminal would act on as `?`, malformed
/// bytes as U+FFFD. Wide characters count as two places, combining ones as none.
///
/// column  in characters, from 1; empty if it is 0 or more than one behind the end of the line.
std::string excerpt(std::string_view line, std::uint64_t column);

/// The line of a text of several (LF, CRLF or CR between them), from 0; empty if there are not so many.
std::string_view line_of(std::string_view text, std::uint64_t number);

/// Lines of manifests, read again when they are asked for, so that reading a manifest need not keep them. Fast when the
/// places come in order; a step back of more than a few lines begins anew, which is done a few times only.
class SourceLines {
 public:
  /// stated  the encoding, if the options say one.
  explicit SourceLines(std::optional<Encoding> stated) : stated_(stated) {}

  /// The line (from 1) of a file, without its end; nothing if it cannot be had: standard input, a pipe, a line that is
  /// not there, one that is too long to be kept.
  std::optional<std::string> line(const std::string& file, std::uint64_t number);

 private:
  bool open(const std::string& file);
  bool read_line();

  std::optional<Encoding> stated_;
  std::string file_;
  int opened_ = 0;
  std::unique_ptr<InputFile> input_;
  std::unique_ptr<TextSource> source_;
  std::unique_ptr<SourceBuffer> text_;
  std::deque<std::string> lines_;  ///< the last ones
  std::uint64_t read_ = 0;         ///< lines so far
};

}  // namespace reelbatch
