#include "jobs/iacrea_order.h"

#include <algorithm>
#include <array>
#include <optional>

namespace reelbatch {
namespace {

using Problem = std::optional<std::string>;

bool is_address(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || text.size() == scheme || text[scheme] == '/') return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '\x7f'; });
}

std::string_view trim_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// A member that has to be text if it is there: false if it is there and is not.
bool text_or_absent(JsonElement body, std::string_view member, std::optional<std::string_view>& out) {
  JsonElement value;
  if (body[member].get(value) != simdjson::SUCCESS) return true;
  out = json_string(body, member);
  return out.has_value();
}

Problem read_images(JsonElement body, IacreaOrder& order) {
  simdjson::dom::array images;
  if (body["image_urls"].get(images) != simdjson::SUCCESS) return "image_urls is required and must be an array";
  for (const JsonElement item : images) {
    std::string_view address;
    if (item.get(address) != simdjson::SUCCESS || !is_address(address)) {
      return "image_urls[" + std::to_string(order.image_urls.size()) + "] must be a valid URL";
    }
    order.image_urls.emplace_back(address);
  }
  if (order.image_urls.empty()) return "image_urls must contain at least 1 image";
  return {};
}

Problem check_description(JsonElement body) {
  const auto description = json_string(body, "description");
  if (!description) return "description is required and must be a string";
  if (count_code_points(trim_blanks(*description)) < 10) return "description must contain at least 10 characters";
  return {};
}

Problem read_format(JsonElement body, IacreaOrder& order) {
  constexpr std::array<std::string_view, 3> kFormats = {"landscape", "portrait", "square"};
  std::optional<std::string_view> format;
  if (!text_or_absent(body, "format", format) ||
      (format && std::find(kFormats.begin(), kFormats.end(), *format) == kFormats.end())) {
    return "format must be one of landscape, portrait, square";
  }
  order.format = format.value_or("landscape");
  return {};
}

Problem check_colors(JsonElement body) {
  JsonElement value;
  if (body["colors"].get(value) != simdjson::SUCCESS) return {};
  simdjson::dom::array colors;
  bool texts = value.get(colors) == simdjson::SUCCESS && colors.size() == 2;
  if (texts) {
    for (const JsonElement color : colors) {
      std::string_view text;
      texts = texts && color.get(text) == simdjson::SUCCESS && !text.empty();
    }
  }
  if (!texts) return "colors must be an array of 2 colors [background, text]";
  return {};
}

Problem check_texts(JsonElement body) {
  for (const std::string_view member : {"font", "music"}) {
    std::optional<std::string_view> text;
    if (!text_or_absent(body, member, text)) return std::string(member) + " must be a string";
  }
  return {};
}

Problem check_logo(JsonElement body) {
  bool display = false;
  JsonElement value;
  if (body["displayLogo"].get(value) == simdjson::SUCCESS && value.get(display) != simdjson::SUCCESS) {
    return "displayLogo must be a boolean";
  }
  std::optional<std::string_view> logo;
  if (!text_or_absent(body, "logoUrl", logo) || (logo && !is_address(*logo))) return "logoUrl must be a valid URL";
  if (display && !logo) return "logoUrl is required when displayLogo is true";
  return {};
}

Problem read_webhook(JsonElement body, IacreaOrder& order) {
  std::optional<std::string_view> webhook;
  if (!text_or_absent(body, "webhookUrl", webhook) || (webhook && !is_address(*webhook))) {
    return "webhookUrl must be a valid URL";
  }
  order.webhook_url = webhook.value_or("");
  return {};
}

}  // namespace

Result<IacreaOrder> read_iacrea_order(JsonReader& reader, std::string_view body) {
  const Result<JsonElement> parsed = reader.parse(body);
  if (!parsed || !parsed->is_object()) return fail(Fault::Theirs, "Invalid JSON body");
  IacreaOrder order;
  Problem problem = read_images(*parsed, order);
  if (!problem) problem = check_description(*parsed);
  if (!problem) problem = read_format(*parsed, order);
  if (!problem) problem = check_colors(*parsed);
  if (!problem) problem = check_texts(*parsed);
  if (!problem) problem = check_logo(*parsed);
  if (!problem) problem = read_webhook(*parsed, order);
  if (problem) return fail(Fault::Theirs, *problem);
  return order;
}

}  // namespace reelbatch
