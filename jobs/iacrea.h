// What all kinds of the service IACrea share: where it is, how it answers, its state words, its credit figures and how
// its videos are named.
//
// Source: the vendor's pages for auto video, get video and regenerate sequence (docs.iacrea.com, read 2026-11-21).
#pragma once

#include <string>
#include <string_view>

#include "jobs/field_rules.h"
#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

extern const ServiceSpec kIacrea;

/// `creditsTotal` (what remains) and `creditsUsed` of an answer, whatever is there. Neither if it is no object.
CreditFigures iacrea_credits(JsonElement answer);

/// What an answer to a paid POST means: 2xx with an id is Accepted, whatever its `status` says.
///
/// id_member  `id` of a POST that creates a video, `generationId` of one that makes a sequence again.
SubmitVerdict read_iacrea_submit(const Response& response, std::string_view id_member);

/// What an answer to a GET of one video means. `DONE` is done once there is an http(s) `url`, `ERROR` and `FAILED` have
/// failed, and every other word, known or not, is Running: states go back and forth and their list is not closed. Parts
/// are clips, broken while their item says `error` (PROVIDERS 1.2).
///
/// video  the id that was asked for, of one made from explicit sequences: `DONE` names it ("Video identifier",
///        docs.iacrea.com, read 2026-11-21), and one that names another says nothing. Empty for auto videos, whose
///        answers promise no id.
PollVerdict read_iacrea_poll(const Response& response, std::string_view video = {});

/// The GET of a video that was made from explicit sequences; ids of auto videos have a path of their own.
Request get_iacrea_video(std::string_view id);

/// An animation of an image: a known one in its own spelling, another with a remark, because the vendor's list is cut
/// off (PROVIDERS 1.4). Not the words of the older animation API, `ZOOM_IN` and their like.
FieldReading read_iacrea_effect(const RawValue& value);

}  // namespace reelbatch
