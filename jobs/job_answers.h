// What the answers of all services have in common: a submission is accepted when the answer names a job, and a job has
// a state, an address when it is done, and words when it failed. A service says how it calls these.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "jobs/json.h"

namespace reelbatch {

/// How a service's answers call things. Words of states are in lower case; they are compared without case.
struct AnswerWords {
  std::string_view done;                         ///< the state that means finished
  std::string_view url;                          ///< the member with the result's address
  std::span<const std::string_view> failed;      ///< the states that mean failed for good
  std::string (*failure)(JsonElement answer);    ///< the service's words about a failure, one printable line or empty
  CreditFigures (*credits)(JsonElement answer);  ///< the figures of any answer; none if it is no object
  /// PollVerdict::broken of a job that is not finished; nullptr where jobs have no parts.
  std::optional<std::vector<std::string>> (*broken)(JsonElement job) = nullptr;
};

/// The job's id in `answer`, as opaque text: a string, or a whole number as it stands. Empty if there is none, or none
/// that can be asked for: blank, or dots that would be a direction in a path.
std::string job_id_in(JsonElement answer, std::string_view member);

/// The verdict on an answer to a submission, by the tables of jobs/README.md.
///
/// id_member  the member of a 2xx that names the job: whatever state stands beside it, the job is there.
SubmitVerdict read_job_submission(const Response& response, std::string_view id_member, const AnswerWords& words);

/// The verdict on what one object says about one job, figures included. A state that no page lists is Running: it is
/// not known to be final, and the job timeout bounds it.
PollVerdict read_job_state(JsonElement job, const AnswerWords& words);

/// The verdict on an answer to a question about a single job, by the tables of jobs/README.md.
///
/// id  of the job, where a page promises that an answer names it: one whose member `id` is another says nothing of this
///     job. Empty: no page does.
PollVerdict read_job_poll(const Response& response, const AnswerWords& words, std::string_view id = {});

/// One reader for all answers of a thread: most of what a parse costs is the memory that it makes and throws away.
/// Elements live until the next parse().
JsonReader& shared_reader();

}  // namespace reelbatch
