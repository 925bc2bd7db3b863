// What IACrea's auto endpoint reads out of a POST, and what it refuses: the service's side, kept apart from the
// client's own checks so that the two cannot share a mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/json.h"

namespace reelbatch {

struct IacreaOrder {
  std::vector<std::string> image_urls;  ///< at least 1
  std::string format;                   ///< `landscape`, `portrait` or `square`
  std::string webhook_url;              ///< empty if none
};

/// Reads the JSON body of a POST. An error is the service's 400, its message meant for the `error` member.
/// Members nobody documented are ignored; null is not the same as absent.
/// Source: reference/iacrea-auto-video.txt; PROVIDERS 1.2. Undocumented and decided here: 10 characters are code points
/// after trimming blanks, a colour is any text that is not empty, addresses are http or https.
Result<IacreaOrder> read_iacrea_order(JsonReader& reader, std::string_view body);

}  // namespace reelbatch
