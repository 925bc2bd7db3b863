#include "runner/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "jobs/edit_distance.h"
#include "jobs/unicode.h"
#include "runner/header_words.h"
#include "runner/manifest_text.h"

namespace reelbatch {

bool TableColumns::take_header(std::vector<std::string> names, std::vector<Place> places) {
  names_ = std::move(names);
  places_ = std::move(places);
  for (std::size_t i = 0; i < names_.size(); ++i)
    shown_.push_back(format_.has_header ? shown_column(names_[i], i + 1) : fmt::format("#{}", i + 1));
  id_ = special_column(Target::kId);
  kind_ = special_column(Target::kKind);
  account_ = special_column(Target::kAccount);
  check_mapped_columns();
  run_.compare_with_preset(std::vector<std::string_view>(names_.begin(), names_.end()), places_.front());
  if (id_ != kNoColumn || run_.will_make_id({})) return true;
  if (run_.rules().mapped(Target::kId, nullptr) == nullptr)
    run_.find(places_.front(), {}, no_id_column(names_, format_.skip_lines));
  return false;
}

void TableColumns::check_mapped_columns() {
  std::vector<std::string_view> names(names_.begin(), names_.end());
  for (const auto& [field, column] : run_.rules().options().map) {
    bool there = false;
    for (std::size_t i = 0; i < names_.size() && !there; ++i) there = run_.rules().fits(field, names_[i], i + 1);
    if (there) continue;
    std::string message = fmt::format("the mapped column '{}' does not exist", printable(column, 60));
    if (format_.skip_lines > 0) {
      message += fmt::format(" here, but line {} looks like a header: use --skip-lines {}", format_.skip_lines + 1,
                             format_.skip_lines);
    } else {
      message += fmt::format("{}; there are {}", did_you_mean(column, names), quoted_list(names_, 40));
    }
    run_.find(places_.front(), field, message);
  }
}

/// Required images or descriptions that no column feeds make every row invalid: said once, unless rows may be of kinds
/// that go without.
void TableColumns::refuse_without(const TablePlan::Field& source) {
  const bool fed = !source.columns.empty() || source.otherwise != nullptr;
  const bool is_required = source.spec->is_images || source.spec->is_prose;
  if (fed || kind_ != kNoColumn || !is_required || !run_.rules().options().require_columns) return;
  run_.find(
      places_.front(), source.spec->name,
      fmt::format("there is no column with {}; there are {}; say which with --map {}=...",
                  source.spec->is_images ? "images" : "descriptions", quoted_list(names_, 40), source.spec->name));
}

/// Several columns that people call so, and none that says it is the field.
void TableColumns::refuse_synonyms(std::string_view field, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names;
  for (const std::size_t column : columns) names.push_back(names_[column]);
  run_.find(places_[columns[1]], field,
            fmt::format("more than one column may be this field: {}; say which with --map {}={}",
                        quoted_list(names, 10), field, printable(names[0], 60)));
}

/// Two columns of one name in a family are a mistake of the export: which of them is the listing's cannot be told.
/// Those that are mapped by position are meant.
void TableColumns::refuse_same_names(std::string_view field, const std::vector<std::size_t>& columns,
                                     const JobKind* kind, std::size_t target) {
  const std::string* mapped = run_.rules().mapped(target, kind);
  if (mapped != nullptr && trim(*mapped).starts_with('#')) return;
  std::map<std::string_view, std::size_t> first;
  for (const std::size_t column : columns) {
    const auto [found, added] = first.emplace(trim(names_[column]), column);
    if (added) continue;
    run_.find(
        places_[column], field,
        fmt::format("columns {} and {} have the same name '{}': rename one, or say by position which count, as "
                    "--map {}=#{},#{}",
                    found->second + 1, column + 1, printable(found->first, 60), field, found->second + 1, column + 1));
  }
}

void TableColumns::say_synonym(std::string_view field, const Arranged& arranged) {
  if (arranged.by != Target::By::Synonym || arranged.alternatives.empty()) return;
  const std::vector<std::size_t>& from = arranged.alternatives[0].from;
  std::vector<std::string> names;
  for (const std::size_t column : from) names.push_back(names_[column]);
  run_.note(places_[from[0]], fmt::format("{} taken for the field '{}'; --map {}=... says otherwise",
                                          quoted_list(names, 3), field, field));
}

/// The column that feeds id, kind or account; kNoColumn if there is none.
std::size_t TableColumns::special_column(std::size_t special) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < names_.size(); ++i)
    for (const Target& target : run_.rules().use(names_[i], i + 1, nullptr).targets)
      if (target.field == special) candidates.push_back({i, target});
  Arranged arranged = arrange(std::move(candidates));
  const std::string_view name = NameRules::target_name(special, nullptr);
  if (special == Target::kId) take_first_id(arranged);
  mappings_.push_back(field_mapping(name, arranged, shown_, run_.rules().default_of(special, nullptr)));
  if (!arranged.synonyms.empty()) {
    refuse_synonyms(name, arranged.synonyms);
    return arranged.synonyms[0];
  }
  if (arranged.alternatives.empty()) return kNoColumn;
  const Arranged::Alternative& first = arranged.alternatives.front();
  if (first.twice != SIZE_MAX)
    run_.find(places_[first.twice], name,
              fmt::format("columns {} and {} have the same name", first.from[0] + 1, first.twice + 1));
  say_synonym(name, arranged);
  if (special == Target::kId) take_id_parts(first);
  return first.from[0];
}

/// Of several columns that may have it the first has the id of every row: one that is empty here and there would change
/// the ids of these rows on the night when it is filled.
void TableColumns::take_first_id(Arranged& arranged) {
  if (arranged.alternatives.size() < 2) return;
  std::vector<std::string_view> others;
  for (std::size_t i = 1; i < arranged.alternatives.size(); ++i)
    others.push_back(trim(names_[arranged.alternatives[i].from[0]]));
  run_.set_id_names(trim(names_[arranged.alternatives[0].from[0]]), others);
  arranged.alternatives.resize(1);
}

/// An id of some of its parts would be another listing's.
void TableColumns::take_id_parts(const Arranged::Alternative& id) {
  const std::span<const ColumnSpec::Part> parts = run_.rules().id_parts();
  if (parts.empty()) return;
  const std::string& mapped = *run_.rules().mapped(Target::kId, nullptr);
  if (id.from.size() == 1 && trim(names_[id.from[0]]) == mapped) return;  // a name with a plus in it
  if (id.from.size() == parts.size()) {
    id_parts_ = id.from;
    return;
  }
  run_.find(places_.front(), "id",
            fmt::format("not all of the mapped columns '{}' are there; there are {}", printable(mapped, 60),
                        quoted_list(names_, 40)));
}

std::string TableColumns::name(std::size_t column) const {
  return column < names_.size() ? repair_utf8(trim(names_[column])) : std::string();
}

const TablePlan& TableColumns::plan_for(const JobKind* kind) {
  for (const auto& plan : plans_)
    if (plan->kind == kind) return *plan;
  plans_.push_back(std::make_unique<TablePlan>(make_plan(kind)));
  return *plans_.back();
}

TablePlan TableColumns::make_plan(const JobKind* kind) {
  TablePlan plan;
  plan.kind = kind;
  std::vector<NameUse> uses;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    uses.push_back(run_.rules().use(names_[i], i + 1, kind));
  }
  std::vector<bool> feeds(names_.size(), false);
  for (const std::size_t column : {id_, kind_, account_})
    if (column != kNoColumn) feeds[column] = true;
  for (const std::size_t column : id_parts_) feeds[column] = true;
  if (kind != nullptr) add_fields(plan, uses, feeds);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto& slip = uses[i].slip;
    if (!slip || feeds[i]) continue;
    if (slip->error) run_.find(places_[i], {}, slip->message);
    if (!slip->error) run_.warn(places_[i], {}, slip->message);
  }
  for (std::size_t i = 0; i < feeds.size(); ++i)
    if (feeds[i]) plan.needed = i + 1;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (feeds[i] || !trim(names_[i]).empty()) plan.end = i + 1;
  add_labels(plan, uses, feeds);
  tell_mapping(plan, feeds);
  return plan;
}

void TableColumns::tell_mapping(const TablePlan& plan, const std::vector<bool>& feeds) {
  if (plan.kind == nullptr) return;
  KindMapping mapping;
  mapping.kind = plan.kind;
  mapping.fields = mappings_;
  mappings_.resize(mappings_.size() - plan.kind->fields().size());
  std::vector<bool> used = feeds;
  for (const TablePlan::Label& label : plan.labels) {
    mapping.labels.push_back(shown_[label.column]);
    used[label.column] = true;
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    if (!used[i]) mapping.not_used.push_back(shown_[i]);
  // Numbers by the hundred tell nobody anything.
  if (!format_.has_header) mapping.not_used = {fmt::format("{} columns", mapping.not_used.size())};
  run_.mapping().kinds.push_back(std::move(mapping));
}

void TableColumns::add_fields(TablePlan& plan, const std::vector<NameUse>& uses, std::vector<bool>& feeds) {
  std::vector<std::vector<Candidate>> candidates(plan.kind->fields().size());
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (const Target& target : uses[i].targets)
      if (target.field < candidates.size()) candidates[target.field].push_back({i, target});

  for (std::size_t field = 0; field < candidates.size(); ++field) {
    TablePlan::Field source;
    source.spec = &plan.kind->fields()[field];
    source.may_be_spelt_out = may_be_spelt_out(*source.spec);
    source.otherwise = run_.rules().default_of(field, plan.kind);
    const Arranged arranged = arrange(std::move(candidates[field]));
    if (!arranged.synonyms.empty()) refuse_synonyms(source.spec->name, arranged.synonyms);
    for (const Arranged::Alternative& alternative : arranged.alternatives) {
      if (alternative.twice != SIZE_MAX)
        run_.find(
            places_[alternative.twice], source.spec->name,
            fmt::format("columns {} and {} both give this field", alternative.from[0] + 1, alternative.twice + 1));
      if (alternative.family) refuse_same_names(source.spec->name, alternative.from, plan.kind, field);
      for (const std::size_t column : alternative.from) feeds[column] = true;
      source.columns.push_back({alternative.from, alternative.family || source.spec->is_list});
    }
    say_synonym(source.spec->name, arranged);
    mappings_.push_back(field_mapping(source.spec->name, arranged, shown_, source.otherwise));
    refuse_without(source);
    if (!source.columns.empty() || source.otherwise != nullptr) plan.fields.push_back(std::move(source));
  }
}

void TableColumns::add_labels(TablePlan& plan, const std::vector<NameUse>& uses, const std::vector<bool>& feeds) {
  std::map<std::string, std::size_t> taken;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].label.empty() || (feeds[i] && !uses[i].listed)) continue;
    const auto [found, added] = taken.emplace(uses[i].label, i);
    if (added) {
      plan.labels.push_back({i, uses[i].label});
    } else {
      run_.warn(
          places_[i], uses[i].label,
          fmt::format("columns {} and {} have the same name: the first one is the label", found->second + 1, i + 1));
    }
  }
  for (const std::string& label : run_.rules().options().labels.value_or(std::vector<std::string>{}))
    if (!taken.contains(label)) run_.warn(places_.front(), label, "is to be a label, but no column has the name");
}

}  // namespace reelbatch
