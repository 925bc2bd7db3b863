// An account's secrets: found where the configuration says, put into request headers, kept out of everything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/clock.h"
#include "runner/options.h"
#include "runner/transport.h"

namespace reelbatch {

/// What stands where a secret stood.
constexpr std::string_view kRedacted = "***";

/// The secrets of one account. They leave this type only as headers(); it cannot be printed.
class Credentials {
 public:
  /// One `name: value` line a credential of the service, in its order. Never null.
  const HeaderSet& headers() const { return headers_; }

  /// Replaces every secret in `text` by kRedacted: as it is, as it stands in a JSON string, and percent-encoded.
  /// Secrets of fewer than 6 characters are left, they would blank out words. Says whether there was one.
  bool redact(std::string& text) const;

 private:
  friend class CredentialsBuilder;
  HeaderSet headers_;
  std::vector<std::string> forms_;  ///< what is blanked out, longest first
};

/// How patient to be with a `{command: ...}`.
struct CommandLimits {
  Duration time = std::chrono::seconds(30);
  std::size_t bytes = 64 * 1024;
};

/// Finds every credential of account.service by account.keys, in the environment of this process, in a file, or as the
/// first line that a command (`/bin/sh -c`, nothing on its standard input, its standard error passed through) prints.
/// Blanks and line breaks around a secret are cut off.
///
/// account  with a service and a key source for each of its credentials. An account of the sandbox needs no source and
///          gets a stand-in.
///
/// Fails with Fault::Usage, saying what to do, if one is missing, empty, longer than 64 KiB, has characters that no
/// header can carry, lies in a file that others than its owner may read, or comes from a command that failed or took
/// longer than `limits`. No message carries any part of a secret.
Result<Credentials> load_credentials(const AccountOptions& account, const CommandLimits& limits = {});

}  // namespace reelbatch
