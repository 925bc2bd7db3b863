// What the ledger knows of credits: what was seen, what jobs cost and reserve, and the sums.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "runner/sqlite_ledger.h"
#include "runner/sqlite_statements.h"
#include "runner/sqlite_values.h"

namespace reelbatch {

// ---- What was seen --------------------------------------------------------------------------------------------------

Result<void> SqliteLedger::write_credits(RunId run, const CreditSeen& seen) {
  Statement& add = statements_->add_credits;
  add.bind(1, seen.account).bind(2, id_or_null(run)).bind(3, id_or_null(seen.job)).bind(4, to_ms(seen.at));
  add.bind(5, milli(seen.figures.remaining)).bind(6, milli(seen.figures.used));
  if (Result<void> done = add.bind(7, std::int64_t{seen.overtaken}).bind(8, milli(seen.own)).run(); !done) return done;
  if (seen.cost_lost) return statements_->job_cost_lost.bind(1, seen.job).run();
  if (!seen.own) return {};
  return statements_->job_used.bind(1, milli(seen.own)).bind(2, seen.job).run();
}

Result<void> SqliteLedger::write_meaning(const MeaningFound& found) {
  Statement set = database_->prepare("UPDATE accounts SET credit_meaning = ?, credit_evidence = ? WHERE id = ?");
  return set.bind(1, found.meaning).bind(2, found.evidence).bind(3, found.account).run();
}

Result<void> SqliteLedger::write_unshown(const Unshown& unshown) {
  Statement set = database_->prepare("UPDATE accounts SET unshown = ? WHERE id = ?");
  return set.bind(1, unshown.sum.milli).bind(2, unshown.account).run();
}

// ---- What the next job may cost -------------------------------------------------------------------------------------

Result<std::optional<Credits>> SqliteLedger::highest_price(AccountId account, std::string_view kind) {
  Statement query = database_->prepare(
      "SELECT nullif(CASE a.credit_meaning WHEN 'job' THEN p.own ELSE p.alone END, 0) FROM prices p JOIN accounts a ON "
      "a.id = "
      "p.account WHERE p.account = ? AND p.kind = ?");
  const Result<bool> row = query.bind(1, account).bind(2, kind).step();
  if (!row) return tl::unexpected(row.error());
  return *row ? maybe_credits(query, 0) : std::nullopt;
}

Result<std::vector<Ledger::PastJob>> SqliteLedger::past_jobs(AccountId account, std::string_view kind,
                                                             std::size_t most) {
  // Looks a bounded way back: there may be a million jobs, and none of them of this kind.
  Statement query = database_->prepare(fmt::format(
      "SELECT {0}, c.fields FROM (SELECT * FROM jobs WHERE state = 5 ORDER BY id DESC LIMIT 20000) j CROSS JOIN "
      "listings "
      "l ON l.id = j.listing CROSS JOIN accounts a ON a.id = l.account CROSS JOIN contents c ON c.id = j.content WHERE "
      "l.account = ? AND l.kind = ? AND NOT j.followed AND {0} > 0 ORDER BY j.id DESC LIMIT ?",
      kCost));
  query.bind(1, account).bind(2, kind).bind(3, static_cast<std::int64_t>(most));
  std::vector<PastJob> jobs;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return jobs;
    jobs.push_back({Credits{query.integer(0)}, std::string(query.text(1))});
  }
}

namespace {

/// Of job j, in listing l of account a: what it has cost or may come to cost, at least what it was charged so far. One
/// of unknown price counts as the dearest of its kind. A repair counts what it reserves, and the job that has the part
/// what it cost beyond that: one of them may be counted where the other is not. A done job that says it cost nothing is
/// charged later than it says.
std::string expected_cost() {
  constexpr std::string_view kRepairs =
      "coalesce((SELECT sum(m.reserved) FROM jobs m WHERE m.repairs = j.id AND m.remote_id IS NOT NULL), 0)";
  return fmt::format(
      "coalesce(CASE WHEN j.state = 5 AND NOT j.followed AND a.credit_meaning = 'job' AND j.used_last = 0 THEN NULL "
      "ELSE coalesce(max({0} - {1}, 0), j.cost_alone) END, max(coalesce(j.reserved, (SELECT CASE a.credit_meaning WHEN "
      "'job' "
      "THEN p.own ELSE p.alone END FROM prices p WHERE p.account = l.account AND p.kind = l.kind), 0), coalesce(CASE "
      "a.credit_meaning WHEN 'job' THEN j.used_last - {1} END, 0)))",
      kCost, kRepairs);
}

/// The paid jobs j of account ?1, with l and a as above: those of run ?2, or those submitted since ?3. Either is found
/// by its index.
std::string paid_jobs_of(RunId run) {
  return fmt::format(
      "FROM jobs j CROSS JOIN listings l ON l.id = j.listing AND l.account = ?1 CROSS JOIN accounts a ON a.id = "
      "l.account WHERE {} AND (+j.remote_id IS NOT NULL OR +j.state IN (1, 4, 7))",
      run == 0 ? "?2 = 0 AND j.submitted_at >= ?3" : "j.run = ?2 AND +j.submitted_at >= ?3");
}

}  // namespace

Result<Credits> SqliteLedger::spent(AccountId account, RunId run, WallTime since) {
  Statement query =
      database_->prepare(fmt::format("SELECT coalesce(sum({}), 0) {}", expected_cost(), paid_jobs_of(run)));
  const Result<bool> row = query.bind(1, account).bind(2, run).bind(3, to_ms(since)).step();
  if (!row) return tl::unexpected(row.error());
  return Credits{query.integer(0)};
}

Result<std::map<std::string, Credits>> SqliteLedger::spent_by_label(AccountId account, RunId run, WallTime since,
                                                                    std::string_view label) {
  Statement query =
      database_->prepare(fmt::format("SELECT value, sum(cost) FROM (SELECT (SELECT e.value FROM json_each(j.labels) e "
                                     "WHERE e.key = ?4) AS value, {} AS "
                                     "cost {}) WHERE value IS NOT NULL GROUP BY value",
                                     expected_cost(), paid_jobs_of(run)));
  query.bind(1, account).bind(2, run).bind(3, to_ms(since)).bind(4, label);
  std::map<std::string, Credits> spent;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return spent;
    spent[std::string(query.text(0))] = Credits{query.integer(1)};
  }
}

Result<LastFigures> SqliteLedger::last_figures(AccountId account) {
  LastFigures last;
  for (const auto& [column, which, figure] : {std::tuple{"remaining", kTellsBalance, &last.figures.remaining},
                                              std::tuple{"used", "c.used IS NOT NULL", &last.figures.used}}) {
    Statement query = database_->prepare(
        fmt::format("SELECT {}, at FROM credits c WHERE account = ? AND {} ORDER BY id DESC LIMIT 1", column, which));
    const Result<bool> row = query.bind(1, account).step();
    if (!row) return tl::unexpected(row.error());
    if (*row) *figure = maybe_credits(query, 0);
    if (*row && figure == &last.figures.remaining) last.balance_at = from_ms(query.integer(1));
  }
  // Jobs of which it is unknown whether they were charged: held now, or since the last figures.
  Statement doubt = database_->prepare(
      "SELECT j.id, coalesce(j.reserved, 0) FROM jobs j CROSS JOIN listings l ON l.id = j.listing WHERE j.state = 4 "
      "AND "
      "l.account = ?1 UNION SELECT j.id, coalesce(j.reserved, 0) FROM credits c JOIN jobs j ON j.id = c.job WHERE "
      "c.account = ?1 AND c.remaining IS NULL AND c.used IS NULL AND c.id > (SELECT coalesce(max(id), 0) FROM credits "
      "WHERE account = ?1 AND (remaining IS NOT NULL OR used IS NOT NULL))");
  doubt.bind(1, account);
  for (;;) {
    const Result<bool> row = doubt.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    last.in_doubt.push_back({doubt.integer(0), Credits{doubt.integer(1)}});
  }
  Statement unshown = database_->prepare("SELECT unshown FROM accounts WHERE id = ?");
  const Result<bool> row = unshown.bind(1, account).step();
  if (!row) return tl::unexpected(row.error());
  if (*row) last.unshown = Credits{unshown.integer(0)};
  return last;
}

Result<std::vector<EndedJob>> SqliteLedger::jobs_ended_since(AccountId account, WallTime since) {
  Statement query = database_->prepare(
      fmt::format("SELECT j.finished_at, {} FROM jobs j CROSS JOIN listings l ON l.id = j.listing AND l.account = ?1 "
                  "CROSS JOIN accounts a ON a.id = l.account WHERE j.finished_at >= ?2 AND j.submitted_at IS NOT NULL "
                  "ORDER BY j.finished_at",
                  expected_cost()));
  query.bind(1, account).bind(2, to_ms(since));
  std::vector<EndedJob> ended;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return ended;
    ended.push_back({from_ms(query.integer(0)), Credits{query.integer(1)}});
  }
}

// ---- Views ----------------------------------------------------------------------------------------------------------

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
        "coalesce(c.used, (SELECT o.own FROM credits o WHERE o.account = ?1 AND o.id > c.id AND o.job = c.job AND "
        "o.own IS NOT NULL ORDER BY o.id LIMIT 1)) ELSE j.used_last END FROM credits c JOIN accounts a ON a.id = "
        "c.account LEFT JOIN jobs j ON j.id = "
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
  Statement submitted_since = database_->prepare(fmt::format(
      "SELECT c.at, EXISTS (SELECT 1 FROM jobs j CROSS JOIN listings l ON l.id = j.listing AND l.account = ?1 WHERE "
      "j.submitted_at > c.at AND +j.run <= ?2 AND (j.remote_id IS NOT NULL OR +j.state IN (1, 4, 7))) FROM credits c "
      "WHERE c.account = ?1 AND coalesce(c.run, 0) <= ?2 AND {} ORDER BY c.id DESC LIMIT 1",
      kTellsBalance));
  if (row = submitted_since.bind(1, account).bind(2, run).step(); !row) return tl::unexpected(row.error());
  const WallTime told_at = from_ms(submitted_since.integer(0));
  if (submitted_since.integer(1) != 0) sums.old_since = told_at;
  // A balance from before a job's last charge says nothing of the rest.
  Statement charged = database_->prepare(
      fmt::format("SELECT 1 FROM credits WHERE account = ?1 AND coalesce(run, 0) <= ?2 AND remaining IS NULL AND used "
                  "IS NOT NULL AND id > (SELECT max(c.id) FROM credits c WHERE c.account = ?1 AND coalesce(c.run, 0) "
                  "<= ?2 AND {}) LIMIT 1",
                  kTellsBalance));
  if (row = charged.bind(1, account).bind(2, run).step(); !row) return tl::unexpected(row.error());
  if (*row) {
    sums.old_since = told_at;
    return sums;
  }
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
  constexpr const char* kSentAgain = "EXISTS (SELECT 1 FROM steps s WHERE s.job = j.id AND s.event = 10)";
  Statement query = database_->prepare(fmt::format(
      "SELECT sum(made), CASE WHEN count(*) = count(used) THEN sum(used) END FROM (SELECT 1 AS made, j.used_last AS "
      "used FROM jobs j JOIN listings l ON l.id = j.listing WHERE l.account = ?1 AND j.remote_id = ?2 AND j.subject IS "
      "NULL AND NOT j.followed UNION ALL SELECT 0, CASE WHEN {0} THEN NULL ELSE j.used_last END FROM jobs j JOIN "
      "listings l ON l.id = j.listing WHERE l.account = ?1 AND j.subject = ?2 AND j.repairs IS NULL AND (j.remote_id "
      "IS NOT NULL OR j.state IN (1, 4, 7) OR {0}))",
      kSentAgain));
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
      "OR j.used_last IS NULL, j.id IN (SELECT repairs FROM jobs WHERE repairs IS NOT NULL) FROM jobs j "
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
    job.repaired = query.integer(10) != 0;
    if (Result<void> done = visit(job); !done) return done;
  }
}

Result<void> SqliteLedger::read_figures(const std::function<Result<void>(const FigureSeen&)>& visit) {
  Statement query = database_->prepare(
      "SELECT account, run, job, at, remaining, used, overtaken, own FROM credits WHERE remaining IS NOT NULL OR used "
      "IS NOT NULL ORDER BY id");
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

}  // namespace reelbatch
