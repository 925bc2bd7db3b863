// tests/hostile.py and tests/hostile_h2.py as objects, and certificates for them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/child_process.h"

namespace reelbatch {

/// A request as it reached the server. `nth` on its connection, from 1; header names in lower case.
struct Received {
  std::string method;
  std::string path;
  std::string marker;
  int connection = 0;
  int nth = 0;
  std::map<std::string, std::string> headers;
};

class HostileServer {
 public:
  /// Starts `script` of tests/ with `arguments`; with a certificate it serves TLS. Throws if it does not come up.
  explicit HostileServer(std::vector<std::string> arguments = {}, const std::string& script = "hostile.py");

  int port() const { return port_; }
  /// `http://127.0.0.1:PORT/path`, or with another beginning.
  std::string url(const std::string& path, const std::string& origin = "http://127.0.0.1") const;
  /// Everything received since the start, in order.
  std::vector<Received> log() const;
  int connections() const;
  /// How often `marker` arrived.
  int arrivals(const std::string& marker) const;
  /// GET of a control path, waited for; returns the body.
  std::string control(const std::string& path) const;

 private:
  std::unique_ptr<ChildProcess> process_;
  int port_ = 0;
  int control_ = 0;
};

/// Self-signed certificates, made once a run by the openssl program, each with its key in `<path>.key`.
struct Certificates {
  std::string good;   ///< for localhost, 127.0.0.1 and tunnel.invalid
  std::string other;  ///< the same names, another key
  std::string wrong;  ///< for elsewhere.invalid
  std::string empty;  ///< a file without a certificate
};
const Certificates& certificates();
std::vector<std::string> serving(const std::string& certificate);

}  // namespace reelbatch
