#include "runner/row_views.h"

namespace reelbatch {

void RowViews::clear() {
  fields.clear();
  labels.clear();
  if (!kept_.empty()) kept_.clear();
}

void RowViews::fill(ManifestRow& row) const {
  row.fields.resize(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    row.fields[i].name.assign(fields[i].name);
    row.fields[i].value.form = fields[i].form;
    row.fields[i].value.text.assign(fields[i].text);
  }
  row.labels.resize(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    row.labels[i].name.assign(labels[i].name);
    row.labels[i].value.assign(labels[i].value);
  }
}

}  // namespace reelbatch
