// What the credits went to: every sum to the half credit, whatever came from where and in which order.
#include "runner/credit_use.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "runner/credit_table.h"
#include "runner/ledger_schema.h"
#include "runner/sqlite_ledger.h"
#include "tests/scoped_folder.h"

using namespace reelbatch;
using namespace std::chrono_literals;
using By = CreditQuery::By;

namespace {

/// 2026-11-21T00:00:00Z
constexpr std::int64_t kMidnight = 1795219200;

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(kMidnight + seconds));
}

Credits half(std::int64_t halves) {
  return Credits{halves * 500};
}

struct Facts {
  std::vector<AccountRecord> accounts = {{1, "main", "s", "o", "job", "stated"}};
  std::vector<PaidJob> jobs;
  std::vector<FigureSeen> figures;

  PaidJob& job(JobId id, std::int64_t submitted, std::optional<Credits> cost) {
    PaidJob job;
    job.id = id;
    job.account = 1;
    job.kind = "k";
    job.run = 1;
    job.submitted_at = at(submitted);
    job.cost = cost;
    jobs.push_back(job);
    return jobs.back();
  }
  void seen(JobId job, std::int64_t time, std::optional<Credits> remaining, std::optional<Credits> used = {},
            AccountId account = 1) {
    figures.push_back({account, 1, job, at(time), {remaining, used}, false, {}});
  }
  void seen_late(JobId job, std::int64_t time, Credits remaining, Credits used) {
    seen(job, time, remaining, used);
    figures.back().overtaken = true;
  }
  CreditReport report(CreditQuery query) const {
    CreditUse use(std::move(query), accounts, {{1, "run-1"}, {2, "run-2"}});
    for (const PaidJob& job : jobs) REQUIRE(use.add(job));
    for (const FigureSeen& figure : figures) use.add(figure);
    const Result<CreditReport> report = use.finish();
    REQUIRE(report);
    check(*report);
    return *report;
  }

  static Credits known(const std::optional<Credits>& amount) { return amount.value_or(Credits{}); }

  /// What holds of every report.
  static void check(const CreditReport& report) {
    Credits used, unattributed;
    std::int64_t count = 0;
    for (const CreditLine& line : report.lines) {
      used = used + known(line.used);
      unattributed = unattributed + known(line.unattributed);
      count += line.jobs;
    }
    if (report.unattributed) unattributed = unattributed + known(report.unattributed->unattributed);
    CHECK(used == known(report.sums.used));
    CHECK(unattributed == known(report.sums.unattributed));
    CHECK(count == report.sums.jobs);
    for (const AccountCredits& account : report.accounts) {
      if (!account.balance) continue;
      const BalanceChange& balance = *account.balance;
      CHECK(known(account.sums.used) + known(account.sums.unattributed) ==
            balance.first - balance.last + balance.elsewhere);
    }
  }
};

const CreditLine& line(const CreditReport& report, std::string_view key) {
  const auto found =
      std::find_if(report.lines.begin(), report.lines.end(), [&](const CreditLine& l) { return l.key == key; });
  REQUIRE(found != report.lines.end());
  return *found;
}

}  // namespace

TEST_CASE("credits: what jobs cost and what the balance fell by make up its change, by the day") {
  Facts facts;
  facts.job(1, 10, half(5));
  facts.seen(1, 11, half(195), half(5));  // 100 before
  facts.job(2, 20, half(5));
  facts.seen(2, 21, half(187), half(5));  // 1.5 more than the job
  facts.job(3, 86'390, half(3));          // before midnight, charged after it
  facts.seen(3, 86'401, half(184), half(3));
  facts.seen(0, 90'000, half(384));  // bought 100
  const CreditReport report = facts.report({By::Day, {}, {}, {}});
  REQUIRE(report.lines.size() == 2);
  CHECK(report.lines[0].key == "2026-11-21");
  CHECK(report.lines[0].jobs == 3);
  CHECK(report.lines[0].used == half(13));
  CHECK(report.lines[0].unattributed == half(3));
  CHECK(report.lines[1].used == Credits{});
  CHECK(report.lines[1].unattributed == Credits{} - half(200));
  REQUIRE(report.accounts.size() == 1);
  CHECK(report.accounts[0].balance->first == half(200));
  CHECK(report.accounts[0].balance->first_at == at(11));
  CHECK(report.accounts[0].balance->last == half(384));
  CHECK(report.accounts[0].balance->elsewhere == Credits{});

  // Of the first day alone: what its last job cost shows on the next.
  const CreditReport first = facts.report({By::Month, {}, at(0), at(86'400)});
  CHECK(first.sums.used == half(13));
  CHECK(first.sums.unattributed == half(3));
  CHECK(first.accounts[0].balance->last == half(187));
  CHECK(first.accounts[0].balance->elsewhere == half(3));
  const CreditReport second = facts.report({By::Week, {}, at(86'400), {}});
  CHECK(second.lines[0].key == "2026-W47");
  CHECK(second.accounts[0].balance->first == half(187));
  CHECK(second.accounts[0].balance->elsewhere == Credits{} - half(3));
}

TEST_CASE("credits: a refund, a late charge and answers that crossed leave nothing over") {
  SUBCASE("a job that failed gives its price back") {
    Facts facts;
    facts.job(1, 0, Credits{});
    facts.seen(1, 1, half(14), half(6));
    facts.seen(1, 9, half(20), half(0));
    const CreditReport report = facts.report({});
    CHECK(report.sums.used == Credits{});
    CHECK(report.sums.unattributed == Credits{});
  }
  SUBCASE("charged more after it was done") {
    Facts facts;
    facts.job(1, 0, half(7));
    facts.seen(1, 1, half(14), half(6));
    facts.seen(1, 9, half(13), half(7));
    CHECK(facts.report({}).sums.unattributed == Credits{});
  }
  SUBCASE("the first answer was not that of the first job") {
    Facts facts;
    for (JobId id = 1; id <= 3; ++id) facts.job(id, 0, half(2));
    facts.job(4, 5, half(2));
    facts.seen(2, 1, half(96), half(2));
    facts.seen(3, 1, half(94), half(2));
    facts.seen_late(1, 1, half(98), half(2));
    facts.seen(4, 6, half(92), half(2));
    const CreditReport report = facts.report({});
    CHECK(report.sums.unattributed == Credits{});
    CHECK(report.accounts[0].balance->first == half(100));
  }
  SUBCASE("the first two answers crossed, then others spent") {
    Facts facts;
    for (JobId id = 1; id <= 2; ++id) facts.job(id, 0, half(2));
    facts.job(3, 5, half(2));
    facts.seen(2, 1, half(96), half(2));
    facts.seen_late(1, 1, half(98), half(2));
    facts.seen(1, 2, half(96), half(2));
    facts.seen(3, 6, half(73), half(2));
    CHECK(facts.report({}).sums.unattributed == half(21));
  }
  SUBCASE("the last answer was overtaken") {
    Facts facts;
    facts.seen(0, 0, half(100));
    for (JobId id = 1; id <= 2; ++id) facts.job(id, 1, half(2));
    facts.seen(2, 2, half(96), half(2));
    facts.seen_late(1, 3, half(98), half(2));
    const CreditReport report = facts.report({});
    CHECK(report.sums.unattributed == Credits{});
    CHECK(report.accounts[0].balance->last == half(96));
    CHECK(report.accounts[0].balance->last_at == at(2));
    CHECK(report.accounts[0].balance->elsewhere == Credits{});
  }
  SUBCASE("the answer after an overtaken one tells of a refund") {
    Facts facts;
    facts.seen(0, 0, half(100));
    for (JobId id = 1; id <= 2; ++id) facts.job(id, 1, half(2));
    facts.seen(2, 2, half(96), half(2));
    facts.seen_late(1, 3, half(98), half(2));
    facts.seen(2, 4, half(99), half(2));
    CHECK(facts.report({}).sums.unattributed == Credits{} - half(3));
  }
  SUBCASE("figures without a balance, then one with") {
    Facts facts;
    facts.seen(0, 0, half(50));
    facts.job(1, 1, half(3));
    facts.seen(1, 2, {}, half(3));
    facts.seen(0, 3, half(45));
    const CreditReport report = facts.report({});
    CHECK(report.sums.unattributed == half(2));
    CHECK(report.accounts[0].balance->elsewhere == Credits{});
  }
  SUBCASE("a cost that no balance shows yet") {
    Facts facts;
    facts.seen(0, 0, half(50));
    facts.job(1, 1, half(3));
    facts.seen(1, 2, {}, half(3));
    const CreditReport report = facts.report({});
    CHECK(report.sums.unattributed == Credits{});
    CHECK(report.accounts[0].balance->elsewhere == half(3));
    CHECK(report.accounts[0].balance->after_last == half(3));
    facts.seen(0, 3, half(47));
    CHECK(facts.report({}).accounts[0].balance->after_last == Credits{});
  }
}

TEST_CASE("credits: what the very first answer leaves out was charged before it as well") {
  Facts facts;
  for (JobId id = 1; id <= 3; ++id) facts.job(id, 10 * id, half(4));
  facts.seen(1, 11, half(96));  // 100 before
  facts.seen(2, 21, half(92));
  facts.seen(3, 31, half(88));
  // What they cost is told when all were charged.
  for (JobId id = 1; id <= 3; ++id) facts.seen(id, 40 + id, half(88), half(4));
  const CreditReport report = facts.report({By::Account, {}, {}, {}});
  CHECK(report.sums.used == half(12));
  CHECK(report.sums.unattributed == Credits{});
  CHECK(report.accounts[0].balance->first == half(100));
}

TEST_CASE("credits: a fall seen before the job that made it told its cost does not hide what was charged before") {
  Facts facts;
  facts.job(1, 0, half(2));
  facts.job(2, 0, half(2));
  facts.job(3, 5, half(2));
  facts.seen(1, 1, half(96), half(2));  // job 2 was charged as well: 100 before
  facts.seen(1, 6, half(94), half(2));  // and now job 3
  facts.seen(2, 7, half(94), half(2));
  facts.seen(3, 8, half(94), half(2));
  const CreditReport report = facts.report({});
  CHECK(report.sums.used == half(6));
  CHECK(report.sums.unattributed == Credits{});
  CHECK(report.accounts[0].balance->first == half(100));
}

TEST_CASE("credits: what a part that was made again cost was not charged before the very first answer") {
  Facts facts;
  facts.job(1, 0, half(4)).repaired = true;
  facts.seen(1, 1, half(98));  // 100 before
  facts.seen(1, 2, half(96));  // made again
  facts.seen(1, 3, half(96), half(4));
  const CreditReport report = facts.report({});
  CHECK(report.sums.used == half(4));
  CHECK(report.sums.unattributed == Credits{});
  CHECK(report.accounts[0].balance->first == half(100));
}

TEST_CASE("credits: of a video that others worked on, each answer counts what its own job had cost by then") {
  Facts facts;
  facts.job(1, 0, half(4));
  facts.job(2, 5, half(2)).derived = true;
  facts.seen(1, 1, half(96), half(3));  // before it: 99
  facts.figures.back().own = half(3);
  facts.seen(2, 6, half(94), half(5));
  facts.figures.back().own = half(2);
  facts.seen(1, 7, half(93), half(6));
  facts.figures.back().own = half(4);
  const CreditReport report = facts.report({});
  CHECK(report.sums.used == half(6));
  CHECK(report.sums.unattributed == Credits{});
  CHECK(report.accounts[0].balance->first == half(99));
}

TEST_CASE("credits: where the figure is the account's, a job that was open alone cost what the balance fell by") {
  Facts facts;
  facts.accounts[0].credit_meaning = "account";
  facts.job(1, 0, {});  // no figure before it
  facts.seen(1, 1, half(96), half(4));
  facts.job(2, 10, half(4));
  facts.seen(2, 11, half(92), half(8));
  facts.job(3, 20, {});
  facts.job(4, 20, {});
  facts.seen(3, 21, half(88), half(12));
  facts.seen(4, 22, half(84), half(16));
  const CreditReport report = facts.report({By::Kind, {}, {}, {}});
  CHECK(report.sums.used == half(4));
  CHECK(report.sums.unknown_jobs == 3);
  CHECK(report.sums.unattributed == half(8));
  CHECK_FALSE(line(report, "k").unattributed);
  CHECK(report.unattributed->unattributed == half(8));
  CHECK(report.accounts[0].balance->first == half(96));
}

TEST_CASE("credits: what is unknown is not 0") {
  Facts facts;
  facts.accounts.push_back({2, "other", "s", "o", "", ""});
  facts.accounts.push_back({3, "idle", "s", "o", "", ""});
  facts.job(1, 0, half(1)).open = true;
  facts.jobs.back().reserved = half(4);
  facts.seen(1, 1, half(9), half(1));
  PaidJob& unknown = facts.job(2, 0, {});
  unknown.account = 2;
  unknown.open = true;
  const CreditReport report = facts.report({By::Account, {}, {}, {}});
  REQUIRE(report.lines.size() == 2);
  CHECK(line(report, "main").reserved == half(3));
  const CreditLine& other = line(report, "other");
  CHECK_FALSE(other.used);
  CHECK_FALSE(other.reserved);
  CHECK_FALSE(other.unattributed);
  CHECK(other.unknown_jobs == 1);
  CHECK_FALSE(report.accounts[1].balance);
  CHECK(report.sums.used == half(1));
  CHECK(report.sums.unknown_jobs == 1);
  const CreditReport nothing = Facts().report({});
  CHECK(nothing.lines.empty());
  CHECK(nothing.sums.used == Credits{});
  CHECK_FALSE(nothing.sums.unattributed);
}

TEST_CASE("credits: by label") {
  Facts facts;
  facts.job(1, 0, half(1)).labels = R"({"agency":"Lyon","city":"A"})";
  facts.job(2, 0, half(3)).labels = R"({"agency":"Nice"})";
  facts.job(3, 0, half(5)).labels = R"({"city":"B"})";
  facts.job(4, 0, half(7));
  const CreditReport report = facts.report({By::Label, "agency", {}, {}});
  REQUIRE(report.lines.size() == 3);
  CHECK(report.lines[0].key == "Lyon");
  CHECK(report.lines[2].key.empty());
  CHECK(report.lines[2].used == half(12));
  CHECK(report.lines[2].jobs == 2);

  CreditUse use({By::Label, "agenci", {}, {}}, facts.accounts, {});
  for (const PaidJob& job : facts.jobs) REQUIRE(use.add(job));
  const Result<CreditReport> wrong = use.finish();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message == "no job has a label 'agenci' (did you mean 'agency'?): there are agency, city");
}

TEST_CASE("credits: every report adds up, and the days add up to the whole") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 rng(seed);
    const auto pick = [&](std::int64_t least, std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(least, most)(rng);
    };
    Facts facts;
    facts.accounts = {{1, "a", "s", "o", "job", ""}, {2, "b", "s", "o", "account", ""}, {3, "c", "s", "o", "", ""}};
    std::int64_t balance[4] = {0, 200, 300, 400};
    struct Event {
      std::int64_t time;
      FigureSeen seen;
    };
    std::vector<FigureSeen> figures;
    std::int64_t now = 0;
    for (JobId id = 1; id <= 40; ++id) {
      now += pick(0, 9'000);
      const AccountId account = pick(1, 3);
      const std::int64_t cost = pick(0, 7);
      PaidJob& job = facts.job(id, now, account == 3 || pick(0, 5) == 0 ? std::nullopt : std::optional(half(cost)));
      job.account = account;
      job.run = pick(1, 2);
      if (pick(0, 3) == 0) balance[account] -= pick(-50, 10);
      balance[account] -= cost;
      for (std::int64_t i = pick(0, 3); i > 0; --i) {
        figures.push_back({account,
                           pick(0, 2),
                           id,
                           at(now + pick(0, 9'000)),
                           {pick(0, 4) == 0 ? std::nullopt : std::optional(half(balance[account])),
                            pick(0, 4) == 0 ? std::nullopt : std::optional(half(cost))},
                           pick(0, 9) == 0,
                           {}});
      }
    }
    std::stable_sort(figures.begin(), figures.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    facts.figures = figures;
    const CreditReport whole = facts.report({By::Month, {}, {}, {}});
    for (const By by : {By::Day, By::Week, By::Run, By::Account, By::Kind}) {
      const CreditReport report = facts.report({by, {}, {}, {}});
      CHECK(report.sums.used == whole.sums.used);
      CHECK(report.sums.unattributed == whole.sums.unattributed);
    }
    Credits used, unattributed;
    for (std::int64_t day = 0; day < 6; ++day) {
      const CreditReport report = facts.report({By::Day, {}, at(day * 86'400), at((day + 1) * 86'400)});
      used = used + Facts::known(report.sums.used);
      unattributed = unattributed + Facts::known(report.sums.unattributed);
    }
    CHECK(used == Facts::known(whole.sums.used));
    CHECK(unattributed == Facts::known(whole.sums.unattributed));
  }
}

TEST_CASE("credits: from a ledger, with a charge that came after the job was done") {
  const ScopedFolder folder;
  auto opened = SqliteLedger::open((folder.path() / "l.db").string(), SqliteLedger::Mode::Write);
  REQUIRE(opened);
  SqliteLedger& ledger = **opened;
  AccountRecord account{0, "main", "s", "https://a.test", "job", "stated"};
  RunRecord run;
  run.uid = "r";
  run.started_at = at(0);
  REQUIRE(ledger.begin_intake(run));
  REQUIRE(ledger.put_account(account));
  RowRecord row;
  row.number = 1;
  row.id = "A-1";
  row.listing = ledger.listing(account.id, "k", "A-1").value();
  row.content = ledger.content(row.listing, "{}").value();
  row.labels = {{"agency", "Lyon"}};
  REQUIRE(ledger.add_row(row));
  REQUIRE(ledger.commit_intake());
  Intent intent;
  intent.job = ledger.next_job_id();
  intent.row = 1;
  intent.listing = row.listing;
  intent.content = row.content;
  intent.reserved = half(8);
  intent.at = at(1);
  Commit commit;
  commit.run = run.id;
  commit.intents = {intent};
  REQUIRE(ledger.commit(commit));
  const auto step = [&](State from, Event event, std::int64_t time, std::optional<Credits> used, Credits remaining) {
    Commit turn;
    turn.run = run.id;
    if (from != State::Done) {
      Step taken;
      taken.job = intent.job;
      taken.from = from;
      taken.event = event;
      taken.at = at(time);
      if (event == Event::Accept) taken.remote_id = "x";
      turn.steps = {taken};
    }
    turn.credits = {{account.id, intent.job, at(time), {remaining, used}, used}};
    REQUIRE(ledger.commit(turn));
  };
  step(State::Submitting, Event::Accept, 2, half(1), half(99));
  CHECK(ledger.spent(account.id, run.id, WallTime{}).value() == half(8));  // it may still cost what it reserved
  step(State::InFlight, Event::Finish, 3, half(5), half(95));
  step(State::Done, Event::Finish, 4, half(6), half(94));

  const Result<CreditReport> report = make_credit_report(ledger, {By::Label, "agency", {}, {}});
  REQUIRE(report);
  CHECK(line(*report, "Lyon").used == half(6));
  CHECK(report->sums.unattributed == Credits{});
  CHECK(ledger.spent(account.id, 0, at(0)).value() == half(6));
  CHECK(ledger.spent(account.id, 0, at(2)).value() == Credits{});
  CHECK(ledger.spent_by_label(account.id, 0, at(0), "agency").value() ==
        std::map<std::string, Credits>{{"Lyon", half(6)}});
  CHECK(ledger.spent_by_label(account.id, run.id, WallTime{}, "city").value().empty());
  const auto past = ledger.past_jobs(account.id, "k", 10).value();
  REQUIRE(past.size() == 1);
  CHECK(past[0].cost == half(6));
  CHECK(credit_text(*report, CreditFormat::Csv, "UTC").find("Lyon,1,3,0,,0,label") != std::string::npos);

  run.finished_at = at(5);
  run.exit_code = 3;
  run.budgets_reached = {{"main", "agency", "Lyon \"x\"", "the budget, 3 of 3"}};
  REQUIRE(ledger.end_run(run, {}, {}, 30));
  CHECK(ledger.run("")->value().budgets_reached == run.budgets_reached);
  REQUIRE(ledger.reopen_run(run.id));
  CHECK(ledger.run("")->value().budgets_reached.empty());
}

TEST_CASE("credits: a ledger of an older version tells what its jobs cost, by label and budget as well") {
  for (const std::size_t version : {std::size_t{1}, std::size_t{2}}) {
    CAPTURE(version);
    const ScopedFolder folder;
    const std::string path = (folder.path() / "l.db").string();
    {
      auto old = Database::open(path, Database::Mode::Create);
      REQUIRE(old);
      REQUIRE(prepare_ledger(*old, ledger_migrations().first(version)));
      REQUIRE(old->execute(R"sql(
        INSERT INTO accounts VALUES (1, 'main', 's', 'https://a.test', 'job', 'stated');
        INSERT INTO runs (id, uid, started_at, finished_at, exit_code, sandbox) VALUES (1, 'old', 1, 2, 0, 0);
        INSERT INTO listings VALUES (1, 1, 'k', 'A-1'), (2, 1, 'k', 'A-2');
        INSERT INTO contents (id, listing, fields) VALUES (1, 1, '{}'), (2, 2, '{}');
        INSERT INTO jobs (id, listing, content, run, state, remote_id, submitted_at, accepted_at, finished_at, reserved,
                          used_last)
          VALUES (1, 1, 1, 1, 5, 'x', 1000, 1001, 1002, 4000, 1500), (2, 2, 2, 1, 2, 'y', 1000, 1001, NULL, 4000, NULL);
        INSERT INTO rows (run, number, id, kind, account, listing, content, job, action, reason, selected, file, line,
                          labels)
          VALUES (1, 1, 'A-1', 'k', 'main', 1, 1, 1, 0, 0, 1, 'f', 2, '{"agency":"Lyon"}'),
                 (1, 2, 'A-2', 'k', 'main', 2, 2, 2, 0, 0, 1, 'f', 3, NULL);
        INSERT INTO credits (account, run, job, at, remaining, used)
          VALUES (1, 1, NULL, 999, 100000, NULL), (1, 1, 1, 1001, 98500, 1500);
      )sql"));
    }
    auto opened = SqliteLedger::open(path, SqliteLedger::Mode::Write);
    REQUIRE(opened);
    SqliteLedger& ledger = **opened;
    const Result<CreditReport> report = make_credit_report(ledger, {By::Label, "agency", {}, {}});
    REQUIRE(report);
    CHECK(line(*report, "Lyon").used == half(3));
    CHECK(line(*report, "").unknown_jobs == 1);
    CHECK(report->sums.reserved == half(8));
    CHECK(report->sums.unattributed == Credits{});
    CHECK(ledger.spent(1, 1, WallTime{}).value() == half(3 + 8));
    CHECK(ledger.spent_by_label(1, 0, WallTime{}, "agency").value() ==
          std::map<std::string, Credits>{{"Lyon", half(3)}});
    // The second version keeps prices itself.
    if (version == 1) CHECK(ledger.highest_price(1, "k").value() == half(3));
  }
}

TEST_CASE("a balance that fell by less than its jobs cost is late, or credits came back") {
  struct Case {
    const char* name;
    std::int64_t balance_at;
    Credits last;
    bool late;
  };
  for (const Case& c :
       {Case{"told right after the cost", 40, half(199), true}, Case{"told the next day", 90'000, half(199), false},
        Case{"it rose by more than the jobs cost", 40, half(900), false}}) {
    CAPTURE(c.name);
    Facts facts;
    facts.seen(0, 5, half(200));
    facts.job(1, 10, half(10));
    facts.seen(1, 30, {}, half(10));
    facts.seen(0, c.balance_at, c.last);
    const std::string text = credit_text(facts.report({}), CreditFormat::Table, "UTC");
    CHECK((text.find("may not show the last charges yet") != std::string::npos) == c.late);
    CHECK((text.find("came back to it or were bought, as far") != std::string::npos) == !c.late);
  }
}
