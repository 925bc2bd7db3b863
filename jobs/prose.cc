#include "jobs/prose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "jobs/address.h"
#include "jobs/contacts.h"
#include "jobs/html_text.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/mojibake.h"
#include "jobs/plain_text.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

// ---- Line ends that are spelt out -----------------------------------------------------------------------------------

std::string with_real_line_ends(std::string_view text) {
  std::string out;
  if (text.find_first_of("\r\n") != std::string_view::npos || text.find("\\n") == std::string_view::npos) {
    return out = text;
  }
  for (std::size_t at = 0; at < text.size();) {
    const bool with_return = text.substr(at, 4) == "\\r\\n";
    const bool is_end = with_return || text.substr(at, 2) == "\\n";
    out += is_end ? '\n' : text[at];
    at += with_return ? 4 : is_end ? 2 : 1;
  }
  return out;
}

// ---- Shortcodes -----------------------------------------------------------------------------------------------------

/// Of page builders, whose shortcodes stand for blocks.
constexpr std::array<std::string_view, 6> kBuilders{"vc_", "et_pb_", "fusion_", "av_", "mk_", "rev_"};
constexpr std::array<std::string_view, 6> kShortcodes{"gallery",  "caption", "embed",
                                                      "playlist", "wpforms", "contact-form-7"};

bool is_builder(std::string_view name) {
  return std::any_of(kBuilders.begin(), kBuilders.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

std::size_t shortcode_name(std::string_view inside) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  constexpr std::size_t kNameMax = 64;
  if (inside.empty() || inside[0] < 'a' || inside[0] > 'z') return 0;
  std::size_t size = 1;
  while (size < inside.size() && fits(inside[size])) ++size;
  return size > kNameMax ? 0 : size;
}

/// `key="value"`, in straight or in typographic quotes.
bool has_attribute(std::string_view rest) {
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  const std::string_view value = rest.substr(equals + 1);
  const std::string_view key = trim_blanks(rest.substr(0, equals));
  return shortcode_name(key) == key.size() &&
         (value.starts_with('"') || value.starts_with('\'') || value.starts_with("“") || value.starts_with("”") ||
          value.starts_with("″"));
}

class ShortcodeReader {
 public:
  explicit ShortcodeReader(std::string_view text) : text_(text) {}

  /// Without shortcodes. As in WordPress, there are no brackets inside of one.
  std::string read() {
    collect_closings();
    std::string out;
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t open = std::min(text_.find('[', at), text_.size());
      out += text_.substr(at, open - at);
      at = open;
      if (at == text_.size()) break;
      const std::size_t end = text_.find_first_of("[]", at + 1);
      const bool closed = end != std::string_view::npos && text_[end] == ']';
      const std::size_t stop = closed ? end + 1 : std::min(end, text_.size());
      const std::string_view whole = text_.substr(at, stop - at);
      const std::string_view name = closed ? name_in(whole) : std::string_view{};
      if (name.empty()) {
        out += whole;
      } else {
        if (is_builder(name)) out += '\n';
        if (count_++ == 0) first_ = whole;
      }
      at = stop;
    }
    return out;
  }

  std::size_t count() const { return count_; }
  std::string_view first() const { return first_; }

 private:
  void collect_closings() {
    for (std::size_t at = text_.find("[/"); at != std::string_view::npos; at = text_.find("[/", at + 2)) {
      const std::string_view inside = text_.substr(at + 2, 80);
      const std::size_t size = shortcode_name(inside);
      // Shorter ones are those of bulletin boards: [b], [/i].
      if (size >= 3 && size < inside.size() && inside[size] == ']') closings_.insert(inside.substr(0, size));
    }
  }

  /// Of `[name ...]` or `[/name]` if that is a shortcode, else empty.
  std::string_view name_in(std::string_view whole) const {
    std::string_view inside = whole.substr(1, whole.size() - 2);
    const bool closing = inside.starts_with('/');
    if (closing) inside.remove_prefix(1);
    const std::string_view name = inside.substr(0, shortcode_name(inside));
    const std::string_view rest = inside.substr(name.size());
    if (name.empty() || (!rest.empty() && rest[0] != ' ' && rest[0] != '\n' && rest[0] != '/')) return {};
    const bool known = is_builder(name) || closings_.contains(name) ||
                       std::find(kShortcodes.begin(), kShortcodes.end(), name) != kShortcodes.end();
    const bool bare = rest.find_first_not_of(" /\n") == std::string_view::npos;
    const bool has_values = known ? rest.find('=') != std::string_view::npos : has_attribute(rest);
    return (known && bare) || (!closing && has_values) ? name : std::string_view{};
  }

  std::string_view text_;
  std::unordered_set<std::string_view> closings_;
  std::size_t count_ = 0;
  std::string_view first_;
};

// ---- Characters and blanks ------------------------------------------------------------------------------------------

/// Without width, or only there to turn the direction of writing.
bool is_invisible(char32_t point) {
  return point == 0xAD || point == 0x200B || point == 0x200E || point == 0x200F || point == 0xFEFF ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F);
}

/// Joins or parts letters: part of the spelling beyond Latin, and of many emoji.
bool is_joiner(char32_t point) {
  return point == 0x200C || point == 0x200D;
}

class Tidier {
 public:
  std::string tidy(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at;
      while (end < text.size() && text[end] > ' ' && text[end] < 0x7F) ++end;
      if (end > at) {
        put_blanks();
        out_ += text.substr(at, end - at);
        last_ = static_cast<unsigned char>(text[end - 1]);
        at = end;
        continue;
      }
      const CodePoint point = code_point_at(text, at);
      at += point.size;
      if (point.value == '\r' && at < text.size() && text[at] == '\n') continue;
      take(point.value);
    }
    return std::string(trim_blanks(out_));
  }

  std::size_t dropped = 0, repaired = 0, lost = 0;

 private:
  void take(char32_t point) {
    if (point == '\r' || point == '\n' || point == 0x2028 || point == 0x2029) {
      lines_due_ = std::min(lines_due_ + 1, 2);
    } else if (point == ' ' || point == '\t' || point == 0xA0 || point == 0x202F) {
      space_due_ = true;
    } else if (const char32_t meant = windows_1252_meaning(point); meant != 0) {
      ++repaired;
      put(meant);
    } else if (is_control_point(point)) {
      ++dropped;
    } else if (!is_invisible(point) && (!is_joiner(point) || last_ >= kBeyondLatin)) {
      lost += point == 0xFFFD ? 1 : 0;
      put(point);
    }
  }

  void put(char32_t point) {
    put_blanks();
    append_code_point(out_, point);
    last_ = point;
  }

  /// Those that are due, before what follows.
  void put_blanks() {
    if (!out_.empty()) {
      if (lines_due_ > 0) {
        out_.append(static_cast<std::size_t>(lines_due_), '\n');
      } else if (space_due_) {
        out_ += ' ';
      }
    }
    lines_due_ = 0;
    space_due_ = false;
  }

  static constexpr char32_t kBeyondLatin = 0x300;

  std::string out_;
  int lines_due_ = 0;
  bool space_due_ = false;
  char32_t last_ = 0;
};

/// Both passes over character references, and markup that came to light by either.
std::string without_markup(std::string text, Prose& prose) {
  constexpr int kDecodings = 2;
  std::string left_open;
  for (int pass = 0; pass <= kDecodings; ++pass) {
    HtmlText html = read_html(text, pass < kDecodings);
    prose.work += html.work;
    if (left_open.empty()) left_open = html.left_open;
    text = std::move(html.text);
    if (!html.decoded) break;
  }
  if (!left_open.empty()) {
    prose.remarks.push_back(fmt::format("left out all that follows {}, which is never closed", in_quotes(left_open)));
  }
  return text;
}

std::string without_shortcodes(std::string text, Prose& prose) {
  if (text.find('[') == std::string::npos) return text;
  ShortcodeReader reader(text);
  std::string out = reader.read();
  if (reader.count() > 0) {
    prose.remarks.push_back(
        fmt::format("left out {} WordPress shortcode(s), such as {}", reader.count(), in_quotes(reader.first())));
  }
  return out;
}

}  // namespace

Prose read_prose_text(std::string_view text, const ProseOptions& options) {
  Prose prose;
  std::string raw = without_shortcodes(without_markup(with_real_line_ends(text), prose), prose);
  const Mojibake mojibake = find_mojibake(raw);
  if (mojibake.count > 0 && options.repair_mojibake) {
    raw = repair_mojibake(raw);
    prose.remarks.push_back(fmt::format("repaired {} character(s) that were read in the wrong encoding, such as {}",
                                        mojibake.count, in_quotes(mojibake.mangled)));
  } else if (mojibake.count > 0) {
    prose.remarks.push_back(
        fmt::format("has {} character(s) that were read in the wrong encoding, such as {} for {}: sent as they stand; "
                    "--repair-mojibake mends them",
                    mojibake.count, in_quotes(mojibake.mangled), in_quotes(mojibake.meant)));
  }
  Tidier tidier;
  prose.text = tidier.tidy(raw);
  if (tidier.dropped > 0) prose.remarks.push_back(fmt::format("dropped {} control character(s)", tidier.dropped));
  if (tidier.repaired > 0) {
    prose.remarks.push_back(fmt::format("read {} character(s) as windows-1252", tidier.repaired));
  }
  if (tidier.lost > 0) {
    prose.remarks.push_back(
        fmt::format("has {} character(s) that were lost before this file was written (U+FFFD)", tidier.lost));
  }
  if (options.strip_contacts) {
    const WithoutContacts stripped = strip_contacts(prose.text);
    if (stripped.count > 0) {
      prose.text = Tidier().tidy(stripped.text);
      prose.remarks.push_back(fmt::format("left out {} telephone number(s) and address(es)", stripped.count));
    }
  }
  return prose;
}

// ---- Options that go with a text ------------------------------------------------------------------------------------

namespace {
constexpr std::string_view kText = "prose", kContacts = "strip_contacts", kMojibake = "repair_mojibake";
}

bool is_only_markup(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || std::string_view("<&[").find(text[start]) == std::string_view::npos)
    return false;
  // What stands in a paragraph is in front of its end: nearly all texts show a word within a few tags.
  constexpr std::size_t kLook = 1000;
  if (text.size() > kLook && is_utf8(text.substr(0, kLook)) && !read_prose_text(text.substr(0, kLook)).text.empty())
    return false;
  return is_utf8(text) && read_prose_text(text).text.empty();
}

std::string prose_with_options(std::string_view text, const ProseOptions& options) {
  std::string json = fmt::format("{{\"{}\":", kText);
  append_json_quoted(json, text);
  if (options.strip_contacts) json += fmt::format(",\"{}\":true", kContacts);
  if (options.repair_mojibake) json += fmt::format(",\"{}\":true", kMojibake);
  return json + '}';
}

std::optional<ProseRequest> read_prose_with_options(std::string_view json) {
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(json);
  simdjson::dom::object members;
  if (!root || root->get(members)) return std::nullopt;
  ProseRequest request;
  bool has_text = false;
  for (const auto member : members) {
    std::string_view text;
    bool on = false;
    if (member.key == kText && !member.value.get(text)) {
      request.text = text;
      has_text = true;
    } else if (member.key == kContacts && !member.value.get(on)) {
      request.options.strip_contacts = on;
    } else if (member.key == kMojibake && !member.value.get(on)) {
      request.options.repair_mojibake = on;
    } else {
      return std::nullopt;
    }
  }
  return has_text ? std::optional(std::move(request)) : std::nullopt;
}

}  // namespace reelbatch
