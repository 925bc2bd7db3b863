// JSON documents and JSON Lines as trees with places, one job at a time. The trees are those of yaml.h, because JSON
// says the same things: text in quotes is `quoted`, numbers and booleans are scalars as written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  std::string_view text;        ///< without its line end
  Result<JsonElement> element;  ///< what it says, or why it says nothing; valid while the line is with its sink
  std::uint64_t line = 0;
  bool ended_by_newline = false;
};
/// Its tree. Fails, without a place, if it has none, or a duplicate key.
Result<YamlNode> tree_of(const JsonLine& line);

Result<void> stream_json_lines(ByteSource& source, std::string_view file,
                               const std::function<Result<void>(const JsonLine& line)>& sink);

/// A member of an object, as views: many rows can be read without a tree of each.
struct FlatMember {
  enum class Kind { Null, Text, Plain, List };
  std::string_view key;
  Kind kind = Kind::Null;
  std::string_view
      value;           ///< Text: what is in the quotes; Plain: a number or boolean as written; List: as compact JSON
  std::size_t at = 0;  ///< where the value stands in the line, in bytes
};

/// Takes apart lines that are objects of texts, numbers, booleans, nulls and lists of texts.
class FlatObject {
 public:
  /// False if the line is anything else, or has a NUL in a key. Duplicate keys are not looked for.
  bool read(const JsonLine& line);
  /// In their order. Valid until the next read() and while the line is with its sink.
  const std::vector<FlatMember>& members() const { return members_; }
  std::size_t begin() const { return begin_; }  ///< where the object stands in the line, in bytes

 private:
  void skip(std::string_view text, char more);
  bool read_value(std::string_view text, JsonElement value, FlatMember& member);
  bool read_list(std::string_view text, const simdjson::dom::array& items);

  std::vector<FlatMember> members_;
  std::string lists_;                                          ///< the JSON of all lists of the line
  std::vector<std::pair<std::size_t, std::size_t>> in_lists_;  ///< parallel to members_: begin and size
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
};

}  // namespace reelbatch
