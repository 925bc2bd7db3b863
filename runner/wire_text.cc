#include "runner/wire_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_loopback(std::string_view host) {
  if (same_name(host, "localhost") || host == "::1" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view host_of(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string_view::npos) return {};
  address.remove_prefix(scheme + 3);
  address = address.substr(0, address.find_first_of("/?#"));
  address.remove_prefix(address.rfind('@') + 1);  // npos + 1 is 0
  const std::size_t bracket = address.starts_with('[') ? address.find(']') : std::string_view::npos;
  return address.substr(0, bracket != std::string_view::npos ? bracket + 1 : address.find(':'));
}

std::string host_and_port_of(std::string_view address) {
  const std::string_view host = host_of(address);
  const std::size_t end = host.empty() ? 0 : static_cast<std::size_t>(host.data() - address.data()) + host.size();
  std::string_view port = address.substr(end, address.find_first_of("/?#", end) - end);
  if (!port.empty()) port.remove_prefix(1);
  if (port.empty()) port = same_name(address.substr(0, 5), "https") ? "443" : "80";
  return fmt::format("{}:{}", host, port);
}

std::string in_our_words(std::string_view text) {
  for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  std::string out(trimmed(text));
  while (!out.empty() && out.back() == '.') out.pop_back();
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (out.size() > 1 && lower(out[1]) == out[1]) out[0] = lower(out[0]);
  return out;
}

std::string spell(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

}  // namespace reelbatch
