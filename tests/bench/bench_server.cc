// A service for measurements: speaks as much of the auto video API as a run needs, and is fast enough not to be what is
// measured. One thread, one epoll, answers made ahead. Shares no code with what it measures. Jobs never fail. To HEAD
// it is a host of images, of which it has every one.
//
//   bench_server [--jobs N] [--polls K | --takes-ms D [--spread PERCENT]] [--delay-ms D] [--record FILE]
//
// Prints `port N`, serves until SIGTERM, then writes the record: a line `offset NS` (wall clock less monotonic clock),
// and one for each request: when it was read (monotonic ns), what it was (P a submission, G a poll, D a poll that was
// told that the video is done), which job, and when that job's video was ready (ns, 0 if it is counted in polls).

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kPath = "/api/video-editor/generate/video/auto";
constexpr std::int64_t kMs = 1'000'000;

volatile sig_atomic_t stopped = 0;

std::int64_t now_ns(clockid_t clock) {
  timespec reading{};
  ::clock_gettime(clock, &reading);
  return std::int64_t{reading.tv_sec} * 1'000'000'000 + reading.tv_nsec;
}

struct Options {
  std::int64_t jobs = 0;      // that exist from the start and never end
  std::int64_t polls = 0;     // a job ends at its K-th poll
  std::int64_t takes_ms = 0;  // or so long after its submission
  std::int64_t spread = 0;    // give or take so many percent, the same for the n-th job of every run
  std::int64_t delay_ms = 0;  // until a poll is answered
  std::string record;
};

struct Job {
  std::int64_t created = 0;
  std::int64_t polls = 0;
  bool endless = false;
};

struct Entry {
  std::int64_t at;
  std::int64_t ready;
  std::uint32_t job;
  char what;
};

struct Connection {
  std::string in;
  std::uint64_t generation = 0;  // descriptors are used again
};

struct Delayed {
  std::int64_t due;
  int fd;
  std::uint64_t generation;
  std::string reply;
};

std::string id_of(std::uint32_t job) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "00000000-0000-4000-8000-%012x", job);
  return text.data();
}

std::string http(std::string_view status, const std::string& body) {
  std::string reply = "HTTP/1.1 ";
  reply.append(status).append("\r\nContent-Type: application/json\r\nContent-Length: ");
  reply.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return reply;
}

class Server {
 public:
  explicit Server(Options options) : options_(std::move(options)) {
    jobs_.assign(static_cast<std::size_t>(options_.jobs), Job{0, 0, true});
    if (!options_.record.empty()) record_.reserve(1 << 20);
    for (const char* state : {"pending", "success"}) {
      std::string items;
      for (int i = 0; i < 5; ++i) {
        items += i == 0 ? "" : ",";
        items += R"({"id":"0b6c1f0e-91aa-4b8e-8a55-5f0f6a8f2c0)" + std::to_string(i) +
                 R"(","url":"https://img.example.test/photos/)" + std::to_string(i) +
                 R"(.jpg","effect":"CAMERA_PUSH_IN","format":"landscape","category":"living_room",)"
                 R"("text":"A bright living room with a view of the garden","status":")" +
                 state + R"("})";
      }
      (*state == 'p' ? pending_ : success_) = R"("generatedContent":[)" + items + "]";
    }
  }

  bool listen();
  void serve();
  void write_record() const;

 private:
  void accept_all();
  void read_from(int fd);
  void take_requests(int fd, Connection& connection);
  void answer(int fd, const Connection& connection, std::string_view head);
  std::string poll(Job& job, std::uint32_t number, std::int64_t now);
  std::string credits() const;
  std::int64_t takes_ns(std::uint32_t number) const;
  void send(int fd, std::string_view reply);
  void close_one(int fd);
  int send_delayed();

  const Options options_;
  int listener_ = -1;
  int epoll_ = -1;
  std::uint64_t generations_ = 0;
  std::int64_t submissions_ = 0;
  std::string pending_, success_;
  std::vector<Job> jobs_;
  std::vector<Entry> record_;
  std::vector<Connection> connections_;
  std::deque<Delayed> delayed_;  // the delay is the same for all, so the first is due first
};

bool Server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 4096) != 0) {
    return false;
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  epoll_ = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return true;
}

void Server::serve() {
  std::array<epoll_event, 512> events;
  while (stopped == 0) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), send_delayed());
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener_) {
        accept_all();
      } else {
        read_from(fd);
      }
    }
  }
}

void Server::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (static_cast<std::size_t>(fd) >= connections_.size()) connections_.resize(static_cast<std::size_t>(fd) + 1024);
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    connection.in.clear();
    connection.generation = ++generations_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void Server::read_from(int fd) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close_one(fd);
  Connection& connection = connections_[static_cast<std::size_t>(fd)];
  connection.in.append(buffer.data(), static_cast<std::size_t>(got));
  take_requests(fd, connection);
}

void Server::take_requests(int fd, Connection& connection) {
  for (;;) {
    const std::size_t end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string_view head(connection.in.data(), end);
    std::size_t body = 0;
    if (head.starts_with("POST")) {
      std::size_t at = head.find("Content-Length: ");
      if (at == std::string_view::npos) return close_one(fd);
      at += std::strlen("Content-Length: ");
      std::from_chars(head.data() + at, head.data() + head.size(), body);
    }
    if (connection.in.size() < end + 4 + body) return;
    answer(fd, connection, head);
    connection.in.erase(0, end + 4 + body);
  }
}

void Server::answer(int fd, const Connection& connection, std::string_view head) {
  const std::int64_t now = now_ns(CLOCK_MONOTONIC);
  const bool recorded = !options_.record.empty();
  if (head.starts_with("POST ")) {
    const auto number = static_cast<std::uint32_t>(jobs_.size());
    jobs_.push_back({now, 0, false});
    ++submissions_;
    if (recorded) record_.push_back({now, 0, number, 'P'});
    return send(fd, http("201 Created", R"({"id":")" + id_of(number) + R"(","status":"PENDING",)" + pending_ +
                                            R"(,"analysis":{"selections":[]},)" + credits() + "}"));
  }
  if (head.starts_with("HEAD ")) {
    return send(fd, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 200000\r\n\r\n");
  }
  std::uint32_t number = 0;
  const std::size_t at = head.find(kPath);
  const std::size_t digits = at + kPath.size() + 1 + 24;
  bool known = head.starts_with("GET ") && at != std::string_view::npos && head.size() > digits + 12;
  if (known) known = std::from_chars(head.data() + digits, head.data() + digits + 12, number, 16).ec == std::errc{};
  if (!known || number >= jobs_.size()) return send(fd, http("404 Not Found", R"({"error":"not found"})"));
  Job& job = jobs_[number];
  std::string reply = poll(job, number, now);
  const bool done = !job.endless && reply.find(R"("DONE")") != std::string::npos;
  if (recorded) {
    const std::int64_t ready = options_.takes_ms > 0 ? job.created + takes_ns(number) : 0;
    record_.push_back({now, ready, number, done ? 'D' : 'G'});
  }
  if (options_.delay_ms == 0) return send(fd, reply);
  delayed_.push_back({now + options_.delay_ms * kMs, fd, connection.generation, std::move(reply)});
}

/// Clips are made during the first half of a job, the video of them during the second.
std::string Server::poll(Job& job, std::uint32_t number, std::int64_t now) {
  ++job.polls;
  std::int64_t percent = number % 2 == 0 ? 25 : 75;
  if (!job.endless) {
    percent = options_.takes_ms > 0 ? (now - job.created) * 100 / takes_ns(number)
                                    : job.polls * 100 / std::max<std::int64_t>(options_.polls, 1);
  }
  if (percent < 50) return http("200 OK", R"({"status":"GENERATING_VIDEO",)" + pending_ + "," + credits() + "}");
  if (percent < 100) {
    return http("200 OK", R"({"status":"RENDERING_VIDEO","progress":0.)" + std::to_string(percent) + "}");
  }
  return http("200 OK", R"({"status":"DONE","url":"https://cdn.example.test/)" + id_of(number) + R"(.mp4",)" +
                            success_ + "," + credits() + "}");
}

std::int64_t Server::takes_ns(std::uint32_t number) const {
  const std::int64_t percent = 100 - options_.spread + number * 37 % 101 * 2 * options_.spread / 100;
  return options_.takes_ms * kMs * percent / 100;
}

/// The account's figures, which is how the service seems to count.
std::string Server::credits() const {
  return R"("creditsTotal":)" + std::to_string(10'000'000 - submissions_) + R"(,"creditsUsed":)" +
         std::to_string(submissions_);
}

void Server::send(int fd, std::string_view reply) {
  // An answer always fits into an empty send buffer, and each connection has one at a time.
  if (::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) close_one(fd);
}

void Server::close_one(int fd) {
  connections_[static_cast<std::size_t>(fd)].generation = 0;
  connections_[static_cast<std::size_t>(fd)].in.clear();
  ::close(fd);
}

/// Sends what is due. Returns how long to wait for the next, in ms.
int Server::send_delayed() {
  if (delayed_.empty()) return 1000;
  const std::int64_t now = now_ns(CLOCK_MONOTONIC);
  while (!delayed_.empty() && delayed_.front().due <= now) {
    const Delayed next = std::move(delayed_.front());
    delayed_.pop_front();
    if (connections_[static_cast<std::size_t>(next.fd)].generation == next.generation) send(next.fd, next.reply);
  }
  if (delayed_.empty()) return 1000;
  return static_cast<int>((delayed_.front().due - now + kMs - 1) / kMs);
}

void Server::write_record() const {
  if (options_.record.empty()) return;
  std::FILE* file = std::fopen(options_.record.c_str(), "we");
  if (file == nullptr) return;
  std::fprintf(file, "offset %lld\n", static_cast<long long>(now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC)));
  for (const Entry& entry : record_) {
    std::fprintf(file, "%lld %c %u %lld\n", static_cast<long long>(entry.at), entry.what, entry.job,
                 static_cast<long long>(entry.ready));
  }
  std::fclose(file);
}

extern "C" void on_signal(int) {
  stopped = 1;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = words[i + 1];
    if (name == "--jobs") options.jobs = std::atoll(value);
    if (name == "--polls") options.polls = std::atoll(value);
    if (name == "--takes-ms") options.takes_ms = std::atoll(value);
    if (name == "--spread") options.spread = std::atoll(value);
    if (name == "--delay-ms") options.delay_ms = std::atoll(value);
    if (name == "--record") options.record = value;
  }
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  Server server(options);
  if (!server.listen()) {
    std::perror("bench_server");
    return 1;
  }
  server.serve();
  server.write_record();
  return 0;
}
