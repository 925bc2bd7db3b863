// A ledger file with any bytes in it: it opens or is refused with a clear error, and nothing that reads it crashes. One
// that was cut off is never taken for a whole one.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "runner/report.h"
#include "runner/sqlite_ledger.h"
#include "tests/fuzz/fuzz.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

namespace fs = std::filesystem;

const WallTime kNow = WallTime(std::chrono::milliseconds(1'795'262'400'000));

template <typename T>
T good(Result<T> result) {
  must(result.has_value(), "the ledger to damage can be made", result ? "" : result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Every state a job can be in, one listing each.
void fill(SqliteLedger& ledger) {
  AccountRecord account;
  account.name = account.service = "iacrea";
  account.origin = "https://service.example";
  good(ledger.put_account(account));
  good(ledger.begin_work(std::array{account.id}));
  RunRecord run;
  run.uid = "20261121T120000Z-0001";
  run.started_at = kNow;
  good(ledger.begin_intake(run));
  Commit work;
  work.run = run.id;
  std::vector<JobId> jobs;
  for (std::int64_t i = 1; i <= 9; ++i) {
    RowRecord row;
    row.number = i;
    row.id = fmt::format("A-{}", i);
    row.kind = "iacrea.auto";
    row.account = account.name;
    row.listing = good(ledger.listing(account.id, row.kind, row.id));
    row.content = good(ledger.content(
        row.listing,
        fmt::format(R"({{"image_urls":"https://a.example/{}.jpg","description":"A flat, number {}."}})", i, i)));
    row.action = Action::Submit;
    row.reason = Reason::New;
    row.file = "feed.csv";
    row.line = static_cast<std::uint64_t>(i) + 1;
    row.labels = {{"agency", "Lyon"}};
    good(ledger.add_row(row));
    if (i == 9) continue;
    jobs.push_back(ledger.next_job_id());
    work.intents.push_back({jobs.back(), true, i, row.listing, row.content, Credits::whole(2), kNow});
  }
  good(ledger.note_feed("feed"));
  good(ledger.commit_intake());
  good(ledger.commit(work));
  work.clear();
  const auto step = [&](std::size_t job, State from, Event event) {
    Step made;
    made.job = jobs[job];
    made.from = from;
    made.event = event;
    made.at = kNow;
    made.detail = "words";
    if (event == Event::Accept) made.remote_id = fmt::format("gen-{}", job);
    if (event == Event::Finish) made.url = "https://cdn.example/v.mp4";
    work.steps.push_back(std::move(made));
  };
  step(1, State::Submitting, Event::NotTaken);
  step(2, State::Submitting, Event::Lose);
  step(3, State::Submitting, Event::Refuse);
  for (const std::size_t job : {4U, 5U, 6U, 7U}) step(job, State::Submitting, Event::Accept);
  step(5, State::InFlight, Event::WaitOut);
  step(6, State::InFlight, Event::Finish);
  step(7, State::InFlight, Event::Fail);
  work.credits.push_back({account.id, jobs[6], kNow, {Credits::whole(98), Credits::whole(2)}});
  work.sends.push_back({account.id, true, kNow});
  good(ledger.commit(work));
}

/// A sound ledger as bytes: whole after a clean end, and as a killed run leaves it, with its log beside it.
struct Sound {
  Sound() {
    {
      const auto ledger = good(SqliteLedger::open(path, SqliteLedger::Mode::Write));
      fill(*ledger);
      main_of_killed = content_of(path);
      log_of_killed = content_of(path + "-wal");
    }
    whole = content_of(path);
    must(!whole.empty() && !log_of_killed.empty(), "there are bytes to damage");
  }
  ScopedFolder folder;
  std::string path = (folder.path() / "l.db").string();
  std::string whole, main_of_killed, log_of_killed;
};

const Sound& sound() {
  static const Sound made;
  return made;
}

void put(const std::string& main, const std::string& log) {
  const std::string& path = sound().path;
  for (const char* companion : {"", "-wal", "-shm", "-journal", ".v0.bak"}) {
    std::error_code ignored;
    fs::remove(path + companion, ignored);
  }
  std::ofstream(path, std::ios::binary) << main;
  if (!log.empty()) std::ofstream(path + "-wal", std::ios::binary) << log;
}

/// What the ledger says of every job and row, as one text; nothing if any part cannot be read.
std::optional<std::string> told(SqliteLedger& ledger, bool and_write) {
  std::string text;
  bool whole = true;
  const auto check = [&](const auto& result) {
    whole = whole && result.has_value();
    must(result.has_value() || !result.error().message.empty(), "a refusal says why");
    return result.has_value();
  };
  const auto accounts = ledger.accounts();
  check(accounts);
  const auto run = ledger.run("");
  if (check(run) && *run) {
    const RunId id = (*run)->id;
    check(ledger.for_each_row(id, [&](const RowView& row) -> Result<void> {
      const std::string state(row.state ? name_of(*row.state) : "-");
      text += fmt::format("{} {} {} {} {}\n", row.row.id, state, row.remote_id, row.url, row.submissions);
      return {};
    }));
    check(ledger.planned_count(id));
    check(
        ledger.for_each_gone("feed", {}, [&](const ListingName& gone) { text += fmt::format("gone {}\n", gone.ref); }));
    const auto planned = ledger.planned_rows(id, "iacrea", 0, 100);
    if (check(planned)) {
      for (const PlannedRow& row : *planned) {
        text += fmt::format("planned {}\n", row.id);
        check(ledger.fields_of(row.content));
        check(ledger.jobs_of(row.listing));
      }
    }
    check(make_report(ledger, **run));
    if (check(accounts)) {
      for (const AccountRecord& account : *accounts) {
        check(ledger.credit_sums(account.id, id));
        check(ledger.spent(account.id, id, WallTime{}));
        check(ledger.highest_price(account.id, "iacrea.auto"));
        check(ledger.last_figures(account.id));
      }
    }
  } else {
    text += "no run\n";
  }
  const auto open = ledger.open_jobs();
  if (check(open))
    for (const OpenJob& job : *open) text += fmt::format("open {} {}\n", job.id, job.remote_id);
  const auto held = ledger.held_jobs();
  if (check(held))
    for (const HeldJob& job : *held) text += fmt::format("held {} {}\n", job.id, job.ref);
  check(ledger.counts());
  check(ledger.past_durations("iacrea.auto", std::chrono::hours(1), 10));
  if (and_write) {
    check(ledger.begin_work(std::array{AccountId{1}}));
    check(ledger.hold_interrupted(0, kNow));
  }
  return whole ? std::optional(text) : std::nullopt;
}

/// Opens what was put down, in both ways; returns what it tells where it opens, is found sound and can be read.
std::optional<std::string> look(const std::string& main, const std::string& log) {
  std::optional<std::string> text;
  for (const auto mode : {SqliteLedger::Mode::Read, SqliteLedger::Mode::Write}) {
    put(main, log);
    const auto ledger = SqliteLedger::open(sound().path, mode);
    if (!ledger) {
      must(ledger.error().message.find(sound().path) != std::string::npos, "a refusal names the file",
           ledger.error().message);
      continue;
    }
    const auto findings = (*ledger)->verify();
    must(findings || !findings.error().message.empty(), "a refusal says why");
    const std::optional<std::string> now = told(**ledger, mode == SqliteLedger::Mode::Write);
    if (findings && findings->empty() && now) text = now;
  }
  return text;
}

/// Damages bytes: three say where, one what is changed.
std::string damaged(std::string bytes, std::string_view data) {
  for (; data.size() >= 4; data.remove_prefix(4)) {
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(data[i])); };
    char& at = bytes[(byte(0) << 16U | byte(1) << 8U | byte(2)) % bytes.size()];
    at = static_cast<char>(static_cast<unsigned char>(at) ^ byte(3));
  }
  return bytes;
}

}  // namespace

FUZZ_TARGET(ledger, 1'200) {
  const Sound& from = sound();
  static const std::optional<std::string> truth = look(from.whole, "");
  must(truth.has_value(), "a sound ledger is sound");
  const unsigned choice = take_byte(data) % 5;
  if (choice == 0) {
    look(std::string(data), "");
  } else if (choice == 1) {
    look(damaged(from.whole, data), "");
  } else if (choice == 2) {
    look(damaged(from.main_of_killed, data.substr(data.size() / 2)),
         damaged(from.log_of_killed, data.substr(0, data.size() / 2)));
  } else {
    const std::size_t size = std::size_t{take_byte(data)} << 16U | std::size_t{take_byte(data)} << 8U | take_byte(data);
    if (choice == 3) {
      const std::size_t kept = size % from.whole.size();
      const std::optional<std::string> text = look(from.whole.substr(0, kept), "");
      // An empty file is a ledger that was never filled; any other part of one is no ledger.
      must(kept == 0 || !text || text == truth, "a part of a ledger is not taken for a whole one", text.value_or(""));
    } else {
      look(from.main_of_killed, from.log_of_killed.substr(0, size % from.log_of_killed.size()));
    }
  }
}

}  // namespace reelbatch
