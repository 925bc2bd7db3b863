// ProbeTransport over libcurl. Nothing of an account goes out with it: no key, no cookie, no name and password, neither
// from an address nor from .netrc. Redirects are reported and not followed. Of an answer its head is read, of a GET the
// first piece of the body.
//
// Where a request leads is judged by the address that is connected to, whatever name or form of number it has in the
// text. Behind a proxy (`http_proxy`, `https_proxy`, `all_proxy`) only an address that stands in the text can be
// judged: the proxy looks names up. `no_proxy` does not count, for what it names is inside.
#pragma once

#include <memory>

#include "jobs/error.h"
#include "runner/probe_transport.h"

namespace reelbatch {

struct CurlProbeOptions {
  int max_connections = 20;                     ///< at least 1
  Duration timeout = std::chrono::seconds(10);  ///< for one request, from its start; more than 0
  std::string ca_file;                          ///< PEM file of the roots to trust; empty: the system's
};

class CurlProbe final : public ProbeTransport {
 public:
  ~CurlProbe() override;
  void start(const ProbeRequest& request) override;
  std::size_t open() const override;
  void wait_until(Instant deadline, ProbeHappenings& out) override;

  /// Fails with Fault::Usage on a ca_file without a certificate, with Fault::Ground if too few files may be open or
  /// libcurl does not start. `clock` must outlive it.
  static Result<std::unique_ptr<CurlProbe>> make(const Clock& clock, CurlProbeOptions options);

 private:
  class Impl;
  explicit CurlProbe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reelbatch
