// IACrea: one sequence of an existing video made again. Kind `iacrea.sequence`.
//
// Source: POST /api/video-editor/generate/sequence/{id} (docs.iacrea.com, read 2026-11-21; PROVIDERS 1.6).
#pragma once

#include "jobs/job.h"

namespace reelbatch {

/// Fields: video_id and sequence_id are required; url and effect replace what the sequence was made from, and what is
/// left out stays as it was. The job's id is the `generationId` of the answer; its subject is the video, which is what
/// is polled: the service tells the state of the whole, and one regeneration throws away the render of another.
class IacreaSequence : public JobKind {
 public:
  std::string_view name() const override;
  std::string_view service() const override;
  std::span<const FieldSpec> fields() const override;
  Normalised normalise(const RawFields& raw) const override;
  std::string subject(std::span<const NormalField> fields) const override;
  bool may_be_overtaken() const override { return true; }
  /// Yes: how soon the video leaves the `DONE` of its old render is said nowhere.
  bool may_answer_with_the_past() const override { return true; }
  Request submit(std::span<const NormalField> fields, std::string_view marker) const override;
  SubmitVerdict read_submit(const Response& response) const override;
  Request poll(std::span<const PolledJob> jobs) const override;
  std::vector<PollVerdict> read_poll(std::span<const PolledJob> jobs, const Response& response) const override;
};

}  // namespace reelbatch
