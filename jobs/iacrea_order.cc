#include "jobs/iacrea_order.h"

#include <algorithm>
#include <array>
#include <optional>

#include "jobs/model_parts.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using Problem = std::optional<std::string>;

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
    if (item.get(address) != simdjson::SUCCESS || !is_service_address(address)) {
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

Problem read_format(JsonElement body, IacreaOrder& order, bool required) {
  constexpr std::array<std::string_view, 3> kFormats = {"landscape", "portrait", "square"};
  std::optional<std::string_view> format;
  if (!text_or_absent(body, "format", format) || (required && !format) ||
      (format && std::find(kFormats.begin(), kFormats.end(), *format) == kFormats.end())) {
    return "format must be one of landscape, portrait, square";
  }
  order.format = format.value_or("landscape");
  return {};
}

Problem check_colors(JsonElement body, bool required) {
  JsonElement value;
  if (body["colors"].get(value) != simdjson::SUCCESS) {
    return required ? Problem("colors is required and must be an array of 2 colors") : Problem();
  }
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
  for (const std::string_view member : {"font", "music", "template"}) {
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
  if (!text_or_absent(body, "logoUrl", logo) || (logo && !is_service_address(*logo)))
    return "logoUrl must be a valid URL";
  if (display && !logo) return "logoUrl is required when displayLogo is true";
  return {};
}

Problem read_webhook(JsonElement body, IacreaOrder& order) {
  std::optional<std::string_view> webhook;
  if (!text_or_absent(body, "webhookUrl", webhook) || (webhook && !is_service_address(*webhook))) {
    return "webhookUrl must be a valid URL";
  }
  order.webhook_url = webhook.value_or("");
  return {};
}

bool is_number(JsonElement from, std::string_view member, double min) {
  double number = 0;
  return from[member].get(number) == simdjson::SUCCESS && number >= min;
}

Problem read_sequence(JsonElement item, const std::string& where, IacreaOrder& order) {
  constexpr std::array<std::string_view, 5> kTypes = {"intro", "outro", "video", "image", "beforeAfter"};
  if (!item.is_object()) return where + " must be an object";
  if (!is_number(item, "order", 0)) return where + ".order must be a number";
  if (!is_number(item, "duration", 0.001)) return where + ".duration must be a positive number";
  const auto type = json_string(item, "type");
  if (!type || std::find(kTypes.begin(), kTypes.end(), *type) == kTypes.end()) {
    return where + ".type must be one of intro, outro, video, image, beforeAfter";
  }
  std::optional<std::string_view> effect;
  std::optional<std::string_view> url;
  if (!text_or_absent(item, "animationType", effect) || (*type == "video" && !effect)) {
    return where + ".animationType must be a string, and is required for video";
  }
  if (!text_or_absent(item, "url", url) || (url && !is_service_address(*url)))
    return where + ".url must be a valid URL";
  if (*type == "intro" || *type == "outro") return {};
  order.image_urls.emplace_back(url.value_or(""));
  order.effects.emplace_back(effect.value_or(""));
  return {};
}

Problem read_sequences(JsonElement video, IacreaOrder& order) {
  simdjson::dom::array items;
  if (video["sequences"].get(items) != simdjson::SUCCESS || items.size() == 0) {
    return "sequences is required and must contain at least 1 sequence";
  }
  std::size_t at = 0;
  for (const JsonElement item : items) {
    if (Problem problem = read_sequence(item, "sequences[" + std::to_string(at++) + "]", order)) return problem;
  }
  if (order.image_urls.empty()) {
    order.image_urls.emplace_back();
    order.effects.emplace_back();
  }
  return {};
}

}  // namespace

Result<IacreaOrder> read_iacrea_order(JsonReader& reader, std::string_view body) {
  const Result<JsonElement> parsed = reader.parse(body);
  if (!parsed || !parsed->is_object()) return fail(Fault::Theirs, "Invalid JSON body");
  IacreaOrder order;
  Problem problem = read_images(*parsed, order);
  if (!problem) problem = check_description(*parsed);
  if (!problem) problem = read_format(*parsed, order, false);
  if (!problem) problem = check_colors(*parsed, false);
  if (!problem) problem = check_texts(*parsed);
  if (!problem) problem = check_logo(*parsed);
  if (!problem) problem = read_webhook(*parsed, order);
  if (problem) return fail(Fault::Theirs, *problem);
  return order;
}

Result<IacreaOrder> read_iacrea_video_order(JsonReader& reader, std::string_view body) {
  const Result<JsonElement> parsed = reader.parse(body);
  if (!parsed || !parsed->is_object()) return fail(Fault::Theirs, "Invalid JSON body");
  JsonElement video;
  if ((*parsed)["video"].get(video) != simdjson::SUCCESS || !video.is_object()) {
    return fail(Fault::Theirs, "video is required and must be an object");
  }
  IacreaOrder order;
  Problem problem = read_format(video, order, true);
  if (!problem) problem = check_colors(video, true);
  if (!problem) problem = check_texts(video);
  if (!problem) problem = check_logo(video);
  if (!problem) problem = read_webhook(video, order);
  if (!problem) problem = read_sequences(video, order);
  if (problem) return fail(Fault::Theirs, *problem);
  return order;
}

Result<IacreaRemakeOrder> read_iacrea_remake(JsonReader& reader, std::string_view body) {
  const Result<JsonElement> parsed = reader.parse(body);
  if (!parsed || !parsed->is_object()) return fail(Fault::Theirs, "Invalid JSON body");
  const auto id = json_string(*parsed, "sequenceId");
  if (!id || id->empty()) return fail(Fault::Theirs, "sequenceId is required and must be a string");
  IacreaRemakeOrder order{std::string(*id), {}, {}};
  JsonElement sequence;
  if ((*parsed)["sequence"].get(sequence) != simdjson::SUCCESS) return order;
  std::optional<std::string_view> url;
  std::optional<std::string_view> effect;
  if (!sequence.is_object() || !text_or_absent(sequence, "url", url) || !text_or_absent(sequence, "effect", effect)) {
    return fail(Fault::Theirs, "sequence must be an object with url and effect");
  }
  if (url && !is_service_address(*url)) return fail(Fault::Theirs, "sequence.url must be a valid URL");
  order.url = url.value_or("");
  order.effect = effect.value_or("");
  return order;
}

}  // namespace reelbatch
