#include "runner/id_forms.h"

#include <algorithm>

#include "runner/manifest_text.h"

namespace reelbatch {

Form::Form(std::string_view text) {
  for (const char c : trim(text)) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80U;
    const char sort = is_digit ? '9' : is_letter ? 'a' : c;
    const bool goes_on = (is_digit || is_letter) && size_ > 0 && text_[size_ - 1] == sort;
    if (size_ == text_.size()) break;
    if (!goes_on) text_[size_++] = sort;
  }
}

bool Form::is_telling() const {
  constexpr auto npos = std::string_view::npos;
  return size_ > 1 && text().find('9') != npos && text().find(' ') == npos;
}

void IdForms::learn(std::string_view id) {
  const Form form(id);
  if (form.text().empty()) return;
  ++count_;
  forms_.emplace(form.text());
  shortest_ = std::min(shortest_, trim(id).size());
  longest_ = std::max(longest_, trim(id).size());
}

IdForms::Match IdForms::match(std::string_view text) const {
  const Form form(text);
  if (forms_.contains(form.text())) return form.is_telling() ? Match::Same : Match::Alike;
  return count_ < kMin ? Match::Unknown : Match::Unlike;
}

bool IdForms::is_whole(std::string_view text) const {
  const std::size_t size = trim(text).size();
  return forms_.contains(Form(text).text()) && size >= shortest_ && size <= longest_;
}

bool IdForms::are_halves(std::string_view first, std::string_view second) const {
  first = trim(first);
  second = trim(second);
  // 9 comes before 10.
  const std::size_t size = first.size() + second.size();
  return !second.empty() && !is_whole(second) && size >= shortest_ && size <= longest_ + 1 &&
         forms_.contains(Form(std::string(first).append(second)).text());
}

}  // namespace reelbatch
