#include "runner/plan_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "jobs/json.h"
#include "jobs/json_quote.h"

namespace reelbatch {
namespace {

std::string hex(const Digest& digest) {
  return fmt::format("{:016x}{:016x}", digest.high, digest.low);
}

std::optional<Digest> read_hex(std::optional<std::string_view> text) {
  if (!text || text->size() != 32) return std::nullopt;
  const auto half = [&](std::size_t from, std::uint64_t& value) {
    const char* const begin = text->data() + from;
    const auto [stop, error] = std::from_chars(begin, begin + 16, value, 16);
    return error == std::errc() && stop == begin + 16;
  };
  Digest digest;
  if (!half(0, digest.high) || !half(16, digest.low)) return std::nullopt;
  return digest;
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ", ";
    append_json_quoted(out, text);
  }
  return out + ']';
}

std::vector<std::string> texts_of(const std::vector<IgnoreRule>& rules) {
  std::vector<std::string> texts;
  for (const IgnoreRule& rule : rules) texts.push_back(rule.text);
  return texts;
}

std::vector<std::string> read_list(JsonElement from, std::string_view member) {
  std::vector<std::string> texts;
  simdjson::dom::array list;
  if (from[member].get(list) != simdjson::SUCCESS) return texts;
  for (const JsonElement entry : list) {
    std::string_view text;
    if (entry.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

bool read_bool(JsonElement from, std::string_view member) {
  bool value = false;
  return from[member].get(value) == simdjson::SUCCESS && value;
}

}  // namespace

std::string plan_head_json(const Options& options, const PlanDigests& digests) {
  return fmt::format(
      "\"digest\": {{\"manifest\": \"{}\", \"decisions\": \"{}\"}},\n \"manifests\": {},\n \"options\": {{\"limit\": "
      "{}, "
      "\"only\": {}, \"retry_failed\": {}, \"on_change\": \"{}\", \"allow_mass_change\": {}, "
      "\"ignore\": {}}}",
      hex(digests.manifest), hex(digests.decisions), list_json(options.manifests),
      options.limit ? std::to_string(*options.limit) : "null", list_json(options.only), options.retry_failed,
      options.on_change == OnChange::Skip ? "skip" : "submit", options.allow_mass_change,
      list_json(texts_of(options.manifest.ignore)));
}

Result<void> keep_to_plan(const std::string& file, Options& options) {
  const auto refuse = [&](std::string_view why) { return usage_error(fmt::format("--plan {}: {}", file, why)); };
  std::ifstream in(file, std::ios::binary);
  if (!in) return refuse(fmt::format("cannot read it: {}", std::strerror(errno)));
  std::ostringstream text;
  text << in.rdbuf();
  JsonReader reader;
  const Result<JsonElement> plan = reader.parse(text.str());
  if (!plan) return refuse(plan.error().message);
  JsonElement digests, asked;
  if ((*plan)["digest"].get(digests) != simdjson::SUCCESS || (*plan)["options"].get(asked) != simdjson::SUCCESS) {
    return refuse("it is no plan that can be kept to: make one with reelbatch plan -o plan.json");
  }
  const std::optional<Digest> manifest = read_hex(json_string(digests, "manifest"));
  const std::optional<Digest> decisions = read_hex(json_string(digests, "decisions"));
  if (!manifest || !decisions) return refuse("its digest is damaged");
  options.keep_to = PlanDigests{*manifest, *decisions};
  if (options.manifests.empty()) options.manifests = read_list(*plan, "manifests");
  std::optional<std::int64_t> limit;
  if (std::int64_t number = 0; asked["limit"].get(number) == simdjson::SUCCESS) limit = number;
  const std::vector<std::string> only = read_list(asked, "only");
  const bool retry_failed = read_bool(asked, "retry_failed");
  const OnChange on_change = json_string(asked, "on_change") == "skip" ? OnChange::Skip : OnChange::Submit;
  // Left out in silence, a limit that was given would be passed with money.
  const auto other = [&](std::string_view option) {
    return refuse(fmt::format("it was made with another {0}; plan again with the {0} that is wanted", option));
  };
  if (options.limit && options.limit != limit) return other("--limit");
  if (!options.only.empty() && options.only != only) return other("--only");
  if (options.retry_failed && !retry_failed) return other("--retry-failed");
  if (options.on_change == OnChange::Skip && on_change != OnChange::Skip) return other("--on-change");
  options.limit = limit;
  options.only = only;
  options.retry_failed = retry_failed;
  options.manifest.ignore.clear();
  for (const std::string& ignored : read_list(asked, "ignore")) {
    Result<IgnoreRule> rule = parse_ignore_rule(ignored);
    if (!rule) return refuse(rule.error().message);
    options.manifest.ignore.push_back(*std::move(rule));
  }
  options.allow_mass_change = read_bool(asked, "allow_mass_change");
  options.on_change = on_change;
  return {};
}

}  // namespace reelbatch
