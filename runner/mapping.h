// What was decided about a file before its rows: its form, and which columns or keys feed which fields. `check
// --mapping` shows it, so that a wrong guess is seen before it costs anything.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "jobs/error.h"
#include "runner/manifest.h"
#include "runner/name_rules.h"

namespace reelbatch {

/// A field of a kind, or `id`, `kind`, `account`, and where it is found.
struct FieldMapping {
  std::string field;
  std::string from;  ///< `'Images' (5)`, `'photo_1' (3), 'photo_2' (4) and 8 more`, `#2`; empty: nowhere
  std::string by;    ///< `--map`, `preset`, `name`, `synonym`, `default`; empty with `from`
};

/// What the columns of a file mean in rows of one kind.
struct KindMapping {
  const JobKind* kind = nullptr;
  std::vector<FieldMapping> fields;
  std::vector<std::string> labels;    ///< carried to the reports
  std::vector<std::string> not_used;  ///< neither that nor a field
};

struct FileMapping {
  std::string file;
  std::string format;  ///< `CSV, UTF-8, ',' between cells, header on line 1`
  std::string preset;  ///< which one, and why
  std::vector<KindMapping> kinds;
};

/// Takes what was decided about each file, when it was read.
using MappingSink = std::function<void(const FileMapping& mapping)>;

/// As read_manifests() without a glance, and tells at the end of each file how it was read.
Result<void> read_manifests_and_mapping(const std::vector<std::string>& paths, const ManifestOptions& options,
                                        const RowSink& sink, const RemarkSink& remark, const MappingSink& mapping);

/// A column or key as a mapping shows it: its name, and its position from 1 where it has one (0: none).
std::string shown_column(std::string_view name, std::size_t position);

/// What feeds a field.
///
/// shown      of every column or key, by the index that `arranged` has.
/// otherwise  the options' default, or nullptr.
FieldMapping field_mapping(std::string_view field, const Arranged& arranged, std::span<const std::string> shown,
                           const RawValue* otherwise);

/// The mappings of several files with the first values of each field, as text of at most 80 columns.
class MappingReport {
 public:
  void take(const FileMapping& mapping) { files_.push_back(mapping); }
  /// A row as it was read, before validate().
  void see(const ManifestRow& row);
  std::string text() const;

 private:
  /// File, kind and field.
  using Key = std::tuple<std::string, const JobKind*, std::string>;
  void keep(const ManifestRow& row, std::string_view field, std::string_view value);
  void append_kind(std::string& out, const FileMapping& file, const KindMapping& kind) const;

  std::vector<FileMapping> files_;
  std::map<Key, std::vector<std::string>> values_;  ///< the first two of each
};

}  // namespace reelbatch
