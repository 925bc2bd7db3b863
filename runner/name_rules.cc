#include "runner/name_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/edit_distance.h"
#include "jobs/prose.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/feed_images.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::array<std::size_t, 3> kSpecials{Target::kId, Target::kKind, Target::kAccount};
constexpr std::size_t kLongName = 8;   // a slip in a name this long is no accident of language
constexpr std::size_t kShortName = 4;  // shorter ones are near to everything

std::vector<std::string_view> all_field_names() {
  std::vector<std::string_view> names{"id", "kind", "account"};
  for (const JobKind* kind : all_kinds())
    for (const FieldSpec& spec : kind->fields())
      for (const std::string_view name : {spec.name, spec.api_name})
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

bool is_list(std::string_view field) {
  for (const JobKind* kind : all_kinds())
    for (const FieldSpec& spec : kind->fields())
      if (spec.is_list && (spec.name == field || spec.api_name == field)) return true;
  return false;
}

bool is_of_images(std::string_view field) {
  for (const JobKind* kind : all_kinds())
    for (const FieldSpec& spec : kind->fields())
      if (spec.is_images && (spec.name == field || spec.api_name == field)) return true;
  return false;
}

template <typename Map>
const typename Map::mapped_type* find_value(const Map& map, std::string_view name) {
  const auto found = map.find(std::string(name));
  return found == map.end() ? nullptr : &found->second;
}

template <typename Map>
const typename Map::mapped_type* find_field(const Map& map, std::size_t field, const JobKind* kind) {
  if (const auto* own = find_value(map, NameRules::target_name(field, kind))) return own;
  if (kind == nullptr || field >= kind->fields().size()) return nullptr;
  return find_value(map, kind->fields()[field].api_name);
}

/// `display_logo` and `displayLogo` in one place: which of them counts would be a guess.
template <typename Map>
Result<void> refuse_both_names(const Map& map, std::string_view where) {
  for (const JobKind* kind : all_kinds())
    for (const FieldSpec& spec : kind->fields())
      if (spec.name != spec.api_name && find_value(map, spec.name) && find_value(map, spec.api_name))
        return usage_error(fmt::format("{}: '{}' and '{}' are the same field", where, spec.name, spec.api_name));
  return {};
}

/// The field of which `word` is one of several words, before which the kind's own name may stand; empty if none.
std::string_view field_with_word(const JobKind& kind, std::string_view word) {
  const std::string_view own = kind.name().substr(kind.name().rfind('.') + 1);
  if (word.starts_with(own) && word.substr(own.size()).starts_with('_')) word.remove_prefix(own.size() + 1);
  const std::string inside = fmt::format("_{}_", word);
  for (const FieldSpec& spec : kind.fields())
    if (fmt::format("_{}_", spec.name).find(inside) != std::string::npos) return spec.name;
  return {};
}

/// Whether two names that feed a field do it as the same one, letter case and the like aside.
bool is_same_source(const Target& a, const Target& b) {
  // A name that is a specification to the letter counts as the whole of it.
  const auto alternative = [](const Target& target) { return std::max<std::size_t>(target.alternative, 1); };
  return a.by == b.by && alternative(a) == alternative(b) && a.synonym == b.synonym;
}

}  // namespace

bool may_be_spelt_out(const FieldSpec& field) {
  return field.is_images || field.is_prose;
}

bool gives_way(const FieldSpec& field, std::string_view text) {
  return (may_be_spelt_out(field) && stands_for_nothing(text)) || (field.is_prose && is_only_markup(text));
}

NameRules::NameRules(const ManifestOptions& options) : options_(options), defaults_(options.defaults) {
  for (const std::string& label : options.labels.value_or(std::vector<std::string>{}))
    listed_.push_back({label, fold_name(label)});
  for (const std::string_view name : all_field_names()) known_.insert(fold_name(name));
  for (const auto& [field, column] : options.map) map_.emplace(field, parse_column_spec(column));
  const FeedImages images(options);
  for (auto& [field, value] : defaults_) {
    if (!is_of_images(field)) continue;
    // One that cannot be read is told in the rows that take it.
    Result<std::optional<std::string>> completed = images.complete(value.form, value.text);
    if (completed && *completed) value = {RawValue::Form::Json, std::move(**completed)};
  }
}

void NameRules::set_preset(const Preset* preset) {
  preset_ = preset;
  id_source_.reset();
  preset_map_.clear();
  if (preset == nullptr) return;
  for (const PresetField& field : preset->fields)
    preset_map_.emplace(std::string(field.field), parse_column_spec(field.columns));
}

Result<void> NameRules::check() const {
  for (const auto& [field, column] : options_.map) {
    if (Result<void> known = check_field(field, "map"); !known) return known;
    if (trim(column).empty()) return usage_error(fmt::format("map: {}: no column is named", field));
  }
  for (const auto& [field, value] : options_.defaults) {
    if (field == "id") return usage_error("defaults: every listing needs an id of its own");
    if (Result<void> known = check_field(field, "defaults"); !known) return known;
  }
  if (const RawValue* kind = find_value(options_.defaults, "kind"); kind && !find_kind(trim(kind->text)))
    return usage_error(fmt::format("defaults: kind: '{}' is not a kind", printable(kind->text, 60)));
  if (Result<void> once = refuse_both_names(options_.map, "map"); !once) return once;
  return refuse_both_names(options_.defaults, "defaults");
}

Result<void> NameRules::check_field(std::string_view name, std::string_view where) const {
  const std::vector<std::string_view> names = all_field_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return {};
  std::string meant = did_you_mean(name, names);
  for (const FieldSpec& spec : default_kind().fields()) {
    const std::span<const std::string_view> synonyms = synonyms_of(spec);
    if (std::find(synonyms.begin(), synonyms.end(), fold_name(name)) == synonyms.end()) continue;
    meant = fmt::format(" (did you mean '{}'?)", spec.name);
  }
  return usage_error(fmt::format("{}: '{}' is not a field of any kind{}", where, printable(name, 60), meant));
}

std::string_view NameRules::target_name(std::size_t field, const JobKind* kind) {
  if (field == Target::kId) return "id";
  if (field == Target::kKind) return "kind";
  if (field == Target::kAccount) return "account";
  return kind->fields()[field].name;
}

const std::string* NameRules::mapped(std::size_t field, const JobKind* kind) const {
  return find_field(options_.map, field, kind);
}

std::span<const ColumnSpec::Part> NameRules::id_parts() const {
  const ColumnSpec* spec = mapped_spec(Target::kId, nullptr);
  if (spec == nullptr || spec->alternatives.empty() || spec->alternatives.front().size() < 2) return {};
  return spec->alternatives.front();
}

std::string NameRules::join_id(std::span<const std::string_view> parts) {
  if (std::all_of(parts.begin(), parts.end(), [](std::string_view part) { return trim(part).empty(); })) return {};
  std::string id;
  for (const std::string_view& part : parts) {
    id += &part == parts.data() ? "" : "-";
    id += trim(part);
  }
  return id;
}

const RawValue* NameRules::default_of(std::size_t field, const JobKind* kind) const {
  return find_field(defaults_, field, kind);
}

const ColumnSpec* NameRules::mapped_spec(std::size_t field, const JobKind* kind) const {
  return find_field(map_, field, kind);
}

const ColumnSpec* NameRules::preset_spec(std::size_t field, const JobKind* kind) const {
  return find_field(preset_map_, field, kind);
}

bool NameRules::fits(const std::string& field, std::string_view name, std::size_t position) const {
  const ColumnSpec* spec = find_value(map_, field);
  if (spec == nullptr) return false;
  NameUse use;
  add_by_spec(use, *spec, {}, name, fold_name(name), position, is_list(field));
  return !use.targets.empty();
}

/// What a specification says of one name: the whole of it may be a name as well.
void NameRules::add_by_spec(NameUse& use, const ColumnSpec& spec, Target like, std::string_view name,
                            const std::string& folded, std::size_t position, bool list) {
  const auto add = [&](std::size_t alternative, std::size_t part, bool exact, bool family, long long number) {
    Target target = like;
    target.alternative = alternative;
    target.part = part;
    target.exact = exact;
    target.family = family;
    target.number = number;
    use.targets.push_back(std::move(target));
  };
  if (spec.text == name || (spec.alternatives.size() > 1 && spec.folded == folded)) {
    return add(0, 0, spec.text == name, false, -1);
  }
  for (std::size_t i = 0; i < spec.alternatives.size(); ++i)
    for (std::size_t k = 0; k < spec.alternatives[i].size(); ++k) {
      const ColumnSpec::Part& part = spec.alternatives[i][k];
      if (part.pattern == name) {
        add(i + 1, k, true, false, -1);
      } else if (!part.positions.empty()) {
        for (std::size_t range = 0; range < part.positions.size(); ++range) {
          const auto [first, last] = part.positions[range];
          const bool one = part.positions.size() == 1 && first == last;
          if (position < first || position > last || (!list && !one)) continue;
          add(i + 1, k, true, !one, static_cast<long long>(range * 1'000'000 + position));
          break;
        }
      } else if (part.glob && list) {
        const bool exact = matches_glob(part.pattern, name);
        if (!exact && !matches_glob(part.folded, folded)) continue;
        const long long number = number_in(name, part.pattern.find_first_of("*?"));
        if (part.below >= 0 && (number < 0 || number >= part.below)) continue;
        if (is_no_photo_name(name) && !is_no_photo_name(part.pattern)) continue;
        add(i + 1, k, exact, true, number);
      } else if (part.folded == folded) {
        add(i + 1, k, false, false, -1);
      }
    }
}

/// By the field's own names, and by what else people call it.
void NameRules::add_by_words(NameUse& use, std::size_t field, const FieldSpec& spec, std::string_view name,
                             const std::string& folded) const {
  Target target;
  target.field = field;
  target.exact = name == spec.name || name == spec.api_name;
  if (target.exact || folded == fold_name(spec.name) || folded == fold_name(spec.api_name)) {
    use.targets.push_back(target);
    return;
  }
  if (find_value(options_.defaults, spec.name) != nullptr || listed(name, folded) != nullptr) return;
  target.by = Target::By::Synonym;
  const std::span<const std::string_view> synonyms = synonyms_of(spec);
  const NumberedName numbered = spec.is_list && !synonyms.empty() ? numbered_image(folded) : NumberedName();
  if (std::find(synonyms.begin(), synonyms.end(), folded) != synonyms.end()) {
    target.synonym = numbered.stem.empty() ? folded : numbered.stem;
    use.targets.push_back(target);
  } else if (!numbered.stem.empty()) {
    target.family = true;
    target.number = numbered.number;
    target.synonym = numbered.stem;
    target.is_first = numbered.number < 0;
    use.targets.push_back(std::move(target));
  }
}

NameUse NameRules::use(std::string_view name, std::size_t position, const JobKind* kind) const {
  NameUse use;
  const std::string folded = fold_name(name);
  const std::size_t fields = kind == nullptr ? 0 : kind->fields().size();
  const auto by_spec = [&](const ColumnSpec& spec, std::size_t field, Target::By by, bool list) {
    Target like;
    like.field = field;
    like.by = by;
    add_by_spec(use, spec, like, name, folded, position, list);
  };

  for (const std::size_t special : kSpecials) {
    if (const ColumnSpec* wanted = mapped_spec(special, kind)) {
      by_spec(*wanted, special, Target::By::Map, false);
      continue;
    }
    if (const ColumnSpec* known = preset_spec(special, kind)) by_spec(*known, special, Target::By::Preset, false);
    const std::string_view own = target_name(special, nullptr);
    add_by_words(use, special, {.name = own, .api_name = own}, name, folded);
  }
  if (id_source_)
    std::erase_if(use.targets, [&](const Target& target) {
      return target.field == Target::kId && !is_same_source(target, *id_source_);
    });
  bool is_mapped = false;
  for (std::size_t i = 0; i < fields; ++i)
    if (const ColumnSpec* wanted = mapped_spec(i, kind)) {
      const std::size_t before = use.targets.size();
      by_spec(*wanted, i, Target::By::Map, kind->fields()[i].is_list);
      is_mapped = is_mapped || use.targets.size() > before;
    }
  for (std::size_t i = 0; i < fields && !is_mapped; ++i) {
    if (mapped_spec(i, kind) != nullptr) continue;
    if (const ColumnSpec* known = preset_spec(i, kind))
      by_spec(*known, i, Target::By::Preset, kind->fields()[i].is_list);
    add_by_words(use, i, kind->fields()[i], name, folded);
  }

  const ListedLabel* label = listed(name, folded);
  use.listed = label != nullptr;
  if (label != nullptr) use.label = label->name;
  const bool bare_label = !options_.labels && (preset_ == nullptr || preset_->bare_labels);
  if (bare_label && !is_private_name(folded)) use.label = repair_utf8(trim(name));
  const bool feeds = std::any_of(use.targets.begin(), use.targets.end(),
                                 [](const Target& target) { return target.by != Target::By::Synonym; });
  if (!feeds && !use.listed && kind != nullptr) use.slip = slip(name, folded, *kind);
  return use;
}

void drop_lone_firsts(std::vector<Candidate>& candidates) {
  std::erase_if(candidates, [&](const Candidate& one) {
    return one.target.is_first && std::none_of(candidates.begin(), candidates.end(), [&](const Candidate& other) {
             return other.target.number >= 0 && other.target.synonym == one.target.synonym;
           });
  });
}

Arranged arrange(std::vector<Candidate> candidates) {
  Arranged out;
  drop_lone_firsts(candidates);
  if (candidates.empty()) return out;
  out.by = std::min_element(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
             return a.target.by < b.target.by;
           })->target.by;
  std::erase_if(candidates, [&](const Candidate& c) { return c.target.by != out.by; });
  // A name that is the whole of what was mapped leaves nothing to take apart.
  const bool whole = std::any_of(candidates.begin(), candidates.end(), [](const Candidate& c) {
    return c.target.by <= Target::By::Preset && c.target.alternative == 0 && c.target.exact;
  });
  if (whole) std::erase_if(candidates, [](const Candidate& c) { return c.target.alternative != 0; });

  if (out.by == Target::By::Synonym) {
    std::vector<std::size_t> first;
    std::vector<std::string> names;
    for (const Candidate& candidate : candidates) {
      if (std::find(names.begin(), names.end(), candidate.target.synonym) != names.end()) continue;
      names.push_back(candidate.target.synonym);
      first.push_back(candidate.index);
    }
    // The main photo in one column, the others in a second one: an order that many shops' feeds share.
    const auto is_pair = [&](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (names.size() == 2 && is_pair("image_link") && is_pair("additional_image_link")) {
      for (Candidate& candidate : candidates) {
        candidate.target.family = true;
        if (candidate.target.synonym == "additional_image_link") ++candidate.target.number;
      }
    } else if (names.size() > 1) {
      out.synonyms = std::move(first);
      return out;
    } else if (std::any_of(candidates.begin(), candidates.end(), [](const auto& c) { return c.target.family; })) {
      for (Candidate& candidate : candidates) candidate.target.family = true;  // `images` beside `images_2`
    }
  }

  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.target.alternative, a.target.part) < std::pair(b.target.alternative, b.target.part);
  });
  for (std::size_t at = 0; at < candidates.size();) {
    Arranged::Alternative alternative;
    const std::size_t which = candidates[at].target.alternative;
    std::size_t parts = 0;
    while (at < candidates.size() && candidates[at].target.alternative == which) {
      const std::size_t part = candidates[at].target.part;
      std::size_t end = at;
      while (end < candidates.size() && candidates[end].target.alternative == which &&
             candidates[end].target.part == part) {
        ++end;
      }
      std::vector<Candidate> some(candidates.begin() + static_cast<std::ptrdiff_t>(at),
                                  candidates.begin() + static_cast<std::ptrdiff_t>(end));
      const bool exact = std::any_of(some.begin(), some.end(), [](const auto& c) { return c.target.exact; });
      std::erase_if(some, [&](const Candidate& c) { return c.target.exact != exact; });
      std::stable_sort(some.begin(), some.end(),
                       [](const auto& a, const auto& b) { return a.target.number < b.target.number; });
      const bool family = some.front().target.family;
      if (some.size() > 1 && !family) alternative.twice = some[1].index;
      for (const Candidate& one : some) alternative.from.push_back(one.index);
      alternative.family = alternative.family || family;
      ++parts;
      at = end;
    }
    alternative.joined = parts > 1;
    out.alternatives.push_back(std::move(alternative));
  }
  return out;
}

const NameRules::ListedLabel* NameRules::listed(std::string_view name, const std::string& folded) const {
  for (const ListedLabel& label : listed_)
    if (label.name == name) return &label;
  for (const ListedLabel& label : listed_)
    if (label.folded == folded) return &label;
  return nullptr;
}

std::optional<Slip> NameRules::slip(std::string_view name, const std::string& folded, const JobKind& kind) const {
  if (known_.contains(folded)) return std::nullopt;
  for (const std::string_view member : kind.unsent()) {
    if (folded != fold_name(member)) continue;
    if (const std::string_view field = field_with_word(kind, member); !field.empty()) {
      return Slip{false, fmt::format("'{0}' is taken for a label and not sent: {1} has the field '{2}'; rename it, map "
                                     "{2}={0}, or list '{0}' in labels if it is meant as one",
                                     printable(name, 60), kind.name(), field)};
    }
    return Slip{false, fmt::format("'{0}' is taken for a label: the service has a member {1}, which {2} does not send; "
                                   "list '{0}' in labels if it is meant as one",
                                   printable(name, 60), member, kind.name())};
  }
  for (std::size_t i = 0; is_main_photo_name(folded) && i < kind.fields().size(); ++i) {
    if (!kind.fields()[i].is_images || mapped(i, &kind) != nullptr || preset_spec(i, &kind) != nullptr) continue;
    return Slip{false, fmt::format("'{0}' is taken for a label and not sent: if it is the listing's main photo, map "
                                   "{1}={0}+COLUMN, with the column of the others",
                                   printable(name, 60), kind.fields()[i].name)};
  }
  std::size_t nearest = 3;
  std::string_view field;
  for (std::size_t i = 0; i < kind.fields().size(); ++i) {
    const FieldSpec& spec = kind.fields()[i];
    if (mapped(i, &kind) != nullptr || preset_spec(i, &kind) != nullptr || spec.name.size() < kShortName) continue;
    const std::size_t limit = spec.name.size() >= kLongName ? 2 : 1;
    const std::size_t distance = std::min(edit_distance(folded, fold_name(spec.name), limit),
                                          edit_distance(folded, fold_name(spec.api_name), limit));
    if (distance > limit || distance >= nearest) continue;
    nearest = distance;
    field = spec.name;
  }
  if (field.empty()) return std::nullopt;
  const std::string shown = printable(name, 60);
  if (field.size() >= kLongName)
    return Slip{true, fmt::format("'{}' is nearly the field '{}' of {}: rename it, map {}={}, or list it in labels",
                                  shown, field, kind.name(), field, shown)};
  return Slip{false,
              fmt::format("'{}' is taken for a label; did you mean the field '{}' of {}?", shown, field, kind.name())};
}

}  // namespace reelbatch
