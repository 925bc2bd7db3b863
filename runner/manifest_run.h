// What all formats of manifests share while they are read: where rows and remarks go, which ids were seen, and what is
// wrong with a file as a whole.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/id_table.h"
#include "runner/manifest.h"
#include "runner/name_rules.h"

namespace reelbatch {

class ManifestRun {
 public:
  /// The references must outlive the run.
  ManifestRun(const ManifestOptions& options, const RowSink& sink, const RemarkSink& remark);

  const NameRules& rules() const { return rules_; }
  const std::string& file() const { return files_.back(); }

  void start_file(const std::string& path);

  /// What makes the file wrong as a whole. Reading goes on, so that more can be found; finish() fails. The same message
  /// is kept once a file.
  void find(Place place, std::string_view field, std::string_view message);

  /// The same, for a message that names its place already.
  void find_said(std::string message);

  /// Something that was mended in many places: said once a file, at the first place, with the number of times.
  void warn(Place place, std::string_view field, std::string_view message);

  /// The id of the row that is handed on next is known: what deliver() does is prepared.
  void expect(std::string_view id);

  /// Hands a row on. A row whose id was there before is a finding and goes no further.
  Result<void> deliver(ManifestRow& row);

  /// Says what the file gave reason to.
  void end_file();

  std::uint64_t rows_in_file() const { return rows_in_file_; }

  /// Fails with all findings, one a line.
  Result<void> finish() const;

 private:
  struct Warning {
    Remark remark;
    std::uint64_t count = 0;
  };
  const RowSink& sink_;
  const RemarkSink& remark_;
  NameRules rules_;
  std::vector<std::string> files_;
  IdTable ids_;
  std::optional<Digest> expected_;
  std::uint64_t rows_in_file_ = 0;
  std::vector<std::string> findings_;
  std::uint64_t findings_left_out_ = 0;
  std::set<std::string> found_;  ///< in this file
  std::vector<std::string> repeated_;
  std::uint64_t repeated_rows_ = 0;
  std::vector<Warning> warnings_;
  std::map<std::string, std::size_t> warning_index_;
};

/// Adds an error to a row, which is then invalid.
void refuse_row(ManifestRow& row, Place place, std::string_view field, std::string message);

/// Takes the row's id as read: trimmed and checked. With an error the row's id stays empty, and a remark says why.
void take_id(ManifestRow& row, std::string_view text, Place place);

/// Takes the row's kind; an empty text is `otherwise`. With an unknown one row.kind is nullptr and a remark says why.
void take_kind(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Takes the account's name; empty: `otherwise`.
void take_account(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Empties a row and keeps its memory.
void clear_row(ManifestRow& row);

}  // namespace reelbatch
