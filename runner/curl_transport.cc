#include "runner/curl_transport.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/answer_reader.h"
#include "runner/curl_parts.h"
#include "runner/poller.h"
#include "runner/transport_checks.h"
#include "runner/wire_text.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;

// libcurl walks all connections of a multi handle for each request, so many connections are spread over several.
constexpr int kConnectionsPerShard = 128;
// Below the idle limit of common servers (60 to 75 s): one that is about to be closed is not worth using again.
constexpr long kIdleConnectionSeconds = 50;
// One TLS record, and the least that libcurl takes. The first piece of a request then always fits into an empty send
// buffer; and a record that left in part cannot be read by anyone.
constexpr long kUploadPiece = 16384;
// Later than this by so much, a process was stopped: its own turns are shorter.
constexpr Duration kStopLeast = std::chrono::seconds(1);

}  // namespace

class CurlTransport::Impl {
 public:
  Impl(const Clock& clock, TransportOptions options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(Exchange exchange);
  std::size_t open() const { return open_; }
  void wait_until(Instant deadline, Happenings& out);

 private:
  struct Shard {
    Impl* owner = nullptr;
    CURLM* multi = nullptr;
    Instant due = kNever;  // when libcurl wants to be called without an event
    int open = 0;
  };

  // Where a request goes, parsed once by libcurl: what is judged is what is asked.
  struct Address {
    CURLU* parsed = nullptr;
    std::string origin;  // the text up to the path if only the path may have to change for the next; else empty
    std::string scheme;
    std::string host;
    bool near = false;  // this machine
  };

  // One exchange while it is open; pooled with its easy handle, which points back to it.
  struct Transfer {
    Impl* owner = nullptr;
    CURL* easy = nullptr;
    Address address;         // of the present or the last exchange
    Shard* shard = nullptr;  // nullptr while in the pool
    Exchange exchange;
    AnswerReader answer;
    std::uint64_t started = 0;    // its number among all
    int readies = 0;              // how often the connection was ready to carry the request
    long size_before = 0;         // REQUEST_SIZE then: above 0 behind a proxy that was asked for a tunnel
    bool connecting = false;      // a connection was begun since
    bool waited_to_send = false;  // libcurl could not hand over all of the request at once
    std::array<char, CURL_ERROR_SIZE> words{};
    void clear();
    bool may_have_left() const;
  };

  // When an exchange has had its time.
  struct Expiry {
    Instant at;  // by a clock that lacks stopped_
    Transfer* transfer;
    std::uint64_t started;
  };

  // An account's headers as libcurl wants them, kept as long as exchanges of the account come.
  struct HeaderLists {
    HeaderSet set;
    curl_slist* get = nullptr;
    curl_slist* post = nullptr;
    bool valid = true;
  };

  void add_shard();

  Shard& shard_for_next();
  Transfer& take_transfer();
  void set_constants(Transfer& transfer);
  std::string prepare(Transfer& transfer);
  const HeaderLists& header_lists(const HeaderSet& set);
  static void free_lists(const HeaderLists& lists);
  static bool set_address(Transfer& transfer);

  static Transfer* transfer_of(CURL* easy);
  static int on_timer(CURLM* multi, long timeout_ms, void* shard) noexcept;
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* shard, void*) noexcept;
  static curl_socket_t open_socket(void* transfer, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int close_socket(void* self, curl_socket_t fd) noexcept;
  static int on_ready(void* transfer, char*, char*, int, int) noexcept;
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* transfer) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* transfer) noexcept;

  bool pause(Duration duration) const;
  bool poll_once(Instant until, Instant now);
  void note_stop(Instant expected);
  void expire();
  void forget_ended();
  void run_timers();
  Instant next_timer() const;

  void reap();
  void finish(Transfer& transfer, CURLcode result);
  std::string describe(const Transfer& transfer, CURLcode result) const;
  std::string describe_answer(const Transfer& transfer, CURLcode result) const;

  const Clock& clock_;
  const TransportOptions options_;
  CurlRoots roots_;
  Poller poller_;  // before all that reports to it
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<Transfer*> pool_;
  std::vector<HeaderLists> header_lists_;
  Happenings gathered_;
  std::size_t open_ = 0;
  Duration turn_;
  Instant turn_ends_ = Instant::min();

  std::deque<Expiry> expiries_;  // all have the same time, so that the oldest is the next; some have ended since
  Duration stopped_{};           // how long this process was kept from running
  std::uint64_t started_ = 0;
};

void CurlTransport::Impl::Transfer::clear() {
  exchange = Exchange{};
  answer.clear();
  readies = 0;
  size_before = 0;
  connecting = waited_to_send = false;
  words[0] = '\0';
}

// REQUEST_SIZE grows with what the first attempt to send handed over. If that was nothing, the rest is sent later and
// counted nowhere: having waited to send is then the only trace.
bool CurlTransport::Impl::Transfer::may_have_left() const {
  return readies > 0 && (waited_to_send || curl_info(easy, CURLINFO_REQUEST_SIZE) != size_before);
}

CurlTransport::Impl::Impl(const Clock& clock, TransportOptions options)
    : clock_(clock), options_(std::move(options)), turn_(options_.turn) {
  start_curl();
  roots_ = choose_roots(options_.ca_file);
  if (options_.wake_fd >= 0) poller_.want(options_.wake_fd, true, false, nullptr);
  const int count = (options_.max_connections + kConnectionsPerShard - 1) / kConnectionsPerShard;
  for (int i = 0; i < std::max(count, 1); ++i) add_shard();
  pool_.push_back(&take_transfer());  // so that a refused option is known now
}

void CurlTransport::Impl::add_shard() {
  Shard& shard = *shards_.emplace_back(std::make_unique<Shard>());
  shard.owner = this;
  shard.multi = ::curl_multi_init();
  if (shard.multi == nullptr) throw std::runtime_error("cannot make a libcurl handle: out of memory");
  ::curl_multi_setopt(shard.multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
  ::curl_multi_setopt(shard.multi, CURLMOPT_SOCKETDATA, &shard);
  ::curl_multi_setopt(shard.multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
  ::curl_multi_setopt(shard.multi, CURLMOPT_TIMERDATA, &shard);
  ::curl_multi_setopt(shard.multi, CURLMOPT_MAXCONNECTS, static_cast<long>(kConnectionsPerShard));
  ::curl_multi_setopt(shard.multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

CurlTransport::Impl::~Impl() {
  for (const auto& transfer : transfers_) {
    if (transfer->shard != nullptr) ::curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
    ::curl_easy_cleanup(transfer->easy);
    ::curl_url_cleanup(transfer->address.parsed);
  }
  // Closes the idle connections, which still report to us.
  for (const auto& shard : shards_) ::curl_multi_cleanup(shard->multi);
  for (const HeaderLists& lists : header_lists_) free_lists(lists);
}

// --- starting -------------------------------------------------------------------------------------------------------

void CurlTransport::Impl::start(Exchange exchange) {
  ++open_;
  Transfer& transfer = take_transfer();
  transfer.exchange = std::move(exchange);
  if (transfer.exchange.list) transfer.answer.expect_list();
  std::string problem = prepare(transfer);
  if (problem.empty()) {
    Shard& shard = shard_for_next();
    const CURLMcode added = ::curl_multi_add_handle(shard.multi, transfer.easy);
    if (added == CURLM_OK) {
      transfer.shard = &shard;
      ++shard.open;
      transfer.started = ++started_;
      expiries_.push_back({clock_.now() - stopped_ + options_.request_timeout, &transfer, transfer.started});
      return;
    }
    problem = fmt::format("cannot send: {}", in_our_words(::curl_multi_strerror(added)));
  }
  Completion& refused = gathered_.completions.emplace_back();
  refused.id = transfer.exchange.id;
  refused.at = clock_.now();
  refused.may_have_left = false;
  refused.error = std::move(problem);
  transfer.clear();
  pool_.push_back(&transfer);
}

// The first with room, so that few exchanges share few connections; when the caller has more open than it announced,
// the one with the least.
CurlTransport::Impl::Shard& CurlTransport::Impl::shard_for_next() {
  Shard* least = shards_.front().get();
  for (const auto& shard : shards_) {
    if (shard->open < kConnectionsPerShard) return *shard;
    if (shard->open < least->open) least = shard.get();
  }
  return *least;
}

CurlTransport::Impl::Transfer& CurlTransport::Impl::take_transfer() {
  if (pool_.empty()) {
    auto made = std::make_unique<Transfer>();
    made->owner = this;
    made->easy = ::curl_easy_init();
    if (made->easy == nullptr) throw std::bad_alloc();
    set_constants(*made);
    pool_.push_back(transfers_.emplace_back(std::move(made)).get());
  }
  Transfer& transfer = *pool_.back();
  pool_.pop_back();
  return transfer;
}

// What is the same for all exchanges. None of these can fail with the libcurl that CMake asks for, but sending without
// one of them could cost money or leak a key.
void CurlTransport::Impl::set_constants(Transfer& transfer) {
  CurlSettings set(transfer.easy);
  set(CURLOPT_PRIVATE, &transfer);
  set(CURLOPT_ERRORBUFFER, transfer.words.data());
  set(CURLOPT_NOSIGNAL, 1);
  set(CURLOPT_QUICK_EXIT, 1);  // never wait for a thread that resolves a name
  set(CURLOPT_USERAGENT, "reelbatch/" REELBATCH_VERSION);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
  set(CURLOPT_TCP_NODELAY, 1);
  set(CURLOPT_MAXAGE_CONN, kIdleConnectionSeconds);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadPiece);
  // Of a host's addresses each gets a part of it. All other time is ours (expire()).
  set(CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(std::chrono::ceil<milliseconds>(options_.request_timeout).count(), 1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1);
  set(CURLOPT_SSL_VERIFYHOST, 2);
  set(CURLOPT_CAINFO, roots_.file);
  set(CURLOPT_CAPATH, roots_.path);
  set(CURLOPT_PROXY_CAINFO, roots_.file);
  set(CURLOPT_PROXY_CAPATH, roots_.path);
  set(CURLOPT_OPENSOCKETFUNCTION, &Impl::open_socket);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
  set(CURLOPT_CLOSESOCKETFUNCTION, &Impl::close_socket);
  set(CURLOPT_CLOSESOCKETDATA, this);
  set(CURLOPT_PREREQFUNCTION, &Impl::on_ready);
  set(CURLOPT_PREREQDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &Impl::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Impl::on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  if (set.code != CURLE_OK)
    throw std::runtime_error(fmt::format("cannot set up libcurl: {}", curl_easy_strerror(set.code)));
}

// What differs from exchange to exchange. Returns why it cannot be sent, or nothing.
std::string CurlTransport::Impl::prepare(Transfer& transfer) {
  const Exchange& exchange = transfer.exchange;
  const bool post = exchange.method == "POST";
  if (!post && exchange.method != "GET") return fmt::format("cannot send: unknown method '{}'", exchange.method);
  const Address& address = transfer.address;
  const bool usable = set_address(transfer) && (address.scheme == "https" || address.scheme == "http");
  if (!usable) return "cannot send: the address is not usable";
  if (address.scheme == "http" && !address.near) {
    return fmt::format("cannot send: '{}' is not this machine, so the address must be https", address.host);
  }
  const HeaderLists& lists = header_lists(exchange.headers);
  if (!lists.valid) return "cannot send: a request header holds a line break";

  CurlSettings set(transfer.easy);
  set(CURLOPT_CURLU, address.parsed);
  set(CURLOPT_PROXY, address.near ? "" : nullptr);  // nullptr: what the environment says
  set(CURLOPT_HTTPHEADER, post ? lists.post : lists.get);
  set(CURLOPT_FRESH_CONNECT, exchange.paid && options_.fresh_paid ? 1 : 0);
  set(post ? CURLOPT_POST : CURLOPT_HTTPGET, 1);
  if (post) {
    set(CURLOPT_POSTFIELDS, exchange.body.data());  // not copied: it lives as long as the transfer
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.body.size()));
  }
  if (set.code == CURLE_OK) return {};
  return fmt::format("cannot send: {}", in_our_words(::curl_easy_strerror(set.code)));
}

const CurlTransport::Impl::HeaderLists& CurlTransport::Impl::header_lists(const HeaderSet& set) {
  for (const HeaderLists& known : header_lists_) {
    if (known.set == set) return known;
  }
  // Those whose account is gone: only we hold them, and no open exchange does.
  std::erase_if(header_lists_, [](const HeaderLists& lists) {
    const bool unused = lists.set != nullptr && lists.set.use_count() == 1;
    if (unused) free_lists(lists);
    return unused;
  });
  HeaderLists& made = header_lists_.emplace_back();
  made.set = set;
  const auto append = [](curl_slist*& list, const char* line) {
    curl_slist* longer = ::curl_slist_append(list, line);
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  };
  append(made.post, "Content-Type: application/json");
  append(made.post, "Expect:");  // libcurl would ask first for large bodies, and send again if told no
  append(made.get, "Expect:");
  if (set == nullptr) return made;
  for (const std::string& line : *set) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) made.valid = false;
    append(made.get, line.c_str());
    append(made.post, line.c_str());
  }
  return made;
}

void CurlTransport::Impl::free_lists(const HeaderLists& lists) {
  ::curl_slist_free_all(lists.get);
  ::curl_slist_free_all(lists.post);
}

// Nearly all exchanges of a run go to one place: mostly only the path is new. To give libcurl a whole address as text,
// which it parses and writes out again, is a fifth of what an exchange costs. False if the address does not parse.
bool CurlTransport::Impl::set_address(Transfer& transfer) {
  Address& address = transfer.address;
  const std::string& url = transfer.exchange.url;
  const std::size_t host = url.find("://");
  const std::size_t slash = host == std::string::npos ? host : url.find('/', host + 3);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '/';
  };
  const bool plain = slash != std::string::npos && slash > host + 3 &&
                     std::all_of(url.begin() + static_cast<std::ptrdiff_t>(slash), url.end(), is_plain);
  if (plain && address.origin == std::string_view(url).substr(0, slash)) {
    return ::curl_url_set(address.parsed, CURLUPART_PATH, url.c_str() + slash, 0) == CURLUE_OK;
  }
  // A new one: an old one would complete what is not whole, and keep a query.
  ::curl_url_cleanup(address.parsed);
  address = Address{};
  address.parsed = ::curl_url();
  if (::curl_url_set(address.parsed, CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return false;
  const auto part = [&address](CURLUPart which) {
    char* text = nullptr;
    if (::curl_url_get(address.parsed, which, &text, 0) != CURLUE_OK) return std::string();
    std::string copy(text);
    ::curl_free(text);
    return copy;
  };
  address.scheme = part(CURLUPART_SCHEME);
  address.host = part(CURLUPART_HOST);
  address.near = is_loopback(address.host);
  if (plain) address.origin = url.substr(0, slash);
  return true;
}

// --- callbacks ------------------------------------------------------------------------------------------------------
// Nothing may be thrown through libcurl: out of memory ends the program here.

CurlTransport::Impl::Transfer* CurlTransport::Impl::transfer_of(CURL* easy) {
  char* user = nullptr;  // the type that curl_easy_getinfo() writes
  ::curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
  return reinterpret_cast<Transfer*>(user);
}

int CurlTransport::Impl::on_timer(CURLM*, long timeout_ms, void* user) noexcept {
  Shard& shard = *static_cast<Shard*>(user);
  shard.due = timeout_ms < 0 ? kNever : shard.owner->clock_.now() + milliseconds(timeout_ms);
  return 0;
}

int CurlTransport::Impl::on_socket(CURL* easy, curl_socket_t fd, int what, void* user, void*) noexcept {
  Shard& shard = *static_cast<Shard*>(user);
  const bool read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  shard.owner->poller_.want(fd, read, write, &shard);
  Transfer* transfer = transfer_of(easy);  // nullptr for libcurl's own, which close connections
  if (transfer != nullptr && write && transfer->readies > 0 && !transfer->connecting) transfer->waited_to_send = true;
  return 0;
}

curl_socket_t CurlTransport::Impl::open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  Impl& self = *transfer.owner;
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  const int send_buffer = self.options_.send_buffer;
  if (send_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  transfer.connecting = true;
  self.poller_.opened(fd);
  return fd;
}

int CurlTransport::Impl::close_socket(void* self, curl_socket_t fd) noexcept {
  static_cast<Impl*>(self)->poller_.closing(fd);
  return ::close(fd);
}

// libcurl calls this just before it sends a request, also when it sends it again by itself.
int CurlTransport::Impl::on_ready(void* user, char*, char*, int, int) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (transfer.may_have_left()) return CURL_PREREQFUNC_ABORT;
  transfer.size_before = curl_info(transfer.easy, CURLINFO_REQUEST_SIZE);
  transfer.connecting = false;
  ++transfer.readies;
  Impl& self = *transfer.owner;
  self.gathered_.ready.push_back({transfer.exchange.id, self.clock_.now()});
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlTransport::Impl::on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
  return static_cast<Transfer*>(user)->answer.add_header({data, size}) ? size : 0;
}

std::size_t CurlTransport::Impl::on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
  return static_cast<Transfer*>(user)->answer.add_body({data, size}) ? size : 0;
}

// --- waiting --------------------------------------------------------------------------------------------------------

void CurlTransport::Impl::wait_until(Instant deadline, Happenings& out) {
  out.clear();
  bool polled = false;
  bool woken = false;
  for (;;) {
    run_timers();
    reap();
    if (polled) expire();
    forget_ended();
    Instant now = clock_.now();
    const bool something = !gathered_.ready.empty() || !gathered_.completions.empty();
    if (polled && (something || woken || deadline <= now)) break;
    if (!polled && now < turn_ends_) {
      // What was started is on its way. Looking at each answer when it comes would wake us once for each.
      woken = pause(turn_ends_ - now);
      now = clock_.now();
    }
    const Instant until = something || woken ? now : std::min(deadline, next_timer());
    woken = poll_once(until, now) || woken;
    note_stop(std::max(until, now));  // a time that was over is none to be late for
    polled = true;
  }
  // As long as it takes for about so many answers to come: each costs less in company, and none waits for a crowd.
  constexpr std::size_t kFew = 8, kMany = 24;
  constexpr Duration kTurnLeast = milliseconds(1);
  const std::size_t answers = gathered_.completions.size();
  if (answers < kFew) turn_ = std::min(2 * turn_, options_.turn);
  if (answers > kMany) turn_ = std::max(turn_ / 2, std::min(kTurnLeast, options_.turn));
  turn_ends_ = clock_.now() + turn_;
  std::swap(out, gathered_);
  open_ -= out.completions.size();
}

// Returns whether the caller is to be woken, as below.
bool CurlTransport::Impl::pause(Duration duration) const {
  pollfd waker{options_.wake_fd, POLLIN, 0};  // one below 0 is no descriptor to poll()
  return ::poll(&waker, 1, static_cast<int>(std::chrono::ceil<milliseconds>(duration).count())) != 0;
}

// Returns whether the caller is to be woken: a signal came, or wake_fd is readable.
bool CurlTransport::Impl::poll_once(Instant until, Instant now) {
  bool woken = false;
  const auto deliver = [&woken](const PollEvent& event) {
    if (event.owner == nullptr) {
      woken = true;
      return;
    }
    // An error comes as what was wanted, so that libcurl reads what arrived before it and then finds it by itself.
    const int bits = (event.readable ? CURL_CSELECT_IN : 0) | (event.writable ? CURL_CSELECT_OUT : 0);
    int running = 0;
    ::curl_multi_socket_action(static_cast<Shard*>(event.owner)->multi, event.fd, bits, &running);
  };
  const bool whole = poller_.wait(until > now ? until - now : Duration::zero(), deliver);
  return woken || !whole;
}

// Called when waiting ended that should have ended at `expected`. Stopped by a debugger, a shell or a
// frozen container, a process comes back to answers that are there and timers that are over: the time does not count,
// and there is a little more of it to read them in.
void CurlTransport::Impl::note_stop(Instant expected) {
  const Instant now = clock_.now();
  if (expected != kNever && now - expected > kStopLeast) stopped_ += now - expected + kStopLeast;
}

// Gives up what has had its time. Sockets have been served just before, so that no answer is thrown away.
void CurlTransport::Impl::expire() {
  const Instant now = clock_.now() - stopped_;
  for (forget_ended(); !expiries_.empty() && expiries_.front().at <= now; forget_ended())
    finish(*expiries_.front().transfer, CURLE_OPERATION_TIMEDOUT);
}

void CurlTransport::Impl::forget_ended() {
  const auto has_ended = [](const Expiry& expiry) {
    return expiry.transfer->shard == nullptr || expiry.transfer->started != expiry.started;
  };
  while (!expiries_.empty() && has_ended(expiries_.front())) expiries_.pop_front();
}

void CurlTransport::Impl::run_timers() {
  const Instant now = clock_.now();
  for (const auto& shard : shards_) {
    if (shard->due > now) continue;
    shard->due = kNever;
    int running = 0;
    ::curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    if (shard->due != kNever) continue;
    // libcurl is silent about a time that it told before, also if we came early for it.
    long left_ms = -1;
    ::curl_multi_timeout(shard->multi, &left_ms);
    if (left_ms >= 0) shard->due = clock_.now() + milliseconds(std::max(left_ms, 1L));
  }
}

Instant CurlTransport::Impl::next_timer() const {
  Instant next = expiries_.empty() ? kNever : expiries_.front().at + stopped_;
  for (const auto& shard : shards_) next = std::min(next, shard->due);
  return next;
}

// --- ending ---------------------------------------------------------------------------------------------------------

void CurlTransport::Impl::reap() {
  for (const auto& shard : shards_) {
    if (shard->open == 0) continue;
    for_each_ended<Transfer>(shard->multi, [this](Transfer& ended, CURLcode result) { finish(ended, result); });
  }
}

void CurlTransport::Impl::finish(Transfer& transfer, CURLcode result) {
  const long status = curl_info(transfer.easy, CURLINFO_RESPONSE_CODE);
  const bool final = status >= 200;
  Completion& done = gathered_.completions.emplace_back();
  done.id = transfer.exchange.id;
  done.at = clock_.now();
  // libcurl reports success also when the connection ends inside the header block.
  done.answered = result == CURLE_OK && final && transfer.answer.headers_whole();
  done.may_have_left = transfer.may_have_left();
  done.status = final ? static_cast<int>(status) : 0;
  done.body = transfer.answer.take_body();
  if (final) {
    done.retry_after = transfer.answer.retry_after();
    done.location = transfer.answer.location();
  }
  if (!done.answered) done.error = describe(transfer, result);

  ::curl_multi_remove_handle(transfer.shard->multi, transfer.easy);
  --transfer.shard->open;
  transfer.shard = nullptr;
  transfer.clear();
  pool_.push_back(&transfer);
}

// Only the words for names, connections and certificates come from libcurl; those for what was read could hold a piece
// of it.
std::string CurlTransport::Impl::describe(const Transfer& transfer, CURLcode result) const {
  if (!transfer.answer.excess().empty()) return std::string(transfer.answer.excess());
  if (transfer.readies > 0) return describe_answer(transfer, result);
  return why_not_connected(transfer.easy, result, transfer.address.host, transfer.words.data(),
                           options_.request_timeout);
}

std::string CurlTransport::Impl::describe_answer(const Transfer& transfer, CURLcode result) const {
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("timed out after {} while waiting for the answer", spell(options_.request_timeout));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return "answer is not http";
    case CURLE_OK:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
      return transfer.answer.began() ? "answer cut short" : "connection closed before the answer";
    case CURLE_OUT_OF_MEMORY:  // what libcurl 7.88.1 calls a header line of more than 100 KiB
      return "answer cut short: a header of it is too long";
    default:
      return fmt::format("answer cut short: {}", in_our_words(curl_easy_strerror(result)));
  }
}

// --- the outside ----------------------------------------------------------------------------------------------------

CurlTransport::CurlTransport(const Clock& clock, TransportOptions options)
    : impl_(std::make_unique<Impl>(clock, std::move(options))) {}
CurlTransport::~CurlTransport() = default;
void CurlTransport::start(Exchange exchange) {
  impl_->start(std::move(exchange));
}
std::size_t CurlTransport::open() const {
  return impl_->open();
}
void CurlTransport::wait_until(Instant deadline, Happenings& out) {
  impl_->wait_until(deadline, out);
}

Result<std::unique_ptr<CurlTransport>> make_curl_transport(const Clock& clock, TransportOptions options) {
  if (options.max_connections < 1) return usage_error("the number of connections must be at least 1");
  if (options.request_timeout <= Duration::zero()) return usage_error("the request timeout must be more than 0");
  if (Result<void> roots = check_roots(options.ca_file); !roots) return tl::unexpected(roots.error());
  if (Result<void> room = make_room_for_files(options.max_connections); !room) return tl::unexpected(room.error());
  try {
    return std::make_unique<CurlTransport>(clock, std::move(options));
  } catch (const std::runtime_error& error) {
    return ground_error(error.what());
  }
}

}  // namespace reelbatch
