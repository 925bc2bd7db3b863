// What all kinds of the service Creatify share: where it is, its balance, and how its jobs speak of themselves.
//
// Source: the vendor's pages for Aurora and the workspace (docs.creatify.ai, read 2026-11-21); error bodies and odd
// values as recorded by public clients (PROVIDERS 2.7 and 2.8).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

extern const ServiceSpec kCreatify;

/// `credits_used` of a job: a number or a string that is one, half credits included. None where it is anything else or
/// negative. It is the job's own, 0 at first, and not final before the job is.
CreditFigures creatify_credits(JsonElement answer);

/// `remaining_credits` of an answer to GET /api/remaining_credits/. None where the answer is refused or cannot be read:
/// not known is not zero.
CreditFigures read_creatify_balance(const Response& response);

/// What an answer to a paid POST means.
SubmitVerdict read_creatify_submit(const Response& response);

/// What an answer to the GET of one job means. `done` is done once there is an http(s) `video_output`, `failed` and
/// `rejected` have failed, and every other word is Running. An answer that names another job says nothing of this one.
PollVerdict read_creatify_poll(std::string_view remote_id, const Response& response);

/// What an answer to the GET of several jobs (`?ids=a,b`) means, one verdict a job in the order asked. Nobody documents
/// what becomes of an id that the service does not know, so a job that is left out is asked for alone, and so are all
/// of them when the question itself is refused or answered in another shape.
std::vector<PollVerdict> read_creatify_list(std::span<const PolledJob> jobs, const Response& response);

/// Which of the listed jobs has which marker in its `name`, whole and not as the beginning of a longer one. Of two the
/// one that was created first counts, or that is listed first where that cannot be told.
SearchVerdict find_creatify_markers(std::span<const std::string> markers, const Response& response);

/// `name` with the marker behind it, `Lyon 12 [rb-1-7]`: the name is cut where both would be longer than the 255
/// characters that the service takes. Without a name only the marker in its brackets.
std::string mark_creatify_name(std::string_view name, std::string_view marker);

}  // namespace reelbatch
