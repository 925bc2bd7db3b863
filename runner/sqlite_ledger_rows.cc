// A run's rows: those that may change, one by one, and those that cannot any more, in packs (row_pack.h).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "jobs/json.h"
#include "runner/check.h"
#include "runner/sqlite_statements.h"
#include "runner/sqlite_values.h"

namespace reelbatch {
namespace {

Error damaged_pack(const Database& database, std::int64_t pack) {
  return Error{Fault::Ground, fmt::format("cannot read the ledger {}: row pack {} is damaged", database.path(), pack)};
}

constexpr std::int64_t kNumbersMost = std::int64_t{1} << 32;

JobFacts job_facts(const Statement& row, int first) {
  JobFacts facts;
  facts.remote_id = row.text(first);
  facts.url = row.text(first + 1);
  facts.submitted_at = maybe_time(row, first + 2);
  facts.accepted_at = maybe_time(row, first + 3);
  facts.finished_at = maybe_time(row, first + 4);
  facts.polls = row.integer(first + 5);
  facts.used_last = maybe_credits(row, first + 6);
  facts.cost_alone = maybe_credits(row, first + 7);
  return facts;
}

}  // namespace

// ---- Intake ---------------------------------------------------------------------------------------------------------

void SqliteLedger::note_label(std::string_view name) {
  if (std::find(label_names_.begin(), label_names_.end(), name) == label_names_.end()) label_names_.emplace_back(name);
}

Result<void> SqliteLedger::write_label_names() {
  Statement add = database_->prepare("INSERT INTO run_labels (run, position, name) VALUES (?, ?, ?)");
  std::int64_t position = 0;
  for (const std::string& name : label_names_) {
    if (Result<void> added = add.bind(1, intake_run_).bind(2, ++position).bind(3, name).run(); !added) return added;
  }
  label_names_.clear();
  return {};
}

Result<void> SqliteLedger::add_row(const RowRecord& row) {
  for (const Label& label : row.labels) note_label(label.name);
  Statement& add = statements_->add_row;
  add.bind(1, intake_run_).bind(2, row.number).bind(3, row.id).bind(4, row.kind).bind(5, row.account);
  add.bind(6, id_or_null(row.listing)).bind(7, id_or_null(row.content)).bind(8, id_or_null(row.job));
  add.bind(9, static_cast<std::int64_t>(row.action))
      .bind(10, static_cast<std::int64_t>(row.reason))
      .bind_or_null(11, row.detail);
  add.bind(12, std::int64_t{row.selected}).bind(13, row.file).bind(14, static_cast<std::int64_t>(row.line));
  return add.bind_or_null(15, labels_json(row.labels)).bind_or_null(16, row.subject).run();
}

Result<void> SqliteLedger::add_unchanged_row(const UnchangedRow& row) {
  if (!pack_.empty() && (pack_.full() || pack_.file() != row.file)) {
    if (Result<void> ended = end_pack(); !ended) return ended;
  }
  const bool new_shape = pack_.add(row);
  if (new_shape) {
    for (const LabelText& label : row.labels) note_label(label.name);
  }
  return {};
}

/// The run gets the pack that was put together, which is written unless an earlier run has the same.
Result<void> SqliteLedger::end_pack() {
  if (pack_.empty()) return {};
  // Equal digests are taken for equal lists: if they were not, a report would show the wrong rows. Nothing that is paid
  // for is decided by a pack.
  const Digest digest = digest_of(pack_.list());
  Statement& find = statements_->find_pack;
  const Result<bool> found = find.bind_blob(1, to_bytes(digest)).step();
  if (!found) return tl::unexpected(found.error());
  std::int64_t pack = *found ? find.integer(0) : 0;
  find.reset();
  if (pack == 0) {
    const Result<std::int64_t> written = write_pack(digest);
    if (!written) return tl::unexpected(written.error());
    pack = *written;
  }
  Statement& has = statements_->run_has_pack;
  has.bind(1, intake_run_).bind(2, pack_.first_number()).bind(3, static_cast<std::int64_t>(pack_.first_line()));
  has.bind(4, pack_.file()).bind(5, pack);
  pack_.clear();
  return has.run();
}

Result<std::int64_t> SqliteLedger::write_pack(const Digest& digest) {
  const Result<std::string> facts = facts_of(pack_.jobs());
  if (!facts) return tl::unexpected(facts.error());
  Statement& add = statements_->add_pack;
  add.bind_blob(1, to_bytes(digest)).bind(2, static_cast<std::int64_t>(pack_.jobs().size()));
  add.bind(3, pack_.selected()).bind_blob(4, pack_.list()).bind_blob(5, *facts);
  if (Result<void> added = add.run(); !added) return tl::unexpected(added.error());
  return database_->last_id();
}

Result<std::string> SqliteLedger::facts_of(std::span<const JobId> jobs) {
  FactsWriter facts;
  Statement& query = statements_->facts_of;
  for (const JobId job : jobs) {
    const Result<bool> row = query.bind(1, job).step();
    if (!row) return tl::unexpected(row.error());
    // Of any other state the facts may still change.
    CHECK(*row && static_cast<State>(query.integer(0)) == State::Done);
    facts.add(job_facts(query, 1));
    query.reset();
  }
  return std::string(facts.bytes());
}

Result<void> SqliteLedger::update_row(RunId run, const RowRecord& row) {
  Statement update =
      database_->prepare("UPDATE rows SET job = ?, action = ?, reason = ?, detail = ? WHERE run = ? AND number = ?");
  update.bind(1, id_or_null(row.job))
      .bind(2, static_cast<std::int64_t>(row.action))
      .bind(3, static_cast<std::int64_t>(row.reason));
  return update.bind_or_null(4, row.detail).bind(5, run).bind(6, row.number).run();
}

// ---- Reading --------------------------------------------------------------------------------------------------------

/// The packed rows of a run, in order.
class PackedRows {
 public:
  PackedRows(SqliteLedger& ledger, RunId run)
      : database_(*ledger.database_),
        query_(database_.prepare("SELECT p.id, p.list, p.facts, r.first_number, r.first_line, r.file FROM run_packs r "
                                 "JOIN row_packs p ON p.id = r.pack WHERE r.run = ? ORDER BY r.first_number")) {
    query_.bind(1, run);
  }

  /// What a job cost depends on what its account's figure means.
  void set_accounts(std::span<const AccountRecord> accounts) {
    for (const AccountRecord& account : accounts) {
      meanings_[account.name] = account.credit_meaning == "job"       ? Costs::OfJob
                                : account.credit_meaning == "account" ? Costs::Alone
                                                                      : Costs::Unknown;
    }
  }

  Result<bool> next() {
    for (;;) {
      if (reader_ && reader_->next()) return true;
      if (reader_ && reader_->damaged()) return tl::unexpected(damaged_pack(database_, pack_));
      const Result<bool> row = query_.step();
      if (!row) return tl::unexpected(row.error());
      if (!*row) return false;
      pack_ = query_.integer(0);
      file_ = query_.text(5);
      new_pack_ = true;
      // The blobs stay where they are until the next step.
      reader_.emplace(query_.text(1), query_.text(2), query_.integer(3), static_cast<std::uint64_t>(query_.integer(4)));
    }
  }

  RowNumber number() const { return reader_->row().number; }

  /// The row that next() came to.
  PackedRow packed() {
    const UnchangedRow& row = reader_->row();
    const JobFacts& facts = reader_->facts();
    const bool new_shape = new_pack_ || row.kind.data() != shape_;
    if (new_shape) take_shape(row);
    PackedRow packed{row, facts, file_, reader_->label_names(), reader_->label_values(), {}, new_shape};
    if (costs_ == Costs::OfJob) packed.cost = facts.used_last ? facts.used_last : facts.cost_alone;
    if (costs_ == Costs::Alone) packed.cost = facts.cost_alone;
    if (!facts.submitted_at) packed.cost = Credits{};  // it was only followed
    return packed;
  }

  /// The same as every row is shown. Its texts keep their memory from row to row.
  const RowView& show() {
    const PackedRow from = packed();
    if (from.new_shape) show_shape(from);
    view_.row.number = from.row.number;
    view_.row.id.assign(from.row.id);
    view_.row.job = from.row.job;
    view_.row.selected = from.row.selected;
    view_.row.line = from.row.line;
    for (std::size_t i = 0; i < view_.row.labels.size(); ++i) view_.row.labels[i].value.assign(from.label_values[i]);
    view_.url.assign(from.facts.url);
    view_.remote_id.assign(from.facts.remote_id);
    view_.submitted_at = from.facts.submitted_at;
    view_.accepted_at = from.facts.accepted_at;
    view_.finished_at = from.facts.finished_at;
    view_.polls = from.facts.polls;
    view_.cost = from.cost;
    return view_;
  }

 private:
  enum class Costs { Unknown, OfJob, Alone };  ///< by what the account's figure means

  void take_shape(const UnchangedRow& row) {
    new_pack_ = false;
    shape_ = row.kind.data();
    const auto meaning = meanings_.find(row.account);
    costs_ = meaning == meanings_.end() ? Costs::Unknown : meaning->second;
  }

  void show_shape(const PackedRow& from) {
    view_.row.kind.assign(from.row.kind);
    view_.row.account.assign(from.row.account);
    view_.row.action = Action::Skip;
    view_.row.reason = Reason::Unchanged;
    view_.row.file.assign(from.file);
    view_.row.labels.resize(from.label_names.size());
    for (std::size_t i = 0; i < view_.row.labels.size(); ++i) view_.row.labels[i].name.assign(from.label_names[i]);
    view_.state = State::Done;
  }

  Database& database_;
  Statement query_;
  std::optional<PackReader> reader_;
  std::int64_t pack_ = 0;
  std::string file_;
  std::map<std::string, Costs, std::less<>> meanings_;
  Costs costs_ = Costs::Unknown;
  const char* shape_ = nullptr;  ///< where the one that is taken stands in the pack
  bool new_pack_ = true;
  RowView view_;
};

namespace {

/// The rows that are kept one by one, in order.
class ChangingRows {
 public:
  ChangingRows(Database& database, RunId run)
      : query_(database.prepare(fmt::format(
            "SELECT r.number, r.id, r.kind, r.account, r.listing, r.content, r.job, r.action, r.reason, r.detail, "
            "r.selected, r.file, r.line, r.labels, r.submissions, j.state, j.url, j.remote_id, j.reason, "
            "j.submitted_at, j.accepted_at, j.finished_at, j.polls, {}, CASE WHEN r.reason = 1 THEN (SELECT p.url FROM "
            "jobs p WHERE p.listing = r.listing AND p.state = 5 AND p.id IS NOT r.job ORDER BY p.id DESC LIMIT 1) END, "
            "CASE WHEN j.state = 5 THEN (SELECT ol.ref FROM jobs o JOIN listings ol ON ol.id = o.listing WHERE "
            "o.subject = coalesce(j.subject, j.remote_id) AND ol.account = l.account AND o.submitted_at >= "
            "j.finished_at AND o.remote_id IS NOT NULL AND o.id <> j.id AND o.repairs IS NOT j.id ORDER BY o.id DESC "
            "LIMIT 1) END, "
            "(SELECT count(*) FROM jobs m WHERE m.repairs = j.id AND m.remote_id IS NOT NULL), "
            "(SELECT ml.ref FROM jobs m JOIN listings ml ON ml.id = m.listing WHERE m.repairs = j.id AND m.state IN "
            "(1, 4) ORDER BY m.id DESC LIMIT 1) "
            "FROM rows r LEFT JOIN jobs j ON j.id = r.job LEFT JOIN listings l ON l.id = j.listing "
            "LEFT JOIN accounts a ON a.id = l.account WHERE r.run = ? ORDER BY r.number",
            kCost))) {
    query_.bind(1, run);
  }

  Result<bool> next() { return query_.step(); }
  RowNumber number() const { return query_.integer(0); }

  Result<void> show(RowView& view) {
    view.row.number = query_.integer(0);
    view.row.id = query_.text(1);
    view.row.kind = query_.text(2);
    view.row.account = query_.text(3);
    view.row.listing = query_.integer(4);
    view.row.content = query_.integer(5);
    view.row.job = query_.integer(6);
    view.row.action = static_cast<Action>(query_.integer(7));
    view.row.reason = static_cast<Reason>(query_.integer(8));
    view.row.detail = query_.text(9);
    view.row.selected = query_.integer(10) != 0;
    view.row.file = query_.text(11);
    view.row.line = static_cast<std::uint64_t>(query_.integer(12));
    if (Result<void> read = read_labels_json(query_.text(13), json_, view.row.labels); !read) return read;
    view.submissions = query_.integer(14);
    view.state = query_.is_null(15) ? std::nullopt : std::optional(static_cast<State>(query_.integer(15)));
    view.url = query_.text(16);
    view.remote_id = query_.text(17);
    view.reason = query_.text(18);
    view.submitted_at = maybe_time(query_, 19);
    view.accepted_at = maybe_time(query_, 20);
    view.finished_at = maybe_time(query_, 21);
    view.polls = query_.maybe_integer(22);
    view.cost = maybe_credits(query_, 23);
    view.previous_url = query_.text(24);
    view.overtaken_by = query_.text(25);
    view.repairs = query_.integer(26);
    view.repair_in_doubt = query_.text(27);
    return {};
  }

 private:
  Statement query_;
  JsonReader json_;
};

}  // namespace

Result<void> SqliteLedger::for_each_row(RunId run, const std::function<Result<void>(const RowView&)>& visit,
                                        const std::function<void(const PackedRow&)>& visit_packed) {
  const Result<std::vector<AccountRecord>> known = accounts();
  if (!known) return tl::unexpected(known.error());
  PackedRows packed(*this, run);
  packed.set_accounts(*known);
  ChangingRows changing(*database_, run);
  RowView view;
  Result<bool> more_packed = packed.next();
  Result<bool> more_changing = changing.next();
  for (;;) {
    if (!more_packed) return tl::unexpected(more_packed.error());
    if (!more_changing) return tl::unexpected(more_changing.error());
    if (!*more_packed && !*more_changing) return {};
    if (!*more_changing || (*more_packed && packed.number() < changing.number())) {
      if (visit_packed) {
        visit_packed(packed.packed());
      } else if (Result<void> visited = visit(packed.show()); !visited) {
        return visited;
      }
      more_packed = packed.next();
    } else {
      if (Result<void> shown = changing.show(view); !shown) return shown;
      if (Result<void> visited = visit(view); !visited) return visited;
      more_changing = changing.next();
    }
  }
}

Result<void> SqliteLedger::for_each_changing_row(RunId run, const std::function<Result<void>(const RowView&)>& visit) {
  ChangingRows rows(*database_, run);
  RowView view;
  for (;;) {
    const Result<bool> more = rows.next();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    if (Result<void> shown = rows.show(view); !shown) return shown;
    if (Result<void> visited = visit(view); !visited) return visited;
  }
}

Result<std::vector<RowCount>> SqliteLedger::count_changing_rows(RunId run) {
  // Added up here: SQLite would sort a million rows for its groups.
  Statement query = database_->prepare(
      "SELECT r.action, r.selected, r.submissions, j.state FROM rows r LEFT JOIN jobs j ON j.id = r.job WHERE r.run = "
      "?");
  query.bind(1, run);
  std::map<std::array<std::int64_t, 3>, RowCount> counts;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    const std::int64_t submissions = query.integer(2);
    const std::array<std::int64_t, 3> key{query.integer(0), query.integer(1), query.is_null(3) ? -1 : query.integer(3)};
    RowCount& count = counts[key];
    ++count.rows;
    count.submissions += submissions;
  }
  std::vector<RowCount> all;
  for (auto& [key, count] : counts) {
    count.action = static_cast<Action>(key[0]);
    count.selected = key[1] != 0;
    if (key[2] >= 0) count.state = static_cast<State>(key[2]);
    all.push_back(count);
  }
  return all;
}

Result<UnchangedCounts> SqliteLedger::unchanged_rows(RunId run) {
  Statement query = database_->prepare(
      "SELECT coalesce(sum(p.rows), 0), coalesce(sum(p.selected), 0) FROM run_packs r JOIN row_packs p ON p.id = "
      "r.pack WHERE r.run = ?");
  const Result<bool> row = query.bind(1, run).step();
  if (!row) return tl::unexpected(row.error());
  return UnchangedCounts{query.integer(0), query.integer(1)};
}

/// The last run that read a feed; 0 if there is none.
Result<RunId> SqliteLedger::last_run_of(std::string_view feed) {
  Statement last = database_->prepare("SELECT value FROM meta WHERE name = ?");
  const Result<bool> found = last.bind(1, feed_name(feed)).step();
  if (!found) return tl::unexpected(found.error());
  return *found ? last.integer(0) : 0;
}

/// Counted at the end of the run, so that it takes no longer for a million rows.
Result<std::optional<Ledger::RowsBefore>> SqliteLedger::rows_before(std::string_view feed) {
  const Result<RunId> run = last_run_of(feed);
  if (!run) return tl::unexpected(run.error());
  // The last pack, how many rows it and those in front of it make, and what stands outside of packs behind it.
  Statement query = database_->prepare(
      "WITH ends AS (SELECT t.id AS run, t.uid, "
      "(SELECT max(r.first_number) FROM run_packs r WHERE r.run = t.id) AS packed, "
      "(SELECT max(r.number) FROM rows r WHERE r.run = t.id) AS other FROM runs t WHERE t.id = ?) "
      "SELECT e.uid, CASE WHEN e.packed IS NULL THEN e.other ELSE e.packed - 1 + "
      "(SELECT p.rows FROM run_packs r JOIN row_packs p ON p.id = r.pack WHERE r.run = e.run AND r.first_number = "
      "e.packed) + (SELECT count(*) FROM rows r WHERE r.run = e.run AND r.number > e.packed) END "
      "FROM ends e WHERE e.packed IS NOT NULL OR e.other IS NOT NULL");
  const Result<bool> row = query.bind(1, *run).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::nullopt;
  return RowsBefore{std::string(query.text(0)), query.integer(1)};
}

Result<std::vector<std::string>> SqliteLedger::label_names(RunId run) {
  Statement query = database_->prepare("SELECT name FROM run_labels WHERE run = ? ORDER BY position");
  query.bind(1, run);
  std::vector<std::string> names;
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return names;
    names.emplace_back(query.text(0));
  }
}

// ---- Listings that left the feed ------------------------------------------------------------------------------------

void ListingsSeen::set(std::vector<bool>& bits, std::int64_t at) {
  // Numbers of a ledger count from 1, so that only a damaged one has such; it is not worth the memory.
  if (at < 0 || at > kNumbersMost) return;
  const auto place = static_cast<std::size_t>(at);
  if (place >= bits.size()) bits.resize(place + place / 2 + 64);
  bits[place] = true;
}

Result<void> SqliteLedger::for_each_gone(std::string_view feed, const ListingsSeen& seen,
                                         const std::function<void(const ListingName&)>& visit) {
  const Result<RunId> last = last_run_of(feed);
  if (!last) return tl::unexpected(last.error());
  if (*last == 0) return {};
  const Result<std::vector<ListingId>> unseen = listings_unseen(*last, seen);
  if (!unseen) return tl::unexpected(unseen.error());
  // A listing whose row is shown by another of its jobs than then is there all the same.
  Statement jobs = database_->prepare("SELECT id FROM jobs WHERE listing = ?");
  Statement name = database_->prepare(
      "SELECT l.ref, l.kind, a.name FROM listings l JOIN accounts a ON a.id = l.account WHERE l.id = ?");
  for (const ListingId listing : *unseen) {
    bool is_there = false;
    jobs.bind(1, listing);
    for (;;) {
      const Result<bool> job = jobs.step();
      if (!job) return tl::unexpected(job.error());
      if (!*job) break;
      is_there = is_there || seen.has_job(jobs.integer(0));
    }
    if (is_there) continue;
    const Result<bool> named = name.bind(1, listing).step();
    if (!named) return tl::unexpected(named.error());
    if (*named) visit({std::string(name.text(0)), std::string(name.text(1)), std::string(name.text(2))});
    name.reset();
  }
  return {};
}

/// The listings of a run's rows of which neither they nor the job of the row was seen.
Result<std::vector<ListingId>> SqliteLedger::listings_unseen(RunId run, const ListingsSeen& seen) {
  std::vector<ListingId> unseen;
  const auto look_at = [&](ListingId listing, JobId job) {
    if (!seen.has_listing(listing) && (job == 0 || !seen.has_job(job))) unseen.push_back(listing);
  };
  Statement packs = database_->prepare(
      "SELECT p.id, p.list, p.facts FROM run_packs r JOIN row_packs p ON p.id = r.pack WHERE r.run = ? ORDER BY "
      "r.first_number");
  Statement listing_of = database_->prepare("SELECT listing FROM jobs WHERE id = ?");
  packs.bind(1, run);
  for (;;) {
    const Result<bool> more = packs.step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    PackReader reader(packs.text(1), packs.text(2), 0, 0);
    while (reader.next()) {
      const JobId job = reader.row().job;
      if (seen.has_job(job)) continue;
      const Result<bool> found = listing_of.bind(1, job).step();
      if (!found) return tl::unexpected(found.error());
      if (*found) look_at(listing_of.integer(0), job);
      listing_of.reset();
    }
    if (reader.damaged()) return tl::unexpected(damaged_pack(*database_, packs.integer(0)));
  }
  Statement rows = database_->prepare(
      "SELECT listing, coalesce(job, 0) FROM rows WHERE run = ? AND listing IS NOT NULL ORDER BY number");
  rows.bind(1, run);
  for (;;) {
    const Result<bool> more = rows.step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return unseen;
    look_at(rows.integer(0), rows.integer(1));
  }
}

// ---- Work -----------------------------------------------------------------------------------------------------------

Result<std::int64_t> SqliteLedger::planned_count(RunId run) {
  Statement query = database_->prepare(
      "SELECT count(*) FROM rows r LEFT JOIN jobs j ON j.id = r.job WHERE r.run = ? AND r.action = 0 AND r.selected = "
      "1 AND (r.job IS NULL OR j.state = 0)");
  const Result<bool> row = query.bind(1, run).step();
  if (!row) return tl::unexpected(row.error());
  return query.integer(0);
}

Result<std::int64_t> SqliteLedger::leave_replaced(RunId run) {
  const Result<std::vector<RowNumber>> packed = rows_paid_in_later_packs(run);
  if (!packed) return tl::unexpected(packed.error());
  Result<Transaction> transaction = Transaction::begin(*database_);
  if (!transaction) return tl::unexpected(transaction.error());
  Statement leave = database_->prepare(
      "UPDATE rows SET selected = 0, detail = 'replaced by a later run' WHERE run = ?1 AND selected = 1 AND action IN "
      "(0, 3) AND (job IS NULL OR job IN (SELECT id FROM jobs WHERE state = 0)) "
      "AND listing IN (SELECT listing FROM rows WHERE run > ?1)");
  if (Result<void> done = leave.bind(1, run).run(); !done) return tl::unexpected(done.error());
  std::int64_t left = database_->changes();
  Statement leave_one = database_->prepare(
      "UPDATE rows SET selected = 0, detail = 'replaced by a later run' WHERE run = ? AND number = ? AND selected = 1");
  for (const RowNumber number : *packed) {
    if (Result<void> done = leave_one.bind(1, run).bind(2, number).run(); !done) return tl::unexpected(done.error());
    left += database_->changes();
  }
  if (Result<void> done = transaction->commit(); !done) return tl::unexpected(done.error());
  return left;
}

/// The planned rows of a run whose listings were unchanged in a later one.
Result<std::vector<RowNumber>> SqliteLedger::rows_paid_in_later_packs(RunId run) {
  Statement candidates = database_->prepare(
      "SELECT d.id, r.number FROM rows r JOIN jobs d ON d.listing = r.listing WHERE r.run = ? AND r.selected = 1 AND "
      "r.action IN (0, 3) AND (r.job IS NULL OR r.job IN (SELECT id FROM jobs WHERE state = 0)) AND d.state = 5");
  candidates.bind(1, run);
  std::unordered_map<JobId, RowNumber> videos;
  for (;;) {
    const Result<bool> row = candidates.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    videos[candidates.integer(0)] = candidates.integer(1);
  }
  std::vector<RowNumber> found;
  if (videos.empty()) return found;
  Statement packs = database_->prepare(
      "SELECT id, list, facts FROM row_packs WHERE id IN (SELECT pack FROM run_packs WHERE run > ?)");
  packs.bind(1, run);
  for (;;) {
    const Result<bool> more = packs.step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return found;
    PackReader reader(packs.text(1), packs.text(2), 0, 0);
    while (reader.next()) {
      if (const auto video = videos.find(reader.row().job); video != videos.end()) found.push_back(video->second);
    }
    if (reader.damaged()) return tl::unexpected(damaged_pack(*database_, packs.integer(0)));
  }
}

// ---- Care -----------------------------------------------------------------------------------------------------------

/// Rows of all but the last `keep_runs` runs and of `ending`, which may be an older one, go, and packs that no run has
/// any more.
Result<void> SqliteLedger::forget_rows(int keep_runs, RunId ending) {
  Statement first = database_->prepare("SELECT min(id) FROM (SELECT id FROM runs ORDER BY id DESC LIMIT ?)");
  const Result<bool> row = first.bind(1, std::int64_t{keep_runs}).step();
  if (!row) return tl::unexpected(row.error());
  const RunId kept = first.integer(0);
  for (const char* sql :
       {"DELETE FROM rows WHERE run < ? AND run <> ?", "DELETE FROM run_packs WHERE run < ? AND run <> ?",
        "DELETE FROM run_labels WHERE run < ? AND run <> ?"}) {
    if (Result<void> done = database_->prepare(sql).bind(1, kept).bind(2, ending).run(); !done) return done;
  }
  return database_->execute(
      "DELETE FROM row_packs WHERE NOT EXISTS (SELECT 1 FROM run_packs r WHERE r.pack = row_packs.id)");
}

Result<void> SqliteLedger::verify_packs(std::vector<std::string>& findings) {
  Statement packs = database_->prepare("SELECT id, digest, rows, list, facts FROM row_packs");
  for (;;) {
    const Result<bool> more = packs.step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    const auto find = [&](std::string_view what) {
      findings.push_back(fmt::format("row pack {} {}", packs.integer(0), what));
    };
    std::vector<JobId> jobs;
    PackReader reader(packs.text(3), packs.text(4), 0, 0);
    while (reader.next()) jobs.push_back(reader.row().job);
    if (reader.damaged() || maybe_digest(packs, 1) != digest_of(packs.text(3)) ||
        packs.integer(2) != static_cast<std::int64_t>(jobs.size())) {
      find("is damaged");
      continue;
    }
    bool finished = true;
    Statement& state = statements_->facts_of;
    for (const JobId job : jobs) {
      const Result<bool> there = state.bind(1, job).step();
      if (!there) return tl::unexpected(there.error());
      finished = finished && *there && static_cast<State>(state.integer(0)) == State::Done;
      state.reset();
    }
    if (!finished) {
      find("names a job that is missing or not done");
      continue;
    }
    const Result<std::string> facts = facts_of(jobs);
    if (!facts) return tl::unexpected(facts.error());
    if (packs.text(4) != *facts) find("does not say of its jobs what is recorded of them");
  }
}

}  // namespace reelbatch
