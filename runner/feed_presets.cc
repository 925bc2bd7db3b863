#include "runner/feed_presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

using Names = std::span<const std::string_view>;

// ---- The presets ----------------------------------------------------------------------------------------------------

constexpr std::array<PresetField, 3> kMeta{
    {{"id", "home_listing_id"}, {"description", "description"}, {"image_urls", "image[*].url|image"}}};
constexpr std::array<std::string_view, 3> kMetaSigns{"home_listing_id", "name", "image|image[0].url|image[1].url"};

constexpr std::array<PresetField, 3> kGoogle{
    {{"id", "Listing ID"}, {"description", "Description"}, {"image_urls", "Image URL"}}};
constexpr std::array<std::string_view, 3> kGoogleSigns{"Listing ID", "Listing name", "Image URL"};

constexpr std::array<PresetField, 3> kReso{
    {{"id", "ListingKey|ListingId"}, {"description", "PublicRemarks"}, {"image_urls", "Media"}}};
constexpr std::array<std::string_view, 3> kResoSigns{"ListingKey|ListingId", "PublicRemarks", "Media"};

constexpr std::array<PresetField, 3> kBlm{
    {{"id", "AGENT_REF"}, {"description", "DESCRIPTION|SUMMARY"}, {"image_urls", "MEDIA_IMAGE_*<60"}}};
constexpr std::array<std::string_view, 3> kBlmSigns{"AGENT_REF", "DESCRIPTION|SUMMARY", "MEDIA_IMAGE_00"};

constexpr std::array<PresetField, 3> kPoliris{
    {{"id", "#2"}, {"description", "#21"}, {"image_urls", "#85-93,#164-174,#264-273"}}};

constexpr std::array<PresetField, 3> kAirbnb{
    {{"id", "id"}, {"description", "description|summary+space"}, {"image_urls", "picture_url"}}};
constexpr std::array<std::string_view, 5> kAirbnbSigns{"id", "name", "listing_url", "host_id", "picture_url"};

constexpr std::array<PresetField, 3> kWoo{
    {{"id", "ID|SKU"}, {"description", "Description|Short description"}, {"image_urls", "Images"}}};
constexpr std::array<std::string_view, 4> kWooSigns{"ID|SKU", "Name", "Short description", "Images"};

constexpr std::array<PresetField, 3> kShopify{{{"id", "Handle|URL handle"},
                                               {"description", "Body (HTML)|Description"},
                                               {"image_urls", "Image Src|Product image URL"}}};
constexpr std::array<std::string_view, 3> kShopifySigns{"Handle|URL handle", "Title", "Image Src|Product image URL"};

constexpr std::array<PresetField, 3> kHarvest{
    {{"id", "property_id"}, {"description", "text"}, {"image_urls", "alt_photos|primary_photo"}}};
constexpr std::array<std::string_view, 4> kHarvestSigns{"property_url", "property_id", "text", "alt_photos"};

constexpr std::array<Preset, 9> kPresets{{
    {.name = "meta-home-listings", .fields = kMeta, .signature = kMetaSigns},
    {.name = "google-real-estate", .fields = kGoogle, .signature = kGoogleSigns},
    {.name = "reso", .fields = kReso, .signature = kResoSigns},
    {.name = "rightmove-blm", .fields = kBlm, .signature = kBlmSigns},
    {.name = "poliris", .fields = kPoliris, .signature = {}, .has_header = false, .bare_labels = false},
    {.name = "inside-airbnb", .fields = kAirbnb, .signature = kAirbnbSigns},
    {.name = "woocommerce", .fields = kWoo, .signature = kWooSigns},
    {.name = "shopify", .fields = kShopify, .signature = kShopifySigns, .grouped = true, .opening = "Title"},
    {.name = "homeharvest", .fields = kHarvest, .signature = kHarvestSigns},
}};

// ---- Synonyms -------------------------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 10> kIds{"listing_id", "property_id", "ref",       "reference",       "sku",
                                                "mls",        "mls#",        "agent_ref", "home_listing_id", "handle"};
constexpr std::array<std::string_view, 10> kDescriptions{
    "body",      "text",        "remarks",      "public_remarks", "descriptif",
    "descrição", "descripción", "beschreibung", "publicremarks",  "property_description"};
constexpr std::array<std::string_view, 13> kImages{"images",
                                                   "images_urls",
                                                   "photos",
                                                   "photo_urls",
                                                   "pictures",
                                                   "pictures_urls",
                                                   "media",
                                                   "gallery",
                                                   "picture_url",
                                                   "image_link",
                                                   "additional_image_link",
                                                   "alt_photos",
                                                   "images_list"};

/// Parts of `text` between `separator`, which is not looked for in brackets.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::optional<std::size_t> whole_number(std::string_view text) {
  if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(number_in(text, 0));
}

/// `#85-93,#164-174`; empty if it is anything else.
std::vector<std::pair<std::size_t, std::size_t>> positions_in(std::string_view text) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const std::string_view piece : split(text, ',')) {
    const std::string_view trimmed = trim(piece);
    if (!trimmed.starts_with('#')) return {};
    const std::size_t dash = std::min(trimmed.find('-'), trimmed.size());
    const auto first = whole_number(trimmed.substr(1, dash - 1));
    const auto last = dash == trimmed.size() ? first : whole_number(trimmed.substr(dash + 1));
    if (!first || !last || *first == 0 || *last < *first) return {};
    ranges.emplace_back(*first, *last);
  }
  return ranges;
}

ColumnSpec::Part parse_part(std::string_view text) {
  ColumnSpec::Part part;
  if (const std::size_t less = text.rfind('<'); less != std::string_view::npos && text.find('*') < less) {
    if (const auto below = whole_number(text.substr(less + 1))) {
      part.below = static_cast<long long>(*below);
      text = text.substr(0, less);
    }
  }
  part.pattern = text;
  part.folded = fold_name(text);
  part.glob = text.find_first_of("*?") != std::string_view::npos;
  part.positions = positions_in(text);
  return part;
}

bool has_name(Names names, std::string_view wanted) {
  for (const std::string_view choice : split(wanted, '|')) {
    const std::string folded = fold_name(choice);
    if (std::any_of(names.begin(), names.end(), [&](std::string_view name) { return fold_name(name) == folded; })) {
      return true;
    }
  }
  return false;
}

}  // namespace

ColumnSpec parse_column_spec(std::string_view text) {
  ColumnSpec spec;
  spec.text = text;
  spec.folded = fold_name(text);
  for (const std::string_view alternative : split(text, '|')) {
    std::vector<ColumnSpec::Part> parts;
    for (const std::string_view part : split(alternative, '+'))
      if (!trim(part).empty()) parts.push_back(parse_part(trim(part)));
    if (!parts.empty()) spec.alternatives.push_back(std::move(parts));
  }
  return spec;
}

std::span<const Preset> all_presets() {
  return kPresets;
}

const Preset* find_preset(std::string_view name) {
  const auto found =
      std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& preset) { return preset.name == name; });
  return found == kPresets.end() ? nullptr : &*found;
}

std::vector<const Preset*> presets_of(Names names) {
  std::vector<const Preset*> found;
  for (const Preset& preset : kPresets) {
    const Names& signs = preset.signature;
    const bool fits = !signs.empty() && std::all_of(signs.begin(), signs.end(),
                                                    [&](std::string_view sign) { return has_name(names, sign); });
    if (fits) found.push_back(&preset);
  }
  return found;
}

std::vector<std::string> missing_of(const Preset& preset, Names names) {
  std::vector<std::string> missing;
  for (const std::string_view sign : preset.signature) {
    if (has_name(names, sign)) continue;
    std::string shown;
    for (const std::string_view choice : split(sign, '|'))
      shown += fmt::format("{}'{}'", shown.empty() ? "" : " or ", choice);
    missing.push_back(std::move(shown));
  }
  return missing;
}

Names synonyms_of(const FieldSpec& field) {
  if (field.name == "id") return kIds;
  if (field.is_prose) return kDescriptions;
  if (field.is_images) return kImages;
  return {};
}

NumberedName numbered_image(std::string_view folded) {
  constexpr std::array<std::string_view, 10> kStems{
      "image",    "images",      "photo", "photos",     "picture",
      "pictures", "media_image", "img",   "image_link", "additional_image_link"};
  const std::size_t digits = std::min(folded.find_first_of("0123456789"), folded.size());
  std::string_view stem = folded.substr(0, digits);
  while (!stem.empty() && std::string_view("_/[#").find(stem.back()) != std::string_view::npos) stem.remove_suffix(1);
  std::string_view rest = folded.substr(digits);
  rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  if (stem.ends_with("_url")) stem.remove_suffix(4);
  while (!rest.empty() && std::string_view("]_/").find(rest.front()) != std::string_view::npos) rest.remove_prefix(1);
  if (!rest.empty() && rest != "url" && rest != "src") return {};
  if (std::find(kStems.begin(), kStems.end(), stem) == kStems.end()) return {};
  return {std::string(stem) + (rest.empty() ? "" : "/") + std::string(rest),
          digits == folded.size() ? -1 : number_in(folded, digits)};
}

bool is_main_photo_name(std::string_view folded) {
  constexpr std::array<std::string_view, 5> kWhich{"main_", "primary_", "cover_", "featured_", "hero_"};
  constexpr std::array<std::string_view, 3> kWhat{"image", "photo", "picture"};
  if (folded.ends_with("_url")) folded.remove_suffix(4);
  return std::any_of(kWhich.begin(), kWhich.end(), [&](std::string_view which) {
    return folded.starts_with(which) &&
           std::find(kWhat.begin(), kWhat.end(), folded.substr(which.size())) != kWhat.end();
  });
}

bool is_private_name(std::string_view folded) {
  // RESO Data Dictionary 1.7, Property: remarks that no public site may show, and how to get into the house.
  constexpr std::array<std::string_view, 6> kPrivate{"privateremarks",  "privateofficeremarks", "showinginstructions",
                                                     "lockboxlocation", "lockboxserialnumber",  "accesscode"};
  std::string name(folded);
  std::erase(name, '_');
  return std::find(kPrivate.begin(), kPrivate.end(), name) != kPrivate.end();
}

bool is_no_photo_name(std::string_view name) {
  constexpr std::array<std::string_view, 32> kWords{
      "text",      "caption", "captions",   "tag",    "alt",    "title",      "legend", "label",
      "desc",      "host",    "agent",      "agents", "agency", "broker",     "seller", "logo",
      "logos",     "avatar",  "thumbnail",  "thumb",  "thumbs", "thumbnails", "plan",   "plans",
      "floorplan", "epc",     "floorplans", "video",  "videos", "tour",       "tours",  "map"};
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_letter = [&](char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80U;
  };
  for (std::size_t at = 0; at < name.size();) {
    std::size_t end = at;
    while (end < name.size() && is_letter(name[end]) && (end == at || !is_upper(name[end]) || is_upper(name[end - 1])))
      ++end;
    const std::string word = ascii_lower(name.substr(at, end - at));
    if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
    at = end < name.size() && is_letter(name[end]) && end > at ? end : end + 1;
  }
  return false;
}

}  // namespace reelbatch
