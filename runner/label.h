// A column of a manifest that is carried to the reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"

namespace reelbatch {

class JsonReader;

struct Label {
  std::string name;
  std::string value;
  bool operator==(const Label&) const = default;
};

/// The same in someone else's memory.
struct LabelText {
  std::string_view name;
  std::string_view value;
  bool operator==(const LabelText&) const = default;
};
/// Labels as the ledger keeps them: a JSON object in their order, empty for none.
std::string labels_json(const std::vector<Label>& labels);
/// The reverse. Fails with Fault::Ground on what labels_json() did not write.
Result<void> read_labels_json(std::string_view json, JsonReader& reader, std::vector<Label>& labels);

}  // namespace reelbatch
