// How the ledger's columns hold times and credits. Private to sqlite_ledger.cc and sqlite_ledger_views.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "jobs/credits.h"
#include "runner/clock.h"
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

/// What a job cost, by what the account's figure means; unknown while that is undecided.
inline constexpr const char* kCost =
    "CASE a.credit_meaning WHEN 'job' THEN j.used_last WHEN 'account' THEN j.cost_alone END";

}  // namespace reelbatch
