// What of an HTTP answer is kept while it arrives.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelbatch {

/// Fed by header lines and pieces of the body, in order, as libcurl delivers them: interim answers (1xx) with their own
/// header blocks before the final one, trailers after the body. Reused: clear() keeps small buffers.
class AnswerReader {
 public:
  static constexpr std::size_t kBodyLimit = std::size_t{4} << 20;
  /// Of a list of all jobs: some 60,000 of them.
  static constexpr std::size_t kListLimit = std::size_t{64} << 20;
  static constexpr std::size_t kHeaderLimit = std::size_t{256} << 10;

  void clear();
  /// The answer to come is a list of all jobs. Until clear().
  void expect_list() { body_limit_ = kListLimit; }
  /// One line with its end. False if the lines of this exchange now exceed kHeaderLimit: the line is not taken.
  bool add_header(std::string_view line);
  /// False if the body would exceed its limit: the piece is not taken.
  bool add_body(std::string_view piece);

  /// Whether the last header block ended with its empty line.
  bool headers_whole() const { return headers_whole_; }
  bool began() const { return header_bytes_ > 0; }
  const std::string& body() const { return body_; }
  /// The body, which is then gone if it is large.
  std::string take_body();
  /// From the last header block, without blanks around them; empty if absent.
  const std::string& retry_after() const { return retry_after_; }
  const std::string& location() const { return location_; }
  /// Which limit was exceeded, for people; empty if none.
  std::string_view excess() const { return excess_; }

 private:
  std::string body_;
  std::string retry_after_;
  std::string location_;
  std::size_t body_limit_ = kBodyLimit;
  std::size_t header_bytes_ = 0;
  bool in_headers_ = false;
  bool headers_whole_ = false;
  std::string_view excess_;
};

}  // namespace reelbatch
