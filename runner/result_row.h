// A row as the reports show it: one of seven states, and in words why.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "jobs/credits.h"
#include "runner/clock.h"
#include "runner/ledger.h"

namespace reelbatch {

/// The states of PRODUCT.md section 3, in the order in which summaries name them.
enum class RowState { Done, Failed, TimedOut, InFlight, Held, Planned, Invalid };
inline constexpr std::array kRowStates = {RowState::Done, RowState::Failed,  RowState::TimedOut, RowState::InFlight,
                                          RowState::Held, RowState::Planned, RowState::Invalid};
std::string_view name_of(RowState state);

/// The texts are the view's.
struct ResultRow {
  std::string_view id, kind, account;
  RowState state = RowState::Planned;
  std::string_view url, job_id;
  std::optional<Credits> credits_used;
  std::optional<WallTime> submitted_at, finished_at;
  std::optional<std::chrono::milliseconds> took;  ///< from acceptance to the end: time_between()
  std::optional<std::int64_t> polls;
  std::int64_t submissions = 0;
  std::string reason;
  std::string_view file;
  std::uint64_t line = 0;
  std::span<const Label> labels;
  bool selected = true;
  bool unchanged = false;  ///< nothing was to be done for it
};

/// Between two moments; nothing if one is not known, or if a clock was set back in between.
std::optional<std::chrono::milliseconds> time_between(const std::optional<WallTime>& from,
                                                      const std::optional<WallTime>& to);

/// run  tells why rows that were not sent were not.
ResultRow result_row(const RowView& view, const RunRecord& run);

/// Selected rows by state, and how many paid requests they took.
struct RowCounts {
  std::array<std::int64_t, kRowStates.size()> all{};       ///< every row, selected or not: what a report counts
  std::array<std::int64_t, kRowStates.size()> selected{};  ///< what the exit code looks at
  std::int64_t rows = 0;
  std::int64_t submissions = 0;
  std::int64_t unchanged = 0;  ///< done on an earlier night

  void add(const ResultRow& row);
  void add(const RowCount& count);
  void add(const UnchangedCounts& unchanged);
  std::int64_t of(RowState state) const { return all[static_cast<std::size_t>(state)]; }
  std::int64_t selected_of(RowState state) const { return selected[static_cast<std::size_t>(state)]; }

 private:
  void add(RowState state, bool is_selected, bool was_done, std::int64_t count, std::int64_t paid);
};

}  // namespace reelbatch
