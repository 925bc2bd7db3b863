// What a file is by its first bytes: nightly downloads are often not what their names say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelbatch {

/// Says what the file is and what to do, if its first bytes show that it is no text this program reads: `this is an
/// Excel workbook: save it as CSV (UTF-8)`. Nothing if it may be text.
std::optional<std::string> foreign_content(std::string_view head);

/// Nothing but blanks and a byte order mark.
bool is_empty_content(std::string_view head);

/// Formats of manifests.
enum class ManifestFormat { Csv, Tsv, Blm, Yaml, Json, JsonLines };

/// By the ending of a file's name, letter case aside; nothing for any other ending.
std::optional<ManifestFormat> format_by_name(std::string_view path);

/// JSON that is no job a line: a list, or an object that has jobs or goes on in the next line.
bool is_json_document(std::string_view head);

/// Of standard input: JSON when its first visible character is `[`, JSON or JSON Lines when it is `{`, YAML when its
/// first line begins a list or is one of the keys that a manifest has at the top, else CSV.
ManifestFormat format_by_content(std::string_view head);

}  // namespace reelbatch
