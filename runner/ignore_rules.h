// What does not count as a change of a listing: `--ignore`, and `ignore` in the configuration. Pure.
//
// A rule decides what is compared, never what is sent.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"

namespace reelbatch {

struct IgnoreRule {
  enum class Part {
    Field,   ///< all of it
    Query,   ///< of its addresses
    Phrase,  ///< of its text
  };
  std::string text;   ///< as given
  std::string field;  ///< by its own name or the API's
  Part part = Part::Field;
  std::vector<std::string> parameters;  ///< of Query; `utm_*` is all that begin so; none: the whole query
  /// Of Phrase: what stands between the `*`, each of which is any text on the same line. At least one is not empty;
  /// an empty one in front or at the end reaches to the end of the line.
  std::vector<std::string> pieces;
};

/// Reads `music` (a field), `image_urls?` (what stands behind the `?` of its addresses), `image_urls?v&token` (these
/// parameters), or `description=Price: * EUR` (such phrases).
///
/// Fails with Fault::Usage, and a suggestion where there is one, on a field that no kind has, one that is no content, a
/// query of a field without addresses, and a phrase of one that is no text.
Result<IgnoreRule> parse_ignore_rule(std::string_view text);

/// `text` without what `rule`, a Phrase, fits: always the shortest such text from the left, on one line. Linear in
/// `text`, whatever it says.
std::string without_phrase(std::string_view text, const IgnoreRule& rule);

/// `address` without the query of `rule`, or its parameters; without the `?` as well if none is left.
std::string without_query(std::string_view address, const IgnoreRule& rule);

/// The rules that concern one kind.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  /// `rules` must outlive it.
  IgnoreRules(const JobKind& kind, std::span<const IgnoreRule> rules);

  bool empty() const { return fields_.empty(); }
  /// The same for equal rules, different for others. Empty without rules.
  const std::string& signature() const { return signature_; }

  /// Whether something of the field does not count.
  bool concern(std::string_view field) const { return find(field) != nullptr; }
  /// What of a field's value counts, as JSON; nothing if none of it does.
  std::optional<std::string> what_counts(const FieldSpec& field, std::string_view json) const;
  /// The same for a field of `kind` as read, which is normalised first, as it is where rows are compared: equal results
  /// then are equal content. One that cannot be normalised counts as it is.
  std::optional<RawValue> what_counts(const JobKind& kind, std::string_view field, RawValue value) const;

 private:
  struct Field {
    std::string_view name;  ///< FieldSpec::name
    std::vector<const IgnoreRule*> rules;
  };
  const Field* find(std::string_view name) const;

  std::vector<Field> fields_;
  std::string signature_;
};

}  // namespace reelbatch
