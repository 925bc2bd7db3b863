// Lines of JSON without a tree of each.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/json.h"
#include "runner/json_stream.h"

namespace reelbatch {

/// A member of an object, as views: many rows can be read without a tree of each.
struct FlatMember {
  enum class Kind { Null, Text, Plain, List };
  std::string_view key;
  Kind kind = Kind::Null;
  std::string_view value;  ///< Text: what is in the quotes; Plain: as written; List: as compact JSON
  std::size_t at = 0;      ///< where the value stands in the line, in bytes
};

/// Takes apart lines that are objects of texts, numbers, booleans, nulls and lists of texts. simdjson's on-demand
/// reader does it in the pass in which it looks whether the line is valid, and what has nothing escaped is a part of
/// the line.
class FlatObject {
 public:
  /// False if the line is anything else, valid JSON or not. Duplicate keys are not looked for.
  bool read(const JsonLine& line);
  /// In their order. Valid until the next read() and while the line is with its sink.
  const std::vector<FlatMember>& members() const { return members_; }
  std::size_t begin() const { return line_.find('{'); }  ///< where the object stands in the line, in bytes

 private:
  using Value = simdjson::ondemand::value;
  bool read_key(simdjson::ondemand::field& field, std::string_view& key) const;
  bool read_value(Value& value, FlatMember& member);
  bool read_text(Value& value, std::string_view token, std::string_view& text) const;
  bool read_list(simdjson::ondemand::array& items, FlatMember& member);

  simdjson::ondemand::parser parser_;
  std::string_view line_;
  bool has_escapes_ = false;  ///< somewhere in the line
  std::vector<FlatMember> members_;
  std::vector<std::string_view> items_;  ///< of the list that is read
  std::deque<std::string> lists_;        ///< of the line, where they are not compact as they stand
};

}  // namespace reelbatch
