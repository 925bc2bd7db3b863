// What stands between a file and the YAML parser: refuses bytes that YAML forbids, and remembers enough of the lines
// to turn byte columns into character columns.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <streambuf>
#include <string>
#include <vector>

namespace reelbatch {

/// Hands on the bytes of `in` without a byte order mark. Ends early at what it refuses; problem() then says why.
class YamlSource final : public std::streambuf {
 public:
  explicit YamlSource(std::istream& in);

  struct Problem {
    std::string message;  ///< empty: none
    std::uint64_t line = 0;
    std::uint64_t column = 0;
  };
  const Problem& problem() const { return problem_; }

  /// The character column, from 1, of a byte column, from 0. Lines that were forgotten count by bytes.
  std::uint64_t character_column(std::uint64_t line, std::uint64_t byte_column) const;

  /// A scalar as the file has it: the parser ends a plain text between brackets at any question mark, where YAML 1.2
  /// (7.3.3) means only one at its beginning, so that it gets another character for those within a text.
  static void restore(std::string& scalar);

  /// Forgets the lines before `line`.
  void forget_before(std::uint64_t line);

 protected:
  int_type underflow() override;

 private:
  std::size_t read_block();
  std::size_t accept(std::size_t size);
  void refuse(std::string message);

  std::istream& in_;
  std::vector<char> block_;
  Problem problem_;
  bool at_start_ = true;
  bool in_text_ = false;                                               ///< the byte before the next one may be a text's
  std::uint64_t line_ = 1;                                             ///< of the next byte
  std::uint64_t byte_column_ = 0;                                      ///< of the next byte, from 0
  std::map<std::uint64_t, std::vector<std::uint64_t>> continuations_;  ///< byte columns of a line's UTF-8 tails
};

}  // namespace reelbatch
