// Jobs that make a part of another one again.
#include "runner/check.h"
#include "runner/sqlite_statements.h"
#include "runner/sqlite_values.h"

namespace reelbatch {

Result<void> SqliteLedger::write_repair(RunId run, const Intent& intent) {
  const NewRepair& repair = *intent.repair;
  Statement write = database_->prepare(
      intent.is_new
          ? "INSERT INTO jobs (id, run, state, reserved, submitted_at, subject, repairs, part, labels, listing, "
            "content) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, (SELECT labels FROM jobs WHERE id = ?6), ?8, ?9)"
          : "UPDATE jobs SET run = ?2, state = 1, reserved = ?3, submitted_at = ?4, reason = NULL WHERE id = ?1 AND "
            "subject = ?5 AND repairs = ?6 AND part = ?7 AND state = 0");
  write.bind(1, intent.job).bind(2, run).bind(3, milli(intent.reserved)).bind(4, to_ms(intent.at));
  write.bind(5, intent.subject).bind(6, repair.of).bind(7, repair.part);
  if (intent.is_new) {
    const Result<ListingId> listing = this->listing(repair.account, repair.kind, repair.ref);
    if (!listing) return tl::unexpected(listing.error());
    const Result<ContentId> content = this->content(*listing, repair.fields);
    if (!content) return tl::unexpected(content.error());
    write.bind(8, *listing).bind(9, *content);
  }
  if (Result<void> done = write.run(); !done) return done;
  CHECK(database_->changes() == 1);
  Statement row = database_->prepare("UPDATE rows SET submissions = submissions + 1 WHERE run = ? AND number = ?");
  if (Result<void> done = row.bind(1, run).bind(2, intent.row).run(); !done) return done;
  return write_first_step(run, intent, Event::Submit);
}

Result<RepairHistory> SqliteLedger::repairs_of(JobId job, RunId run) {
  RepairHistory history;
  Statement about = database_->prepare(
      "SELECT l.ref, j.labels, (SELECT r.number FROM rows r WHERE r.run = ?2 AND r.job = j.id) FROM jobs j JOIN "
      "listings l ON l.id = j.listing WHERE j.id = ?1");
  const Result<bool> found = about.bind(1, job).bind(2, run).step();
  if (!found) return tl::unexpected(found.error());
  CHECK(*found);
  history.ref = about.text(0);
  history.labels = about.text(1);
  history.row = about.integer(2);
  Statement query = database_->prepare("SELECT id, part, state, remote_id FROM jobs WHERE repairs = ? ORDER BY id");
  query.bind(1, job);
  for (;;) {
    const Result<bool> row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return history;
    history.repairs.push_back({query.integer(0), std::string(query.text(1)), static_cast<State>(query.integer(2)),
                               std::string(query.text(3))});
  }
}

}  // namespace reelbatch
