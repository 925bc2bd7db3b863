#include "runner/shared_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobs/unicode.h"
#include "runner/digest.h"

namespace reelbatch {
namespace {

constexpr std::uint32_t kTimes = 3;  ///< the bits of an entry that count
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
  std::array<Address, 8> some;  // their sets come from memory side by side
  std::size_t count = 0;
  const auto add_some = [&] {
    for (std::size_t i = 0; i < count; ++i) add_address(some.at(i), file, place);
    count = 0;
  };
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(edge, at), list.size());
    if (end - at > 1) {
      const std::string_view text = list.substr(at, end - at);
      some.at(count) = {text, short_digest_of(text)};
      __builtin_prefetch(set_of(some.at(count).digest), 1);
      if (++count == some.size()) add_some();
    }
    at = end + 1;
  }
  add_some();
}

std::uint32_t* SharedPhotos::set_of(std::uint64_t digest) {
  return &seen_[kWays * ((digest >> 32U) % kSets)];
}

void SharedPhotos::add_address(const Address& address, std::string_view file, Place place) {
  const std::uint32_t tag = static_cast<std::uint32_t>(address.digest) & ~kTimes;
  std::uint32_t* const set = set_of(address.digest);
  // Which of several equals makes room is left to chance, or the first ones would never go.
  const std::size_t first = static_cast<std::size_t>(address.digest >> 60U);
  // Without a branch: neither can be foretold.
  std::size_t known = kWays, rarest = kWays * kWays;
  for (std::size_t i = 0; i < kWays; ++i) {
    const std::uint32_t entry = set[i];
    known = (entry & ~kTimes) == tag && entry != 0 ? i : known;
    rarest = std::min(rarest, kWays * static_cast<std::size_t>(entry & kTimes) + (i - first) % kWays);
  }
  if (known < kWays) {
    std::uint32_t& entry = set[known];
    if ((entry & kTimes) < kListings) ++entry;
    if ((entry & kTimes) == kListings) count(address, file, place);
    return;
  }
  // A photo that was met once makes room at once; the others get weaker, and keep their place until they are as weak.
  std::uint32_t& entry = set[(first + rarest) % kWays];
  entry = (entry & kTimes) <= 1 ? tag | 1U : entry - 1;
}

void SharedPhotos::count(const Address& address, std::string_view file, Place place) {
  const auto known = shared_.find(address.digest);
  if (known != shared_.end()) {
    ++known->second.listings;
  } else if (shared_.size() < kSharedMax) {
    shared_.emplace(address.digest, Shared{std::string(address.text), std::string(file), place, kListings});
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
