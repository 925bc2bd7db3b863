// IACrea video from explicit sequences: make one, or follow one that exists. Kind `iacrea.video`.
//
// Source: POST and GET /api/video-editor/generate/video (docs.iacrea.com, read 2026-11-21; PROVIDERS 1.4 and 1.5).
#pragma once

#include "jobs/job.h"

namespace reelbatch {

/// Fields: exactly one of `video_id`, which follows a video and costs nothing, and `video`, the object that is sent.
/// `webhook_url` is not what is paid for. It is sent as `webhookUrl` of the object, and one given there becomes it: a
/// page mentions it, but none says where in the body it belongs (PROVIDERS 1.4).
class IacreaVideo : public JobKind {
 public:
  std::string_view name() const override;
  std::string_view service() const override;
  std::span<const FieldSpec> fields() const override;
  Normalised normalise(const RawFields& raw) const override;
  /// Pictures, films and music of the object: where the page does not say which members have them, every address.
  std::vector<MediaAddress> media(std::span<const NormalField> fields) const override;
  std::string followed(std::span<const NormalField> fields) const override;
  bool may_follow() const override { return true; }
  bool may_be_overtaken() const override { return true; }  ///< by a sequence of it made again
  /// Through `iacrea.sequence`. Not so for auto videos: whether the endpoint takes their ids is said nowhere.
  std::optional<Repair> repair(std::string_view remote_id, std::string_view part) const override;
  Request submit(std::span<const NormalField> fields, std::string_view marker) const override;
  SubmitVerdict read_submit(const Response& response) const override;
  Request poll(std::span<const PolledJob> jobs) const override;
  std::vector<PollVerdict> read_poll(std::span<const PolledJob> jobs, const Response& response) const override;
};

}  // namespace reelbatch
