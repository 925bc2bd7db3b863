#include "runner/row_ids.h"

#include <fmt/format.h>

#include <optional>

#include "runner/digest.h"
#include "runner/manifest_text.h"

namespace reelbatch {

/// With its length in front, so that no two rows make one text, in digits, so that all machines make the same.
void RowIds::append(std::string_view part) {
  text_ += fmt::format("{}:", part.size());
  text_ += part;
}

const IgnoreRules& RowIds::rules_for(const JobKind& kind) {
  const auto found = rules_.find(&kind);
  return found != rules_.end() ? found->second
                               : rules_.emplace(&kind, IgnoreRules(kind, options_.ignore)).first->second;
}

void RowIds::add(const JobKind& kind, const FieldSpec& field, RawValue::Form form, std::string_view text) {
  if (!field.is_content) return;
  std::optional<RawValue> counts = RawValue{form, std::string(trim(text))};
  if (const IgnoreRules& rules = rules_for(kind); rules.concern(field.name))
    counts = rules.what_counts(kind, field.name, *std::move(counts));
  if (!counts) return;
  append(field.name);
  append(counts->form == RawValue::Form::Text ? "text" : "json");
  append(counts->text);
}

std::string RowIds::take(const JobKind& kind, std::string_view account) {
  if (text_.empty()) return {};
  append(kind.name());
  append(account);
  ++made_;
  const Digest digest = digest_of(text_);
  return fmt::format("row-{:016x}{:08x}", digest.high, digest.low >> 32U);
}

}  // namespace reelbatch
