// What a simulated campaign goes through, as plain numbers drawn from one seed: they can be printed, set by hand, and
// made smaller one by one while a failure stays.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "jobs/error.h"

namespace reelbatch {

/// Rates are shares in thousandths of the requests, unless said otherwise; 0 is never.
struct Scenario {
  std::int64_t seed = 1;

  // The catalogue and the operator.
  std::int64_t rows = 4;
  std::int64_t lives = 0;    ///< processes before the calm
  std::int64_t changes = 0;  ///< rows that change between two lives
  std::int64_t leaves = 0;   ///< rows missing from a life's manifest
  std::int64_t resume = 0;   ///< lives that take up the last run instead of reading the manifest
  std::int64_t resolve = 0;  ///< lives before which the operator decides about held rows
  std::int64_t retry_failed = 0;
  std::int64_t retry_limit = 3;
  std::int64_t skip_changed = 0;  ///< --on-change skip
  std::int64_t limit = 0;         ///< --limit of a life, at most, in one life of two; 0: none
  std::int64_t only = 0;          ///< rows that --only names, in one life of three
  std::int64_t keep_runs = 0;     ///< 0: as many as by default
  std::int64_t catalogue = 0;     ///< ids have a catalogue in front
  std::int64_t labels = 0;        ///< values of a label that is drawn for each row and life
  std::int64_t pause_s = 0;       ///< between two lives, at most

  // Limits.
  std::int64_t accounts = 1;
  std::int64_t aurora_accounts = 0;  ///< of Creatify, beside those
  std::int64_t videos = 0;           ///< every second row of IACrea is made from explicit sequences
  std::int64_t repair_times = 0, repair_after_s = 1;
  std::int64_t remakes = 0;        ///< rows that make a clip of one of them again, new before a life, at most
  std::int64_t remake_lag_ms = 0;  ///< how long the service still shows the old render of one
  std::int64_t rate = 20, rate_ms = 1000;
  std::int64_t long_rate = 0, long_rate_s = 60;  ///< 0: none
  std::int64_t submit_rate = 2, submit_ms = 1000;
  std::int64_t in_flight = 20;
  std::int64_t connections = 128;
  std::int64_t poll_ms = 3000;
  std::int64_t job_timeout_s = 1200;
  std::int64_t outage_timeout_s = 900;
  std::int64_t deadline_s = 0;
  std::int64_t hold_limit = 5;

  // Money, in credits; 0: none.
  std::int64_t photos = 1;  ///< and so credits a job, at most
  std::int64_t balance = 100'000;
  std::int64_t per_job = 0;  ///< `used` is the job's
  std::int64_t meaning = 0;  ///< the configuration says so: 1 auto, else what is true
  std::int64_t max_price = 0;
  std::int64_t max_credits = 0;
  std::int64_t hides_used = 0;     ///< answers about jobs that leave out what was used
  std::int64_t charge_late_s = 0;  ///< Aurora: how long after its end a half of a job's price leaves the balance
  std::int64_t refunds = 0;        ///< Aurora: a failed job costs nothing in the end
  std::int64_t tells_none = 0;     ///< answers about jobs carry no figures, where a balance cannot be asked for
  std::int64_t run_budget = 0, day_budget = 0, month_budget = 0, keep = 0;
  std::int64_t budget_mode = 0;                                                     ///< Budget::Mode
  std::int64_t label_run_budget = 0, label_day_budget = 0, label_month_budget = 0;  ///< of every third listing

  // The service and the way there.
  std::int64_t clip_ms = 5000, render_ms = 3000;
  std::int64_t clip_errors = 0, job_errors = 0;
  std::int64_t stuck_clips = 0;  ///< of those of explicit sequences: in error until made again
  std::int64_t connect_ms = 0, latency_ms = 10;
  std::int64_t slow = 0, never_left = 0, lost_request = 0, lost_answer = 0;
  std::int64_t error_before = 0, error_after = 0, unavailable = 0, not_taken_503 = 0;
  std::int64_t too_many = 0, retry_form = 0;
  std::int64_t cut = 0, html = 0, other_id = 0, refuse_row = 0, stale = 0, echo = 0;
  std::int64_t unknown_ms = 0;
  std::int64_t refuse_ids = 0;  ///< the service tells of one job at a time
  std::int64_t list_max = 0;    ///< the longest list it gives
  std::int64_t outage_at_s = 0, outage_s = 0;
  std::int64_t key_refused_at_s = 0, key_refused_s = 0;

  // Time and the machine.
  std::int64_t dst_night = 0;        ///< 1, 2: the nights on which the local clock changes; 3: a month begins
  std::int64_t clock_steps = 0;      ///< thousandths of the events at which the wall clock is set
  std::int64_t suspends = 0;         ///< thousandths of the events at which the machine sleeps
  std::int64_t crash_after = 0;      ///< a life ends by a crash after so many events on average; 0: never
  std::int64_t crash_in_write = 0;   ///< the same, counted in operations of the disk
  std::int64_t power_loss = 0;       ///< thousandths of the crashes that lose what was not synced
  std::int64_t sync_fails = 0;       ///< thousandths of the syncs
  std::int64_t disk_full_after = 0;  ///< operations of the disk on average, in one life of three
  std::int64_t signal_s = 0;         ///< a life is asked to stop about so late, in one life of two
};

struct ScenarioField {
  std::string_view name;
  std::int64_t Scenario::*member;
};
std::span<const ScenarioField> scenario_fields();

/// Everything drawn from the seed.
Scenario draw_scenario(std::uint64_t seed);

/// `rows=4 lives=2 …`: what differs from an empty scenario.
std::string to_text(const Scenario& scenario);
/// Sets one field; `text` is `name=number`.
Result<void> set_field(Scenario& scenario, std::string_view text);

/// The smallest scenario found for which `fails` is still true, by setting fields to nothing and by halving them.
///
/// tries  how often `fails` may be asked.
Scenario shrink(Scenario failing, const std::function<bool(const Scenario&)>& fails, int tries);

}  // namespace reelbatch
