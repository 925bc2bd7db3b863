// The media of a listing as the RESO web API lists them. Source: RESO Data Dictionary 1.7, Media; FORMATS 2.
#pragma once

#include <vector>

#include "jobs/json.h"

namespace reelbatch {

/// The elements of a list, sorted by `Order` if they are media (objects with `MediaURL`); those without one come last.
std::vector<JsonElement> in_media_order(simdjson::dom::array array);

/// Whether a medium says of itself that it is no photo of the listing, or not for the public: by `MediaCategory`,
/// `MediaType` and `Permission`.
bool is_other_medium(simdjson::dom::object object);

}  // namespace reelbatch
