#include "runner/row_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobs/address_list.h"
#include "jobs/unicode.h"
#include "runner/footer_line.h"
#include "runner/manifest_text.h"
#include "runner/swallowed_rows.h"

namespace reelbatch {
namespace {

/// So many rows in a row with the same wrong number of cells are told one by one.
constexpr std::uint64_t kOddRowsTold = 10;

}  // namespace

std::string_view RowShape::cell(std::size_t column) const {
  return column < csv_.cells().size() ? csv_.cells()[column] : std::string_view();
}

bool RowShape::check(const TablePlan& plan, std::uint64_t record, ManifestRow& row, std::optional<RowDoubt>& doubt) {
  record_ = record;
  if (rest_ == record) {
    refuse_row(
        row, row.place, {},
        "no row of its own, but the rest of the one in front of it: a line break in a cell? Put the cell in quotes",
        "broken_row");
    return false;
  }
  if (csv_.goes_on_over_lines() && refuse_swallowed(plan, row)) return false;
  if (refuse_nameless(plan, row) || refuse_other_dialect(row)) return false;
  return check_width(plan, row, doubt);
}

void RowShape::finish() {
  if (odd_rows_ > kOddRowsTold)
    run_.warn(odd_place_, {},
              fmt::format("from here on: {}; was the file joined from two exports? Put each into a file of its own",
                          odd_message_),
              fmt::format(" ({} rows in a row)", odd_rows_));
  odd_rows_ = 0;
}

bool RowShape::check_width(const TablePlan& plan, ManifestRow& row, std::optional<RowDoubt>& doubt) {
  const std::size_t cells = csv_.cells().size();
  // A row that is shifted by one may end in an empty cell of its own instead, which other rows have in quotes.
  const bool trails = format_.trailing && csv_.cells().back().empty() &&
                      (!format_.trailing_bare || csv_.raw().empty() || csv_.raw().back() != '"');
  const std::size_t own = cells - (trails ? 1 : 0);
  const bool follows_half = half_ != 0 && half_ + 1 == record_;
  if (follows_half && own >= plan.needed && own <= columns_.size()) {
    refuse_row(row, row.place, columns_.name(0),
               "the line in front of it is no row of its own: a line break in the first cell? Put the cell in quotes",
               "broken_row");
    return false;
  }
  if (own < columns_.size()) return check_short(plan, own, row);
  if (cells > columns_.size() && own != columns_.size()) {
    refuse_width(
        row, csv_.place(columns_.size()), {},
        fmt::format("{} fields, {} {}; an unquoted {}?", own, format_.has_header ? "header has" : "most rows have",
                    columns_.size(), shown(csv_.dialect())),
        "too_many_fields");
    return false;
  }
  if (refuse_shifted(row, plan, false)) return false;
  look_at_id();
  const bool ends_bare = plan.needed == columns_.size() && cells == own && csv_.dialect().record_end == 0;
  if (ends_bare && goes_on_behind(plan, own)) {
    refuse_broken(own, row);
    return false;
  }
  look_for_cut(plan, doubt);
  return true;
}

/// A row with fewer cells than there are columns, as it may be where the last ones are empty.
bool RowShape::check_short(const TablePlan& plan, std::size_t own, ManifestRow& row) {
  const std::string counts = fmt::format("{} field{}, {} {}", own, own == 1 ? "" : "s",
                                         format_.has_header ? "header has" : "most rows have", columns_.size());
  if (!csv_.ended_by_newline())
    run_.find(row.place, {},
              fmt::format("the last record is incomplete ({}): is the file still being written?", counts));
  // Without a header nothing says that it is the last ones that are missing, and in sections none may be.
  if (own < plan.needed || !format_.has_header || csv_.dialect().record_end != 0) {
    refuse_width(row, csv_.place(own), columns_.name(own), fmt::format("{}; a missing quote or a broken line?", counts),
                 "too_few_fields");
    cut_row_ = record_;
    const std::span<const std::string_view> behind = csv_.behind(1).cells;
    if (own == 1 && !behind.empty() && may_be_half(plan, behind[0])) half_ = record_;
    return false;
  }
  if (refuse_shifted(row, plan, true) || refuse_misfit(plan, row, counts)) return false;
  look_at_id();
  if (goes_on_behind(plan, own)) {
    refuse_broken(own, row);
    return false;
  }
  ++short_rows_;
  run_.warn(row.place, {}, "cells are missing at the end of the row, none that feeds a field");
  return true;
}

/// A record that goes on over rows of their own is of no listing. True if it was one, and is refused.
bool RowShape::refuse_swallowed(const TablePlan& plan, ManifestRow& row) {
  const auto is_row = [&](std::span<const std::string_view> cells) {
    const std::string_view id = columns_.id() < cells.size() ? cells[columns_.id()] : std::string_view();
    const Addresses addresses = compare_addresses(plan, cells);
    return !ColumnKinds::is_address(id) && addresses != Addresses::Unlike &&
           (addresses == Addresses::Like || ids_.match(id) != IdForms::Match::Unlike);
  };
  const auto swallowed = find_swallowed_rows(csv_.cells(), csv_.dialect(), columns_.size(), is_row);
  if (!swallowed) return false;
  const Place open = csv_.place(swallowed->cell);
  const std::string lines = swallowed->lines == 1
                                ? fmt::format("line {}, which looks like a row of its own", open.line + 1)
                                : fmt::format("lines {} to {}, which look like rows of their own", open.line + 1,
                                              open.line + swallowed->lines);
  refuse_row(
      row, open, columns_.name(swallowed->cell),
      fmt::format("a quote is opened here and closed only in {}: none of these rows is read; take the quote out, "
                  "or put the cell in quotes and write it twice",
                  lines),
      "swallowed_rows");
  return true;
}

bool RowShape::refuse_nameless(const TablePlan& plan, ManifestRow& row) {
  for (std::size_t i = plan.end; i < std::min(csv_.cells().size(), columns_.size()); ++i) {
    if (trim(cell(i)).empty()) continue;
    refuse_row(row, csv_.place(i), {},
               fmt::format("column {} has no name in the header, and nothing should stand in it; an unquoted {}? If it "
                           "is a column, give it a name",
                           i + 1, shown(csv_.dialect())),
               "too_many_fields");
    return true;
  }
  return false;
}

/// A row that looks shifted. Of one that is short as well nothing more has to speak for it, where that is about
/// something that is read, nor of one whose id looks like no other, with one beside it.
bool RowShape::refuse_shifted(ManifestRow& row, const TablePlan& plan, bool is_short) {
  if (!format_.kinds.known()) return false;
  const std::optional<ColumnKinds::Shift> shift = format_.kinds.find_shift(csv_.cells(), csv_.raw());
  const std::string strange = strange_id();
  if (!shift && strange.empty()) return false;
  const std::string says =
      fmt::format("{}{}{}", shift ? shift->says : "", shift && !strange.empty() ? ", and " : "", strange);
  const std::size_t at = shift ? shift->cell : columns_.id();
  const bool follows_cut = cut_row_ != 0 && cut_row_ + 1 == record_;  // and may be its rest
  const bool is_sure =
      shift && (shift->sure || follows_cut || !strange.empty() || (is_short && shift->cell < plan.needed));
  if (!is_sure) {
    if (shift && shift->alone && strange.empty()) return false;
    run_.warn(csv_.place(at), {}, "a row looks shifted from here on", fmt::format(": {}", says));
    return false;
  }
  refuse_row(row, csv_.place(at), {},
             is_short
                 ? fmt::format("the row is shifted from here on: {}; is a cell missing, or an unquoted {} in it?", says,
                               shown(csv_.dialect()))
                 : fmt::format("the row is shifted from here on: {}; an unquoted {}?", says, shown(csv_.dialect())),
             "shifted_row");
  return true;
}

/// A short row with something in a column that is read which other rows have nothing of the sort in, while it would fit
/// with all that follows if nothing were missing in front of it.
bool RowShape::refuse_misfit(const TablePlan& plan, ManifestRow& row, std::string_view counts) {
  const auto refuse = [&](std::size_t column) {
    const std::string says = format_.kinds.misfit(column, cell(column));
    const std::size_t missing = columns_.size() - csv_.cells().size();
    if (says.empty() || !format_.kinds.fits_behind(csv_.cells(), column, missing)) return false;
    refuse_row(row, csv_.place(column), columns_.name(column),
               fmt::format("{}, and {}; is a cell missing in front of it?", counts, says), "shifted_row");
    return true;
  };
  if (refuse(columns_.id())) return true;
  for (const TablePlan::Field& field : plan.fields)
    for (const TablePlan::Field::Columns& columns : field.columns)
      if (std::any_of(columns.at.begin(), columns.at.end(), refuse)) return true;
  return false;
}

/// A row in front of a record that makes it as wide as it should be, and is no row by itself.
void RowShape::refuse_broken(std::size_t own, ManifestRow& row) {
  refuse_row(
      row, csv_.place(own - 1), columns_.name(own - 1),
      "the next line is no row of its own, but the rest of this one: a line break in this cell? Put the cell in quotes",
      "broken_row");
  rest_ = record_ + 1;
}

/// A row that was appended with delimiters of its own, and has some of the table's in its texts.
bool RowShape::refuse_other_dialect(ManifestRow& row) {
  constexpr std::string_view kOthers = ";\t|,";
  const std::string_view id = cell(columns_.id());
  const std::size_t at = id.find_first_of(kOthers);
  if (at == std::string_view::npos || csv_.dialect().second != 0) return false;
  const char other = id[at];
  const auto count = static_cast<std::size_t>(std::count(csv_.raw().begin(), csv_.raw().end(), other));
  if (columns_.size() < 3 || other == csv_.dialect().delimiter || count + 1 != columns_.size()) return false;
  const bool reads_well = !format_.kinds.known() || !format_.kinds.find_shift(csv_.cells(), csv_.raw());
  if (reads_well) return false;
  refuse_row(row, csv_.place(columns_.id()), columns_.name(columns_.id()),
             fmt::format("split at {} instead of {} the row would have as many fields as the header: is it of another "
                         "export?",
                         shown(CsvDialect(other)), shown(csv_.dialect())),
             "shifted_row");
  return true;
}

/// Whether the record behind this one, whose last cell ends with the line, is the rest of it: it is no row, by what
/// stands where ids and addresses do, or makes this one as wide as it should be.
bool RowShape::goes_on_behind(const TablePlan& plan, std::size_t own) {
  const CsvReader::Behind next = csv_.behind(columns_.size() + 1);
  const std::span<const std::string_view> behind = next.cells;
  const bool says_nothing = std::all_of(behind.begin(), behind.end(), [](auto cell) { return trim(cell).empty(); });
  if (says_nothing || own == 0 || csv_.is_quoted(own - 1)) return false;
  const bool is_short = own < columns_.size();
  const bool may_be_row = behind.size() >= std::max<std::size_t>(plan.needed, 2);
  const Addresses addresses = compare_addresses(plan, behind);
  if (may_be_row && !is_short && addresses == Addresses::Like) return false;  // nearly always

  using Match = IdForms::Match;
  const bool has_id = columns_.id() < behind.size();
  const std::string_view id = has_id ? behind[columns_.id()] : std::string_view();
  const Match match = has_id ? ids_.match(id) : Match::Unknown;
  if (match == Match::Same || (has_id && is_name_of_id(id)) || !may_go_on(own, behind[0]) || ends_table(next))
    return false;
  if (behind.size() == 1 && is_half_id(behind[0], first_cell_behind(next.text))) return false;
  if (behind.size() == 1 && match == Match::Alike) return true;
  // What stands behind a comma in a text begins with a blank, and in no row where it does not in this one.
  const auto has_blanks = [](auto cells) {
    return std::any_of(cells.begin() + 1, cells.end(), [](auto cell) { return cell.starts_with(' '); });
  };
  const bool in_text = has_blanks(behind) && !has_blanks(csv_.cells());
  // Rows that leave out what is empty at their end may be as wide as one by chance.
  const bool makes_whole = own + behind.size() == columns_.size() + 1;
  const bool is_missing = makes_whole && is_short && short_rows_ == 0;
  const bool is_number = Form(id).text() == "9";
  if (match == Match::Alike && ids_.is_whole(id) && !in_text && (is_number || addresses != Addresses::Unlike))
    return is_missing && !may_be_row;

  if (addresses == Addresses::Unlike || (match == Match::Unlike && !may_be_row)) return true;
  if (!may_be_row) return makes_whole || in_text || has_misfits(behind);
  if (addresses == Addresses::Like)
    return (match == Match::Unlike && own + behind.size() > columns_.size() && has_misfits(behind)) ||
           (is_missing && has_addresses_moved(behind, own - 1));
  return makes_whole && ((match == Match::Unlike && is_missing) || has_misfits(behind));
}

/// Whether the addresses of a record would stand in columns of such if it were moved to the right by so many.
bool RowShape::has_addresses_moved(std::span<const std::string_view> cells, std::size_t by) const {
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (ColumnKinds::is_address(cells[i]) && !format_.kinds.holds_addresses(i + by)) return false;
  return true;
}

/// Whether what ends with the line is a text, or an address or an id that the rest may belong to.
bool RowShape::may_go_on(std::size_t own, std::string_view rest) const {
  const std::size_t last = own - 1;
  const std::string_view text = trim(cell(last));
  if (last == columns_.id()) return ids_.are_halves(text, rest);
  if (!ColumnKinds::is_address(text)) return !format_.kinds.holds_numbers(last);
  const bool is_whole = has_image_name(text.substr(text.size() - std::min<std::size_t>(text.size(), 5)));
  return trim(rest).find(' ') == std::string_view::npos &&
         (!is_whole || ColumnKinds::is_address(rest) || has_image_name(rest));
}

/// Whether a record and all behind it are what programs write below a table.
bool RowShape::ends_table(const CsvReader::Behind& behind) const {
  constexpr std::size_t kFooterMax = 1000;  // bytes
  if (!behind.is_all || behind.text.size() > kFooterMax) return false;
  // What stands apart, and is no table.
  if (behind.blank_lines > 1 && behind.text.find(csv_.dialect().delimiter) == std::string_view::npos) return true;
  for (std::string_view text = behind.text; !text.empty();) {
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    if (!trim(line).empty() && line[0] != '#' && !is_footer(line, record_)) return false;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return true;
}

/// Whether the only cell of a record, and the first of the one behind it, are an id that a line break cut.
bool RowShape::is_half_id(std::string_view lone, std::string_view behind) const {
  return columns_.id() == 0 && ids_.are_halves(lone, behind);
}

/// Whether the only cell of this record, and the first of the one behind it, are one that a line break cut, and that
/// says something.
bool RowShape::may_be_half(const TablePlan& plan, std::string_view behind) const {
  if (columns_.id() == 0) return is_half_id(cell(0), behind);
  const auto is_first = [](const TablePlan::Field::Columns& columns) {
    return std::find(columns.at.begin(), columns.at.end(), 0U) != columns.at.end();
  };
  const bool feeds = std::any_of(plan.fields.begin(), plan.fields.end(), [&](const TablePlan::Field& field) {
    return std::any_of(field.columns.begin(), field.columns.end(), is_first);
  });
  return feeds && format_.kinds.misfit(0, cell(0)).empty() && cell(0)[0] != '#' && !is_footer(cell(0), record_);
}

/// The first cell of the record behind the one that a text begins with.
std::string_view RowShape::first_cell_behind(std::string_view text) const {
  text.remove_prefix(std::min(text.find_first_of("\r\n"), text.size()));
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  text = text.substr(0, text.find_first_of("\r\n"));
  return text.substr(0, text.find(csv_.dialect().delimiter));
}

/// Whether some cell of a record, of those that say something, is of another sort than its column.
bool RowShape::has_misfits(std::span<const std::string_view> cells) const {
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (!stands_for_nothing(cells[i]) && !format_.kinds.misfit(i, cells[i]).empty()) return true;
  return false;
}

/// Whether it is what the header says in the column of ids, as in exports that were put together.
bool RowShape::is_name_of_id(std::string_view text) const {
  return format_.has_header && fold_name(text) == fold_name(columns_.name(columns_.id()));
}

/// Whether a record has addresses, or names of images, where this row has those that it feeds something with. What says
/// nothing there is neither like them nor unlike.
RowShape::Addresses RowShape::compare_addresses(const TablePlan& plan, std::span<const std::string_view> behind) const {
  bool is_unlike = false;
  for (const TablePlan::Field& field : plan.fields) {
    if (field.spec->media == Media::None) continue;
    const auto is_one = [&](std::string_view cell) {
      return ColumnKinds::is_address(cell) || (field.spec->is_images && has_image_name(cell));
    };
    for (const TablePlan::Field::Columns& columns : field.columns)
      for (const std::size_t column : columns.at) {
        if (column >= behind.size() || !is_one(cell(column))) continue;
        if (is_one(behind[column])) return Addresses::Like;
        is_unlike = is_unlike || (Form(behind[column]).has_text() && !stands_for_nothing(behind[column]));
      }
  }
  return is_unlike ? Addresses::Unlike : Addresses::None;
}

/// An id that looks like no other one, beside a cell that does, as hardly any there; for people. Empty if it is none.
std::string RowShape::strange_id() const {
  const std::size_t column = columns_.id();
  if (column >= csv_.cells().size() || !ids_.are_alike()) return {};
  if (trim(cell(column)).empty() || ids_.match(cell(column)) != IdForms::Match::Unlike) return {};
  const auto looks_like_id = [&](std::size_t at, const auto& usual) {
    const Form beside(cell(at));
    // Numbers and words alone are anything.
    return beside.text().size() > 1 && ids_.match(cell(at)) >= IdForms::Match::Alike && !usual.contains(beside.text());
  };
  const std::size_t left = column - 1;  // wraps around below 0, and is then none
  const bool is_right = looks_like_id(column + 1, right_forms_);
  if (!is_right && !looks_like_id(left, left_forms_)) return {};
  return fmt::format("'{}' looks like no other id, and '{}' beside it does", printable(cell(column), 40),
                     printable(cell(is_right ? column + 1 : left), 40));
}

/// Learns from a row that is right, for all that is known.
void RowShape::look_at_id() {
  if (!ids_.is_learning() || trim(cell(columns_.id())).empty()) return;
  ids_.learn(cell(columns_.id()));
  left_forms_.emplace(Form(cell(columns_.id() - 1)).text());
  right_forms_.emplace(Form(cell(columns_.id() + 1)).text());
}

/// Of a row that has all its cells, the last one perhaps in part: the file ends in it.
void RowShape::look_for_cut(const TablePlan& plan, std::optional<RowDoubt>& doubt) {
  if (csv_.dialect().record_end != 0) return;
  const std::size_t last = columns_.size() - 1;
  if (csv_.ended_by_newline()) {
    if (last_cells_.is_learning()) last_cells_.learn(cell(last));
    return;
  }
  const bool is_closed = csv_.cells().size() > columns_.size() || csv_.is_quoted(last);
  if (plan.needed != columns_.size() || is_closed) return;
  if (const std::string why = last_cells_.why_cut(cell(last)); !why.empty())
    doubt = {csv_.place(last), columns_.name(last), LastCells::message(why), "cut_row"};
}

/// Refuses the row, which has another number of cells than the header. Where row after row has the same one, that is
/// said once: it is no slip in a row.
void RowShape::refuse_width(ManifestRow& row, Place place, std::string_view column, std::string message,
                            std::string_view code) {
  if (odd_rows_ == 0 || odd_width_ != csv_.cells().size() || odd_last_ + 1 != record_) {
    finish();
    odd_width_ = csv_.cells().size();
    odd_place_ = row.place;
    odd_message_ = message.substr(0, message.find(';'));
  }
  odd_last_ = record_;
  refuse_row(row, place, column, std::move(message), code);
  row.remarks.back().repeats = ++odd_rows_ > kOddRowsTold;
}

}  // namespace reelbatch
