#include "jobs/reso_media.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr double kNoOrder = 1e300;

double media_order(JsonElement item) {
  simdjson::dom::object object;
  JsonElement order;
  if (item.get(object) || object.at_key_case_insensitive("Order").get(order)) return kNoOrder;
  double number = kNoOrder;
  if (!order.get(number)) return number;
  std::string_view text;
  if (order.get(text)) return kNoOrder;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : kNoOrder;
}

}  // namespace

std::vector<JsonElement> in_media_order(simdjson::dom::array array) {
  std::vector<std::pair<double, JsonElement>> items;
  bool has_media = false;
  for (const JsonElement item : array) {
    simdjson::dom::object object;
    has_media = has_media || (!item.get(object) && !object.at_key_case_insensitive("MediaURL").error());
    items.emplace_back(kNoOrder, item);
  }
  if (has_media) {
    for (auto& [order, item] : items) order = media_order(item);
    std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  std::vector<JsonElement> sorted;
  for (const auto& [order, item] : items) sorted.push_back(item);
  return sorted;
}

bool is_other_medium(simdjson::dom::object object) {
  if (object.at_key_case_insensitive("MediaURL").error()) return false;
  const auto says = [&](std::string_view member, std::initializer_list<std::string_view> words) {
    JsonElement value;
    if (object.at_key_case_insensitive(member).get(value)) return false;
    const std::string lower = ascii_lower(json_text(value));
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return lower.find(word) != std::string::npos; });
  };
  std::string_view category;
  const bool has_category = !object.at_key_case_insensitive("MediaCategory").get(category) && !category.empty();
  if (has_category && !says("MediaCategory", {"photo", "image"})) return true;
  return says("MediaCategory", {"agent", "office"}) || says("MediaType", {"video", "pdf", "application/", "text/"}) ||
         says("Permission", {"private"});
}

}  // namespace reelbatch
