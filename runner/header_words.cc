#include "runner/header_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "jobs/unicode.h"
#include "runner/manifest_text.h"
#include "runner/table_format.h"

namespace reelbatch {
namespace {

bool is_like_id(std::string_view name) {
  const std::string folded = fold_name(name);
  for (const std::string_view ending : {"id", "ref", "reference", "sku", "mls", "mls#", "handle", "key"})
    if (folded == ending || folded.ends_with('_' + std::string(ending))) return true;
  return false;
}

/// A sign between whose places there are names, one of them like an id's; NUL for none.
char sign_between(std::string_view names) {
  constexpr std::string_view kSigns = ",;\t|^~:!#*&/\\@%$+=";
  for (const char sign : kSigns) {
    std::size_t pieces = 0;
    bool has_id = false;
    for (std::size_t at = 0; at <= names.size(); ++pieces) {
      const std::size_t end = std::min(names.find(sign, at), names.size());
      has_id = has_id || is_like_id(names.substr(at, end - at));
      at = end + 1;
    }
    if (pieces > 1 && has_id) return sign;
  }
  return '\0';
}

}  // namespace

std::string quoted_list(const std::vector<std::string>& names, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), count); ++i)
    out += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(names[i], 60));
  if (names.size() > count) out += fmt::format(" and {} more", names.size() - count);
  return out;
}

std::string no_id_column(const std::vector<std::string>& header, std::uint64_t skip_lines) {
  if (skip_lines > 0)
    return fmt::format("there is no column 'id' here, but line {} looks like a header: use --skip-lines {}",
                       skip_lines + 1, skip_lines);
  if (looks_like_data(header))
    return "this file has no header: use --preset poliris, or --no-header --map id=#2 and so on";
  if (const char sign = header.size() == 1 ? sign_between(header[0]) : '\0'; sign != '\0') {
    const std::string stated = sign == '\t' ? "tab" : fmt::format("'{}'", sign);
    return fmt::format(
        "there is no column 'id': the header is one cell, '{}'; if {} is what stands between cells, say "
        "--delimiter {}",
        printable(header[0], 60), stated, stated);
  }
  std::vector<std::string> like;
  for (const std::string& name : header)
    if (is_like_id(name)) like.push_back(name);
  std::string message = fmt::format("there is no column 'id'; there are {}", quoted_list(header, 40));
  if (!like.empty()) message += fmt::format("; perhaps map id={}", fmt::join(like, " or id="));
  return message;
}

}  // namespace reelbatch
