#include "runner/ignore_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/edit_distance.h"
#include "jobs/json_quote.h"
#include "jobs/plain_text.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using Part = IgnoreRule::Part;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_called(const FieldSpec& field, std::string_view name) {
  return field.name == name || field.api_name == name;
}

/// Whether a field can have a part that does not count.
bool has_part(const FieldSpec& field, Part part) {
  switch (part) {
    case Part::Field:
      break;
    case Part::Query:
      return field.is_content && field.media != Media::None;
    case Part::Phrase:
      return field.is_content && field.media == Media::None && !field.is_list;
  }
  return field.is_content;
}

Result<void> check_field(const IgnoreRule& rule) {
  std::vector<std::string_view> names;
  bool known = false, content = false;
  for (const JobKind* kind : all_kinds()) {
    for (const FieldSpec& field : kind->fields()) {
      const bool is_new = std::find(names.begin(), names.end(), field.name) == names.end();
      if (field.is_content && is_new) names.push_back(field.name);
      if (!is_called(field, rule.field)) continue;
      if (has_part(field, rule.part)) return {};
      known = true;
      content = content || field.is_content;
    }
  }
  if (!known) {
    return usage_error(
        fmt::format("'{}': no kind has a field '{}'{}", rule.text, rule.field, did_you_mean(rule.field, names)));
  }
  if (!content) return usage_error(fmt::format("'{}': '{}' never counts as a change", rule.text, rule.field));
  return usage_error(fmt::format(
      "'{}': '{}' {}", rule.text, rule.field,
      rule.part == Part::Query ? "holds no addresses, so it has no query" : "is no text, so it has no phrases"));
}

/// Where `phrase` is met in `line` from `from` on, as a begin and an end.
std::optional<std::pair<std::size_t, std::size_t>> find_phrase(std::string_view line, std::size_t from,
                                                               const std::vector<std::string>& pieces) {
  std::size_t begin = from, at = from;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool is_last = i + 1 == pieces.size();
    if (pieces[i].empty()) {
      if (is_last) at = line.size();
      continue;
    }
    const std::size_t found = line.find(pieces[i], at);
    if (found == std::string_view::npos) return std::nullopt;
    if (i == 0) begin = found;
    at = found + pieces[i].size();
  }
  return std::pair(begin, at);
}

bool is_meant(std::string_view parameter, const std::string& wanted) {
  const std::string_view name = parameter.substr(0, parameter.find('='));
  return wanted.back() == '*' ? name.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1))
                              : name == wanted;
}

/// Every string of `json` as `change` makes it. Addresses in their normal form have nothing that JSON escapes.
template <typename Change>
std::string change_addresses(std::string_view json, Change change) {
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t open = json.find('"', at);
    const std::size_t close = open == std::string_view::npos ? open : json.find('"', open + 1);
    if (close == std::string_view::npos) return out.append(json.substr(at));
    out.append(json.substr(at, open + 1 - at));
    out += change(json.substr(open + 1, close - open - 1));
    out += '"';
    at = close + 1;
  }
  return out;
}

}  // namespace

Result<IgnoreRule> parse_ignore_rule(std::string_view text) {
  IgnoreRule rule;
  rule.text = text;
  const std::size_t sign = std::min(text.find_first_of("?="), text.size());
  const std::string_view rest = text.substr(std::min(sign + 1, text.size()));
  rule.field = trim_blanks(text.substr(0, sign));
  if (rule.field.empty()) {
    return usage_error(fmt::format("'{}' names no field: write FIELD, FIELD?NAME or FIELD=PHRASE", text));
  }
  if (sign < text.size()) rule.part = text[sign] == '?' ? Part::Query : Part::Phrase;
  if (Result<void> checked = check_field(rule); !checked) return tl::unexpected(checked.error());
  if (rule.part == Part::Query && !rest.empty()) {
    rule.parameters = split(rest, '&');
    const bool odd = std::any_of(rule.parameters.begin(), rule.parameters.end(), [](const std::string& name) {
      return name.empty() || name == "*" || name.find_first_of("=?#|, \t") != std::string::npos;
    });
    if (odd) {
      return usage_error(
          fmt::format("'{}': names of query parameters stand behind the '?', such as {}?v&token; none is all of them",
                      text, rule.field));
    }
  } else if (rule.part == Part::Phrase) {
    rule.pieces = split(trim_blanks(rest), '*');
    const bool bare = std::all_of(rule.pieces.begin(), rule.pieces.end(),
                                  [](const auto& piece) { return trim_blanks(piece).empty(); });
    if (bare || !is_clean_text(trim_blanks(rest))) {
      return usage_error(fmt::format(
          "'{}': a phrase is text on one line without quotation marks, with * for what changes, such as '{}=Price: * "
          "EUR'; {} alone is the whole field",
          text, rule.field, rule.field));
    }
  }
  return rule;
}

std::string without_phrase(std::string_view text, const IgnoreRule& rule) {
  std::string out;
  for (;;) {
    const std::string_view line = text.substr(0, text.find('\n'));
    std::size_t at = 0;
    // Where it is not met from here on, it is not met from any later place of the line either.
    while (const auto found = find_phrase(line, at, rule.pieces)) {
      out.append(line.substr(at, found->first - at));
      at = found->second;
      if (at == line.size()) break;
    }
    out.append(line.substr(at));
    if (line.size() == text.size()) return out;
    out += '\n';
    text.remove_prefix(line.size() + 1);
  }
}

std::string without_query(std::string_view address, const IgnoreRule& rule) {
  const std::size_t end = std::min(address.find('#'), address.size());
  const std::size_t begin = address.substr(0, end).find('?');
  if (begin == std::string_view::npos) return std::string(address);
  std::string kept;
  if (!rule.parameters.empty()) {
    for (const std::string& parameter : split(address.substr(begin + 1, end - begin - 1), '&')) {
      const bool ignored = std::any_of(rule.parameters.begin(), rule.parameters.end(),
                                       [&](const std::string& wanted) { return is_meant(parameter, wanted); });
      if (ignored || parameter.empty()) continue;
      kept += kept.empty() ? '?' : '&';
      kept += parameter;
    }
  }
  return fmt::format("{}{}{}", address.substr(0, begin), kept, address.substr(end));
}

IgnoreRules::IgnoreRules(const JobKind& kind, std::span<const IgnoreRule> rules) {
  for (const FieldSpec& field : kind.fields()) {
    Field concerned{field.name, {}};
    for (const IgnoreRule& rule : rules) {
      if (!is_called(field, rule.field) || !has_part(field, rule.part)) continue;
      concerned.rules.push_back(&rule);
      signature_ += fmt::format("{}\n", rule.text);
    }
    if (!concerned.rules.empty()) fields_.push_back(std::move(concerned));
  }
}

const IgnoreRules::Field* IgnoreRules::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::optional<std::string> IgnoreRules::what_counts(const FieldSpec& field, std::string_view json) const {
  std::string counts(json);
  const Field* concerned = find(field.name);
  if (concerned == nullptr) return counts;
  for (const IgnoreRule* rule : concerned->rules) {
    switch (rule->part) {
      case Part::Field:
        return std::nullopt;
      case Part::Query:
        counts = change_addresses(counts, [&](std::string_view address) { return without_query(address, *rule); });
        break;
      case Part::Phrase:
        if (counts.starts_with('"')) counts = json_quote(without_phrase(json_unquote(counts), *rule));
        break;
    }
  }
  return counts;
}

std::optional<RawValue> IgnoreRules::what_counts(const JobKind& kind, std::string_view field, RawValue value) const {
  const RawFields alone = {{std::string(field), std::move(value)}};
  const Normalised normal = kind.normalise(alone);
  if (normal.fields.size() != 1) return alone[0].value;
  std::optional<std::string> counts = what_counts(*normal.fields[0].spec, normal.fields[0].json);
  if (!counts) return std::nullopt;
  return RawValue{RawValue::Form::Json, *std::move(counts)};
}

}  // namespace reelbatch
