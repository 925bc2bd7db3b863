#include "runner/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "jobs/registry.h"
#include "runner/durations.h"

namespace reelbatch {
namespace {

constexpr int kMaxInFlight = 20;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Views into the text they were cut from.
struct UrlParts {
  std::string_view scheme;
  std::string_view host;  ///< with brackets if it is an IPv6 address
  std::string_view port;  ///< empty if there is none
};

/// Cuts `scheme://host[:port][/path]`; nothing else is promised of the parts.
std::optional<UrlParts> cut_url(std::string_view url) {
  UrlParts parts;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  parts.scheme = url.substr(0, colon);
  std::string_view authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find('/'));
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = authority.substr(0, port);
  if (port != std::string_view::npos) {
    parts.port = authority.substr(port + 1);
    if (parts.port.empty()) return std::nullopt;
  }
  return parts;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    const std::string_view inside = host.substr(1, host.size() - 2);
    return inside.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  };
  return !host.empty() && host.front() != '.' && std::all_of(host.begin(), host.end(), fits);
}

bool is_port(std::string_view port) {
  return port.empty() || parse_whole(port, 1, 65535).has_value();
}

/// `127.x.y.z` in full: shorter forms are read in different ways by different programs.
bool is_loopback_v4(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::string_view part = host.substr(0, host.find('.'));
    if (!parse_whole(part, 0, 255) || part.size() > 3 || (parts == 0 && part != "127")) return false;
    ++parts;
    if (part.size() == host.size()) return parts == 4;
    host.remove_prefix(part.size() + 1);
  }
}

bool is_loopback(std::string_view host) {
  return lower(host) == "localhost" || host == "[::1]" || is_loopback_v4(host);
}

template <typename T>
const std::optional<T>& first_set(const std::optional<T>& a, const std::optional<T>& b, const std::optional<T>& c) {
  if (a) return a;
  return b ? b : c;
}

void set_pace(AccountOptions& account, const Pace& given, const Pace& own, const Pace& file, const Pace& usual) {
  account.rate = first_set(given.rate, own.rate, file.rate).value_or(*usual.rate);
  account.submit_rate = first_set(given.submit_rate, own.submit_rate, file.submit_rate).value_or(*usual.submit_rate);
  account.max_in_flight =
      first_set(given.max_in_flight, own.max_in_flight, file.max_in_flight).value_or(*usual.max_in_flight);
}

Pace usual_pace(int rate, int submit_rate) {
  const Duration second = std::chrono::seconds(1);
  return Pace{std::vector<RateWindow>{{rate, second}}, std::vector<RateWindow>{{submit_rate, second}}, kMaxInFlight};
}

AccountConfig account_of(const ServiceSpec& service) {
  AccountConfig account;
  account.options.name = std::string(service.name);
  account.options.service = &service;
  return account;
}

void add_missing_keys(AccountOptions& account) {
  for (const CredentialSpec& spec : account.service->credentials) {
    account.keys.try_emplace(std::string(spec.name), KeySource{KeySource::From::Env, std::string(spec.env)});
  }
}

/// The address for an account of the service that has none of its own.
Result<std::string> usual_base_url(const ServiceSpec& service, const Environment& environment) {
  const auto moved = environment.find(service.base_url_env);
  if (moved == environment.end() || moved->second.empty()) return std::string(service.base_url);
  Result<std::string> url = check_base_url(moved->second);
  if (!url) return usage_error(fmt::format("{}: {}", service.base_url_env, url.error().message));
  return url;
}

}  // namespace

Result<std::vector<AccountOptions>> make_accounts(const std::vector<AccountConfig>& configured, const Pace& file,
                                                  const Pace& given, const Environment& environment) {
  std::vector<AccountConfig> wanted = configured;
  if (wanted.empty()) {
    for (const ServiceSpec& service : all_services()) wanted.push_back(account_of(service));
  }
  std::vector<AccountOptions> accounts;
  std::string problems;
  for (AccountConfig& config : wanted) {
    AccountOptions account = std::move(config.options);
    set_pace(account, given, config.pace, file, usual_pace(10, 1));
    add_missing_keys(account);
    if (account.base_url.empty()) {
      const Result<std::string> url = usual_base_url(*account.service, environment);
      if (url) {
        account.base_url = *url;
      } else if (problems.find(url.error().message) == std::string::npos) {
        problems += (problems.empty() ? "" : "\n") + url.error().message;
      }
    }
    accounts.push_back(std::move(account));
  }
  if (!problems.empty()) return usage_error(std::move(problems));
  return accounts;
}

std::vector<AccountOptions> make_sandbox_accounts(const Pace& given) {
  std::vector<AccountOptions> accounts;
  for (const ServiceSpec& service : all_services()) {
    AccountOptions account;
    account.name = fmt::format("sandbox/{}", service.name);
    account.service = &service;
    account.sandbox = true;
    set_pace(account, given, {}, {}, usual_pace(100, 10));
    accounts.push_back(std::move(account));
  }
  return accounts;
}

Result<std::string> check_base_url(std::string_view text) {
  const auto odd = [](char c) { return c <= 0x20 || c >= 0x7f || c == '\\'; };
  if (text.find('@') != std::string_view::npos) {
    return usage_error("a base URL must not have a user name or a password in it");
  }
  if (std::any_of(text.begin(), text.end(), odd)) {
    return usage_error("a base URL must not have blanks, backslashes, control characters or letters beyond ASCII");
  }
  const std::optional<UrlParts> parts = cut_url(text);
  const std::string scheme = parts ? lower(parts->scheme) : "";
  if (!parts || (scheme != "http" && scheme != "https")) {
    return usage_error(
        fmt::format("'{}' is no absolute http or https URL: write one such as https://example.com", text));
  }
  if (text.find_first_of("?#") != std::string_view::npos) {
    return usage_error("a base URL must not have a query (?) or a fragment (#)");
  }
  if (!is_host(parts->host) || !is_port(parts->port)) {
    return usage_error(fmt::format("'{}' has no valid host and port", text));
  }
  if (scheme == "http" && !is_loopback(parts->host)) {
    return usage_error(fmt::format(
        "'{}' would send the key in the clear: write https (plain http only to localhost, 127.0.0.1 or [::1])", text));
  }
  std::string url(text);
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string path_below(std::string_view base_url, std::string_view asked, std::string_view address) {
  const auto path_of = [](std::string_view url) {
    const std::size_t slash = url.find('/', url.find("://") + 3);
    return slash == std::string_view::npos ? std::string_view() : url.substr(slash);
  };
  const auto odd = [](char c) { return c <= 0x20 || c >= 0x7f || c == '\\' || c == '#'; };
  const std::optional<UrlParts> base = cut_url(base_url);
  if (!base || std::any_of(address.begin(), address.end(), odd)) return {};
  if (address.starts_with('?')) return std::string(asked.substr(0, asked.find('?'))).append(address);
  if (!address.starts_with('/')) {
    const std::optional<UrlParts> parts = cut_url(address);
    // Not the scheme: behind a proxy a service may take itself for one of http.
    if (!parts || lower(parts->host) != lower(base->host)) return {};
    address = path_of(address);
  }
  const std::string_view above = path_of(base_url);
  const bool below = address.starts_with(above) && address.substr(above.size()).starts_with('/') &&
                     !address.substr(above.size()).starts_with("//") && address.find("/../") == std::string_view::npos;
  return below ? std::string(address.substr(above.size())) : std::string();
}

std::string origin(std::string_view base_url) {
  const std::optional<UrlParts> parts = cut_url(base_url);
  if (!parts) return {};
  const std::string scheme = lower(parts->scheme);
  // A port may be written with zeros in front.
  std::string_view port = parts->port;
  while (port.size() > 1 && port.front() == '0') port.remove_prefix(1);
  std::string text = fmt::format("{}://{}", scheme, lower(parts->host));
  const bool usual = port.empty() || (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
  if (!usual) text += fmt::format(":{}", port);
  return text;
}

}  // namespace reelbatch
