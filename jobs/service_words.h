// The words of a service out of whatever it sent as an error: no vendor says what its error bodies look like, so every
// shape that was seen or that a common framework makes is read (PROVIDERS 1.1 and 2.7).
#pragma once

#include <string>
#include <string_view>

#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

/// The texts in `element` under `message`, `error`, `detail`, `errors`, or of all its members when none of these is
/// there, joined by `; `. A text about a field begins with the field's name. Empty if there are none.
std::string words_in(JsonElement element);

/// The same of a body of any bytes: JSON, or plain text; nothing of an HTML page. Not shortened.
std::string words_in_body(std::string_view body);

/// `400 Bad Request: description: too short`, one printable line, the words at most 300 code points.
std::string describe_refusal(const Response& response);

/// True if words say that the account has no credits left: `insufficient credits`, `crédits insuffisants`,
/// `NOT_ENOUGH_CREDITS`. A mere mention of credits, or of too little of another thing, is not enough.
bool says_no_credits(std::string_view words);

}  // namespace reelbatch
