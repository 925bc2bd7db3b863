// Whether a record of a table may be read as a row: it has the cells that it should, and nothing says that one of them
// stands in another's column. What it refuses would have been paid for as another listing, or as half of one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "runner/csv.h"
#include "runner/id_forms.h"
#include "runner/last_cells.h"
#include "runner/manifest_run.h"
#include "runner/table_columns.h"
#include "runner/table_format.h"

namespace reelbatch {

class RowShape {
 public:
  /// The references must outlive this. `csv` is at the record that is asked about.
  RowShape(const TableFormat& format, CsvReader& csv, const TableColumns& columns, ManifestRun& run)
      : format_(format), csv_(csv), columns_(columns), run_(run) {}

  /// Refuses the row and gives false if its record is not to be read; warns of what is odd. Its id is known by now.
  ///
  /// record  its number, from 1.
  /// doubt   set to what is in doubt about a row that is read, if anything is.
  bool check(const TablePlan& plan, std::uint64_t record, ManifestRow& row, std::optional<RowDoubt>& doubt);
  /// After the last record.
  void finish();

 private:
  bool check_width(const TablePlan& plan, ManifestRow& row, std::optional<RowDoubt>& doubt);
  bool check_short(const TablePlan& plan, std::size_t own, ManifestRow& row);
  bool refuse_swallowed(const TablePlan& plan, ManifestRow& row);
  bool refuse_nameless(const TablePlan& plan, ManifestRow& row);
  bool refuse_shifted(ManifestRow& row, const TablePlan& plan, bool is_short);
  bool refuse_misfit(const TablePlan& plan, ManifestRow& row, std::string_view counts);
  void refuse_broken(std::size_t own, ManifestRow& row);
  bool refuse_other_dialect(ManifestRow& row);
  bool goes_on_behind(const TablePlan& plan, std::size_t own);
  bool may_go_on(std::size_t own, std::string_view rest) const;
  bool is_half_id(std::string_view lone, std::string_view behind) const;
  bool may_be_half(const TablePlan& plan, std::string_view behind) const;
  std::string_view first_cell_behind(std::string_view text) const;
  bool ends_table(const CsvReader::Behind& behind) const;
  bool has_misfits(std::span<const std::string_view> cells) const;
  bool has_addresses_moved(std::span<const std::string_view> cells, std::size_t by) const;
  bool is_name_of_id(std::string_view text) const;
  enum class Addresses { None, Like, Unlike };
  Addresses compare_addresses(const TablePlan& plan, std::span<const std::string_view> behind) const;
  std::string strange_id() const;
  void look_at_id();
  void look_for_cut(const TablePlan& plan, std::optional<RowDoubt>& doubt);
  void refuse_width(ManifestRow& row, Place place, std::string_view column, std::string message, std::string_view code);
  std::string_view cell(std::size_t column) const;

  const TableFormat& format_;
  CsvReader& csv_;
  const TableColumns& columns_;
  ManifestRun& run_;
  std::uint64_t record_ = 0;
  LastCells last_cells_;

  std::uint64_t short_rows_ = 0;  ///< that were read
  std::uint64_t rest_ = 0;        ///< the record that is the rest of the row in front of it; 0: none is
  std::uint64_t cut_row_ = 0;     ///< the record that was refused for its missing cells last
  std::uint64_t half_ = 0;  ///< the record that seems to be the beginning of the next one's first cell; 0: none was

  // What ids look like, and what stands beside them.
  IdForms ids_;
  std::set<std::string, std::less<>> left_forms_, right_forms_;

  // Rows one behind the other with the same wrong number of cells.
  std::uint64_t odd_rows_ = 0;
  std::uint64_t odd_last_ = 0;  ///< its number
  std::size_t odd_width_ = 0;
  Place odd_place_;  ///< of the first
  std::string odd_message_;
};

}  // namespace reelbatch
