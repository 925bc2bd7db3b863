#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "runner/csv_line.h"
#include "runner/ledger_lock.h"
#include "runner/ledger_schema.h"
#include "runner/report.h"
#include "runner/sqlite_ledger.h"
#include "tests/scoped_folder.h"

using namespace reelbatch;

namespace {

constexpr std::array<const char*, 2> kTwoVersions = {"CREATE TABLE a (x); CREATE TABLE meta (name, value)",
                                                     "ALTER TABLE a ADD COLUMN y"};

}  // namespace

TEST_CASE("ledger: an older file is copied and brought up to date, a newer or foreign one refused") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  {
    auto database = Database::open(path, Database::Mode::Create);
    REQUIRE(database);
    REQUIRE(prepare_ledger(*database, std::span(kTwoVersions).first(1)));
    REQUIRE(database->execute("INSERT INTO a VALUES (1)"));
  }
  {
    auto database = Database::open(path, Database::Mode::ReadWrite);
    REQUIRE(prepare_ledger(*database, kTwoVersions));
    CHECK(database->number("SELECT count(*) FROM a WHERE y IS NULL").value() == 1);
    CHECK(database->number("PRAGMA user_version").value() == 2);
    const auto copy = Database::open(path + ".v1.bak", Database::Mode::ReadOnly);
    REQUIRE(copy);
  }
  auto database = Database::open(path, Database::Mode::ReadWrite);
  const Result<void> newer = prepare_ledger(*database, std::span(kTwoVersions).first(1));
  REQUIRE_FALSE(newer);
  CHECK(newer.error().fault == Fault::Usage);
  CHECK(newer.error().message.find("newer reelbatch") != std::string::npos);

  REQUIRE(database->execute("PRAGMA user_version = -3"));  // no version that ever was, as damage makes it
  CHECK_FALSE(prepare_ledger(*database, kTwoVersions));
  CHECK_FALSE(require_current(*database, kTwoVersions));

  auto foreign = Database::open((folder.path() / "other.db").string(), Database::Mode::Create);
  REQUIRE(foreign->execute("CREATE TABLE people (name)"));
  const Result<void> refused = prepare_ledger(*foreign, kTwoVersions);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("no reelbatch ledger") != std::string::npos);
}

TEST_CASE("ledger: an adopted job that failed as unknown may be adopted by another id, one submitted anew may not") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  {
    auto made = Database::open(path, Database::Mode::Create);
    REQUIRE(made);
    REQUIRE(prepare_ledger(*made, ledger_migrations()));
    REQUIRE(made->execute(R"sql(
      INSERT INTO accounts (id, name, service, origin, credit_meaning, credit_evidence)
        VALUES (1, 'main', 'iacrea', 'https://a.test', 'job', '');
      INSERT INTO runs (id, uid, started_at, sandbox) VALUES (1, 'r', 1, 0);
      INSERT INTO listings VALUES (1, 1, 'iacrea.auto', 'A'), (2, 1, 'iacrea.auto', 'B'), (3, 1, 'iacrea.auto', 'C');
      INSERT INTO contents (id, listing, fields) VALUES (1, 1, '{}'), (2, 2, '{}'), (3, 3, '{}');
      INSERT INTO jobs (id, listing, content, run, state, remote_id, submitted_at, accepted_at, finished_at, reason)
        VALUES (1, 1, 1, 1, 6, 'wrong', 4, 5, 6, 'the service no longer knows the job'),
               (2, 2, 2, 1, 6, 'wrong-2', 4, 5, 6, 'the service no longer knows the job'),
               (3, 2, 2, 1, 2, 'right-2', 7, 8, NULL, NULL),
               (4, 3, 3, 1, 6, 'right-3', 4, 5, 6, 'no face found');
      INSERT INTO steps (job, run, at, from_state, event) VALUES (1, 1, 4, 0, 0), (1, 1, 5, 1, 4), (1, 1, 5, 4, 9),
        (1, 1, 6, 2, 6), (2, 1, 4, 0, 0), (2, 1, 5, 1, 4), (2, 1, 5, 4, 9), (2, 1, 6, 2, 6), (3, 1, 7, 0, 0),
        (3, 1, 8, 1, 1), (4, 1, 4, 0, 0), (4, 1, 5, 1, 4), (4, 1, 5, 4, 9), (4, 1, 6, 2, 6);
    )sql"));
  }
  auto ledger = SqliteLedger::open(path, SqliteLedger::Mode::Write);
  REQUIRE(ledger);
  const std::vector<HeldJob> adopted = (*ledger)->adopted_jobs().value();
  REQUIRE(adopted.size() == 1);
  CHECK(adopted.front().ref == "A");
  REQUIRE(adopted.front().state == State::Failed);
  Commit commit;
  Step step;
  step.job = adopted.front().id;
  step.from = State::Failed;
  step.event = Event::Adopt;
  step.remote_id = "right";
  commit.steps = {step};
  REQUIRE((*ledger)->commit(commit));
  CHECK((*ledger)->verify().value().empty());
  REQUIRE((*ledger)->open_jobs()->size() == 2);
  CHECK((*ledger)->open_jobs()->front().remote_id == "right");
  CHECK((*ledger)->adopted_jobs()->front().state == State::InFlight);
}

TEST_CASE("ledger: jobs of a version without repairs keep all they had, and can have some") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  {
    auto old = Database::open(path, Database::Mode::Create);
    REQUIRE(old);
    REQUIRE(prepare_ledger(*old, ledger_migrations().first(3)));
    REQUIRE(old->execute(R"sql(
      INSERT INTO accounts VALUES (1, 'main', 'iacrea', 'https://a.test', 'job', '');
      INSERT INTO runs (id, uid, started_at, sandbox) VALUES (1, 'old', 1, 0);
      INSERT INTO listings VALUES (1, 1, 'iacrea.video', 'V-1'), (2, 1, 'iacrea.video', 'V-2');
      INSERT INTO contents (id, listing, fields) VALUES (1, 1, '{}'), (2, 2, '{}');
      INSERT INTO jobs (id, listing, content, run, state, remote_id, submitted_at, accepted_at, reserved, labels)
        VALUES (1, 1, 1, 1, 2, 'vid-1', 4, 5, 2000, '{"agency":"Lyon"}');
      INSERT INTO jobs (id, listing, content, run, state, submitted_at, reserved) VALUES (2, 2, 2, 1, 4, 4, 3000);
      INSERT INTO steps (job, run, at, from_state, event) VALUES (1, 1, 4, 0, 0), (1, 1, 5, 1, 1), (2, 1, 4, 0, 0),
        (2, 1, 5, 1, 4);
      INSERT INTO rows (run, number, id, kind, account, listing, content, job, action, reason, selected, file, line,
                        submissions)
        VALUES (1, 1, 'V-1', 'iacrea.video', 'main', 1, 1, 1, 0, 0, 1, 'feed.yaml', 2, 1);
    )sql"));
  }
  auto ledger = SqliteLedger::open(path, SqliteLedger::Mode::Write);
  REQUIRE(ledger);
  CHECK(std::filesystem::exists(path + ".v3.bak"));
  CHECK((*ledger)->verify().value().empty());
  CHECK((*ledger)->held_jobs()->size() == 1);
  REQUIRE((*ledger)->open_jobs()->size() == 1);
  CHECK((*ledger)->open_jobs()->front().repairs == 0);
  CHECK((*ledger)->spent(1, 0, WallTime{}).value() == Credits::whole(5));

  Commit commit;
  commit.run = 1;
  Intent intent;
  intent.job = (*ledger)->next_job_id();
  intent.row = 1;
  intent.reserved = Credits::whole(1);
  intent.subject = "vid-1";
  intent.repair = NewRepair{1, "clip-1", 1, "iacrea.sequence", "V-1/repair/3", R"({"video_id":"vid-1"})"};
  commit.intents = {intent};
  REQUIRE((*ledger)->commit(commit));
  // What it reserves is spent, wherever its budget is counted.
  CHECK((*ledger)->spent(1, 1, WallTime{}).value() == Credits::whole(6));
  CHECK((*ledger)->spent_by_label(1, 1, WallTime{}, "agency").value() ==
        std::map<std::string, Credits>{{"Lyon", Credits::whole(3)}});

  // After a crash it is in doubt, and says so in the row.
  CHECK((*ledger)->hold_interrupted(0, WallTime{}).value() == 1);
  CHECK((*ledger)->verify().value().empty());
  const RepairHistory history = (*ledger)->repairs_of(1, 1).value();
  CHECK(history.ref == "V-1");
  CHECK(history.row == 1);
  REQUIRE(history.repairs.size() == 1);
  CHECK(history.repairs[0].part == "clip-1");
  CHECK(history.repairs[0].state == State::Held);
  std::vector<RowView> rows;
  REQUIRE((*ledger)->for_each_row(1, [&](const RowView& row) -> Result<void> {
    rows.push_back(row);
    return {};
  }));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].submissions == 2);
  CHECK(rows[0].repair_in_doubt == "V-1/repair/3");
  CHECK(rows[0].repairs == 0);
}

TEST_CASE("ledger: the balance is the last one that was not overtaken, and none of an older version was") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  {
    auto old = Database::open(path, Database::Mode::Create);
    REQUIRE(old);
    REQUIRE(prepare_ledger(*old, ledger_migrations().first(4)));
    REQUIRE(old->execute(R"sql(
      INSERT INTO accounts VALUES (1, 'main', 'iacrea', 'https://a.test', 'job', '');
      INSERT INTO runs (id, uid, started_at, sandbox) VALUES (1, 'old', 1, 0), (2, 'new', 2, 0);
      INSERT INTO credits (account, run, at, remaining) VALUES (1, 1, 1, 90000), (1, 1, 2, 95000);
    )sql"));
  }
  auto ledger = SqliteLedger::open(path, SqliteLedger::Mode::Write);
  REQUIRE(ledger);
  CHECK((*ledger)->last_figures(1)->figures.remaining == Credits::whole(95));
  const auto see = [&](std::int64_t balance, bool overtaken) {
    Commit commit;
    commit.run = 2;
    commit.credits = {{1, 0, WallTime{}, {Credits::whole(balance), {}}, {}, overtaken}};
    REQUIRE((*ledger)->commit(commit));
  };
  see(93, false);
  see(94, true);
  CHECK((*ledger)->last_figures(1)->figures.remaining == Credits::whole(93));
  const CreditSums sums = (*ledger)->credit_sums(1, 2).value();
  CHECK(sums.remaining == Credits::whole(93));
  CHECK(sums.unattributed == Credits::whole(2));
  std::vector<bool> overtaken;
  REQUIRE((*ledger)->for_each_credit_fact([](const PaidJob&) { return Result<void>(); },
                                          [&](const FigureSeen& seen) -> Result<void> {
                                            overtaken.push_back(seen.overtaken);
                                            return {};
                                          }));
  CHECK(overtaken == std::vector<bool>{false, false, false, true});
}

TEST_CASE("ledger: a file that is no database is refused and left as it is") {
  const ScopedFolder folder;
  const std::string path = folder.write("l.db", std::string(5000, 'x'));
  const auto ledger = SqliteLedger::open(path, SqliteLedger::Mode::Write);
  REQUIRE_FALSE(ledger);
  CHECK(ledger.error().message.find(path) != std::string::npos);
  std::ifstream in(path);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == std::string(5000, 'x'));
}

TEST_CASE(
    "ledger: a stump of one is refused and left as it is, also the single byte that SQLite takes for an empty file") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  REQUIRE(SqliteLedger::open(path, SqliteLedger::Mode::Write));
  for (const std::uintmax_t size : {1U, 2U, 99U}) {
    CAPTURE(size);
    std::filesystem::resize_file(path, size);
    for (const auto mode : {SqliteLedger::Mode::Write, SqliteLedger::Mode::Read}) {
      const auto ledger = SqliteLedger::open(path, mode);
      REQUIRE_FALSE(ledger);
      CHECK(ledger.error().message.find(fmt::format("{} is cut off after {} byte", path, size)) != std::string::npos);
    }
    CHECK(std::filesystem::file_size(path) == size);
    REQUIRE(std::filesystem::remove(path));
    REQUIRE(SqliteLedger::open(path, SqliteLedger::Mode::Write));
  }
}

TEST_CASE("ledger: verify names a record that was tampered with") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  auto ledger = SqliteLedger::open(path, SqliteLedger::Mode::Write);
  REQUIRE(ledger);
  AccountRecord account{0, "main", "iacrea", "https://a.test", "", ""};
  RunRecord run;
  run.uid = "r";
  REQUIRE((*ledger)->begin_intake(run));
  REQUIRE((*ledger)->put_account(account));
  const ListingId listing = (*ledger)->listing(account.id, "iacrea.auto", "A-1").value();
  const ContentId content = (*ledger)->content(listing, "{}").value();
  RowRecord row;
  row.number = 1;
  row.id = "A-1";
  row.listing = listing;
  row.content = content;
  row.action = Action::Submit;
  REQUIRE((*ledger)->add_row(row));
  REQUIRE((*ledger)->commit_intake());
  Commit commit;
  commit.run = run.id;
  Intent intent;
  intent.job = (*ledger)->next_job_id();
  intent.row = 1;
  intent.listing = listing;
  intent.content = content;
  commit.intents.push_back(intent);
  REQUIRE((*ledger)->commit(commit));
  CHECK((*ledger)->verify().value().empty());
  CHECK((*ledger)->hold_interrupted(0, WallTime{}).value() == 1);
  CHECK((*ledger)->verify().value().empty());

  auto database = Database::open(path, Database::Mode::ReadWrite);
  REQUIRE(database->execute("UPDATE jobs SET state = 5"));
  const std::vector<std::string> findings = (*ledger)->verify().value();
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].find("has no job id") != std::string::npos);
  CHECK(findings[1].find("steps lead to held") != std::string::npos);
}

TEST_CASE("ledger: content that was never paid for is replaced, what was paid for stays") {
  const ScopedFolder folder;
  auto opened = SqliteLedger::open((folder.path() / "l.db").string(), SqliteLedger::Mode::Write);
  REQUIRE(opened);
  SqliteLedger& ledger = **opened;
  AccountRecord account{0, "main", "iacrea", "https://a.test", "", ""};
  RunRecord run;
  run.uid = "r";
  REQUIRE(ledger.begin_intake(run));
  REQUIRE(ledger.put_account(account));
  const ListingId listing = ledger.listing(account.id, "iacrea.auto", "A-1").value();
  const ContentId first = ledger.content(listing, R"({"a":"1"})").value();
  CHECK(ledger.content(listing, R"({"a":"2"})").value() == first);
  CHECK(ledger.fields_of(first).value() == R"({"a":"2"})");
  REQUIRE(ledger.commit_intake());
  Commit commit;
  commit.run = run.id;
  Intent intent;
  intent.job = ledger.next_job_id();
  intent.listing = listing;
  intent.content = first;
  commit.intents.push_back(intent);
  REQUIRE(ledger.commit(commit));
  run.uid = "r2";
  REQUIRE(ledger.begin_intake(run));
  const ContentId second = ledger.content(listing, R"({"a":"3"})").value();
  CHECK(second != first);
  CHECK(ledger.content(listing, R"({"a":"2"})").value() == first);
  REQUIRE(ledger.commit_intake());
}

TEST_CASE("lock: one holder, named to the next; nothing is left when it goes") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  const SystemClock clock;
  {
    const auto held = LedgerLock::take(path, Duration{}, clock);
    REQUIRE(held);
    // flock is per open file, so a second one in this process is refused like another process's.
    const auto second = LedgerLock::take(path, Duration{}, clock);
    REQUIRE_FALSE(second);
    CHECK(second.error().fault == Fault::Conflict);
    CHECK(second.error().message.find(fmt::format("process {} since 2", getpid())) != std::string::npos);
    CHECK(LedgerLock::holder(path));
  }
  CHECK_FALSE(LedgerLock::holder(path));
  CHECK(LedgerLock::take(path, Duration{}, clock));
}

TEST_CASE("lock: it holds when its file is deleted, and under another name of the ledger") {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "l.db").string();
  const std::string alias = (folder.path() / "alias.db").string();
  const SystemClock clock;
  {
    const auto held = LedgerLock::take(path, Duration{}, clock);
    REQUIRE(held);
    std::filesystem::create_symlink("l.db", alias);
    std::filesystem::remove(path + ".lock");
    for (const std::string& name : {path, alias}) {
      CAPTURE(name);
      const auto second = LedgerLock::take(name, Duration{}, clock);
      REQUIRE_FALSE(second);
      CHECK(second.error().fault == Fault::Conflict);
    }
  }
  CHECK(LedgerLock::take(path, Duration{}, clock));
}

TEST_CASE("report: a cell that a spreadsheet would run is guarded, a number is not") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"plain", "plain"},
      {"=1+1", "'=1+1"},
      {"+33 1 23", "'+33 1 23"},
      {"-5", "-5"},
      {"-5.25", "-5.25"},
      {"@cmd", "'@cmd"},
      {"-", "'-"},
      {"a,b", "\"a,b\""},
      {"say \"hi\"", "\"say \"\"hi\"\"\""},
      {"=a,b", "\"'=a,b\""},
      {"two\nlines", "\"two\nlines\""},
      {"", ""},
      {"a\x1b[1mb", "a?[1mb"},
      {"a\tb", "a\tb"},
      {"a\tb,c", "\"a\tb,c\""},
      {"a\x7f,b", "\"a?,b\""},
  };
  CsvLine line;
  for (const auto& [text, cell] : cases) {
    CHECK(csv_cell(text) == cell);
    // Wherever it stands, and at any distance from the end of what is read at once.
    for (const std::string& before : {std::string(), std::string(15, 'b'), std::string(100, 'b')}) {
      line.cell(before + "x" + text);
      line.cell(text);
      line.cell(before);
      CHECK(line.end() == csv_cell(before + "x" + text) + ',' + cell + ',' + before + "\r\n");
    }
  }
}

TEST_CASE("report: what needs care is seen at every place of a cell of every length") {
  CsvLine line;
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : std::string_view("x,\"\n\x01\x7f=\xc3")) {
        std::string text(size, 'b');
        text[at] = c;
        line.cell(text);
        line.cell("next");
        CHECK(line.end() == csv_cell(text) + ",next\r\n");
      }
    }
  }
}

TEST_CASE("report: numbers, times and seconds in a line are those of the record") {
  using std::chrono::milliseconds;
  CsvLine line;
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-7}, INT64_MAX, INT64_MIN}) {
    line.number(number);
    line.empty();
    line.number(number);
    CHECK(line.end() == fmt::format("{0},,{0}\r\n", number));
  }
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{86'399'999}, std::int64_t{86'400'000},
                                std::int64_t{1'793'498'400'700}, std::int64_t{-62'000'000'000}}) {
    line.time(WallTime(milliseconds(ms)));
    CHECK(line.end() == to_rfc3339(WallTime(milliseconds(ms))) + "\r\n");
  }
  const std::vector<std::pair<std::int64_t, std::string>> spans = {
      {0, "0"},         {1, "0.001"},      {10, "0.01"},      {184'700, "184.7"},
      {185'000, "185"}, {-1'250, "-1.25"}, {60'005, "60.005"}};
  for (const auto& [ms, text] : spans) {
    line.seconds(milliseconds(ms));
    CHECK(line.end() == text + "\r\n");
  }
}

TEST_CASE("report: a file appears whole, for its owner alone, or not at all") {
  const ScopedFolder folder;
  const std::string path = folder.write("results.csv", "old");
  const auto content = [&] {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  {
    auto file = AtomicFile::open(path);
    REQUIRE(file);
    file->write("new");
    CHECK(content() == "old");
  }
  CHECK(content() == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  auto file = AtomicFile::open(path);
  file->write("new");
  REQUIRE(file->commit());
  CHECK(content() == "new");
  struct stat stats = {};
  REQUIRE(stat(path.c_str(), &stats) == 0);
  CHECK((stats.st_mode & 0777) == 0600);
  CHECK_FALSE(AtomicFile::open((folder.path() / "missing" / "r.csv").string()));
  CHECK_FALSE(AtomicFile::open(folder.path().string()));
}
