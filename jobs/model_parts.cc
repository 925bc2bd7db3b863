#include "jobs/model_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "jobs/unicode.h"

namespace reelbatch {

ServiceReply json_reply(int status, std::string body) {
  return ServiceReply{status, "application/json", std::move(body), {}};
}

std::string_view header_of(const ServiceRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

std::string customer_of(std::uint64_t seed, std::initializer_list<std::string_view> secrets) {
  for (const std::string_view secret : secrets) seed = mix(seed, text_seed(secret));
  return fmt::format("{:016x}", seed);
}

bool is_known_to(std::string_view customer, std::string_view owner) {
  return owner.empty() || owner == customer;
}

bool is_json_type(std::string_view content_type) {
  std::string type = ascii_lower(content_type.substr(0, content_type.find(';')));
  std::erase(type, ' ');
  return type == "application/json";
}

std::string with_query(std::string_view path, std::string_view query) {
  return fmt::format("{}{}{}", path, query.empty() ? "" : "?", query);
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size()) {
      const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
      if (error == std::errc() && end == digits + 2) {
        out.push_back(static_cast<char>(byte));
        at += 2;
        continue;
      }
    }
    out.push_back(text[at]);
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    if (percent_decode(part.substr(0, equals)) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(part.substr(equals + 1));
  }
  return std::nullopt;
}

bool is_service_address(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || text.size() == scheme || text[scheme] == '/') return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '\x7f'; });
}

std::string draw_uuid(SeededRandom& random) {
  const std::uint64_t high = (random.next() & ~0xF000ULL) | 0x4000U;
  const std::uint64_t low = (random.next() & ~(0xC0ULL << 56U)) | (0x80ULL << 56U);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFFU,
                     low >> 48U, low & 0xFFFFFFFFFFFFU);
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return false;
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool fits = kForm[at] == '-' ? text[at] == '-' : kHex.find(text[at]) != std::string_view::npos;
    if (!fits) return false;
  }
  return true;
}

std::int64_t draw_duration(SeededRandom& random, std::int64_t about_ms) {
  return static_cast<std::int64_t>(static_cast<double>(about_ms) * (0.7 + 0.6 * random.unit()));
}

std::vector<std::size_t> draw_positions(SeededRandom& random, std::size_t size, std::size_t wanted) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < size && chosen.size() < wanted; ++i) {
    if (random.below(size - i) < wanted - chosen.size()) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace reelbatch
