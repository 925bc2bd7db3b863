// The words of a service out of whatever it sent as an error: no vendor says what its error bodies look like, so every
// shape that was seen or that a common framework makes is read (PROVIDERS 1.1 and 2.7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

/// One text of an error and the field it is about, if the service named one.
struct ServiceText {
  std::string field;  ///< `description`, `address.city`, or empty
  std::string text;
};

/// The texts of an error body: those under `message`, `error`, `detail`, `errors` and their like, or of all members
/// when none of these is there (`{"image": ["no address"]}`). At most 20, none twice.
std::vector<ServiceText> texts_in(JsonElement body);

/// The same without the last resort: an answer that is no error body has many other members.
std::vector<ServiceText> messages_in(JsonElement answer);

/// The texts in one printable line, `description: too short; format: unknown`, at most 300 code points of it.
std::string one_line(const std::vector<ServiceText>& texts);

/// `400 Bad Request: description: too short`. The words come from JSON or from plain text; of an HTML page, which
/// people would not thank us for, only the status is told.
std::string describe_refusal(const Response& response);

}  // namespace reelbatch
