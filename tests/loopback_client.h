// A plain blocking HTTP client for tests: it shows exactly what came over the connection, also when nothing did. Every
// wait is bounded by the socket's own timeout.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace reelbatch {

struct RawReply {
  int status = 0;    ///< 0 if no whole header block arrived
  std::string head;  ///< status line and headers
  std::string body;
  std::size_t bytes = 0;  ///< of anything
  bool closed = false;    ///< the server closed; false with status 0 is a timeout
  /// The value of a header, empty if absent.
  std::string header(std::string_view name) const {
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
      const std::string_view line = std::string_view(head).substr(at + 2);
      if (line.size() > name.size() && line[name.size()] == ':' &&
          ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
        const std::string_view rest = line.substr(name.size() + 1, line.find("\r\n") - name.size() - 1);
        return std::string(rest.substr(std::min(rest.find_first_not_of(' '), rest.size())));
      }
    }
    return "";
  }
};

class LoopbackClient {
 public:
  explicit LoopbackClient(int port, int timeout_s = 10) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{timeout_s, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  LoopbackClient(const LoopbackClient&) = delete;
  LoopbackClient& operator=(const LoopbackClient&) = delete;
  ~LoopbackClient() { ::close(fd_); }

  bool connected() const { return connected_; }

  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next reply of this connection, by its Content-Length.
  RawReply receive() {
    RawReply reply;
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!more(reply)) return reply;
    }
    reply.head = buffer_.substr(0, end + 2);
    reply.status = std::atoi(reply.head.c_str() + reply.head.find(' '));
    const auto length = static_cast<std::size_t>(std::atol(reply.header("content-length").c_str()));
    while (buffer_.size() < end + 4 + length) {
      if (!more(reply)) return reply;
    }
    reply.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    return reply;
  }

  RawReply request(std::string_view method, std::string_view path, std::string_view body = "",
                   std::string_view headers = "x-api-key: k\r\nContent-Type: application/json\r\n") {
    std::string text;
    text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n").append(headers);
    if (method != "GET") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text.append("\r\n").append(body);
    send(text);
    return receive();
  }

 private:
  bool more(RawReply& reply) {
    char chunk[65536];
    const ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
    reply.closed = got == 0 || (got < 0 && errno == ECONNRESET);
    if (got <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(got));
    reply.bytes += static_cast<std::size_t>(got);
    return true;
  }

  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace reelbatch
