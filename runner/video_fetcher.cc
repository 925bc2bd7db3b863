#include "runner/video_fetcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

#include "jobs/retry_after.h"
#include "jobs/unicode.h"
#include "runner/curl_parts.h"
#include "runner/wire_text.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kConnectTime{15};
/// Slower than this for so long, it is given up.
constexpr long kSlowBytes = 10 * 1024, kSlowSeconds = 30;
constexpr std::chrono::minutes kWholeMost{30};
constexpr long kRedirectsMax = 5;
constexpr int kWaitMaxMs = 1000;

bool is_status_of_the_moment(long status) {
  return status == 429 || status >= 500;
}

/// What is certainly no video. Many servers name no type, or `application/octet-stream`.
bool is_other_type(std::string_view type) {
  const std::string lower = ascii_lower(trimmed(type.substr(0, type.find(';'))));
  return lower.starts_with("text/") || lower.starts_with("image/") || lower.ends_with("json") ||
         lower.ends_with("xml") || lower.ends_with("html");
}

/// Whether an answer begins as a page or JSON does, and no video file.
bool begins_as_words(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '<' || body[first] == '{');
}

}  // namespace

class VideoFetcher::Impl {
 public:
  Impl(const Clock& clock, FetcherOptions options)
      : clock_(clock), options_(std::move(options)), roots_(choose_roots(options_.ca_file)) {
    start_curl();
    multi_ = ::curl_multi_init();
    if (multi_ == nullptr) throw std::runtime_error("cannot make a libcurl handle: out of memory");
  }
  ~Impl() {
    for (const auto& transfer : transfers_) {
      ::curl_multi_remove_handle(multi_, transfer->easy);
      ::curl_easy_cleanup(transfer->easy);
      close_file(*transfer);
      ::unlink(transfer->path.c_str());
    }
    ::curl_multi_cleanup(multi_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  bool has_room() const { return open() < static_cast<std::size_t>(options_.at_once); }
  std::size_t open() const { return transfers_.size() + answers_.size(); }
  void start(std::size_t id, const std::string& url, const std::string& path);
  std::vector<FetchAnswer> wait(Instant deadline);

 private:
  struct Transfer {
    Impl* owner = nullptr;
    CURL* easy = nullptr;
    std::size_t id = 0;
    std::string path;
    int file = -1;
    std::uint64_t bytes = 0;
    bool judged = false;   ///< the head of its answer
    bool encoded = false;  ///< as gzip or the like
    std::string refused;   ///< by us
    std::string retry_after;
    std::array<char, CURL_ERROR_SIZE> words{};
  };

  static void close_file(Transfer& transfer) {
    if (transfer.file >= 0) ::close(transfer.file);
    transfer.file = -1;
  }
  void refuse(std::size_t id, std::string why, bool may_change);
  bool judge(Transfer& transfer) const;
  void finish(Transfer& transfer, CURLcode result);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) noexcept;

  const Clock& clock_;
  const FetcherOptions options_;
  const CurlRoots roots_;
  CURLM* multi_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<FetchAnswer> answers_;
};

void VideoFetcher::Impl::refuse(std::size_t id, std::string why, bool may_change) {
  FetchAnswer& answer = answers_.emplace_back();
  answer.id = id;
  answer.error = std::move(why);
  answer.may_change = may_change;
}

void VideoFetcher::Impl::start(std::size_t id, const std::string& url, const std::string& path) {
  auto transfer = std::make_unique<Transfer>();
  transfer->owner = this;
  transfer->id = id;
  transfer->path = path;
  transfer->file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (transfer->file < 0)
    return refuse(id, fmt::format("cannot be written to {}: {}", path, std::strerror(errno)), false);
  // What another run is writing is not to be cut under its hands.
  if (::flock(transfer->file, LOCK_EX | LOCK_NB) != 0 || ::ftruncate(transfer->file, 0) != 0) {
    close_file(*transfer);
    return refuse(id, "is being fetched by another run", true);
  }
  transfer->easy = ::curl_easy_init();
  if (transfer->easy == nullptr) throw std::bad_alloc();
  const bool is_here = url.starts_with("http://") && is_loopback(host_of(url));
  CurlSettings set(transfer->easy);
  set(CURLOPT_PRIVATE, transfer.get());
  set(CURLOPT_ERRORBUFFER, transfer->words.data());
  set(CURLOPT_NOSIGNAL, 1);
  set(CURLOPT_QUICK_EXIT, 1);
  set(CURLOPT_USERAGENT, "reelbatch/" REELBATCH_VERSION);
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, is_here ? "http,https" : "https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, is_here ? "http,https" : "https");
  set(CURLOPT_FOLLOWLOCATION, 1);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_CAINFO, roots_.file);
  set(CURLOPT_CAPATH, roots_.path);
  if (is_here) set(CURLOPT_PROXY, "");
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(milliseconds(kConnectTime).count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds(kWholeMost).count()));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
  set(CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  set(CURLOPT_HEADERFUNCTION, &Impl::on_header);
  set(CURLOPT_HEADERDATA, transfer.get());
  set(CURLOPT_WRITEFUNCTION, &Impl::on_body);
  set(CURLOPT_WRITEDATA, transfer.get());
  set(CURLOPT_HTTPGET, 1);
  if (set.code != CURLE_OK || ::curl_multi_add_handle(multi_, transfer->easy) != CURLM_OK) {
    refuse(id, fmt::format("cannot ask: {}", in_our_words(::curl_easy_strerror(set.code))), false);
    ::curl_easy_cleanup(transfer->easy);
    close_file(*transfer);
    ::unlink(path.c_str());
    return;
  }
  transfers_.push_back(std::move(transfer));
}

// ---- callbacks: nothing may be thrown through libcurl ---------------------------------------------------------------

std::size_t VideoFetcher::Impl::on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::string_view line = trimmed({data, size});
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {  // those of a redirect are not of the answer
    transfer.retry_after.clear();
    transfer.encoded = false;
  }
  if (colon != std::string_view::npos && same_name(line.substr(0, colon), "content-encoding"))
    transfer.encoded = !same_name(trimmed(line.substr(colon + 1)), "identity");
  if (colon != std::string_view::npos && same_name(line.substr(0, colon), "retry-after"))
    transfer.retry_after = trimmed(line.substr(colon + 1));
  return size;
}

std::size_t VideoFetcher::Impl::on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (!transfer.owner->judge(transfer)) return 0;
  if (transfer.bytes == 0 && begins_as_words({data, size})) {
    transfer.refused = "is no video: a page or a message came";
    return 0;
  }
  transfer.bytes += size;
  if (transfer.bytes > transfer.owner->options_.size_max) {
    transfer.refused = "has more bytes than a video should have";
    return 0;
  }
  for (std::size_t done = 0; done < size;) {
    const ssize_t wrote = ::write(transfer.file, data + done, size - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      transfer.refused = fmt::format("cannot be written to {}: {}", transfer.path, std::strerror(errno));
      return 0;
    }
    done += static_cast<std::size_t>(wrote);
  }
  return size;
}

/// Whether what comes now is to be kept. Bodies of redirects never come.
bool VideoFetcher::Impl::judge(Transfer& transfer) const {
  if (std::exchange(transfer.judged, true)) return transfer.refused.empty();
  const long status = curl_info(transfer.easy, CURLINFO_RESPONSE_CODE);
  const char* type = nullptr;
  ::curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_TYPE, &type);
  if (status != 200) {
    transfer.refused = fmt::format("is answered {}", status);
  } else if (transfer.encoded) {
    transfer.refused = "is answered in an encoding that was not asked for";
  } else if (type != nullptr && is_other_type(type)) {
    transfer.refused = fmt::format("is no video: the answer is of the type {}", printable(type, 80));
  }
  return transfer.refused.empty();
}

// ---- waiting --------------------------------------------------------------------------------------------------------

std::vector<FetchAnswer> VideoFetcher::Impl::wait(Instant deadline) {
  for (;;) {
    int running = 0;
    ::curl_multi_perform(multi_, &running);
    for_each_ended<Transfer>(multi_, [this](Transfer& ended, CURLcode result) { finish(ended, result); });
    const Instant now = clock_.now();
    if (!answers_.empty() || now >= deadline) return std::exchange(answers_, {});
    const auto most = std::chrono::ceil<milliseconds>(std::min<Duration>(deadline - now, milliseconds(kWaitMaxMs)));
    curl_waitfd wake{options_.wake_fd, CURL_WAIT_POLLIN, 0};
    ::curl_multi_poll(multi_, &wake, options_.wake_fd >= 0 ? 1 : 0, static_cast<int>(most.count()), nullptr);
    if (wake.revents != 0) return std::exchange(answers_, {});
  }
}

void VideoFetcher::Impl::finish(Transfer& transfer, CURLcode result) {
  FetchAnswer answer;
  answer.id = transfer.id;
  answer.bytes = transfer.bytes;
  const long status = curl_info(transfer.easy, CURLINFO_RESPONSE_CODE);
  if (result == CURLE_OK) judge(transfer);  // an answer without a body
  if (!transfer.refused.empty()) {
    answer.error = transfer.refused;
    answer.may_change = is_status_of_the_moment(status);
    const auto wait = parse_retry_after(transfer.retry_after, clock_.wall());
    if (answer.may_change && wait) answer.retry_after = *wait;
  } else if (result == CURLE_TOO_MANY_REDIRECTS || result == CURLE_UNSUPPORTED_PROTOCOL ||
             result == CURLE_URL_MALFORMAT) {
    answer.error = fmt::format("cannot be fetched: {}", in_our_words(transfer.words.data()));
  } else if (result != CURLE_OK) {
    answer.error =
        fmt::format("cannot be fetched: {}",
                    in_our_words(transfer.words[0] != '\0' ? transfer.words.data() : ::curl_easy_strerror(result)));
    answer.may_change = true;
    answer.no_answer = status == 0;
  } else if (transfer.bytes == 0) {
    answer.error = "is empty";
    answer.may_change = true;
  } else if (::fsync(transfer.file) != 0) {
    answer.error = fmt::format("cannot be written to {}: {}", transfer.path, std::strerror(errno));
  }
  close_file(transfer);
  if (!answer.error.empty()) ::unlink(transfer.path.c_str());
  answers_.push_back(std::move(answer));
  ::curl_multi_remove_handle(multi_, transfer.easy);
  ::curl_easy_cleanup(transfer.easy);
  std::erase_if(transfers_, [&](const auto& candidate) { return candidate.get() == &transfer; });
}

VideoFetcher::VideoFetcher(const Clock& clock, FetcherOptions options)
    : impl_(std::make_unique<Impl>(clock, std::move(options))) {}
VideoFetcher::~VideoFetcher() = default;
bool VideoFetcher::has_room() const {
  return impl_->has_room();
}
std::size_t VideoFetcher::open() const {
  return impl_->open();
}
void VideoFetcher::start(std::size_t id, const std::string& url, const std::string& path) {
  impl_->start(id, url, path);
}
std::vector<FetchAnswer> VideoFetcher::wait(Instant deadline) {
  return impl_->wait(deadline);
}

}  // namespace reelbatch
