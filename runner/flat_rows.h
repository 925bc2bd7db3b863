// Rows of JSON Lines without a tree of each: most lines of a catalogue have the same keys in the same order, and what
// the keys mean is worked out once for all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/flat_object.h"
#include "runner/manifest.h"
#include "runner/manifest_run.h"
#include "runner/name_rules.h"
#include "runner/row_views.h"

namespace reelbatch {

/// Keys of a job: with more it is no listing, and refused before each is looked at for what it means.
constexpr std::size_t kJobKeysMax = 4096;

class FlatRows {
 public:
  /// run  must outlive this; told which id comes next.
  explicit FlatRows(ManifestRun& run) : run_(run), rules_(run.rules()) {}

  /// Makes the row of a line, all but its `file`; its fields and labels stand in views(). Places are counted when they
  /// are asked for.
  ///
  /// False where the tree of the line is needed to say what it means or what is wrong with it: the first line with its
  /// keys and kind, values that are objects, several keys for one field of which none is the better one, an id that is
  /// not plain, images that cannot be read. The row then is in no particular state.
  bool read(const JsonLine& line, ManifestRow& row);
  /// Of the row that was read last, while its line is with its sink.
  const RowViews& views() const { return views_; }

  /// Where a field of the row that was read last stands; nowhere for a default.
  Place place_of_field(std::size_t field) const;

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  struct Field {
    const FieldSpec* spec = nullptr;
    std::vector<std::size_t> from;  ///< members: the first that says something counts
    bool may_be_spelt_out = false;  ///< that there is nothing: `N/A`
    const RawValue* otherwise = nullptr;
  };
  struct LabelSource {
    std::size_t member = 0;
    std::string name;
  };
  /// For rows of one kind.
  struct Plan {
    const JobKind* kind = nullptr;
    bool ready = false;   ///< false: met once
    bool usable = false;  ///< false: trees are needed
    std::vector<Field> fields;
    std::vector<LabelSource> labels;
  };
  struct Shape {
    std::vector<std::string> keys;
    bool ready = false;
    bool usable = false;
    std::size_t id = kNone, kind = kNone, account = kNone;  ///< members
    const RawValue *kind_otherwise = nullptr, *account_otherwise = nullptr;
    std::vector<std::unique_ptr<Plan>> plans;
  };

  Shape* find_shape();
  void learn_shape(Shape& shape) const;
  const Plan* find_plan(Shape& shape, const JobKind* kind) const;
  void learn_plan(Plan& plan) const;
  const JobKind* kind_of(const Shape& shape, const ManifestRow& row, std::string_view& name) const;
  bool find_fields(const Plan& plan);
  bool take_member(const FieldSpec& spec, const FlatMember& member, FieldText& found);

  ManifestRun& run_;
  const NameRules& rules_;
  FlatObject object_;
  RowViews views_;
  std::vector<std::unique_ptr<Shape>> shapes_;
  std::string_view text_;
  std::uint64_t line_ = 0;
  std::vector<std::size_t> at_;  ///< parallel to views_.fields; kNone for a default
};

}  // namespace reelbatch
