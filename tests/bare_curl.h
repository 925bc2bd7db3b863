// libcurl as anyone would use it: what CurlTransport is measured against.
#pragma once

#include <memory>
#include <string>

namespace reelbatch {

struct BareOptions {
  bool http2 = false;
  std::string ca_file;
  int send_buffer = 0;  ///< SO_SNDBUF of its connections; 0 leaves it
  long timeout_ms = 5000;
};

struct BareResult {
  int code = 0;  ///< CURLcode
  long status = 0;
  long request_size = 0;  ///< CURLINFO_REQUEST_SIZE
};

/// One easy handle with its connections.
class BareCurl {
 public:
  explicit BareCurl(BareOptions options);
  ~BareCurl();
  BareResult get(const std::string& url);
  /// Sends `X-Marker: marker`.
  BareResult post(const std::string& url, const std::string& marker, const std::string& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reelbatch
