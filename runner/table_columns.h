// What the columns of a table mean: its header, as names to fields and labels, worked out once for each kind of row.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "runner/manifest_run.h"
#include "runner/mapping.h"
#include "runner/name_rules.h"
#include "runner/table_format.h"

namespace reelbatch {

constexpr std::size_t kNoColumn = SIZE_MAX;

/// How the cells of a row of one kind are used. Columns count from 0.
struct TablePlan {
  /// Where a field of the kind is found.
  struct Field {
    struct Columns {
      std::vector<std::size_t> at;  ///< several for a family, or for what is joined, in their order
      bool list = false;            ///< several make a list, and no text of several paragraphs
    };
    const FieldSpec* spec = nullptr;
    std::vector<Columns> columns;   ///< the first that has something in a row counts
    bool may_be_spelt_out = false;  ///< that there is nothing: `N/A`
    const RawValue* otherwise = nullptr;
  };
  struct Label {
    std::size_t column = 0;
    std::string name;
  };
  const JobKind* kind = nullptr;
  std::vector<Field> fields;  ///< in the order of JobKind::fields()
  std::vector<Label> labels;
  std::size_t needed = 0;  ///< a row with fewer cells lacks one that feeds something
  std::size_t end = 0;     ///< from here on columns have no name and feed nothing: what stands there was shifted
};

class TableColumns {
 public:
  /// The references must outlive this. `run` is told what is wrong with the header, what is odd, and what feeds what.
  TableColumns(const TableFormat& format, ManifestRun& run) : format_(format), run_(run) {}

  /// Takes the header, before anything else is asked. False if no row can be read: there is no id.
  ///
  /// names   as written; `f1`, `f2`, ... where the table has no header.
  /// places  of each.
  bool take_header(std::vector<std::string> names, std::vector<Place> places);

  std::size_t size() const { return names_.size(); }
  /// For people, empty for one that the header has not.
  std::string name(std::size_t column) const;
  /// kNoColumn if nothing feeds it; of several that make up the id, the first.
  std::size_t id() const { return id_; }
  /// All of several that make up the id, in their order; empty if one does.
  std::span<const std::size_t> id_parts() const { return id_parts_; }
  std::size_t kind() const { return kind_; }
  std::size_t account() const { return account_; }

  /// kind  may be nullptr: labels alone. The plan stays where it is as long as this does.
  const TablePlan& plan_for(const JobKind* kind);

 private:
  void check_mapped_columns();
  void refuse_without(const TablePlan::Field& source);
  void refuse_synonyms(std::string_view field, const std::vector<std::size_t>& columns);
  void refuse_same_names(std::string_view field, const std::vector<std::size_t>& columns, const JobKind* kind,
                         std::size_t target);
  void say_synonym(std::string_view field, const Arranged& arranged);
  std::size_t special_column(std::size_t special);
  void take_first_id(Arranged& arranged);
  void take_id_parts(const Arranged::Alternative& id);
  TablePlan make_plan(const JobKind* kind);
  void add_fields(TablePlan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds);
  void tell_mapping(const TablePlan& plan, const std::vector<bool>& feeds);
  void add_labels(TablePlan& plan, const std::vector<NameUse>& uses, const std::vector<bool>& feeds);

  const TableFormat& format_;
  ManifestRun& run_;
  std::vector<std::string> names_;
  std::vector<Place> places_;
  std::vector<std::string> shown_;      ///< the names, for people
  std::vector<FieldMapping> mappings_;  ///< of id, kind and account, then of the fields of the kind planned last
  std::size_t id_ = kNoColumn;
  std::vector<std::size_t> id_parts_;
  std::size_t kind_ = kNoColumn;
  std::size_t account_ = kNoColumn;
  std::vector<std::unique_ptr<TablePlan>> plans_;
};

}  // namespace reelbatch
