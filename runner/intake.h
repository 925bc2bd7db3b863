// From a manifest's rows to decisions: what the next run does with each listing, and why.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runner/changes.h"
#include "runner/decide.h"
#include "runner/ignore_rules.h"
#include "runner/ledger.h"
#include "runner/manifest.h"
#include "runner/options.h"
#include "runner/paid_table.h"
#include "runner/renamed_listings.h"
#include "runner/shared_photos.h"

namespace reelbatch {

/// How many rows get which decision. `selected` alone counts, unless said otherwise.
struct IntakeCounts {
  std::int64_t rows = 0;  ///< all of them
  std::int64_t not_selected = 0;
  std::map<Action, std::int64_t> actions;
  std::map<Reason, std::int64_t> reasons;
  std::int64_t with_video = 0;       ///< listings of these rows that have a video, selected or not
  std::int64_t videos_replaced = 0;  ///< of those, submitted again as changed
  std::map<std::string, std::int64_t> changed_fields;
  std::vector<ListingName> gone;  ///< listings that left the feed, without their catalogue; set by find_gone()
};

/// What becomes of a row that is not unchanged.
struct RowPlan {
  RowRecord record;                  ///< without the listing and the content of a listing that is new to the ledger
  std::string fields;                ///< as to_json(RawFields); empty if the row is invalid
  std::optional<Digest> text;        ///< of the row, if it has fields
  std::vector<FieldChange> changes;  ///< with Reason::Changed
  std::size_t items = 0;             ///< in its lists, of a row that is submitted: what its price may depend on
};

/// The account that a row of the kind is for, which may name one; nullptr if there is none.
const AccountOptions* account_for(const Options& options, const JobKind& kind, std::string_view name);
/// Adds to a row, whose kind is known, that it has no account: as an error it makes the row invalid.
void tell_no_account(ManifestRow& row, Remark::Level level = Remark::Level::Error);

/// Decides row by row, against a ledger or, for a first night, none. Reads the ledger and writes nothing.
///
/// Nearly every row of a nightly run says, byte for byte, what its listing's video was made from. Such a row is known
/// by the digest of its text alone: account, kind, reference and fields as read. The digest is no proof of equality,
/// but where it errs, a listing that changed keeps the video it has; nothing is paid for twice. A text whose digest is
/// not known is compared field by field. What --ignore leaves out is in neither.
class Planner {
 public:
  /// ledger  may be nullptr; must outlive the planner, like `options`.
  /// digests  compute digests(); with Options::keep_to they are always.
  Planner(Ledger* ledger, const Options& options, bool digests = false);

  /// Reads from the ledger what is paid for. Before the first row.
  Result<void> start();

  /// The row, counted, if its very text was paid for and its listing has nothing open: skipped as unchanged. Valid
  /// until the next call, as long as `row` is. Otherwise nullptr, and plan() is the next call for this row.
  const UnchangedRow* unchanged(const RowText& row);

  /// The decision for one row that is not unchanged, with `row.remarks` grown by what validation found.
  Result<RowPlan> plan(ManifestRow& row);

  /// Call when every row is planned: which listings are in the last run of the same feed and not among these rows.
  Result<void> find_gone();

  /// Call when every row is planned. Fails if a REF of --only was not met, if the feed (feed_of) shrank to less than
  /// half of what it was in its last run (of 20 rows or more), if the run would be a mass change, or if listings that
  /// are new to the ledger were paid for under other names (RenamedListings).
  Result<void> finish();

  /// Photos of the rows that plan() looked at closely; those known at a glance or by their text are not among them.
  const SharedPhotos& photos() const { return photos_; }

  const IntakeCounts& counts() const { return counts_; }
  /// Of all rows so far; only if `digests` was asked for.
  const PlanDigests& digests() const { return digests_; }

 private:
  Normalised normalise(ManifestRow& row);
  Result<Decision> decide_row(ManifestRow& row, RowPlan& plan);
  const IgnoreRules& rules_for(const JobKind& kind);
  Digest text_of(const AccountOptions& account, const JobKind& kind, std::string_view id,
                 std::span<const FieldText> fields);
  Digest content_of(const JobKind& kind, const RawFields& fields);
  Digest digest_of_fields(std::span<const std::string_view> names, const JobKind& kind,
                          std::span<const FieldText> fields);
  Result<void> note_new(const ManifestRow& row);
  Result<void> refuse_renamed();
  std::span<const FieldText> what_counts(const JobKind& kind, const IgnoreRules& rules,
                                         std::span<const FieldText> fields);
  void see_file(std::string_view file);
  bool chosen(std::string_view id);
  void select(RowRecord& record);
  void note_decision(const RowRecord& record, const Digest& text, std::string_view labels);
  void note_decision(const Digest& text, std::string_view words, std::string_view labels = {});
  void count(const RowPlan& plan);

  Ledger* ledger_;
  const Options& options_;
  std::set<std::string, std::less<>> only_;
  std::set<std::string, std::less<>> only_met_;
  std::optional<Ledger::RowsBefore> before_;
  PaidTable paid_;
  SharedPhotos photos_;
  UnchangedRow unchanged_;
  std::string text_;
  IntakeCounts counts_;
  std::set<std::string, std::less<>> files_;  ///< that have rows
  std::string last_file_;
  std::map<const JobKind*, IgnoreRules> rules_;
  std::vector<FieldText> counting_;          ///< of the row that is looked at
  std::vector<std::string> counting_texts_;  ///< what of it is no view of the row
  ListingsSeen seen_;
  RenamedListings renamed_;
  std::optional<bool> has_jobs_;                 ///< the ledger
  std::set<std::string, std::less<>> seen_ids_;  ///< of rows without a listing
  bool has_video_ = false;
  bool keeps_digests_ = false;
  PlanDigests digests_;
  std::string chain_;
};

/// How many there are in a row's lists: images, most of all. Of compact JSON, as JobKind::normalise() gives it.
std::size_t items_in_lists(std::span<const NormalField> fields);

/// `listing` as the ledger knows it: with the catalogue in front.
std::string ledger_ref(const Options& options, std::string_view id);

/// What is the same for every run of a feed: its files by their names, where numbers, such as a date, do not count, and
/// its catalogue.
std::string feed_of(const Options& options);

/// Gives an account its number in the ledger when its first row comes, or says why it cannot be used.
using BindAccount = std::function<Result<AccountId>(const std::string& name)>;

/// Reads the manifests of a run into the ledger, in one transaction: afterwards all rows are there and the run exists,
/// or nothing.
///
/// run     gets its number; the rest must be set.
/// remark  is given what validation found, row by row, and what concerns whole files.
///
/// Fails, with nothing recorded, if a file is wrong as a whole (Fault::Usage), on a mass change, on a feed that shrank,
/// on an unknown REF, if an account cannot be bound, or if the ledger cannot be written (Fault::Ground).
Result<IntakeCounts> take_in(Ledger& ledger, const Options& options, const BindAccount& bind, RunRecord& run,
                             const RemarkSink& remark);

/// Decides again for the planned rows of an earlier run, which goes on: what a later run replaced is left, and what has
/// a job by now shows that job.
Result<void> take_up(Ledger& ledger, const Options& options, const RunRecord& run);

}  // namespace reelbatch
