// JSON documents and JSON Lines as trees with places, one job at a time. The trees are those of yaml.h, because JSON
// says the same things: text in quotes is `quoted`, numbers and booleans are scalars as written.
#pragma once

#include <functional>
#include <string_view>

#include "jobs/error.h"
#include "runner/byte_source.h"
#include "runner/yaml.h"

namespace reelbatch {

/// As stream_yaml(): members of an object at the top, and the items of its member `list` or of a list at the top, each
/// as soon as it is complete. One piece is at most 64 MiB. Fails with `file:line:column: ...` on anything that is not
/// one valid JSON value, a duplicate key among them.
Result<void> stream_json(ByteSource& source, std::string_view file, std::string_view list, const YamlSink& sink);

/// Each line that is not blank: its tree, or why it has none (`line:column` is in `line` and the message has no place).
struct JsonLine {
  Result<YamlNode> node;
  std::string_view text;  ///< as written, valid while the sink looks at it
  std::uint64_t line = 0;
  bool ended_by_newline = false;
};
Result<void> stream_json_lines(ByteSource& source, std::string_view file,
                               const std::function<Result<void>(JsonLine& line)>& sink);

}  // namespace reelbatch
