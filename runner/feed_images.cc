#include "runner/feed_images.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/address_list.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {

void FeedImages::start_file() {
  has_address_ = false;
  rows_ = 0;
}

Result<std::optional<std::string>> FeedImages::complete(RawValue::Form form, std::string_view text) const {
  if (!options_.images_separator && options_.media_base.empty()) return std::nullopt;
  Result<std::string> list = complete_images({form, std::string(text)}, options_.images_separator, options_.media_base);
  if (!list) return tl::unexpected<Error>(list.error());
  return *std::move(list);
}

bool FeedImages::has_all(std::string_view known, std::string_view more) {
  const auto is_known = [&](std::string_view text) { return known.find(text) != std::string_view::npos; };
  if (is_known(trim(more))) return true;
  const Result<AddressList> list = parse_address_list({RawValue::Form::Text, std::string(more)});
  return list && std::all_of(list->addresses.begin(), list->addresses.end(), is_known);
}

void FeedImages::see(std::string_view text, Place place) {
  const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  const auto lists_addresses = [&] {  // PHP writes https:\/\/ in its JSON
    const Result<AddressList> list = parse_address_list({RawValue::Form::Text, std::string(text)});
    return list && !list->addresses.empty();
  };
  has_address_ = has_address_ || has("//") || has("www.") || (has("\\") && lists_addresses());
  if (has_address_ || !has_image_name(text)) return;
  if (rows_++ > 0) return;
  first_ = place;
  first_name_ = text;
}

std::optional<std::string> FeedImages::finding() const {
  if (has_address_ || rows_ == 0) return std::nullopt;
  return fmt::format(
      "no image has an address ({} rows have file names, such as '{}'): say with --media-base what "
      "address they stand under",
      rows_, printable(first_name_, 60));
}

}  // namespace reelbatch
