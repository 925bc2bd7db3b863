// What IACrea's endpoints read out of a POST, and what they refuse: the service's side, kept apart from the client's
// own checks so that the two cannot share a mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/json.h"

namespace reelbatch {

struct IacreaOrder {
  std::vector<std::string> image_urls;  ///< at least 1; of explicit sequences one each, empty where it names none
  std::vector<std::string> effects;     ///< of explicit sequences one each, may be empty; none of an auto order
  std::string format;                   ///< `landscape`, `portrait` or `square`
  std::string webhook_url;              ///< empty if none
};

/// Reads the JSON body of a POST. An error is the service's 400, its message meant for the `error` member.
/// Members nobody documented are ignored; null is not the same as absent.
/// Source: reference/iacrea-auto-video.txt; PROVIDERS 1.2. Undocumented and decided here: 10 characters are code points
/// after trimming blanks, a colour is any text that is not empty, addresses are http or https.
Result<IacreaOrder> read_iacrea_order(JsonReader& reader, std::string_view body);

/// The same of a POST with explicit sequences. Only `image`, `video` and `beforeAfter` sequences are clips; a video of
/// an intro alone has one all the same.
/// Source: PROVIDERS 1.4. Decided here: the image of a sequence is its `url`, the webhook is `video.webhookUrl`.
Result<IacreaOrder> read_iacrea_video_order(JsonReader& reader, std::string_view body);

/// A sequence to be made again.
struct IacreaRemakeOrder {
  std::string sequence_id;
  std::string url;     ///< empty: as it was
  std::string effect;  ///< empty: as it was
};

/// The same of a POST that makes a sequence again.
/// Source: reference/iacrea-regenerate-sequence.txt.
Result<IacreaRemakeOrder> read_iacrea_remake(JsonReader& reader, std::string_view body);

}  // namespace reelbatch
