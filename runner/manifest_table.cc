#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "jobs/json_quote.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/csv.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_text.h"
#include "runner/row_shape.h"
#include "runner/row_views.h"
#include "runner/second_header.h"
#include "runner/table_columns.h"

namespace reelbatch {
namespace {

constexpr std::size_t kNameMax = 200;  ///< bytes of a cell that may be a column's name

/// Nothing is left of it when it is trimmed.
bool is_blank(std::string_view text) {
  const bool plain_start = !text.empty() && text[0] > 0x20 && text[0] < 0x7F;
  return !plain_start && trim(text).empty();
}

/// Whether a preset names columns by positions behind the last one.
bool reads_beyond(const Preset* preset, std::size_t width) {
  if (preset == nullptr) return false;
  for (const PresetField& field : preset->fields)
    for (const auto& alternative : parse_column_spec(field.columns).alternatives)
      for (const ColumnSpec::Part& part : alternative)
        for (const auto& [first, last] : part.positions)
          if (last > width) return true;
  return false;
}

bool is_images(const TablePlan& plan, std::string_view field) {
  return std::any_of(plan.fields.begin(), plan.fields.end(),
                     [&](const TablePlan::Field& known) { return known.spec->name == field && known.spec->is_images; });
}

class TableReader {
 public:
  TableReader(ByteSource& source, const TableFormat& format, ManifestRun& run, const TextSource* text)
      : run_(run),
        source_(source),
        text_(text),
        format_(format),
        csv_(source, run.file(), format.dialect),
        columns_(format, run),
        shape_(format, csv_, columns_, run) {
    row_.place_of_field = [this](std::size_t field) {
      return field_cells_[field] == kNoColumn ? Place{} : csv_.place(field_cells_[field]);
    };
    row_.record = [this] { return RecordText{records_, csv_.raw(), csv_.line()}; };
  }

  Result<void> read();

 private:
  Result<void> skip_to_header();
  Result<bool> read_header();
  bool is_empty_row() const;
  bool is_second_header();
  bool is_other_header() const;
  Result<void> read_row();
  void begin_row();
  void find_row(const TablePlan& plan);
  bool refuse_header();
  void read_id();
  void find_fields(const TablePlan& plan);
  bool find_field(const TablePlan& plan, const TablePlan::Field& field, FieldText& found, std::size_t& cell);
  void find_labels(const TablePlan& plan);
  Result<void> take_grouped();
  std::size_t find_column(std::string_view name) const;
  bool goes_on(const TablePlan& plan);
  Result<void> end_group();
  void say_encoding();
  void say_about_file();
  void compare_with_count();
  bool take_columns(const TablePlan::Field::Columns& columns, const TablePlan::Field& field, FieldText& found,
                    std::size_t& cell);
  bool take_images(std::string_view field, std::size_t column, FieldText& found);
  void warn_left_out(std::span<const TablePlan::Field::Columns> columns, std::size_t used, const FieldText& found);
  bool take_cell(std::size_t column, const TablePlan::Field& field, std::string_view& text);
  std::string_view cell(std::size_t column) const;
  std::string_view unguarded(std::size_t column, std::string_view field);
  std::string_view take_off_guard(std::string_view text, std::size_t column, std::string_view field);

  ManifestRun& run_;
  ByteSource& source_;
  const TextSource* text_;  ///< what knows the encoding; may be nullptr
  const TableFormat& format_;
  CsvReader csv_;
  TableColumns columns_;
  SecondHeader second_header_;
  RowShape shape_;
  std::optional<RowDoubt> doubt_;  ///< about the row at hand
  bool is_cut_ = false;            ///< the last row was refused for it
  bool said_encoding_ = false;
  bool first_is_row_ = false;  ///< the record that was read as the header is a row
  bool saw_end_ = false;       ///< that is marked, as that of a file in sections is
  std::string default_kind_;
  std::string default_account_;

  RowViews views_;                        ///< of the row; `row_` gets them as its own if anyone wants it whole
  std::vector<std::size_t> field_cells_;  ///< parallel to views_.fields; kNoColumn for a default
  ManifestRow row_;
  bool needs_id_ = false;      ///< one is made of its fields
  bool malformed_ = false;     ///< somewhere in the record there is something that is not UTF-8
  std::uint64_t records_ = 0;  ///< rows so far

  // The listing that is not whole before a row with another id comes.
  bool in_group_ = false;
  std::optional<std::size_t> opening_;  ///< the column of Preset::opening, once it was looked for
  ManifestRow group_;
  std::vector<Place> group_places_;
  std::uint64_t group_record_ = 0;  ///< the number of its first record
  std::string group_text_;          ///< its records as written
};

Result<void> TableReader::read() {
  const Result<bool> ready = read_header();
  if (!ready) return tl::unexpected<Error>(ready.error());
  if (!*ready) return {};
  const RawValue* kind = run_.rules().default_of(Target::kKind, nullptr);
  const RawValue* account = run_.rules().default_of(Target::kAccount, nullptr);
  default_kind_ = kind ? std::string(trim(kind->text)) : std::string(default_kind().name());
  if (account) default_account_ = account->text;
  // So that slips are found in a file without rows.
  if (columns_.kind() == kNoColumn) columns_.plan_for(find_kind(default_kind_));

  const bool grouped = run_.rules().preset() != nullptr && run_.rules().preset()->grouped;
  while (true) {
    const Result<bool> more = first_is_row_ ? Result<bool>(true) : csv_.next();
    first_is_row_ = false;
    if (!more) {
      run_.find_said(more.error().message);
      break;
    }
    if (!*more) break;
    if (format_.in_sections && csv_.raw().starts_with("#END#")) {
      saw_end_ = true;
      break;
    }
    if (csv_.raw() == CsvReader::kEndOfFile && !csv_.ended_by_newline()) {
      saw_end_ = true;
      break;
    }
    if (is_empty_row()) {
      run_.warn({csv_.line(), 1}, {}, "skipped a row of nothing but empty cells");
      continue;
    }
    if (is_second_header()) break;
    if (Result<void> taken = grouped ? take_grouped() : read_row(); !taken) return taken;
  }
  if (Result<void> ended = end_group(); !ended) return ended;
  say_about_file();
  return {};
}

/// A file in sections says how many rows it has. One that has fewer was put together of less than there is; who says
/// with --min-rows how many are enough has looked.
void TableReader::compare_with_count() {
  if (!format_.rows_stated || *format_.rows_stated == records_) return;
  const std::string message =
      fmt::format("Property Count under #HEADER# is {}, and there are {} rows", *format_.rows_stated, records_);
  if (*format_.rows_stated > records_ && run_.rules().options().min_rows == 0) {
    run_.find({}, {}, message + ": is the file cut short? --min-rows says how many are enough all the same");
  } else {
    run_.warn({}, {}, message);
  }
}

/// What is known only at the end.
void TableReader::say_about_file() {
  shape_.finish();
  if (format_.in_sections && !saw_end_)
    run_.find({}, {}, "the last record is incomplete: there is no #END#; is the file still being written?");
  if (saw_end_) compare_with_count();
  const bool ends_open = records_ > 0 && !saw_end_ && csv_.dialect().record_end == 0 && !csv_.ended_by_newline();
  if (ends_open && records_ == 1 && !format_.has_header && reads_beyond(format_.preset, columns_.size())) {
    run_.find(
        row_.place, {},
        fmt::format("the only record is incomplete ({} fields, preset '{}' has more): is the file still being written?",
                    columns_.size(), format_.preset->name));
  } else if (ends_open && !is_cut_) {
    run_.warn(row_.place, {}, kNoLineEnd);
  }
  if (csv_.line_of_mark() != 0)
    run_.warn({csv_.line_of_mark(), 1}, {},
              "skipped a byte order mark in front of a line that is not the first: was the file joined from several?");
  const CsvReader::LineEnds& ends = csv_.line_ends();
  if (int{ends.lf} + int{ends.crlf} + int{ends.cr} > 1) run_.warn({}, {}, "line ends are mixed: LF, CRLF or CR");
}

// ---- The header -----------------------------------------------------------------------------------------------------

Result<void> TableReader::skip_to_header() {
  std::size_t left = format_.skip_bytes;
  std::array<char, 4096> block;
  while (left > 0) {
    const Result<std::size_t> taken = source_.read(block.data(), std::min(left, block.size()));
    if (!taken) return tl::unexpected<Error>(taken.error());
    if (*taken == 0) break;
    left -= *taken;
  }
  csv_.start_at_line(format_.first_line);
  return {};
}

Result<bool> TableReader::read_header() {
  if (Result<void> there = skip_to_header(); !there) {
    run_.find_said(there.error().message);
    return false;
  }
  if (!format_.header.empty()) {
    return columns_.take_header(format_.header,
                                std::vector<Place>(format_.header.size(), Place{format_.header_line, 1}));
  }
  const Result<bool> more = csv_.next();
  if (!more) {
    run_.find_said(more.error().message);
    return false;
  }
  if (!*more) {
    run_.find({}, {}, "the file is empty: a header with an 'id' column is needed (0 listings)");
    return false;
  }
  std::vector<std::string> names;
  if (!format_.has_header) {
    first_is_row_ = true;
    const std::size_t width = format_.width != 0 ? format_.width : csv_.cells().size();
    for (std::size_t i = 0; i < width; ++i) names.push_back(fmt::format("f{}", i + 1));
    std::vector<Place> places = csv_.places();
    places.resize(width, csv_.place(csv_.cells().size()));
    return columns_.take_header(std::move(names), std::move(places));
  }
  names.assign(csv_.cells().begin(), csv_.cells().end());
  say_encoding();
  for (const CsvProblem& problem : csv_.problems()) run_.find(problem.place, {}, problem.message);
  second_header_.learn(names);
  constexpr std::array<std::string_view, 1> kId{"id"};
  second_header_.expect(kId);
  second_header_.expect(synonyms_of({.name = "id", .api_name = "id"}));
  return columns_.take_header(std::move(names), csv_.places());
}

/// Spreadsheets write such rows below those that were once filled.
bool TableReader::is_empty_row() const {
  return is_blank(cell(columns_.id())) && std::all_of(csv_.cells().begin(), csv_.cells().end(), is_blank) &&
         csv_.problems().empty();
}

/// Ends the reading: what stands behind such a header would go to the wrong fields without a word.
bool TableReader::is_second_header() {
  const std::size_t column = columns_.id() != kNoColumn ? columns_.id() : 0;
  const std::string_view id = trim(cell(column));
  const bool in_another_order = second_header_.may_be_one(id) && second_header_.is_in_another_order(csv_.cells());
  if (!in_another_order && (!second_header_.is_expected(id) || !is_other_header())) return false;
  run_.find({csv_.line(), 1}, {},
            fmt::format("a second header, with {}: the rows behind it would be read wrongly; put them in a file of "
                        "their own",
                        in_another_order ? "the columns in another order" : "other names"));
  return true;
}

/// Names of an id and of something else, at least half of what the cells say, and not the header once more.
bool TableReader::is_other_header() const {
  if (!format_.has_header || second_header_.repeats(csv_.cells())) return false;
  const JobKind* kind = find_kind(default_kind_);
  std::size_t filled = 0, names = 0;
  bool has_id = false;
  for (const std::string_view written : csv_.cells()) {
    const std::string_view name = trim(written);
    if (name.empty()) continue;
    ++filled;
    if (name.size() > kNameMax) continue;
    const NameUse use = run_.rules().use(std::string(name), 0, kind != nullptr ? kind : &default_kind());
    if (!use.targets.empty()) ++names;
    has_id = has_id || std::any_of(use.targets.begin(), use.targets.end(),
                                   [](const Target& target) { return target.field == Target::kId; });
  }
  return has_id && names >= 2 && 2 * names >= filled;
}

/// Once, where the first byte beyond ASCII is.
void TableReader::say_encoding() {
  if (text_ == nullptr || said_encoding_ || text_->encoding() != Encoding::Windows1252) return;
  const std::string_view raw = csv_.raw();
  const auto beyond =
      std::find_if(raw.begin(), raw.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80U; });
  if (beyond == raw.end()) return;
  said_encoding_ = true;
  if (run_.rules().options().encoding) return;
  const auto line = csv_.line() + static_cast<std::uint64_t>(std::count(raw.begin(), beyond, '\n'));
  run_.warn({line, 0}, {},
            fmt::format("read as windows-1252; first non-ASCII at line {}; use --encoding if it is "
                        "something else",
                        line));
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

std::string_view TableReader::cell(std::size_t column) const {
  return column < csv_.cells().size() ? csv_.cells()[column] : std::string_view();
}

/// A cell that feeds something, without a spreadsheet's guard.
inline std::string_view TableReader::unguarded(std::size_t column, std::string_view field) {
  const std::string_view text = cell(column);
  const bool may_be_guarded = !text.empty() && (text[0] == '=' || text[0] == '\'' || text[0] == ' ');
  return may_be_guarded ? take_off_guard(text, column, field) : text;
}

std::string_view TableReader::take_off_guard(std::string_view text, std::size_t column, std::string_view field) {
  std::optional<std::string> inner = without_formula_guard(text);
  if (!inner) return text;
  run_.warn(csv_.place(column), field, "took off a spreadsheet's guard against formulas (=\"...\" or a leading ')");
  return views_.keep(std::move(*inner));
}

Result<void> TableReader::read_row() {
  begin_row();
  find_row(columns_.plan_for(row_.kind));
  if (needs_id_) run_.make_id(row_);
  const Result<void> done = run_.deliver(row_, views_, doubt_);
  is_cut_ = doubt_ && !row_.valid();
  return done;
}

/// Id, kind and account of the record.
void TableReader::begin_row() {
  clear_row(row_);
  views_.clear();
  doubt_.reset();
  ++records_;
  if (row_.file != run_.file()) row_.file = run_.file();
  row_.place = {csv_.line(), 1};
  malformed_ = !csv_.is_well_formed();
  if (!said_encoding_) say_encoding();
  for (const CsvProblem& problem : csv_.problems())
    refuse_row(row_, problem.place, columns_.name(problem.cell), problem.message, problem.code);

  read_id();
  if (!row_.id.empty()) run_.expect(row_.id);
  const auto text_of = [&](std::size_t column, std::string_view field) {
    return column == kNoColumn ? std::string_view() : unguarded(column, field);
  };
  const auto place_of = [&](std::size_t column) { return column == kNoColumn ? row_.place : csv_.place(column); };
  take_kind(row_, text_of(columns_.kind(), "kind"), default_kind_, place_of(columns_.kind()));
  take_account(row_, text_of(columns_.account(), "account"), default_account_, place_of(columns_.account()));
}

/// Fields and labels.
void TableReader::find_row(const TablePlan& plan) {
  const bool in_shape = !refuse_header() && shape_.check(plan, records_, row_, doubt_) && csv_.problems().empty();
  field_cells_.clear();
  if (in_shape) find_fields(plan);
  find_labels(plan);
}

/// The header once more, as in exports that were put together. True if it was, and is refused.
bool TableReader::refuse_header() {
  const std::string_view id = trim(cell(columns_.id() == kNoColumn ? 0 : columns_.id()));
  if (!format_.has_header || !second_header_.may_be_one(id) || !second_header_.repeats(csv_.cells())) return false;
  refuse_row(row_, row_.place, {},
             "the header once more: were two exports put together? Put each into a file of its own", "second_header");
  return true;
}

std::size_t TableReader::find_column(std::string_view name) const {
  for (std::size_t column = 0; column < columns_.size() && !name.empty(); ++column)
    if (fold_name(columns_.name(column)) == fold_name(name)) return column;
  return kNoColumn;
}

/// Whether the row only adds images to the listing of the row before. An id alone does not say so: one that two
/// listings share by mistake would give the first the photos of the second. Then both are rows, and the id is there
/// twice.
bool TableReader::goes_on(const TablePlan& plan) {
  if (!in_group_ || row_.id.empty() || row_.id != group_.id) return false;
  if (!opening_) opening_ = find_column(run_.rules().preset()->opening);
  const auto says = [&](std::size_t column) { return column != kNoColumn && !is_blank(cell(column)); };
  if (says(*opening_) || (says(columns_.kind()) && row_.kind != group_.kind) ||
      (says(columns_.account()) && row_.account != group_.account))
    return false;
  for (std::size_t i = 0; i < row_.fields.size(); ++i) {
    const RawField& own = row_.fields[i];
    if (field_cells_[i] == kNoColumn || is_images(plan, own.name)) continue;
    const auto known = std::find_if(group_.fields.begin(), group_.fields.end(),
                                    [&](const RawField& field) { return field.name == own.name; });
    if (known == group_.fields.end() || trim(known->value.text) != trim(own.value.text)) return false;
  }
  return true;
}

/// A row that begins a listing, or goes on with the one before: then its lists are appended, and the rest of it, which
/// repeats or is empty, is left.
Result<void> TableReader::take_grouped() {
  begin_row();
  const TablePlan& plan = columns_.plan_for(row_.kind);
  find_row(plan);
  if (needs_id_) run_.make_id(row_);
  if (doubt_) refuse_row(row_, doubt_->place, doubt_->field, doubt_->message, doubt_->code);
  views_.fill(row_);
  const bool same = goes_on(plan);
  if (!same) {
    if (in_group_ && row_.id.empty() && is_blank(cell(find_column(run_.rules().preset()->opening))))
      refuse_row(group_, group_.place, {},
                 fmt::format("line {} behind it has no id: if it is one more image, repeat the id there", csv_.line()),
                 "missing_id");
    if (Result<void> ended = end_group(); !ended) return ended;
    in_group_ = true;
    group_ = row_;
    group_places_.clear();
    for (std::size_t i = 0; i < row_.fields.size(); ++i) group_places_.push_back(row_.place_of_field(i));
    group_.place_of_field = [this](std::size_t field) { return group_places_[field]; };
    group_.record = [this] { return RecordText{group_record_, group_text_, group_.place.line}; };
    group_record_ = records_;
    group_text_ = csv_.raw();
    return {};
  }
  for (const Remark& remark : row_.remarks) group_.remarks.push_back(remark);
  if (group_text_.size() < Remark::kRawMax) group_text_.append("\n").append(csv_.raw());
  for (std::size_t i = 0; i < row_.fields.size(); ++i) {
    RawField& more = row_.fields[i];
    if (!is_images(plan, more.name) || field_cells_[i] == kNoColumn) continue;
    const auto known = std::find_if(group_.fields.begin(), group_.fields.end(),
                                    [&](const RawField& field) { return field.name == more.name; });
    if (known == group_.fields.end()) {
      group_.fields.push_back(std::move(more));
      group_places_.push_back(csv_.place(field_cells_[i]));
      continue;
    }
    const auto item = [](const RawValue& value) {
      return value.form == RawValue::Form::Json ? value.text : json_quote(value.text);
    };
    // One list that grows by an item a row: what is there loses its bracket and gets it back.
    std::string list = known->value.form == RawValue::Form::Json ? known->value.text : '[' + item(known->value) + ']';
    list.back() = ',';
    known->value = {RawValue::Form::Json, std::move(list) + item(more.value) + ']'};
  }
  return {};
}

Result<void> TableReader::end_group() {
  if (!in_group_) return {};
  in_group_ = false;
  run_.expect(group_.id);  // what was expected last is the id of the row that begins the next listing
  return run_.deliver(group_);
}

void TableReader::read_id() {
  needs_id_ = false;
  std::string_view id = trim(unguarded(columns_.id(), "id"));
  if (!columns_.id_parts().empty()) {
    std::vector<std::string_view> parts;
    for (const std::size_t column : columns_.id_parts()) {
      parts.push_back(unguarded(column, "id"));
      const std::string_view part = trim(parts.back());
      if (run_.refuse_shortened(row_, part, csv_.place(column))) return;
      if (is_spreadsheet_error(part)) return take_id(row_, part, csv_.place(column), {});
    }
    id = views_.keep(NameRules::join_id(parts));
  }
  needs_id_ = run_.will_make_id(id);
  if (needs_id_) return;
  if (id.find('"') != std::string_view::npos && !csv_.is_quoted(columns_.id())) {
    return refuse_row(
        row_, csv_.place(columns_.id()), "id",
        fmt::format("there is a quote in '{}', and the cell does not begin with one: is something missing "
                    "in front of it, or is there a blank?",
                    printable(id, 60)),
        "bad_id");
  }
  if (is_plain_id(id)) {
    row_.id = id;
    return;
  }
  const Place place = csv_.place(columns_.id());
  if (!run_.refuse_shortened(row_, id, place)) take_id(row_, id, place, run_.id_hint());
}

void TableReader::find_fields(const TablePlan& plan) {
  for (const TablePlan::Field& field : plan.fields) {
    FieldText& found = views_.fields.emplace_back();
    found.name = field.spec->name;
    std::size_t& cell = field_cells_.emplace_back(kNoColumn);
    if (find_field(plan, field, found, cell)) continue;
    views_.fields.pop_back();
    field_cells_.pop_back();
  }
}

/// False if the row says nothing for it, or nothing of use.
bool TableReader::find_field(const TablePlan& plan, const TablePlan::Field& field, FieldText& found,
                             std::size_t& cell) {
  const auto used = std::find_if(field.columns.begin(), field.columns.end(),
                                 [&](const auto& columns) { return take_columns(columns, field, found, cell); });
  if (used != field.columns.end()) {
    if (field.spec->is_images) warn_left_out({used + 1, field.columns.end()}, cell, found);
    if (needs_id_) run_.hash_field(*plan.kind, *field.spec, found.form, found.text);
    if (field.spec->is_images && !take_images(field.spec->name, cell, found)) return false;
  } else {
    if (field.otherwise == nullptr || is_blank(field.otherwise->text)) return false;
    found.form = field.otherwise->form;
    found.text = field.otherwise->text;
  }
  // Only right behind the delimiter do quotes stand for themselves.
  if (field.spec->is_prose && used != field.columns.end() && found.text.front() == ' ' &&
      trim(found.text).starts_with('"') && trim(found.text).ends_with('"')) {
    run_.warn(csv_.place(cell), field.spec->name,
              "the quotes are sent as part of the text: a blank stands in front of them; take out the blanks behind "
              "the delimiters");
  }
  if (std::optional<std::string> prose = run_.prose(*field.spec, found.form, found.text)) {
    found.form = RawValue::Form::Json;
    found.text = views_.keep(std::move(*prose));
  }
  return true;
}

/// False if the cell is empty, or of no use: then the row has a remark.
bool TableReader::take_cell(std::size_t column, const TablePlan::Field& field, std::string_view& text) {
  text = unguarded(column, field.spec->name);
  if (malformed_)
    if (const std::size_t bad = find_malformed(text); bad != std::string_view::npos) {
      const Encoding encoding = text_ == nullptr ? Encoding::Utf8 : text_->encoding();
      refuse_row(row_, csv_.place_in(column, bad), field.spec->name,
                 fmt::format("is not {} (byte 0x{:02X}): save the file as UTF-8", name_of(encoding),
                             static_cast<unsigned char>(text[bad])),
                 "not_utf8");
      return false;
    }
  return !is_blank(text) && !(field.may_be_spelt_out && stands_for_nothing(text));
}

/// What one column, or several together, say. False if that is nothing.
bool TableReader::take_columns(const TablePlan::Field::Columns& columns, const TablePlan::Field& field,
                               FieldText& found, std::size_t& cell) {
  found.form = RawValue::Form::Text;
  if (columns.at.size() == 1) {
    if (!take_cell(columns.at[0], field, found.text)) return false;
    cell = columns.at[0];
    return &columns == &field.columns.back() || !gives_way(*field.spec, found.text);
  }
  std::string all;
  for (const std::size_t column : columns.at) {
    std::string_view item;
    if (!take_cell(column, field, item)) continue;
    if (all.empty()) cell = column;
    if (columns.list) {
      all += all.empty() ? '[' : ',';
      append_json_quoted(all, item);
    } else {
      all += all.empty() ? "" : "\n\n";
      all += trim(item);
    }
  }
  if (all.empty()) return false;
  if (columns.list) found.form = RawValue::Form::Json;
  if (columns.list) all += ']';
  found.text = views_.keep(std::move(all));
  return true;
}

/// A row that has images in columns which stand in for each other: those of the first alone are sent. Both would be
/// other content than was paid for, so it is only said.
///
/// columns  that stand in, behind the one that is used.
void TableReader::warn_left_out(std::span<const TablePlan::Field::Columns> columns, std::size_t used,
                                const FieldText& found) {
  for (const TablePlan::Field::Columns& others : columns)
    for (const std::size_t column : others.at) {
      const std::string_view text = cell(column);
      if (is_blank(text) || stands_for_nothing(text) || FeedImages::has_all(found.text, text)) continue;
      run_.warn(csv_.place(column), found.name, left_out(columns_.name(column), columns_.name(used), found.name));
    }
}

/// Completes images as the options say. False if they cannot be read: then the row has a remark.
bool TableReader::take_images(std::string_view field, std::size_t column, FieldText& found) {
  const std::string_view list = trim(cell(column));
  if (list.find('"') != std::string_view::npos && list.starts_with("http") && !csv_.is_quoted(column)) {
    refuse_row(row_, csv_.place(column), field,
               "there is a quote in the addresses, and the cell does not begin with one: is something missing in front "
               "of the quote?",
               "invalid_value");
    return false;
  }
  FeedImages& images = run_.images();
  Result<std::optional<std::string>> completed = images.complete(found.form, found.text);
  if (!completed) {
    refuse_row(row_, csv_.place(column), field, completed.error().message, "invalid_value");
    return false;
  }
  if (*completed) {
    found.form = RawValue::Form::Json;
    found.text = views_.keep(std::move(**completed));
  }
  if (!images.has_address()) images.see(found.text, csv_.place(column));
  return true;
}

void TableReader::find_labels(const TablePlan& plan) {
  for (const TablePlan::Label& source : plan.labels) {
    std::string_view text = cell(source.column);
    if (malformed_ && !is_utf8(text)) {
      run_.warn(csv_.place(source.column), source.name, "is not UTF-8: replaced what is malformed");
      text = views_.keep(repair_utf8(text));
    }
    views_.labels.push_back({source.name, text});
  }
}

}  // namespace

Result<void> read_table(ByteSource& source, const TableFormat& format, ManifestRun& run, const TextSource* text) {
  return TableReader(source, format, run, text).read();
}

}  // namespace reelbatch
