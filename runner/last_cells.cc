#include "runner/last_cells.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "jobs/address_list.h"
#include "jobs/html_entities.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kFormMin = 3;    ///< so many cells show what a column's addresses are like
constexpr std::size_t kHabitMin = 10;  ///< so many show a habit, such as a full stop or a length
constexpr std::size_t kEndingsMax = 3;
constexpr std::string_view kSign = "a sign";

bool is_address(std::string_view text) {
  const std::string start = ascii_lower(text.substr(0, 8));
  return start.starts_with("http://") || start.starts_with("https://") || start.starts_with("//");
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80U;
}

/// Whether it is the beginning of a tag of descriptions, its name perhaps in part.
bool begins_tag(std::string_view text) {
  constexpr std::array<std::string_view, 26> kTags{"a",    "b",      "br",    "div", "em",  "font", "h1", "h2", "h3",
                                                   "h4",   "h5",     "h6",    "i",   "img", "li",   "ol", "p",  "small",
                                                   "span", "strong", "table", "td",  "th",  "tr",   "u",  "ul"};
  const std::size_t front = text.starts_with("</") ? 2 : 1;
  const std::size_t end = std::min(text.find_first_of(" \t\r\n/", front), text.size());
  const std::string name = ascii_lower(text.substr(front, end - front));
  if (name.empty()) return front == 2;
  return std::any_of(kTags.begin(), kTags.end(),
                     [&](std::string_view tag) { return end == text.size() ? tag.starts_with(name) : tag == name; });
}

/// A tag or a character reference that the text ends in, as `</p` and `&eacut`; empty if there is none.
std::string_view open_markup(std::string_view text) {
  constexpr std::size_t kTagMax = 200;
  const std::size_t tag = text.find_last_of("<>");
  if (tag != std::string_view::npos && text[tag] == '<' && text.size() - tag <= kTagMax && begins_tag(text.substr(tag)))
    return text.substr(tag);
  const std::size_t reference = text.rfind('&');
  return reference != std::string_view::npos && is_cut_entity(text.substr(reference)) ? text.substr(reference)
                                                                                      : std::string_view();
}

/// Signs beyond ASCII that close a sentence or a quotation.
bool ends_with_wide_sign(std::string_view text) {
  constexpr std::array<std::string_view, 9> kSigns{"…", "»", "”", "’", "“", "。", "！", "？", "€"};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) { return text.ends_with(sign); });
}

/// What stands behind `//`: the host of an address, and its port.
std::string host_at(std::string_view text, std::size_t slashes) {
  text.remove_prefix(slashes + 2);
  return ascii_lower(text.substr(0, text.find_first_of("/?# |,;")));
}

/// Whether all of a query's parts have a name and a value, and no character that is written as `%41` is cut.
bool is_whole_query(std::string_view query) {
  if (query.rfind('%') != std::string_view::npos && query.size() - query.rfind('%') < 3) return false;
  while (true) {
    const std::string_view part = query.substr(0, query.find('&'));
    const std::size_t equals = part.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == part.size()) return false;
    if (part.size() == query.size()) return true;
    query.remove_prefix(part.size() + 1);
  }
}

}  // namespace

std::string LastCells::ending_of(std::string_view text) {
  // What goes on is no end of anything.
  constexpr std::string_view kGoesOn = " ,-/&=?#_%+";
  if (text.empty()) return {};
  if (ends_with_wide_sign(text)) return std::string(kSign);
  if (!is_letter_or_digit(text.back())) {
    return kGoesOn.find(text.back()) == std::string_view::npos ? std::string(kSign) : std::string();
  }
  if (!is_address(text)) return {};
  text = text.substr(0, text.find_first_of("?#"));  // a query behind a name says that the name is whole
  const std::size_t dot = text.find_last_of("./");
  const bool is_name = text[dot] == '.' && text.size() - dot <= 5 && text.find('/', 8) < dot;
  return is_name ? ascii_lower(text.substr(dot)) : std::string();
}

/// Whether a text that ends so may have gone on to end as the others do. One that ends with another image name need
/// not.
bool LastCells::may_be_cut(const std::string& ending) const {
  return !endings_.contains(ending) && !(ending.starts_with('.') && has_image_name(ending));
}

/// Whether it ends with an address of a host that no other cell has, and with a whole query: those say nothing of how
/// it should end.
bool LastCells::is_of_another_form(std::string_view text) const {
  const std::size_t slashes = text.rfind("//");
  const std::size_t query = text.rfind('?');
  return slashes != std::string_view::npos && query != std::string_view::npos && slashes < query &&
         !hosts_.contains(host_at(text, slashes)) && is_whole_query(text.substr(query + 1));
}

void LastCells::learn(std::string_view cell) {
  ++seen_;
  const std::string_view text = trim(cell);
  if (text.empty()) return;
  ++filled_;
  if (is_address(text)) ++addresses_;
  endings_.insert(ending_of(text));
  for (std::size_t at = text.find("//"); at != std::string_view::npos; at = text.find("//", at + 2))
    hosts_.insert(host_at(text, at));
  shortest_ = std::min(shortest_, text.size());
  longest_ = std::max(longest_, text.size());
}

std::string LastCells::message(std::string_view why) {
  return fmt::format(
      "the last record looks incomplete: the file ends in this cell without a line end, and {}; is the file still "
      "being written? If the row is whole, end its line with a line break",
      why);
}

std::string LastCells::why_cut(std::string_view cell) const {
  const std::string_view text = trim(cell);
  if (text.empty()) return {};  // a listing with a photo fewer, more likely than not
  if (const std::string_view open = open_markup(text); !open.empty())
    return fmt::format("'{}' in it is not closed", printable(open, 40));
  if (filled_ < kFormMin) return {};
  const std::string shown = printable(text.substr(text.size() - std::min<std::size_t>(text.size(), 12)), 40);
  if (addresses_ == filled_ && !is_address(text)) return fmt::format("'{}' is no address, and all others are", shown);
  if (is_address(text) && is_of_another_form(text)) return {};
  if (!endings_.contains({}) && endings_.size() <= kEndingsMax) {
    const bool enough = filled_ >= kHabitMin || !endings_.contains(std::string(kSign));
    if (!enough || !may_be_cut(ending_of(text))) return {};
    return fmt::format("it ends with '{}', and all others with {}", shown, fmt::join(endings_, " or "));
  }
  // Cells of about one length, as the addresses of one program are. 99 comes before 100 and may come behind it, but no
  // number that begins with another digit does.
  const bool is_number = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool may_come_before = is_number && (text.size() + 1 == shortest_ ? text[0] == '9' : shortest_ != longest_);
  if (!may_come_before && filled_ >= kHabitMin && 4 * longest_ <= 5 * shortest_ && text.size() < shortest_)
    return fmt::format("it has {} bytes, and no other one less than {}", text.size(), shortest_);
  return {};
}

}  // namespace reelbatch
