// A column of a manifest that is carried to the reports.
#pragma once

#include <string>
#include <string_view>

namespace reelbatch {

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

}  // namespace reelbatch
