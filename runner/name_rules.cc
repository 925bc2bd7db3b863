#include "runner/name_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::array<std::size_t, 3> kSpecials{Target::kId, Target::kKind, Target::kAccount};
constexpr std::size_t kLongName = 8;   // a slip in a name this long is no accident of language
constexpr std::size_t kShortName = 4;  // shorter ones are near to everything

bool is_glob(std::string_view wanted) {
  return wanted.find_first_of("*?") != std::string_view::npos;
}

/// 12 of `#12`, 0 if it is no position.
std::size_t position_of(std::string_view wanted) {
  if (wanted.size() < 2 || wanted[0] != '#') return 0;
  if (wanted.find_first_not_of("0123456789", 1) != std::string_view::npos) return 0;
  return static_cast<std::size_t>(std::max(0LL, number_in(wanted, 1)));
}

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

}  // namespace

NameRules::NameRules(const ManifestOptions& options) : options_(options) {
  for (const std::string& label : options.labels.value_or(std::vector<std::string>{}))
    listed_.push_back({label, fold_name(label)});
  for (const std::string_view name : all_field_names()) known_.insert(fold_name(name));
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
  return usage_error(
      fmt::format("{}: '{}' is not a field of any kind{}", where, printable(name, 60), did_you_mean(name, names)));
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

const RawValue* NameRules::default_of(std::size_t field, const JobKind* kind) const {
  return find_field(options_.defaults, field, kind);
}

bool NameRules::fits(const std::string& field, std::string_view name, std::size_t position) const {
  const std::string* wanted = find_value(options_.map, field);
  return wanted != nullptr && by_map(*wanted, name, fold_name(name), position, is_list(field)).has_value();
}

std::optional<Target> NameRules::by_map(const std::string& wanted, std::string_view name, const std::string& folded,
                                        std::size_t position, bool list) const {
  Target target;
  if (wanted == name) {
    target.exact = true;
    return target;
  }
  if (const std::size_t number = position_of(wanted); number != 0) {
    target.exact = true;
    if (number == position) return target;
    return std::nullopt;
  }
  if (list && is_glob(wanted)) {
    target.exact = matches_glob(wanted, name);
    if (!target.exact && !matches_glob(fold_name(wanted), folded)) return std::nullopt;
    target.family = true;
    target.number = number_in(name, wanted.find_first_of("*?"));
    return target;
  }
  if (fold_name(wanted) != folded) return std::nullopt;
  return target;
}

NameUse NameRules::use(std::string_view name, std::size_t position, const JobKind* kind) const {
  NameUse use;
  const std::string folded = fold_name(name);
  const std::size_t fields = kind == nullptr ? 0 : kind->fields().size();
  const auto add = [&](std::optional<Target> target, std::size_t field) {
    if (!target) return;
    target->field = field;
    use.targets.push_back(*target);
  };
  const auto by_name = [&](std::string_view own, std::string_view api) -> std::optional<Target> {
    Target target;
    target.exact = name == own || name == api;
    if (!target.exact && folded != fold_name(own) && folded != fold_name(api)) return std::nullopt;
    return target;
  };

  for (const std::size_t special : kSpecials) {
    const std::string* wanted = mapped(special, kind);
    const std::string_view own = target_name(special, nullptr);
    add(wanted ? by_map(*wanted, name, folded, position, false) : by_name(own, own), special);
  }
  bool is_mapped = false;
  for (std::size_t i = 0; i < fields; ++i)
    if (const std::string* wanted = mapped(i, kind)) {
      const std::size_t before = use.targets.size();
      add(by_map(*wanted, name, folded, position, kind->fields()[i].is_list), i);
      is_mapped = is_mapped || use.targets.size() > before;
    }
  for (std::size_t i = 0; i < fields && !is_mapped; ++i)
    if (mapped(i, kind) == nullptr) add(by_name(kind->fields()[i].name, kind->fields()[i].api_name), i);

  const ListedLabel* label = listed(name, folded);
  use.listed = label != nullptr;
  if (label != nullptr) use.label = label->name;
  if (!options_.labels) use.label = repair_utf8(trim(name));
  if (use.targets.empty() && !use.listed && kind != nullptr) use.slip = slip(name, folded, *kind);
  return use;
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
  std::size_t nearest = 3;
  std::string_view field;
  for (std::size_t i = 0; i < kind.fields().size(); ++i) {
    const FieldSpec& spec = kind.fields()[i];
    if (mapped(i, &kind) != nullptr || spec.name.size() < kShortName) continue;
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
