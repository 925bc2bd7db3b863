// Which name in a manifest (a column's header, a key) means which field: FORMATS 3, PRODUCT.md 3.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"
#include "runner/manifest.h"

namespace reelbatch {

/// What a name can feed: one of the three that every row has, or a field of a kind.
struct Target {
  static constexpr std::size_t kId = SIZE_MAX;
  static constexpr std::size_t kKind = SIZE_MAX - 1;
  static constexpr std::size_t kAccount = SIZE_MAX - 2;

  std::size_t field = 0;  ///< index into JobKind::fields(), or one of the above
  bool exact = false;     ///< an exact name wins over one that is equal only when folded
  bool family = false;    ///< one of several names that a glob found
  long long number = -1;  ///< family: the number in the name
};

/// A name that is nearly a field's.
struct Slip {
  bool error = false;  ///< a file error, else a warning
  std::string message;
};

/// What one name means in rows of one kind.
struct NameUse {
  std::vector<Target> targets;
  std::string label;    ///< the name under which it is carried to the reports; empty: not at all
  bool listed = false;  ///< it is carried even when it also feeds a field
  std::optional<Slip> slip;
};

class NameRules {
 public:
  /// options  must outlive the rules.
  explicit NameRules(const ManifestOptions& options);

  /// Fails if the options name a field that no kind has, or a kind that does not exist, or give one field twice.
  Result<void> check() const;

  /// position  of a column, from 1; 0 for a key.
  /// kind      of the row; nullptr asks for id, kind and account alone.
  NameUse use(std::string_view name, std::size_t position, const JobKind* kind) const;

  /// Whether the column that the options name for `field` (a key of ManifestOptions::map) may be this one.
  bool fits(const std::string& field, std::string_view name, std::size_t position) const;

  /// `id`, `kind`, `account`, or the name of a field.
  static std::string_view target_name(std::size_t field, const JobKind* kind);

  /// The column that the options say feeds a target, nullptr if none.
  const std::string* mapped(std::size_t field, const JobKind* kind) const;
  /// The options' default for a target, nullptr if none.
  const RawValue* default_of(std::size_t field, const JobKind* kind) const;

  const ManifestOptions& options() const { return options_; }

 private:
  struct ListedLabel {
    std::string name;
    std::string folded;
  };
  std::optional<Target> by_map(const std::string& wanted, std::string_view name, const std::string& folded,
                               std::size_t position, bool list) const;
  const ListedLabel* listed(std::string_view name, const std::string& folded) const;
  std::optional<Slip> slip(std::string_view name, const std::string& folded, const JobKind& kind) const;
  Result<void> check_field(std::string_view name, std::string_view where) const;

  const ManifestOptions& options_;
  std::vector<ListedLabel> listed_;
  std::set<std::string> known_;  ///< folded: every field of every kind, and the three
};

}  // namespace reelbatch
