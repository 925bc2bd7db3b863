#include "runner/ip_scope.h"

#include <doctest/doctest.h>
#include <netdb.h>

using namespace reelbatch;

TEST_CASE("who reaches an IP address") {
  struct Case {
    const char* host;
    IpScope scope;
  };
  const Case cases[] = {
      {"8.8.8.8", IpScope::Global},
      {"1.0.0.0", IpScope::Global},
      {"9.255.255.255", IpScope::Global},
      {"10.0.0.0", IpScope::Private},
      {"10.255.255.255", IpScope::Private},
      {"11.0.0.0", IpScope::Global},
      {"100.63.255.255", IpScope::Global},
      {"100.64.0.0", IpScope::Private},
      {"100.127.255.255", IpScope::Private},
      {"100.128.0.0", IpScope::Global},
      {"127.0.0.1", IpScope::Loopback},
      {"127.255.255.255", IpScope::Loopback},
      {"0.0.0.0", IpScope::Loopback},
      {"169.254.169.254", IpScope::Private},
      {"172.15.255.255", IpScope::Global},
      {"172.16.0.1", IpScope::Private},
      {"172.31.255.255", IpScope::Private},
      {"172.32.0.0", IpScope::Global},
      {"192.168.1.1", IpScope::Private},
      {"192.169.0.0", IpScope::Global},
      {"198.17.255.255", IpScope::Global},
      {"198.19.255.255", IpScope::Private},
      {"224.0.0.1", IpScope::Private},
      {"255.255.255.255", IpScope::Private},
      {"[::1]", IpScope::Loopback},
      {"::", IpScope::Loopback},
      {"::ffff:127.0.0.1", IpScope::Loopback},
      {"[::ffff:10.0.0.1]", IpScope::Private},
      {"::ffff:8.8.8.8", IpScope::Global},
      {"64:ff9b::10.0.0.1", IpScope::Private},
      {"64:ff9b::8.8.8.8", IpScope::Global},
      {"2002:0a00:0001::", IpScope::Private},
      {"2002:0808:0808::1", IpScope::Global},
      {"2001:db8::1", IpScope::Private},
      {"2606:4700:4700::1111", IpScope::Global},
      {"fe80::1%eth0", IpScope::Private},
      {"fd00::1", IpScope::Private},
      {"ff02::1", IpScope::Private},
      {"::2", IpScope::Private},
  };
  for (const Case& c : cases) {
    CAPTURE(c.host);
    CHECK(ip_scope(std::string_view(c.host)) == c.scope);
    if (std::string_view(c.host).find_first_of("[%") != std::string_view::npos) continue;
    // As it comes when a connection is opened.
    addrinfo hints{}, *found = nullptr;
    hints.ai_flags = AI_NUMERICHOST;
    REQUIRE(::getaddrinfo(c.host, nullptr, &hints, &found) == 0);
    CHECK(ip_scope(*found->ai_addr) == c.scope);
    CHECK(ip_scope(std::string_view(ip_text(*found->ai_addr))) == c.scope);
    ::freeaddrinfo(found);
  }
  for (const char* name : {"", "example.com", "localhost", "10.0.0", "1.2.3.4.5", "[", "[]", "fe80"}) {
    CHECK_FALSE(ip_scope(std::string_view(name)));
  }
}
