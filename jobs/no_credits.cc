#include "jobs/no_credits.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "jobs/service_words.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

// ---- Text into words ------------------------------------------------------------------------------------------------

/// Ends a clause in the list of words, so that words of two clauses never stand together.
constexpr std::string_view kStop = ".";

bool is_upper(char32_t c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char32_t c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

/// Lower case, and without the accents that the French words for it carry.
char32_t plain(char32_t c) {
  if (is_upper(c)) return c + ('a' - 'A');
  if ((c >= 0xC8 && c <= 0xCB) || (c >= 0xE8 && c <= 0xEB)) return 'e';
  return c;
}

bool ends_clause(char32_t c) {
  return c == '.' || c == ';' || c == ',' || c == ':' || c == '\n' || c == '(' || c == ')' || c == '!' || c == '?';
}

/// The quotation mark that closes what `c` opens, or 0. An apostrophe opens only where no word is under way.
char32_t closing_quote(char32_t c, bool in_word) {
  switch (c) {
    case '"':
    case '`':
      return c;
    case '\'':
      return in_word ? 0 : c;
    case 0x201C:
      return 0x201D;
    case 0xAB:
      return 0xBB;
    default:
      return 0;
  }
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += point.size;
    points.push_back(point.value);
  }
  return points;
}

using Words = std::vector<std::string>;

/// `insufficientCredits`, `NO_CREDITS` and `no credits` come out alike; quoted text, being somebody else's, does not.
Words words_of(std::string_view text) {
  const std::u32string points = code_points(text);
  Words words;
  std::string word;
  const auto end_word = [&] {
    // `not have enough` is `not enough`.
    if (!word.empty() && word != "have" && word != "has") words.push_back(word);
    word.clear();
  };
  for (std::size_t at = 0; at < points.size(); ++at) {
    const char32_t c = points[at];
    if (const char32_t closing = closing_quote(c, !word.empty())) {
      const std::size_t end = points.find(closing, at + 1);
      // Around the whole text they are only decoration.
      if (end != std::u32string::npos && !(at == 0 && end + 1 == points.size())) {
        end_word();
        words.emplace_back(kStop);
        at = end;
        continue;
      }
    }
    if (is_upper(c) && at > 0 && is_lower(points[at - 1])) end_word();
    const char32_t letter = plain(c);
    if (is_lower(letter) || is_digit(letter)) {
      word.push_back(static_cast<char>(letter));
      continue;
    }
    end_word();
    if (ends_clause(c)) words.emplace_back(kStop);
  }
  end_word();
  return words;
}

// ---- Lack and credits -----------------------------------------------------------------------------------------------

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Phrase {
  std::string_view first;
  std::string_view second;  ///< may be empty
};

constexpr std::array<std::string_view, 4> kCredits{"credit", "credits", "balance", "solde"};
constexpr std::array<std::string_view, 3> kOtherCredits{"card", "cards", "line"};

/// Before the credits, with nothing but words of kBetween in the middle: `not enough video credits`.
constexpr std::array<Phrase, 18> kLackBefore{{{"insufficient", ""},
                                              {"not", "enough"},
                                              {"t", "enough"},
                                              {"no", ""},
                                              {"zero", ""},
                                              {"0", ""},
                                              {"aucun", ""},
                                              {"lacks", ""},
                                              {"out", "of"},
                                              {"lack", "of"},
                                              {"need", "more"},
                                              {"needs", "more"},
                                              {"requires", "more"},
                                              {"buy", "more"},
                                              {"purchase", "more"},
                                              {"pas", "assez"},
                                              {"plus", "de"},
                                              {"manque", "de"}}};
constexpr std::array<std::string_view, 14> kBetween{"video",  "api",     "account", "remaining", "available",
                                                    "more",   "of",      "the",     "your",      "de",
                                                    "credit", "credits", "enough",  "generation"};

/// After the credits: `credits are exhausted`.
constexpr std::array<std::string_view, 7> kLackAfter{"insufficient", "insuffisant", "insuffisants", "exhausted",
                                                     "depleted",     "epuise",      "epuises"};
constexpr std::array<Phrase, 4> kLackAfterPairs{
    {{"not", "sufficient"}, {"not", "enough"}, {"too", "low"}, {"limit", "exceeded"}}};
constexpr std::array<std::string_view, 14> kAfter{"is",    "are",     "was",  "were", "been", "balance", "left",
                                                  "video", "account", "sont", "est",  "ont",  "ete",     "now"};

bool lack_ends_at(const Words& words, std::size_t end) {
  for (const Phrase& phrase : kLackBefore) {
    if (phrase.second.empty()) {
      if (end >= 1 && words[end - 1] == phrase.first) return true;
    } else if (end >= 2 && words[end - 2] == phrase.first && words[end - 1] == phrase.second) {
      return true;
    }
  }
  return false;
}

bool lack_before(const Words& words, std::size_t credits) {
  for (std::size_t end = credits; end > 0; --end) {
    if (lack_ends_at(words, end)) return true;
    if (!contains(kBetween, words[end - 1])) return false;
  }
  return false;
}

bool lack_after(const Words& words, std::size_t credits) {
  for (std::size_t at = credits + 1; at < words.size(); ++at) {
    if (contains(kLackAfter, words[at])) return true;
    for (const Phrase& pair : kLackAfterPairs) {
      if (words[at] == pair.first && at + 1 < words.size() && words[at + 1] == pair.second) return true;
    }
    if (!contains(kAfter, words[at])) return false;
  }
  return false;
}

bool is_about_credits(const ServiceText& text) {
  const Words field = words_of(text.field);
  const auto is_credit = [](const std::string& word) { return contains(kCredits, word); };
  return std::any_of(field.begin(), field.end(), is_credit);
}

/// Members whose text is a name for the whole refusal.
constexpr std::array<std::string_view, 6> kRefusalNames{"code", "type", "title", "status", "errorCode", "error_code"};

bool codes_say_no_credits(JsonElement body) {
  for (const std::string_view name : kRefusalNames) {
    if (const auto code = json_string(body, name); code && says_no_credits(*code)) return true;
  }
  JsonElement inner;
  if (!body.is_object() || body.at_key("error").get(inner) || !inner.is_object()) return false;
  for (const std::string_view name : kRefusalNames) {
    if (const auto code = json_string(inner, name); code && says_no_credits(*code)) return true;
  }
  return false;
}

}  // namespace

bool says_no_credits(std::string_view text) {
  const Words words = words_of(text);
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (!contains(kCredits, words[at])) continue;
    if (at + 1 < words.size() && contains(kOtherCredits, words[at + 1])) continue;
    if (lack_before(words, at) || lack_after(words, at)) return true;
  }
  return false;
}

bool refuses_for_credits(const Response& response) {
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(response.body);
  // A page for people has more words than a refusal, and menus that sell credits.
  if (!json) return trim_blanks(response.body).substr(0, 1) != "<" && says_no_credits(response.body);
  if (codes_say_no_credits(*json)) return true;
  for (const ServiceText& text : texts_in(*json)) {
    if (text.field.empty() && says_no_credits(text.text)) return true;
    if (is_about_credits(text) && says_no_credits(text.field + " " + text.text)) return true;
  }
  return false;
}

}  // namespace reelbatch
