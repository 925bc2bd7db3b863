#include "jobs/job.h"

#include "jobs/json.h"

namespace reelbatch {

std::vector<MediaAddress> JobKind::media(std::span<const NormalField> fields) const {
  std::vector<MediaAddress> found;
  JsonReader reader;
  for (const NormalField& field : fields) {
    if (field.spec->media == Media::None) continue;
    for_each_text(reader, field.json, [&](std::string_view, std::string_view address) {
      found.push_back({field.spec->name, std::string(address), field.spec->media});
    });
  }
  return found;
}

}  // namespace reelbatch
