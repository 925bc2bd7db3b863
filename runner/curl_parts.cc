#include "runner/curl_parts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "runner/wire_text.h"

namespace reelbatch {

void start_curl() {
  static const CURLcode started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    throw std::runtime_error(fmt::format("cannot start libcurl: {}", curl_easy_strerror(started)));
}

// With both a file and a directory set libcurl reads all roots anew for each connection (27 ms and 0.9 MB).
CurlRoots choose_roots(const std::string& ca_file) {
  const curl_version_info_data* built = ::curl_version_info(CURLVERSION_NOW);
  if (!ca_file.empty()) return {ca_file.c_str(), nullptr};
  if (built->cainfo != nullptr && ::access(built->cainfo, R_OK) == 0) return {built->cainfo, nullptr};
  return {nullptr, built->capath};
}

long curl_info(CURL* easy, CURLINFO what) {
  long value = 0;
  ::curl_easy_getinfo(easy, what, &value);
  return value;
}

std::string why_not_connected(CURL* easy, CURLcode result, const std::string& host, const char* own_words,
                              Duration timeout) {
  const std::string words = in_our_words(own_words[0] != '\0' ? own_words : curl_easy_strerror(result));
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("cannot resolve host '{}'", host);
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "proxy has a name that cannot be resolved";
    case CURLE_COULDNT_CONNECT: {
      const auto code = static_cast<int>(curl_info(easy, CURLINFO_OS_ERRNO));
      if (code == ECONNREFUSED) return "connection refused";
      return fmt::format("cannot connect: {}", code != 0 ? in_our_words(std::strerror(code)) : words);
    }
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("timed out after {} while connecting", spell(timeout));
    case CURLE_PEER_FAILED_VERIFICATION:
      return fmt::format("certificate not trusted: {}", words);
    case CURLE_SSL_CACERT_BADFILE:
      return fmt::format("certificate not trusted: cannot read the roots: {}", words);
    case CURLE_SSL_CONNECT_ERROR:
      return fmt::format("tls handshake failed: {}", words);
    default:
      break;
  }
  const long tunnel = curl_info(easy, CURLINFO_HTTP_CONNECTCODE);
  if (tunnel != 0) return fmt::format("proxy refused the connection: it answered {}", tunnel);
  return fmt::format("cannot connect: {}", in_our_words(curl_easy_strerror(result)));
}

}  // namespace reelbatch
