#include "tests/simulation/auditor.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {
namespace {

/// `A bright house with a garden, number 12 v3` is of the listing `L-12`.
std::string ref_of(const std::string& description) {
  const std::size_t at = description.find("number ");
  if (at == std::string::npos) return {};
  const std::string rest = description.substr(at + 7);
  return "L-" + rest.substr(0, rest.find(' '));
}

/// Without the catalogue in front. That of a repair has slashes of its own.
std::string id_of(const std::string& ref) {
  return ref.starts_with("L-") ? ref : ref.substr(ref.find('/') + 1);
}

}  // namespace

Auditor::Auditor(World& world, const Options& options)
    : pace(world, options, [this](bool holds, const std::string& violation) { check(holds, violation); }),
      world_(world),
      options_(options) {
  world_.on_started = [this](const World::Start& start) {
    check(!commit_failed_, "a request starts although the ledger could not be written");
    check(world_.now() >= world_.held_until[start.service], "a request starts before a 429 allows it");
    pace.started(start);
    if (start.paid) check_spending(start.service);
    if (start.paid) check_in_flight(start);
    check(start.video.empty() || world_.open_on(start.service, start.video) == 0,
          "two requests about one video are out at once: " + start.video);
  };
  world_.on_sent = [this](const World::Send& send) { sent(send); };
  world_.on_ended = [this](const World::End& end) { pace.ended(end); };
  world_.on_accepted = [this](const World::Acceptance& acceptance) { accepted(acceptance); };
}

void Auditor::find(std::string violation) {
  // One broken promise shows in many places; the first few tell.
  if (violations_.size() < 10) violations_.push_back(std::move(violation));
}

void Auditor::check(bool holds, const std::string& violation) {
  ++checks;
  if (!holds) find(violation);
}

// ---- A process ------------------------------------------------------------------------------------------------------

void Auditor::begin(Ledger& ledger, const std::string& run_uid) {
  ledger_ = &ledger;
  const auto run = ledger.run(run_uid);
  run_ = run && *run ? (*run)->id : 0;
  pace.begin(ledger);
  rows_submitted_.clear();
  run_of_life_[world_.life()] = run_uid;
  service_of_account_.clear();
  world_.balance_told.assign(world_.balance_told.size(), false);
  const auto accounts = ledger.accounts();
  if (!accounts) return;
  for (const AccountRecord& record : *accounts) {
    for (std::size_t i = 0; i < options_.accounts.size(); ++i) {
      if (options_.accounts[i].name != record.name) continue;
      service_of_account_[record.id] = i;
      // What a process was told and did not record, the next one cannot know.
      const auto last = ledger.last_figures(record.id);
      world_.balance_told[i] = last && last->figures.remaining;
    }
  }
}

void Auditor::attempted(const Commit& commit) {
  intents_in_doubt_ = static_cast<std::int64_t>(commit.intents.size());
  for (const Intent& intent : commit.intents) {
    if (!intent.repair) rows_submitted_.insert(intent.row);
  }
  check(!options_.limit || static_cast<long>(rows_submitted_.size()) <= *options_.limit,
        fmt::format("{} rows are submitted with --limit {}", rows_submitted_.size(), options_.limit.value_or(0)));
}

void Auditor::committed(bool done) {
  commit_failed_ |= !done;
  if (!done) return;
  intents_recorded_ += std::exchange(intents_in_doubt_, 0);
  paid_answers_ = world_.paid_answers;
}

void Auditor::end() {
  last_end = {intents_recorded_ - (world_.paid_answers - answers_before_), intents_in_doubt_,
              world_.paid_answers - paid_answers_};
  intents_recorded_ = 0;
  answers_before_ = world_.paid_answers;
  lost_ += last_end.out + last_end.intents + last_end.unrecorded;
  commit_failed_ = false;
  intents_in_doubt_ = 0;
  paid_answers_ = world_.paid_answers;
  ledger_ = nullptr;
  run_ = 0;
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void Auditor::sent(const World::Send& send) {
  pace.sent(send);
  const AccountOptions& account = options_.accounts[send.service];
  for (const RateWindow& window : account.rate) check_window(all_, send, window, "requests");
  if (!send.paid) return;
  for (const RateWindow& window : account.submit_rate) check_window(paid_, send, window, "submissions");
}

void Auditor::check_window(Windows& windows, const World::Send& send, const RateWindow& window, const char* what) {
  std::deque<Instant>& recent = windows[{send.service, window.width.count()}];
  while (!recent.empty() && send.at - recent.front() > window.width) recent.pop_front();
  recent.push_back(send.at);
  check(recent.size() <= static_cast<std::size_t>(window.limit),
        fmt::format("{} {} within {} ms, {} are allowed", recent.size(), what,
                    std::chrono::duration_cast<std::chrono::milliseconds>(window.width).count(), window.limit));
}

/// A submission starts: its intent is in the ledger, and with it no more are in flight than allowed. What is adopted
/// before it leaves comes on top.
void Auditor::check_in_flight(const World::Start& start) {
  if (ledger_ == nullptr) return;
  const auto counts = ledger_->counts();
  const auto jobs = ledger_->open_jobs();
  if (!counts || !jobs) return;
  const auto submitting = counts->jobs.find(State::Submitting);
  const std::int64_t recorded = submitting == counts->jobs.end() ? 0 : submitting->second;
  const std::int64_t out = world_.paid_open() + 1;
  check(recorded >= out, fmt::format("{} submissions are out, {} intents are recorded", out, recorded));
  if (start.repair) return;      // shares the place of the job with the part
  std::set<std::string> places;  // a video and all that works on it is one
  for (const OpenJob& job : *jobs) {
    const bool takes_place = job.state == State::InFlight && job.repairs == 0 &&
                             service_of_account_[job.account] == start.service &&
                             world_.wall() - job.accepted_at < options_.give_up_after;
    if (takes_place) places.insert(job.subject.empty() ? job.remote_id : job.subject);
  }
  if (!start.video.empty() && places.count(start.video) > 0) return;
  std::size_t alone = 0;
  std::vector<std::string> submitted = world_.paid_on(start.service);
  submitted.push_back(start.video);
  for (const std::string& video : submitted) {
    if (video.empty()) {
      ++alone;
    } else {
      places.insert(video);
    }
  }
  const auto most = static_cast<std::size_t>(options_.accounts[start.service].max_in_flight);
  check(places.size() + alone <= most,
        fmt::format("{} in flight or being submitted and {} more being submitted, {} are "
                    "allowed",
                    places.size(), alone, most));
}

/// Each part so often as the policy says, and what was sent once only once.
void Auditor::repaired(const World::Acceptance& acceptance) {
  const Part sent{acceptance.service, acceptance.part};
  const auto known = first_id_.find(sent);
  const std::string first = known == first_id_.end() ? acceptance.part : known->second;
  first_id_[{acceptance.service, acceptance.id}] = first;
  const std::string ref = ref_of(acceptance.description);
  const int allowed = allowed_repairs_[ref];
  check(++made_again_[sent] <= 1 + allowed, fmt::format("part {} of {} is paid again twice", acceptance.part, ref));
  const int times = ++repaired_times_[{acceptance.service, first}];
  check(times <= options_.repair.times + allowed,
        fmt::format("part {} of {} is made again {} times, {} are allowed", first, ref, times, options_.repair.times));
  Credits& cost = repairs_cost_[{acceptance.service, acceptance.of}];
  cost = cost + acceptance.charged;
  check_budgets(acceptance);
  acceptances_.emplace(std::pair(acceptance.service, acceptance.id), acceptance);
}

/// A clip of its video was made again by something else, or it is what made one again.
bool Auditor::is_remade(const World::Acceptance& acceptance) const {
  return !acceptance.video.empty() || remakes_.count({acceptance.service, acceptance.id}) > 0;
}

void Auditor::accepted(const World::Acceptance& acceptance) {
  if (!acceptance.video.empty()) remakes_[{acceptance.service, acceptance.video}].push_back(acceptance.id);
  if (!acceptance.part.empty()) return repaired(acceptance);
  int failed = 0;
  if (retries) {
    for (const ServiceJob& job : world_.service(acceptance.service).jobs()) {
      const auto before = acceptances_.find({acceptance.service, job.id});
      failed += before != acceptances_.end() && before->second.part.empty() &&
                before->second.description == acceptance.description &&
                (job.status == "ERROR" || job.status == "failed" || job.status == "rejected" ||
                 given_up_.count({acceptance.service, job.id}) > 0);
    }
  }
  const int times = ++accepted_times_[acceptance.description];
  // A video that failed may since have been mended by a clip made again, and says no more that it had failed.
  const auto mended = [&](const auto& known) {
    return known.second.description == acceptance.description && is_remade(known.second);
  };
  if (retries && std::any_of(acceptances_.begin(), acceptances_.end(), mended)) failed = options_.retry_limit;
  check(times <= 1 + failed + allowed_[acceptance.description],
        fmt::format("paid {} times: {}", times, acceptance.description));
  check(failed <= options_.retry_limit + allowed_[acceptance.description],
        fmt::format("{} failed submissions of: {}", failed, acceptance.description));
  // What an earlier process sent may arrive now.
  check(only.empty() || acceptance.life != world_.life() || only.count(ref_of(acceptance.description)) > 0,
        "a row is submitted that --only does not name: " + ref_of(acceptance.description));
  check_budgets(acceptance);
  acceptances_.emplace(std::pair(acceptance.service, acceptance.id), acceptance);
}

// ---- What is said afterwards ----------------------------------------------------------------------------------------

void Auditor::check_report(Ledger& ledger, const EndedRun& ended, std::optional<std::size_t> rows) {
  take_refunds();
  const RunReport& report = ended.report;
  std::int64_t counted = 0;
  for (const RowState state : kRowStates) counted += report.counts.of(state);
  const std::int64_t expected = rows ? static_cast<std::int64_t>(*rows) : report.counts.rows;
  check(counted == report.counts.rows && report.counts.rows == expected,
        fmt::format("the report has {} rows, {} of them counted by state; the manifest has {}", report.counts.rows,
                    counted, expected));
  std::int64_t selected = 0;
  for (const RowState state : kRowStates) selected += report.counts.selected_of(state);
  check(ended.exit_code != 0 || report.counts.selected_of(RowState::Done) == selected,
        "exit code 0, and not every selected row is done");
  const std::int64_t waiting =
      report.counts.selected_of(RowState::InFlight) + report.counts.selected_of(RowState::Planned);
  check(waiting == 0 || !report.run.stopped_by.empty(),
        fmt::format("nothing stopped the run, and {} rows are not finished", waiting));
  const Result<void> walked = ledger.for_each_row(report.run.id, [&](const RowView& view) -> Result<void> {
    check_row(view, report.run);
    return {};
  });
  check(walked.has_value(), "the rows cannot be read");
  check_sums(ledger, report);
  for (const auto& [account, sums] : report.credits) {
    const bool negative = sums.unattributed && *sums.unattributed < Credits{};
    // An answer of another time brings a balance of that time: that looks like a refund. So does a charge to come.
    const std::size_t service = service_named(account);
    check(
        !negative || world_.reached.count("state that goes backwards") != 0 || charges_late(service) ||
            world_.options.service.refunds,
        fmt::format("{} credits of account {} are unattributed: more was attributed than spent (used {}, remaining {})",
                    sums.unattributed ? to_text(*sums.unattributed) : "", account,
                    sums.used ? to_text(*sums.used) : "?", sums.remaining ? to_text(*sums.remaining) : "?"));
  }
}

void Auditor::check_row(const RowView& view, const RunRecord& run) {
  const ResultRow row = result_row(view, run);
  std::size_t service = 0;
  for (std::size_t i = 0; i < options_.accounts.size(); ++i) {
    if (options_.accounts[i].name == row.account) service = i;
  }
  const auto followed_video = followed_.find(std::string(row.id));
  if (followed_video != followed_.end()) check_followed(view, row, followed_video->second, run);
  if (row.job_id.empty()) {
    check(row.state != RowState::Done && row.state != RowState::InFlight && row.state != RowState::TimedOut,
          fmt::format("{} is {} without a job", row.id, name_of(row.state)));
    return;
  }
  if (followed_video != followed_.end()) return;
  const auto found = acceptances_.find({service, std::string(row.job_id)});
  if (found == acceptances_.end()) return find(fmt::format("{} shows job {}, which nobody made", row.id, row.job_id));
  check(ref_of(found->second.description) == row.id,
        fmt::format("{} shows the job of: {}", row.id, found->second.description));
  const std::string status = world_.status_of(service, std::string(row.job_id));
  const auto current = contents.find(std::string(row.id));
  if (row.state == RowState::Done && current != contents.end() && adopted_.count(current->first) == 0) {
    check(found->second.description == current->second,
          fmt::format("{} is done with: {}; its content is: {}", row.id, found->second.description, current->second));
  }
  const bool says_done = status == "DONE" || status == "done";
  const bool says_failed = status == "ERROR" || status == "failed" || status == "rejected";
  const auto repairs = repairs_cost_.find({service, std::string(row.job_id)});
  if (row.state == RowState::Done) {
    if (is_remade(found->second)) {
      check_render(row, found->second);
    } else {
      const std::string video = fmt::format("{}/{}.mp4", world_.options.service.video_base, row.job_id);
      check(says_done && row.url == video,
            fmt::format("{} is done with {}, the service says {}", row.id, row.url, status));
    }
  }
  const bool is_given_up = view.reason.find("given up") != std::string::npos;
  if (is_given_up) given_up_.insert({service, std::string(row.job_id)});
  if (row.state == RowState::Failed && view.state == State::Failed && !is_remade(found->second)) {
    check(says_failed || is_given_up,
          fmt::format("{} is failed ({}), the service says {}", row.id, row.reason, status));
  }
  if (row.credits_used) {
    const Credits charged = found->second.charged - refunded_of(found->second) +
                            (repairs == repairs_cost_.end() ? Credits{} : repairs->second);
    check(*row.credits_used == charged, fmt::format("{} is said to have cost {}, it was charged {}", row.id,
                                                    to_text(*row.credits_used), to_text(charged)));
  }
}

/// A row that waits for a video which is there: it costs nothing, and needs no account that may still submit.
void Auditor::check_followed(const RowView& view, const ResultRow& row, const std::string& video,
                             const RunRecord& run) {
  ++world_.reached["row that only follows a video"];
  check(row.job_id.empty() || row.job_id == video,
        fmt::format("{} shows job {}, it follows {}", row.id, row.job_id, video));
  check(!row.credits_used || *row.credits_used == Credits{},
        fmt::format("{} only follows, and is said to have cost {}", row.id,
                    row.credits_used ? to_text(*row.credits_used) : ""));
  check(view.submissions == 0, fmt::format("{} only follows, and was submitted", row.id));
  if (row.state == RowState::Done) {
    const std::string front = fmt::format("{}/{}", world_.options.service.video_base, video);
    check(row.url.starts_with(front), fmt::format("{} is done with {}, it follows {}", row.id, row.url, video));
  }
  const bool only_submits_stopped = run.stopped_by == "budget" || run.stopped_by == "credits";
  if (!only_submits_stopped || run.accounts_stopped.size() > 1 || !view.row.selected) return;
  check(row.state != RowState::Planned,
        fmt::format("{} waits for {} behind rows that are not submitted any more", row.id, video));
  ++world_.reached["row that follows behind a stop"];
}

/// A row that is done with one of several renders of a video: not one from before it, and of an older one it says by
/// which row the video was made anew.
void Auditor::check_render(const ResultRow& row, const World::Acceptance& made) {
  const std::string video = made.video.empty() ? made.id : made.video;
  const std::string front = fmt::format("{}/{}", world_.options.service.video_base, video);
  if (!row.url.starts_with(front)) return find(fmt::format("{} is done with {}", row.id, row.url));
  const std::string number = std::string(row.url.substr(front.size()));
  const std::size_t render = number.starts_with("-") ? std::stoul(number.substr(1)) : 0;
  // By the clock, and by answers of another time, one render cannot be told from the next.
  for (const char* unsure : {"state that goes backwards", "clock set back", "clock set forward", "suspended"}) {
    if (world_.reached.count(unsure) != 0) return;
  }
  const std::vector<std::string>& remakes = remakes_[{made.service, video}];
  const auto own = std::find(remakes.begin(), remakes.end(), made.id);
  const std::size_t least = own == remakes.end() ? 0 : static_cast<std::size_t>(own - remakes.begin()) + 1;
  check(render >= least, fmt::format("{} is done with {}, which is from before it", row.id, row.url));
  std::string newest;  // row that the program knows of
  for (std::size_t i = render; i < remakes.size(); ++i) {
    const World::Acceptance& later = acceptances_.at({made.service, remakes[i]});
    const Result<JobId> known = ledger_->job_with_remote_id(account_of(made.service), later.id, 0);
    if (later.part.empty() && known && *known != 0) newest = ref_of(later.description);
  }
  if (newest.empty()) return;
  ++world_.reached["row overtaken by another"];
  check(row.reason.find("overtaken by") != std::string::npos,
        fmt::format("{} is done with {}, and does not say that {} made the video anew", row.id, row.url, newest));
}

AccountId Auditor::account_of(std::size_t service) const {
  for (const auto& [id, known] : service_of_account_) {
    if (known == service) return id;
  }
  return 0;
}

void Auditor::check_books(Ledger& ledger) {
  const auto held = ledger.held_jobs();
  const auto findings = ledger.verify();
  if (!held || !findings) return find("the ledger cannot be read");
  for (const std::string& finding : *findings) find(finding);
  check_credits(ledger);
  check(static_cast<std::int64_t>(held->size()) <= doubtful(),
        fmt::format("{} rows are held, {} submissions were in doubt", held->size(), doubtful()));
  for (const auto& [key, acceptance] : acceptances_) {
    const Result<JobId> known = ledger.job_with_remote_id(account_of(key.first), acceptance.id, 0);
    if (known && *known != 0) continue;
    const std::string ref = ref_of(acceptance.description);
    const auto is_of = [&](std::string_view name) {
      return acceptance.part.empty() ? name == ref : name.starts_with(ref + "/repair/");
    };
    const bool waits =
        std::any_of(held->begin(), held->end(), [&](const HeldJob& job) { return is_of(id_of(job.ref)); });
    check(waits || std::any_of(resolved_.begin(), resolved_.end(), is_of),
          fmt::format("job {} of {} is lost", acceptance.id, ref));
  }
}

void Auditor::check_secret(const std::string& bytes, const char* where) {
  check(secret.empty() || bytes.find(secret) == std::string::npos, fmt::format("the key is in {}", where));
}

}  // namespace reelbatch
