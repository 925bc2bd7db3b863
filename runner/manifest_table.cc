#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>

#include "jobs/address_list.h"
#include "jobs/edit_distance.h"
#include "jobs/json.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/csv.h"
#include "runner/header_words.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

/// Where a field of a kind is found in a table.
struct FieldSource {
  struct Columns {
    std::vector<std::size_t> at;  ///< several for a family, or for what is joined, in their order
    bool list = false;            ///< several make a list, and no text of several paragraphs
  };
  const FieldSpec* spec = nullptr;
  std::vector<Columns> columns;   ///< the first that has something in a row counts
  bool may_be_spelt_out = false;  ///< that there is nothing: `N/A`
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

/// Nothing is left of it when it is trimmed.
bool is_blank(std::string_view text) {
  const bool plain_start = !text.empty() && text[0] > 0x20 && text[0] < 0x7F;
  return !plain_start && trim(text).empty();
}

class TableReader {
 public:
  TableReader(ByteSource& source, const TableFormat& format, ManifestRun& run, const TextSource* text)
      : run_(run), source_(source), text_(text), format_(format), csv_(source, run.file(), format.dialect) {
    row_.place_of_field = [this](std::size_t field) {
      return field_cells_[field] == kNone ? Place{} : csv_.place(field_cells_[field]);
    };
    row_.record = [this] { return RecordText{records_, csv_.raw(), csv_.line()}; };
  }

  Result<void> read();

 private:
  // ---- the header ----
  Result<void> skip_to_header();
  Result<bool> read_header();
  bool check_header();
  void check_mapped_columns();
  void refuse_without_images(const FieldSource& source);
  void refuse_synonyms(std::string_view field, const std::vector<std::size_t>& columns);
  void say_synonym(std::string_view field, const Arranged& arranged);
  std::size_t special_column(std::size_t special);
  const Plan& plan_for(const JobKind* kind);
  Plan make_plan(const JobKind* kind);
  void add_fields(Plan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds);
  void tell_mapping(const Plan& plan, const std::vector<bool>& feeds);
  void add_labels(Plan& plan, const std::vector<NameUse>& uses, const std::vector<bool>& feeds);

  // ---- rows ----
  Result<void> read_row();
  void begin_row();
  void find_row(const Plan& plan);
  bool check_shape(const Plan& plan);
  void read_id();
  void find_fields(const Plan& plan);
  void find_labels(const Plan& plan);
  Result<void> deliver();
  void make_row();
  Result<void> take_grouped();
  Result<void> end_group();
  void say_encoding();
  void say_about_file();
  bool take_columns(const FieldSource::Columns& columns, const FieldSource& field, FieldText& found, std::size_t& cell);
  bool take_images(const FieldSource& field, FieldText& found);
  bool take_cell(std::size_t column, const FieldSource& field, std::string_view& text);
  std::string_view keep(std::string text);
  std::string_view cell(std::size_t column) const;
  std::string_view unguarded(std::size_t column, std::string_view field);
  std::string_view take_off_guard(std::string_view text, std::size_t column, std::string_view field);
  std::string column_name(std::size_t column) const;

  ManifestRun& run_;
  ByteSource& source_;
  const TextSource* text_;  ///< what knows the encoding; may be nullptr
  const TableFormat& format_;
  CsvReader csv_;
  bool said_encoding_ = false;
  bool first_is_row_ = false;  ///< the record that was read as the header is a row
  bool saw_end_ = false;       ///< of a file in sections
  std::vector<std::string> header_;
  std::vector<Place> header_places_;
  std::vector<std::string> shown_;      ///< the header, for people
  std::vector<FieldMapping> mappings_;  ///< of id, kind and account, then of the fields of the kind planned last
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
  bool malformed_ = false;     ///< somewhere in the record there is something that is not UTF-8
  std::uint64_t records_ = 0;  ///< rows so far
  std::uint64_t shortened_ = 0;
  Place first_shortened_;
  std::string first_shortened_id_;

  // Images that are no addresses, as long as none is one.
  bool saw_address_ = false;
  std::uint64_t bare_names_ = 0;
  Place first_bare_;
  std::string first_bare_name_;

  // The listing that is not whole before a row with another id comes.
  bool in_group_ = false;
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
  if (kind_ == kNone) plan_for(find_kind(default_kind_));  // so that slips are found in a file without rows

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
    if (Result<void> taken = grouped ? take_grouped() : read_row(); !taken) return taken;
  }
  if (Result<void> ended = end_group(); !ended) return ended;
  say_about_file();
  return {};
}

/// What is known only at the end.
void TableReader::say_about_file() {
  if (format_.in_sections && !saw_end_)
    run_.find({}, {}, "the last record is incomplete: there is no #END#; is the file still being written?");
  if (shortened_ > 0)
    run_.find(first_shortened_, "id",
              fmt::format("'{}' was shortened by a spreadsheet and the id is lost ({} rows): export again with the "
                          "column as text",
                          first_shortened_id_, shortened_));
  if (bare_names_ > 0 && !saw_address_)
    run_.find(first_bare_, {},
              fmt::format("no image has an address ({} rows have file names, such as '{}'): say with --media-base what "
                          "address they stand under",
                          bare_names_, printable(first_bare_name_, 60)));
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
    header_ = format_.header;
    header_places_.assign(header_.size(), Place{format_.header_line, 1});
    return check_header();
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
  header_places_ = csv_.places();
  if (!format_.has_header) {
    first_is_row_ = true;
    for (std::size_t i = 0; i < csv_.cells().size(); ++i) header_.push_back(fmt::format("f{}", i + 1));
    return check_header();
  }
  header_.assign(csv_.cells().begin(), csv_.cells().end());
  say_encoding();
  for (const CsvProblem& problem : csv_.problems()) run_.find(problem.place, {}, problem.message);
  return check_header();
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

bool TableReader::check_header() {
  for (std::size_t i = 0; i < header_.size(); ++i)
    shown_.push_back(format_.has_header ? shown_column(header_[i], i + 1) : fmt::format("#{}", i + 1));
  id_ = special_column(Target::kId);
  kind_ = special_column(Target::kKind);
  account_ = special_column(Target::kAccount);
  check_mapped_columns();
  if (id_ == kNone && run_.rules().mapped(Target::kId, nullptr) == nullptr)
    run_.find(header_places_.front(), {}, no_id_column(header_, format_.skip_lines));
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

/// A required list of images that no column feeds makes every row invalid: said once, unless rows may be of kinds that
/// go without.
void TableReader::refuse_without_images(const FieldSource& source) {
  const bool fed = !source.columns.empty() || source.otherwise != nullptr;
  if (fed || kind_ != kNone || !source.spec->is_images || !run_.rules().options().require_images) return;
  run_.find(header_places_.front(), source.spec->name,
            fmt::format("there is no column with images; there are {}; say which with --map {}=...",
                        quoted_list(header_, 40), source.spec->name));
}

/// Several columns that people call so, and none that says it is the field.
void TableReader::refuse_synonyms(std::string_view field, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names;
  for (const std::size_t column : columns) names.push_back(header_[column]);
  run_.find(header_places_[columns[1]], field,
            fmt::format("more than one column may be this field: {}; say which with --map {}={}",
                        quoted_list(names, 10), field, printable(names[0], 60)));
}

void TableReader::say_synonym(std::string_view field, const Arranged& arranged) {
  if (arranged.by != Target::By::Synonym || arranged.alternatives.empty()) return;
  const std::vector<std::size_t>& from = arranged.alternatives[0].from;
  std::vector<std::string> names;
  for (const std::size_t column : from) names.push_back(header_[column]);
  run_.note(header_places_[from[0]], fmt::format("{} taken for the field '{}'; --map {}=... says otherwise",
                                                 quoted_list(names, 3), field, field));
}

/// The column that feeds id, kind or account; kNone if there is none.
std::size_t TableReader::special_column(std::size_t special) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < header_.size(); ++i)
    for (const Target& target : run_.rules().use(header_[i], i + 1, nullptr).targets)
      if (target.field == special) candidates.push_back({i, target});
  const Arranged arranged = arrange(std::move(candidates));
  const std::string_view name = NameRules::target_name(special, nullptr);
  mappings_.push_back(field_mapping(name, arranged, shown_, run_.rules().default_of(special, nullptr)));
  if (!arranged.synonyms.empty()) {
    refuse_synonyms(name, arranged.synonyms);
    return arranged.synonyms[0];
  }
  if (arranged.alternatives.empty()) return kNone;
  const Arranged::Alternative& first = arranged.alternatives.front();
  if (first.twice != SIZE_MAX)
    run_.find(header_places_[first.twice], name,
              fmt::format("columns {} and {} have the same name", first.from[0] + 1, first.twice + 1));
  say_synonym(name, arranged);
  return first.from[0];
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
  }
  std::vector<bool> feeds(header_.size(), false);
  for (const std::size_t column : {id_, kind_, account_})
    if (column != kNone) feeds[column] = true;
  if (kind != nullptr) add_fields(plan, uses, feeds);
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const auto& slip = uses[i].slip;
    if (!slip || feeds[i]) continue;
    if (slip->error) run_.find(header_places_[i], {}, slip->message);
    if (!slip->error) run_.warn(header_places_[i], {}, slip->message);
  }
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (feeds[i]) plan.needed = i + 1;
  add_labels(plan, uses, feeds);
  tell_mapping(plan, feeds);
  return plan;
}

void TableReader::tell_mapping(const Plan& plan, const std::vector<bool>& feeds) {
  if (plan.kind == nullptr) return;
  KindMapping mapping;
  mapping.kind = plan.kind;
  mapping.fields = mappings_;
  mappings_.resize(mappings_.size() - plan.fields.size());
  std::vector<bool> used = feeds;
  for (const LabelSource& label : plan.labels) {
    mapping.labels.push_back(shown_[label.column]);
    used[label.column] = true;
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    if (!used[i]) mapping.not_used.push_back(shown_[i]);
  // Numbers by the hundred tell nobody anything.
  if (!format_.has_header) mapping.not_used = {fmt::format("{} columns", mapping.not_used.size())};
  run_.mapping().kinds.push_back(std::move(mapping));
}

void TableReader::add_fields(Plan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds) {
  std::vector<std::vector<Candidate>> candidates(plan.kind->fields().size());
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (const Target& target : uses[i].targets)
      if (target.field < candidates.size()) candidates[target.field].push_back({i, target});

  for (std::size_t field = 0; field < candidates.size(); ++field) {
    FieldSource source;
    source.spec = &plan.kind->fields()[field];
    source.may_be_spelt_out = may_be_spelt_out(*source.spec);
    source.otherwise = run_.rules().default_of(field, plan.kind);
    const Arranged arranged = arrange(std::move(candidates[field]));
    if (!arranged.synonyms.empty()) refuse_synonyms(source.spec->name, arranged.synonyms);
    for (const Arranged::Alternative& alternative : arranged.alternatives) {
      if (alternative.twice != SIZE_MAX)
        run_.find(
            header_places_[alternative.twice], source.spec->name,
            fmt::format("columns {} and {} both give this field", alternative.from[0] + 1, alternative.twice + 1));
      for (const std::size_t column : alternative.from) feeds[column] = true;
      source.columns.push_back({alternative.from, alternative.family || source.spec->is_list});
    }
    say_synonym(source.spec->name, arranged);
    mappings_.push_back(field_mapping(source.spec->name, arranged, shown_, source.otherwise));
    refuse_without_images(source);
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
  begin_row();
  find_row(plan_for(row_.kind));
  return deliver();
}

/// Id, kind and account of the record.
void TableReader::begin_row() {
  clear_row(row_);
  kept_.clear();
  ++records_;
  if (row_.file != run_.file()) row_.file = run_.file();
  row_.place = {csv_.line(), 1};
  malformed_ = !csv_.is_well_formed();
  if (!said_encoding_) say_encoding();
  for (const CsvProblem& problem : csv_.problems())
    refuse_row(row_, problem.place, column_name(problem.cell), problem.message, problem.code);

  read_id();
  run_.expect(row_.id);
  const auto text_of = [&](std::size_t column, std::string_view field) {
    return column == kNone ? std::string_view() : unguarded(column, field);
  };
  const auto place_of = [&](std::size_t column) { return column == kNone ? row_.place : csv_.place(column); };
  take_kind(row_, text_of(kind_, "kind"), default_kind_, place_of(kind_));
  take_account(row_, text_of(account_, "account"), default_account_, place_of(account_));
}

/// Fields and labels.
void TableReader::find_row(const Plan& plan) {
  const bool in_shape = check_shape(plan) && csv_.problems().empty();
  fields_.clear();
  field_cells_.clear();
  if (in_shape) find_fields(plan);
  find_labels(plan);
}

Result<void> TableReader::deliver() {
  if (!run_.admit(row_)) return {};
  if (row_.remarks.empty()) {
    const Result<bool> known =
        run_.glance({row_.id, row_.kind, row_.account, fields_, labels_, row_.file, row_.place.line});
    if (!known) return tl::unexpected<Error>(known.error());
    if (*known) return {};
  }
  make_row();
  return run_.hand_on(row_);
}

/// What was found in the buffer, as texts of its own. Assigned, so that they keep their memory from row to row.
void TableReader::make_row() {
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
}

/// A row that begins a listing, or goes on with the one before: then its lists are appended, and the rest of it, which
/// repeats or is empty, is left.
Result<void> TableReader::take_grouped() {
  begin_row();
  const Plan& plan = plan_for(row_.kind);
  const bool same = in_group_ && !row_.id.empty() && row_.id == group_.id;
  find_row(plan);
  make_row();
  if (!same) {
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
    const auto spec = std::find_if(plan.fields.begin(), plan.fields.end(),
                                   [&](const FieldSource& field) { return field.spec->name == more.name; });
    if (spec == plan.fields.end() || !spec->spec->is_images || field_cells_[i] == kNone) continue;
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
    return refuse_row(row_, csv_.place(id_), "id", fmt::format("'{}' was shortened by a spreadsheet", id),
                      "shortened_id");
  }
  take_id(row_, id, csv_.place(id_));
}

bool TableReader::check_shape(const Plan& plan) {
  const std::size_t cells = csv_.cells().size();
  const bool trails = format_.trailing && csv_.cells().back().empty();
  if (cells == header_.size() + (trails ? 1 : 0)) return true;
  const std::string counts = fmt::format("{} fields, header has {}", cells - (trails ? 1 : 0), header_.size());
  if (cells > header_.size()) {
    refuse_row(row_, csv_.place(header_.size()), {}, fmt::format("{}; an unquoted {}?", counts, shown(csv_.dialect())),
               "too_many_fields");
    return false;
  }
  if (!csv_.ended_by_newline())
    run_.find(row_.place, {},
              fmt::format("the last record is incomplete ({}): is the file still being written?", counts));
  if (cells < plan.needed) {
    refuse_row(row_, csv_.place(cells), column_name(cells),
               fmt::format("{}; a missing quote or a broken line?", counts), "too_few_fields");
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
    for (std::size_t i = 0; i < field.columns.size() && !there; ++i)
      there = take_columns(field.columns[i], field, found, cell);
    if (!there && field.otherwise != nullptr) {
      found.form = field.otherwise->form;
      found.text = field.otherwise->text;
      there = !is_blank(found.text);
    }
    if (!there) continue;
    if (std::optional<std::string> prose = run_.prose(*field.spec, found.form, found.text)) {
      found = {found.name, RawValue::Form::Json, keep(std::move(*prose))};
    }
    fields_.push_back(found);
    field_cells_.push_back(cell);
  }
}

/// False if the cell is empty, or of no use: then the row has a remark.
bool TableReader::take_cell(std::size_t column, const FieldSource& field, std::string_view& text) {
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
bool TableReader::take_columns(const FieldSource::Columns& columns, const FieldSource& field, FieldText& found,
                               std::size_t& cell) {
  found.form = RawValue::Form::Text;
  if (columns.at.size() == 1) {
    if (!take_cell(columns.at[0], field, found.text)) return false;
    cell = columns.at[0];
    return !field.spec->is_images || take_images(field, found);
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
  found.text = keep(std::move(all));
  return !field.spec->is_images || take_images(field, found);
}

/// Splits and completes images as the options say, and sees whether any of them has an address.
bool TableReader::take_images(const FieldSource& field, FieldText& found) {
  const ManifestOptions& options = run_.rules().options();
  if (options.images_separator || !options.media_base.empty()) {
    const Result<std::string> list =
        complete_images({found.form, std::string(found.text)}, options.images_separator, options.media_base);
    if (!list) {
      refuse_row(row_, csv_.place(field.columns[0].at[0]), field.spec->name, list.error().message, "invalid_value");
      return false;
    }
    found.form = RawValue::Form::Json;
    found.text = keep(*list);
  }
  if (saw_address_) return true;
  saw_address_ = found.text.find("//") != std::string_view::npos || found.text.find("www.") != std::string_view::npos;
  if (saw_address_ || !has_image_name(found.text)) return true;
  if (bare_names_++ == 0) {
    first_bare_ = csv_.place(field.columns[0].at[0]);
    first_bare_name_ = found.text;
  }
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

Result<void> read_table(ByteSource& source, const TableFormat& format, ManifestRun& run, const TextSource* text) {
  return TableReader(source, format, run, text).read();
}

}  // namespace reelbatch
