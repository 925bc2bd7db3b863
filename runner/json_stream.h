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

/// What is wrong with a value, and where.
struct JsonFault {
  std::uint64_t line = 0;    ///< from 1
  std::uint64_t column = 0;  ///< from 1
  std::string message;
  bool is_alone =
      false;  ///< the value is in its form, so that what follows can be read: a number too large, a key twice
};

/// A value of a document, as it is written.
struct JsonPiece {
  std::string_view text;
  std::uint64_t line = 0;    ///< where it begins, from 1
  std::uint64_t column = 0;  ///< from 1
};

/// As stream_yaml(): members of an object at the top, and the items of its member `list` or of a list at the top, each
/// as soon as it is complete. One piece is at most 64 MiB. An item with a fault that is alone goes to `broken`. Fails
/// with `file:line:column: ...` on anything else that is not one valid JSON value, a duplicate key at the top among
/// them.
struct JsonSink : YamlSink {
  std::function<Result<void>(const JsonPiece& piece, const JsonFault& fault)> broken;
};
Result<void> stream_json(ByteSource& source, std::string_view file, std::string_view list, const JsonSink& sink);

/// A line that is not blank.
struct JsonLine {
  std::string_view text;  ///< without its line end; kJsonPadding bytes behind it can be read
  std::uint64_t line = 0;
  bool ended_by_newline = false;
};
/// Its tree.
tl::expected<YamlNode, JsonFault> tree_of(const JsonLine& line, JsonReader& reader);

/// Fails with `file:line:1: ...` on a line of more than 64 MiB.
Result<void> stream_json_lines(ByteSource& source, std::string_view file,
                               const std::function<Result<void>(const JsonLine& line)>& sink);

}  // namespace reelbatch
