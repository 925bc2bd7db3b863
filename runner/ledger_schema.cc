#include "runner/ledger_schema.h"

#include <fmt/format.h>

#include <array>

namespace reelbatch {
namespace {

// PRAGMA application_id of a ledger: "reel" in ASCII.
constexpr std::int64_t kApplicationId = 0x7265656c;

constexpr const char* kVersion1 = R"sql(
-- 'working:' with the id of an account is there while a run works with it: found at a start, its last run did not end
-- cleanly. Older versions wrote 'working' for all of them.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL,
  origin TEXT NOT NULL,
  credit_meaning TEXT NOT NULL DEFAULT '',
  credit_evidence TEXT NOT NULL DEFAULT ''
);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,      -- all times: milliseconds since 1970, UTC
  finished_at INTEGER,              -- NULL while it goes on, or when it died
  exit_code INTEGER,
  stopped_by TEXT NOT NULL DEFAULT '',
  stopped_detail TEXT NOT NULL DEFAULT '',
  accounts_stopped TEXT NOT NULL DEFAULT '',
  sandbox INTEGER NOT NULL
);

-- What is paid for once: a reference within an account and a kind.
CREATE TABLE listings (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES accounts,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  UNIQUE (account, kind, ref)
);

-- The fields as read, as JSON: one for each job of a listing, and at most one that waits.
CREATE TABLE contents (
  id INTEGER PRIMARY KEY,
  listing INTEGER NOT NULL REFERENCES listings,
  fields TEXT NOT NULL
);
CREATE INDEX contents_of_listing ON contents (listing);

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  listing INTEGER NOT NULL REFERENCES listings,
  content INTEGER NOT NULL REFERENCES contents,
  run INTEGER NOT NULL REFERENCES runs,  -- the last that submitted it
  state INTEGER NOT NULL,                -- runner/transition.h
  remote_id TEXT,
  url TEXT,
  reason TEXT,
  submitted_at INTEGER,
  accepted_at INTEGER,
  finished_at INTEGER,
  polls INTEGER NOT NULL DEFAULT 0,
  reserved INTEGER,                      -- all credits: thousandths
  used_last INTEGER,                     -- the last "used" figure of its answers
  cost_alone INTEGER                     -- the rise of the account's figure while it alone was open
);
CREATE INDEX jobs_of_listing ON jobs (listing);
CREATE INDEX jobs_remote ON jobs (remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX jobs_open ON jobs (state) WHERE state IN (1, 2, 3, 4);

-- Every step of every job, in order: replayed by `ledger verify`.
CREATE TABLE steps (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES jobs,
  run INTEGER,                           -- NULL for an operator's word
  at INTEGER NOT NULL,
  from_state INTEGER NOT NULL,
  event INTEGER NOT NULL,
  detail TEXT
);

-- A run's rows, in manifest order. Old runs' rows may go, nothing that was paid for is only here.
CREATE TABLE rows (
  run INTEGER NOT NULL REFERENCES runs,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  account TEXT NOT NULL,
  listing INTEGER,
  content INTEGER,
  job INTEGER,
  action INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  detail TEXT,
  selected INTEGER NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  labels TEXT,
  submissions INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- Every figure an answer gave. Append-only. One without a figure: the job may be charged from then on.
CREATE TABLE credits (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES accounts,
  run INTEGER,
  job INTEGER,
  at INTEGER NOT NULL,
  remaining INTEGER,
  used INTEGER
);
CREATE INDEX credits_of_account ON credits (account, id);

-- Requests that the limits of the next run still have to count.
CREATE TABLE sends (
  account INTEGER NOT NULL REFERENCES accounts,
  submission INTEGER NOT NULL,
  at INTEGER NOT NULL
);
)sql";

constexpr const char* kVersion2 = R"sql(
-- By which a row's very text is known again without reading `fields`: runner/intake.h. NULL: looked at closely.
ALTER TABLE contents ADD COLUMN text BLOB;
ALTER TABLE jobs ADD COLUMN text BLOB;

-- Every run begins by walking the done jobs with their texts: this index alone answers that, and counts by state.
DROP INDEX jobs_open;
CREATE INDEX jobs_by_state ON jobs (state, id, text);
CREATE INDEX jobs_of_run ON jobs (run);

-- Rows of runs that were unchanged when their run began: runner/row_pack.h. The others are in `rows`.
CREATE TABLE row_packs (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  rows INTEGER NOT NULL,
  selected INTEGER NOT NULL,
  list BLOB NOT NULL,
  facts BLOB NOT NULL
);
CREATE TABLE run_packs (
  run INTEGER NOT NULL REFERENCES runs,
  first_number INTEGER NOT NULL,
  first_line INTEGER NOT NULL,
  file TEXT NOT NULL,
  pack INTEGER NOT NULL REFERENCES row_packs,
  PRIMARY KEY (run, first_number)
) WITHOUT ROWID;
CREATE INDEX runs_of_pack ON run_packs (pack);

-- The labels of a run's rows, in the order first met: the columns of its results.
CREATE TABLE run_labels (
  run INTEGER NOT NULL REFERENCES runs,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
INSERT INTO run_labels SELECT run, row_number() OVER (PARTITION BY run ORDER BY first), key
  FROM (SELECT r.run, e.key, min(r.number * 100000 + e.id) AS first FROM rows r, json_each(r.labels) e
        WHERE r.labels IS NOT NULL GROUP BY r.run, e.key);

-- The highest prices seen, so that they need not be looked for among all jobs.
CREATE TABLE prices (
  account INTEGER NOT NULL REFERENCES accounts,
  kind TEXT NOT NULL,
  own INTEGER NOT NULL,                  -- where the figure is the job's
  alone INTEGER,                         -- where it is the account's
  PRIMARY KEY (account, kind)
) WITHOUT ROWID;
INSERT INTO prices SELECT l.account, l.kind, max(coalesce(j.used_last, j.cost_alone)), max(j.cost_alone)
  FROM jobs j JOIN listings l ON l.id = j.listing
  WHERE j.state IN (5, 6) AND coalesce(j.used_last, j.cost_alone) IS NOT NULL GROUP BY l.account, l.kind;
)sql";

constexpr const char* kVersion3 = R"sql(
-- What a job works on at the service, where that was there before it: jobs of one subject go together.
ALTER TABLE rows ADD COLUMN subject TEXT;
CREATE INDEX rows_of_subject ON rows (run, subject) WHERE subject IS NOT NULL;
ALTER TABLE jobs ADD COLUMN subject TEXT;
CREATE INDEX jobs_of_subject ON jobs (subject) WHERE subject IS NOT NULL;

-- Followed: it was there before its row, and costs nothing.
ALTER TABLE jobs ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;

-- Those of the row that was last submitted, as JSON: rows go, what was paid for whom stays.
ALTER TABLE jobs ADD COLUMN labels TEXT;
UPDATE jobs SET labels = r.labels FROM rows r WHERE r.job = jobs.id AND r.run = jobs.run AND r.labels IS NOT NULL;

-- What was spent since a day or a month began.
CREATE INDEX jobs_by_submission ON jobs (submitted_at) WHERE submitted_at IS NOT NULL;

-- Budgets of label values that had no room for some rows, as JSON: runner/ledger.h, BudgetStop.
ALTER TABLE runs ADD COLUMN budgets_reached TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* kVersion4 = R"sql(
-- A job that makes a part of another one again: what it costs is in that one's figures.
ALTER TABLE jobs ADD COLUMN repairs INTEGER REFERENCES jobs;
ALTER TABLE jobs ADD COLUMN part TEXT;
CREATE INDEX jobs_repairing ON jobs (repairs) WHERE repairs IS NOT NULL;
)sql";

constexpr const char* kVersion5 = R"sql(
-- Its balance is older than the one recorded before it: the answers were out at the same time.
ALTER TABLE credits ADD COLUMN overtaken INTEGER NOT NULL DEFAULT 0;
)sql";

constexpr const char* kVersion6 = R"sql(
-- What the job itself had cost by then, where "used" may be that of more than the job. NULL: the answers did not tell.
ALTER TABLE credits ADD COLUMN own INTEGER;
)sql";

constexpr const char* kVersion7 = R"sql(
-- What its jobs cost that its balance does not show yet (runner/unshown_charges.h), as of the last turn that wrote.
ALTER TABLE accounts ADD COLUMN unshown INTEGER NOT NULL DEFAULT 0;
)sql";

constexpr const char* kVersion8 = R"sql(
-- Jobs that an operator let be sent again: the submission before may have been charged all the same. 10: Event::Resubmit.
CREATE INDEX steps_resubmitted ON steps (job) WHERE event = 10;
)sql";

constexpr const char* kVersion9 = R"sql(
-- The same moment by the clock that never jumps, and which boot of the machine it counts from.
ALTER TABLE sends ADD COLUMN uptime INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN boot INTEGER NOT NULL DEFAULT 0;  -- 0: unknown

-- While a run works, 'begun' is in this file ahead of 'written', which follows in the journal beside it: a file in which
-- they differ has not got all that was written.
INSERT INTO meta VALUES ('begun', 0), ('written', 0);
)sql";

constexpr std::array kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5,
                                    kVersion6, kVersion7, kVersion8, kVersion9};

Result<void> set_up(Database& database) {
  // EXTRA, before the journal's mode: a commit is on disk before it is believed, and so is that the rollback journal
  // of the switch to WAL is gone. One that came back after a loss of power would undo all that was written since.
  // The connection's own locking stays NORMAL, so that `status` can read while a run goes on.
  return database.execute(
      "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
      "PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;");
}

/// Without the journal beside it a file may lack what was written last, while SQLite takes it for whole: then jobs that
/// were paid for are not known here. See SqliteLedger::renew_marks().
Result<void> require_journal(Database& database) {
  if (database.had_journal()) return {};
  const Result<std::int64_t> lacking =
      database.number("SELECT count(DISTINCT value) > 1 FROM meta WHERE name IN ('begun', 'written')");
  if (!lacking) return tl::unexpected(lacking.error());
  if (*lacking == 0) return {};
  return usage_error(fmt::format(
      "a run was working on the ledger {0} when it was last written, and {0}-wal, which has what came last, is gone: "
      "put it back beside the ledger, as it was moved or copied without it. If it is lost, jobs that were paid for are "
      "not known here: look for them at the service; `run --allow-lost-journal` says that you did",
      database.path()));
}

Error newer(const Database& database, std::int64_t version, std::size_t known) {
  return Error{Fault::Usage,
               fmt::format("the ledger {} was written by a newer reelbatch (its version is {}, this program knows {}): "
                           "use that reelbatch, or another --ledger",
                           database.path(), version, known)};
}

Error foreign(const Database& database) {
  return Error{Fault::Usage,
               fmt::format("{} is an SQLite file but no reelbatch ledger: give another --ledger", database.path())};
}

}  // namespace

std::span<const char* const> ledger_migrations() {
  return kMigrations;
}

Result<void> prepare_ledger(Database& database, std::span<const char* const> migrations, PrepareLedger how) {
  const Result<std::int64_t> version = database.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  const Result<std::int64_t> application = database.number("PRAGMA application_id");
  const Result<std::int64_t> tables = database.number("SELECT count(*) FROM sqlite_master");
  if (!tables) return tl::unexpected(tables.error());
  const bool is_new = *version == 0 && *tables == 0;
  if (!is_new && *application != kApplicationId) return tl::unexpected(foreign(database));
  if (is_new && !how.may_make) {
    return usage_error(fmt::format(
        "the ledger {} is empty: a run was killed while it made it, or it was moved or copied without its {}-wal",
        database.path(), database.path()));
  }
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (*version < 0 || *version > known) return tl::unexpected(newer(database, *version, migrations.size()));
  if (!is_new && !how.may_lack_journal) {
    if (Result<void> whole = require_journal(database); !whole) return whole;
  }
  if (Result<void> ready = set_up(database); !ready) return ready;
  if (*version == known) return {};

  if (!is_new) {
    const std::string copy = fmt::format("{}.v{}.bak", database.path(), *version);
    if (Result<void> copied = database.backup_to(copy); !copied) return copied;
  }
  Result<Transaction> transaction = Transaction::begin(database);
  if (!transaction) return tl::unexpected(transaction.error());
  for (std::int64_t i = *version; i < known; ++i) {
    if (Result<void> done = database.execute(migrations[static_cast<std::size_t>(i)]); !done) return done;
  }
  const std::string stamp = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplicationId, known);
  if (Result<void> done = database.execute(stamp.c_str()); !done) return done;
  if (Result<void> done = transaction->commit(); !done) return done;
  // So that the file alone is a ledger from its first day on.
  if (const Result<bool> moved = database.checkpoint(); !moved) return tl::unexpected(moved.error());
  return {};
}

Result<void> require_current(Database& database, std::span<const char* const> migrations) {
  const Result<std::int64_t> version = database.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  const Result<std::int64_t> application = database.number("PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  if (*application != kApplicationId) return tl::unexpected(foreign(database));
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (*version < 0 || *version > known) return tl::unexpected(newer(database, *version, migrations.size()));
  if (*version < known) {
    return usage_error(
        fmt::format("the ledger {} is of version {} and this reelbatch writes {}: the next run brings it up to date",
                    database.path(), *version, known));
  }
  return require_journal(database);
}

}  // namespace reelbatch
