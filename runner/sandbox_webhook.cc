#include "runner/sandbox_webhook.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {
namespace {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string authority;
  std::string path;
};

/// The loopback address that `host` names, or false.
bool set_host(std::string_view host, std::uint16_t port, Target& target) {
  if (host == "[::1]") {
    sockaddr_in6& six = reinterpret_cast<sockaddr_in6&>(target.address);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    six.sin6_port = htons(port);
    target.length = sizeof six;
    return true;
  }
  sockaddr_in& four = reinterpret_cast<sockaddr_in&>(target.address);
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  target.length = sizeof four;
  const std::string text = host == "localhost" ? "127.0.0.1" : std::string(host);
  return ::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1 && (ntohl(four.sin_addr.s_addr) >> 24U) == 127;
}

std::optional<Target> read_target(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return {};
  url.remove_prefix(kScheme.size());
  const std::size_t slash = url.find_first_of("/?#");
  const std::string_view authority = url.substr(0, slash);
  Target target;
  target.authority = authority;
  target.path = slash == std::string_view::npos ? "" : url.substr(slash, url.find('#') - slash);
  if (!target.path.starts_with('/')) target.path.insert(0, "/");

  std::uint16_t port = 80;
  std::string_view host = authority;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && !authority.ends_with(']')) {
    host = authority.substr(0, colon);
    const char* end = authority.data() + authority.size();
    const auto [stop, error] = std::from_chars(authority.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end) return {};
  }
  if (!set_host(host, port, target)) return {};
  return target;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

bool call_webhook(const WebhookCall& call) {
  const std::optional<Target> target = read_target(call.url);
  if (!target) return false;
  const int fd = ::socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const timeval limit{0, 200'000};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // bounds connect() too
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const std::string request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n{}",
      target->path, target->authority, call.body.size(), call.body);
  const bool sent =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&target->address), target->length) == 0 && send_all(fd, request);
  if (sent) {
    // Closing with an unread answer would reset the connection under a receiver that is still reading.
    std::array<char, 512> ignored{};
    static_cast<void>(::recv(fd, ignored.data(), ignored.size(), 0));
  }
  ::close(fd);
  return sent;
}

}  // namespace reelbatch
