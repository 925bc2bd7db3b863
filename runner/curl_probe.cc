#include "runner/curl_probe.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "jobs/unicode.h"
#include "runner/curl_parts.h"
#include "runner/ip_scope.h"
#include "runner/transport_checks.h"
#include "runner/wire_text.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;

/// Of a file whose HEAD is refused. Some servers take a range of one byte for none.
constexpr const char* kFirstBytes = "0-1023";
constexpr std::size_t kHeaderBytesMax = std::size_t{64} << 10;
constexpr int kWaitMaxMs = 1000;
constexpr std::size_t kTypeBytesMost = 80;

std::string text_of(CURL* easy, CURLINFO what) {
  const char* text = nullptr;
  ::curl_easy_getinfo(easy, what, &text);
  return text == nullptr ? std::string() : std::string(text);
}

/// The host of an address as libcurl reads it: numbers in other forms than `127.0.0.1` have become that one. Empty if
/// it cannot be read.
std::string host_as_asked(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> parsed(::curl_url(), &::curl_url_cleanup);
  char* text = nullptr;
  if (::curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  if (::curl_url_get(parsed.get(), CURLUPART_HOST, &text, 0) != CURLUE_OK) return {};
  std::string host(text);
  ::curl_free(text);
  return host;
}

/// What the environment says, as libcurl reads it (https://curl.se/libcurl/c/CURLOPT_PROXY.html), but for `no_proxy`.
/// Empty: none.
std::string proxy_for(const std::string& url) {
  const bool https = ascii_lower(std::string_view(url).substr(0, 6)) == "https:";
  // HTTP_PROXY is what a web server calls a header of its client.
  for (const char* name :
       {https ? "https_proxy" : "http_proxy", https ? "HTTPS_PROXY" : "", "all_proxy", "ALL_PROXY"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string inside_words(const std::string& address, IpScope scope) {
  return fmt::format("leads to {}, {}: no service can fetch it, and it was not asked", address,
                     scope == IpScope::Loopback ? "which is this machine" : "in a private network");
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

class CurlProbe::Impl {
 public:
  Impl(const Clock& clock, CurlProbeOptions options)
      : clock_(clock), options_(std::move(options)), roots_(choose_roots(options_.ca_file)) {
    start_curl();
    multi_ = ::curl_multi_init();
    if (multi_ == nullptr) throw std::runtime_error("cannot make a libcurl handle: out of memory");
    ::curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_connections));
  }
  ~Impl() {
    for (const auto& transfer : transfers_) {
      if (transfer->open) ::curl_multi_remove_handle(multi_, transfer->easy);
      ::curl_easy_cleanup(transfer->easy);
    }
    ::curl_multi_cleanup(multi_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(const ProbeRequest& request);
  std::size_t open() const { return open_; }
  void wait_until(Instant deadline, ProbeHappenings& out);

 private:
  struct Transfer {
    Impl* owner = nullptr;
    CURL* easy = nullptr;
    bool open = false;
    ExchangeId id = 0;
    bool get = false;
    bool connected = false;
    bool stopped = false;     ///< by us, having seen enough
    bool inside_too = false;  ///< what is connected to is not judged
    bool tried = false;       ///< to connect
    std::string inside;       ///< why an address was not connected to
    std::size_t header_bytes = 0;
    bool head_whole = false;  ///< libcurl reports success also where the connection ends inside of the head
    std::optional<std::uint64_t> range_total;
    std::string retry_after;
    std::array<char, CURL_ERROR_SIZE> words{};
  };

  Transfer& take();
  void refuse(const ProbeRequest& request, std::string why, bool leads_inside);
  void finish(Transfer& transfer, CURLcode result);

  static curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept;
  static int on_ready(void* user, char*, char*, int, int) noexcept;
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept;
  static std::size_t on_body(char*, std::size_t, std::size_t, void* user) noexcept;

  const Clock& clock_;
  const CurlProbeOptions options_;
  const CurlRoots roots_;
  CURLM* multi_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  ProbeHappenings gathered_;
  std::size_t open_ = 0;
};

/// One that is not open, set up anew: nothing of an earlier request stays.
CurlProbe::Impl::Transfer& CurlProbe::Impl::take() {
  auto found = std::find_if(transfers_.begin(), transfers_.end(), [](const auto& transfer) { return !transfer->open; });
  if (found == transfers_.end()) {
    auto made = std::make_unique<Transfer>();
    made->easy = ::curl_easy_init();
    if (made->easy == nullptr) throw std::bad_alloc();
    found = transfers_.insert(transfers_.end(), std::move(made));
  }
  Transfer& transfer = **found;
  CURL* const easy = transfer.easy;
  ::curl_easy_reset(easy);
  transfer = Transfer{};
  transfer.owner = this;
  transfer.easy = easy;
  return transfer;
}

void CurlProbe::Impl::start(const ProbeRequest& request) {
  ++open_;
  const std::string host = host_as_asked(request.url);
  const std::optional<IpScope> scope = ip_scope(host);
  if (scope && *scope != IpScope::Global && !request.may_lead_inside) {
    return refuse(request, inside_words(host, *scope), true);
  }
  const std::string proxy = is_loopback(host) ? "" : proxy_for(request.url);
  Transfer& transfer = take();
  transfer.open = true;
  transfer.id = request.id;
  transfer.get = request.get;
  transfer.inside_too = request.may_lead_inside || !proxy.empty();
  CurlSettings set(transfer.easy);
  set(CURLOPT_PRIVATE, &transfer);
  set(CURLOPT_ERRORBUFFER, transfer.words.data());
  set(CURLOPT_NOSIGNAL, 1);
  set(CURLOPT_QUICK_EXIT, 1);  // never wait for a thread that resolves a name
  set(CURLOPT_USERAGENT, "reelbatch/" REELBATCH_VERSION);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_FOLLOWLOCATION, 0);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_CAINFO, roots_.file);
  set(CURLOPT_CAPATH, roots_.path);
  set(CURLOPT_PROXY, proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_OPENSOCKETFUNCTION, &Impl::open_socket);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
  set(CURLOPT_TIMEOUT_MS, std::max<long>(std::chrono::ceil<milliseconds>(options_.timeout).count(), 1));
  set(CURLOPT_PREREQFUNCTION, &Impl::on_ready);
  set(CURLOPT_PREREQDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &Impl::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Impl::on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOBODY, request.get ? 0 : 1);
  if (request.get) set(CURLOPT_HTTPGET, 1);
  if (request.get) set(CURLOPT_RANGE, kFirstBytes);
  if (set.code == CURLE_OK && ::curl_multi_add_handle(multi_, transfer.easy) == CURLM_OK) return;
  transfer.open = false;
  refuse(request, fmt::format("cannot send: {}", in_our_words(::curl_easy_strerror(set.code))), false);
}

/// Reports a request that is not sent.
void CurlProbe::Impl::refuse(const ProbeRequest& request, std::string why, bool leads_inside) {
  ProbeAnswer& refused = gathered_.answers.emplace_back();
  refused.id = request.id;
  refused.at = clock_.now();
  refused.leads_inside = leads_inside;
  refused.error = std::move(why);
}

// ---- callbacks: nothing may be thrown through libcurl ---------------------------------------------------------------

// Of a name with several addresses libcurl tries the next.
curl_socket_t CurlProbe::Impl::open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (const IpScope scope = ip_scope(address->addr); scope != IpScope::Global && !transfer.inside_too) {
    transfer.inside = inside_words(ip_text(address->addr), scope);
    return CURL_SOCKET_BAD;
  }
  transfer.tried = true;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int CurlProbe::Impl::on_ready(void* user, char*, char*, int, int) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  // When a connection that was used before dies, libcurl sends the request again by itself: once more than the host's
  // pace knows of.
  if (transfer.connected) return CURL_PREREQFUNC_ABORT;
  transfer.connected = true;
  transfer.owner->gathered_.ready.push_back({transfer.id, transfer.owner->clock_.now()});
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlProbe::Impl::on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kHeaderBytesMax) return 0;
  const std::string_view line = trimmed({data, size});
  transfer.head_whole = line.empty();  // trailers come behind the body, which is not read
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (same_name(name, "content-range")) transfer.range_total = number(value.substr(value.rfind('/') + 1));
  if (same_name(name, "retry-after")) transfer.retry_after = value;
  return size;
}

// The first piece shows that there is a body; more than that is not wanted.
std::size_t CurlProbe::Impl::on_body(char*, std::size_t, std::size_t, void* user) noexcept {
  static_cast<Transfer*>(user)->stopped = true;
  return 0;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

void CurlProbe::Impl::wait_until(Instant deadline, ProbeHappenings& out) {
  out.ready.clear();
  out.answers.clear();
  for (;;) {
    int running = 0;
    ::curl_multi_perform(multi_, &running);
    for_each_ended<Transfer>(multi_, [this](Transfer& ended, CURLcode result) { finish(ended, result); });
    const Instant now = clock_.now();
    if (!gathered_.answers.empty() || !gathered_.ready.empty() || now >= deadline) break;
    // libcurl waits no longer than its own next time.
    const auto most = std::chrono::ceil<milliseconds>(std::min<Duration>(deadline - now, milliseconds(kWaitMaxMs)));
    ::curl_multi_poll(multi_, nullptr, 0, static_cast<int>(most.count()), nullptr);
  }
  std::swap(out, gathered_);
  open_ -= out.answers.size();
}

void CurlProbe::Impl::finish(Transfer& transfer, CURLcode result) {
  CURL* const easy = transfer.easy;
  ProbeAnswer& answer = gathered_.answers.emplace_back();
  answer.id = transfer.id;
  answer.at = clock_.now();
  answer.connected = transfer.connected;
  if (const long status = curl_info(easy, CURLINFO_RESPONSE_CODE); status >= 200 && transfer.connected) {
    answer.status = static_cast<int>(status);
    const std::string type = text_of(easy, CURLINFO_CONTENT_TYPE);
    answer.content_type =
        ascii_lower(trimmed(std::string_view(type).substr(0, std::min(type.find(';'), kTypeBytesMost))));
    answer.redirect = text_of(easy, CURLINFO_REDIRECT_URL);
    answer.retry_after = std::move(transfer.retry_after);
    curl_off_t length = -1;
    ::curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    answer.size = transfer.range_total;
    // The length of a part is not that of the file.
    if (!answer.size && length >= 0 && status != 206) answer.size = static_cast<std::uint64_t>(length);
  }
  const bool whole = transfer.head_whole && (result == CURLE_OK || (transfer.stopped && result == CURLE_WRITE_ERROR));
  if (!transfer.connected && !transfer.tried && !transfer.inside.empty()) {
    answer.leads_inside = true;
    answer.error = transfer.inside;
  } else if (!transfer.connected && !whole) {
    const std::string url = text_of(easy, CURLINFO_EFFECTIVE_URL);
    answer.error = why_not_connected(easy, result, std::string(host_of(url)), transfer.words.data(), options_.timeout);
  } else if (result == CURLE_OPERATION_TIMEDOUT) {
    answer.error = fmt::format("gives no answer within {}", spell(options_.timeout));
    answer.status = 0;
    answer.timed_out = true;
  } else if (transfer.header_bytes > kHeaderBytesMax) {
    answer.error = "answers with more than 64 KiB of headers";
    answer.status = 0;
  } else if (!whole) {
    answer.error = transfer.header_bytes > 0 ? "breaks its answer off" : "closes the connection without an answer";
    answer.status = 0;
  } else if (answer.status == 0) {
    answer.error = "gives no answer in http";
  }
  ::curl_multi_remove_handle(multi_, easy);
  transfer.open = false;
}

// ---- the outside ----------------------------------------------------------------------------------------------------

CurlProbe::CurlProbe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CurlProbe::~CurlProbe() = default;
void CurlProbe::start(const ProbeRequest& request) {
  impl_->start(request);
}
std::size_t CurlProbe::open() const {
  return impl_->open();
}
void CurlProbe::wait_until(Instant deadline, ProbeHappenings& out) {
  impl_->wait_until(deadline, out);
}

Result<std::unique_ptr<CurlProbe>> CurlProbe::make(const Clock& clock, CurlProbeOptions options) {
  if (Result<void> roots = check_roots(options.ca_file); !roots) return tl::unexpected(roots.error());
  if (Result<void> room = make_room_for_files(options.max_connections); !room) return tl::unexpected(room.error());
  try {
    return std::unique_ptr<CurlProbe>(new CurlProbe(std::make_unique<Impl>(clock, std::move(options))));
  } catch (const std::runtime_error& error) {
    return ground_error(error.what());
  }
}

}  // namespace reelbatch
