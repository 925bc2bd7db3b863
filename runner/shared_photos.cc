#include "runner/shared_photos.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/unicode.h"
#include "runner/digest.h"

namespace reelbatch {
namespace {

constexpr std::uint64_t kTimes = 3;  ///< the bits of an entry that count
static_assert(SharedPhotos::kListings <= kTimes);

}  // namespace

SharedPhotos::SharedPhotos() : seen_(kSets * kWays) {}

void SharedPhotos::add(std::span<const NormalField> fields, std::string_view file, Place place) {
  for (const NormalField& field : fields) {
    if (field.spec->is_images) add_list(RawValue::Form::Json, field.json, file, place);
  }
}

void SharedPhotos::add_plain(const JobKind& kind, std::span<const FieldText> fields, std::string_view file,
                             Place place) {
  const std::span<const FieldSpec> specs = kind.fields();
  for (const FieldText& field : fields) {
    const bool is_images = std::any_of(
        specs.begin(), specs.end(), [&](const FieldSpec& spec) { return spec.is_images && spec.name == field.name; });
    if (is_images) add_list(field.form, field.text, file, place);
  }
}

/// An address has neither a quote nor a backslash nor a bar in it. Between two quotes there is one, or a comma.
void SharedPhotos::add_list(RawValue::Form form, std::string_view list, std::string_view file, Place place) {
  const char edge = form == RawValue::Form::Json ? '"' : '|';
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(edge, at), list.size());
    if (end - at > 1) add_address(list.substr(at, end - at), file, place);
    at = end + 1;
  }
}

void SharedPhotos::add_address(std::string_view address, std::string_view file, Place place) {
  const std::uint64_t digest = short_digest_of(address);
  const std::uint64_t tag = digest & ~kTimes;
  std::uint64_t* const set = &seen_[kWays * ((digest >> 32U) % kSets)];
  // Which of several equals makes room is left to chance, or the first ones would never go.
  const std::size_t first = static_cast<std::size_t>(digest >> 60U);
  std::uint64_t* rarest = set + first % kWays;
  for (std::size_t i = 0; i < kWays; ++i) {
    std::uint64_t* const entry = set + (first + i) % kWays;
    if ((*entry & ~kTimes) == tag && *entry != 0) {
      if ((*entry & kTimes) < kListings) ++*entry;
      if ((*entry & kTimes) == kListings) count(digest, address, file, place);
      return;
    }
    if ((*entry & kTimes) < (*rarest & kTimes)) rarest = entry;
  }
  // A photo that was met once makes room at once; the others get weaker, and keep their place until they are as weak.
  if ((*rarest & kTimes) <= 1) {
    *rarest = tag | 1U;
  } else {
    --*rarest;
  }
}

void SharedPhotos::count(std::uint64_t digest, std::string_view address, std::string_view file, Place place) {
  const auto known = shared_.find(digest);
  if (known != shared_.end()) {
    ++known->second.listings;
  } else if (shared_.size() < kSharedMax) {
    shared_.emplace(digest, Shared{std::string(address), std::string(file), place, kListings});
  } else {
    more_ = true;
  }
}

std::optional<Remark> SharedPhotos::remark() const {
  if (shared_.empty()) return std::nullopt;
  const Shared& most = std::max_element(shared_.begin(), shared_.end(), [](const auto& a, const auto& b) {
                         return a.second.listings < b.second.listings;
                       })->second;
  std::string message = fmt::format("{} listings have the same photo {}: is it one that stands for none?",
                                    most.listings, printable(most.address, 200));
  if (shared_.size() > 1)
    message +=
        fmt::format(" ({}{} photos are in {} or more listings)", more_ ? "more than " : "", shared_.size(), kListings);
  return Remark{Remark::Level::Warning, most.file, most.place, {}, std::move(message)};
}

}  // namespace reelbatch
