#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "jobs/edit_distance.h"
#include "jobs/json.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/csv.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

/// Where a field of a kind is found in a table.
struct FieldSource {
  const FieldSpec* spec = nullptr;
  std::vector<std::size_t> columns;  ///< several for a family, in its order
  const RawValue* otherwise = nullptr;
};

struct LabelSource {
  std::size_t column = 0;
  std::string name;
};

/// How the cells of a row of one kind are used.
struct Plan {
  const JobKind* kind = nullptr;
  std::vector<FieldSource> fields;  ///< in the order of JobKind::fields()
  std::vector<LabelSource> labels;
  std::size_t needed = 0;  ///< a row with fewer cells lacks one that feeds something
};

struct Candidate {
  std::size_t column;
  Target target;
};

/// Exact names win over folded ones; a family is ordered by number, then by position.
std::vector<std::size_t> choose(std::vector<Candidate> candidates) {
  const bool exact = std::any_of(candidates.begin(), candidates.end(), [](const auto& c) { return c.target.exact; });
  std::erase_if(candidates, [&](const Candidate& c) { return c.target.exact != exact; });
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.target.number < b.target.number; });
  std::vector<std::size_t> columns;
  for (const Candidate& candidate : candidates) columns.push_back(candidate.column);
  return columns;
}

/// Nothing is left of it when it is trimmed.
bool is_blank(std::string_view text) {
  const bool plain_start = !text.empty() && text[0] > 0x20 && text[0] < 0x7F;
  return !plain_start && trim(text).empty();
}

std::string quoted_list(const std::vector<std::string>& names, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), count); ++i)
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(names[i], 60));
  if (names.size() > count) out += fmt::format(" and {} more", names.size() - count);
  return out;
}

class TableReader {
 public:
  TableReader(ByteSource& source, char delimiter, ManifestRun& run)
      : run_(run), csv_(source, run.file(), delimiter), delimiter_(delimiter) {
    row_.place_of_field = [this](std::size_t field) {
      return field_cells_[field] == kNone ? Place{} : csv_.place(field_cells_[field]);
    };
  }

  Result<void> read();

 private:
  // ---- the header ----
  Result<bool> read_header();
  bool check_header();
  void check_mapped_columns();
  void refuse_without_id();
  std::size_t special_column(std::size_t special);
  const Plan& plan_for(const JobKind* kind);
  Plan make_plan(const JobKind* kind);
  void add_fields(Plan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds);
  void add_labels(Plan& plan, const std::vector<NameUse>& uses, const std::vector<bool>& feeds);

  // ---- rows ----
  Result<void> read_row();
  bool check_shape(const Plan& plan);
  void read_id();
  void find_fields(const Plan& plan);
  void find_labels(const Plan& plan);
  Result<void> deliver();
  bool take_cell(std::size_t column, const FieldSource& field, std::string_view& text);
  bool take_family(const FieldSource& field, std::string_view& text, std::size_t& cell);
  std::string_view keep(std::string text);
  std::string_view cell(std::size_t column) const;
  std::string_view unguarded(std::size_t column, std::string_view field);
  std::string_view take_off_guard(std::string_view text, std::size_t column, std::string_view field);
  std::string column_name(std::size_t column) const;

  ManifestRun& run_;
  CsvReader csv_;
  char delimiter_;
  std::vector<std::string> header_;
  std::vector<Place> header_places_;
  std::size_t id_ = kNone;
  std::size_t kind_ = kNone;
  std::size_t account_ = kNone;
  std::string default_kind_;
  std::string default_account_;
  std::vector<std::unique_ptr<Plan>> plans_;

  // The row as it stands in the reader's buffer. `row_` gets its fields and labels from there if anyone wants it whole.
  std::vector<FieldText> fields_;
  std::vector<std::size_t> field_cells_;  ///< parallel to fields_; kNone for a default
  std::vector<LabelText> labels_;
  std::deque<std::string> kept_;  ///< texts of this row that no cell has as they are
  ManifestRow row_;
  bool malformed_ = false;  ///< somewhere in the record there is something that is not UTF-8
  std::uint64_t shortened_ = 0;
  Place first_shortened_;
  std::string first_shortened_id_;
};

Result<void> TableReader::read() {
  const Result<bool> ready = read_header();
  if (!ready) return tl::unexpected<Error>(ready.error());
  if (!*ready) return {};
  const RawValue* kind = run_.rules().default_of(Target::kKind, nullptr);
  const RawValue* account = run_.rules().default_of(Target::kAccount, nullptr);
  default_kind_ = kind ? std::string(trim(kind->text)) : std::string(default_kind().name());
  if (account) default_account_ = account->text;
  if (kind_ == kNone) plan_for(find_kind(default_kind_));  // so that slips are found in a file without rows

  while (true) {
    const Result<bool> more = csv_.next();
    if (!more) {
      run_.find_said(more.error().message);
      break;
    }
    if (!*more) break;
    if (Result<void> taken = read_row(); !taken) return taken;
  }
  if (shortened_ > 0)
    run_.find(first_shortened_, "id",
              fmt::format("'{}' was shortened by a spreadsheet and the id is lost ({} rows): export again with the "
                          "column as text",
                          first_shortened_id_, shortened_));
  return {};
}

// ---- The header -----------------------------------------------------------------------------------------------------

Result<bool> TableReader::read_header() {
  for (bool first = true;; first = false) {
    const Result<bool> more = csv_.next();
    if (!more) {
      run_.find_said(more.error().message);
      return false;
    }
    if (!*more) {
      run_.find({}, {}, "the file is empty: a header with an 'id' column is needed");
      return false;
    }
    const std::string_view raw = csv_.raw();
    const bool separator = first && raw.size() == 5 && ascii_lower(raw.substr(0, 4)) == "sep=";
    if (!separator) break;
    run_.warn({csv_.line(), 1}, {}, fmt::format("skipped the line '{}'", printable(raw, 20)));
    delimiter_ = raw[4];
    csv_.set_delimiter(delimiter_);
  }
  header_.assign(csv_.cells().begin(), csv_.cells().end());
  header_places_ = csv_.places();
  for (const CsvProblem& problem : csv_.problems()) run_.find(problem.place, {}, problem.message);
  return check_header();
}

bool TableReader::check_header() {
  id_ = special_column(Target::kId);
  kind_ = special_column(Target::kKind);
  account_ = special_column(Target::kAccount);
  check_mapped_columns();
  if (id_ == kNone && run_.rules().mapped(Target::kId, nullptr) == nullptr) refuse_without_id();
  return id_ != kNone;
}

void TableReader::check_mapped_columns() {
  std::vector<std::string_view> names(header_.begin(), header_.end());
  for (const auto& [field, column] : run_.rules().options().map) {
    bool there = false;
    for (std::size_t i = 0; i < header_.size() && !there; ++i) there = run_.rules().fits(field, header_[i], i + 1);
    if (there) continue;
    run_.find(header_places_.front(), field,
              fmt::format("the mapped column '{}' does not exist{}; there are {}", printable(column, 60),
                          did_you_mean(column, names), quoted_list(header_, 40)));
  }
}

void TableReader::refuse_without_id() {
  std::vector<std::string> like;
  for (const std::string& name : header_) {
    const std::string folded = fold_name(name);
    for (const std::string_view ending : {"id", "ref", "reference", "sku", "mls", "mls#", "handle", "key"})
      if (folded == ending || folded.ends_with('_' + std::string(ending))) {
        like.push_back(name);
        break;
      }
  }
  std::string message = fmt::format("there is no column 'id'; there are {}", quoted_list(header_, 40));
  if (!like.empty()) message += fmt::format("; perhaps map id={}", fmt::join(like, " or id="));
  const std::string_view raw = csv_.raw();
  for (const auto& [separator, shown] :
       {std::pair(';', "';'"), std::pair('\t', "tabs"), std::pair('|', "'|'"), std::pair(',', "','")}) {
    const auto columns = static_cast<std::size_t>(std::count(raw.begin(), raw.end(), separator)) + 1;
    if (separator != delimiter_ && columns > header_.size())
      message += fmt::format("; the columns look separated by {}: save the file with {}", shown,
                             delimiter_ == '\t' ? "tabs, or as .csv" : "commas, or with tabs as .tsv");
  }
  run_.find(header_places_.front(), {}, message);
}

/// The column that feeds id, kind or account; kNone if there is none.
std::size_t TableReader::special_column(std::size_t special) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < header_.size(); ++i)
    for (const Target& target : run_.rules().use(header_[i], i + 1, nullptr).targets)
      if (target.field == special) candidates.push_back({i, target});
  const std::vector<std::size_t> columns = choose(std::move(candidates));
  if (columns.size() > 1)
    run_.find(header_places_[columns[1]], NameRules::target_name(special, nullptr),
              fmt::format("columns {} and {} have the same name", columns[0] + 1, columns[1] + 1));
  return columns.empty() ? kNone : columns[0];
}

const Plan& TableReader::plan_for(const JobKind* kind) {
  for (const auto& plan : plans_)
    if (plan->kind == kind) return *plan;
  plans_.push_back(std::make_unique<Plan>(make_plan(kind)));
  return *plans_.back();
}

Plan TableReader::make_plan(const JobKind* kind) {
  Plan plan;
  plan.kind = kind;
  std::vector<NameUse> uses;
  for (std::size_t i = 0; i < header_.size(); ++i) {
    uses.push_back(run_.rules().use(header_[i], i + 1, kind));
    const auto& slip = uses.back().slip;
    if (slip && slip->error) run_.find(header_places_[i], {}, slip->message);
    if (slip && !slip->error) run_.warn(header_places_[i], {}, slip->message);
  }
  std::vector<bool> feeds(header_.size(), false);
  for (const std::size_t column : {id_, kind_, account_})
    if (column != kNone) feeds[column] = true;
  if (kind != nullptr) add_fields(plan, uses, feeds);
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (feeds[i]) plan.needed = i + 1;
  add_labels(plan, uses, feeds);
  return plan;
}

void TableReader::add_fields(Plan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds) {
  std::vector<std::vector<Candidate>> candidates(plan.kind->fields().size());
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (const Target& target : uses[i].targets)
      if (target.field < candidates.size()) candidates[target.field].push_back({i, target});

  for (std::size_t field = 0; field < candidates.size(); ++field) {
    FieldSource source;
    source.spec = &plan.kind->fields()[field];
    source.otherwise = run_.rules().default_of(field, plan.kind);
    const bool family = !candidates[field].empty() && candidates[field].front().target.family;
    source.columns = choose(std::move(candidates[field]));
    if (source.columns.size() > 1 && !family)
      run_.find(header_places_[source.columns[1]], source.spec->name,
                fmt::format("columns {} and {} both give this field", source.columns[0] + 1, source.columns[1] + 1));
    for (const std::size_t column : source.columns) feeds[column] = true;
    plan.fields.push_back(std::move(source));
  }
}

void TableReader::add_labels(Plan& plan, const std::vector<NameUse>& uses, const std::vector<bool>& feeds) {
  std::map<std::string, std::size_t> taken;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].label.empty() || (feeds[i] && !uses[i].listed)) continue;
    const auto [found, added] = taken.emplace(uses[i].label, i);
    if (added) {
      plan.labels.push_back({i, uses[i].label});
    } else {
      run_.warn(
          header_places_[i], uses[i].label,
          fmt::format("columns {} and {} have the same name: the first one is the label", found->second + 1, i + 1));
    }
  }
  for (const std::string& label : run_.rules().options().labels.value_or(std::vector<std::string>{}))
    if (!taken.contains(label))
      run_.warn(header_places_.front(), label, "is to be a label, but no column has the name");
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

std::string_view TableReader::cell(std::size_t column) const {
  return column < csv_.cells().size() ? csv_.cells()[column] : std::string_view();
}

std::string TableReader::column_name(std::size_t column) const {
  return column < header_.size() ? repair_utf8(trim(header_[column])) : std::string();
}

/// Valid until the next row.
std::string_view TableReader::keep(std::string text) {
  return kept_.emplace_back(std::move(text));
}

/// A cell that feeds something, without a spreadsheet's guard.
inline std::string_view TableReader::unguarded(std::size_t column, std::string_view field) {
  const std::string_view text = cell(column);
  const bool may_be_guarded = !text.empty() && (text[0] == '=' || text[0] == '\'');
  return may_be_guarded ? take_off_guard(text, column, field) : text;
}

std::string_view TableReader::take_off_guard(std::string_view text, std::size_t column, std::string_view field) {
  std::optional<std::string> inner = without_formula_guard(text);
  if (!inner) return text;
  run_.warn(csv_.place(column), field, "took off a spreadsheet's guard against formulas (=\"...\" or a leading ')");
  return keep(std::move(*inner));
}

Result<void> TableReader::read_row() {
  clear_row(row_);
  kept_.clear();
  if (row_.file != run_.file()) row_.file = run_.file();
  row_.place = {csv_.line(), 1};
  malformed_ = !csv_.is_well_formed();
  for (const CsvProblem& problem : csv_.problems())
    refuse_row(row_, problem.place, column_name(problem.cell), problem.message);

  read_id();
  run_.expect(row_.id);
  const auto text_of = [&](std::size_t column, std::string_view field) {
    return column == kNone ? std::string_view() : unguarded(column, field);
  };
  const auto place_of = [&](std::size_t column) { return column == kNone ? row_.place : csv_.place(column); };
  take_kind(row_, text_of(kind_, "kind"), default_kind_, place_of(kind_));
  take_account(row_, text_of(account_, "account"), default_account_, place_of(account_));

  const Plan& plan = plan_for(row_.kind);
  const bool in_shape = check_shape(plan) && csv_.problems().empty();
  fields_.clear();
  field_cells_.clear();
  if (in_shape) find_fields(plan);
  find_labels(plan);
  return deliver();
}

Result<void> TableReader::deliver() {
  if (!run_.admit(row_)) return {};
  if (row_.remarks.empty()) {
    const Result<bool> known =
        run_.glance({row_.id, row_.kind, row_.account, fields_, labels_, row_.file, row_.place.line});
    if (!known) return tl::unexpected<Error>(known.error());
    if (*known) return {};
  }
  // Assigned, so that texts keep their memory from row to row.
  row_.fields.resize(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    row_.fields[i].name.assign(fields_[i].name);
    row_.fields[i].value.form = fields_[i].form;
    row_.fields[i].value.text.assign(fields_[i].text);
  }
  row_.labels.resize(labels_.size());
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    row_.labels[i].name.assign(labels_[i].name);
    row_.labels[i].value.assign(labels_[i].value);
  }
  return run_.hand_on(row_);
}

void TableReader::read_id() {
  const std::string_view id = trim(unguarded(id_, "id"));
  const bool shortened = is_shortened_number(id);
  if (!shortened && is_plain_id(id)) {
    row_.id = id;
    return;
  }
  if (shortened) {
    if (shortened_++ == 0) {
      first_shortened_ = csv_.place(id_);
      first_shortened_id_ = id;
    }
    return refuse_row(row_, csv_.place(id_), "id", fmt::format("'{}' was shortened by a spreadsheet", id));
  }
  take_id(row_, id, csv_.place(id_));
}

bool TableReader::check_shape(const Plan& plan) {
  const std::size_t cells = csv_.cells().size();
  if (cells == header_.size()) return true;
  const std::string counts = fmt::format("{} fields, header has {}", cells, header_.size());
  if (cells > header_.size()) {
    refuse_row(
        row_, csv_.place(header_.size()), {},
        fmt::format("{}; an unquoted {}?", counts, delimiter_ == '\t' ? "tab" : fmt::format("'{}'", delimiter_)));
    return false;
  }
  if (!csv_.ended_by_newline())
    run_.find(row_.place, {},
              fmt::format("the last record is incomplete ({}): is the file still being written?", counts));
  if (cells < plan.needed) {
    refuse_row(row_, csv_.place(cells), column_name(cells),
               fmt::format("{}; a missing quote or a broken line?", counts));
    return false;
  }
  run_.warn(row_.place, {}, "cells are missing at the end of the row, none that feeds a field");
  return true;
}

void TableReader::find_fields(const Plan& plan) {
  for (const FieldSource& field : plan.fields) {
    FieldText found{field.spec->name, RawValue::Form::Text, {}};
    std::size_t cell = kNone;
    bool there = false;
    if (field.columns.size() == 1) {
      there = take_cell(field.columns[0], field, found.text);
      if (there) cell = field.columns[0];
    } else if (!field.columns.empty()) {
      found.form = RawValue::Form::Json;
      there = take_family(field, found.text, cell);
    }
    if (!there && field.otherwise != nullptr) {
      found.form = field.otherwise->form;
      found.text = field.otherwise->text;
      there = !is_blank(found.text);
    }
    if (!there) continue;
    fields_.push_back(found);
    field_cells_.push_back(cell);
  }
}

/// False if the cell is empty, or of no use: then the row has a remark.
bool TableReader::take_cell(std::size_t column, const FieldSource& field, std::string_view& text) {
  text = unguarded(column, field.spec->name);
  if (malformed_)
    if (const std::size_t bad = find_malformed(text); bad != std::string_view::npos) {
      refuse_row(
          row_, csv_.place_in(column, bad), field.spec->name,
          fmt::format("is not UTF-8 (byte 0x{:02X}): save the file as UTF-8", static_cast<unsigned char>(text[bad])));
      return false;
    }
  return !is_blank(text);
}

bool TableReader::take_family(const FieldSource& field, std::string_view& text, std::size_t& cell) {
  std::string list;
  for (const std::size_t column : field.columns) {
    std::string_view item;
    if (!take_cell(column, field, item)) continue;
    if (list.empty()) cell = column;
    list += list.empty() ? '[' : ',';
    append_json_quoted(list, item);
  }
  if (list.empty()) return false;
  text = keep(std::move(list) + ']');
  return true;
}

void TableReader::find_labels(const Plan& plan) {
  labels_.clear();
  for (const LabelSource& source : plan.labels) {
    std::string_view text = cell(source.column);
    if (malformed_ && !is_utf8(text)) {
      run_.warn(csv_.place(source.column), source.name, "is not UTF-8: replaced what is malformed");
      text = keep(repair_utf8(text));
    }
    labels_.push_back({source.name, text});
  }
}

}  // namespace

Result<void> read_table(ByteSource& source, char delimiter, ManifestRun& run) {
  return TableReader(source, delimiter, run).read();
}

}  // namespace reelbatch
