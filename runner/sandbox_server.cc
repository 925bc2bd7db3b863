#include "runner/sandbox_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <queue>
#include <string_view>
#include <utility>

#include "runner/sandbox_webhook.h"

namespace reelbatch {
namespace {

constexpr std::size_t kBodyMax = std::size_t{4} << 20U;
constexpr unsigned kConnectionsMax = 4096;

/// A request on its way in, and its answer until it leaves. Owned by libmicrohttpd between uri_seen and completed.
struct Pending {
  std::string uri;
  std::string body;
  bool headers_seen = false;
  bool too_large = false;
  bool decided = false;
  SandboxAnswer answer;
};

/// A suspended connection and when it goes on.
struct Delayed {
  Instant due;
  MHD_Connection* connection = nullptr;
  bool operator>(const Delayed& other) const { return due > other.due; }
};

tl::unexpected<Error> no_socket(Fault fault, int port) {
  return fail(fault, fmt::format("cannot listen on 127.0.0.1:{}: {}", port, std::strerror(errno)));
}

/// A listening socket on loopback; `port` becomes the one it got.
Result<int> listen_on_loopback(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return no_socket(Fault::Ground, port);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t length = sizeof address;
  sockaddr* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, plain, length) != 0 || ::listen(fd, SOMAXCONN) != 0 || ::getsockname(fd, plain, &length) != 0) {
    const auto error = no_socket(Fault::Usage, port);
    ::close(fd);
    return error;
  }
  port = ntohs(address.sin_port);
  return fd;
}

MHD_Result add_header(void* to, enum MHD_ValueKind, const char* name, const char* value) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  static_cast<ServiceRequest*>(to)->headers.emplace_back(std::move(lower), value ? value : "");
  return MHD_YES;
}

/// The path as sent: the services see it percent-encoded, libmicrohttpd would decode it.
ServiceRequest request_of(MHD_Connection* connection, const char* method, Pending& pending) {
  ServiceRequest request;
  request.method = method;
  const std::size_t mark = pending.uri.find('?');
  request.path = pending.uri.substr(0, mark);
  if (mark != std::string::npos) request.query = pending.uri.substr(mark + 1);
  MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request);
  request.body = std::move(pending.body);
  return request;
}

MHD_Result send_reply(MHD_Connection* connection, ServiceReply& reply) {
  MHD_Response* response = MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
  for (const auto& [name, value] : reply.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
  MHD_destroy_response(response);
  return queued;
}

class MicrohttpdServer final : public SandboxServer {
 public:
  MicrohttpdServer(const Clock& clock, SandboxLog log, std::unique_ptr<SandboxCore> core, std::string base_url)
      : clock_(clock), log_(std::move(log)), core_(std::move(core)), base_url_(std::move(base_url)) {}
  MicrohttpdServer(const MicrohttpdServer&) = delete;
  MicrohttpdServer& operator=(const MicrohttpdServer&) = delete;

  ~MicrohttpdServer() override {
    if (!daemon_) return;
    // libmicrohttpd aborts when it is stopped with a suspended connection; the run below may bring new requests.
    stopping_ = true;
    resume_due(kNever);
    MHD_run(daemon_);
    MHD_stop_daemon(daemon_);
  }

  /// Takes `listen_fd` over, whatever happens.
  Result<void> start(int listen_fd);
  const std::string& base_url() const override { return base_url_; }
  Result<void> serve(int stop_fd) override;

 private:
  // The callbacks are noexcept: what they call throws only when memory is exhausted, and there is nothing to go on
  // with.
  static void* uri_seen(void*, const char* uri, MHD_Connection*) noexcept {
    return new Pending{uri, {}, {}, {}, {}, {}};
  }
  static void completed(void*, MHD_Connection*, void** pending, MHD_RequestTerminationCode) noexcept {
    delete static_cast<Pending*>(std::exchange(*pending, nullptr));
  }
  static size_t keep_escapes(void*, MHD_Connection*, char* text) noexcept { return std::strlen(text); }
  static MHD_Result accepts(void* self, const sockaddr*, socklen_t) noexcept {
    const auto& server = *static_cast<MicrohttpdServer*>(self);
    return server.core_->in_outage(server.clock_.now()) ? MHD_NO : MHD_YES;
  }
  static MHD_Result access(void* self, MHD_Connection* connection, const char*, const char* method, const char*,
                           const char* upload, size_t* size, void** pending) noexcept {
    return static_cast<MicrohttpdServer*>(self)->take(connection, method, {upload, *size}, *size,
                                                      *static_cast<Pending*>(*pending));
  }

  MHD_Result take(MHD_Connection* connection, const char* method, std::string_view upload, size_t& left,
                  Pending& pending);
  void decide(MHD_Connection* connection, const char* method, Pending& pending);
  void resume_due(Instant now);
  int timeout_ms() const;

  const Clock& clock_;
  SandboxLog log_;
  std::unique_ptr<SandboxCore> core_;
  std::string base_url_;
  MHD_Daemon* daemon_ = nullptr;
  bool stopping_ = false;
  std::priority_queue<Delayed, std::vector<Delayed>, std::greater<>> delayed_;
};

Result<void> MicrohttpdServer::start(int listen_fd) {
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, accepts, this, access, this,
                             MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK, uri_seen, this,
                             MHD_OPTION_NOTIFY_COMPLETED, completed, this, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
                             this, MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax, MHD_OPTION_END);
  if (daemon_) return {};
  ::close(listen_fd);
  return ground_error(fmt::format("cannot serve on {}: the HTTP server did not start", base_url_));
}

Result<void> MicrohttpdServer::serve(int stop_fd) {
  const int epoll_fd = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  std::array<pollfd, 2> wait = {{{epoll_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  while (!core_->failure()) {
    if (::poll(wait.data(), wait.size(), timeout_ms()) < 0 && errno != EINTR) {
      return ground_error(fmt::format("cannot wait for requests: {}", std::strerror(errno)));
    }
    if (wait[1].revents != 0) return {};
    resume_due(clock_.now());
    MHD_run(daemon_);
    for (const WebhookCall& call : core_->take_webhooks()) call_webhook(call);
  }
  return tl::unexpected(*core_->failure());
}

int MicrohttpdServer::timeout_ms() const {
  constexpr std::int64_t kLongest = 3'600'000;
  std::int64_t timeout = kLongest;
  MHD_UNSIGNED_LONG_LONG wanted = 0;
  if (MHD_get_timeout(daemon_, &wanted) == MHD_YES) {
    timeout = static_cast<std::int64_t>(std::min<unsigned long long>(wanted, kLongest));
  }
  if (!delayed_.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(delayed_.top().due - clock_.now());
    timeout = std::clamp<std::int64_t>(left.count(), 0, timeout);
  }
  return static_cast<int>(timeout);
}

void MicrohttpdServer::resume_due(Instant now) {
  while (!delayed_.empty() && delayed_.top().due <= now) {
    MHD_resume_connection(delayed_.top().connection);
    delayed_.pop();
  }
}

MHD_Result MicrohttpdServer::take(MHD_Connection* connection, const char* method, std::string_view upload, size_t& left,
                                  Pending& pending) {
  if (!std::exchange(pending.headers_seen, true)) return MHD_YES;
  if (!upload.empty()) {
    pending.too_large = pending.too_large || pending.body.size() + upload.size() > kBodyMax;
    if (!pending.too_large) pending.body += upload;
    left = 0;
    return MHD_YES;
  }
  if (!std::exchange(pending.decided, true)) {
    decide(connection, method, pending);
    if (pending.answer.delay > Duration::zero() && !stopping_) {
      MHD_suspend_connection(connection);
      delayed_.push({clock_.now() + pending.answer.delay, connection});
      return MHD_YES;
    }
  }
  return pending.answer.answered ? send_reply(connection, pending.answer.reply) : MHD_NO;
}

void MicrohttpdServer::decide(MHD_Connection* connection, const char* method, Pending& pending) {
  const ServiceRequest request = request_of(connection, method, pending);
  if (pending.too_large) {
    pending.answer.reply = {413, "application/json", R"({"error":"Body too large"})", {}};
  } else {
    pending.answer = core_->handle(request, clock_.now(), clock_.wall());
  }
  if (log_) log_(request, pending.answer);
}

}  // namespace

Result<std::unique_ptr<SandboxServer>> SandboxServer::listen(const SandboxOptions& options, const Clock& clock,
                                                             SandboxLog log) {
  int port = options.port;
  const Result<int> fd = listen_on_loopback(port);
  if (!fd) return tl::unexpected(fd.error());
  std::string base_url = fmt::format("http://127.0.0.1:{}", port);
  auto core = SandboxCore::make(options, base_url, clock.now());
  if (!core) {
    ::close(*fd);
    return tl::unexpected(core.error());
  }
  auto server = std::make_unique<MicrohttpdServer>(clock, std::move(log), std::move(*core), std::move(base_url));
  if (const auto started = server->start(*fd); !started) return tl::unexpected(started.error());
  return server;
}

}  // namespace reelbatch
