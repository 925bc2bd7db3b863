// The least that polling through libcurl can cost: curl_multi_socket_action on epoll, GETs on kept connections, answers
// gathered and thrown away. No limits, no jobs, no record: what a comparison with reelbatch subtracts from it.
//
//   bare_loop BASE_URL JOBS REQUESTS OPEN
//
// Polls jobs 0 to JOBS-1 in turn, OPEN at a time, until REQUESTS were answered with 200. Handles are pooled, libcurl's
// timeout is epoll's, and a descriptor stays in epoll until an event comes that nobody wants.

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kShard = 128;  // libcurl walks all connections of a handle for each request

struct Loop;

struct Shard {
  Loop* loop = nullptr;
  CURLM* multi = nullptr;
  Clock::time_point due = Clock::time_point::max();
};

struct Transfer {
  CURL* easy = nullptr;
  Shard* shard = nullptr;
  std::string body;
};

struct Watched {
  Shard* shard = nullptr;
  unsigned wanted = 0;
  unsigned armed = 0;
};

struct Loop {
  int epoll = ::epoll_create1(0);
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::unique_ptr<Transfer>> transfers;
  std::vector<Watched> watched;
  std::string base;
  long jobs = 1, requests = 0, started = 0, answered = 0, wrong = 0;

  Watched& at(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watched.size()) watched.resize(index + 256);
    return watched[index];
  }
  void start(Transfer& transfer);
  void reap(Shard& shard);
  void run();
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  static_cast<Transfer*>(user)->body.append(data, size);
  return size;
}

int on_timer(CURLM*, long timeout_ms, void* user) {
  auto& shard = *static_cast<Shard*>(user);
  shard.due = timeout_ms < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

int on_socket(CURL*, curl_socket_t fd, int what, void* user, void*) {
  auto& shard = *static_cast<Shard*>(user);
  Watched& state = shard.loop->at(fd);
  state.shard = &shard;
  if (what == CURL_POLL_REMOVE) {
    state.wanted = 0;
    return 0;
  }
  state.wanted = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
  if (state.wanted == state.armed) return 0;
  epoll_event event{};
  event.events = state.wanted;
  event.data.fd = fd;
  ::epoll_ctl(shard.loop->epoll, state.armed == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  state.armed = state.wanted;
  return 0;
}

int on_close(void* user, curl_socket_t fd) {
  static_cast<Loop*>(user)->at(fd) = Watched{};
  return ::close(fd);
}

void Loop::start(Transfer& transfer) {
  std::array<char, 40> id{};
  std::snprintf(id.data(), id.size(), "00000000-0000-4000-8000-%012lx", started++ % jobs);
  const std::string url = base + "/api/video-editor/generate/video/auto/" + id.data();
  transfer.body.clear();
  ::curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
  ::curl_multi_add_handle(transfer.shard->multi, transfer.easy);
}

void Loop::reap(Shard& shard) {
  int left = 0;
  while (const CURLMsg* message = ::curl_multi_info_read(shard.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    long status = 0;
    char* user = nullptr;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
    wrong += message->data.result != CURLE_OK || status != 200;
    ++answered;
    ::curl_multi_remove_handle(shard.multi, easy);
    if (started < requests) start(*reinterpret_cast<Transfer*>(user));
  }
}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (answered < requests) {
    auto due = Clock::time_point::max();
    for (const auto& shard : shards) {
      int running = 0;
      if (shard->due <= Clock::now()) {
        shard->due = Clock::time_point::max();
        ::curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        reap(*shard);
      }
      due = std::min(due, shard->due);
    }
    int wait = 1000;
    if (due != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
      wait = left < 0 ? 0 : left > 1000 ? 1000 : static_cast<int>(left);
    }
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), wait);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Watched& state = at(event.data.fd);
      if (state.wanted == 0) {
        ::epoll_ctl(epoll, EPOLL_CTL_DEL, event.data.fd, nullptr);
        state.armed = 0;
        continue;
      }
      int running = 0;
      ::curl_multi_socket_action(state.shard->multi, event.data.fd,
                                 (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                     (event.events & ~static_cast<unsigned>(EPOLLOUT) ? CURL_CSELECT_IN : 0),
                                 &running);
    }
    for (const auto& shard : shards) reap(*shard);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::fprintf(stderr, "usage: bare_loop BASE_URL JOBS REQUESTS OPEN\n");
    return 2;
  }
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
  Loop loop;
  loop.base = words[1];
  loop.jobs = std::atol(words[2]);
  loop.requests = std::atol(words[3]);
  const int open = std::atoi(words[4]);
  curl_slist* headers = ::curl_slist_append(nullptr, "x-api-key: bench");
  for (int i = 0; i < (open + kShard - 1) / kShard; ++i) {
    Shard& shard = *loop.shards.emplace_back(std::make_unique<Shard>());
    shard.loop = &loop;
    shard.multi = ::curl_multi_init();
    ::curl_multi_setopt(shard.multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    ::curl_multi_setopt(shard.multi, CURLMOPT_SOCKETDATA, &shard);
    ::curl_multi_setopt(shard.multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    ::curl_multi_setopt(shard.multi, CURLMOPT_TIMERDATA, &shard);
    ::curl_multi_setopt(shard.multi, CURLMOPT_MAXCONNECTS, static_cast<long>(kShard));
  }
  for (int i = 0; i < open; ++i) {
    Transfer& transfer = *loop.transfers.emplace_back(std::make_unique<Transfer>());
    transfer.easy = ::curl_easy_init();
    transfer.shard = loop.shards[static_cast<std::size_t>(i / kShard)].get();
    ::curl_easy_setopt(transfer.easy, CURLOPT_PRIVATE, &transfer);
    ::curl_easy_setopt(transfer.easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(transfer.easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    ::curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, headers);
    ::curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, &on_body);
    ::curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, &transfer);
    ::curl_easy_setopt(transfer.easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
    ::curl_easy_setopt(transfer.easy, CURLOPT_CLOSESOCKETDATA, &loop);
    loop.start(transfer);
  }
  loop.run();
  std::printf("%ld answered, %ld wrong\n", loop.answered, loop.wrong);
  std::fflush(stdout);
  _exit(loop.wrong == 0 ? 0 : 1);  // the system takes back connections and memory faster than we can
}
