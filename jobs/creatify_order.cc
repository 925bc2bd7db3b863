#include "jobs/creatify_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "jobs/json_quote.h"
#include "jobs/model_parts.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kWebhookMax = 200;

class OrderReader {
 public:
  explicit OrderReader(JsonElement body) : body_(body) {}

  CreatifyOrder read() {
    CreatifyOrder order;
    order.audio = address("audio", true).value_or("");
    order.image = address("image", true).value_or("");
    order.name = text("name", true);
    if (order.name && count_code_points(*order.name) > kNameMax) {
      refuse("name", "Ensure this field has no more than 255 characters.");
    }
    order.text_prompt = text("text_prompt", false).value_or("");
    read_guidance(order);
    read_model(order);
    order.webhook_url = address("webhook_url", false).value_or("");
    if (count_code_points(order.webhook_url) > kWebhookMax) {
      refuse("webhook_url", "Ensure this field has no more than 200 characters.");
    }
    return order;
  }

  /// `{"audio":["..."]}`, empty if nothing is wrong.
  std::string refusal() const { return refusals_.empty() ? "" : "{" + refusals_ + "}"; }

 private:
  void refuse(std::string_view member, std::string_view why) {
    refusals_ += fmt::format("{}{}:[{}]", refusals_.empty() ? "" : ",", json_quote(member), json_quote(why));
  }

  std::optional<JsonElement> member(std::string_view name) const {
    JsonElement value;
    if (body_[name].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }

  std::optional<std::string> text(std::string_view name, bool nullable) {
    const auto value = member(name);
    if (!value || (nullable && value->is_null())) return std::nullopt;
    std::string_view found;
    if (value->get(found) == simdjson::SUCCESS) return std::string(found);
    refuse(name, value->is_null() ? "This field may not be null." : "Not a valid string.");
    return std::nullopt;
  }

  std::optional<std::string> address(std::string_view name, bool required) {
    if (required && !member(name)) {
      refuse(name, "This field is required.");
      return std::nullopt;
    }
    const auto found = text(name, !required);
    if (found && !is_service_address(*found)) refuse(name, "Enter a valid URL.");
    return found;
  }

  void read_guidance(CreatifyOrder& order) {
    const auto value = member("prompt_guidance_scale");
    if (!value) return;
    if (value->get(order.prompt_guidance_scale) != simdjson::SUCCESS) {
      refuse("prompt_guidance_scale", "A valid number is required.");
    } else if (order.prompt_guidance_scale > 10) {
      refuse("prompt_guidance_scale", "Ensure this value is less than or equal to 10.");
    } else if (order.prompt_guidance_scale < 0) {
      refuse("prompt_guidance_scale", "Ensure this value is greater than or equal to 0.");
    }
  }

  void read_model(CreatifyOrder& order) {
    constexpr std::array<std::string_view, 2> kModels{"aurora_v1", "aurora_v1_fast"};
    const auto value = member("model_version");
    if (!value) return;
    std::string_view model;
    if (value->get(model) == simdjson::SUCCESS && std::find(kModels.begin(), kModels.end(), model) != kModels.end()) {
      order.model_version = model;
    } else {
      refuse("model_version", fmt::format("\"{}\" is not a valid choice.", model.empty() ? json_text(*value) : model));
    }
  }

  JsonElement body_;
  std::string refusals_;
};

}  // namespace

Result<CreatifyOrder> read_creatify_order(JsonReader& reader, std::string_view body) {
  const Result<JsonElement> parsed = reader.parse(body);
  if (!parsed) return fail(Fault::Theirs, R"({"detail":"JSON parse error - Expecting value: line 1 column 1"})");
  if (!parsed->is_object()) {
    return fail(Fault::Theirs, R"({"non_field_errors":["Invalid data. Expected a dictionary."]})");
  }
  OrderReader order(*parsed);
  CreatifyOrder read = order.read();
  if (std::string refusal = order.refusal(); !refusal.empty()) return fail(Fault::Theirs, std::move(refusal));
  return read;
}

}  // namespace reelbatch
