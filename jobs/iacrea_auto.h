// IACrea auto video: a listing's images and description become a video. Kind `iacrea.auto`.
//
// Source: POST and GET /api/video-editor/generate/video/auto (docs.iacrea.com, read 2026-11-21).
#pragma once

#include "jobs/job.h"

namespace reelbatch {

/// Fields: image_urls and description are required, logo_url is when display_logo is true. Nothing is added that the
/// row does not have: an absent format stays absent, so that the service's defaults are the service's.
class IacreaAuto : public JobKind {
 public:
  std::string_view name() const override;
  std::string_view service() const override;
  std::span<const FieldSpec> fields() const override;
  Normalised normalise(const RawFields& raw) const override;
  bool is_plain(std::span<const FieldText> fields) const override;
  Request submit(std::span<const NormalField> fields, std::string_view marker) const override;
  SubmitVerdict read_submit(const Response& response) const override;
  Request poll(std::span<const PolledJob> jobs) const override;
  std::vector<PollVerdict> read_poll(std::span<const PolledJob> jobs, const Response& response) const override;
};

}  // namespace reelbatch
