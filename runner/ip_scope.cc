#include "runner/ip_scope.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace reelbatch {
namespace {

using V6 = std::array<std::uint8_t, 16>;

struct Block {
  std::uint32_t first;
  unsigned bits;
};
constexpr std::array<Block, 13> kPrivate{{{0x0A000000, 8},    // 10.0.0.0
                                          {0x64400000, 10},   // 100.64.0.0, shared by customers of one provider
                                          {0xA9FE0000, 16},   // 169.254.0.0, where clouds have their metadata
                                          {0xAC100000, 12},   // 172.16.0.0
                                          {0xC0000000, 24},   // 192.0.0.0
                                          {0xC0000200, 24},   // 192.0.2.0, documentation
                                          {0xC0586300, 24},   // 192.88.99.0
                                          {0xC0A80000, 16},   // 192.168.0.0
                                          {0xC6120000, 15},   // 198.18.0.0, benchmarks
                                          {0xC6336400, 24},   // 198.51.100.0, documentation
                                          {0xCB007100, 24},   // 203.0.113.0, documentation
                                          {0xE0000000, 4},    // 224.0.0.0, multicast
                                          {0xF0000000, 4}}};  // 240.0.0.0, reserved and broadcast

IpScope scope_of_v4(std::uint32_t address) {
  const std::uint32_t network = address >> 24U;
  if (network == 127 || network == 0) return IpScope::Loopback;
  const bool is_private = std::any_of(kPrivate.begin(), kPrivate.end(), [address](const Block& block) {
    return ((address ^ block.first) >> (32U - block.bits)) == 0;
  });
  return is_private ? IpScope::Private : IpScope::Global;
}

std::uint32_t v4_in(const V6& address, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8U | address[i];
  return value;
}

bool begins(const V6& address, std::initializer_list<std::uint8_t> with) {
  return std::equal(with.begin(), with.end(), address.begin());
}

IpScope scope_of_v6(const V6& address) {
  if (begins(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return scope_of_v4(v4_in(address, 12));
  if (begins(address, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return scope_of_v4(v4_in(address, 12));
  if (begins(address, {0x20, 0x02})) return scope_of_v4(v4_in(address, 2));
  if (std::all_of(address.begin(), address.end() - 1, [](std::uint8_t byte) { return byte == 0; })) {
    return address.back() <= 1 ? IpScope::Loopback : IpScope::Private;
  }
  // Of all the rest only 2000::/3 is given out, but for what is meant for books.
  const bool given_out = (address[0] & 0xE0U) == 0x20 && !begins(address, {0x20, 0x01, 0x0D, 0xB8});
  return given_out ? IpScope::Global : IpScope::Private;
}

V6 bytes_of(const in6_addr& address) {
  V6 bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return bytes;
}

}  // namespace

IpScope ip_scope(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return scope_of_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return IpScope::Loopback;
  return scope_of_v6(bytes_of(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr));
}

std::optional<IpScope> ip_scope(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text(host.substr(0, host.find('%')));  // without a zone
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return scope_of_v4(ntohl(four.s_addr));
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return scope_of_v6(bytes_of(six));
  return std::nullopt;
}

std::string ip_text(const sockaddr& address) {
  const bool four = address.sa_family == AF_INET;
  if (!four && address.sa_family != AF_INET6) return {};
  const void* const bytes = four ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
                                 : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

}  // namespace reelbatch
