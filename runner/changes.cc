#include "runner/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/row_reader.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kBytesBefore = 20;  ///< of an excerpt, in front of the first difference
constexpr std::size_t kPointsShown = 50;

/// The items of a list, as JSON; nothing of anything else.
std::vector<std::string> items_of(const std::optional<std::string>& json) {
  std::vector<std::string> items;
  JsonReader reader;
  simdjson::dom::array list;
  const Result<JsonElement> value = reader.parse(json.value_or(""));
  if (!value || value->get(list) != simdjson::SUCCESS) return items;
  for (const JsonElement item : list) items.push_back(json_text(item));
  return items;
}

/// Those of `items` that `others` have too, each as often as there.
std::vector<std::string> common_items(const std::vector<std::string>& items, const std::vector<std::string>& others) {
  std::map<std::string_view, int> left;
  for (const std::string& item : others) ++left[item];
  std::vector<std::string> common;
  for (const std::string& item : items) {
    if (left[item]-- > 0) common.push_back(item);
  }
  return common;
}

std::string list_words(const FieldChange& change) {
  const std::vector<std::string> before = items_of(change.before), now = items_of(change.now);
  const std::vector<std::string> stayed = common_items(before, now), still = common_items(now, before);
  std::vector<std::string> words;
  if (now.size() > still.size()) words.push_back(fmt::format("{} added", now.size() - still.size()));
  if (before.size() > stayed.size()) words.push_back(fmt::format("{} removed", before.size() - stayed.size()));
  if (stayed != still) words.emplace_back("order changed");
  return fmt::format("{}", fmt::join(words, ", "));
}

/// A value as text: what a string says, all else as JSON.
std::string shown(const std::string& json) {
  return json.starts_with('"') ? json_unquote(json) : json;
}

/// White space in characters that are seen: line ends and tabs, and with `all` of it blanks too.
std::string with_seen_blanks(std::string_view text, bool all) {
  std::string seen;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value == '\n') {
      seen += "\\n";
    } else if (point.value == '\t') {
      seen += "\\t";
    } else if (all && point.value == ' ') {
      seen += "·";
    } else if (all && is_blank_point(point.value)) {
      seen += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(point.value));
    } else {
      seen += text.substr(at, point.size);
    }
    at += point.size;
  }
  return seen;
}

/// The text around byte `at`, from the beginning of a word where there is one.
std::string excerpt(const std::string& text, std::size_t at, bool all_blanks) {
  std::size_t from = at > kBytesBefore ? at - kBytesBefore : 0;
  if (const std::size_t blank = text.find(' ', from); from > 0 && blank < at) from = blank + 1;
  while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) --from;
  const std::string seen = with_seen_blanks(std::string_view(text).substr(from), all_blanks);
  return fmt::format("'{}{}'", from > 0 ? "…" : "", printable(seen, kPointsShown));
}

}  // namespace

std::vector<FieldChange> changes_between(std::span<const NormalField> before, std::span<const NormalField> now,
                                         const IgnoreRules& rules) {
  std::vector<FieldChange> changes;
  for (const NormalField& field : now) {
    if (!field.spec->is_content) continue;
    const NormalField* old = find_field(before, field.spec->name);
    if (old != nullptr && old->json == field.json) continue;
    FieldChange change{field.spec, std::nullopt, rules.what_counts(*field.spec, field.json)};
    if (old != nullptr) change.before = rules.what_counts(*field.spec, old->json);
    if (change.before != change.now) changes.push_back(std::move(change));
  }
  for (const NormalField& field : before) {
    if (!field.spec->is_content || find_field(now, field.spec->name) != nullptr) continue;
    FieldChange change{field.spec, rules.what_counts(*field.spec, field.json), std::nullopt};
    if (change.before) changes.push_back(std::move(change));
  }
  return changes;
}

std::string change_words(std::span<const FieldChange> changes) {
  std::string words;
  for (const FieldChange& change : changes) {
    if (!words.empty()) words += ", ";
    words += change.field->name;
    if (change.field->is_list) words += fmt::format(" ({})", list_words(change));
  }
  return words;
}

std::string change_excerpt(const FieldChange& change) {
  const std::string before = shown(change.before.value_or("")), now = shown(change.now.value_or(""));
  const auto differ = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  const auto at = static_cast<std::size_t>(differ.first - before.begin());
  const auto words = [&](bool all_blanks) {
    return std::pair(change.before ? excerpt(before, at, all_blanks) : "none",
                     change.now ? excerpt(now, at, all_blanks) : "none");
  };
  auto [old_words, new_words] = words(false);
  if (old_words == new_words) std::tie(old_words, new_words) = words(true);
  return fmt::format("{} -> {}", old_words, new_words);
}

}  // namespace reelbatch
