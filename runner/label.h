// A column of a manifest that is carried to the reports.
#pragma once

#include <string>

namespace reelbatch {

struct Label {
  std::string name;
  std::string value;
  bool operator==(const Label&) const = default;
};

}  // namespace reelbatch
