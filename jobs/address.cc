#include "jobs/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "jobs/address_list.h"
#include "jobs/plain_text.h"
#include "jobs/punycode.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kQuotedMax = 80;
constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kHostMax = 253;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

tl::unexpected<Error> no_address(std::string_view text, std::string_view why) {
  return usage_error(fmt::format("{} is not an address: {}", in_quotes(text), why));
}

std::string_view trim_quotes(std::string_view text) {
  for (;;) {
    const std::size_t before = text.size();
    text = trim_blanks(text);
    while (!text.empty() && std::string_view("\"'<>").find(text.front()) != std::string_view::npos)
      text.remove_prefix(1);
    while (!text.empty() && std::string_view("\"'<>").find(text.back()) != std::string_view::npos)
      text.remove_suffix(1);
    text = without_line_break(text);
    if (text.size() == before) return text;
  }
}

/// `&amp;` as `&`, however often it was encoded.
std::string decode_ampersands(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    out.push_back(text[at]);
    if (text[at++] != '&') continue;
    while (text.substr(at, 4) == "amp;") at += 4;
  }
  return out;
}

/// Why a text without http in front is none, in the words that help its author most.
std::string_view why_not_http(std::string_view text) {
  const std::string lower = ascii_lower(text.substr(0, 16));
  if (text.find_first_not_of("0123456789,;| ") == std::string_view::npos) {
    return "numbers alone are WordPress attachment ids; export the addresses of the images instead";
  }
  if (lower.starts_with("data:")) return "the image itself is in it; the service needs an address that it can fetch";
  if (lower.starts_with("file:") || (text.size() > 2 && is_letter(text[0]) && text[1] == ':' && text[2] == '\\')) {
    return "a file on a computer cannot be fetched by the service; upload it and give its http or https address";
  }
  if (lower.starts_with("javascript:")) return "it is a script";
  if (lower.starts_with("http:") || lower.starts_with("https:")) return "two slashes have to follow the colon";
  if (text.find("://") != std::string_view::npos) return "only http and https can be fetched";
  return "needs to begin with http:// or https://";
}

// ---- Host -----------------------------------------------------------------------------------------------------------

bool is_host_char(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

std::optional<std::string> ascii_host(std::string_view host) {
  std::string out;
  for (std::size_t at = 0; at <= host.size();) {
    const std::size_t end = std::min(host.find('.', at), host.size());
    const std::string_view label = host.substr(at, end - at);
    // A dot at the very end is the root.
    if (label.empty() && (end != host.size() || out.empty())) return std::nullopt;
    const std::optional<std::string> ascii = ascii_label(label);
    if (!ascii || ascii->size() > kLabelMax) return std::nullopt;
    for (const char c : *ascii) {
      if (!is_host_char(c)) return std::nullopt;
    }
    if (!out.empty()) out.push_back('.');
    out += *ascii;
    at = end + 1;
  }
  if (out.size() > kHostMax) return std::nullopt;
  return out;
}

bool is_ipv6_literal(std::string_view host) {
  return host.size() > 4 && host.front() == '[' && host.back() == ']' &&
         host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

bool is_port(std::string_view port) {
  if (port.empty() || port.size() > 5) return false;
  int value = 0;
  for (const char c : port) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  return value >= 1 && value <= 65535;
}

/// `host:port` in lower case, or why it is none.
Result<std::string> normal_authority(std::string_view text, std::string_view authority) {
  if (authority.empty()) return no_address(text, "the host is missing");
  if (authority.find('@') != std::string_view::npos) {
    return no_address(text, "a user name or password in front of the host is not allowed");
  }
  std::string_view host = authority;
  std::string_view port;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (!port.empty() && !is_port(port)) return no_address(text, "the port has to be a number from 1 to 65535");
  }
  std::string out;
  if (is_ipv6_literal(host)) {
    out = ascii_lower(host);
  } else if (const std::optional<std::string> ascii = ascii_host(host)) {
    out = *ascii;
  } else {
    return no_address(text, fmt::format("the host {} is no host name; write it in ASCII, as its xn-- form if need be",
                                        in_quotes(host)));
  }
  if (!port.empty()) out += fmt::format(":{}", port);
  return out;
}

// ---- Path and query -------------------------------------------------------------------------------------------------

/// Encodes what RFC 3986 has no place for. What is encoded stays as it is, and a `%` that encodes nothing is a `%`.
std::string encode_rest(std::string_view rest) {
  std::string out;
  bool in_path = true;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    const char c = rest[at];
    in_path = in_path && c != '?' && c != '#';
    // As browsers do: people paste what works there.
    if (c == '\\' && in_path) {
      out.push_back('/');
      continue;
    }
    const bool stray_percent = c == '%' && !(at + 2 < rest.size() && is_hex(rest[at + 1]) && is_hex(rest[at + 2]));
    const bool unfit = static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F ||
                       std::string_view("\"<>\\^`{}").find(c) != std::string_view::npos;
    if (stray_percent || unfit) {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

bool has_control(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += point.size;
    if (is_control_point(point.value) || point.value == '\n' || point.value == '\r' || point.value == '\t') return true;
  }
  return false;
}

}  // namespace

Result<ReadAddress> read_address_text(std::string_view text) {
  if (is_plain_address(text)) return ReadAddress{std::string(text)};
  const std::string_view trimmed = trim_quotes(text);
  if (trimmed.empty()) return no_address(text, "it is empty");
  if (!is_utf8(trimmed)) return no_address(trimmed, "it is not valid UTF-8");
  if (has_control(trimmed)) return no_address(trimmed, "a line break, tab or control character is in it");

  if (trimmed.find_first_of("<>") != std::string_view::npos) {
    return no_address(trimmed, "there is markup in it ('<' or '>'); take it out of the feed");
  }

  ReadAddress address;
  std::string whole = decode_ampersands(trimmed);
  address.had_entity = whole.size() != trimmed.size();
  const std::string head = ascii_lower(std::string_view(whole).substr(0, 8));
  if (head.starts_with("//") || head.starts_with("www.")) {
    whole.insert(0, head.starts_with("//") ? "https:" : "https://");
    address.completed = true;
  } else if (!head.starts_with("http://") && !head.starts_with("https://")) {
    return no_address(trimmed, why_not_http(trimmed));
  }

  std::string_view rest = whole;
  const std::size_t slashes = rest.find("//");
  const std::string scheme = ascii_lower(rest.substr(0, slashes));
  rest.remove_prefix(slashes + 2);
  const std::size_t host_end = std::min(rest.find_first_of("/?#\\"), rest.size());
  const Result<std::string> authority = normal_authority(trimmed, rest.substr(0, host_end));
  if (!authority) return tl::unexpected<Error>(authority.error());
  address.text = fmt::format("{}//{}{}", scheme, *authority, encode_rest(rest.substr(host_end)));
  return address;
}

std::string_view without_line_break(std::string_view text) {
  const std::size_t tag = text.rfind('<');
  if (tag == std::string_view::npos || text.size() - tag > 6) return text;
  const std::string rest = ascii_lower(text.substr(tag + 1));
  const bool is_break =
      rest == "br" || rest == "br>" || rest == "br/" || rest == "br/>" || rest == "br /" || rest == "br />";
  return is_break ? text.substr(0, tag) : text;
}

Result<std::string> normalise_address(std::string_view text) {
  return read_address_text(text).map([](ReadAddress address) { return std::move(address.text); });
}

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", printable(text, kQuotedMax));
}

bool is_http_address(std::string_view text) {
  const std::string lower = ascii_lower(text.substr(0, 8));
  const std::size_t scheme = lower.starts_with("https://") ? 8 : lower.starts_with("http://") ? 7 : 0;
  const auto is_text = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
  return scheme != 0 && text.size() > scheme && std::all_of(text.begin(), text.end(), is_text);
}

}  // namespace reelbatch
