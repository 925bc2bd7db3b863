// The ledger as it is looked at: rows with their outcomes, sums, and the check of the whole record.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runner/sqlite_ledger.h"
#include "runner/sqlite_values.h"

namespace reelbatch {

// ---- Views ----------------------------------------------------------------------------------------------------------

Result<std::vector<HeldJob>> SqliteLedger::held_jobs() {
  return jobs_to_decide("j.state = 4");
}

Result<std::vector<HeldJob>> SqliteLedger::adopted_jobs() {
  return jobs_to_decide(fmt::format(
      "(j.state IN (2, 3) OR (j.state = 6 AND j.reason LIKE '{}%')) AND EXISTS (SELECT 1 FROM steps s WHERE s.job = "
      "j.id AND s.event = 9) AND NOT EXISTS (SELECT 1 FROM jobs n WHERE n.listing = j.listing AND n.id > j.id)",
      kNoLongerKnown));
}

Result<std::vector<HeldJob>> SqliteLedger::jobs_to_decide(std::string_view which) {
  Statement query = database_->prepare(
      fmt::format("SELECT j.id, l.ref, l.account, l.kind, a.name, j.reason, j.submitted_at, r.uid, j.state FROM jobs j "
                  "JOIN listings l ON l.id = j.listing JOIN accounts a ON a.id = l.account JOIN runs r ON r.id = j.run "
                  "WHERE {} ORDER BY j.id",
                  which));
  std::vector<HeldJob> held;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return held;
    held.push_back({query.integer(0), static_cast<State>(query.integer(8)), std::string(query.text(1)),
                    query.integer(2), std::string(query.text(3)), std::string(query.text(4)),
                    std::string(query.text(5)), from_ms(query.integer(6)), std::string(query.text(7))});
  }
}

Result<std::vector<ListingView>> SqliteLedger::listings_named(std::string_view ref) {
  Statement query = database_->prepare(fmt::format(
      "SELECT l.id, a.name, l.kind, l.ref, c.id, c.fields, j.id, j.state, j.remote_id, j.url, j.reason, "
      "j.submitted_at, j.finished_at, {} FROM listings l JOIN accounts a ON a.id = l.account JOIN contents c ON "
      "c.listing = l.id LEFT JOIN jobs j ON j.listing = l.id AND +j.content = c.id WHERE l.ref = ? ORDER BY a.name, "
      "l.kind, c.id, j.id",
      kCostSoFar));
  query.bind(1, ref);
  std::vector<ListingView> listings;
  ListingId listing = 0;
  ContentId content = 0;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return listings;
    if (query.integer(0) != listing) {
      listings.push_back({std::string(query.text(1)), std::string(query.text(2)), std::string(query.text(3)), {}});
    }
    listing = query.integer(0);
    if (query.integer(4) != content) listings.back().contents.push_back({std::string(query.text(5)), {}});
    content = query.integer(4);
    if (query.is_null(6)) continue;
    listings.back().contents.back().jobs.push_back(
        {static_cast<State>(query.integer(7)), std::string(query.text(8)), std::string(query.text(9)),
         std::string(query.text(10)), maybe_time(query, 11), maybe_time(query, 12), maybe_credits(query, 13)});
  }
}

Result<std::map<RunId, std::string>> SqliteLedger::run_names() {
  Statement query = database_->prepare("SELECT id, uid FROM runs");
  std::map<RunId, std::string> names;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return names;
    names[query.integer(0)] = query.text(1);
  }
}

Result<LedgerCounts> SqliteLedger::counts() {
  LedgerCounts counts;
  Statement query = database_->prepare("SELECT state, count(*) FROM jobs GROUP BY state");
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    counts.jobs[static_cast<State>(query.integer(0))] = query.integer(1);
  }
  const Result<std::int64_t> listings = database_->number(
      "SELECT (SELECT count(*) FROM listings) - (SELECT count(*) FROM jobs WHERE repairs IS NOT NULL)");
  if (!listings) return tl::unexpected(listings.error());
  counts.listings = *listings;
  return counts;
}

// ---- Care -----------------------------------------------------------------------------------------------------------

namespace {

/// Replays every job's steps by the transition table, and compares the last state with the job's.
Result<void> verify_steps(Database& database, std::vector<std::string>& findings) {
  Statement query = database.prepare(
      "SELECT j.id, j.state, s.from_state, s.event, l.ref FROM jobs j JOIN listings l ON l.id = j.listing "
      "LEFT JOIN steps s ON s.job = j.id ORDER BY j.id, s.id");
  JobId job = 0;
  State recorded = State::Planned, replayed = State::Planned;
  std::string ref;
  const auto finish = [&] {
    if (job != 0 && replayed != recorded) {
      findings.push_back(fmt::format("job {} of {}: its steps lead to {}, but it is recorded as {}", job, ref,
                                     name_of(replayed), name_of(recorded)));
    }
  };
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    if (query.integer(0) != job) {
      finish();
      job = query.integer(0);
      recorded = static_cast<State>(query.integer(1));
      replayed = State::Planned;
      ref = query.text(4);
    }
    if (query.is_null(2)) continue;
    const State from = static_cast<State>(query.integer(2));
    const std::optional<State> to = next(from, static_cast<Event>(query.integer(3)));
    if (from != replayed || !to) {
      findings.push_back(fmt::format("job {} of {}: a step from {} does not follow from {}", job, ref, name_of(from),
                                     name_of(replayed)));
    }
    replayed = to.value_or(from);
  }
  finish();
  return {};
}

/// Adds a finding for each row of a query that gives sentences.
Result<void> verify_query(Database& database, std::string_view sql, std::vector<std::string>& findings) {
  Statement query = database.prepare(sql);
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    if (query.text(0) != "ok") findings.emplace_back(query.text(0));
  }
}

}  // namespace

Result<std::vector<std::string>> SqliteLedger::manifests_of(RunId run) {
  Statement query =
      database_->prepare("SELECT file FROM rows WHERE run = ?1 UNION SELECT file FROM run_packs WHERE run = ?1");
  query.bind(1, run);
  std::vector<std::string> files;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return files;
    files.emplace_back(query.text(0));
  }
}

Result<std::vector<std::string>> SqliteLedger::verify() {
  std::vector<std::string> findings;
  for (const char* sql :
       {"PRAGMA integrity_check",
        "SELECT 'table ' || \"table\" || ' row ' || coalesce(rowid, '?') || ' refers to a missing ' || parent "
        "FROM pragma_foreign_key_check",
        "SELECT 'job ' || id || ' was accepted but has no job id' FROM jobs WHERE state IN (2, 3, 5) AND remote_id IS "
        "NULL",
        "SELECT 'job id ' || j.remote_id || ' belongs to ' || count(*) || ' jobs' FROM jobs j JOIN listings l ON l.id "
        "= j.listing "
        "WHERE j.remote_id IS NOT NULL AND NOT j.followed GROUP BY l.account, j.remote_id HAVING count(*) > 1",
        "SELECT 'listing ' || l.ref || ' has ' || count(*) || ' jobs open at once' FROM jobs j JOIN listings l ON l.id "
        "= j.listing "
        "WHERE j.state IN (1, 2, 3, 4) GROUP BY j.listing HAVING count(*) > 1",
        "SELECT 'job ' || j.id || ' makes again a part of job ' || j.repairs || ' of another account' FROM jobs j JOIN "
        "listings l ON l.id = j.listing JOIN jobs o ON o.id = j.repairs JOIN listings ol ON ol.id = o.listing WHERE "
        "l.account <> ol.account",
        "SELECT 'part ' || part || ' of job ' || repairs || ' has ' || count(*) || ' repairs in doubt' FROM jobs WHERE "
        "repairs IS NOT NULL AND state IN (1, 4) GROUP BY repairs, part HAVING count(*) > 1",
        "SELECT 'row ' || r.number || ' of run ' || r.run || ' names a missing job' FROM rows r LEFT JOIN jobs j ON "
        "j.id = r.job "
        "WHERE r.job IS NOT NULL AND j.id IS NULL"}) {
    if (Result<void> done = verify_query(*database_, sql, findings); !done) return tl::unexpected(done.error());
  }
  if (Result<void> done = verify_steps(*database_, findings); !done) return tl::unexpected(done.error());
  if (Result<void> done = verify_packs(findings); !done) return tl::unexpected(done.error());
  return findings;
}

Result<void> SqliteLedger::backup(const std::string& path) {
  // What is there may be a ledger too: it is not written over.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return usage_error(fmt::format("{} exists: name a file that does not", path));
  if (fd < 0) return ground_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  ::close(fd);
  if (Result<void> copied = database_->backup_to(path); !copied) return copied;
  // It is a whole snapshot, whatever was to come.
  Result<Database> copy = Database::open(path, Database::Mode::ReadWrite);
  if (!copy) return tl::unexpected(copy.error());
  return copy->execute("UPDATE meta SET value = 0 WHERE name IN ('begun', 'written')");
}

}  // namespace reelbatch
