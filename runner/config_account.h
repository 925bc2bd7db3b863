// One account of the configuration. Part of config.cc.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "runner/accounts.h"
#include "runner/config_reader.h"

namespace reelbatch {

/// Reads `accounts.<name>`. Nothing if it is not even clear which service it is for; problems go to `reader`.
///
/// folder  the configuration's, for key files.
std::optional<AccountConfig> read_account(ConfigReader& reader, const std::filesystem::path& folder,
                                          std::string_view name, const ConfigValue& value);

/// A path as the configuration means it: relative to its folder. URLs and the empty text stay.
std::string path_in_config(const std::filesystem::path& folder, const std::string& path);

}  // namespace reelbatch
