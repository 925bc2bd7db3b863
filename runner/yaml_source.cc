#include "runner/yaml_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ios>
#include <string_view>
#include <utility>

namespace reelbatch {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
/// Stands for a question mark within a text. No file has it: it is forbidden.
constexpr char kQuestion = '\x1F';

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0U) == 0x80U;
}

/// YAML 1.2 section 5.1 forbids C0 controls but tab and line ends. One of them matters: yaml-cpp takes U+0004 for the
/// end of the file and would drop the rest in silence.
bool is_forbidden(unsigned char byte) {
  return byte < 0x20U && byte != '\t' && byte != '\n' && byte != '\r';
}

}  // namespace

YamlSource::YamlSource(std::istream& in) : in_(in), block_(kBlock) {}

std::uint64_t YamlSource::character_column(std::uint64_t line, std::uint64_t byte_column) const {
  const auto found = continuations_.find(line);
  if (found == continuations_.end()) return byte_column + 1;
  const auto& tails = found->second;
  const auto before = std::lower_bound(tails.begin(), tails.end(), byte_column) - tails.begin();
  return byte_column + 1 - static_cast<std::uint64_t>(before);
}

void YamlSource::restore(std::string& scalar) {
  std::replace(scalar.begin(), scalar.end(), kQuestion, '?');
}

void YamlSource::forget_before(std::uint64_t line) {
  continuations_.erase(continuations_.begin(), continuations_.lower_bound(line));
}

YamlSource::int_type YamlSource::underflow() {
  if (!problem_.message.empty()) return traits_type::eof();
  std::size_t size = read_block();
  std::size_t skip = 0;
  if (std::exchange(at_start_, false)) {
    const std::string_view head(block_.data(), size);
    if (head.starts_with("\xEF\xBB\xBF")) skip = 3;
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
      refuse("this is UTF-16, save it as UTF-8");
      return traits_type::eof();
    }
    std::memmove(block_.data(), block_.data() + skip, size - skip);
  }
  size = accept(size - skip);
  setg(block_.data(), block_.data(), block_.data() + size);
  return size == 0 ? traits_type::eof() : traits_type::to_int_type(block_[0]);
}

std::size_t YamlSource::read_block() {
  try {
    in_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    if (in_.bad()) refuse("cannot read");
  } catch (const std::ios_base::failure& failure) {
    refuse(fmt::format("cannot read: {}", failure.what()));
  }
  return static_cast<std::size_t>(in_.gcount());
}

std::size_t YamlSource::accept(std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(block_[i]);
    if (is_forbidden(byte)) {
      refuse(fmt::format("a control character (U+{:04X}) is not allowed here", byte));
      return i;
    }
    if (byte == '?' && in_text_) block_[i] = kQuestion;
    in_text_ = byte > ' ' && byte != '[' && byte != '{' && byte != ',';
    if (byte == '\n') {
      ++line_;
      byte_column_ = 0;
      continue;
    }
    if (is_continuation(byte)) continuations_[line_].push_back(byte_column_);
    ++byte_column_;
  }
  return size;
}

void YamlSource::refuse(std::string message) {
  problem_ = {std::move(message), line_, character_column(line_, byte_column_)};
}

}  // namespace reelbatch
