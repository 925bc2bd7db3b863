// How the ledger's columns hold times and credits. Private to sqlite_ledger*.cc.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "jobs/credits.h"
#include "runner/clock.h"
#include "runner/digest.h"
#include "runner/sqlite.h"

namespace reelbatch {

inline std::int64_t to_ms(WallTime time) {
  return time.time_since_epoch().count();
}

inline WallTime from_ms(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

inline std::optional<WallTime> maybe_time(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

inline std::optional<std::int64_t> milli(const std::optional<Credits>& credits) {
  if (!credits) return std::nullopt;
  return credits->milli;
}

inline std::optional<Credits> maybe_credits(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return Credits{row.integer(column)};
}

inline std::optional<std::int64_t> id_or_null(std::int64_t id) {
  return id == 0 ? std::nullopt : std::optional(id);
}

/// Sixteen bytes, the highest first.
inline std::string to_bytes(const Digest& digest) {
  std::string bytes;
  for (const std::uint64_t half : {digest.high, digest.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(half >> shift));
  }
  return bytes;
}

/// Under which `meta` keeps the last run that read a feed.
inline std::string feed_name(std::string_view feed) {
  return "feed " + std::string(feed);
}

/// Nothing for NULL, or for what is no digest.
inline std::optional<Digest> maybe_digest(const Statement& row, int column) {
  const std::string_view bytes = row.text(column);
  if (bytes.size() != 16) return std::nullopt;
  const auto half = [&](std::size_t from) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + from, sizeof(value));
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  };
  return Digest{half(0), half(8)};
}

/// Of a figure c: it tells the account's balance. One that was overtaken tells an older balance than the one before it.
inline constexpr const char* kTellsBalance = "c.remaining IS NOT NULL AND NOT c.overtaken";

/// Of a job j in listing l: other jobs of the account work on what it made, which are no repairs of it. What they cost
/// is in the service's figures of it.
inline constexpr const char* kIsWorkedOn =
    "EXISTS (SELECT 1 FROM jobs w JOIN listings wl ON wl.id = w.listing WHERE w.subject = j.remote_id AND w.repairs IS "
    "NULL AND wl.account = l.account)";

/// What a job cost, by what the account's figure means; unknown while that is undecided, and before the job has ended:
/// services charge step by step.
inline constexpr const char* kCost =
    "CASE WHEN j.followed THEN 0 WHEN j.state NOT IN (5, 6) THEN NULL WHEN a.credit_meaning = 'job' THEN "
    "coalesce(j.used_last, j.cost_alone) WHEN a.credit_meaning = 'account' THEN j.cost_alone END";

/// The same for sums: what an unfinished job is known to have cost so far counts. 0 so far is no knowledge.
inline constexpr const char* kCostSoFar =
    "CASE WHEN j.followed THEN 0 WHEN a.credit_meaning = 'job' AND j.state NOT IN (5, 6) THEN nullif(j.used_last, 0) "
    "WHEN a.credit_meaning = 'job' THEN coalesce(j.used_last, j.cost_alone) WHEN a.credit_meaning = 'account' THEN "
    "j.cost_alone END";

}  // namespace reelbatch
