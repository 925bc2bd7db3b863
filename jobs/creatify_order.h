// What Creatify's Aurora endpoint reads out of a POST, and what it refuses: the service's side, kept apart from the
// client's own checks so that the two cannot share a mistake.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jobs/error.h"
#include "jobs/json.h"

namespace reelbatch {

struct CreatifyOrder {
  std::optional<std::string> name;  ///< none if null or absent
  std::string audio;
  std::string image;
  std::string text_prompt;
  double prompt_guidance_scale = 1;
  std::string model_version = "aurora_v1";
  std::string webhook_url;  ///< empty if none
};

/// Reads the JSON body of a POST. An error's message is the body of the service's 400, in the shapes of Django REST
/// framework: `{"detail": ...}` for what is no JSON, else a list of texts for every wrong member at once. Members
/// nobody documented are ignored, as the framework does. Source: reference/creatify-aurora.txt; PROVIDERS 2.2 and 2.7.
/// Decided here: a blank text_prompt is one, null is none.
Result<CreatifyOrder> read_creatify_order(JsonReader& reader, std::string_view body);

}  // namespace reelbatch
