#include "jobs/service_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "jobs/http_rules.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr int kDepthMax = 6;
constexpr std::size_t kTextsMax = 20;
constexpr std::size_t kPointsMax = 300;

// ---- Words out of a body --------------------------------------------------------------------------------------------

/// What a text belongs to when an error is an object: the names that validators use for it.
std::string field_of(simdjson::dom::object object) {
  for (const std::string_view name : {"field", "param", "path", "loc", "property"}) {
    simdjson::dom::element value;
    if (object.at_key(name).get(value)) continue;
    std::string_view text;
    if (!value.get(text)) return std::string(text);
    simdjson::dom::array parts;
    if (value.get(parts)) continue;
    std::string joined;
    for (const simdjson::dom::element part : parts) {
      std::string_view piece;
      const std::string step = part.get(piece) ? json_text(part) : std::string(piece);
      joined += joined.empty() ? step : "." + step;
    }
    return joined;
  }
  return {};
}

class Texts {
 public:
  void read(JsonElement element, const std::string& field, int depth) {
    if (depth > kDepthMax) return;
    std::string_view text;
    if (!element.get(text)) return add(text, field);
    simdjson::dom::array array;
    if (!element.get(array)) {
      for (const JsonElement item : array) read(item, field, depth + 1);
      return;
    }
    simdjson::dom::object object;
    if (!element.get(object)) read_object(object, field, depth);
  }

  std::string joined() const { return fmt::format("{}", fmt::join(texts_, "; ")); }

 private:
  void read_object(simdjson::dom::object object, const std::string& outer, int depth) {
    const std::string own = field_of(object);
    const std::string& field = own.empty() ? outer : own;
    const std::size_t before = texts_.size();
    for (const std::string_view name : {"message", "msg", "error", "detail", "errors"}) {
      JsonElement value;
      if (!object.at_key(name).get(value)) read(value, field, depth + 1);
    }
    if (texts_.size() > before) return;
    // A map from a field's name to what is wrong with it, as Django and others send.
    for (const auto& [name, value] : object) {
      const bool general = name == "non_field_errors" || name == "_errors" || name == "fieldErrors";
      read(value, general ? field : std::string(name), depth + 1);
    }
  }

  void add(std::string_view text, const std::string& field) {
    text = trim_blanks(text);
    if (text.empty() || texts_.size() >= kTextsMax) return;
    std::string entry = field.empty() ? std::string(text) : fmt::format("{}: {}", field, text);
    if (std::find(texts_.begin(), texts_.end(), entry) == texts_.end()) texts_.push_back(std::move(entry));
  }

  std::vector<std::string> texts_;
};

bool is_html(std::string_view body) {
  const std::string start = ascii_lower(trim_blanks(body).substr(0, 512));
  return start.starts_with('<') || start.find("<html") != std::string::npos;
}

// ---- No credits -----------------------------------------------------------------------------------------------------

/// Lower case without the accents that French words for it carry. Anything but letters and digits ends a word; what
/// ends a clause becomes a word of its own, `.`, so that words of two clauses never meet.
class Words {
 public:
  explicit Words(std::string_view text) {
    char32_t before = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      at += point.size;
      take(point.value, before);
      before = point.value;
    }
    end_word();
  }

  std::vector<std::string> list;

 private:
  static bool is_upper(char32_t c) { return c >= 'A' && c <= 'Z'; }
  static bool is_lower(char32_t c) { return c >= 'a' && c <= 'z'; }

  void take(char32_t c, char32_t before) {
    if (is_upper(c) && is_lower(before)) end_word();  // insufficientCredits
    if (is_upper(c)) c += 'a' - 'A';
    if (c >= 0xE8 && c <= 0xEB) c = 'e';
    if (c >= 0xC8 && c <= 0xCB) c = 'e';
    if (is_lower(c) || (c >= '0' && c <= '9')) {
      word_.push_back(static_cast<char>(c));
      return;
    }
    end_word();
    if (c == '.' || c == ';' || c == ',' || c == ':' || c == '\n' || c == '(') list.emplace_back(".");
  }

  void end_word() {
    if (!word_.empty()) list.push_back(word_);
    word_.clear();
  }

  std::string word_;
};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

using Phrase = std::array<std::string_view, 2>;  // the second may be empty

constexpr std::array<std::string_view, 2> kCredit{"credit", "credits"};
constexpr std::array<std::string_view, 4> kPurse{"credit", "credits", "balance", "solde"};
/// What may stand between the lack and the credits.
constexpr std::array<std::string_view, 20> kBetween{
    "video", "photo", "api", "account", "remaining", "available", "more",   "enough",  "any",        "of",
    "the",   "your",  "de",  "votre",   "credits",   "left",      "credit", "balance", "generation", "assez"};
constexpr std::array<std::string_view, 18> kAfter{"is",   "are", "balance", "limit",   "has",      "have",
                                                  "been", "was", "were",    "account", "left",     "video",
                                                  "sont", "est", "ont",     "ete",     "restants", "now"};
/// `insufficient credits`: before them, perhaps with words of kBetween in the middle.
constexpr std::array<Phrase, 17> kLackBefore{{{"insufficient", ""},
                                              {"not", "enough"},
                                              {"no", "more"},
                                              {"no", "remaining"},
                                              {"no", "available"},
                                              {"out", "of"},
                                              {"lack", "of"},
                                              {"lacks", ""},
                                              {"need", "more"},
                                              {"needs", "more"},
                                              {"requires", "more"},
                                              {"buy", "more"},
                                              {"purchase", "more"},
                                              {"pas", "assez"},
                                              {"plus", "assez"},
                                              {"plus", "de"},
                                              {"manque", "de"}}};
/// `no credits`: right before them, since these words are everywhere.
constexpr std::array<std::string_view, 5> kLackRightBefore{"no", "zero", "0", "aucun", "enough"};
/// `credits are exhausted`.
constexpr std::array<std::string_view, 12> kLackAfter{"insufficient", "insuffisant",   "insuffisants", "insuffisante",
                                                      "exhausted",    "depleted",      "epuise",       "epuises",
                                                      "exceeded",     "insufficiency", "spent",        "reached"};

bool lack_before(const std::vector<std::string>& words, std::size_t credit) {
  const bool only_credits = contains(kCredit, words[credit]);
  if (only_credits && credit > 0 && contains(kLackRightBefore, words[credit - 1])) {
    // "enough credits" alone says nothing: it takes a "not" or "n't" in front.
    if (words[credit - 1] != "enough") return true;
    if (credit > 1 && (words[credit - 2] == "not" || words[credit - 2] == "t")) return true;
  }
  for (std::size_t end = credit; end > 0 && credit - end <= 3; --end) {
    for (const Phrase& phrase : kLackBefore) {
      const std::size_t size = phrase[1].empty() ? 1 : 2;
      if (end < size || words[end - size] != phrase[0]) continue;
      if (size == 2 && words[end - 1] != phrase[1]) continue;
      if (only_credits || phrase[0] == "insufficient") return true;
    }
    if (!contains(kBetween, words[end - 1])) break;
  }
  return false;
}

bool lack_after(const std::vector<std::string>& words, std::size_t credit) {
  for (std::size_t at = credit + 1; at < words.size() && at <= credit + 4; ++at) {
    const std::string& word = words[at];
    // A limit can be reached; credits cannot, and "credit reached us" is no refusal.
    const bool needs_limit = word == "exceeded" || word == "reached";
    if (contains(kLackAfter, word) && (!needs_limit || words[at - 1] == "limit" || words[at - 2] == "limit"))
      return true;
    if (word == "not" && at + 1 < words.size() && (words[at + 1] == "sufficient" || words[at + 1] == "enough"))
      return true;
    if (word == "too" && at + 1 < words.size() && words[at + 1] == "low") return true;
    if (!contains(kAfter, word)) break;
  }
  return false;
}

}  // namespace

std::string words_in(JsonElement element) {
  Texts texts;
  texts.read(element, "", 0);
  return texts.joined();
}

std::string words_in_body(std::string_view body) {
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(body);
  if (json) return words_in(*json);
  return is_html(body) ? std::string() : std::string(trim_blanks(body));
}

std::string describe_refusal(const Response& response) {
  const std::string status = describe_status(response.status);
  const std::string words = printable(words_in_body(response.body), kPointsMax);
  if (words.empty()) return status;
  // A body that only repeats the status has nothing to add.
  if (status.ends_with(words) || ascii_lower(status).ends_with(ascii_lower(words))) return status;
  return fmt::format("{}: {}", status, words);
}

bool says_no_credits(std::string_view text) {
  const std::vector<std::string> words = Words(text).list;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (!contains(kPurse, words[at])) continue;
    // A credit card, note or line is another thing.
    if (at + 1 < words.size() && (words[at + 1] == "card" || words[at + 1] == "cards" || words[at + 1] == "line"))
      continue;
    if (lack_before(words, at) || lack_after(words, at)) return true;
  }
  return false;
}

}  // namespace reelbatch
