// Creatify Aurora: a picture and a voice become a speaking person. Kind `creatify.aurora`.
//
// Source: POST and GET /api/aurora/ (docs.creatify.ai, read 2026-11-21; PROVIDERS 2.2 to 2.4).
#pragma once

#include "jobs/job.h"

namespace reelbatch {

/// Fields: audio and image are required. The name and the webhook are not what is paid for. A marker behind the name
/// makes a submission findable in the list of jobs; up to 100 jobs are polled with one request.
///
/// Paths end with a slash: without it the service is expected to redirect, and a redirected POST becomes a GET of the
/// list.
class CreatifyAurora : public JobKind {
 public:
  std::string_view name() const override;
  std::string_view service() const override;
  std::span<const FieldSpec> fields() const override;
  std::span<const std::string_view> unsent() const override;
  Normalised normalise(const RawFields& raw) const override;
  Request submit(std::span<const NormalField> fields, std::string_view marker) const override;
  SubmitVerdict read_submit(const Response& response) const override;
  std::size_t poll_max() const override { return 100; }
  Request poll(std::span<const PolledJob> jobs) const override;
  std::vector<PollVerdict> read_poll(std::span<const PolledJob> jobs, const Response& response) const override;
  std::optional<Request> search() const override;
  SearchVerdict read_search(std::span<const std::string> markers, const Response& response) const override;
};

}  // namespace reelbatch
