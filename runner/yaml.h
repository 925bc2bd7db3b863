// YAML as trees of text with places. yaml-cpp stays behind this header; its exceptions become errors.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"

namespace reelbatch {

struct YamlMember;

/// A scalar stays the text that was written: `007`, `no` and `1e5` are not touched.
struct YamlNode {
  enum class Kind { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  std::string scalar;               ///< Scalar only
  bool stands_alone = false;        ///< Null only: its key is in braces without a colon, `{text, of two parts}`
  bool quoted = false;              ///< written with quotes or as a block: never a number, a boolean or null
  std::vector<YamlNode> items;      ///< List only
  std::vector<YamlMember> members;  ///< Map only, in order; keys are scalars and differ
  std::uint64_t line = 0;           ///< from 1
  std::uint64_t column = 0;         ///< from 1

  const YamlNode* find(std::string_view key) const;  ///< of a Map; nullptr if absent
};

/// Not a std::pair, which looks into YamlNode while that is being defined.
struct YamlMember {
  YamlMember(YamlNode key, YamlNode value) : first(std::move(key)), second(std::move(value)) {}
  YamlNode first;
  YamlNode second;
};

/// One document. An empty one is a Null node. Fails with `file:line:column: ...` on broken YAML, a duplicate key, a key
/// that is no scalar, an unknown alias, more than one document, a tag that would build an object, a control character,
/// UTF-16, or nesting deeper than 100. Aliases and merge keys (`<<`) are expanded, to at most 1,000,000 nodes and 64
/// MiB of text. Malformed UTF-8 is handed on as it is. Nothing is thrown.
Result<YamlNode> parse_yaml(std::istream& in, std::string_view file);

/// The same for a document whose top is a map, delivering its members as they are complete, and for the member `list`
/// each item of its list as it is complete, so that memory holds one item at a time; the bound on expansions is then
/// one for each. Members before the list come before its items. The list itself, without its items, is a member too,
/// when it ends. A document whose top is a list is that list: its items are delivered and no member. Of an empty
/// document nothing is delivered; any other top is an error, and so is a merge key at the top.
///
/// An error of the sink ends the reading and is returned as it is.
struct YamlSink {
  std::function<Result<void>(const YamlNode& key, YamlNode& value)> member;
  std::function<Result<void>(YamlNode& item)> item;
};
Result<void> stream_yaml(std::istream& in, std::string_view file, std::string_view list, const YamlSink& sink);

/// The first scalar of a tree, keys too, that is no UTF-8; nullptr if there is none.
const YamlNode* find_malformed_scalar(const YamlNode& node);

/// A tree as JSON text. Plain scalars that YAML 1.2's JSON schema reads as null, true, false or a number are written as
/// such, everything else as a string; so is an integer beyond 64 bits, which no JSON reader here would take.
std::string to_json(const YamlNode& node);

}  // namespace reelbatch
