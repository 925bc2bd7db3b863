// Small text work of the transport: names of headers and hosts, and other people's error messages in our words.
#pragma once

#include <string>
#include <string_view>

#include "runner/clock.h"

namespace reelbatch {

/// Without blanks and line ends around it.
std::string_view trimmed(std::string_view text);

/// Whether two header or host names are the same: ASCII letters regardless of case.
bool same_name(std::string_view a, std::string_view b);

/// Whether `host` can only be this machine: `localhost`, 127.0.0.0/8 as a dotted quad, `::1` with or without brackets.
bool is_loopback(std::string_view host);

/// The host of an absolute address, without port, name and password; with the brackets of IPv6. Empty if there is none.
std::string_view host_of(std::string_view address);

/// Host and port of an absolute http or https address, `host:443` where it has none: what a connection is made to.
std::string host_and_port_of(std::string_view address);

/// A library's message as the tail of ours: first letter small unless it begins an abbreviation, no full stop, no
/// control characters, OpenSSL's and libcurl's beginnings taken off.
std::string in_our_words(std::string_view message);

/// `30 s`, `300 ms`. Rounded down to whole milliseconds.
std::string spell(Duration duration);

}  // namespace reelbatch
