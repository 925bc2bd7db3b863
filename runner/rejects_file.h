// What was refused of a run's manifests, for programs: one line an error, in CSV or JSON Lines.
#pragma once

#include <optional>
#include <string>

#include "jobs/error.h"
#include "runner/atomic_file.h"
#include "runner/csv_line.h"
#include "runner/manifest.h"

namespace reelbatch {

/// Columns, and members of each JSON object: `file`, `record` (the row's number in its file, from 1), `line`, `column`
/// (both from 1), `field`, `code` (Remark::code), `message`, `raw` (the row as it stands in the file, at most
/// Remark::kRawMax bytes; of YAML and JSON the job as JSON). What is not known is empty, in JSON null.
class RejectsFile {
 public:
  /// An empty path is no file: all goes nowhere. Fails with Fault::Ground if the path cannot be written; what stands
  /// there is untouched until commit().
  static Result<RejectsFile> open(const std::string& path);

  /// Takes errors of rows and of files; leaves other remarks.
  void add(const Remark& remark);

  /// The file appears, for its owner alone; without a reject it is there all the same, so that no old one is taken for
  /// new.
  Result<void> commit();

 private:
  RejectsFile() = default;
  void add_json(const Remark& remark);
  void add_csv(const Remark& remark);

  std::optional<AtomicFile> file_;
  bool is_json_ = false;
  CsvLine line_;
};

}  // namespace reelbatch
