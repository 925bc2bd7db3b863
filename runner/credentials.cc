#include "runner/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "runner/command_output.h"

namespace reelbatch {
namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;
constexpr std::size_t kRedactedLeast = 6;
// Any key opens the sandbox, and this one is no secret.
constexpr std::string_view kSandboxKey = "sandbox";

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Result<std::string> from_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return usage_error(
        fmt::format("{0} is {1} in the environment: set it to the account's key (export {0}=...), or "
                    "say in the configuration where the key is ({{file: ...}} or {{command: ...}})",
                    name, value == nullptr ? "not set" : "empty"));
  }
  return value;
}

Result<std::string> read_descriptor(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return usage_error(fmt::format("cannot read it: {}", std::strerror(errno)));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kFileBytesMax) return usage_error("it is longer than 64 KiB: that is no key");
  }
}

Result<std::string> from_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return usage_error(fmt::format("cannot open key file '{}': {}", path, std::strerror(errno)));
  }
  struct stat facts {};
  Result<std::string> text;
  if (fstat(fd, &facts) != 0) {
    text = usage_error(std::strerror(errno));
  } else if (S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0) {
    text = usage_error(
        fmt::format("others may use it (mode {:04o}): run chmod 600 '{}'", unsigned{facts.st_mode & 07777U}, path));
  } else {
    text = read_descriptor(fd);
  }
  close(fd);
  if (!text) return usage_error(fmt::format("key file '{}': {}", path, text.error().message));
  return text;
}

Result<std::string> from_command(const std::string& command, const CommandLimits& limits) {
  Result<std::string> output = command_output(command, limits.time, limits.bytes);
  if (!output) return usage_error(fmt::format("the key command: {}", output.error().message));
  output->resize(std::min(output->find('\n'), output->size()));
  return output;
}

/// How messages call the place, once something was found there.
std::string place_of(const KeySource& source) {
  switch (source.from) {
    case KeySource::From::Env:
      return fmt::format("{} in the environment", source.where);
    case KeySource::From::File:
      return fmt::format("key file '{}'", source.where);
    case KeySource::From::Command:
      break;
  }
  // Not its text: whoever writes `echo` there has written the key.
  return "the first line that the key command prints";
}

Result<std::string> fetch(const KeySource& source, const CommandLimits& limits) {
  switch (source.from) {
    case KeySource::From::Env:
      return from_environment(source.where);
    case KeySource::From::File:
      return from_file(source.where);
    case KeySource::From::Command:
      break;
  }
  return from_command(source.where, limits);
}

Result<std::string> find_secret(const KeySource& source, const CommandLimits& limits) {
  const Result<std::string> found = fetch(source, limits);
  if (!found) return found;
  const std::string_view secret = trim(*found);
  if (secret.empty()) return usage_error(fmt::format("{} is empty: a key is expected", place_of(source)));
  const bool clean = std::all_of(secret.begin(), secret.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!clean) {
    return usage_error(fmt::format(
        "{} is no key: it has line breaks, control characters or letters beyond ASCII inside; copy the key alone",
        place_of(source)));
  }
  return std::string(secret);
}

/// As inside a JSON string; with `solidus` also the escape of / that some writers use.
std::string json_form(std::string_view text, bool solidus) {
  std::string form;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c == '/' && solidus)) form += '\\';
    form += c;
  }
  return form;
}

/// With everything but RFC 3986's unreserved characters encoded.
std::string percent_form(std::string_view text, bool upper_case) {
  std::string form;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      form += c;
    } else {
      const unsigned byte = static_cast<unsigned char>(c);
      form += upper_case ? fmt::format("%{:02X}", byte) : fmt::format("%{:02x}", byte);
    }
  }
  return form;
}

bool blank_out(std::string& text, std::string_view what) {
  const std::size_t first = text.find(what);
  for (std::size_t at = first; at != std::string::npos; at = text.find(what, at + kRedacted.size())) {
    text.replace(at, what.size(), kRedacted);
  }
  return first != std::string::npos;
}

}  // namespace

/// Gathers what a Credentials keeps, so that nothing else can put secrets in or take them out.
class CredentialsBuilder {
 public:
  void add_header(std::string_view header, std::string_view value) {
    lines_.push_back(fmt::format("{}: {}", header, value));
  }

  void add_secret(std::string_view secret) {
    if (secret.size() < kRedactedLeast) return;
    for (std::string form : {std::string(secret), json_form(secret, false), json_form(secret, true),
                             percent_form(secret, true), percent_form(secret, false)}) {
      if (std::find(forms_.begin(), forms_.end(), form) == forms_.end()) forms_.push_back(std::move(form));
    }
  }

  Credentials build() && {
    // Of two secrets one may begin with the other: the longer first, or its end would stay.
    std::stable_sort(forms_.begin(), forms_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    Credentials credentials;
    credentials.headers_ = std::make_shared<const std::vector<std::string>>(std::move(lines_));
    credentials.forms_ = std::move(forms_);
    return credentials;
  }

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> forms_;
};

bool Credentials::redact(std::string& text) const {
  bool found = false;
  for (const std::string& form : forms_) found = blank_out(text, form) || found;
  return found;
}

Result<Credentials> load_credentials(const AccountOptions& account, const CommandLimits& limits) {
  CredentialsBuilder builder;
  for (const CredentialSpec& spec : account.service->credentials) {
    if (account.sandbox) {
      builder.add_header(spec.header, kSandboxKey);
      continue;
    }
    const auto source = account.keys.find(std::string(spec.name));
    const Result<std::string> secret = source == account.keys.end()
                                           ? usage_error(fmt::format("no place is given where it is found"))
                                           : find_secret(source->second, limits);
    if (!secret) {
      return usage_error(fmt::format("account '{}': {}: {}", account.name, spec.name, secret.error().message));
    }
    builder.add_header(spec.header, *secret);
    builder.add_secret(*secret);
  }
  return std::move(builder).build();
}

}  // namespace reelbatch
