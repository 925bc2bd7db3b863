#include "jobs/contacts.h"

#include <algorithm>
#include <array>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Those that are no word with which a sentence may begin where the blank is missing, such as `it`.
constexpr std::array<std::string_view, 10> kTopLevels{"com", "net", "org", "info", "immo",
                                                      "fr",  "ch",  "eu",  "nl",   "pt"};
constexpr std::array<std::string_view, 18> kPhoneWords{
    "tel",    "tél", "téléphone", "telephone", "telefon", "telefono", "teléfono", "tlf", "phone",
    "mobile", "mob", "portable",  "whatsapp",  "fax",     "gsm",      "call",     "fon", "contact"};
constexpr std::array<std::string_view, 7> kAddressWords{"e-mail", "email", "mail",   "courriel",
                                                        "web",    "site",  "website"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

/// Behind an address, but no part of it.
std::string_view without_stops(std::string_view word) {
  const std::size_t last = word.find_last_not_of(".,;:!?)]}\"'>");
  return word.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// ---- Addresses ------------------------------------------------------------------------------------------------------

/// `agence-lyon.fr`, with labels of letters, digits and hyphens, and more behind a slash.
bool is_host_name(std::string_view word, bool any_top_level) {
  const std::string host = ascii_lower(word.substr(0, word.find_first_of("/?:")));
  const std::size_t dot = host.rfind('.');
  if (dot == std::string::npos || dot < (any_top_level ? 1 : 2) || host.front() == '.' ||
      host.find("..") != std::string::npos)
    return false;
  const auto fits = [](char c) { return (is_letter(c) && static_cast<unsigned char>(c) < 0x80) || is_digit(c); };
  if (!std::all_of(host.begin(), host.end(), [&](char c) { return fits(c) || c == '-' || c == '.'; })) return false;
  const std::string_view top = std::string_view(host).substr(dot + 1);
  if (any_top_level) return top.size() >= 2 && std::none_of(top.begin(), top.end(), is_digit);
  return is_one_of(top, kTopLevels);
}

bool is_mail_address(std::string_view word) {
  if (word.starts_with("mailto:")) word.remove_prefix(7);
  const std::size_t at = word.find('@');
  return at != std::string_view::npos && at > 0 && is_host_name(word.substr(at + 1), true);
}

bool is_web_address(std::string_view word) {
  const std::string head = ascii_lower(word.substr(0, 8));
  const bool has_scheme = head.starts_with("http://") || head.starts_with("https://");
  return (has_scheme && word.size() > 8) || (head.starts_with("www.") && word.size() > 6) || is_host_name(word, false);
}

// ---- Telephone numbers ----------------------------------------------------------------------------------------------

/// Digits in groups, from the first of them or a `+` or bracket in front of it to the last.
struct Number {
  std::size_t end = 0;
  std::string digits;
  std::string shape;  ///< `3-3-4`
};

Number number_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kDigitsMin = 9, kDigitsMax = 16, kBetweenMax = 3;
  Number number;
  std::size_t group = 0;
  const auto end_group = [&] {
    if (group > 0) number.shape += (number.shape.empty() ? "" : "-") + std::to_string(group);
    group = 0;
  };
  std::size_t between = 0;
  for (; at < text.size() && number.digits.size() <= kDigitsMax; ++at) {
    if (is_digit(text[at])) {
      number.digits += text[at];
      number.end = at + 1;
      ++group;
      between = 0;
      continue;
    }
    end_group();
    if (std::string_view(" .-/()+").find(text[at]) == std::string_view::npos || ++between > kBetweenMax) break;
    // Of two numbers, one behind the other.
    if (number.digits.size() >= kDigitsMin && (text[at] == '/' || between == kBetweenMax)) break;
    if (text[at] == '+' && !number.digits.empty()) break;
  }
  end_group();
  return number;
}

/// `01.02.2026`, `2026-02-01`: with anything behind it.
bool begins_with_date(std::string_view shape) {
  for (const std::string_view date : {"2-2-4", "1-2-4", "2-1-4", "1-1-4", "4-2-2"}) {
    if (shape == date || (shape.starts_with(date) && shape[date.size()] == '-')) return true;
  }
  return false;
}

bool is_phone_number(std::string_view text, const Number& number, bool after_word) {
  const std::size_t digits = number.digits.size();
  if (digits > 15 || begins_with_date(number.shape)) return false;
  if (after_word && digits >= 6) return true;
  // `+ 150 000 000` is a sum, `0.123456789` a number.
  const std::size_t plus = text.starts_with('(') ? 1 : 0;
  const bool has_plus = text.substr(plus, 1) == "+" && is_digit(text[plus + 1]);
  const bool is_decimal = number.shape.starts_with("1-") && number.shape.find('-', 2) == std::string::npos;
  if (digits >= 9 && (has_plus || (number.digits[0] == '0' && !is_decimal))) return true;
  const bool has_signs = text.substr(0, number.end).find_first_of("-.(") != std::string_view::npos;
  return has_signs && (number.shape == "3-3-4" || (number.shape == "1-3-3-4" && number.digits[0] == '1'));
}

// ---- The text -------------------------------------------------------------------------------------------------------

class Stripper {
 public:
  explicit Stripper(std::string_view text) : text_(text) {}

  WithoutContacts strip() {
    while (at_ < text_.size()) {
      if (!begins_word() || !(take_address() || take_number())) out_.text += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  bool begins_word() const {
    if (is_space(text_[at_])) return false;
    return at_ == 0 || !(is_letter(text_[at_ - 1]) || is_digit(text_[at_ - 1]) || text_[at_ - 1] == '@') ||
           at_ == end_of_last_;
  }

  bool take_address() {
    if (at_ < looked_until_ || (!is_letter(text_[at_]) && !is_digit(text_[at_]))) return false;
    std::size_t end = at_;
    while (end < text_.size() && !is_space(text_[end]) &&
           std::string_view("<>\"(),;|").find(text_[end]) == std::string_view::npos)
      ++end;
    const std::string_view word = without_stops(text_.substr(at_, end - at_));
    // One look a word, however many places in it might begin another.
    looked_until_ = end;
    if (!is_mail_address(word) && !is_web_address(word)) return false;
    take(word.size());
    return true;
  }

  bool take_number() {
    if (!is_digit(text_[at_]) && text_[at_] != '+' && text_[at_] != '(') return false;
    const std::string_view rest = text_.substr(at_, kNumberMax);
    Number number = number_at(rest, 0);
    if (number.digits.empty() || (number.end < rest.size() && is_letter(rest[number.end]))) return false;
    if (!is_phone_number(rest, number, is_one_of(last_word(), kPhoneWords))) return false;
    // A bracket that does not close inside of the number is around it.
    if (rest[0] == '(' && rest.substr(0, number.end).find(')') == std::string_view::npos) return false;
    take(number.end);
    return true;
  }

  /// Where the last word in front begins, behind which there are only blanks and stops. At most as long as a word is.
  std::size_t last_word_at(std::size_t& end) const {
    end = out_.text.size();
    constexpr std::size_t kStopsMax = 8, kWordMax = 16;
    const std::size_t first = end > kStopsMax ? end - kStopsMax : 0;
    while (end > first && std::string_view(" .:").find(out_.text[end - 1]) != std::string_view::npos) --end;
    std::size_t begin = end;
    while (begin > 0 && end - begin < kWordMax && (is_letter(out_.text[begin - 1]) || out_.text[begin - 1] == '-'))
      --begin;
    return begin;
  }

  std::string last_word() const {
    std::size_t end = 0;
    const std::size_t begin = last_word_at(end);
    std::string word = ascii_lower(std::string_view(out_.text).substr(begin, end - begin));
    for (std::size_t at = word.find("É"); at != std::string::npos; at = word.find("É")) word.replace(at, 2, "é");
    return word;
  }

  /// Leaves the contact that stands here out, with the word for it in front.
  void take(std::size_t size) {
    std::size_t end = 0;
    const std::size_t begin = last_word_at(end);
    const std::string word = last_word();
    if (is_one_of(word, kPhoneWords) || is_one_of(word, kAddressWords)) out_.text.resize(begin);
    at_ += size;
    if (out_.text.ends_with('(') && text_.substr(at_, 1) == ")") {
      out_.text.pop_back();
      ++at_;
    }
    close_gap();
    end_of_last_ = at_;
    ++out_.count;
  }

  /// Of the signs on both sides of what was left out, as between the items of a list, one remains; none at the
  /// beginning or the end of a line.
  void close_gap() {
    constexpr std::string_view kBetween = ",;/|";
    constexpr std::size_t kBlanksMax = 8;
    const auto behind = [&] {
      const std::size_t from = std::min(text_.find_first_not_of(' ', at_), text_.size());
      return from - at_ > kBlanksMax ? at_ : from;
    };
    const auto in_front = [&] {
      const std::string_view tail =
          std::string_view(out_.text).substr(out_.text.size() - std::min(out_.text.size(), kBlanksMax));
      const std::size_t last = tail.find_last_not_of(' ');
      return last == std::string_view::npos ? (tail.size() < kBlanksMax ? '\n' : ' ') : tail[last];
    };
    const auto is_between = [&](char c) { return kBetween.find(c) != std::string_view::npos; };
    const std::size_t next = behind();
    const char before = in_front();
    const char after = next < text_.size() ? text_[next] : '\n';
    const bool is_dash = after == '-' && next > at_ && text_.substr(next + 1, 1) == " ";
    const bool is_first = std::string_view("\n.!?").find(before) != std::string_view::npos;
    const bool is_item = is_between(before) || is_first || before == ':' || before == '(';
    if (((is_between(after) || is_dash) && is_item) || (after == '.' && is_first)) {
      at_ = next + 1;
      // The blank in front of the gap stands for the one behind the sign.
      if (out_.text.empty() || is_space(out_.text.back())) at_ = behind();
    } else if (is_between(before) && std::string_view("\n.!?)").find(after) != std::string_view::npos) {
      while (!out_.text.empty() && (out_.text.back() == ' ' || is_between(out_.text.back()))) out_.text.pop_back();
      at_ = next;
    } else if (next == at_ && std::string_view(",;.!?").find(after) != std::string_view::npos) {
      while (out_.text.ends_with(' ')) out_.text.pop_back();
    }
  }

  static constexpr std::size_t kNumberMax = 64;  ///< bytes of the longest

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t looked_until_ = 0;
  std::size_t end_of_last_ = SIZE_MAX;
  WithoutContacts out_;
};

}  // namespace

WithoutContacts strip_contacts(std::string_view text) {
  return Stripper(text).strip();
}

}  // namespace reelbatch
