// What is different between two rows of a listing, and how to say so. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "runner/ignore_rules.h"

namespace reelbatch {

/// A content field whose value is another one. Values are JSON, without what does not count.
struct FieldChange {
  const FieldSpec* field = nullptr;
  std::optional<std::string> before, now;  ///< nothing: the row has no such field
};

/// In the order of the kind's fields, those that are gone last. Fields that are no content, and what `rules` leave out,
/// do not count.
std::vector<FieldChange> changes_between(std::span<const NormalField> before, std::span<const NormalField> now,
                                         const IgnoreRules& rules);

/// `image_urls (1 added, 2 removed, order changed), description`: of lists how, of others that.
std::string change_words(std::span<const FieldChange> changes);

/// `'a flat with a terrace' -> 'a flat with a garden'`: both values around the first difference, on one line; `none`
/// for a field that is not there.
std::string change_excerpt(const FieldChange& change);

}  // namespace reelbatch
