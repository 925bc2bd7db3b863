#include "jobs/address_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_set>

#include "jobs/address.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/list_literal.h"
#include "jobs/plain_text.h"
#include "jobs/reso_media.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr int kDepthMax = 16;

/// What begins an item. The schemes that are refused are here as well, so that such an item is named and not swallowed
/// by the address before it.
constexpr std::array<std::string_view, 9> kStarts{
    "https://", "http://", "//", "www.", "data:", "file:", "ftp://", "javascript:", "blob:"};
/// The longest one that is sent: a colon behind it belongs to no scheme at the front.
constexpr std::string_view kScheme = "https:";
constexpr std::string_view kSeparators = "|;, \t\r\n\v\f";
constexpr std::string_view kQuotes = "\"'<>";
constexpr std::string_view kEdges = "|;,\"'<>#";
constexpr std::string_view kNameEdges = "|;,\"'<>";  // `#1.jpg` is a name of its own
/// The one member of an object around an address that stands between separators which were given: no text to split.
constexpr std::string_view kWhole = "whole";
/// Members of an object that are its address, or the list that it is around. Such an object may have an address of its
/// own that is the listing's page, so lists come first.
constexpr std::array<std::string_view, 9> kAddressMembers{"images",   "photos", "url",      "src", "href",
                                                          "MediaURL", "image",  "original", "full"};
/// An ending as a number, in lower case, to compare it at once.
constexpr std::uint64_t packed(std::string_view ending) {
  std::uint64_t number = 0;
  for (const char c : ending) {
    number = number << 8U | static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return number;
}

constexpr std::size_t kEndingMax = 8;

template <std::size_t N>
constexpr std::array<std::uint64_t, N> packed_all(const std::array<std::string_view, N>& endings) {
  std::array<std::uint64_t, N> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = packed(endings[i]);
  return all;
}

constexpr std::array<std::string_view, 13> kNoPhoto{".pdf", ".mp4", ".mov", ".webm", ".avi",  ".mkv", ".m4v",
                                                    ".wmv", ".mp3", ".wav", ".doc",  ".docx", ".zip"};
constexpr std::array<std::string_view, 8> kPhoto{".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic", ".bmp"};
constexpr auto kNoPhotoEndings = packed_all(kNoPhoto);
constexpr auto kPhotoEndings = packed_all(kPhoto);

/// What begins with the last dot is one of them.
template <std::size_t N>
bool ends_with_one_of(std::string_view text, const std::array<std::uint64_t, N>& endings) {
  std::size_t dot = text.size();
  const std::size_t first = text.size() - std::min(text.size(), kEndingMax);
  while (dot > first && text[dot - 1] != '.') --dot;
  return dot > first && std::find(endings.begin(), endings.end(), packed(text.substr(dot - 1))) != endings.end();
}

std::string_view without_query(std::string_view address) {
  // find_first_of() asks memchr() for every character.
  return address.substr(0, std::min(address.find('?'), address.find('#')));
}

bool ends_in_blank(std::string_view text) {
  for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
    const CodePoint point = code_point_at(text, text.size() - size);
    if (point.valid && point.size == size) return is_blank_point(point.value);
  }
  return false;
}

/// The separators, quotes and blanks around an item.
std::string_view trim_edges(std::string_view text, std::string_view edges = kEdges) {
  for (;;) {
    const std::size_t before = text.size();
    text = trim_blanks(text);
    while (!text.empty() && edges.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    while (!text.empty() && edges.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    text = without_line_break(text);
    if (text.size() == before) return text;
  }
}

// ---- Plain text into items ------------------------------------------------------------------------------------------

/// Newer exports of WooCommerce write a line end as two characters, a backslash and a letter.
bool ends_in_spelt_break(std::string_view text) {
  return text.ends_with("\\n") || text.ends_with("\\r");
}

std::string_view without_spelt_breaks(std::string_view item) {
  for (std::string_view rest = trim_edges(item); ends_in_spelt_break(rest); rest = trim_blanks(rest)) {
    rest.remove_suffix(2);
    item = rest;
  }
  return item;
}

bool starts_item(std::string_view text, std::size_t at) {
  if (std::string_view("hHwW/dDfFjJbB").find(text[at]) == std::string_view::npos) return false;
  const std::string head = ascii_lower(text.substr(at, 12));
  bool known = false;
  for (const std::string_view start : kStarts) known = known || head.starts_with(start);
  if (!known) return false;
  while (at > 0 && std::string_view("\"'<>").find(text[at - 1]) != std::string_view::npos) --at;
  if (at == 0 || kSeparators.find(text[at - 1]) != std::string_view::npos) return true;
  return ends_in_blank(text.substr(0, at)) || ends_in_spelt_break(text.substr(0, at));
}

/// Names that are no addresses have no start to split at: the separator that is there, the least likely in a name
/// first.
std::vector<std::string_view> split_names(std::string_view text) {
  for (const char separator : {'|', '\n', ';', ','}) {
    if (text.find(separator) == std::string_view::npos) continue;
    std::vector<std::string_view> items;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(separator, at), text.size());
      items.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return items;
  }
  return {text};
}

std::vector<std::string_view> split_items(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_item(text, at)) starts.push_back(at);
  }
  if (starts.empty()) return split_names(text);
  std::vector<std::string_view> items = split_names(text.substr(0, starts.front()));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : text.size();
    items.push_back(text.substr(starts[i], end - starts[i]));
  }
  for (std::string_view& item : items) item = without_spelt_breaks(item);
  return items;
}

/// WebToffee's exports write `! alt : a kitchen ! title : ...` after an address.
std::string_view without_caption(std::string_view item) {
  for (std::size_t mark = item.find("! "); mark != std::string_view::npos; mark = item.find("! ", mark + 1)) {
    const std::string_view rest = trim_blanks(item.substr(mark + 2));
    for (const std::string_view name : {"alt", "title", "desc", "caption"}) {
      if (rest.starts_with(name) && trim_blanks(rest.substr(name.size())).starts_with(':')) return item.substr(0, mark);
    }
  }
  return item;
}

/// An item that begins with an address, and what hangs on to it.
struct Parts {
  std::string_view address;
  std::vector<std::string_view> names;  ///< file names and paths: `2.jpg` in `https://host/1.jpg|2.jpg`
  std::string_view caption;             ///< the first of them: feed plugins write `https://host/1.jpg|Kitchen`
};

bool is_photo(std::string_view text) {
  return ends_with_one_of(text, kPhotoEndings);
}

/// The names in what stands between two bars, empty if there are none. Where each part at a separator is a name there
/// are several; else a separator is part of one name, as in `my kitchen, bright.jpg`.
std::vector<std::string_view> names_in(std::string_view text) {
  for (const std::string_view separators : {kSeparators, std::string_view(";,\r\n")}) {
    std::vector<std::string_view> names;
    bool all = true;
    for (std::size_t at = 0; all && at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
      const std::string_view name = trim_edges(text.substr(at, end - at), kNameEdges);
      if (!name.empty()) names.push_back(name);
      all = name.empty() || is_photo(without_query(name));
      at = end + 1;
    }
    if (all) return names;
  }
  const std::string_view name = trim_edges(text, kNameEdges);
  return is_photo(without_query(name)) ? std::vector{name} : std::vector<std::string_view>();
}

/// A query has bars of its own, as in `?w=1|h=2`.
bool goes_on_as_query(std::string_view text) {
  return text.find_first_of("=&") != std::string_view::npos && text.find(' ') == std::string_view::npos &&
         !is_photo(without_query(text).substr(0, text.find('=')));
}

/// Where something else begins behind the address, at a separator that follows the name of a photo, or the end. A bar
/// there always parts two; what else may be part of an address does if the name of a photo follows.
std::size_t end_of_address(std::string_view item, bool only_at_bars) {
  const std::size_t sign = without_query(item).size();
  const bool is_photo_path = is_photo(item.substr(0, sign));
  for (std::size_t from = 0, end = 0; (end = item.find_first_of(kSeparators, from)) < item.size();) {
    const std::size_t next = std::min(item.find_first_not_of(kSeparators, end), item.size());
    const std::string_view run = item.substr(end, next - end);
    const bool follows_photo = is_photo(trim_edges(item.substr(from, end - from)));
    const auto rest_until = [&](std::string_view separators) {
      return trim_edges(item.substr(next, item.find_first_of(separators, next) - next));
    };
    if (run.find('|') != std::string_view::npos) {
      const bool in_query = end > sign;
      const bool parts = in_query ? is_photo_path && !goes_on_as_query(rest_until("|")) : follows_photo;
      if (parts) return end;
    } else if (follows_photo && !only_at_bars) {
      const bool is_sign = run.find_first_of(";,\r\n") != std::string_view::npos;
      const std::string_view name = rest_until(is_sign ? "|;,\r\n" : kSeparators);
      // `, ` parts names, while a comma alone may as well be in the path.
      const std::string_view foreign = is_sign && run.size() > 1 ? "=?&:" : "/=?&:";
      if (name.find_first_of(foreign) == std::string_view::npos && is_photo(name)) {
        if (!names_in(item.substr(end, item.find('|', end) - end)).empty()) return end;
        only_at_bars = true;  // with what else is there it is a path, or no list that could be told apart
      }
    }
    from = next;
  }
  return item.size();
}

Parts parts_of(std::string_view item, bool only_at_bars = false) {
  const std::size_t end = end_of_address(item, only_at_bars);
  if (end == item.size()) return {item, {}, {}};
  Parts parts{trim_edges(item.substr(0, end)), {}, {}};
  for (std::size_t at = end; at < item.size();) {
    const std::size_t bar = std::min(item.find('|', at), item.size());
    const std::string_view text = item.substr(at, bar - at);
    const std::vector<std::string_view> names = names_in(text);
    parts.names.insert(parts.names.end(), names.begin(), names.end());
    if (names.empty() && parts.caption.empty()) parts.caption = trim_edges(text);
    at = bar + 1;
  }
  return parts;
}

/// What stands behind the scheme of an address, also of one that was percent-encoded, once or twice.
constexpr std::array<std::string_view, 3> kSchemeEnds{"://", "%3a%2f%2f", "%253a%252f%252f"};

/// Whether something else begins right behind the name of a photo in the path: an address, at most with signs in
/// between that are no known separators; whatever follows a backslash; or, after a blank, words.
bool is_glued(std::string_view item) {
  constexpr std::string_view kSigns = " !\"$%&'()*+,-:;<=>@[\\]^_`{|}~";
  const std::string path = ascii_lower(without_query(item));
  for (const std::string_view end : kSchemeEnds) {
    for (std::size_t at = path.find(end, kScheme.size()); at != std::string::npos; at = path.find(end, at + 1)) {
      std::size_t begin = at - (path[at - 1] == 's' ? 1 : 0);
      if (begin < 4 || path.compare(begin - 4, 4, "http") != 0) continue;
      begin -= 4;
      const std::size_t last = path.find_last_not_of(kSigns, begin - 1);
      if (last != std::string::npos && is_photo(std::string_view(path).substr(0, last + 1))) return true;
    }
  }
  for (std::size_t at = path.find('\\'); at != std::string::npos; at = path.find('\\', at + 1)) {
    if (is_photo(std::string_view(path).substr(0, at))) return true;
  }
  // Words behind a photo: `1.jpg, Lyon`, `1.jpg (front)`; but `1.jpg (2).jpg` is the name of a copy.
  for (std::size_t at = path.find(' '); at != std::string::npos && !is_photo(path); at = path.find(' ', at + 1)) {
    const std::size_t last = path.find_last_not_of(",;", at - 1);
    if (at > 0 && last != std::string::npos && is_photo(std::string_view(path).substr(0, last + 1))) return true;
  }
  return false;
}

/// Whether an address in its one form names no file.
bool is_host_alone(std::string_view address) {
  const std::size_t end = address.find_first_of("/?#", address.find("//") + 2);
  return end == std::string_view::npos || address.substr(end) == "/";
}

/// WooCommerce writes a comma inside an address as `\,`.
std::string without_escapes(std::string_view item) {
  std::string out;
  for (std::size_t at = 0; at < item.size(); ++at) {
    if (item.substr(at, 2) != "\\,") out.push_back(item[at]);
  }
  return out;
}

/// No scheme and no host in it: the name of a file, or a path.
bool is_bare_name(std::string_view item) {
  return item.find("//") == std::string_view::npos && item.find(':') == std::string_view::npos &&
         !ascii_lower(item.substr(0, 4)).starts_with("www.");
}

/// The address of a file below `base`. In its name `?` and `#` begin nothing; what is encoded stays as it is.
std::string under_base(std::string_view base, std::string_view name) {
  std::string address(base);
  if (!base.ends_with('/')) address += '/';
  for (const char c : name.substr(name.starts_with('/') ? 1 : 0)) {
    if (c == '?' || c == '#') {
      address += c == '?' ? "%3F" : "%23";
    } else {
      address += c;
    }
  }
  return address;
}

/// A bare name that looks like one of a file.
bool is_file_name(std::string_view item) {
  return is_bare_name(item) && (item.find('/') != std::string_view::npos || has_image_name(item));
}

// ---- Items into addresses -------------------------------------------------------------------------------------------

class Collector {
 public:
  Result<void> add_element(JsonElement element, int depth) {
    if (depth > kDepthMax) return usage_error("is nested too deeply to be a list of addresses");
    if (element.is_null()) return {};
    std::string_view text;
    if (!element.get(text)) return add_text_or_list(text, depth);
    simdjson::dom::array array;
    if (!element.get(array)) {
      for (const JsonElement item : in_media_order(array)) {
        if (auto added = add_element(item, depth + 1); !added) return added;
      }
      return {};
    }
    simdjson::dom::object object;
    if (!element.get(object)) return add_object(object, depth);
    return add_item(json_text(element));
  }

  Result<void> add_text(std::string_view text) {
    if (says_nothing(trim_edges(text))) return {};
    for (const std::string_view item : split_items(text)) {
      const std::string_view trimmed = trim_edges(without_caption(item));
      if (is_nothing(trimmed)) continue;
      const Parts parts = parts_of(trimmed);
      if (!parts.caption.empty()) ++captions_;
      if (auto added = add_item(without_escapes(parts.address)); !added) return added;
      for (const std::string_view name : parts.names) {
        if (auto added = add_item(name); !added) return added;
      }
    }
    return {};
  }

  AddressList take() {
    const auto remark = [this](std::size_t count, std::string_view one, std::string_view many) {
      if (count > 0) list_.remarks.push_back(fmt::format(fmt::runtime(count == 1 ? one : many), count));
    };
    remark(duplicates_, "dropped {} duplicate", "dropped {} duplicates");
    remark(other_media_, "dropped {} medium that is no public photo", "dropped {} media that are no public photos");
    remark(without_address_, "dropped {} image without an address", "dropped {} images without an address");
    remark(captions_, "left out {} caption", "left out {} captions");
    remark(entities_, "read &amp; as & in {} address", "read &amp; as & in {} addresses");
    remark(completed_, "put https:// before {} address", "put https:// before {} addresses");
    return std::move(list_);
  }

 private:
  /// One of several cells that are joined may be a list in itself.
  Result<void> add_text_or_list(std::string_view text, int depth) {
    const std::string_view trimmed = trim_edges(text);
    if (!trimmed.starts_with('[') && !trimmed.starts_with('{')) return add_text(text);
    JsonReader reader;
    const Result<JsonElement> list = reader.parse(text);
    return list ? add_element(*list, depth + 1) : add_text(text);
  }

  static bool is_nothing(std::string_view trimmed) { return trimmed.empty() || says_nothing(trimmed); }

  Result<void> add_object(simdjson::dom::object object, int depth) {
    if (is_other_medium(object)) return ++other_media_, Result<void>();
    std::string_view whole;
    if (object.size() == 1 && !object.at_key(kWhole).get(whole)) return add_whole(whole);
    bool is_empty = false;
    for (const std::string_view name : kAddressMembers) {
      JsonElement value;
      if (object.at_key_case_insensitive(name).get(value)) continue;
      std::string_view text;
      const bool says = !value.is_null() && (value.get(text) || !is_nothing(trim_edges(text)));
      if (says) return add_element(value, depth + 1);
      is_empty = true;
    }
    if (is_empty) return ++without_address_, Result<void>();
    return usage_error(
        fmt::format("{} has no address: needs one of the members url, src, href, MediaURL, image, original, full",
                    in_quotes(simdjson::minify(object))));
  }

  /// One address, whatever separators are in it. Only a bar with a caption behind it ends it.
  Result<void> add_whole(std::string_view text) {
    const std::string_view item = trim_edges(text, kQuotes);
    const Parts parts = parts_of(item, true);
    if (!parts.names.empty()) return glued(item);
    if (!parts.caption.empty()) ++captions_;
    return add_item(without_escapes(parts.address));
  }

  static tl::unexpected<Error> glued(std::string_view item) {
    return usage_error(fmt::format(
        "{} is not one address: it goes on behind the name of a photo; put a bar (|) between images", in_quotes(item)));
  }

  Result<void> add_item(std::string_view item) {
    if (is_glued(item)) return glued(item);
    Result<ReadAddress> address = read_address_text(item);
    if (!address && is_file_name(item)) {
      return usage_error(
          fmt::format("{} is not an address; give --media-base, under which file names stand", in_quotes(item)));
    }
    if (!address) return tl::unexpected<Error>(address.error());
    if (is_glued(address->text)) return glued(item);  // its one form has slashes where backslashes were
    if (is_host_alone(address->text)) {
      return usage_error(
          fmt::format("{} is no image: nothing stands behind the host; is it cut short?", in_quotes(item)));
    }
    if (ends_with_one_of(without_query(address->text), kNoPhotoEndings)) {
      list_.remarks.push_back(fmt::format("dropped {}, which is no photo", in_quotes(address->text)));
      return {};
    }
    if (address->had_entity) ++entities_;
    if (address->completed) ++completed_;
    if (!seen_.insert(address->text).second) {
      ++duplicates_;
    } else {
      list_.addresses.push_back(std::move(address->text));
    }
    return {};
  }

  AddressList list_;
  std::unordered_set<std::string> seen_;
  std::size_t duplicates_ = 0;
  std::size_t entities_ = 0;
  std::size_t completed_ = 0;
  std::size_t captions_ = 0;
  std::size_t other_media_ = 0;
  std::size_t without_address_ = 0;
};

Result<AddressList> parse_structured(std::string_view text) {
  JsonReader reader;
  Collector collector;
  Result<JsonElement> json = reader.parse(text);
  bool python = false;
  std::string converted;
  if (!json) {
    Result<std::string> literal = json_of_literal(text);
    if (!literal) return usage_error("looks like JSON but cannot be read: " + literal.error().message);
    converted = std::move(*literal);
    json = reader.parse(converted);
    // What the literal reader takes and JSON does not is malformed UTF-8 or too deep.
    if (!json) return usage_error("looks like a list but cannot be read: " + json.error().message);
    python = true;
  }
  if (auto added = collector.add_element(*json, 0); !added) return tl::unexpected<Error>(added.error());
  AddressList list = collector.take();
  if (python) list.remarks.emplace_back("read as a Python list");
  return list;
}

/// The images of a value as complete_images() has them.
class Completer {
 public:
  Completer(const std::optional<std::string>& separator, std::string_view base) : separator_(separator), base_(base) {}

  /// The images in a text, each as JSON.
  std::vector<std::string> items_of(std::string_view text) const {
    std::vector<std::string> items;
    if (!separator_) {
      for (const std::string_view part : split_items(text)) add_with_names(part, items);
      return items;
    }
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(*separator_, at), text.size());
      add(text.substr(at, end - at), items);
      at = end + separator_->size();
    }
    return items;
  }

  std::string complete_text(std::string_view text) const { return list_of(items_of(text)); }

  /// Of a list, and of what is in it. Members of objects other than their addresses stay as they are: they say what is
  /// a photo, and in which order.
  std::string complete(JsonElement element, int depth) const {
    std::string_view text;
    if (!element.get(text)) return complete_text(text);
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (depth <= kDepthMax && !element.get(array)) {
      std::vector<std::string> items;
      for (const JsonElement item : array) {
        if (item.is_null()) continue;
        if (item.get(text)) {
          items.push_back(complete(item, depth + 1));
        } else {
          for (std::string& one : items_of(text)) items.push_back(std::move(one));
        }
      }
      return list_of(items);
    }
    if (depth > kDepthMax || element.get(object)) return std::string(simdjson::minify(element));
    std::string members;
    for (const auto& [name, value] : object) {
      const bool is_address =
          std::any_of(kAddressMembers.begin(), kAddressMembers.end(),
                      [name = name](std::string_view known) { return ascii_lower(known) == ascii_lower(name); });
      members += members.empty() ? '{' : ',';
      append_json_quoted(members, name);
      members += ':';
      if (!is_address || value.is_null()) {
        members += std::string(simdjson::minify(value));
      } else if (const auto items = value.get(text) ? std::vector<std::string>() : items_of(text); items.size() == 1) {
        members += items[0];
      } else {
        members += complete(value, depth + 1);
      }
    }
    return members.empty() ? "{}" : members + '}';
  }

 private:
  static std::string list_of(const std::vector<std::string>& items) {
    return fmt::format("[{}]", fmt::join(items, ","));
  }

  /// An address, and the names of files that hang on to it.
  void add_with_names(std::string_view item, std::vector<std::string>& items) const {
    const Parts parts = parts_of(trim_edges(without_caption(item)));
    if (base_.empty() || parts.names.empty()) return add(item, items);
    // A caption is counted where the list is read.
    const bool has_caption = !parts.caption.empty();
    add(has_caption ? fmt::format("{}|{}", parts.address, parts.caption) : std::string(parts.address), items);
    for (const std::string_view name : parts.names) add(name, items);
  }

  static bool has_ending(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot != std::string_view::npos && dot + 1 < name.size() && name.size() - dot <= 6 &&
           name.find(' ', dot) == std::string_view::npos;
  }

  /// `no photo yet`: several words, and no ending of a file, with a query or without.
  static bool is_words(std::string_view name) {
    return name.find(' ') != std::string_view::npos && !has_ending(name) &&
           !has_ending(name.substr(0, name.find_first_of("?#")));
  }

  void add(std::string_view item, std::vector<std::string>& items) const {
    const std::string_view own = without_caption(item);
    std::string_view trimmed = trim_edges(own, separator_ ? kQuotes : kEdges);
    if (trimmed.empty() || says_nothing(trimmed)) return;
    const bool is_name = is_bare_name(trimmed);
    if (is_name && !separator_) trimmed = trim_edges(own, kNameEdges);
    // Numbers alone are attachment ids of WordPress, which no file is named after: left to be refused.
    const bool is_file =
        is_name && trimmed.find_first_not_of("0123456789,;| ") != std::string_view::npos && !is_words(trimmed);
    const std::string address = is_file && !base_.empty() ? under_base(base_, trimmed) : std::string(trimmed);
    const bool may_be_split = is_bare_name(address) || is_plain_address(address) || (!separator_ && !is_name);
    const std::string quoted = json_quote(address);
    items.push_back(may_be_split ? quoted : fmt::format("{{\"{}\":{}}}", kWhole, quoted));
  }

  const std::optional<std::string>& separator_;
  std::string_view base_;
};

/// Nearly all addresses of a list that differ do so at their end.
bool is_same_address(std::string_view a, std::string_view b) {
  constexpr std::size_t kEnd = std::string_view("http://a").size();
  return a.size() == b.size() && std::memcmp(a.data() + a.size() - kEnd, b.data() + b.size() - kEnd, kEnd) == 0 &&
         a == b;
}

/// The items between separators.
bool read_plain_items(std::string_view text, std::string_view separator, PlainAddresses& out) {
  out.count = 0;
  PlainAddressReader reader;
  while (true) {
    const std::string_view found = text.substr(0, reader.read(text));
    if (found.empty() || out.count == out.kMost) return false;
    const bool is_usual = found.ends_with(".jpg") && !reader.may_have_signs();
    if (!is_usual && is_host_alone(found)) return false;
    if (!is_usual && ends_with_one_of(without_query(found), kNoPhotoEndings)) return false;
    // The encoded forms have a percent sign and the digit of a colon.
    const bool may_be_glued = found.find(':', kScheme.size()) != std::string_view::npos ||
                              found.find("%3") != std::string_view::npos || found.find("%25") != std::string_view::npos;
    if (may_be_glued && is_glued(found)) return false;
    const auto known = out.items.begin() + static_cast<std::ptrdiff_t>(out.count);
    if (std::any_of(out.items.begin(), known, [&](std::string_view one) { return is_same_address(one, found); }))
      return false;
    out.items[out.count++] = found;
    text.remove_prefix(found.size());
    if (text.empty()) return true;
    if (!text.starts_with(separator)) return false;
    text.remove_prefix(separator.size());
  }
}

}  // namespace

bool has_image_name(std::string_view text) {
  const std::string lower = ascii_lower(text.substr(0, 4096));
  return std::any_of(kPhoto.begin(), kPhoto.end(),
                     [&](std::string_view ending) { return lower.find(ending) != std::string::npos; });
}

Result<std::string> complete_images(const RawValue& value, const std::optional<std::string>& separator,
                                    std::string_view base) {
  const Completer completer(separator, base);
  const std::string_view text = trim_blanks(value.text);
  const bool is_json = value.form == RawValue::Form::Json;
  if (!is_json && !text.starts_with('[') && !text.starts_with('{')) return completer.complete_text(text);
  JsonReader reader;
  if (const Result<JsonElement> json = reader.parse(text)) return completer.complete(*json, 0);
  const Result<std::string> literal = json_of_literal(text);
  // A file name may begin with a bracket as well; without a separator a list is what it looks like.
  if (!literal && !is_json && separator) return completer.complete_text(text);
  if (!literal) return usage_error("looks like JSON but cannot be read: " + literal.error().message);
  const Result<JsonElement> json = reader.parse(*literal);
  if (!json) return usage_error("looks like a list but cannot be read: " + json.error().message);
  return completer.complete(*json, 0);
}

bool read_plain_addresses(RawValue::Form form, std::string_view text, PlainAddresses& out) {
  if (form == RawValue::Form::Text) return read_plain_items(text, "|", out);
  const bool is_list = text.size() > 4 && text.starts_with("[\"") && text.ends_with("\"]");
  return is_list && read_plain_items(text.substr(2, text.size() - 4), "\",\"", out);
}

Result<AddressList> parse_address_list(const RawValue& value) {
  const std::string_view text = trim_blanks(value.text);
  if (!is_utf8(text)) return usage_error("is not valid UTF-8");
  const bool structured = value.form == RawValue::Form::Json || text.starts_with('[') || text.starts_with('{');
  if (structured && !text.empty()) return parse_structured(text);
  Collector collector;
  if (auto added = collector.add_text(text); !added) return tl::unexpected<Error>(added.error());
  return collector.take();
}

}  // namespace reelbatch
