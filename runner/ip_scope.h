// Who reaches an IP address: everyone, a private network, or this machine alone. An address that somebody else wrote
// must not lead into the operator's own network (server-side request forgery), nor is anything there that a service
// could fetch.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

enum class IpScope {
  Global,   ///< globally reachable
  Private,  ///< private, link-local, shared, reserved, multicast, for documentation
  Loopback  ///< this machine, also as 0.0.0.0 and ::
};

/// address  AF_INET or AF_INET6; any other family counts as Loopback. An IPv4 address inside of an IPv6 one (mapped,
///          NAT64, 6to4) counts as what it is itself.
///
/// Source: the IANA special-purpose address registries (RFC 6890), read 2026-11-27.
IpScope ip_scope(const sockaddr& address);

/// Of a host that is an address in its usual form, with or without brackets; nothing for a name.
std::optional<IpScope> ip_scope(std::string_view host);

/// `10.0.0.5`, `fe80::1`; empty for other families.
std::string ip_text(const sockaddr& address);

}  // namespace reelbatch
