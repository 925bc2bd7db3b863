// JSON documents and JSON Lines as trees with places, one job at a time. The trees are those of yaml.h, because JSON
// says the same things: text in quotes is `quoted`, numbers and booleans are scalars as written.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "jobs/error.h"
#include "jobs/json.h"
#include "runner/byte_source.h"
#include "runner/yaml.h"

namespace reelbatch {

/// As stream_yaml(): members of an object at the top, and the items of its member `list` or of a list at the top, each
/// as soon as it is complete. One piece is at most 64 MiB. Fails with `file:line:column: ...` on anything that is not
/// one valid JSON value, a duplicate key among them.
Result<void> stream_json(ByteSource& source, std::string_view file, std::string_view list, const YamlSink& sink);

/// A line that is not blank.
struct JsonLine {
  std::string_view text;  ///< without its line end; kJsonPadding bytes behind it can be read
  std::uint64_t line = 0;
  bool ended_by_newline = false;
};
/// Its tree. Fails, without a place, if it is not one valid JSON value, or has a duplicate key.
Result<YamlNode> tree_of(const JsonLine& line, JsonReader& reader);

/// Fails with `file:line:1: ...` on a line of more than 64 MiB.
Result<void> stream_json_lines(ByteSource& source, std::string_view file,
                               const std::function<Result<void>(const JsonLine& line)>& sink);

}  // namespace reelbatch
