// The configuration file: YAML, every part optional, nothing unknown. PRODUCT.md section 3 shows the whole of it.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "jobs/error.h"
#include "runner/accounts.h"
#include "runner/options.h"
#include "runner/settings.h"

namespace reelbatch {

/// What a configuration says, over the defaults.
struct Config {
  Options options;                      ///< but for `accounts`, which is empty
  Pace pace;                            ///< limits at the top level
  std::vector<AccountConfig> accounts;  ///< in the order of the file
};

/// Reads a configuration. Every setting of settings.h is a key at the top; `polling` and `manifest` hold some of them
/// in groups, and a setting given in both places is an error.
///
/// path  names the file in messages; relative paths in it are relative to its folder.
/// now   for deadlines.
///
/// Fails with Fault::Usage: broken YAML (one line), or everything that is wrong with it, one line each, as
/// `reelbatch.yaml:3:5: accounts.main.rate: ...`. Unknown keys come with a suggestion. Nothing that stands where a key
/// is expected is repeated in a message.
Result<Config> read_config(std::istream& in, const std::string& path, WallTime now);

/// The same, opening `path`. Fails as well if it cannot be read.
Result<Config> read_config_file(const std::string& path, WallTime now);

}  // namespace reelbatch
