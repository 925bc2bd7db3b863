#include "runner/header_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "jobs/unicode.h"
#include "runner/manifest_text.h"
#include "runner/table_format.h"

namespace reelbatch {

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
  std::vector<std::string> like;
  for (const std::string& name : header) {
    const std::string folded = fold_name(name);
    for (const std::string_view ending : {"id", "ref", "reference", "sku", "mls", "mls#", "handle", "key"})
      if (folded == ending || folded.ends_with('_' + std::string(ending))) {
        like.push_back(name);
        break;
      }
  }
  std::string message = fmt::format("there is no column 'id'; there are {}", quoted_list(header, 40));
  if (!like.empty()) message += fmt::format("; perhaps map id={}", fmt::join(like, " or id="));
  return message;
}

}  // namespace reelbatch
