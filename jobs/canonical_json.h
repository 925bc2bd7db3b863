// One text for equal JSON values: the order of an object's members and the way a number is written do not count.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "jobs/error.h"
#include "jobs/json.h"

namespace reelbatch {

/// An object's members by name, each value as canonical text.
using JsonMembers = std::map<std::string, std::string, std::less<>>;

/// Compact, members in the order of their bytes, `5.0` as `5`. The order of arrays is theirs.
/// Fails with Usage where an object has a member twice: which of them counts would be a guess.
Result<std::string> canonical_json(JsonElement value);

/// The members of an object. Fails as canonical_json().
Result<JsonMembers> canonical_members(simdjson::dom::object object);

/// The object that has these members.
std::string json_object(const JsonMembers& members);

/// The shortest text of a finite number that reads as the same one: `5`, `7.5`, `1e+20`.
std::string canonical_number(double number);

}  // namespace reelbatch
