#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <map>
#include <set>
#include <unordered_map>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/first_keys.h"
#include "runner/flat_rows.h"
#include "runner/json_stream.h"
#include "runner/last_job.h"
#include "runner/manifest_formats.h"
#include "runner/manifest_text.h"
#include "runner/yaml.h"

namespace reelbatch {
namespace {

constexpr std::size_t kShownKeys = 40;

bool is_blank(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      return true;
    case YamlNode::Kind::Scalar:
      return trim(node.scalar).empty();
    case YamlNode::Kind::List:
      return node.items.empty();
    case YamlNode::Kind::Map:
      return false;
  }
  return true;
}

/// A scalar as it was written, a list or a map as JSON.
RawValue to_value(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::Scalar) return {RawValue::Form::Text, node.scalar};
  return {RawValue::Form::Json, to_json(node)};
}

Place place_of(const YamlNode& node) {
  return {node.line, node.column};
}

/// Empty if there are not.
std::string too_many_keys(const YamlNode& map) {
  if (map.members.size() <= kJobKeysMax) return {};
  return fmt::format("has {} keys, at most {} are allowed: is it one listing?", map.members.size(), kJobKeysMax);
}

/// One member of a job that feeds a field.
struct Given {
  const YamlNode* key = nullptr;
  const YamlNode* value = nullptr;
  Target target;
};

/// The members of a job that feed a field together.
struct Gathered {
  std::vector<Given> given;
  bool family = false;              ///< a list
  bool joined = false;              ///< one after the other
  const YamlNode* twice = nullptr;  ///< one that should not be there as well
};

/// Jobs that are maps: from YAML, JSON or JSON Lines. What a name means is worked out once a name and kind.
class JobReader {
 public:
  /// list        the member at the top that holds the jobs.
  /// first_keys  of the first jobs; must outlive the reader.
  explicit JobReader(ManifestRun& run, Keys first_keys, std::string_view list = "jobs");

  /// A member of the top of a document other than the jobs.
  Result<void> take_member(const YamlNode& key, YamlNode& value);
  /// doubt  about what the job ends with: it is refused for it where that feeds a field.
  Result<void> take_job(const YamlNode& job, const std::optional<RowDoubt>& doubt = {});
  Result<void> take_line(const JsonLine& line);
  /// What should be a job and cannot be read.
  Result<void> take_broken(const JsonPiece& piece, const JsonFault& fault);
  /// After the last job: what can be said only then.
  void finish();
  /// The same: which keys fed what.
  void tell_mapping() const;

 private:
  Result<void> refuse_job(Place row, Place place, std::string why, std::string_view code, const YamlNode* job);
  const NameUse& use_of(const YamlNode& key, const JobKind* kind);
  const std::vector<const NameUse*>& uses_of(const YamlNode& map, const JobKind* kind);
  void say_slip(const YamlNode& key, const NameUse& use);
  Gathered gather(const YamlNode& map, const JobKind* kind, std::size_t field);
  void begin_jobs(const YamlNode& first);
  void take_plain_id(const YamlNode& job);
  void take_specials(const YamlNode& job);
  std::string_view special(const YamlNode& job, std::size_t field, Place& place);
  std::string_view joined_id(const YamlNode& job);
  void take_fields(const YamlNode& job);
  bool take_field(const YamlNode& map, std::size_t field);
  bool take_images(RawField& field, Place place);
  void warn_left_out(const YamlNode& map, std::size_t field, const Gathered& gathered, std::string_view text);
  static bool take_together(const Gathered& gathered, RawField& field, Place& place);
  void take_labels(const YamlNode& map);
  using FedKeys = std::map<std::size_t, std::set<const YamlNode*>>;
  bool feeds(const YamlNode& map, const YamlNode& key, const NameUse& use, FedKeys& fed);
  void refuse_missing_names();

  ManifestRun& run_;
  std::string list_;
  Keys first_keys_;
  std::unordered_map<const JobKind*, std::unordered_map<std::string, NameUse>> uses_;
  /// What the names of a map mean in rows of a kind, in their order: for the maps of the job that is read.
  struct MapUses {
    const YamlNode* map = nullptr;
    const JobKind* kind = nullptr;
    std::vector<const NameUse*> uses;
  };
  std::vector<MapUses> map_uses_;
  std::vector<std::string> keys_;  ///< every name that was seen, in order
  YamlNode defaults_;
  bool has_list_ = false;
  std::string other_list_;  ///< the first member that is one of maps
  bool has_members_ = false;
  bool has_jobs_ = false;
  bool saw_id_ = false;
  ManifestRow row_;
  std::unordered_map<std::string_view, std::size_t> label_places_;  ///< by name: views of uses_
  std::vector<Place> places_;                                       ///< parallel to its fields
  FlatRows flat_;
  JsonReader reader_;              ///< of lines that need a tree
  bool is_flat_ = false;           ///< the row came from there, and its places do
  bool needs_id_ = false;          ///< one is made of the row's fields
  std::uint64_t jobs_ = 0;         ///< so far
  const YamlNode* job_ = nullptr;  ///< that the row is made of, where it is no line of its own
  RecordText line_;                ///< that the row is made of, or `line` is 0
  std::string text_;               ///< of the job, as JSON
  std::string id_;                 ///< that is made of several members
};

JobReader::JobReader(ManifestRun& run, Keys first_keys, std::string_view list)
    : run_(run), list_(list), first_keys_(first_keys), flat_(run) {
  row_.place_of_field = [this](std::size_t field) { return is_flat_ ? flat_.place_of_field(field) : places_[field]; };
  row_.record = [this] {
    if (line_.line != 0) return RecordText{jobs_, line_.text, line_.line};
    if (job_ != nullptr) text_ = to_json(*job_);
    return RecordText{jobs_, text_, 0};
  };
  defaults_.kind = YamlNode::Kind::Map;
}

// ---- The top of a document ------------------------------------------------------------------------------------------

Result<void> JobReader::take_member(const YamlNode& key, YamlNode& value) {
  has_members_ = true;
  const std::string_view name = key.scalar;
  const bool is_list = !value.items.empty() && value.items[0].kind == YamlNode::Kind::Map;
  if (is_list && other_list_.empty() && name != list_) other_list_ = name;
  if (name == list_) {
    has_list_ = true;
    if (value.kind != YamlNode::Kind::List && value.kind != YamlNode::Kind::Null)
      run_.find(place_of(value), list_, "must be a list of jobs");
  } else if (name == "defaults") {
    if (has_jobs_ || has_list_) run_.find(place_of(key), "defaults", "must stand before 'jobs'");
    if (value.kind == YamlNode::Kind::Null) return {};
    if (value.kind != YamlNode::Kind::Map) {
      run_.find(place_of(value), "defaults", "must be a map of fields and values");
      return {};
    }
    if (const std::string why = too_many_keys(value); !why.empty()) {
      run_.find(place_of(value), "defaults", why);
      return {};
    }
    defaults_ = std::move(value);
    map_uses_.clear();
    for (const Given& id : gather(defaults_, nullptr, Target::kId).given)
      run_.find(place_of(*id.key), "defaults", "every listing needs an id of its own");
  } else if (name == "@odata.nextLink" && !is_blank(value)) {
    run_.warn(place_of(key), {}, "the answer goes on at this address: the listings on its next pages are not read");
  } else if (!name.starts_with("x-") && !name.starts_with('.') && !name.starts_with('@')) {
    // Where anchors are kept, by convention, and what an OData answer says of itself.
    constexpr std::string_view kTop[] = {"defaults", "jobs"};
    const std::string near = did_you_mean(name, kTop);
    const std::string message = fmt::format("'{}' means nothing here{}", printable(name, 60), near);
    if (near.empty()) {
      run_.warn(place_of(key), {}, message);
    } else {
      run_.find(place_of(key), {}, message);
    }
  }
  return {};
}

void JobReader::finish() {
  if (has_members_ && !has_list_ && !has_jobs_) {
    const std::string hint = other_list_.empty() ? std::string()
                                                 : fmt::format(
                                                       "; if the jobs are those in '{0}', rename it '{1}', or "
                                                       "write what is in '{0}' into the file alone",
                                                       printable(other_list_, 60), list_);
    run_.find({}, {}, fmt::format("there is no list '{}'{}", list_, hint));
  }
  if (has_jobs_) refuse_missing_names();
}

/// A table's header would have told at once that a mapped column, or the id, does not exist.
void JobReader::refuse_missing_names() {
  std::string there;
  for (std::size_t i = 0; i < std::min(keys_.size(), kShownKeys); ++i)
    there += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(keys_[i], 60));
  const std::vector<std::string_view> names(keys_.begin(), keys_.end());
  const auto& map = run_.rules().options().map;
  for (const auto& [field, column] : map) {
    const bool fits = std::any_of(keys_.begin(), keys_.end(),
                                  [&](const std::string& key) { return run_.rules().fits(field, key, 0); });
    if (fits) continue;
    run_.find({}, field,
              fmt::format("the mapped name '{}' does not exist{}; there are {}", printable(column, 60),
                          did_you_mean(column, names), there));
  }
  if (!saw_id_ && !map.contains("id") && !run_.will_make_id({}))
    run_.find({}, {}, fmt::format("no job has an 'id'; there are {}", there));
}

void JobReader::tell_mapping() const {
  std::vector<std::string> shown;
  for (const std::string& key : keys_) shown.push_back(shown_column(key, 0));
  for (const JobKind* kind : all_kinds()) {
    const auto uses = uses_.find(kind);
    if (uses == uses_.end()) continue;
    KindMapping mapping;
    mapping.kind = kind;
    std::vector<bool> used(keys_.size(), false);
    const auto add = [&](std::size_t field) {
      std::vector<Candidate> candidates;
      for (std::size_t i = 0; i < keys_.size(); ++i)
        if (const auto use = uses->second.find(keys_[i]); use != uses->second.end())
          for (const Target& target : use->second.targets)
            if (target.field == field) candidates.push_back({i, target});
      const Arranged arranged = arrange(std::move(candidates));
      for (const Arranged::Alternative& alternative : arranged.alternatives)
        for (const std::size_t i : alternative.from) used[i] = true;
      mapping.fields.push_back(
          field_mapping(NameRules::target_name(field, kind), arranged, shown, run_.rules().default_of(field, kind)));
    };
    for (const std::size_t special : {Target::kId, Target::kKind, Target::kAccount}) add(special);
    for (std::size_t field = 0; field < kind->fields().size(); ++field) add(field);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const auto use = uses->second.find(keys_[i]);
      const bool is_label = use != uses->second.end() && !use->second.label.empty() && (!used[i] || use->second.listed);
      if (is_label) mapping.labels.push_back(shown[i]);
      if (!is_label && !used[i]) mapping.not_used.push_back(shown[i]);
    }
    run_.mapping().kinds.push_back(std::move(mapping));
  }
}

// ---- Jobs -----------------------------------------------------------------------------------------------------------

Result<void> JobReader::take_broken(const JsonPiece& piece, const JsonFault& fault) {
  text_ = piece.text;
  return refuse_job({piece.line, piece.column}, {fault.line, fault.column}, fault.message, "no_job", nullptr);
}

/// A row that is nothing but wrong. `job` is nullptr if it has no tree.
Result<void> JobReader::refuse_job(Place row, Place place, std::string why, std::string_view code,
                                   const YamlNode* job) {
  has_jobs_ = true;
  saw_id_ = true;  // it may have had one
  ++jobs_;
  job_ = job;
  clear_row(row_);
  row_.fields.clear();
  places_.clear();
  row_.labels.clear();
  row_.kind = nullptr;
  row_.kind_name.clear();
  row_.account.clear();
  row_.file = run_.file();
  row_.place = row;
  if (job != nullptr) take_plain_id(*job);
  refuse_row(row_, place, {}, std::move(why), code);
  return run_.deliver(row_);
}

/// The id of a job that is read no further, for people to find it by.
void JobReader::take_plain_id(const YamlNode& job) {
  for (const auto& [key, value] : job.members)
    if (key.scalar == "id" && is_plain_id(value.scalar)) row_.id = value.scalar;
}

Result<void> JobReader::take_job(const YamlNode& job, const std::optional<RowDoubt>& doubt) {
  if (job.kind != YamlNode::Kind::Map)
    return refuse_job(place_of(job), place_of(job), "a job must be a map of fields and values", "no_job", &job);
  if (!has_jobs_) begin_jobs(job);
  if (const std::string why = too_many_keys(job); !why.empty())
    return refuse_job(place_of(job), place_of(job), why, "too_many_keys", &job);
  map_uses_.clear();
  has_jobs_ = true;
  ++jobs_;
  job_ = &job;
  clear_row(row_);
  row_.fields.clear();
  places_.clear();
  row_.labels.clear();
  row_.file = run_.file();
  row_.place = place_of(job);
  take_specials(job);
  if (row_.kind != nullptr) take_fields(job);
  if (needs_id_) run_.make_id(row_);
  label_places_.clear();
  take_labels(job);
  take_labels(defaults_);
  for (const auto& [key, value] : job.members)
    if (value.stands_alone)
      refuse_row(row_, place_of(key), {},
                 fmt::format("'{}' is a key without a value: within braces a text with a comma has to be in quotes",
                             printable(key.scalar, 60)),
                 "key_alone");
  const bool counts = doubt && !uses_of(job, row_.kind).back()->targets.empty();
  return run_.deliver(row_, counts ? doubt : std::nullopt);
}

Result<void> JobReader::take_line(const JsonLine& line) {
  line_ = {0, line.text, line.line};
  is_flat_ = flat_.read(line, row_);
  if (is_flat_) {
    ++jobs_;
    if (row_.file != run_.file()) row_.file = run_.file();
    return run_.deliver(row_, flat_.views());
  }
  const tl::expected<YamlNode, JsonFault> tree = tree_of(line, reader_);
  if (tree) return take_job(*tree);
  if (!line.ended_by_newline && !tree.error().is_alone)
    run_.find({line.line, 1}, {}, "the last line is incomplete: is the file still being written?");
  return take_broken({line.text, line.line, 1}, tree.error());
}

const NameUse& JobReader::use_of(const YamlNode& key, const JobKind* kind) {
  auto& known = uses_[kind];
  const auto found = known.find(key.scalar);
  if (found != known.end()) return found->second;
  NameUse use = run_.rules().use(key.scalar, 0, kind);
  if (use.slip && use.targets.empty()) say_slip(key, use);
  if (kind == nullptr) keys_.push_back(key.scalar);  // every name is asked for without a kind first
  return known.emplace(key.scalar, std::move(use)).first->second;
}

/// Valid until the next call. Asked for once a field, so that names are looked up once a job.
const std::vector<const NameUse*>& JobReader::uses_of(const YamlNode& map, const JobKind* kind) {
  for (const MapUses& known : map_uses_)
    if (known.map == &map && known.kind == kind) return known.uses;
  MapUses& added = map_uses_.emplace_back(MapUses{&map, kind, {}});
  for (const auto& [key, value] : map.members) added.uses.push_back(&use_of(key, kind));
  return added.uses;
}

void JobReader::say_slip(const YamlNode& key, const NameUse& use) {
  if (use.slip->error) {
    run_.find(place_of(key), {}, use.slip->message);
  } else {
    run_.warn(place_of(key), {}, use.slip->message);
  }
}

/// What the keys of the first jobs decide. One that is too long to be among those that are known is at least itself
/// looked at.
void JobReader::begin_jobs(const YamlNode& first) {
  std::vector<std::string_view> names(first_keys_.begin(), first_keys_.end());
  std::set<std::string_view> known(names.begin(), names.end());
  for (const auto& [key, value] : first.members)
    if (known.insert(key.scalar).second) names.push_back(key.scalar);
  take_first_keys(names, place_of(first), run_);
  uses_.clear();
  keys_.clear();
  map_uses_.clear();
}

/// The members that feed a target: exact names win over folded ones, a family is in the order of its numbers, and of
/// several ways to say the same the first that says something.
Gathered JobReader::gather(const YamlNode& map, const JobKind* kind, std::size_t field) {
  Gathered out;
  std::vector<Candidate> candidates;
  const std::vector<const NameUse*>& uses = uses_of(map, kind);
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (const Target& target : uses[i]->targets)
      if (target.field == field) candidates.push_back({i, target});
  const auto add = [&](std::size_t i, const Target& target) {
    out.given.push_back({&map.members[i].first, &map.members[i].second, target});
  };
  drop_lone_firsts(candidates);
  if (candidates.size() == 1) add(candidates[0].index, candidates[0].target);
  if (candidates.size() < 2) return out;
  const Target like = candidates[0].target;
  Arranged arranged = arrange(std::move(candidates));
  if (!arranged.synonyms.empty()) {
    for (const std::size_t i : arranged.synonyms) add(i, like);
    out.twice = out.given[1].key;
    return out;
  }
  const FieldSpec* spec = kind != nullptr && field < kind->fields().size() ? &kind->fields()[field] : nullptr;
  for (const Arranged::Alternative& alternative : arranged.alternatives) {
    const bool says = std::any_of(alternative.from.begin(), alternative.from.end(), [&](std::size_t i) {
      const YamlNode& value = map.members[i].second;
      return !is_blank(value) && (spec == nullptr || !gives_way(*spec, value.scalar));
    });
    if (!says && &alternative != &arranged.alternatives.back()) continue;
    for (const std::size_t i : alternative.from) add(i, like);
    out.family = alternative.family;
    out.joined = alternative.joined;
    if (alternative.twice != SIZE_MAX) out.twice = &map.members[alternative.twice].first;
    break;
  }
  return out;
}

void JobReader::take_specials(const YamlNode& job) {
  Place place = row_.place;
  const std::string_view id = special(job, Target::kId, place);
  needs_id_ = row_.remarks.empty() && run_.will_make_id(id);
  const bool is_said = id.empty() && !row_.remarks.empty();  // why there is none
  if (!is_said && !needs_id_ && !run_.refuse_shortened(row_, trim(id), place)) take_id(row_, id, place, run_.id_hint());

  const RawValue* kind = run_.rules().default_of(Target::kKind, nullptr);
  Place unused;
  std::string_view otherwise = special(defaults_, Target::kKind, unused);
  if (trim(otherwise).empty()) otherwise = kind ? trim(kind->text) : default_kind().name();
  place = row_.place;
  const std::string_view kind_text = special(job, Target::kKind, place);
  take_kind(row_, kind_text, trim(otherwise), place);

  const RawValue* account = run_.rules().default_of(Target::kAccount, nullptr);
  otherwise = special(defaults_, Target::kAccount, unused);
  if (trim(otherwise).empty() && account) otherwise = account->text;
  place = row_.place;
  const std::string_view account_text = special(job, Target::kAccount, place);
  take_account(row_, account_text, otherwise, place);
}

/// The text of id, kind or account; empty if absent. `place` is moved there if it is present.
std::string_view JobReader::special(const YamlNode& job, std::size_t field, Place& place) {
  const Gathered gathered = gather(job, nullptr, field);
  const std::vector<Given>& given = gathered.given;
  if (given.empty()) return {};
  if (field == Target::kId) saw_id_ = true;
  place = place_of(*given[0].value);
  const std::string_view name = NameRules::target_name(field, nullptr);
  if (gathered.twice != nullptr) refuse_row(row_, place_of(*gathered.twice), name, "is given twice", "given_twice");
  for (const Given& one : given)
    if (one.value->kind == YamlNode::Kind::List || one.value->kind == YamlNode::Kind::Map) {
      refuse_row(row_, place_of(*one.value), name, "must be text", "invalid_value");
      return {};
    }
  const bool is_whole_name = field != Target::kId || run_.rules().id_parts().empty() ||
                             given[0].key->scalar == *run_.rules().mapped(field, nullptr);
  return is_whole_name ? std::string_view(given[0].value->scalar) : joined_id(job);
}

/// Of several members, as the options have it. A part that is not there is empty.
std::string_view JobReader::joined_id(const YamlNode& job) {
  std::vector<std::string_view> parts;
  for (const ColumnSpec::Part& part : run_.rules().id_parts()) {
    const auto is_part = [&](const auto& member) {
      return member.first.scalar == part.pattern || fold_name(member.first.scalar) == part.folded;
    };
    const auto found = std::find_if(job.members.begin(), job.members.end(), is_part);
    parts.push_back(found == job.members.end() ? std::string_view() : std::string_view(found->second.scalar));
  }
  id_ = NameRules::join_id(parts);
  return id_;
}

void JobReader::take_fields(const YamlNode& job) {
  for (std::size_t field = 0; field < row_.kind->fields().size(); ++field) {
    const FieldSpec& spec = row_.kind->fields()[field];
    const std::size_t before = row_.fields.size();
    if (!take_field(job, field) && !take_field(defaults_, field)) {
      const RawValue* otherwise = run_.rules().default_of(field, row_.kind);
      if (otherwise == nullptr || trim(otherwise->text).empty()) continue;
      row_.fields.push_back({std::string(spec.name), *otherwise});
      places_.emplace_back();
    }
    if (row_.fields.size() == before) continue;
    RawValue& value = row_.fields.back().value;
    if (std::optional<std::string> prose = run_.prose(spec, value.form, value.text)) {
      value = {RawValue::Form::Json, std::move(*prose)};
    }
  }
}

/// True if the map settles the field: it has a value for it, or one that makes the row invalid.
bool JobReader::take_field(const YamlNode& map, std::size_t field) {
  Gathered gathered = gather(map, row_.kind, field);
  std::vector<Given>& given = gathered.given;
  const bool spelt_out = may_be_spelt_out(row_.kind->fields()[field]);
  std::erase_if(
      given, [&](const Given& g) { return is_blank(*g.value) || (spelt_out && stands_for_nothing(g.value->scalar)); });
  if (given.empty()) return false;

  const std::string_view name = row_.kind->fields()[field].name;
  for (const Given& one : given)
    if (const YamlNode* bad = find_malformed_scalar(*one.value)) {
      refuse_row(row_, place_of(*bad), name, "is not UTF-8: save the file as UTF-8", "not_utf8");
      return true;
    }
  if (given.size() > 1 && !gathered.family && !gathered.joined) {
    refuse_row(row_, place_of(*given[1].key), name,
               fmt::format("is given twice: as '{}' and as '{}'", given[0].key->scalar, given[1].key->scalar),
               "given_twice");
    return true;
  }
  RawField taken{std::string(name), {}};
  Place place;
  if (!take_together(gathered, taken, place)) {
    taken.value = to_value(*given[0].value);
    place = place_of(*given[0].value);
  }
  const FieldSpec& spec = row_.kind->fields()[field];
  if (needs_id_ && &map != &defaults_) run_.hash_field(*row_.kind, spec, taken.value.form, taken.value.text);
  if (spec.is_images) warn_left_out(map, field, gathered, taken.value.text);
  if (spec.is_images && !take_images(taken, place)) return true;
  row_.fields.push_back(std::move(taken));
  places_.push_back(place);
  return true;
}

/// Completes images as the options say. False if they cannot be read: then the row has a remark.
bool JobReader::take_images(RawField& field, Place place) {
  FeedImages& images = run_.images();
  Result<std::optional<std::string>> completed = images.complete(field.value.form, field.value.text);
  if (!completed) {
    refuse_row(row_, place, field.name, completed.error().message, "invalid_value");
    return false;
  }
  if (*completed) field.value = {RawValue::Form::Json, std::move(**completed)};
  if (!images.has_address()) images.see(field.value.text, place);
  return true;
}

/// Keys with images that stand in for those that are used, and are not sent: as in a table.
void JobReader::warn_left_out(const YamlNode& map, std::size_t field, const Gathered& gathered, std::string_view text) {
  const YamlNode& used = *gathered.given[0].key;
  const std::vector<const NameUse*>& uses = uses_of(map, row_.kind);
  const auto target_of = [&](std::size_t i) {
    const std::vector<Target>& targets = uses[i]->targets;
    const auto found = std::find_if(targets.begin(), targets.end(), [&](const Target& t) { return t.field == field; });
    return found == targets.end() ? nullptr : &*found;
  };
  const Target* first = nullptr;
  for (std::size_t i = 0; i < uses.size(); ++i)
    if (&map.members[i].first == &used) first = target_of(i);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const auto& [key, value] = map.members[i];
    const Target* other = target_of(i);
    const bool stands_in =
        first != nullptr && other != nullptr && other->by == first->by && other->alternative > first->alternative;
    if (!stands_in || is_blank(value) || FeedImages::has_all(text, to_value(value).text)) continue;
    run_.warn(place_of(key), NameRules::target_name(field, row_.kind),
              left_out(key.scalar, used.scalar, NameRules::target_name(field, row_.kind)));
  }
}

bool JobReader::take_together(const Gathered& gathered, RawField& field, Place& place) {
  const std::vector<Given>& given = gathered.given;
  if (given.size() < 2) return false;
  place = place_of(*given[0].value);
  if (!gathered.family) {
    std::string text;
    for (const Given& one : given) {
      text += text.empty() ? "" : "\n\n";
      text += trim(one.value->scalar);
    }
    field.value = {RawValue::Form::Text, std::move(text)};
    return true;
  }
  YamlNode list;
  list.kind = YamlNode::Kind::List;
  for (const Given& one : given) {
    if (one.value->kind == YamlNode::Kind::List) {
      list.items.insert(list.items.end(), one.value->items.begin(), one.value->items.end());
    } else {
      list.items.push_back(*one.value);
    }
  }
  field.value = {RawValue::Form::Json, to_json(list)};
  return true;
}

/// A name that is equal to a field's only when folded feeds nothing when the exact one is there too.
///
/// fed  of each field that was asked for: the keys that feed it. Kept by the caller for one map.
bool JobReader::feeds(const YamlNode& map, const YamlNode& key, const NameUse& use, FedKeys& fed) {
  return std::any_of(use.targets.begin(), use.targets.end(), [&](const Target& target) {
    if (target.exact && target.by != Target::By::Synonym) return true;
    const auto [found, added] = fed.try_emplace(target.field);
    if (added)
      for (const Given& one : gather(map, row_.kind, target.field).given) found->second.insert(one.key);
    return found->second.contains(&key);
  });
}

void JobReader::take_labels(const YamlNode& map) {
  const std::size_t own = row_.labels.size();
  FedKeys fed;
  for (const auto& [key, value] : map.members) {
    const NameUse& use = use_of(key, row_.kind);
    if (use.label.empty() || (!use.listed && feeds(map, key, use, fed)) || value.kind == YamlNode::Kind::Null) continue;
    const auto [known, added] = label_places_.emplace(use.label, row_.labels.size());
    if (!added) {
      if (known->second >= own)
        run_.warn(place_of(key), use.label, "two keys have this name: the first one is the label");
      continue;
    }
    std::string text = to_value(value).text;
    if (!is_utf8(text)) run_.warn(place_of(value), use.label, "is not UTF-8: replaced what is malformed");
    row_.labels.push_back({use.label, repair_utf8(text)});
  }
}

/// Tells an error of the jobs' sink, which ends everything, from one of the file, which is a finding.
class SinkWatch {
 public:
  explicit SinkWatch(JobReader& jobs) : jobs_(jobs) {}

  JsonSink sink() {
    JsonSink sink;
    sink.member = [this](const YamlNode& key, YamlNode& value) { return note(jobs_.take_member(key, value)); };
    sink.item = [this](YamlNode& item) { return note(jobs_.take_job(item)); };
    sink.broken = [this](const JsonPiece& piece, const JsonFault& fault) {
      return note(jobs_.take_broken(piece, fault));
    };
    return sink;
  }
  Result<void> note(Result<void> taken) {
    failed_ = failed_ || !taken;
    return taken;
  }
  Result<void> settle(Result<void> read, ManifestRun& run) const {
    if (read || failed_) return read;
    run.find_said(read.error().message);
    return {};
  }

 private:
  JobReader& jobs_;
  bool failed_ = false;
};

Result<void> end(Result<void> read, const SinkWatch& watch, JobReader& jobs, ManifestRun& run) {
  jobs.tell_mapping();
  const bool whole = read.has_value();
  if (Result<void> settled = watch.settle(std::move(read), run); !settled) return settled;
  if (whole) jobs.finish();
  return {};
}

}  // namespace

Result<void> read_yaml_jobs(ByteSource& source, ManifestRun& run, Keys first_keys) {
  JobReader jobs(run, first_keys);
  SinkWatch watch(jobs);
  LastJob last(
      [&](const YamlNode& job, const std::optional<RowDoubt>& doubt) { return watch.note(jobs.take_job(job, doubt)); });
  const std::string_view list = "jobs";
  YamlSink sink;
  sink.item = [&](YamlNode& job) { return last.take(job); };
  sink.member = [&](const YamlNode& key, YamlNode& value) -> Result<void> {
    if (key.scalar != list)  // that one ends with its last job
      if (Result<void> done = last.hand_on(); !done) return done;
    return watch.note(jobs.take_member(key, value));
  };
  SourceBuffer buffer(source);
  std::istream in(&buffer);
  Result<void> read = stream_yaml(in, run.file(), list, sink);
  if (read && !buffer.error().empty()) read = usage_error(buffer.error());
  if (Result<void> done = read ? last.finish(buffer.last(), buffer.ends_in_blanks()) : last.hand_on(); !done)
    return done;
  if (last.may_be_cut()) run.warn({}, {}, kNoLineEnd);
  return end(std::move(read), watch, jobs, run);
}

Result<void> read_json_jobs(ByteSource& source, ManifestRun& run, std::string_view list, Keys first_keys) {
  JobReader jobs(run, first_keys, list);
  SinkWatch watch(jobs);
  return end(stream_json(source, run.file(), list, watch.sink()), watch, jobs, run);
}

Result<void> read_json_lines(ByteSource& source, ManifestRun& run, Keys first_keys) {
  JobReader jobs(run, first_keys);
  SinkWatch watch(jobs);
  Result<void> read =
      stream_json_lines(source, run.file(), [&](const JsonLine& line) { return watch.note(jobs.take_line(line)); });
  return end(std::move(read), watch, jobs, run);
}

}  // namespace reelbatch
