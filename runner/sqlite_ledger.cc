#include "runner/sqlite_ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <unordered_set>

#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "runner/check.h"
#include "runner/ledger_schema.h"
#include "runner/sqlite_statements.h"
#include "runner/sqlite_values.h"

namespace reelbatch {
namespace {

std::string join_lines(std::span<const std::string> lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// A JSON list of lists of the four texts; empty for none.
std::string budget_stops_json(std::span<const BudgetStop> stops) {
  std::string out;
  for (const BudgetStop& stop : stops) {
    out += out.empty() ? "[[" : ",[";
    for (const std::string* text : {&stop.account, &stop.label, &stop.value, &stop.why}) {
      if (text != &stop.account) out += ',';
      append_json_quoted(out, *text);
    }
    out += ']';
  }
  return out.empty() ? out : out + ']';
}

Result<std::vector<BudgetStop>> read_budget_stops(std::string_view json) {
  std::vector<BudgetStop> stops;
  if (json.empty()) return stops;
  JsonReader reader;
  const Result<JsonElement> root = reader.parse(json);
  if (!root) return tl::unexpected(root.error());
  simdjson::dom::array list;
  if (root->get(list) != simdjson::SUCCESS) return ground_error("a run's budgets are no JSON list");
  for (const JsonElement entry : list) {
    BudgetStop& stop = stops.emplace_back();
    std::size_t at = 0;
    for (std::string* text : {&stop.account, &stop.label, &stop.value, &stop.why}) {
      std::string_view value;
      if (entry.at(at++).get(value) == simdjson::SUCCESS) *text = value;
    }
  }
  return stops;
}

constexpr const char* kMarkWritten =
    "UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'begun') WHERE name = 'written' AND value <> (SELECT "
    "value FROM meta WHERE name = 'begun')";

/// Which file stands at a path. Not by opening it: closing it again would drop SQLite's own locks on it (fcntl(2)).
std::optional<std::pair<std::uint64_t, std::uint64_t>> place_of(const std::string& path) {
  struct stat stats = {};
  if (::stat(path.c_str(), &stats) != 0) return std::nullopt;
  return std::pair<std::uint64_t, std::uint64_t>(stats.st_dev, stats.st_ino);
}

/// The file exists afterwards, for its owner alone if it was made now. SQLite gives its companions the same rights.
Result<void> make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ground_error(fmt::format("cannot open the ledger {}: {}", path, std::strerror(errno)));
  ::close(fd);
  return {};
}

}  // namespace

SqliteLedger::SqliteLedger(Database database)
    : database_(std::make_unique<Database>(std::move(database))),
      statements_(std::make_unique<Statements>(*database_)) {}

SqliteLedger::SqliteLedger(SqliteLedger&& other) noexcept = default;
SqliteLedger::~SqliteLedger() = default;

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::string& path, Mode mode, const char* vfs) {
  if (mode == Mode::Write && vfs == nullptr) {
    if (Result<void> made = make_private(path); !made) return tl::unexpected(made.error());
  }
  Result<Database> database = Database::open(path,
                                             mode == Mode::Read ? Database::Mode::ReadOnly
                                             : vfs == nullptr   ? Database::Mode::ReadWrite
                                                                : Database::Mode::Create,
                                             vfs);
  if (!database) return tl::unexpected(database.error());
  const Result<void> ready = mode == Mode::Read ? require_current(*database, ledger_migrations())
                                                : prepare_ledger(*database, ledger_migrations(),
                                                                 {mode == Mode::Write, mode == Mode::WriteRest});
  if (!ready) return tl::unexpected(ready.error());
  // Whatever was in the journal is known now.
  if (mode != Mode::Read)
    if (Result<void> known = database->execute(kMarkWritten); !known) return tl::unexpected(known.error());
  const Result<std::int64_t> last_job = database->number("SELECT coalesce(max(id), 0) FROM jobs");
  if (!last_job) return tl::unexpected(last_job.error());
  std::unique_ptr<SqliteLedger> ledger(new SqliteLedger(std::move(*database)));
  ledger->last_job_id_ = *last_job;
  ledger->has_places_ = vfs == nullptr;
  ledger->place_ = ledger->place_now();
  return ledger;
}

// ---- Accounts and runs ----------------------------------------------------------------------------------------------

Result<std::vector<AccountRecord>> SqliteLedger::accounts() {
  Statement query =
      database_->prepare("SELECT id, name, service, origin, credit_meaning, credit_evidence FROM accounts ORDER BY id");
  std::vector<AccountRecord> accounts;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return accounts;
    accounts.push_back({query.integer(0), std::string(query.text(1)), std::string(query.text(2)),
                        std::string(query.text(3)), std::string(query.text(4)), std::string(query.text(5))});
  }
}

Result<void> SqliteLedger::put_account(AccountRecord& account) {
  Statement put = database_->prepare(
      "INSERT INTO accounts (name, service, origin, credit_meaning, credit_evidence) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (name) DO UPDATE SET service = excluded.service, origin = excluded.origin, "
      "credit_meaning = excluded.credit_meaning, credit_evidence = excluded.credit_evidence RETURNING id");
  put.bind(1, account.name).bind(2, account.service).bind(3, account.origin);
  put.bind(4, account.credit_meaning).bind(5, account.credit_evidence);
  const Result<bool> row = put.step();
  if (!row) return tl::unexpected(row.error());
  account.id = put.integer(0);
  return put.run();
}

Result<std::optional<RunRecord>> SqliteLedger::run(std::string_view uid) {
  Statement query = database_->prepare(
      "SELECT id, uid, started_at, finished_at, exit_code, stopped_by, stopped_detail, accounts_stopped, sandbox, "
      "budgets_reached FROM runs WHERE ?1 = '' OR uid = ?1 ORDER BY id DESC LIMIT 1");
  const Result<bool> row = query.bind(1, uid).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<RunRecord>();
  RunRecord run;
  run.id = query.integer(0);
  run.uid = query.text(1);
  run.started_at = from_ms(query.integer(2));
  run.finished_at = maybe_time(query, 3);
  if (const auto code = query.maybe_integer(4)) run.exit_code = static_cast<int>(*code);
  run.stopped_by = query.text(5);
  run.stopped_detail = query.text(6);
  run.accounts_stopped = split_lines(query.text(7));
  run.sandbox = query.integer(8) != 0;
  Result<std::vector<BudgetStop>> reached = read_budget_stops(query.text(9));
  if (!reached) return tl::unexpected(reached.error());
  run.budgets_reached = std::move(*reached);
  return std::optional(run);
}

Result<void> SqliteLedger::end_run(const RunRecord& run, std::span<const AccountId> accounts,
                                   std::span<const SendRecord> sends, int keep_runs) {
  Result<Transaction> transaction = Transaction::begin(*database_);
  if (!transaction) return tl::unexpected(transaction.error());
  Statement end = database_->prepare(
      "UPDATE runs SET finished_at = ?, exit_code = ?, stopped_by = ?, stopped_detail = ?, accounts_stopped = ?, "
      "budgets_reached = ? WHERE id = ?");
  end.bind(1, to_ms(*run.finished_at))
      .bind(2, std::int64_t{*run.exit_code})
      .bind(3, run.stopped_by)
      .bind(4, run.stopped_detail);
  end.bind(5, join_lines(run.accounts_stopped)).bind(6, budget_stops_json(run.budgets_reached));
  if (Result<void> done = end.bind(7, run.id).run(); !done) return done;
  if (Result<void> done = database_->execute("DELETE FROM meta WHERE name = 'working'"); !done) return done;
  if (Result<void> done = database_->execute(kMarkWritten); !done) return done;
  Statement cleanly = database_->prepare("DELETE FROM meta WHERE name = 'working:' || ?");
  Statement forget = database_->prepare("DELETE FROM sends WHERE account = ?");
  for (const AccountId account : accounts) {
    if (Result<void> done = forget.bind(1, account).run(); !done) return done;
    if (Result<void> done = cleanly.bind(1, account).run(); !done) return done;
  }
  for (const SendRecord& send : sends) {
    if (Result<void> done = write_send(send); !done) return done;
  }
  if (Result<void> done = forget_rows(keep_runs, run.id); !done) return done;
  if (Result<void> done = transaction->commit(); !done) return done;
  // The file is whole by itself again, also while others have it open.
  if (const Result<bool> moved = database_->checkpoint(); !moved) return tl::unexpected(moved.error());
  return {};
}

Result<void> SqliteLedger::reopen_run(RunId run) {
  Statement reopen = database_->prepare(
      "UPDATE runs SET finished_at = NULL, exit_code = NULL, stopped_by = '', stopped_detail = '', accounts_stopped = "
      "'', budgets_reached = '' WHERE id = ?");
  return reopen.bind(1, run).run();
}

Result<Ledger::PastSends> SqliteLedger::begin_work(std::span<const AccountId> accounts) {
  PastSends past;
  Statement query = database_->prepare("SELECT account, submission, at, uptime, boot FROM sends ORDER BY at");
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    past.sends.push_back(
        {query.integer(0), query.integer(1) != 0, from_ms(query.integer(2)), query.integer(3), query.integer(4)});
  }
  // Older versions noted that a run worked, not with whom.
  const Result<std::int64_t> any = database_->number("SELECT count(*) FROM meta WHERE name = 'working'");
  if (!any) return tl::unexpected(any.error());
  Result<Transaction> transaction = Transaction::begin(*database_);
  if (!transaction) return tl::unexpected(transaction.error());
  Statement incomplete = database_->prepare("SELECT 1 FROM meta WHERE name = 'working:' || ?");
  Statement begin = database_->prepare("INSERT OR REPLACE INTO meta VALUES ('working:' || ?, 1)");
  for (const AccountId account : accounts) {
    const Result<bool> found = incomplete.bind(1, account).step();
    if (!found) return tl::unexpected(found.error());
    if (*found || *any > 0) past.incomplete.push_back(account);
    incomplete.reset();
    if (Result<void> done = begin.bind(1, account).run(); !done) return tl::unexpected(done.error());
  }
  if (Result<void> done = transaction->commit(); !done) return tl::unexpected(done.error());
  const Result<std::int64_t> pages = database_->number("PRAGMA wal_autocheckpoint");
  if (!pages) return tl::unexpected(pages.error());
  checkpoint_pages_ = static_cast<int>(*pages);
  database_->take_over_checkpoints();
  if (Result<void> done = renew_marks(); !done) return tl::unexpected(done.error());
  place_.second = place_now().second;
  return past;
}

/// Moves what is in the journal into the file, so that the file tells that more is to come: what is written from here
/// on is in the journal, and so is that it was. One that is alone afterwards, and was not moved whole, is known by it.
///
/// A reader may keep it from being moved: then it is tried again with the next commit.
Result<void> SqliteLedger::renew_marks() {
  if (!marks_wait_) {
    database_->keep_journal(true);  // if it fails between the two
    if (Result<void> done = database_->execute("UPDATE meta SET value = value + 1 WHERE name = 'begun'"); !done)
      return done;
    marks_wait_ = true;
  }
  const Result<bool> moved = database_->checkpoint();
  if (!moved) return tl::unexpected(moved.error());
  if (!*moved) return {};
  if (Result<void> done = database_->execute(kMarkWritten); !done) return done;
  marks_wait_ = false;
  database_->keep_journal(false);
  return {};
}

// ---- Intake ---------------------------------------------------------------------------------------------------------

Result<void> SqliteLedger::begin_intake(RunRecord& run) {
  Result<Transaction> transaction = Transaction::begin(*database_);
  if (!transaction) return tl::unexpected(transaction.error());
  intake_.emplace(std::move(*transaction));
  Statement add = database_->prepare("INSERT INTO runs (uid, started_at, sandbox) VALUES (?, ?, ?)");
  add.bind(1, run.uid).bind(2, to_ms(run.started_at)).bind(3, std::int64_t{run.sandbox});
  if (Result<void> added = add.run(); !added) {
    abandon_intake();
    return added;
  }
  run.id = intake_run_ = database_->last_id();
  return {};
}

Result<void> SqliteLedger::commit_intake() {
  CHECK(intake_);
  if (Result<void> ended = end_pack(); !ended) return ended;
  if (Result<void> written = write_label_names(); !written) return written;
  Result<void> committed = intake_->commit();
  intake_.reset();
  return committed;
}

void SqliteLedger::abandon_intake() {
  pack_.clear();
  label_names_.clear();
  intake_.reset();
}

Result<ListingId> SqliteLedger::listing(AccountId account, std::string_view kind, std::string_view ref) {
  Statement& find = statements_->find_listing;
  const Result<bool> found = find.bind(1, account).bind(2, kind).bind(3, ref).step();
  if (!found) return tl::unexpected(found.error());
  if (*found) {
    const ListingId id = find.integer(0);
    find.reset();
    return id;
  }
  Statement& add = statements_->add_listing;
  if (Result<void> added = add.bind(1, account).bind(2, kind).bind(3, ref).run(); !added)
    return tl::unexpected(added.error());
  return database_->last_id();
}

Result<ContentId> SqliteLedger::content(ListingId listing, std::string_view fields, std::optional<Digest> text) {
  Statement& query = statements_->contents_of;
  query.bind(1, listing);
  ContentId newest = 0;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    const ContentId id = query.integer(0);
    if (newest == 0) newest = id;
    if (query.text(1) != fields) continue;
    const bool known = !text || query.text(2) == to_bytes(*text);
    query.reset();
    if (known) return id;
    if (Result<void> noted = know_text(listing, id, *text); !noted) return tl::unexpected(noted.error());
    return id;
  }
  const auto bind_text = [&](Statement& statement, int at) {
    text ? statement.bind_blob(at, to_bytes(*text)) : statement.bind_null(at);
  };
  if (newest != 0) {
    const Result<bool> used = statements_->content_is_used.bind(1, listing).bind(2, newest).step();
    statements_->content_is_used.reset();
    if (!used) return tl::unexpected(used.error());
    if (!*used) {
      Statement& replace = statements_->replace_content.bind(1, fields).bind(3, newest);
      bind_text(replace, 2);
      if (Result<void> done = replace.run(); !done) return tl::unexpected(done.error());
      return newest;
    }
  }
  Statement& add = statements_->add_content.bind(1, listing).bind(2, fields);
  bind_text(add, 3);
  if (Result<void> done = add.run(); !done) return tl::unexpected(done.error());
  return database_->last_id();
}

/// Content and jobs from before the ledger kept digests, or under another account name, get theirs.
Result<void> SqliteLedger::know_text(ListingId listing, ContentId content, const Digest& text) {
  const std::string bytes = to_bytes(text);
  if (Result<void> done = statements_->know_content.bind_blob(1, bytes).bind(2, content).run(); !done) return done;
  return statements_->know_jobs.bind_blob(1, bytes).bind(2, listing).bind(3, content).run();
}

Result<void> SqliteLedger::know_job(JobId job, const Digest& text) {
  return statements_->know_job.bind_blob(1, to_bytes(text)).bind(2, job).run();
}

Result<void> SqliteLedger::note_feed(std::string_view feed) {
  CHECK(intake_);
  Statement note = database_->prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  return note.bind(1, feed_name(feed)).bind(2, intake_run_).run();
}

Result<ListingId> SqliteLedger::find_listing(std::string_view account, std::string_view kind, std::string_view ref) {
  Statement query = database_->prepare(
      "SELECT l.id FROM listings l JOIN accounts a ON a.id = l.account WHERE a.name = ? AND l.kind = ? AND l.ref = ?");
  const Result<bool> row = query.bind(1, account).bind(2, kind).bind(3, ref).step();
  if (!row) return tl::unexpected(row.error());
  return *row ? query.integer(0) : 0;
}

Result<std::vector<Ledger::JobOfListing>> SqliteLedger::jobs_of(ListingId listing) {
  Statement& query = statements_->jobs_of;
  query.bind(1, listing);
  std::vector<JobOfListing> jobs;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return jobs;
    jobs.push_back({{query.integer(0), static_cast<State>(query.integer(1)), false}, std::string(query.text(2))});
  }
}

Result<std::string> SqliteLedger::fields_of(ContentId content) {
  Statement& query = statements_->fields_of;
  const Result<bool> row = query.bind(1, content).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return ground_error(fmt::format("the ledger {} misses content {}", database_->path(), content));
  std::string fields(query.text(0));
  query.reset();
  return fields;
}

Result<void> SqliteLedger::for_each_paid(const std::function<void(const Digest&, JobId)>& visit) {
  // CROSS JOIN keeps the order: few are open, and all may be done.
  Statement doubtful = database_->prepare(
      "SELECT done.id FROM jobs open CROSS JOIN jobs done ON done.listing = open.listing WHERE open.state IN (1, 2, 3, "
      "4) "
      "AND "
      "done.state = 5");
  std::unordered_set<JobId> left_out;
  for (;;) {
    const Result<bool> row = doubtful.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    left_out.insert(doubtful.integer(0));
  }
  // Answered by the index alone.
  Statement paid = database_->prepare("SELECT id, text FROM jobs WHERE state = 5 ORDER BY id");
  for (;;) {
    const Result<bool> row = paid.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    const std::optional<Digest> text = maybe_digest(paid, 1);
    if (text && (left_out.empty() || !left_out.contains(paid.integer(0)))) visit(*text, paid.integer(0));
  }
}

Result<void> SqliteLedger::for_each_paid_content(const std::function<Result<void>(const PaidContent&)>& visit) {
  Statement paid = database_->prepare(
      "SELECT l.id, a.name, l.kind, l.ref, c.fields FROM jobs j JOIN contents c ON c.id = j.content JOIN listings l ON "
      "l.id = j.listing JOIN accounts a ON a.id = l.account WHERE j.state IN (1, 2, 3, 4, 5) AND j.repairs IS NULL "
      "ORDER BY j.id");
  for (;;) {
    const Result<bool> row = paid.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    const PaidContent content{paid.integer(0), paid.text(1), paid.text(2), paid.text(3), paid.text(4)};
    if (Result<void> done = visit(content); !done) return done;
  }
}

// ---- Work -----------------------------------------------------------------------------------------------------------

JobId SqliteLedger::next_job_id() {
  return ++last_job_id_;
}

Result<std::int64_t> SqliteLedger::hold_interrupted(RunId run, WallTime at) {
  Statement query = database_->prepare("SELECT id FROM jobs WHERE state = 1");
  Commit held;
  held.run = run;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    Step step;
    step.job = query.integer(0);
    step.from = State::Submitting;
    step.event = Event::Lose;
    step.at = at;
    step.detail = "the run ended while this was being submitted; it is unknown whether the service took it";
    held.steps.push_back(std::move(step));
  }
  if (held.empty()) return 0;
  if (Result<void> done = commit(held); !done) return tl::unexpected(done.error());
  return static_cast<std::int64_t>(held.steps.size());
}

namespace {

Result<std::vector<PlannedRow>> read_planned(Statement& query) {
  std::vector<PlannedRow> rows;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return rows;
    rows.push_back({query.integer(0), std::string(query.text(1)), std::string(query.text(2)), query.integer(3),
                    query.integer(4), query.integer(5), std::string(query.text(6)), std::string(query.text(7))});
  }
}

}  // namespace

Result<std::vector<PlannedRow>> SqliteLedger::planned_rows(RunId run, std::string_view account, RowNumber after,
                                                           std::size_t most) {
  Statement& query = statements_->planned;
  query.bind(1, run).bind(2, after).bind(3, account).bind(4, static_cast<std::int64_t>(most));
  return read_planned(query);
}

Result<std::vector<PlannedRow>> SqliteLedger::planned_rows_of(RunId run, std::string_view account,
                                                              std::string_view subject) {
  return read_planned(statements_->planned_of.bind(1, run).bind(2, subject).bind(3, account));
}

Result<std::vector<OpenJob>> SqliteLedger::open_jobs() {
  Statement query = database_->prepare(
      fmt::format("SELECT j.id, l.account, l.kind, j.remote_id, j.state, j.accepted_at, j.reserved, j.polls, "
                  "j.subject, j.followed, j.repairs, j.used_last, {}, j.labels FROM jobs j JOIN listings l ON l.id = "
                  "j.listing "
                  "WHERE j.state IN (2, 3) ORDER BY j.accepted_at, j.id",
                  kIsWorkedOn));
  std::vector<OpenJob> jobs;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return jobs;
    jobs.push_back({query.integer(0), query.integer(1), std::string(query.text(2)), std::string(query.text(3)),
                    static_cast<State>(query.integer(4)), from_ms(query.integer(5)), maybe_credits(query, 6),
                    query.integer(7), std::string(query.text(8)), query.integer(9) != 0, query.integer(10),
                    maybe_credits(query, 11), query.integer(12) != 0, std::string(query.text(13))});
  }
}

Result<JobId> SqliteLedger::job_with_remote_id(AccountId account, std::string_view remote_id, JobId job,
                                               Followers followers) {
  Statement& query = statements_->by_remote_id;
  query.bind(1, remote_id).bind(2, account).bind(3, job).bind(4, std::int64_t{followers == Followers::Counted});
  const Result<bool> row = query.step();
  if (!row) return tl::unexpected(row.error());
  const JobId found = *row ? query.integer(0) : 0;
  query.reset();
  return found;
}

/// Of the file, and of the journal beside it.
SqliteLedger::Places SqliteLedger::place_now() const {
  if (!has_places_) return {};
  return {place_of(database_->path()), place_of(database_->journal_path())};
}

/// What is written to a file that was deleted or moved away is lost: nobody would find it. What it has is saved beside
/// its place, as with a new ledger everything would be paid for again.
Result<void> SqliteLedger::check_place() {
  const Places now = place_now();
  if (now == place_) return {};
  const char* const which = now.first == place_.first ? "-wal" : "";
  if (saved_as_.empty()) {
    const std::string wanted = database_->path() + ".saved";
    if (backup(wanted)) saved_as_ = wanted;
  }
  return ground_error(fmt::format(
      "the ledger {}{} was deleted or moved away while it was in use: put it back{}; with a new one everything would "
      "be "
      "paid for again",
      database_->path(), which,
      saved_as_.empty()
          ? ""
          : fmt::format(", or, if it is lost or another one, put {} in its place, which has what it had", saved_as_)));
}

Result<void> SqliteLedger::commit(const Commit& commit) {
  if (commit.empty()) return {};
  if (Result<void> there = check_place(); !there) return there;
  Result<Transaction> transaction = Transaction::begin(*database_);
  if (!transaction) return tl::unexpected(transaction.error());
  const auto write_all = [](const auto& items, auto write) -> Result<void> {
    for (const auto& item : items) {
      if (Result<void> done = write(item); !done) return done;
    }
    return {};
  };
  const RunId run = commit.run;
  if (Result<void> done = write_all(commit.steps, [&](const Step& step) { return write_step(run, step); }); !done)
    return done;
  if (Result<void> done = write_all(commit.credits, [&](const CreditSeen& seen) { return write_credits(run, seen); });
      !done) {
    return done;
  }
  // After the credits: what a job cost may come with the answer that ends it.
  for (const Step& step : commit.steps) {
    if (!is_terminal(*next(step.from, step.event))) continue;
    if (Result<void> done = statements_->note_price.bind(1, step.job).run(); !done) return done;
  }
  if (Result<void> done = write_all(commit.meanings, [&](const MeaningFound& found) { return write_meaning(found); });
      !done) {
    return done;
  }
  if (Result<void> done = write_all(commit.unshown, [&](const Unshown& sum) { return write_unshown(sum); }); !done)
    return done;
  if (Result<void> done = write_all(commit.intents, [&](const Intent& intent) { return write_intent(run, intent); });
      !done) {
    return done;
  }
  if (Result<void> done = write_all(commit.sends, [&](const SendRecord& send) { return write_send(send); }); !done)
    return done;
  if (Result<void> done = transaction->commit(); !done) return done;
  const bool is_full = checkpoint_pages_ > 0 && database_->journal_pages() >= checkpoint_pages_;
  return is_full || marks_wait_ ? renew_marks() : Result<void>();
}

Result<void> SqliteLedger::write_intent(RunId run, const Intent& intent) {
  if (intent.repair) return write_repair(run, intent);
  Statement& write = intent.is_new ? statements_->add_job : statements_->resubmit_job;
  const int after_listing = intent.is_new ? 3 : 2;
  write.bind(1, intent.job);
  if (intent.is_new) write.bind(2, intent.listing);
  write.bind(after_listing, intent.content).bind(after_listing + 1, run);
  write.bind(after_listing + 2, milli(intent.reserved)).bind(after_listing + 3, to_ms(intent.at));
  write.bind_or_null(after_listing + 4, intent.subject).bind(after_listing + 5, intent.row);
  if (Result<void> done = write.run(); !done) return done;
  CHECK(database_->changes() == 1);
  const bool follows = !intent.followed.empty();
  if (follows) {
    Statement& follow = statements_->follow_job;
    follow.bind(1, intent.job).bind(2, intent.followed).bind(3, to_ms(intent.at));
    if (Result<void> done = follow.run(); !done) return done;
  }
  Statement& row = statements_->row_has_job;
  row.bind(1, intent.job).bind(2, std::int64_t{!follows}).bind(3, run).bind(4, intent.row);
  if (Result<void> done = row.run(); !done) return done;
  return write_first_step(run, intent, follows ? Event::Follow : Event::Submit);
}

Result<void> SqliteLedger::write_first_step(RunId run, const Intent& intent, Event event) {
  Statement& step = statements_->add_step;
  step.bind(1, intent.job).bind(2, run).bind(3, to_ms(intent.at)).bind(4, static_cast<std::int64_t>(State::Planned));
  return step.bind(5, static_cast<std::int64_t>(event)).bind_null(6).run();
}

Result<void> SqliteLedger::write_step(RunId run, const Step& step) {
  const std::optional<State> to = next(step.from, step.event);
  CHECK(to);
  Statement& history = statements_->add_step;
  history.bind(1, step.job)
      .bind(2, id_or_null(run))
      .bind(3, to_ms(step.at))
      .bind(4, static_cast<std::int64_t>(step.from));
  if (Result<void> done = history.bind(5, static_cast<std::int64_t>(step.event)).bind_or_null(6, step.detail).run();
      !done) {
    return done;
  }
  const bool accepted = step.event == Event::Accept || step.event == Event::Adopt;
  Statement& move = statements_->move_job;
  move.bind(1, step.job).bind(2, static_cast<std::int64_t>(step.from)).bind(3, static_cast<std::int64_t>(*to));
  move.bind_or_null(4, step.remote_id).bind_or_null(5, step.url).bind_or_null(6, step.detail);
  move.bind(7, accepted ? std::optional(to_ms(step.at)) : std::nullopt);
  move.bind(8, is_terminal(*to) ? std::optional(to_ms(step.at)) : std::nullopt);
  if (Result<void> done = move.bind(9, step.polls).bind(10, milli(step.cost_alone)).run(); !done) return done;
  // The table was followed by whoever made the step; if the record says otherwise, nothing untrue may be written.
  CHECK(database_->changes() == 1);
  if (step.event == Event::Lose) {
    // It may be charged from here on: figures seen before are no base for what a later job costs.
    Statement doubt = database_->prepare(
        "INSERT INTO credits (account, run, job, at) SELECT l.account, ?2, j.id, ?3 FROM jobs j JOIN listings l ON "
        "l.id = j.listing WHERE j.id = ?1");
    if (Result<void> done = doubt.bind(1, step.job).bind(2, id_or_null(run)).bind(3, to_ms(step.at)).run(); !done)
      return done;
  }
  if (step.unsent_row == 0) return {};
  return statements_->row_not_sent.bind(1, run).bind(2, step.unsent_row).run();
}

Result<void> SqliteLedger::write_send(const SendRecord& send) {
  Statement& add = statements_->add_send;
  add.bind(1, send.account).bind(2, std::int64_t{send.submission}).bind(3, to_ms(send.at));
  return add.bind(4, send.uptime).bind(5, send.boot).run();
}

Result<std::vector<Duration>> SqliteLedger::past_durations(std::string_view kind, Duration longest, std::size_t most) {
  // A bounded way back, as in past_jobs().
  Statement query = database_->prepare(
      "SELECT took FROM (SELECT j.finished_at - j.accepted_at AS took FROM (SELECT id, run, listing, accepted_at, "
      "finished_at FROM jobs WHERE state = 5 ORDER BY id DESC LIMIT 5000) j CROSS JOIN listings l ON l.id = j.listing "
      "CROSS JOIN runs r ON r.id = j.run WHERE l.kind = ? AND j.accepted_at IS NOT NULL AND j.finished_at BETWEEN "
      "j.accepted_at AND min(r.finished_at, j.accepted_at + ?) ORDER BY j.id DESC LIMIT ?) ORDER BY took");
  query.bind(1, kind).bind(2, std::chrono::floor<std::chrono::milliseconds>(longest).count());
  query.bind(3, static_cast<std::int64_t>(most));
  std::vector<Duration> durations;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return durations;
    durations.push_back(std::chrono::milliseconds(query.integer(0)));
  }
}

}  // namespace reelbatch
