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
  Statement query = database_->prepare(
      "SELECT j.id, l.ref, l.account, l.kind, a.name, j.reason, j.submitted_at, r.uid FROM jobs j JOIN listings l "
      "ON l.id = j.listing JOIN accounts a ON a.id = l.account JOIN runs r ON r.id = j.run WHERE j.state = 4 ORDER BY "
      "j.id");
  std::vector<HeldJob> held;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return held;
    held.push_back({query.integer(0), std::string(query.text(1)), query.integer(2), std::string(query.text(3)),
                    std::string(query.text(4)), std::string(query.text(5)), from_ms(query.integer(6)),
                    std::string(query.text(7))});
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

Result<CreditSums> SqliteLedger::credit_sums(AccountId account, RunId run) {
  CreditSums sums;
  Statement jobs = database_->prepare(fmt::format(
      "SELECT count(*), count(cost), sum(cost) FROM (SELECT {} AS cost FROM jobs j JOIN listings l ON l.id = j.listing "
      "JOIN accounts a ON a.id = l.account WHERE j.run = ? AND l.account = ? AND NOT j.followed AND j.repairs IS NULL "
      "AND (j.remote_id IS NOT NULL OR j.state IN (1, 4, 7)))",
      kCostSoFar));
  Result<bool> row = jobs.bind(1, run).bind(2, account).step();
  if (!row) return tl::unexpected(row.error());
  const std::int64_t submitted = jobs.integer(0);
  sums.unknown_jobs = submitted - jobs.integer(1);
  // No job is a known sum of nothing; jobs of which no cost is known are not.
  if (submitted == 0 || jobs.integer(1) > 0) sums.used = Credits{jobs.integer(2)};

  // What an open job is known to have cost already is no longer reserved.
  Statement reserved =
      database_->prepare(fmt::format("SELECT sum(max(j.reserved - coalesce({}, 0), 0)) FROM jobs j CROSS JOIN listings "
                                     "l ON l.id = j.listing CROSS JOIN "
                                     "accounts a ON a.id = l.account WHERE l.account = ? AND j.state IN (1, 2, 3, 4)",
                                     kCostSoFar));
  if (row = reserved.bind(1, account).step(); !row) return tl::unexpected(row.error());
  sums.reserved = maybe_credits(reserved, 0).value_or(Credits{});

  const auto figure = [&](std::string_view where,
                          std::string_view order) -> Result<std::optional<std::pair<Credits, Credits>>> {
    Statement query = database_->prepare(fmt::format(
        "SELECT c.remaining, CASE WHEN a.credit_meaning <> 'job' OR j.followed THEN 0 WHEN j.subject IS NULL THEN "
        "c.used ELSE j.used_last END FROM credits c JOIN accounts a ON a.id = c.account LEFT JOIN jobs j ON j.id = "
        "c.job WHERE c.account = ?1 AND {} AND {} ORDER BY c.id {} LIMIT 1",
        kTellsBalance, where, order));
    query.bind(1, account).bind(2, run);
    const Result<bool> found = query.step();
    if (!found) return tl::unexpected(found.error());
    if (!*found) return std::nullopt;
    return std::pair{Credits{query.integer(0)}, Credits{query.integer(1)}};
  };
  const auto last = figure("coalesce(c.run, 0) <= ?2", "DESC");
  if (!last) return tl::unexpected(last.error());
  if (!*last) return sums;
  const auto before = figure("coalesce(c.run, 0) < ?2", "DESC");
  if (!before) return tl::unexpected(before.error());
  // Only the first run of an account is without one before it: its first is soon found.
  const auto first = *before ? before : figure("c.run = ?2", "ASC");
  if (!first) return tl::unexpected(first.error());
  sums.remaining = (*last)->first;
  // A balance from before a job's last charge says nothing of the rest.
  Statement charged = database_->prepare(
      fmt::format("SELECT 1 FROM credits WHERE account = ?1 AND coalesce(run, 0) <= ?2 AND remaining IS NULL AND used "
                  "IS NOT NULL AND id > (SELECT max(c.id) FROM credits c WHERE c.account = ?1 AND coalesce(c.run, 0) "
                  "<= ?2 AND {}) LIMIT 1",
                  kTellsBalance));
  if (row = charged.bind(1, account).bind(2, run).step(); !row) return tl::unexpected(row.error());
  if (*row) return sums;
  if (*before) {
    sums.unattributed = (*before)->first - *sums.remaining - sums.used.value_or(Credits{});
    return sums;
  }
  // The very first answer of an account has no figure before it; if its "used" is the job's own, the balance before
  // follows. Another submission that was out as well may have been charged by then: what looks like a fall too small
  // for what the jobs cost is that one's price, and nothing is left over.
  const Credits start = (*first)->first + (*first)->second;
  sums.unattributed = std::max(start - *sums.remaining - sums.used.value_or(Credits{}), Credits{});
  return sums;
}

Result<std::optional<Credits>> SqliteLedger::used_on(AccountId account, std::string_view subject) {
  Statement query = database_->prepare(
      "SELECT sum(made), CASE WHEN count(*) = count(used_last) THEN sum(used_last) END FROM (SELECT 1 AS made, "
      "j.used_last FROM jobs j JOIN listings l ON l.id = j.listing WHERE l.account = ?1 AND j.remote_id = ?2 AND "
      "j.subject IS NULL AND NOT j.followed UNION ALL SELECT 0, j.used_last FROM jobs j JOIN listings l ON l.id = "
      "j.listing WHERE l.account = ?1 AND j.subject = ?2 AND j.repairs IS NULL AND (j.remote_id IS NOT NULL OR j.state "
      "IN "
      "(1, 4, 7)))");
  const Result<bool> row = query.bind(1, account).bind(2, subject).step();
  if (!row) return tl::unexpected(row.error());
  return query.integer(0) > 0 ? maybe_credits(query, 1) : std::nullopt;
}

Result<void> SqliteLedger::for_each_credit_fact(const std::function<Result<void>(const PaidJob&)>& job,
                                                const std::function<Result<void>(const FigureSeen&)>& figure) {
  // One moment for both, although a run may be writing.
  if (Result<void> begun = database_->execute("BEGIN"); !begun) return begun;
  Result<void> read = read_paid_jobs(job);
  if (read) read = read_figures(figure);
  const Result<void> ended = database_->execute("COMMIT");
  return read ? ended : read;
}

Result<void> SqliteLedger::read_paid_jobs(const std::function<Result<void>(const PaidJob&)>& visit) {
  Statement query = database_->prepare(fmt::format(
      "SELECT j.id, l.account, l.kind, j.run, j.submitted_at, j.state, {}, j.reserved, j.labels, j.subject IS NOT NULL "
      "OR j.used_last IS NULL FROM jobs j "
      "CROSS JOIN listings l ON l.id = j.listing CROSS JOIN accounts a ON a.id = l.account WHERE NOT "
      "j.followed AND j.repairs IS NULL AND j.submitted_at IS NOT NULL AND (j.remote_id IS NOT NULL OR j.state IN (1, "
      "4, 7)) "
      "ORDER BY j.id",
      kCostSoFar));
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    PaidJob job;
    job.id = query.integer(0);
    job.account = query.integer(1);
    job.kind = query.text(2);
    job.run = query.integer(3);
    job.submitted_at = from_ms(query.integer(4));
    job.open = !is_terminal(static_cast<State>(query.integer(5)));
    job.cost = maybe_credits(query, 6);
    job.reserved = maybe_credits(query, 7);
    job.labels = query.text(8);
    job.derived = query.integer(9) != 0;
    if (Result<void> done = visit(job); !done) return done;
  }
}

Result<void> SqliteLedger::read_figures(const std::function<Result<void>(const FigureSeen&)>& visit) {
  Statement query = database_->prepare(
      "SELECT account, run, job, at, remaining, used, overtaken, own FROM credits WHERE remaining IS NOT NULL OR used "
      "IS "
      "NOT NULL "
      "ORDER "
      "BY id");
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    const FigureSeen seen{query.integer(0),
                          query.integer(1),
                          query.integer(2),
                          from_ms(query.integer(3)),
                          {maybe_credits(query, 4), maybe_credits(query, 5)},
                          query.integer(6) != 0,
                          maybe_credits(query, 7)};
    if (Result<void> done = visit(seen); !done) return done;
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
  return database_->backup_to(path);
}

}  // namespace reelbatch
