// JSON as this program reads it: refuse what is broken, read typed members. json_quote.h writes it.
//
// simdjson's DOM and not on-demand: on-demand returns members of documents that turn out to be broken further on
// (measured with 3.0.1), and half an answer must never count as an answer.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "jobs/credits.h"
#include "jobs/error.h"

namespace reelbatch {

using JsonElement = simdjson::dom::element;

/// Readers that copy nothing may look at so many bytes behind a text, whatever they are.
constexpr std::size_t kJsonPadding = simdjson::SIMDJSON_PADDING;

/// Owns the memory of what it parsed; an element lives until the next parse() or the reader's end.
class JsonReader {
 public:
  /// The whole text as one JSON value. A byte order mark in front is skipped.
  /// Fails on anything that is not exactly one valid JSON value, with simdjson's words for it.
  Result<JsonElement> parse(std::string_view text);

 private:
  simdjson::dom::parser parser_;
};

/// Typed members. Nothing if `from` is no object, the member is absent or null, or it has another type.
std::optional<std::string_view> json_string(JsonElement from, std::string_view member);
/// A number, or a string that is one (PROVIDERS 5: "numbers are numbers" must not be assumed).
std::optional<Credits> json_credits(JsonElement from, std::string_view member);

/// Every string in a JSON value, however deep, in its order; `member` is the name of the object's member that it is, or
/// that holds the lists it stands in, empty at the top. Nothing where `json` is no JSON.
void for_each_text(JsonReader& reader, std::string_view json,
                   const std::function<void(std::string_view member, std::string_view text)>& visit);

/// Compact text of an element, object members in document order.
std::string json_text(JsonElement element);

}  // namespace reelbatch
