#include "runner/renamed_listings.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

/// As of a mass change (PRODUCT.md 4.2): more than so many, and more than one in so many.
constexpr std::int64_t kMany = 20;
constexpr std::int64_t kPart = 5;

bool are_many(std::int64_t renamed, std::int64_t with_video) {
  return renamed > kMany && renamed * kPart > with_video + renamed;
}

/// Whether the manifest names the listing. A row that was known at a glance was noted by its job alone.
Result<bool> is_seen(Ledger& ledger, const ListingsSeen& seen, ListingId listing) {
  if (seen.has_listing(listing)) return true;
  const Result<std::vector<Ledger::JobOfListing>> jobs = ledger.jobs_of(listing);
  if (!jobs) return tl::unexpected(jobs.error());
  return std::any_of(jobs->begin(), jobs->end(), [&](const auto& job) { return seen.has_job(job.job.id); });
}

}  // namespace

void RenamedListings::add_new(const Digest& content, std::string_view ref) {
  entries_.push_back({content, static_cast<std::uint32_t>(refs_.size()), false});
  refs_.append(ref).push_back('\0');
}

RenamedListings::Entry* RenamedListings::find(const Digest& content) {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), content,
                                      [](const Entry& entry, const Digest& digest) { return entry.content < digest; });
  return found != entries_.end() && found->content == content ? &*found : nullptr;
}

Result<void> RenamedListings::check(Ledger& ledger, const ListingsSeen& seen, std::int64_t with_video,
                                    const std::function<Result<Digest>(const Ledger::PaidContent&)>& content_of) {
  if (!are_many(static_cast<std::int64_t>(entries_.size()), with_video)) return {};
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.content < b.content; });
  std::int64_t renamed = 0;
  std::string example;
  const auto look_at = [&](const Ledger::PaidContent& paid) -> Result<void> {
    const Result<Digest> content = content_of(paid);
    if (!content) return tl::unexpected(content.error());
    Entry* entry = find(*content);
    if (entry == nullptr || entry->paid) return {};
    const Result<bool> is_there = is_seen(ledger, seen, paid.listing);
    if (!is_there) return tl::unexpected(is_there.error());
    if (*is_there) return {};
    entry->paid = true;
    if (++renamed == 1) {
      example =
          fmt::format("'{}' says what '{}' of account {} said", refs_.c_str() + entry->ref, paid.ref, paid.account);
    }
    return {};
  };
  if (Result<void> done = ledger.for_each_paid_content(look_at); !done) return done;
  if (!are_many(renamed, with_video)) return {};
  return usage_error(fmt::format(
      "{} of {} listings that are new to the ledger say what was paid for under other names: "
      "{}; nothing was submitted. A video belongs to its listing's account, catalogue and id: if one of these "
      "was renamed, or ids have another form than before, put it back. If they are to be paid for, run again "
      "with --allow-mass-change",
      renamed, entries_.size(), example));
}

}  // namespace reelbatch
