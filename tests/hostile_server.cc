#include "tests/hostile_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

int number_after(const std::string& word, const std::string& line) {
  if (!line.starts_with(word + " ")) throw std::runtime_error("the hostile server did not start: '" + line + "'");
  return std::stoi(line.substr(word.size() + 1));
}

std::string blocking_get(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char piece[65536];
    for (ssize_t got = 0; (got = ::read(fd, piece, sizeof piece)) > 0;)
      answer.append(piece, static_cast<std::size_t>(got));
  }
  ::close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) throw std::runtime_error("the hostile server does not answer " + path);
  return answer.substr(body + 4);
}

std::string make_certificate(const std::string& path, const std::string& names) {
  const int code = run_program({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=hostile",
                                "-addext", "subjectAltName=" + names, "-keyout", path + ".key", "-out", path});
  if (code != 0) throw std::runtime_error("openssl cannot make " + path);
  return path;
}

}  // namespace

HostileServer::HostileServer(std::vector<std::string> arguments, const std::string& script) {
  std::vector<std::string> argv = {"/usr/bin/python3",
                                   (std::filesystem::path(FIXTURES).parent_path() / script).string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  process_ = std::make_unique<ChildProcess>(argv);
  port_ = number_after("PORT", process_->read_line());
  control_ = number_after("CONTROL", process_->read_line());
}

std::string HostileServer::url(const std::string& path, const std::string& origin) const {
  return fmt::format("{}:{}{}", origin, port_, path);
}

std::string HostileServer::control(const std::string& path) const {
  return blocking_get(control_, path);
}

std::vector<Received> HostileServer::log() const {
  std::vector<Received> all;
  simdjson::dom::parser parser;
  const std::string text = control("/__log");
  for (const simdjson::dom::element item : parser.parse(text)["requests"].get_array()) {
    Received& one = all.emplace_back();
    one.method = std::string_view(item["method"]);
    one.path = std::string_view(item["path"]);
    one.marker = std::string_view(item["marker"]);
    one.connection = static_cast<int>(std::int64_t(item["connection"]));
    one.nth = static_cast<int>(std::int64_t(item["nth"]));
    for (const auto& [name, value] : item["headers"].get_object()) {
      one.headers[std::string(name)] = std::string_view(value);
    }
  }
  return all;
}

int HostileServer::connections() const {
  simdjson::dom::parser parser;
  const std::string text = control("/__log");
  return static_cast<int>(std::int64_t(parser.parse(text)["connections"]));
}

int HostileServer::arrivals(const std::string& marker) const {
  const std::vector<Received> all = log();
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const Received& r) { return r.marker == marker; }));
}

const Certificates& certificates() {
  static const ScopedFolder folder;
  static const Certificates made = [] {
    const std::string names = "DNS:localhost,IP:127.0.0.1,DNS:tunnel.invalid";
    const auto in_folder = [](const char* name) { return (folder.path() / name).string(); };
    Certificates c;
    c.good = make_certificate(in_folder("good.pem"), names);
    c.other = make_certificate(in_folder("other.pem"), names);
    c.wrong = make_certificate(in_folder("wrong.pem"), "DNS:elsewhere.invalid");
    c.empty = folder.write("empty.pem", "nothing\n");
    return c;
  }();
  return made;
}

std::vector<std::string> serving(const std::string& certificate) {
  return {"--cert", certificate, "--key", certificate + ".key"};
}

}  // namespace reelbatch
