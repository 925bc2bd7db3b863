// The ledger's prepared statements. Private to sqlite_ledger*.cc.
#pragma once

#include "runner/sqlite_ledger.h"

namespace reelbatch {

/// Those that run once a row or once a step; the rest is prepared where it is used.
struct SqliteLedger::Statements {
  explicit Statements(Database& db)
      : find_listing(db.prepare("SELECT id FROM listings WHERE account = ? AND kind = ? AND ref = ?")),
        add_listing(db.prepare("INSERT INTO listings (account, kind, ref) VALUES (?, ?, ?)")),
        contents_of(db.prepare("SELECT id, fields, text FROM contents WHERE listing = ? ORDER BY id DESC")),
        content_is_used(db.prepare("SELECT 1 FROM jobs WHERE listing = ? AND content = ? AND state <> 0 LIMIT 1")),
        replace_content(db.prepare("UPDATE contents SET fields = ?, text = ? WHERE id = ?")),
        add_content(db.prepare("INSERT INTO contents (listing, fields, text) VALUES (?, ?, ?)")),
        add_row(db.prepare(
            "INSERT INTO rows (run, number, id, kind, account, listing, content, job, action, reason, detail, selected,"
            " file, line, labels, subject) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
        find_pack(db.prepare("SELECT id FROM row_packs WHERE digest = ?")),
        add_pack(db.prepare("INSERT INTO row_packs (digest, rows, selected, list, facts) VALUES (?,?,?,?,?)")),
        run_has_pack(
            db.prepare("INSERT INTO run_packs (run, first_number, first_line, file, pack) VALUES (?,?,?,?,?)")),
        facts_of(db.prepare("SELECT state, remote_id, url, submitted_at, accepted_at, finished_at, polls, used_last, "
                            "cost_alone FROM jobs WHERE id = ?")),
        know_content(db.prepare("UPDATE contents SET text = ? WHERE id = ?")),
        know_job(db.prepare("UPDATE jobs SET text = ? WHERE id = ?")),
        know_jobs(db.prepare("UPDATE jobs SET text = ? WHERE listing = ? AND content = ?")),
        note_price(db.prepare(
            "INSERT INTO prices (account, kind, own, alone) "
            "SELECT l.account, l.kind, coalesce(j.used_last, j.cost_alone), j.cost_alone FROM jobs j JOIN listings l "
            "ON "
            "l.id = j.listing WHERE j.id = ? AND j.state IN (5, 6) AND NOT j.followed AND coalesce(j.used_last, "
            "j.cost_alone) IS NOT NULL "
            "ON CONFLICT (account, kind) DO UPDATE SET own = max(own, excluded.own), "
            "alone = max(coalesce(alone, excluded.alone), coalesce(excluded.alone, alone))")),
        jobs_of(db.prepare(
            "SELECT j.id, j.state, c.fields FROM jobs j JOIN contents c ON c.id = j.content WHERE j.listing = ? "
            "ORDER BY j.id")),
        fields_of(db.prepare("SELECT fields FROM contents WHERE id = ?")),
        planned(db.prepare(
            "SELECT r.number, r.id, r.kind, r.listing, r.content, r.job, r.subject, r.labels FROM rows r LEFT JOIN "
            "jobs j ON "
            "j.id = r.job "
            "WHERE r.run = ? AND r.number > ? AND r.action IN (0, 3) AND r.content IS NOT NULL AND r.selected = 1 AND "
            "r.account = ? "
            "AND (r.job IS NULL OR j.state = 0) ORDER BY r.number LIMIT ?")),
        planned_of(db.prepare(
            "SELECT r.number, r.id, r.kind, r.listing, r.content, r.job, r.subject, r.labels FROM rows r LEFT JOIN "
            "jobs j ON "
            "j.id "
            "= r.job WHERE r.run = ? AND r.subject = ? AND r.account = ? AND r.action IN (0, 3) AND r.content IS NOT "
            "NULL AND r.selected = 1 AND (r.job IS NULL OR j.state = 0) ORDER BY r.number")),
        by_remote_id(db.prepare(
            "SELECT j.id FROM jobs j JOIN listings l ON l.id = j.listing JOIN accounts a ON a.id = l.account JOIN "
            "accounts own ON own.id = ?2 AND own.service = a.service AND own.origin = a.origin WHERE j.remote_id = ?1 "
            "AND j.id <> ?3 AND (?4 OR NOT j.followed) LIMIT 1")),
        add_job(db.prepare(
            "INSERT INTO jobs (id, listing, content, run, state, reserved, submitted_at, text, subject, labels) "
            "SELECT ?1, ?2, ?3, ?4, 1, ?5, ?6, (SELECT text FROM contents WHERE id = ?3), ?7, (SELECT labels FROM rows "
            "WHERE run = ?4 AND number = ?8)")),
        resubmit_job(db.prepare(
            "UPDATE jobs SET content = ?2, run = ?3, state = 1, reserved = ?4, submitted_at = ?5, reason = NULL, "
            "text = (SELECT text FROM contents WHERE id = ?2), subject = ?6, labels = (SELECT labels FROM rows WHERE "
            "run = ?3 AND number = ?7) WHERE id = ?1 AND state = 0")),
        follow_job(db.prepare(
            "UPDATE jobs SET state = 2, followed = 1, remote_id = ?2, accepted_at = ?3, submitted_at = NULL WHERE id = "
            "?1")),
        row_has_job(db.prepare("UPDATE rows SET job = ?, submissions = submissions + ? WHERE run = ? AND number = ?")),
        row_not_sent(db.prepare("UPDATE rows SET submissions = submissions - 1 WHERE run = ? AND number = ?")),
        add_step(db.prepare("INSERT INTO steps (job, run, at, from_state, event, detail) VALUES (?,?,?,?,?,?)")),
        move_job(db.prepare(
            "UPDATE jobs SET state = ?3, remote_id = coalesce(?4, remote_id), url = coalesce(?5, url), reason = ?6, "
            "accepted_at = coalesce(?7, accepted_at), finished_at = ?8, polls = coalesce(?9, polls), "
            "cost_alone = coalesce(?10, cost_alone) WHERE id = ?1 AND state = ?2")),
        add_credits(db.prepare(
            "INSERT INTO credits (account, run, job, at, remaining, used, overtaken, own) VALUES (?,?,?,?,?,?,?,?)")),
        job_used(db.prepare("UPDATE jobs SET used_last = ? WHERE id = ?")),
        // What it was charged at least still counts in budgets, as what it reserved; repairs in it count for
        // themselves.
        job_cost_lost(
            db.prepare("UPDATE jobs SET reserved = CASE WHEN used_last > 0 AND (SELECT a.credit_meaning FROM "
                       "listings l JOIN accounts a ON a.id = l.account WHERE l.id = jobs.listing) = 'job' THEN "
                       "max(used_last - coalesce((SELECT sum(m.reserved) FROM jobs m WHERE m.repairs = jobs.id AND "
                       "m.remote_id IS NOT NULL), 0), coalesce(reserved, (SELECT p.own FROM listings l JOIN prices p "
                       "ON p.account = "
                       "l.account AND p.kind = l.kind WHERE l.id = jobs.listing), 0)) ELSE reserved END, used_last = "
                       "NULL WHERE id = ?")),
        add_send(db.prepare("INSERT INTO sends (account, submission, at, uptime, boot) VALUES (?,?,?,?,?)")) {}

  Statement find_listing, add_listing, contents_of, content_is_used, replace_content, add_content, add_row, find_pack,
      add_pack, run_has_pack, facts_of, know_content, know_job, know_jobs, note_price, jobs_of, fields_of, planned,
      planned_of, by_remote_id, add_job, resubmit_job, follow_job, row_has_job, row_not_sent, add_step, move_job,
      add_credits, job_used, job_cost_lost, add_send;
};

}  // namespace reelbatch
