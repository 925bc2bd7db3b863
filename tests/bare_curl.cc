#include "tests/bare_curl.h"

#include <curl/curl.h>
#include <sys/socket.h>

namespace reelbatch {
namespace {

std::size_t swallow(char*, std::size_t, std::size_t size, void*) {
  return size;
}

int shrink_send_buffer(void* user, curl_socket_t fd, curlsocktype) {
  const int size = *static_cast<int*>(user);
  if (size > 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return CURL_SOCKOPT_OK;
}

}  // namespace

struct BareCurl::Impl {
  BareOptions options;
  CURL* easy = ::curl_easy_init();

  BareResult perform(const std::string& url) {
    ::curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, options.timeout_ms);
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &swallow);
    ::curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &shrink_send_buffer);
    ::curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, &options.send_buffer);
    const long version = options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    ::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    if (!options.ca_file.empty()) ::curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    BareResult result;
    result.code = ::curl_easy_perform(easy);
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result.status);
    ::curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &result.request_size);
    return result;
  }
};

BareCurl::BareCurl(BareOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
BareCurl::~BareCurl() {
  ::curl_easy_cleanup(impl_->easy);
}

BareResult BareCurl::get(const std::string& url) {
  ::curl_easy_setopt(impl_->easy, CURLOPT_HTTPGET, 1L);
  return impl_->perform(url);
}

BareResult BareCurl::post(const std::string& url, const std::string& marker, const std::string& body) {
  curl_slist* headers = ::curl_slist_append(nullptr, ("X-Marker: " + marker).c_str());
  headers = ::curl_slist_append(headers, "Expect:");
  ::curl_easy_setopt(impl_->easy, CURLOPT_POSTFIELDS, body.c_str());
  ::curl_easy_setopt(impl_->easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  ::curl_easy_setopt(impl_->easy, CURLOPT_HTTPHEADER, headers);
  const BareResult result = impl_->perform(url);
  ::curl_easy_setopt(impl_->easy, CURLOPT_HTTPHEADER, nullptr);
  ::curl_slist_free_all(headers);
  return result;
}

}  // namespace reelbatch
