#include "runner/flat_rows.h"

#include <algorithm>
#include <set>

#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kShapesMax = 64;  // beyond that the lines of a file have little in common

bool is_blank(const FlatMember& member) {
  switch (member.kind) {
    case FlatMember::Kind::Null:
      return true;
    case FlatMember::Kind::Text:
      return trim(member.value).empty();
    case FlatMember::Kind::List:
      return member.value == "[]";
    case FlatMember::Kind::Plain:
      return false;
  }
  return true;
}

std::size_t columns_before(std::string_view text, std::size_t at) {
  return count_code_points(text.substr(0, at)) + 1;
}

}  // namespace

bool FlatRows::read(const JsonLine& line, ManifestRow& row) {
  if (!object_.read(line) || object_.members().size() > kJobKeysMax) return false;
  Shape* shape = find_shape();
  if (shape == nullptr) return false;
  std::string_view name;
  const JobKind* kind = kind_of(*shape, row, name);
  const Plan* plan = kind == nullptr ? nullptr : find_plan(*shape, kind);
  if (plan == nullptr) return false;

  const std::vector<FlatMember>& members = object_.members();
  const FlatMember& id = members[shape->id];
  const bool is_id = id.kind == FlatMember::Kind::Text || id.kind == FlatMember::Kind::Plain;
  if (!is_id || !is_plain_id(id.value)) return false;
  if (shape->account != kNone && members[shape->account].kind == FlatMember::Kind::List) return false;

  run_.expect(id.value);
  text_ = line.text;
  line_ = line.line;
  clear_row(row);
  row.place = {line.line, columns_before(line.text, object_.begin())};
  row.id = id.value;
  row.kind = kind;
  if (row.kind_name != name) row.kind_name = name;
  const RawValue* account = shape->account_otherwise;
  const bool has_account = shape->account != kNone && members[shape->account].kind != FlatMember::Kind::Null;
  take_account(row, has_account ? members[shape->account].value : std::string_view(),
               account != nullptr ? std::string_view(account->text) : std::string_view(), row.place);
  return find_fields(*plan);
}

/// nullptr where these keys were not met before, or say too much.
FlatRows::Shape* FlatRows::find_shape() {
  const std::vector<FlatMember>& members = object_.members();
  const auto has_these_keys = [&](const std::unique_ptr<Shape>& shape) {
    return std::equal(members.begin(), members.end(), shape->keys.begin(), shape->keys.end(),
                      [](const FlatMember& member, const std::string& key) { return member.key == key; });
  };
  const auto found = std::find_if(shapes_.begin(), shapes_.end(), has_these_keys);
  if (found == shapes_.end()) {
    if (shapes_.size() == kShapesMax) return nullptr;
    Shape& added = *shapes_.emplace_back(std::make_unique<Shape>());
    for (const FlatMember& member : members) added.keys.emplace_back(member.key);
    return nullptr;
  }
  Shape& shape = **found;
  if (!shape.ready) learn_shape(shape);
  return shape.usable ? &shape : nullptr;
}

void FlatRows::learn_shape(Shape& shape) const {
  shape.ready = true;
  shape.kind_otherwise = rules_.default_of(Target::kKind, nullptr);
  shape.account_otherwise = rules_.default_of(Target::kAccount, nullptr);
  std::set<std::string_view> keys;
  const std::vector<FlatMember>& members = object_.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!keys.insert(members[i].key).second) return;
    for (const Target& target : rules_.use(members[i].key, 0, nullptr).targets) {
      std::size_t& place = target.field == Target::kId     ? shape.id
                           : target.field == Target::kKind ? shape.kind
                                                           : shape.account;
      if (place != kNone) return;
      place = i;
    }
  }
  shape.usable = shape.id != kNone;
}

const JobKind* FlatRows::kind_of(const Shape& shape, const ManifestRow& row, std::string_view& name) const {
  name = {};
  if (shape.kind != kNone) {
    const FlatMember& member = object_.members()[shape.kind];
    if (member.kind == FlatMember::Kind::List) return nullptr;
    if (member.kind != FlatMember::Kind::Null) name = trim(member.value);
  }
  const RawValue* otherwise = shape.kind_otherwise;
  if (name.empty()) name = otherwise != nullptr ? trim(otherwise->text) : default_kind().name();
  return row.kind != nullptr && row.kind_name == name ? row.kind : find_kind(name);
}

const FlatRows::Plan* FlatRows::find_plan(Shape& shape, const JobKind* kind) const {
  const auto found = std::find_if(shape.plans.begin(), shape.plans.end(),
                                  [&](const std::unique_ptr<Plan>& plan) { return plan->kind == kind; });
  if (found == shape.plans.end()) {
    shape.plans.push_back(std::make_unique<Plan>());
    shape.plans.back()->kind = kind;
    return nullptr;
  }
  if (!(*found)->ready) learn_plan(**found);
  return (*found)->usable ? found->get() : nullptr;
}

void FlatRows::learn_plan(Plan& plan) const {
  plan.ready = true;
  std::vector<NameUse> uses;
  for (const FlatMember& member : object_.members()) uses.push_back(rules_.use(member.key, 0, plan.kind));
  const auto is_certain = [](const Target& target) { return target.exact && target.by != Target::By::Synonym; };
  std::vector<bool> feeds(uses.size(), false);
  std::vector<std::vector<Candidate>> candidates(plan.kind->fields().size());
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (const Target& target : uses[i].targets) {
      if (target.field >= candidates.size() || is_certain(target)) feeds[i] = true;
      if (target.field < candidates.size()) candidates[target.field].push_back({i, target});
    }
  for (std::size_t field = 0; field < candidates.size(); ++field) {
    const FieldSpec& spec = plan.kind->fields()[field];
    Field source{&spec, {}, may_be_spelt_out(spec), rules_.default_of(field, plan.kind)};
    drop_lone_firsts(candidates[field]);
    if (candidates[field].size() == 1) {
      source.from = {candidates[field][0].index};
      feeds[source.from[0]] = true;
    } else if (!candidates[field].empty()) {
      // Several keys: only where each is there to stand in for the one before, and nothing is to be said of it.
      if (spec.is_images || !std::all_of(candidates[field].begin(), candidates[field].end(),
                                         [&](const Candidate& one) { return is_certain(one.target); }))
        return;
      for (const Arranged::Alternative& alternative : arrange(std::move(candidates[field])).alternatives) {
        if (alternative.from.size() != 1 || alternative.twice != SIZE_MAX) return;
        source.from.push_back(alternative.from[0]);
      }
    }
    if (!source.from.empty() || source.otherwise != nullptr) plan.fields.push_back(std::move(source));
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].label.empty() || (feeds[i] && !uses[i].listed)) continue;
    if (!names.insert(uses[i].label).second) return;
    plan.labels.push_back({i, uses[i].label});
  }
  plan.usable = true;
}

/// A member, as the options want it. False if its tree is needed.
bool FlatRows::take_member(const FieldSpec& spec, const FlatMember& member, FieldText& found) {
  found.form = member.kind == FlatMember::Kind::List ? RawValue::Form::Json : RawValue::Form::Text;
  found.text = member.value;
  if (!spec.is_images) return true;
  FeedImages& images = run_.images();
  Result<std::optional<std::string>> completed = images.complete(found.form, found.text);
  if (!completed) return false;
  if (*completed) {
    found.form = RawValue::Form::Json;
    found.text = views_.keep(std::move(**completed));
  }
  if (!images.has_address()) images.see(found.text, {line_, columns_before(text_, member.at)});
  return true;
}

bool FlatRows::find_fields(const Plan& plan) {
  const std::vector<FlatMember>& members = object_.members();
  views_.clear();
  at_.clear();
  for (const Field& source : plan.fields) {
    const auto says = [&](std::size_t i) {
      const bool is_last = i == source.from.back();
      return !is_blank(members[i]) && (is_last || !gives_way(*source.spec, members[i].value));
    };
    const auto member = std::find_if(source.from.begin(), source.from.end(), says);
    FieldText& found = views_.fields.emplace_back();
    found.name = source.spec->name;
    std::size_t& at = at_.emplace_back(kNone);
    if (member != source.from.end() && !(source.may_be_spelt_out && stands_for_nothing(members[*member].value))) {
      if (!take_member(*source.spec, members[*member], found)) return false;
      at = members[*member].at;
    } else if (source.otherwise != nullptr && !trim(source.otherwise->text).empty()) {
      found.form = source.otherwise->form;
      found.text = source.otherwise->text;
    } else {
      views_.fields.pop_back();
      at_.pop_back();
      continue;
    }
    if (std::optional<std::string> prose = run_.prose(*source.spec, found.form, found.text)) {
      found.form = RawValue::Form::Json;
      found.text = views_.keep(std::move(*prose));
    }
  }
  for (const LabelSource& label : plan.labels) {
    const FlatMember& member = members[label.member];
    if (member.kind != FlatMember::Kind::Null) views_.labels.push_back({label.name, member.value});
  }
  return true;
}

Place FlatRows::place_of_field(std::size_t field) const {
  return at_[field] == kNone ? Place{} : Place{line_, columns_before(text_, at_[field])};
}

}  // namespace reelbatch
