// What everything that speaks libcurl here has in common. Private to curl_*.cc and video_fetcher.cc.
//
// Not the loop: CurlTransport has thousands of connections in epoll, spread over handles, and gathers answers for a
// turn; CurlProbe and VideoFetcher have a few, and let libcurl wait.
#pragma once

#include <curl/curl.h>

#include <string>
#include <type_traits>

#include "runner/clock.h"

namespace reelbatch {

/// Sets options and remembers the first that was refused.
struct CurlSettings {
  explicit CurlSettings(CURL* handle) : easy(handle) {}
  template <typename Value>
  void operator()(CURLoption option, Value value) {
    CURLcode set = CURLE_OK;
    if constexpr (std::is_same_v<Value, int>) {
      set = ::curl_easy_setopt(easy, option, static_cast<long>(value));  // it reads a long, whatever was given
    } else {
      set = ::curl_easy_setopt(easy, option, value);
    }
    if (code == CURLE_OK) code = set;
  }
  CURL* easy;
  CURLcode code = CURLE_OK;
};

/// Makes sure that libcurl is ready. Throws std::runtime_error if it cannot be.
void start_curl();

/// The certificates to trust: one of the two, as libcurl takes it.
struct CurlRoots {
  const char* file = nullptr;
  const char* path = nullptr;
};
/// `ca_file`, which must outlive the result, or the system's if it is empty.
CurlRoots choose_roots(const std::string& ca_file);

long curl_info(CURL* easy, CURLINFO what);

/// Hands on each transfer that has ended: what its CURLOPT_PRIVATE points to, and how. Which may take it off the
/// handle.
template <typename Transfer, typename Ended>
void for_each_ended(CURLM* multi, Ended ended) {
  int left = 0;
  while (const CURLMsg* message = ::curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    char* user = nullptr;  // the type that curl_easy_getinfo() writes
    ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    ended(*reinterpret_cast<Transfer*>(user), result);
  }
}

/// Why no connection came about, for people: `cannot resolve host 'x'`, `connection refused`, and so on.
///
/// words    libcurl's own about this transfer, or empty.
/// timeout  of the exchange.
std::string why_not_connected(CURL* easy, CURLcode result, const std::string& host, const char* words,
                              Duration timeout);

}  // namespace reelbatch
