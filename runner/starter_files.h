// What `init` writes: a configuration with every part explained, and a manifest to put listings into.
#pragma once

#include <string>
#include <string_view>

namespace reelbatch {

inline constexpr std::string_view kStarterConfigName = "reelbatch.yaml";
inline constexpr std::string_view kStarterManifestName = "listings.csv";

/// Lines that begin with `#` and a letter or a blank that stands for indentation are settings with their defaults, to
/// be taken into use by taking the `#` away; comments for people begin with `## `.
std::string starter_config();
std::string_view starter_manifest();

}  // namespace reelbatch
