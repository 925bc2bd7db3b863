#include "jobs/html_text.h"

#include <algorithm>
#include <array>
#include <optional>

#include "jobs/html_entities.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Of which nothing is said.
constexpr std::array<std::string_view, 7> kSilent{"script", "style", "head", "noscript", "button", "svg", "iframe"};
/// Paragraphs of their own.
constexpr std::array<std::string_view, 9> kParagraphs{"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "tr"};
/// Lines of their own.
constexpr std::array<std::string_view, 28> kLines{
    "ul",      "ol",         "dl",   "dt",   "dd",     "table",    "thead",  "tbody",     "tfoot", "caption",
    "section", "article",    "nav",  "main", "header", "footer",   "aside",  "address",   "pre",   "hr",
    "figure",  "figcaption", "form", "body", "html",   "fieldset", "option", "blockquote"};

constexpr std::string_view kCdata = "<![CDATA[";

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct Tag {
  std::string name;  ///< in lower case; empty for one of no known length
  bool closing = false;
  bool empty = false;   ///< `<br/>`
  std::size_t end = 0;  ///< behind its `>`
};

class HtmlReader {
 public:
  HtmlReader(std::string_view text, bool decode) : text_(text), decode_(decode) {}

  HtmlText read() {
    while (at_ < text_.size()) {
      const std::size_t marked = find_first_of(in_cdata_ ? "<&]" : "<&", at_);
      put(text_.substr(at_, marked - at_));
      at_ = marked;
      if (at_ == text_.size() || take_markup() || take_entity() || take_cdata_end()) continue;
      put(text_.substr(at_++, 1));
    }
    return std::move(out_);
  }

 private:
  // ---- What is looked for, and counted. The size of the text if it is not there. ----

  std::size_t count(std::size_t from, std::size_t found) {
    const std::size_t end = std::min(found, text_.size());
    out_.work += end - from + 1;
    return end;
  }
  std::size_t find(std::string_view what, std::size_t from) { return count(from, text_.find(what, from)); }
  std::size_t find_first_of(std::string_view what, std::size_t from) {
    return count(from, text_.find_first_of(what, from));
  }
  bool looking_at(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  char char_at(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // ---- What comes out ----

  void put(std::string_view run) {
    if (bullet_) {
      while (!run.empty() && is_space(run.front())) run.remove_prefix(1);
      if (run.empty()) return;
      out_.text += "- ";
      bullet_ = false;
    }
    out_.text += run;
    const auto is_end = [](char c) { return c == '\n'; };
    const std::string_view blanks = run.substr(run.find_last_not_of(" \t\n\r\f") + 1);
    const auto ends = static_cast<std::size_t>(std::count_if(blanks.begin(), blanks.end(), is_end));
    lines_ = ends + (blanks.size() == run.size() ? lines_ : 0);
    out_.work += blanks.size();
  }

  /// Ends the line, and leaves an empty one with `lines` 2, unless there is enough of that already; but not between a
  /// bullet and its text. The line end in the source that may follow is the same one.
  void end_line(std::size_t lines) {
    while (!bullet_ && lines_ < lines) put("\n");
    std::size_t end = at_;
    while (char_at(end) == ' ' || char_at(end) == '\t') ++end;
    out_.work += end - at_ + 1;
    if (char_at(end) == '\r') at_ = ++end;
    if (char_at(end) == '\n') at_ = end + 1;
  }

  void take_until_end(std::string_view opened) {
    out_.left_open = opened;
    at_ = text_.size();
  }

  // ---- Tags ----

  bool take_markup() {
    if (text_[at_] != '<') return false;
    if (looking_at("<!--")) {
      const std::size_t end = find("-->", at_ + 4);
      if (end == text_.size()) return take_until_end("<!--"), true;
      at_ = end + 3;
      return true;
    }
    if (looking_at(kCdata)) {
      at_ += kCdata.size();
      in_cdata_ = true;
      return true;
    }
    if ((char_at(at_ + 1) == '!' || char_at(at_ + 1) == '?') && is_letter(char_at(at_ + 2))) {
      const std::size_t end = find_first_of("<>", at_ + 1);
      if (char_at(end) != '>') return false;
      at_ = end + 1;
      return true;
    }
    const std::optional<Tag> tag = tag_at(at_);
    if (!tag) return false;
    at_ = tag->end;
    if (is_one_of(tag->name, kSilent)) {
      if (!tag->closing && !tag->empty) drop_element(*tag);
    } else {
      obey(*tag);
    }
    return true;
  }

  void obey(const Tag& tag) {
    if (tag.name == "br") {
      put("\n");
      end_line(0);
    } else if (tag.name == "li") {
      end_line(1);
      bullet_ = !tag.closing;
    } else if (tag.name == "td" || tag.name == "th") {
      put(" ");
    } else if (is_one_of(tag.name, kParagraphs)) {
      end_line(2);
    } else if (is_one_of(tag.name, kLines)) {
      end_line(1);
    }
  }

  /// Goes on behind the element. Only drawings have elements of their own name in them.
  void drop_element(const Tag& open) {
    int depth = 1;
    while (true) {
      at_ = find("<", at_);
      if (at_ == text_.size()) return take_until_end("<" + open.name + ">");
      const bool closing = char_at(at_ + 1) == '/';
      const std::size_t name = at_ + (closing ? 2 : 1);
      const bool same = ascii_lower(text_.substr(name, open.name.size())) == open.name &&
                        !is_name_char(char_at(name + open.name.size()));
      if (same && closing) {
        at_ = std::min(find(">", name) + 1, text_.size());
        if (--depth == 0) return;
        continue;
      }
      const std::optional<Tag> inner = same && open.name == "svg" ? tag_at(at_) : std::nullopt;
      if (inner && !inner->empty) ++depth;
      at_ = inner ? inner->end : at_ + 1;
    }
  }

  std::optional<Tag> tag_at(std::size_t at) {
    Tag tag;
    std::size_t end = at + 1;
    if (char_at(end) == '/') {
      tag.closing = true;
      ++end;
    }
    const std::size_t begin = end;
    if (!is_letter(char_at(end))) return std::nullopt;
    // The names of Word and of XML have a prefix: `o:p`.
    while (is_name_char(char_at(end)) || (char_at(end) == ':' && is_letter(char_at(end + 1)))) ++end;
    out_.work += end - at;
    const char next = char_at(end);
    if (next != '>' && next != '/' && !is_space(next)) return std::nullopt;
    constexpr std::size_t kNameMax = 16;
    if (end - begin <= kNameMax) tag.name = ascii_lower(text_.substr(begin, end - begin));
    const std::size_t close = tag_end(end);
    if (close == text_.size()) return std::nullopt;
    tag.empty = text_[close - 1] == '/';
    tag.end = close + 1;
    return tag;
  }

  /// Where the `>` is that ends a tag, which one in a quoted value does not. A `<` outside of quotes shows that it was
  /// no tag. Where quotes lead nowhere, they are left out of account up to there, so that nothing is looked at again
  /// and again.
  std::size_t tag_end(std::size_t from) {
    if (from >= quotes_count_from_) {
      char quote = '\0';
      bool after_equals = false;
      std::size_t at = from;
      for (; at < text_.size(); ++at) {
        const char c = text_[at];
        if (quote != '\0') {
          if (c == quote) quote = '\0';
          continue;
        }
        if (c == '<' || c == '>') break;
        if (after_equals && (c == '"' || c == '\'')) quote = c;
        if (!is_space(c)) after_equals = c == '=';
      }
      out_.work += at - from + 1;
      if (at < text_.size() && text_[at] == '>') return at;
      quotes_count_from_ = at;
    }
    const std::size_t end = find_first_of("<>", from);
    return char_at(end) == '>' ? end : text_.size();
  }

  // ---- The rest ----

  bool take_entity() {
    if (!decode_ || text_[at_] != '&') return false;
    const EntityRead entity = read_entity(text_.substr(at_));
    if (entity.size == 0) return false;
    std::string character;
    append_code_point(character, entity.point);
    put(character);
    at_ += entity.size;
    out_.decoded = true;
    return true;
  }

  bool take_cdata_end() {
    if (!in_cdata_ || !looking_at("]]>")) return false;
    at_ += 3;
    in_cdata_ = false;
    return true;
  }

  std::string_view text_;
  bool decode_;
  std::size_t at_ = 0;
  HtmlText out_;
  std::size_t lines_ = 0;  ///< ended since the last character that is no blank
  bool bullet_ = false;    ///< due in front of the next text
  bool in_cdata_ = false;
  std::size_t quotes_count_from_ = 0;
};

}  // namespace

HtmlText read_html(std::string_view text, bool decode) {
  return HtmlReader(text, decode).read();
}

}  // namespace reelbatch
