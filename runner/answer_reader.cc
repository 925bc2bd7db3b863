#include "runner/answer_reader.h"

#include <algorithm>
#include <utility>

#include "runner/wire_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kKeptBuffer = 65536;

}  // namespace

void AnswerReader::clear() {
  if (body_.capacity() > kKeptBuffer) std::string().swap(body_);
  body_.clear();
  body_limit_ = kBodyLimit;
  retry_after_.clear();
  location_.clear();
  header_bytes_ = 0;
  in_headers_ = headers_whole_ = false;
  excess_ = {};
}

bool AnswerReader::add_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderLimit) {
    excess_ = "answer headers larger than 256 KiB";
    return false;
  }
  line = trimmed(line);
  if (!in_headers_ && line.starts_with("HTTP/")) {
    in_headers_ = true;
    headers_whole_ = false;
    retry_after_.clear();
    location_.clear();
  } else if (line.empty()) {
    headers_whole_ = headers_whole_ || in_headers_;
    in_headers_ = false;
  } else if (in_headers_) {  // else a trailer
    const std::size_t colon = std::min(line.find(':'), line.size() - 1);
    const std::string_view name = line.substr(0, colon);
    if (same_name(name, "retry-after")) retry_after_ = trimmed(line.substr(colon + 1));
    if (same_name(name, "location")) location_ = trimmed(line.substr(colon + 1));
  }
  return true;
}

bool AnswerReader::add_body(std::string_view piece) {
  if (body_.size() + piece.size() > body_limit_) {
    excess_ = body_limit_ == kListLimit ? "list larger than 64 MiB" : "answer larger than 4 MiB";
    return false;
  }
  body_.append(piece);
  return true;
}

std::string AnswerReader::take_body() {
  return body_.capacity() > kKeptBuffer ? std::exchange(body_, {}) : body_;
}

}  // namespace reelbatch
