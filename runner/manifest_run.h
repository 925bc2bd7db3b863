// What all formats of manifests share while they are read: where rows and remarks go, which ids were seen, and what is
// wrong with a file as a whole.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/byte_source.h"
#include "runner/feed_images.h"
#include "runner/id_table.h"
#include "runner/manifest.h"
#include "runner/mapping.h"
#include "runner/name_rules.h"
#include "runner/row_ids.h"
#include "runner/row_views.h"

namespace reelbatch {

/// What may be wrong with a row: what refuse_row() takes.
struct RowDoubt {
  Place place;
  std::string field, message;
  std::string_view code;
};

class ManifestRun {
 public:
  /// The references must outlive the run.
  ManifestRun(const ManifestOptions& options, const RowSink& sink, const RemarkSink& remark,
              const RowGlance& glance = kNoGlance);

  const NameRules& rules() const { return rules_; }
  /// Of this file; before its first row.
  void set_preset(const Preset* preset) { rules_.set_preset(preset); }
  void set_id_source(const Target& target) { rules_.set_id_source(target); }
  const std::string& file() const { return files_.back(); }
  /// Says which columns of a preset that was stated by name are not there.
  ///
  /// names  of the file's columns, or of its first job's keys.
  void compare_with_preset(std::span<const std::string_view> names, Place place);

  void start_file(const std::string& path);

  /// How this file is read, as far as it was found out.
  FileMapping& mapping() { return mapping_; }
  /// Told at the end of each file; the reference must outlive the run.
  void tell_mapping(const MappingSink& sink) { mapping_sink_ = &sink; }

  /// What makes the file wrong as a whole. Reading goes on, so that more can be found; finish() fails. The same message
  /// is kept once a file.
  void find(Place place, std::string_view field, std::string_view message);

  /// The same, for a message that names its place already.
  void find_said(std::string_view message);

  /// Something that was mended in many places: said once a file, at the first place, with the number of times.
  ///
  /// example  behind the message, of the first time.
  void warn(Place place, std::string_view field, std::string_view message, std::string_view example = {});

  /// Something to know about the file that is no mistake.
  void note(Place place, std::string_view message);

  /// A description as the options want it kept: with what they ask for, as jobs/prose.h writes it. Nothing where they
  /// ask for nothing, and for other fields.
  std::optional<std::string> prose(const FieldSpec& field, RawValue::Form form, std::string_view text) const;

  /// The images of this file, which every reader shows here.
  FeedImages& images() { return images_; }

  /// Whether the row that is read now, with this as its id, gets one of its own by make_id(): then each field that the
  /// row itself has goes through hash_field() on the way.
  bool will_make_id(std::string_view id);
  void hash_field(const JobKind& kind, const FieldSpec& field, RawValue::Form form, std::string_view text) {
    row_ids_.add(kind, field, form, text);
  }
  /// Leaves a row that is invalid without.
  void make_id(ManifestRow& row);

  /// The id of the row that is admitted next is known: what admit() does is prepared.
  void expect(std::string_view id);

  /// Which name has the ids of the file, and which others it has that might.
  void set_id_names(std::string_view name, std::span<const std::string_view> others);
  /// The same in words for a row without an id; empty if there are no others.
  const std::string& id_hint() const { return id_hint_; }

  /// Refuses a row whose id a spreadsheet shortened. False if it is none. The file is then wrong as a whole: others, of
  /// which the same digits are left, may be among the ids that look whole.
  bool refuse_shortened(ManifestRow& row, std::string_view id, Place place);

  /// Every row passes here, once its id and place are known. False: the row goes no further, because its id is that of
  /// another one. With OnDuplicate::Suffix it gets another id. An empty id is that of no other row.
  bool admit(ManifestRow& row);

  /// Admits a row, has it glanced at, and hands it on if that was not enough. Its fields and labels stand in `views`,
  /// and become its own only then ...
  ///
  /// doubt  for which the row is refused, unless that it is known at a glance shows it to be whole.
  Result<void> deliver(ManifestRow& row, const RowViews& views, const std::optional<RowDoubt>& doubt = std::nullopt);
  /// ... and for one that has them already.
  Result<void> deliver(ManifestRow& row, const std::optional<RowDoubt>& doubt = std::nullopt);

  /// Says what the file gave reason to.
  void end_file();

  std::uint64_t rows_in_file() const { return rows_in_file_; }

  /// Fails with all findings, one a line.
  Result<void> finish();

  /// For OnDuplicate::Last: a first reading, which only finds out which row of a repeated id is the last one, ...
  void scan_only() { scans_ = true; }
  /// ... and a second one, of the same files, that takes those.
  void take_last_rows(const ManifestRun& scan);
  /// Says which file it is that is read now, for the second reading to see that it is the same.
  void identify_file(const InputFile& file);

 private:
  struct Warning {
    Remark remark;
    std::uint64_t count = 0;
  };
  const RowSink& sink_;
  const RemarkSink& remark_;
  const RowGlance& glance_;
  static const RowGlance kNoGlance;
  Result<bool> glance(const ManifestRow& row, const RowViews& views);
  Result<void> hand_on(ManifestRow& row);
  bool admit_again(ManifestRow& row, const IdTable::Seen& seen, const IdDigest& id);
  void add_suffix(ManifestRow& row, const IdDigest& id, std::string_view first);
  void add_finding(const Remark& finding);
  IdTable::Place place_in_table(const ManifestRow& row) const;
  void look_at_start(const ManifestRow& row);

  RowViews own_;  ///< of a row that has its fields and labels itself
  NameRules rules_;
  FeedImages images_;
  RowIds row_ids_;
  std::string id_hint_;
  FileMapping mapping_;
  const MappingSink* mapping_sink_ = nullptr;
  std::vector<std::string> files_;
  IdTable ids_;
  std::optional<IdDigest> expected_;
  std::uint64_t rows_in_file_ = 0;
  std::uint64_t rows_ = 0;       ///< in all files
  std::uint64_t shortened_ = 0;  ///< ids of this file
  Place first_shortened_;
  std::string first_shortened_id_;
  bool saw_valid_ = false;           ///< in this file
  std::uint64_t invalid_start_ = 0;  ///< rows of this file, as long as none is valid
  bool scans_ = false;
  std::map<IdDigest, std::uint64_t> last_rows_;  ///< of repeated ids: which of all rows is the last
  std::vector<InputFile::Identity> identities_;  ///< of the files of a scan
  std::set<IdDigest> given_;                     ///< by OnDuplicate::Suffix
  std::map<IdDigest, std::uint64_t> suffixes_;   ///< of repeated ids: the last one given
  std::vector<std::string> findings_;
  std::uint64_t findings_left_out_ = 0;
  std::set<std::string> found_;  ///< in this file
  std::vector<std::string> repeated_;
  std::uint64_t repeated_rows_ = 0;
  std::uint64_t repeated_ids_ = 0;
  std::vector<Warning> warnings_;
  std::map<std::string, std::size_t> warning_index_;
};

/// Where a field of a row that is with its sink stands, by FieldSpec::name; where the row starts if that is not known.
Place place_of(const ManifestRow& row, std::string_view field);

/// Adds an error to a row, which is then invalid.
///
/// code  Remark::code.
void refuse_row(ManifestRow& row, Place place, std::string_view field, std::string message, std::string_view code);

/// Adds to an error what the row says, as tell_remarks() does.
void describe(const ManifestRow& row, Remark& error);

/// An id that needs neither trimming nor a closer look: printable ASCII without blanks, no `#` in front, and no number
/// that a spreadsheet shortened.
bool is_plain_id(std::string_view text);

/// Takes the row's id as read: trimmed and checked. With an error the row's id stays empty, and a remark says why.
///
/// hint  behind the words for an empty one.
void take_id(ManifestRow& row, std::string_view text, Place place, std::string_view hint);

/// Takes the row's kind, knowing that of the row before; an empty text is `otherwise`. With an unknown one row.kind is
/// nullptr and a remark says why.
void take_kind(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Takes the account's name, the same way; empty: `otherwise`.
void take_account(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place);

/// Empties a row for the next one and keeps its memory. Fields, labels, kind and account stay as they are, since those
/// of the next row are nearly always the same.
void clear_row(ManifestRow& row);

}  // namespace reelbatch
