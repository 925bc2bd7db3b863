// `--id-from hash`: ids for rows that have none, made of what the row says, so that the same row has the same id every
// night. A row that says something else is another listing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "jobs/job.h"
#include "runner/ignore_rules.h"
#include "runner/manifest.h"

namespace reelbatch {

/// An id is `row-` and 24 hex digits of the digest of the row's kind, account and content fields: as read, blanks at
/// their ends apart, and before defaults and what the options do to images and descriptions. As read, because what an
/// upgrade normalises differently must not make the whole catalogue new, and so be paid for again without a word; and
/// before the options, so that one that is turned on makes listings `changed`, which a mass change guards. Only a field
/// that ManifestOptions::ignore leaves something out of is normalised first, as where rows are compared.
///
/// By chance two of a million different rows get the same id with a probability of 10^-17, and then the second one is
/// refused as a duplicate.
class RowIds {
 public:
  /// options  must outlive this.
  explicit RowIds(const ManifestOptions& options) : options_(options) {}

  bool wanted() const { return options_.id_from_hash; }
  void start_row() { text_.clear(); }
  /// The row's content, in the order of JobKind::fields().
  void add(const JobKind& kind, const FieldSpec& field, RawValue::Form form, std::string_view text);
  /// Empty if the row has no content.
  std::string take(const JobKind& kind, std::string_view account);
  std::uint64_t made() const { return made_; }

 private:
  void append(std::string_view part);
  const IgnoreRules& rules_for(const JobKind& kind);

  const ManifestOptions& options_;
  std::map<const JobKind*, IgnoreRules> rules_;
  std::string text_;
  std::uint64_t made_ = 0;
};

}  // namespace reelbatch
