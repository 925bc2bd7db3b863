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
  ManifestRun(const ManifestOptions& options, const RowSink& sink, const RemarkSink& remark,
              const RowGlance& glance = kNoGlance);

  const NameRules& rules() const { return rules_; }
  /// Of this file; before its first row.
  void set_preset(const Preset* preset) { rules_.set_preset(preset); }
  const std::string& file() const { return files_.back(); }

  void start_file(const std::string& path);

  /// What makes the file wrong as a whole. Reading goes on, so that more can be found; finish() fails. The same message
  /// is kept once a file.
  void find(Place place, std::string_view field, std::string_view message);

  /// The same, for a message that names its place already.
  void find_said(std::string message);

  /// Something that was mended in many places: said once a file, at the first place, with the number of times.
  void warn(Place place, std::string_view field, std::string_view message);

  /// Something to know about the file that is no mistake.
  void note(Place place, std::string_view message);

  /// The id of the row that is admitted next is known: what admit() does is prepared.
  void expect(std::string_view id);

  /// Every row passes here, once its id and place are known. False: the id was there before, which is a finding, and
  /// the row goes no further. An empty id is that of no other row.
  bool admit(const ManifestRow& row);

  /// For an admitted row without remarks: true if that was enough, else hand_on() is next.
  Result<bool> glance(const RowText& row) { return glance_ ? glance_(row) : Result<bool>(false); }
  Result<void> hand_on(ManifestRow& row) { return sink_(row); }

  /// All three, for a row that is made already.
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
  const RowGlance& glance_;
  static const RowGlance kNoGlance;
  std::vector<LabelText> labels_;  ///< of the row that is glanced at
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

/// Where a field of a row that is with its sink stands, by FieldSpec::name; where the row starts if that is not known.
Place place_of(const ManifestRow& row, std::string_view field);

/// Adds an error to a row, which is then invalid.
void refuse_row(ManifestRow& row, Place place, std::string_view field, std::string message);

/// An id that needs neither trimming nor a closer look: printable ASCII without blanks.
bool is_plain_id(std::string_view text);

/// Takes the row's id as read: trimmed and checked. With an error the row's id stays empty, and a remark says why.
void take_id(ManifestRow& row, std::string_view text, Place place);

/// Takes the row's kind, knowing that of the row before; an empty text is `otherwise`. With an unknown one row.kind is
/// nullptr and a remark says why.
void take_kind(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Takes the account's name, the same way; empty: `otherwise`.
void take_account(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Empties a row for the next one and keeps its memory. Fields, labels, kind and account stay as they are, since those
/// of the next row are nearly always the same.
void clear_row(ManifestRow& row);

}  // namespace reelbatch
