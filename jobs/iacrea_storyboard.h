// The `video` of an IACrea video that is made from explicit sequences: one object with many members, of which the
// vendor documents some.
#pragma once

#include "jobs/field_rules.h"
#include "jobs/job.h"

namespace reelbatch {

/// Reads the object, from YAML or as JSON in a cell. What is documented is checked and brought into its one form; every
/// other member is passed on as it stands. A documented member that is null is absent. A problem or remark names the
/// member: `sequences[1].duration: ...`.
///
/// Source: POST /api/video-editor/generate/video, in English and in French (docs.iacrea.com, read 2026-11-21;
/// PROVIDERS 1.4). Where the page leaves it open whether a value is refused, only a remark is made.
FieldReading read_iacrea_storyboard(const RawValue& value);

}  // namespace reelbatch
