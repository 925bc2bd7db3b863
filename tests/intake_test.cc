// What a night does with rows that say what they said before: known by their text, kept in packs, shown as ever.
#include "runner/intake.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "jobs/registry.h"
#include "runner/csv_line.h"
#include "runner/ledger_schema.h"
#include "runner/report.h"
#include "runner/sqlite_ledger.h"
#include "tests/scoped_folder.h"

using namespace reelbatch;

namespace {

struct Listing {
  std::string id, description, city;
};

/// A ledger, and nights on it in which every submission becomes a video at once.
class Nights {
 public:
  explicit Nights(bool open_now = true) {
    AccountOptions account;
    account.name = "main";
    account.service = find_service(default_kind().service());
    options.accounts = {account};
    path = (folder_.path() / "l.db").string();
    if (open_now) open();
  }

  void open() {
    ledger_.reset();
    auto opened = SqliteLedger::open(path, SqliteLedger::Mode::Write);
    if (!opened) FAIL(opened.error().message);
    ledger_ = std::move(*opened);
  }

  SqliteLedger& ledger() { return *ledger_; }
  Database database() { return std::move(*Database::open(path, Database::Mode::ReadWrite)); }
  std::int64_t number(const char* sql) { return database().number(sql).value(); }

  void write(const std::vector<Listing>& listings) {
    std::string text = "id,image_urls,description,city\n";
    for (const Listing& listing : listings) {
      text += fmt::format("{0},https://img.test/{0}.jpg,\"{1}\",{2}\n", listing.id, listing.description, listing.city);
    }
    options.manifests = {folder_.write("feed.csv", text)};
  }

  std::string write_file(const char* name, const std::string& text) { return folder_.write(name, text); }
  void write_as(const char* name, const std::string& text) { options.manifests = {write_file(name, text)}; }

  /// The run's results as CSV.
  std::string results() {
    const std::string file = (folder_.path() / "results.csv").string();
    Result<ReportWriter> writer = ReportWriter::open({file}, {});
    REQUIRE(writer);
    REQUIRE(writer->write(*ledger_, make_report(*ledger_, run).value()));
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// The same as the ledger shows the rows one by one, cell by cell.
  std::string results_row_by_row() {
    const std::string all = results();
    std::string text = all.substr(0, all.find("\r\n") + 2);
    const std::vector<std::string> names = ledger_->label_names(run.id).value();
    const auto time = [](const std::optional<WallTime>& at) { return at ? to_rfc3339(*at) : std::string(); };
    const auto visit = [&](const RowView& view) -> Result<void> {
      const ResultRow row = result_row(view, run);
      std::string took;
      if (row.took) took = fmt::format("{}", static_cast<double>(row.took->count()) / 1000);
      for (const std::string_view cell : {row.id, row.kind, row.account, name_of(row.state), row.url, row.job_id}) {
        text += csv_cell(cell) + ',';
      }
      text += (row.credits_used ? to_text(*row.credits_used) : "") + ',' + time(row.submitted_at) + ',';
      text += time(row.finished_at) + ',' + took + ',' + (row.polls ? std::to_string(*row.polls) : "") + ',';
      text += fmt::format("{},{},{},{}", row.submissions, csv_cell(row.reason), csv_cell(row.file), row.line);
      for (const std::string& name : names) {
        const auto label = std::find_if(row.labels.begin(), row.labels.end(),
                                        [&](const Label& candidate) { return candidate.name == name; });
        text += ',' + (label == row.labels.end() ? std::string() : csv_cell(label->value));
      }
      text += "\r\n";
      return {};
    };
    REQUIRE(ledger_->for_each_row(run.id, visit));
    return text;
  }

  Result<IntakeCounts> try_take() {
    run = {};
    run.uid = fmt::format("run-{}", ++runs_);
    const auto bind = [&](const std::string&) -> Result<AccountId> {
      if (Result<void> put = ledger_->put_account(account_); !put) return tl::unexpected(put.error());
      return account_.id;
    };
    return take_in(*ledger_, options, bind, run, [](const Remark&) {});
  }

  IntakeCounts take() {
    const Result<IntakeCounts> taken = try_take();
    if (!taken) FAIL(taken.error().message);
    return *taken;
  }

  std::vector<PlannedRow> planned(RunId of) { return ledger_->planned_rows(of, "main", 0, 1000).value(); }

  void step(JobId job, State from, Event event) {
    Commit commit;
    commit.run = run.id;
    Step step;
    step.job = job;
    step.from = from;
    step.event = event;
    step.at = WallTime(std::chrono::milliseconds(1'000'000 * job));
    if (event == Event::Accept) step.remote_id = fmt::format("remote-{}", job);
    if (event == Event::Finish) {
      step.url = fmt::format("https://v.test/{}.mp4", job);
      step.polls = 3;
      commit.credits.push_back({account_.id, job, step.at, {{}, Credits::whole(3 + job)}, Credits::whole(3 + job)});
    }
    commit.steps.push_back(step);
    REQUIRE(ledger_->commit(commit));
  }

  JobId submit(const PlannedRow& row) {
    Commit commit;
    commit.run = run.id;
    Intent intent;
    intent.job = row.job != 0 ? row.job : ledger_->next_job_id();
    intent.is_new = row.job == 0;
    intent.row = row.number;
    intent.listing = row.listing;
    intent.content = row.content;
    commit.intents.push_back(intent);
    REQUIRE(ledger_->commit(commit));
    return intent.job;
  }

  void work() {
    for (const PlannedRow& row : planned(run.id)) {
      const JobId job = submit(row);
      step(job, State::Submitting, Event::Accept);
      step(job, State::InFlight, Event::Finish);
    }
  }

  void end(int keep_runs = 30) {
    run.finished_at = WallTime(std::chrono::seconds(9));
    run.exit_code = 0;
    REQUIRE(ledger_->end_run(run, {}, {}, keep_runs));
    CHECK(ledger_->verify().value() == std::vector<std::string>{});
  }

  IntakeCounts night() {
    const IntakeCounts counts = take();
    work();
    end();
    return counts;
  }

  /// `A-1 done https://... unchanged Lyon`
  std::vector<std::string> rows() {
    std::vector<std::string> lines;
    RowNumber last = 0;
    const auto visit = [&](const RowView& view) -> Result<void> {
      CHECK(view.row.number == ++last);
      const ResultRow row = result_row(view, run);
      lines.push_back(fmt::format("{} {} {} {} {} {} {}", row.id, name_of(row.state), row.url,
                                  row.credits_used ? to_text(*row.credits_used) : "-", row.line, row.reason,
                                  row.labels.empty() ? "" : row.labels[0].value));
      return {};
    };
    REQUIRE(ledger_->for_each_row(run.id, visit));
    return lines;
  }

  Options options;
  RunRecord run;
  std::string path;

 private:
  ScopedFolder folder_;
  std::unique_ptr<SqliteLedger> ledger_;
  AccountRecord account_{0, "main", std::string(default_kind().service()), "https://a.test", "job", "by the test"};
  int runs_ = 0;
};

const std::vector<Listing> kFeed = {{"A-1", "a house by the sea", "Brest"},
                                    {"A-2", "a flat in the old town", "Lyon"},
                                    {"A-3", "a farm with a barn", "Pau"}};

std::vector<Listing> feed_with(std::size_t at, const Listing& listing) {
  std::vector<Listing> feed = kFeed;
  feed[at] = listing;
  return feed;
}

}  // namespace

TEST_CASE("intake: a row that says what was paid for is shown as it was, and writes nothing but its place") {
  Nights nights;
  nights.write(kFeed);
  CHECK(nights.night().actions.at(Action::Submit) == 3);
  const std::vector<std::string> unchanged = {"A-1 done https://v.test/1.mp4 4 2 unchanged Brest",
                                              "A-2 done https://v.test/2.mp4 5 3 unchanged Lyon",
                                              "A-3 done https://v.test/3.mp4 6 4 unchanged Pau"};
  for (int night = 0; night < 3; ++night) {
    const IntakeCounts counts = nights.night();
    CHECK(counts.rows == 3);
    CHECK(counts.reasons.at(Reason::Unchanged) == 3);
    CHECK(counts.with_video == 3);
    CHECK(nights.rows() == unchanged);
    CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == 3);
    CHECK(nights.ledger().label_names(nights.run.id).value() == std::vector<std::string>{"city"});
    CHECK(counts.gone.empty());
    const RunReport report = make_report(nights.ledger(), nights.run).value();
    CHECK(report.counts.rows == 3);
    CHECK(report.counts.unchanged == 3);
    CHECK(report.counts.selected_of(RowState::Done) == 3);
  }
  CHECK(nights.number("SELECT count(*) FROM rows WHERE run > 1") == 0);
  CHECK(nights.number("SELECT count(*) FROM row_packs") == 1);
  CHECK(nights.number("SELECT count(*) FROM jobs") == 3);
}

TEST_CASE("intake: a row is known by its text in every format, however odd its cells are") {
  struct Case {
    const char* name;
    const char* file;
    std::string text;
    int rows;
  };
  const std::string url = "https://img.test/1.jpg";
  const std::vector<Case> cases = {
      {"plain", "f.csv", "id,image_urls,description,city\nA-1," + url + ",a house by the sea,Brest\n", 1},
      {"quotes, line ends, no ASCII", "f.csv",
       "id,image_urls,description,city\n\"A,1\"," + url + ",\"a \"\"house\"\"\r\nby the sea, été\",\"=1+1\"\n" +
           "\"Â-2\"," + url + "|" + url + ",  a house by the lake \xC2\xA0,\"x\r\"\n",
       2},
      {"guards against formulas", "f.csv",
       "id,image_urls,description,font\n=\"001\"," + url + ",'=a house by the sea,\"=\"\"Sans\"\"\"\n", 1},
      {"families of columns", "f.tsv",
       "id\tphoto_2\tphoto_10\tphoto_1\tdescription\nA-1\t" + url +
           "\t\thttps://img.test/2.jpg\ta \"house\" by the sea\n",
       1},
      {"a label that is not UTF-8", "f.csv",
       "id,image_urls,description,city\nA-1," + url + ",a house by the sea,Br\xE9st\n", 1},
      {"missing cells at the end", "f.csv",
       "id,image_urls,description,city,country\nA-1," + url + ",a house by the sea\nA-2," + url +
           ",a house by the lake,b\n",
       2},
      {"JSON", "f.json",
       R"([{"id": 7, "image_urls": ["https://img.test/1.jpg"], "description": "a \u00e9 house by the sea", "n": 1.50}])",
       1},
      {"JSON Lines", "f.jsonl",
       "{\"id\": \"A-1\", \"image_urls\": \"" + url +
           "\", \"description\": \"a house by the sea\", \"tags\": [1, {}]}\n",
       1},
      {"YAML", "f.yaml",
       "defaults: {format: portrait, city: Lyon}\njobs:\n- {id: A-1, image_urls: [" + url +
           "], description: a house by the sea}\n",
       1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Nights nights;
    nights.options.manifest.map = {{"image_urls", c.file == std::string_view("f.tsv") ? "photo_*" : "image_urls"}};
    nights.options.manifest.defaults["music"] = {RawValue::Form::Text, "calm"};
    nights.write_as(c.file, c.text);
    CHECK(nights.night().actions[Action::Submit] == c.rows);
    const std::vector<std::string> first = nights.rows();
    IntakeCounts counts = nights.night();
    CHECK(counts.reasons[Reason::Unchanged] == c.rows);
    CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == c.rows);
    CHECK(nights.number("SELECT count(*) FROM rows WHERE run = 2") == 0);
    CHECK(nights.results() == nights.results_row_by_row());
  }
}

TEST_CASE("intake: packed rows are written as all others are, whatever they say") {
  Nights nights;
  std::string text = "id,image_urls,description,city,line,=sum\n";
  const std::vector<std::string> hostile = {"plain",      "-5",         "=1+1",  "+33 1 23", "@x",        "a,b",
                                            "say \"hi\"", "two\nlines", "\ttab", "\x1b[1m",  "a\x7f,\"b", ""};
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    std::string cell;
    for (const char c : hostile[i]) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
    const std::string id = i % 2 == 0 ? fmt::format("-{}", i) : fmt::format("A,{}", i);
    text += fmt::format("\"{}\",https://img.test/1.jpg,a house by the sea,\"{}\",{},\"{}\"\n", id, cell, i,
                        std::string(i, 'x') + cell);
  }
  nights.write_as("odd, \"name\".csv", text);
  nights.night();
  nights.night();
  CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == static_cast<std::int64_t>(hostile.size()));
  CHECK(nights.results() == nights.results_row_by_row());
  // Facts that are missing, odd, or not whole.
  const std::vector<const char*> changes = {
      "UPDATE jobs SET used_last = NULL, accepted_at = NULL WHERE id % 3 = 0",
      "UPDATE jobs SET used_last = 2400, submitted_at = NULL, finished_at = accepted_at - 1250 WHERE id % 3 = 1",
      "UPDATE jobs SET url = '=x,\"y\"', remote_id = '', finished_at = NULL WHERE id % 4 = 1",
  };
  for (const char* change : changes) {
    CAPTURE(change);
    REQUIRE(nights.database().execute("DELETE FROM run_packs; DELETE FROM row_packs"));
    REQUIRE(nights.database().execute(change));
    nights.open();
    nights.take();
    nights.run.finished_at = WallTime(std::chrono::seconds(9));
    REQUIRE(nights.ledger().end_run(nights.run, {}, {}, 30));
    for (const char* meaning : {"job", "account", ""}) {
      CAPTURE(meaning);
      REQUIRE(nights.database().execute(fmt::format("UPDATE accounts SET credit_meaning = '{}'", meaning).c_str()));
      CHECK(nights.results() == nights.results_row_by_row());
    }
  }
}

TEST_CASE("intake: rows of manifests with other labels keep their columns in packs") {
  Nights nights;
  nights.write_as("a.csv",
                  "id,image_urls,description,city,size\nA-1,https://img.test/1.jpg,a house by the sea,Brest,5\n");
  const std::string first = nights.options.manifests[0];
  nights.write_as("b.csv",
                  "id,image_urls,description,size,area\nB-1,https://img.test/1.jpg,a house by the sea,7,North\n");
  nights.options.manifests = {
      first, nights.options.manifests[0],
      nights.write_file("c.csv", "id,image_urls,description\nC-1,https://img.test/1.jpg,a house by the sea\n")};
  nights.night();
  nights.night();
  CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == 3);
  CHECK(nights.ledger().label_names(nights.run.id).value() == std::vector<std::string>{"city", "size", "area"});
  const std::string results = nights.results();
  CHECK(results == nights.results_row_by_row());
  CHECK(results.find(",2,Brest,5,\r\n") != std::string::npos);
  CHECK(results.find(",2,,7,North\r\n") != std::string::npos);
  CHECK(results.find(",2,,,\r\n") != std::string::npos);
}

TEST_CASE("intake: one changed byte is looked at closely, wherever it is") {
  struct Case {
    const char* name;
    Listing changed;
    Reason reason;
  };
  const std::vector<Case> cases = {
      {"text", {"A-2", "a flat in the old town!", "Lyon"}, Reason::Changed},
      {"the same once trimmed", {"A-2", " a flat in the old town ", "Lyon"}, Reason::Unchanged},
      {"another listing", {"A-4", "a flat in the old town", "Lyon"}, Reason::New},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Nights nights;
    nights.write(kFeed);
    nights.night();
    nights.write(feed_with(1, c.changed));
    nights.take();
    // The others are in a pack around it.
    CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == 2);
    const std::vector<std::string> rows = nights.rows();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0] == "A-1 done https://v.test/1.mp4 4 2 unchanged Brest");
    CHECK(rows[2] == "A-3 done https://v.test/3.mp4 6 4 unchanged Pau");
    std::vector<Reason> reasons;
    REQUIRE(nights.ledger().for_each_changing_row(nights.run.id, [&](const RowView& view) -> Result<void> {
      reasons.push_back(view.row.reason);
      return {};
    }));
    CHECK(reasons == std::vector<Reason>{c.reason});
    CHECK(nights.planned(nights.run.id).size() == (c.reason == Reason::Unchanged ? 0 : 1));
  }
}

TEST_CASE("intake: a label may change without a look at the row, and is shown as it is now") {
  Nights nights;
  nights.write(kFeed);
  nights.night();
  nights.night();
  nights.write(feed_with(0, {"A-1", kFeed[0].description, "Quimper"}));
  nights.night();
  CHECK(nights.rows()[0] == "A-1 done https://v.test/1.mp4 4 2 unchanged Quimper");
  CHECK(nights.number("SELECT count(*) FROM rows WHERE run = 3") == 0);
}

TEST_CASE("intake: while a listing has something open or held, its old text does not make it unchanged") {
  for (const bool held : {false, true}) {
    CAPTURE(held);
    Nights nights;
    nights.write(kFeed);
    nights.night();
    nights.write(feed_with(1, {"A-2", "a flat in the new town", "Lyon"}));
    nights.take();
    const JobId job = nights.submit(nights.planned(nights.run.id).front());
    nights.step(job, State::Submitting, held ? Event::Lose : Event::Accept);
    nights.end();
    nights.write(kFeed);
    const IntakeCounts counts = nights.take();
    CHECK(counts.reasons.at(held ? Reason::Held : Reason::InFlight) == 1);
    CHECK(counts.reasons.at(Reason::Unchanged) == 2);
    nights.end();
    if (held) continue;
    nights.step(job, State::InFlight, Event::Finish);
    CHECK(nights.take().reasons.at(Reason::Unchanged) == 3);
  }
}

TEST_CASE("intake: a planned row of an earlier run is left where a later run found its listing unchanged") {
  Nights nights;
  nights.write(kFeed);
  nights.night();
  nights.write(feed_with(1, {"A-2", "a flat in the new town", "Lyon"}));
  nights.take();
  const RunRecord interrupted = nights.run;
  nights.end();
  REQUIRE(nights.planned(interrupted.id).size() == 1);
  nights.write(kFeed);
  nights.night();
  CHECK(nights.ledger().leave_replaced(interrupted.id).value() == 1);
  CHECK(nights.planned(interrupted.id).empty());
  CHECK(nights.ledger().planned_count(interrupted.id).value() == 0);
}

TEST_CASE("intake: --only leaves unchanged rows out, and they are shown all the same") {
  Nights nights;
  nights.write(kFeed);
  nights.night();
  nights.options.only = {"A-3"};
  const IntakeCounts counts = nights.night();
  CHECK(counts.not_selected == 2);
  CHECK(counts.reasons.at(Reason::Unchanged) == 1);
  const RunReport report = make_report(nights.ledger(), nights.run).value();
  CHECK(report.counts.of(RowState::Done) == 3);
  CHECK(report.counts.selected_of(RowState::Done) == 1);
}

TEST_CASE("intake: a row in which only ignored parts change is known at a glance from the second night on") {
  Nights nights;
  const auto write = [&](int night) {
    std::string text = "id,image_urls,description\n";
    for (int i = 1; i <= 3; ++i)
      text += fmt::format("A-{0},https://img.test/{0}.jpg?v={1},a house by the sea\n", i, night);
    nights.write_as("feed.csv", text);
  };
  write(1);
  nights.night();
  nights.options.manifest.ignore = {parse_ignore_rule("image_urls?v").value()};
  for (int night = 2; night <= 4; ++night) {
    CAPTURE(night);
    write(night);
    CHECK(nights.night().reasons.at(Reason::Unchanged) == 3);
    // The first of them had to be looked at closely: what it was known by did not leave anything out.
    CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == (night == 2 ? 0 : 3));
  }
  CHECK(nights.number("SELECT count(*) FROM contents") == 3);
  CHECK(nights.number("SELECT count(*) FROM jobs") == 3);
  nights.options.manifest.ignore.clear();
  CHECK(nights.take().reasons.at(Reason::Changed) == 3);
}

TEST_CASE("intake: a feed is known by its files and its catalogue, numbers aside") {
  Options options;
  const auto feed = [&](const std::vector<std::string>& manifests, const char* catalogue = "") {
    options.manifests = manifests;
    options.catalogue = catalogue;
    return feed_of(options);
  };
  CHECK(feed({"feed-2026-11-20.csv"}) == feed({"feed-2026-1-9.csv"}));
  CHECK(feed({"feed.csv"}) != feed({"food.csv"}));
  CHECK(feed({"feed.csv"}) != feed({"feed.csv"}, "lyon"));
  CHECK(feed({"a.csv", "b.csv"}) != feed({"a.csv"}));
}

TEST_CASE("intake: a listing that left the feed is counted") {
  Nights nights;
  for (const char* catalogue : {"", "lyon"}) {
    nights.options.catalogue = catalogue;
    nights.write(kFeed);
    nights.night();
    nights.write({kFeed[0], {"A-2", "a flat in the new town", "Lyon"}});
    const std::vector<ListingName> gone = nights.night().gone;
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].ref == "A-3");
    CHECK(gone[0].kind == default_kind().name());
    CHECK(gone[0].account == "main");
    CHECK(nights.night().gone.empty());  // it was not there last time either
  }
}

TEST_CASE("intake: a feed that shrank is compared with the run by which listings that left are known") {
  Nights nights;
  const auto write = [&](const char* name, int rows) {
    std::string text = "id,image_urls,description\n";
    for (int i = 1; i <= rows; ++i) text += fmt::format("A-{0},https://img.test/{0}.jpg,a house by the sea\n", i);
    nights.write_as(name, text);
  };
  const auto refused = [&] {
    const Result<IntakeCounts> counts = nights.try_take();
    return counts ? std::string() : counts.error().message;
  };
  write("feed-2026-11-26.csv", 30);
  nights.night();
  write("feed-2026-11-27.csv", 31);
  nights.night();  // all but one in a pack
  write("feed-2026-11-28.csv", 15);
  CHECK(refused().starts_with("the feed has 15 rows, less than half of the 31 it had in the last run"));
  nights.options.catalogue = "lyon";
  CHECK(refused() == "");
  nights.options.catalogue.clear();
  write("other-2026-11-28.csv", 15);
  CHECK(refused() == "");
  nights.end();
}

TEST_CASE("intake: packs go with the last run that has them") {
  Nights nights;
  nights.write(kFeed);
  nights.night();
  nights.night();
  nights.write({kFeed[0], kFeed[1]});
  nights.night();
  CHECK(nights.number("SELECT count(*) FROM row_packs") == 2);
  nights.take();
  nights.end(2);
  CHECK(nights.number("SELECT count(*) FROM row_packs") == 1);
  CHECK(nights.number("SELECT count(*) FROM run_packs") == 2);
  CHECK(nights.number("SELECT count(*) FROM run_labels") == 2);
  CHECK(nights.rows().size() == 2);
}

TEST_CASE("intake: verify names a pack that is damaged, or says what is not recorded") {
  struct Case {
    const char* change;
    const char* finding;
  };
  const std::vector<Case> cases = {
      {"UPDATE jobs SET url = 'https://v.test/other.mp4' WHERE id = 2", "does not say of its jobs what is recorded"},
      {"UPDATE row_packs SET list = substr(list, 1, 20)", "is damaged"},
      {"UPDATE row_packs SET digest = randomblob(16)", "is damaged"},
      {"UPDATE row_packs SET rows = 2", "is damaged"},
      {"UPDATE jobs SET state = 6 WHERE id = 2", "names a job that is missing or not done"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.change);
    Nights nights;
    nights.write(kFeed);
    nights.night();
    nights.night();
    REQUIRE(nights.database().execute(c.change));
    std::string findings;
    const std::vector<std::string> found = nights.ledger().verify().value();
    for (const std::string& finding : found) findings += finding + '\n';
    CHECK(findings.find(c.finding) != std::string::npos);
  }
}

TEST_CASE("intake: a ledger of the first version knows its texts after one more night, and pays for nothing again") {
  Nights nights(false);
  nights.write(kFeed);
  {
    auto old = Database::open(nights.path, Database::Mode::Create);
    REQUIRE(old);
    REQUIRE(prepare_ledger(*old, ledger_migrations().first(1)));
    REQUIRE(old->execute(R"sql(
      INSERT INTO accounts VALUES (1, 'main', 'iacrea', 'https://a.test', 'job', '');
      INSERT INTO runs (id, uid, started_at, finished_at, exit_code, sandbox) VALUES (1, 'old', 1, 2, 0, 0);
      INSERT INTO listings VALUES (1, 1, 'iacrea.auto', 'A-1'), (2, 1, 'iacrea.auto', 'A-2'), (3, 1, 'iacrea.auto', 'A-3');
      INSERT INTO contents VALUES
        (1, 1, '{"image_urls":"https://img.test/A-1.jpg","description":"a house by the sea"}'),
        (2, 2, '{"image_urls":"https://img.test/A-2.jpg","description":"a flat in the old town"}'),
        (3, 3, '{"image_urls":"https://img.test/A-3.jpg","description":"a farm with a barn"}');
      INSERT INTO jobs (id, listing, content, run, state, remote_id, url, accepted_at, finished_at, polls, used_last)
        SELECT id, listing, id, 1, 5, 'remote-' || id, 'https://v.test/' || id || '.mp4', 5, 6, 3, 1000 * (3 + id)
        FROM contents;
      INSERT INTO steps (job, run, at, from_state, event) SELECT id, 1, 1, 0, 0 FROM jobs UNION ALL
        SELECT id, 1, 1, 1, 1 FROM jobs UNION ALL SELECT id, 1, 1, 2, 5 FROM jobs ORDER BY 1;
      INSERT INTO rows (run, number, id, kind, account, listing, content, job, action, reason, selected, file, line,
                        labels, submissions)
        SELECT 1, id, 'A-' || id, 'iacrea.auto', 'main', id, id, id, 0, 0, 1, 'feed.csv', id + 1,
               '{"city":"Old","zip":"1"}', 1 FROM listings;
    )sql"));
  }
  nights.open();
  CHECK(std::filesystem::exists(nights.path + ".v1.bak"));
  CHECK(nights.ledger().label_names(1).value() == std::vector<std::string>{"city", "zip"});
  CHECK(nights.ledger().highest_price(1, "iacrea.auto").value() == Credits::whole(6));
  nights.run = **nights.ledger().run("old");
  CHECK(nights.rows()[2] == "A-3 done https://v.test/3.mp4 6 4  Old");

  CHECK(nights.night().reasons.at(Reason::Unchanged) == 3);
  CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == 0);
  CHECK(nights.night().reasons.at(Reason::Unchanged) == 3);
  CHECK(nights.ledger().unchanged_rows(nights.run.id)->rows == 3);
  CHECK(nights.number("SELECT count(*) FROM jobs") == 3);
}

TEST_CASE("intake: items in lists are counted in compact JSON") {
  const FieldSpec list{"image_urls", "image_urls", true, true}, text{"description", "description", false, true};
  const auto items = [&](const FieldSpec& spec, const char* json) {
    const NormalField field{&spec, json};
    return items_in_lists({&field, 1});
  };
  CHECK(items(list, "[]") == 0);
  CHECK(items(list, R"(["https://a.test/1,2.jpg"])") == 1);
  CHECK(items(list, R"(["a\\\",b","c",["d","e"]])") == 3);
  CHECK(items(text, R"("a,b,c")") == 0);
}

TEST_CASE("intake: a run keeps to its plan or takes in nothing") {
  Nights nights;
  nights.write({{"A-1", "A bright house, one", "Lyon"}, {"A-2", "A bright house, two", "Lyon"}});
  const auto digests = [&] {
    Planner planner(&nights.ledger(), nights.options, true);
    REQUIRE(planner.start());
    const auto glance = [&](const RowText& row) -> Result<bool> { return planner.unchanged(row) != nullptr; };
    const auto sink = [&](ManifestRow& row) -> Result<void> {
      REQUIRE(planner.plan(row));
      return {};
    };
    REQUIRE(read_manifests(
        nights.options.manifests, nights.options.manifest, sink, [](const Remark&) {}, glance));
    return planner.digests();
  };
  const auto refused = [&] {
    RunRecord run;
    run.uid = "refused";
    const auto bind = [&](const std::string& name) -> Result<AccountId> {
      AccountRecord account{0, name, std::string(default_kind().service()), "https://a.test", "", ""};
      if (Result<void> put = nights.ledger().put_account(account); !put) return tl::unexpected(put.error());
      return account.id;
    };
    const Result<IntakeCounts> taken = take_in(nights.ledger(), nights.options, bind, run, [](const Remark&) {});
    return taken ? std::string() : taken.error().message;
  };
  nights.options.keep_to = digests();
  nights.options.only = {"A-1"};
  CHECK(refused().find("the options are others") != std::string::npos);
  nights.options.only.clear();
  CHECK(nights.take().rows == 2);
  nights.write({{"A-1", "A bright house, one", "Lyon"}, {"A-2", "A bright house, three", "Lyon"}});
  CHECK(refused().find("the manifest has changed") != std::string::npos);
  CHECK_FALSE(nights.ledger().run("refused").value());
}
