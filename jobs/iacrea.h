// What all kinds of the service IACrea share: where it is, how it answers, its state words and its credit figures.
//
// Source: the vendor's pages for auto video, get video and regenerate sequence (docs.iacrea.com, read 2026-11-21).
#pragma once

#include <string_view>

#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

extern const ServiceSpec kIacrea;

/// `creditsTotal` (what remains) and `creditsUsed` of an answer, whatever is there. Neither if it is no object.
CreditFigures iacrea_credits(JsonElement answer);

/// What an answer to a POST that creates a video means: 2xx with an `id` is Accepted, whatever its `status` says.
SubmitVerdict read_iacrea_submit(const Response& response);

/// What an answer to a GET of one video means. `DONE` is done once there is an http(s) `url`, `ERROR` and `FAILED` have
/// failed, and every other word, known or not, is Running: states go back and forth and their list is not closed.
PollVerdict read_iacrea_poll(const Response& response);

}  // namespace reelbatch
