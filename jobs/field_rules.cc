#include "jobs/field_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "jobs/address.h"
#include "jobs/address_list.h"
#include "jobs/canonical_json.h"
#include "jobs/edit_distance.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/list_literal.h"
#include "jobs/plain_text.h"
#include "jobs/prose.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kServiceIdMax = 255;

FieldReading absent() {
  return {};
}
FieldReading problem(std::string message) {
  return {std::nullopt, {std::move(message)}, {}};
}
FieldReading value_of(std::string json) {
  return {std::move(json), {}, {}};
}

/// The one value that `value` is: YAML may have read it as a number or a truth, a list of it is none.
Result<std::string> scalar_of(const RawValue& value, std::string_view what) {
  if (value.form == RawValue::Form::Text) return value.text;
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(value.text);
  if (!json) return tl::unexpected<Error>(json.error());
  std::string_view text;
  if (!json->get(text)) return std::string(text);
  if (json->is_null()) return std::string();
  if (json->is_array()) return usage_error(fmt::format("needs to be {}, not a list", what));
  if (json->is_object()) return usage_error(fmt::format("needs to be {}, not a map", what));
  return json_text(*json);
}

// ---- Text -----------------------------------------------------------------------------------------------------------

constexpr std::size_t kPointBytesMax = 4;  // in UTF-8

struct CleanText {
  std::string text;
  std::size_t dropped = 0;
  std::size_t repaired = 0;
};

/// The next code point of `text` as it should be, and `at` behind it. A carriage return, with or without its line feed,
/// is a line feed: the same listing exported on another system is the same listing.
void take_clean(std::string_view text, std::size_t& at, CleanText& clean) {
  // Nearly all text is runs of plain ASCII, which stay as they are.
  if (const std::size_t plain = plain_run(text.substr(at)); plain > 0) {
    clean.text.append(text, at, plain);
    at += plain;
    return;
  }
  char32_t point = code_point_at(text, at).value;
  at += code_point_at(text, at).size;
  if (point == '\r') {
    if (at < text.size() && text[at] == '\n') ++at;
    point = '\n';
  } else if (const char32_t meant = windows_1252_meaning(point); meant != 0) {
    point = meant;
    ++clean.repaired;
  } else if (is_control_point(point)) {
    ++clean.dropped;
    return;
  }
  append_code_point(clean.text, point);
}

Result<void> check_text(std::string_view text) {
  if (!is_utf8(text)) return usage_error("is not valid UTF-8; save the file as UTF-8");
  if (text.find('\0') != std::string_view::npos) return usage_error("has a NUL byte in it; remove it");
  return {};
}

Result<CleanText> clean_text(std::string_view text) {
  if (const Result<void> readable = check_text(text); !readable) return tl::unexpected<Error>(readable.error());
  CleanText clean;
  for (std::size_t at = 0; at < text.size();) take_clean(text, at, clean);
  clean.text = std::string(trim_blanks(clean.text));
  return clean;
}

/// The value's text without blanks around it if it is clean and long enough whatever its characters are.
std::optional<std::string_view> as_it_is(const RawValue& value, std::size_t points_min) {
  if (value.form != RawValue::Form::Text || !is_clean_text(value.text)) return std::nullopt;
  const std::string_view text = trim_blanks(value.text);
  if (text.size() < points_min * kPointBytesMax) return std::nullopt;
  return text;
}

std::string in_json_quotes(std::string_view clean) {
  std::string json;
  json.reserve(clean.size() + 2);
  json += '"';
  json += clean;
  json += '"';
  return json;
}

std::vector<std::string> remarks_on(const CleanText& clean) {
  std::vector<std::string> remarks;
  if (clean.dropped > 0) remarks.push_back(fmt::format("dropped {} control character(s)", clean.dropped));
  if (clean.repaired > 0) remarks.push_back(fmt::format("read {} character(s) as windows-1252", clean.repaired));
  return remarks;
}

// ---- Choices --------------------------------------------------------------------------------------------------------

std::string or_list(std::span<const std::string_view> choices) {
  std::string list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) list += i + 1 == choices.size() ? " or " : ", ";
    list += choices[i];
  }
  return list;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> choices) {
  // Longer words are no slips, and comparing them takes its time.
  if (word.size() > 32) return {};
  for (const std::string_view choice : choices) {
    if (edit_distance(word, ascii_lower(choice), 2) <= 2) return fmt::format("; did you mean '{}'?", choice);
  }
  return {};
}

/// The one of `choices` that `word` (lower case) spells, or nullptr.
const std::string_view* find_choice(std::string_view word, std::span<const std::string_view> choices) {
  for (const std::string_view& choice : choices) {
    if (choice == word || ascii_lower(choice) == word) return &choice;
  }
  return nullptr;
}

// ---- Numbers --------------------------------------------------------------------------------------------------------

/// The whole of `text` as a finite number. No signs but `-`, no hexadecimal, no decimal comma.
std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

// ---- Colours --------------------------------------------------------------------------------------------------------

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> read_color(std::string_view text) {
  const std::string lower = ascii_lower(trim_blanks(text));
  const std::string_view color = lower;
  if (color.starts_with('#') && is_hex(color.substr(1))) {
    if (color.size() == 7) return lower;
    if (color.size() == 4) {
      return fmt::format("#{0}{0}{1}{1}{2}{2}", color[1], color[2], color[3]);
    }
  }
  const bool only_lacks_hash = (color.size() == 6 || color.size() == 3) && is_hex(color);
  return usage_error(fmt::format("{} is no colour; needs the form #rrggbb or #rgb{}", in_quotes(text),
                                 only_lacks_hash ? fmt::format("; did you mean '#{}'?", color) : ""));
}

std::vector<std::string> split_colors(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  for (std::size_t at = 0; at <= text.size();) {
    const CodePoint point = at < text.size() ? code_point_at(text, at) : CodePoint{' ', 1, true};
    const bool separator =
        is_blank_point(point.value) || point.value == '|' || point.value == ';' || point.value == ',';
    if (separator) {
      if (!part.empty()) parts.push_back(std::move(part));
      part.clear();
    } else {
      part += text.substr(at, point.size);
    }
    at += point.size;
  }
  return parts;
}

Result<std::vector<std::string>> color_texts(const RawValue& value) {
  const std::string_view text = trim_blanks(value.text);
  if (value.form == RawValue::Form::Text && !text.starts_with('[')) return split_colors(text);
  // Both JSON and a Python list; only what neither can be is refused.
  const Result<std::string> literal = json_of_literal(text);
  if (!literal) return usage_error("cannot be read as a list: " + literal.error().message);
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(*literal);
  if (!json) return usage_error("cannot be read as a list: " + json.error().message);
  std::string_view single;
  if (!json->get(single)) return split_colors(single);
  simdjson::dom::array array;
  if (json->get(array)) return usage_error("needs to be a list of two colours, such as '#1a1a2e|#ffffff'");
  std::vector<std::string> parts;
  for (const JsonElement item : array) {
    std::string_view color;
    if (!item.get(color)) {
      // A column each: one of them may hold both.
      for (std::string& part : split_colors(color)) parts.push_back(std::move(part));
    } else if (!item.is_null()) {
      parts.push_back(json_text(item));
    }
  }
  return parts;
}

/// What stands in a column of texts when a row is shifted.
bool is_address_alone(std::string_view text) {
  const std::string start = ascii_lower(text.substr(0, 8));
  const bool begins = start.starts_with("http://") || start.starts_with("https://") || start.starts_with("www.");
  return begins && text.find_first_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

FieldReading read_text(const RawValue& value, std::size_t points_min) {
  if (const auto text = as_it_is(value, points_min); text && !text->empty()) return value_of(in_json_quotes(*text));
  const Result<std::string> scalar = scalar_of(value, "one text");
  if (!scalar) return problem(scalar.error().message);
  const Result<CleanText> clean = clean_text(*scalar);
  if (!clean) return problem(clean.error().message);
  if (clean->text.empty()) return absent();
  const std::size_t points = count_code_points(clean->text);
  if (points < points_min) return problem(fmt::format("needs at least {} characters, has {}", points_min, points));
  return {json_quote(clean->text), {}, remarks_on(*clean)};
}

bool is_plain_description(RawValue::Form form, std::string_view text, std::size_t points_min) {
  if (form != RawValue::Form::Text) return false;
  const std::string_view trimmed = trim_blanks(text);
  return !trimmed.empty() && trimmed.size() >= points_min * kPointBytesMax && is_plain_prose(trimmed) &&
         !says_nothing(trimmed) && !is_address_alone(trimmed);
}

FieldReading read_prose(const RawValue& value, std::size_t points_min) {
  if (is_utf8(value.text) && is_plain_description(value.form, value.text, points_min)) {
    return value_of(json_quote(trim_blanks(value.text)));
  }
  std::optional<ProseRequest> request;
  if (value.form == RawValue::Form::Json) request = read_prose_with_options(value.text);
  if (!request) {
    Result<std::string> scalar = scalar_of(value, "one text");
    if (!scalar) return problem(scalar.error().message);
    request = ProseRequest{std::move(*scalar), {}};
  }
  if (const Result<void> readable = check_text(request->text); !readable) return problem(readable.error().message);
  const std::string_view raw = trim_blanks(request->text);
  if (raw.empty() || says_nothing(raw)) return absent();
  if (is_address_alone(raw)) return problem("is an address, and no text: is the row shifted?");
  Prose prose = read_prose_text(raw, request->options);
  if (prose.text.empty()) return problem("no description: nothing but markup is in it");
  const std::size_t points = count_code_points(prose.text);
  if (points < points_min) return problem(fmt::format("needs at least {} characters, has {}", points_min, points));
  return {json_quote(prose.text), {}, std::move(prose.remarks)};
}

FieldReading read_line(const RawValue& value) {
  if (const auto text = as_it_is(value, 0); text && !text->empty()) return value_of(in_json_quotes(*text));
  const Result<std::string> scalar = scalar_of(value, "one text");
  if (!scalar) return problem(scalar.error().message);
  const Result<CleanText> clean = clean_text(*scalar);
  if (!clean) return problem(clean.error().message);
  if (clean->text.empty()) return absent();
  if (clean->text.find_first_of("\n\t") != std::string::npos) return problem("needs to be on one line, without tabs");
  return {json_quote(clean->text), {}, remarks_on(*clean)};
}

FieldReading read_service_id(const RawValue& value) {
  FieldReading reading = read_line(value);
  if (!reading.json) return reading;
  const std::string id = json_unquote(*reading.json);
  std::string problem;
  if (id == "." || id == "..") problem = "needs to be the service's id, not dots";
  if (is_http_address(id)) problem = fmt::format("needs to be the id alone, not the address {}", in_quotes(id));
  if (const std::size_t points = count_code_points(id); points > kServiceIdMax) {
    problem = fmt::format("has {} characters; an id has at most {}", points, kServiceIdMax);
  }
  if (!problem.empty()) return {std::nullopt, {std::move(problem)}, {}};
  return reading;
}

FieldReading read_boolean(const RawValue& value) {
  const Result<std::string> scalar = scalar_of(value, "one of true, false, yes, no, 1, 0");
  if (!scalar) return problem(scalar.error().message);
  const std::string word = ascii_lower(trim_blanks(*scalar));
  if (word.empty()) return absent();
  if (word == "true" || word == "yes" || word == "1") return value_of("true");
  if (word == "false" || word == "no" || word == "0") return value_of("false");
  return problem(fmt::format("needs to be one of true, false, yes, no, 1, 0, not {}", in_quotes(*scalar)));
}

FieldReading read_choice(const RawValue& value, std::span<const std::string_view> choices) {
  const Result<std::string> scalar = scalar_of(value, or_list(choices));
  if (!scalar) return problem(scalar.error().message);
  const std::string word = ascii_lower(trim_blanks(*scalar));
  if (word.empty()) return absent();
  if (const std::string_view* choice = find_choice(word, choices)) return value_of(json_quote(*choice));
  return problem(
      fmt::format("needs to be {}, not {}{}", or_list(choices), in_quotes(*scalar), suggestion(word, choices)));
}

FieldReading read_open_choice(const RawValue& value, std::span<const std::string_view> choices) {
  FieldReading reading = read_line(value);
  if (!reading.json) return reading;
  const std::string text = json_unquote(*reading.json);
  const std::string word = ascii_lower(text);
  if (const std::string_view* choice = find_choice(word, choices)) {
    reading.json = json_quote(*choice);
  } else {
    reading.remarks.push_back(fmt::format("{} is not among the documented ones, {}: sent as it stands{}",
                                          in_quotes(text), fmt::join(choices, ", "), suggestion(word, choices)));
  }
  return reading;
}

FieldReading read_number(const RawValue& value, double min, double max) {
  const std::string wanted = fmt::format("a number from {} to {}", canonical_number(min), canonical_number(max));
  const Result<std::string> scalar = scalar_of(value, wanted);
  if (!scalar) return problem(scalar.error().message);
  const std::string_view text = trim_blanks(*scalar);
  if (text.empty()) return absent();
  const std::optional<double> number = number_of(text);
  if (!number || *number < min || *number > max) {
    return problem(fmt::format("needs to be {}, not {}", wanted, in_quotes(text)));
  }
  return value_of(canonical_number(*number));
}

FieldReading read_address(const RawValue& value) {
  const Result<std::string> scalar = scalar_of(value, "one address");
  if (!scalar) return problem(scalar.error().message);
  if (trim_blanks(*scalar).empty()) return absent();
  const Result<ReadAddress> address = read_address_text(*scalar);
  if (!address) return problem(address.error().message);
  FieldReading reading = value_of(json_quote(address->text));
  if (address->completed) reading.remarks.emplace_back("put https:// before the address");
  if (address->had_entity) reading.remarks.emplace_back("read &amp; as &");
  return reading;
}

FieldReading read_addresses(const RawValue& value) {
  if (PlainAddresses plain; read_plain_addresses(value.form, value.text, plain)) {
    if (value.form == RawValue::Form::Json) return value_of(value.text);
    std::string json;
    json.reserve(value.text.size() + 3 * plain.count + 2);
    for (std::size_t i = 0; i < plain.count; ++i) {
      json += i == 0 ? "[\"" : ",\"";
      json += plain.items[i];
      json += '"';
    }
    return value_of(json + ']');
  }
  if (trim_blanks(value.text).empty()) return absent();
  Result<AddressList> list = parse_address_list(value);
  if (!list) return problem(list.error().message);
  if (list->addresses.empty()) {
    return list->remarks.empty() ? absent() : problem("has no usable address: " + list->remarks.front());
  }
  std::string json = "[";
  for (const std::string& address : list->addresses) {
    if (json.size() > 1) json.push_back(',');
    append_json_quoted(json, address);
  }
  json.push_back(']');
  return {std::move(json), {}, std::move(list->remarks)};
}

bool is_plain_color_pair(RawValue::Form form, std::string_view text) {
  const auto is_color = [](std::string_view color) {
    // std::string_view::find_first_not_of() would call memchr() for each character.
    const auto is_digit = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    return color[0] == '#' && std::all_of(color.begin() + 1, color.end(), is_digit);
  };
  constexpr std::size_t kColor = 7;
  const std::string_view begin = form == RawValue::Form::Text ? "" : "[\"";
  const std::string_view between = form == RawValue::Form::Text ? "|" : "\",\"";
  const std::string_view end = form == RawValue::Form::Text ? "" : "\"]";
  if (text.size() != begin.size() + between.size() + end.size() + 2 * kColor) return false;
  const std::size_t second = begin.size() + kColor + between.size();
  return text.starts_with(begin) && text.ends_with(end) &&
         text.substr(begin.size() + kColor, between.size()) == between && is_color(text.substr(begin.size(), kColor)) &&
         is_color(text.substr(second, kColor));
}

FieldReading read_color_pair(const RawValue& value) {
  if (trim_blanks(value.text).empty()) return absent();
  if (!is_utf8(value.text)) return problem("is not valid UTF-8; save the file as UTF-8");
  const Result<std::vector<std::string>> texts = color_texts(value);
  if (!texts) return problem(texts.error().message);
  if (texts->empty()) return absent();
  FieldReading reading;
  if (texts->size() != 2) {
    reading.problems.push_back(fmt::format("needs exactly two colours, background and text, has {}", texts->size()));
  }
  std::string json = "[";
  for (const std::string& text : *texts) {
    const Result<std::string> color = read_color(text);
    if (!color) {
      reading.problems.push_back(color.error().message);
      continue;
    }
    if (json.size() > 1) json.push_back(',');
    append_json_quoted(json, *color);
  }
  if (reading.problems.empty()) reading.json = json + "]";
  return reading;
}

}  // namespace reelbatch
