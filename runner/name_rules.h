// Which name in a manifest (a column's header, a key) means which field: FORMATS 3, PRODUCT.md 3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"
#include "runner/feed_presets.h"
#include "runner/manifest.h"

namespace reelbatch {

/// What a name can feed: one of the three that every row has, or a field of a kind.
struct Target {
  static constexpr std::size_t kId = SIZE_MAX;
  static constexpr std::size_t kKind = SIZE_MAX - 1;
  static constexpr std::size_t kAccount = SIZE_MAX - 2;

  /// Who says so. The first that finds something counts, the others do not.
  enum class By { Map, Preset, Name, Synonym };

  std::size_t field = 0;  ///< index into JobKind::fields(), or one of the above
  By by = By::Name;
  std::size_t alternative = 0;  ///< of a ColumnSpec: the first that has something in a row feeds it
  std::size_t part = 0;         ///< of an alternative
  bool exact = false;           ///< an exact name wins over one that is equal only when folded
  bool family = false;          ///< one of several names that a glob or a row of numbers found
  long long number = -1;        ///< family: the number in the name
  std::string synonym;          ///< By::Synonym: which; those of one family have one
  bool is_first = false;        ///< a family's name without a number, `image` beside `image_2`: nothing by itself
};

/// Images and descriptions, where programs write `N/A` and the like for nothing. Elsewhere that may be a name.
bool may_be_spelt_out(const FieldSpec& field);

/// Whether a text that is not blank says nothing for a field, so that of several names the next one counts: `N/A`, or
/// a description of markup alone.
bool gives_way(const FieldSpec& field, std::string_view text);

/// A name that may feed a field, and which one of a header or of a job it is.
struct Candidate {
  std::size_t index = 0;
  Target target;
};

/// What feeds a field, in the order in which it is looked for in a row.
struct Arranged {
  struct Alternative {
    std::vector<std::size_t> from;  ///< Candidate::index
    bool family = false;            ///< several belong together as a list
    bool joined = false;            ///< several belong together, one after the other
    std::size_t twice = SIZE_MAX;   ///< a second one that gives the same: a mistake
  };
  std::vector<Alternative> alternatives;
  Target::By by = Target::By::Name;
  std::vector<std::size_t> synonyms;  ///< several, of which none is better: a mistake, and no alternatives
};
Arranged arrange(std::vector<Candidate> candidates);
/// Takes out those that say something beside numbered ones of their family alone, where there are none.
void drop_lone_firsts(std::vector<Candidate>& candidates);

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

  /// The preset of the file that is read, nullptr for none. What the options map wins.
  void set_preset(const Preset* preset);
  const Preset* preset() const { return preset_; }
  /// Of the file that is read: all its ids are where this target has them, and nothing else feeds an id. Otherwise a
  /// job that lacks the name that others have would get an id of another form, and be another listing on the night when
  /// it has both.
  void set_id_source(const Target& target) { id_source_ = target; }

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
  /// The parts of an id that the options put together from several columns, in their order; empty for one column.
  std::span<const ColumnSpec::Part> id_parts() const;
  /// An id of its parts, `A-17-2`: an empty part keeps its place, unless all are.
  static std::string join_id(std::span<const std::string_view> parts);
  /// The options' default for a target, nullptr if none; images as FeedImages completes those of rows.
  const RawValue* default_of(std::size_t field, const JobKind* kind) const;

  const ManifestOptions& options() const { return options_; }

 private:
  struct ListedLabel {
    std::string name;
    std::string folded;
  };
  static void add_by_spec(NameUse& use, const ColumnSpec& spec, Target like, std::string_view name,
                          const std::string& folded, std::size_t position, bool list);
  void add_by_words(NameUse& use, std::size_t field, const FieldSpec& spec, std::string_view name,
                    const std::string& folded) const;
  const ColumnSpec* mapped_spec(std::size_t field, const JobKind* kind) const;
  const ColumnSpec* preset_spec(std::size_t field, const JobKind* kind) const;
  const ListedLabel* listed(std::string_view name, const std::string& folded) const;
  std::optional<Slip> slip(std::string_view name, const std::string& folded, const JobKind& kind) const;
  Result<void> check_field(std::string_view name, std::string_view where) const;

  const ManifestOptions& options_;
  std::map<std::string, RawValue> defaults_;      ///< of the options
  std::map<std::string, ColumnSpec> map_;         ///< of the options
  std::map<std::string, ColumnSpec> preset_map_;  ///< of the preset
  const Preset* preset_ = nullptr;
  std::optional<Target> id_source_;
  std::vector<ListedLabel> listed_;
  std::set<std::string> known_;  ///< folded: every field of every kind, and the three
};

}  // namespace reelbatch
