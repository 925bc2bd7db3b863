// A row as it stands in its reader's buffer.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/job.h"
#include "runner/label.h"
#include "runner/manifest.h"

namespace reelbatch {

/// Fields and labels of one row, as views: into the buffer, or into texts that are kept here because nothing in the
/// buffer says them as they are. Most rows are known, or have nothing to be said about, and need no texts of their own.
struct RowViews {
  std::vector<FieldText> fields;
  std::vector<LabelText> labels;

  void clear();
  /// Valid until clear().
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  /// The row's fields and labels as texts of its own; they are assigned, so that they keep their memory from row to
  /// row.
  void fill(ManifestRow& row) const;

 private:
  std::deque<std::string> kept_;
};

}  // namespace reelbatch
