// The network by libcurl: HTTP/1.1 exchanges on one thread, each sent at most once. Only curl_*.cc and curl_parts.h
// include curl.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "jobs/error.h"
#include "runner/clock.h"
#include "runner/transport.h"

namespace reelbatch {

struct TransportOptions {
  /// At least 1. How many exchanges the caller will have open at once; more work too, but slower. Decides how many
  /// libcurl handles share the work and how many open files are needed.
  int max_connections = 128;
  /// For one exchange, from its start to the last byte of the answer. More than 0; counted in milliseconds.
  Duration request_timeout = std::chrono::seconds(30);
  /// PEM file of the roots to trust instead of the system's. Empty: the system's.
  std::string ca_file;
  /// Ends wait_until() while it is readable. Its owner drains and closes it. -1: none.
  int wake_fd = -1;
  /// Two returns of wait_until() are so far apart, unless it is woken: answers are looked for once a turn. Where many
  /// come in one, turns get shorter. A deadline that is nearer is met at the turn's end.
  Duration turn = std::chrono::milliseconds(10);
  /// Paid exchanges always open a connection of their own (later exchanges may use it again). A connection that the
  /// server closed while it was idle makes it impossible to know whether the request was read; a new one seldom does.
  /// Not needed for sending at most once: off, that holds as well.
  bool fresh_paid = true;
  /// SO_SNDBUF of each connection in bytes; 0 leaves it to the system. A small one makes requests leave in pieces.
  int send_buffer = 0;
};

/// Transport over libcurl 7.88. What holds for every exchange, paid or not:
///
/// - The request is sent at most once. libcurl would send it again by itself when a connection that was used before
///   dies before the first byte of the answer (https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html is the only place
///   to object). Here it may start again only if not one byte of it had left; else the exchange ends unanswered. A poll
///   costs nothing, but one sent twice would be one that the rate limit never saw.
/// - `Completion::may_have_left` is false only if the connection was never ready, or libcurl handed no byte of the
///   request to it and never waited to do so.
/// - `Completion::answered` needs a complete header block of a final answer, and all of a body whose length is known. A
///   body without a length that the server ends by closing counts as whole, for nobody can tell: the kind checks it.
/// - Only http to this machine and https; TLS 1.2 or newer, verified. Redirects are reported, never followed. Proxies
///   come from the environment (`https_proxy`, `all_proxy`, `no_proxy`), never for localhost, 127.0.0.0/8 and ::1.
/// - An answer is at most 4 MiB, a list 64 MiB, its headers 256 KiB; a longer one ends the exchange unanswered.
///
/// `Completion::error` begins with one of: `cannot resolve host 'x'`, `cannot connect: `, `connection refused`,
/// `timed out after 30 s while connecting`, `timed out after 30 s while waiting for the answer`, `certificate not
/// trusted: `, `tls handshake failed: `, `connection closed before the answer`, `answer cut short`, `answer larger than
/// 4 MiB`, `list larger than 64 MiB`, `answer headers larger than 256 KiB`, `answer is not http`, `proxy `, `cannot
/// send: `. It holds neither header values nor credentials.
class CurlTransport final : public Transport {
 public:
  /// For options that make_curl_transport() would accept. `clock` must outlive it and be monotonic in real time.
  /// Throws std::runtime_error if the system gives no epoll descriptor or libcurl cannot start.
  CurlTransport(const Clock& clock, TransportOptions options);
  /// Abandons what is open, without reports.
  ~CurlTransport() override;

  void start(Exchange exchange) override;
  std::size_t open() const override;
  void wait_until(Instant deadline, Happenings& out) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Checks `options`, raises the soft limit on open files if max_connections needs that, and makes the transport.
///
/// Fails with Fault::Usage on a ca_file that cannot be read or holds no certificate and on values out of range, with
/// Fault::Ground if the hard limit on open files is too low. The limit may have been raised even so.
Result<std::unique_ptr<CurlTransport>> make_curl_transport(const Clock& clock, TransportOptions options);

}  // namespace reelbatch
