// Words for people on a stream that may be full, or that nobody reads any more: then they are lost, and nothing else
// happens. What became of standard output is asked at the end (main.cc); of standard error nobody could be told.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace reelbatch {

/// Unlike fmt::print() it never throws for what cannot be written: ferror() tells.
template <typename... Args>
void say(std::FILE* out, fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out));
}

template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  say(stdout, format, std::forward<Args>(args)...);
}

}  // namespace reelbatch
