#!/usr/bin/env python3
"""What a run leaves to read (PRODUCT.md section 3): results in every format, report, resume, status, the ledger's care,
what selects rows, and the ways in which a manifest may be written."""

import csv
import datetime
import io
import json
import os
import stat
import unittest

from harness import Answer, COLUMNS, Case, KEY, Provider, TIME, description, row, wait_for

STATES = ["done", "failed", "timed_out", "in_flight", "held", "planned", "invalid"]


class Mixed(Case):
    """Rows that end in every way a finished run can leave them."""

    def mixed(self, *args):
        self.provider.on_submit(Answer(422, {"error": "too dark"}), ref="A-2")
        self.provider.on_submit(Answer(lost="after"), ref="A-3")
        self.manifest([row("A-1", agency="Lyon", state="new"), row("A-2", agency="Paris"), row("A-3"),
                       row("A-4", description="short", agency="Nice"), row("A-5")])
        return self.run_feed("--max-in-flight", "1", "--limit", "3", *args, "-o", "results.csv", "-o", "results.json",
                             "-o", "results.jsonl", code=4)


class Files(Mixed):
    def test_csv(self):
        done = self.mixed()
        text = (self.folder / "results.csv").read_text()
        self.assertEqual(next(csv.reader(io.StringIO(text))), COLUMNS + ["agency", "label:state"])
        self.assert_states(done, A_1="done", A_2="failed", A_3="held", A_4="invalid", A_5="planned")
        first = done.row("A-1")
        job = self.provider.jobs_of("A-1")[0]
        self.assertEqual((first["kind"], first["account"], first["url"], first["job_id"]),
                         ("iacrea.auto", "iacrea", job.url, job.id))
        self.assertEqual((first["polls"], first["submissions"], first["agency"], first["label:state"]),
                         (str(job.polls), "1", "Lyon", "new"))
        self.assertEqual((first["file"], first["line"]), ("feed.csv", "2"))
        self.assertEqual([r["line"] for r in done.rows], ["2", "3", "4", "5", "6"])
        self.assertRegex(first["submitted_at"], TIME)
        self.assertRegex(first["finished_at"], TIME)
        self.assertGreaterEqual(float(first["seconds"]), 0.1)
        self.assertLess(float(first["seconds"]), 30)
        planned = done.row("A-5")
        self.assertIn("not selected", planned["reason"])
        for column in ("url", "job_id", "credits_used", "submitted_at", "finished_at", "seconds", "polls"):
            self.assertEqual(planned[column], "", column)
        self.assertEqual(planned["submissions"], "0")
        held = done.row("A-3")
        self.assertRegex(held["submitted_at"], TIME)
        self.assertEqual((held["url"], held["job_id"], held["finished_at"], held["seconds"]), ("", "", "", ""))
        self.assertEqual((held["submissions"], held["polls"], held["credits_used"]), ("1", "", ""))
        self.assertEqual(done.row("A-2")["submissions"], "1")
        self.assertIn("description", done.row("A-4")["reason"])

    def test_json(self):
        done = self.mixed()
        whole = done.json
        self.assertEqual(list(whole), ["version", "run", "counts", "credits", "rows"])
        self.assertEqual(list(whole["run"]), ["id", "started_at", "finished_at", "exit_code", "stopped_by", "sandbox"])
        self.assertRegex(whole["run"]["started_at"], TIME)
        self.assertRegex(whole["run"]["finished_at"], TIME)
        run = whole["run"]
        self.assertEqual((run["exit_code"], run["stopped_by"], run["sandbox"]), (4, None, False))
        self.assertEqual(sorted(whole["counts"]), sorted(STATES))
        self.assertEqual(whole["counts"], {"done": 1, "failed": 1, "planned": 1, "held": 1, "in_flight": 0,
                                           "timed_out": 0, "invalid": 1})
        self.assertEqual(list(whole["credits"]), ["iacrea"])
        self.assertEqual(set(whole["credits"]["iacrea"]), {"used", "reserved", "remaining", "unattributed"})
        self.assertEqual(whole["credits"]["iacrea"]["remaining"], 999)
        rows = {r["id"]: r for r in whole["rows"]}
        self.assertEqual([r["id"] for r in whole["rows"]], ["A-1", "A-2", "A-3", "A-4", "A-5"])
        for found in rows.values():
            self.assertEqual(list(found), COLUMNS + ["labels"])
        self.assertEqual(rows["A-1"]["labels"], {"agency": "Lyon", "state": "new"})
        self.assertEqual((rows["A-1"]["state"], rows["A-1"]["submissions"], rows["A-1"]["line"]), ("done", 1, 2))
        self.assertIsInstance(rows["A-1"]["polls"], int)
        self.assertIsInstance(rows["A-1"]["seconds"], (int, float))
        self.assertIsNone(rows["A-1"]["credits_used"])  # undecided whose figure it is
        for member in ("url", "job_id", "credits_used", "submitted_at", "finished_at", "seconds", "polls"):
            self.assertIsNone(rows["A-5"][member], member)
        self.assertEqual(rows["A-5"]["submissions"], 0)

    def test_json_lines(self):
        done = self.mixed()
        lines = (self.folder / "results.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines], done.json["rows"])

    def test_no_command_writes_over_a_manifest(self):
        self.mixed()
        self.run_it("run", "feed.csv")  # a run of rows that changed nothing
        before = (self.folder / "feed.csv").read_bytes()
        os.symlink("feed.csv", self.folder / "other.csv")
        for words in (["report"], ["resume"], ["run", "feed.csv"]):
            for file in ("feed.csv", "./feed.csv", "other.csv"):
                done = self.run_it(*words, "-o", file)
                self.assertEqual(done.code, 2, done)
                self.assertIn("would be written over a manifest", done.err)
        self.assertEqual((self.folder / "feed.csv").read_bytes(), before)

    def test_times_are_now(self):
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
        done = self.mixed()
        after = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        run, first = done.json["run"], done.json["rows"][0]
        times = [run["started_at"], first["submitted_at"], first["finished_at"], run["finished_at"]]
        read = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) for t in times]
        self.assertTrue(before <= read[0] and read[-1] <= after, times)
        self.assertEqual([t.replace(microsecond=0) for t in read], sorted(t.replace(microsecond=0) for t in read))

    def test_a_later_night_shows_the_jobs_own_figures_and_no_submission(self):
        first = self.mixed().row("A-1")
        self.provider.forget_rules()
        second = self.run_feed("--only", "A-1", code=0).row("A-1")
        for column in ("url", "job_id", "submitted_at", "finished_at", "seconds", "polls", "credits_used"):
            self.assertEqual(second[column], first[column], column)
        self.assertEqual(second["submissions"], "0")
        self.assert_posts(3)

    def test_a_cell_that_a_spreadsheet_would_run_is_guarded(self):
        labels = {"a": "=1+1", "b": "+33 4 78", "c": "-5 rooms", "d": "@home", "e": "-5.5", "f": "+7", "g": "1=1",
                  "h": "-"}
        self.manifest([row("A-1", **labels), row("=A-2")])
        done = self.run_feed(code=0)
        found = done.row("A-1")
        self.assertEqual({name: found[name] for name in labels},
                         {**labels, "a": "'=1+1", "b": "'+33 4 78", "c": "'-5 rooms", "d": "'@home", "h": "'-"})
        self.assertEqual(done.rows[1]["id"], "'=A-2")
        self.assertEqual(done.json["rows"][0]["labels"], labels)
        self.assertEqual(done.json["rows"][1]["id"], "=A-2")

    def test_cells_that_need_quotes(self):
        labels = {"a": 'two "words", and more', "b": "two\nlines", "c": "é ü 漢字", "d": " blanks "}
        self.manifest([row("A, \"1\"", **labels)])
        found = self.run_feed(code=0).rows[0]
        self.assertEqual(found["id"], 'A, "1"')
        self.assertEqual({name: found[name].strip() for name in labels}, {k: v.strip() for k, v in labels.items()})

    def test_rows_stand_in_the_order_of_the_manifests(self):
        self.manifest(["Z-1", row("M-1", description="short"), "A-1"], name="one.csv")
        self.manifest(["K-1", "B-1"], name="two.csv")
        done = self.run_it("run", "one.csv", "two.csv")
        self.assertEqual(done.code, 1, done)
        self.assertEqual([(r["id"], r["file"], r["line"]) for r in done.rows],
                         [("Z-1", "one.csv", "2"), ("M-1", "one.csv", "3"), ("A-1", "one.csv", "4"),
                          ("K-1", "two.csv", "2"), ("B-1", "two.csv", "3")])
        self.assert_posts(4)

    def test_a_killed_run_leaves_the_old_file_whole(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        old = (self.folder / "results.csv").read_bytes(), (self.folder / "results.json").read_bytes()
        self.provider.paused = True
        self.manifest(["A-1", "A-2"])
        running = self.start("run", "feed.csv")
        wait_for(lambda: self.provider.polls("A-2"))
        running.kill()
        self.assertEqual(((self.folder / "results.csv").read_bytes(), (self.folder / "results.json").read_bytes()), old)

    def test_files_are_their_owners_alone(self):
        old = os.umask(0o022)
        self.addCleanup(os.umask, old)
        self.provider.paused = True
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv", "--log-file", "run.log")
        wait_for(self.provider.polls)
        self.check_modes("reelbatch.db", "reelbatch.db-wal", "run.log")
        self.provider.paused = False
        self.assertEqual(running.wait().code, 0)
        self.run_it("plan", "feed.csv", "-o", "plan.json")
        self.run_it("ledger", "backup", "copy.db")
        self.check_modes("reelbatch.db", "run.log", "results.csv", "results.json", "plan.json", "copy.db")

    def check_modes(self, *names):
        for name in names:
            mode = stat.S_IMODE((self.folder / name).stat().st_mode)
            self.assertEqual(oct(mode), oct(0o600), name)
        for path in self.folder.iterdir():
            if path.name not in ("feed.csv",):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path.name)


class Credits(Case):
    def test_what_a_job_cost_when_the_figure_is_the_jobs(self):
        self.config(account="credits: job")
        self.provider.credits_mean, self.provider.price = "job", 3
        self.manifest(["A-1", "A-2"])
        done = self.run_feed(code=0)
        self.assertEqual([r["credits_used"] for r in done.rows], ["3", "3"])
        self.assertEqual(done.json["credits"]["iacrea"],
                         {"used": 6, "reserved": 0, "remaining": 994, "unattributed": 0})

    def test_what_a_job_cost_when_the_figure_is_the_accounts(self):
        self.config(account="credits: account")
        self.provider.price = 3
        self.manifest(["A-1", "A-2"])
        done = self.run_feed("--max-in-flight", "1", code=0)
        self.assertEqual([r["credits_used"] for r in done.rows], ["", "3"])  # nothing was seen before the first
        self.assertEqual(done.json["credits"]["iacrea"]["used"], 3)
        self.assertEqual(done.json["credits"]["iacrea"]["unattributed"], 0)
        self.assertEqual(done.json["credits"]["iacrea"]["remaining"], 994)

    def test_by_evidence(self):
        for mean in ("job", "account"):
            with self.subTest(mean):
                for name in self.folder.iterdir():
                    name.unlink()
                self.provider.credits_mean = mean
                self.provider.price = lambda job: 5 if job.ref == "A-1" else 2
                self.manifest(["A-1", "A-2", "A-3"])
                done = self.run_feed("--max-in-flight", "1", code=0)
                costs = [r["credits_used"] for r in done.rows]
                self.assertEqual(costs, ["5", "2", "2"] if mean == "job" else ["", "2", "2"])
                self.assert_posts(3 if mean == "job" else 6)

    def test_no_figures_at_all(self):
        self.provider.credits_mean = None
        self.manifest(["A-1"])
        done = self.run_feed(code=0)
        self.assertEqual(done.row("A-1")["credits_used"], "")
        self.assertIsNone(done.json["credits"]["iacrea"]["remaining"])
        self.assertIsNone(done.json["credits"]["iacrea"]["used"])


class Again(Case):
    """report, resume, status, ledger."""

    def test_report_writes_the_same_again(self):
        self.manifest(["A-1", row("A-2", description="short")])
        first = self.run_feed(code=1)
        old = first.files
        for name in old:
            (self.folder / name).unlink()
        said = self.run_it("report", "-o", "results.csv", "-o", "results.json")
        self.assertEqual(said.code, 0, said)
        self.assertEqual(said.files, old)
        with self.subTest("of an earlier run"):
            self.manifest(["A-3"])
            self.run_feed(code=0)
            run = json.loads(old["results.json"])["run"]["id"]
            said = self.run_it("report", "--run", run, "-o", "results.csv", "-o", "results.json")
            self.assertEqual(said.code, 0, said)
            self.assertEqual(said.files["results.csv"], old["results.csv"])
        with self.subTest("of one that never was"):
            self.assertEqual(self.run_it("report", "--run", "nonesuch").code, 2)
        self.assert_posts(2)

    def interrupted(self, refs):
        self.provider.paused = True
        self.manifest(refs)
        running = self.start("run", "feed.csv", "--max-in-flight", "2")
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == 2)
        running.signal()
        done = running.wait()
        self.assertEqual(done.code, 3, done)
        self.provider.paused = False
        return done

    def test_resume_finishes_the_last_run_without_its_manifest(self):
        first = self.interrupted(["A-1", "A-2", "A-3", row("A-4", description="short")])
        self.assertEqual([r["state"] for r in first.rows], ["in_flight", "in_flight", "planned", "invalid"])
        (self.folder / "feed.csv").unlink()
        done = self.run_it("resume")
        self.assertEqual(done.code, 1, done)
        self.assert_states(done, A_1="done", A_2="done", A_3="done", A_4="invalid")
        self.assertEqual(done.json["run"]["id"], first.json["run"]["id"])
        self.assert_posts(3)
        self.run_it("resume")
        self.assert_posts(3)

    def test_resume_leaves_rows_that_a_later_run_replaced(self):
        first = self.interrupted(["A-1", "A-2", "A-3", "A-4"])
        self.manifest([row("A-3", version=2)])
        self.assertEqual(self.run_feed(code=0).state("A-3"), "done")
        done = self.run_it("resume", "--run", first.json["run"]["id"])
        self.assert_posts(1, "A-3")
        self.assert_posts(4)
        self.assertEqual(done.state("A-4"), "done", done)

    def test_status_while_a_run_goes_on(self):
        self.provider.paused = True
        self.provider.on_submit(Answer(lost="after"), ref="A-2")
        self.manifest(["A-1", "A-2"])
        running = self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        wait_for(lambda: "A-2 is held" in running.text() or running.ended())
        said = self.run_it("status")
        self.assertEqual(said.code, 0, said)
        self.assertIn(str(running.pid), said.out)
        self.assertIn("A-2", said.out)
        self.provider.paused = False
        running.wait()
        after = self.run_it("status")
        self.assertEqual(after.code, 0, after)
        self.assertNotIn(str(running.pid), after.out)
        self.assert_posts(2)

    def test_ledger_verify(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        self.assert_sound()
        whole = (self.folder / "reelbatch.db").read_bytes()
        broken = bytearray(whole)
        for at in range(4096, len(broken), 4096):
            broken[at:at + 200] = b"\xff" * min(200, len(broken) - at)
        self.write("broken.db", bytes(broken))
        self.assertNotEqual(self.run_it("ledger", "verify", "--ledger", "broken.db").code, 0)

    def test_ledger_backup_while_a_run_goes_on(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        said = self.run_it("ledger", "backup", "copy.db")
        self.assertEqual(said.code, 0, said)
        self.assertNotEqual(self.run_it("ledger", "backup", "copy.db").code, 0)  # never over something
        self.provider.paused = False
        self.assertEqual(running.wait().code, 0)
        self.assertEqual(self.run_it("ledger", "verify", "--ledger", "copy.db").code, 0)
        done = self.run_feed("--ledger", "copy.db", code=0)
        self.assertEqual(done.row("A-1")["submissions"], "0")
        self.assert_posts(1)

    def test_a_new_ledger_is_a_warning_with_its_full_path(self):
        self.manifest(["A-1"])
        self.assertIn(str(self.folder / "reelbatch.db"), self.run_feed(code=0).err)
        self.assertNotIn(str(self.folder / "reelbatch.db"), self.run_feed(code=0).err)


class Choosing(Case):
    def test_only(self):
        self.manifest(["A-1", "A-2", "A-3"])
        done = self.run_feed("--only", "A-1", "A-3", code=0)
        self.assert_states(done, A_1="done", A_2="planned", A_3="done")
        self.assertIn("not selected", done.row("A-2")["reason"])
        self.assert_posts(0, "A-2")
        self.assert_posts(2)
        again = self.run_feed("--only", "A-2", code=0)
        self.assert_states(again, A_1="done", A_2="done", A_3="done")
        self.assert_posts(3)

    def test_limit(self):
        self.manifest([row("A-0", description="short"), "A-1", "A-2", "A-3"])
        done = self.run_feed("--limit", "2")
        self.assert_states(done, A_0="invalid", A_1="done", A_2="done", A_3="planned")
        self.assertIn("not selected", done.row("A-3")["reason"])
        self.assert_posts(2)
        self.assert_states(self.run_feed("--limit", "2", code=1), A_0="invalid", A_1="done", A_2="done", A_3="done")
        self.assert_posts(3)
        self.run_feed("--limit", "0", code=1)
        self.assert_posts(3)

    def test_quiet_says_nothing_on_0(self):
        self.manifest(["A-1"])
        done = self.run_feed("-q", code=0)
        self.assertEqual((done.out, done.err), ("", ""))
        self.manifest(["A-1", row("A-2", description="short")])
        self.assertTrue(self.run_feed("-q", code=1).text)
        self.assert_posts(1)

    def test_flag_over_environment_over_file_over_default(self):
        self.manifest([f"A-{i}" for i in range(5)])
        self.config(rest="limit: 1\n")
        self.run_feed(code=0)
        self.assert_posts(1)
        self.run_feed(code=0, env={"REELBATCH_LIMIT": "2"})
        self.assert_posts(3)
        self.run_feed("--limit", "0", code=0, env={"REELBATCH_LIMIT": "2"})
        self.assert_posts(3)
        (self.folder / "reelbatch.yaml").unlink()
        self.run_feed(code=0)
        self.assert_posts(5)

    def test_a_configuration_elsewhere_is_relative_to_its_own_folder(self):
        (self.folder / "conf").mkdir()
        self.config(name="conf/night.yaml", rest="ledger: {path: kept.db}\noutputs: [out.csv]\n")
        self.manifest(["A-1"])
        done = self.run_feed("-c", "conf/night.yaml", code=0, outputs=False)
        self.assertTrue((self.folder / "conf" / "kept.db").exists(), done)
        self.assertTrue((self.folder / "conf" / "out.csv").exists(), done)
        self.assertFalse((self.folder / "reelbatch.db").exists())
        self.run_feed(code=0, outputs=False, env={"REELBATCH_CONFIG": "conf/night.yaml"})
        self.assert_posts(1)

    def test_keys_from_a_file_and_from_a_command(self):
        self.write("key", KEY + "\n").chmod(0o600)
        for number, where in enumerate(("{file: key}", "{command: cat key}", "{env: OTHER_KEY}")):
            with self.subTest(where):
                self.config()
                text = (self.folder / "reelbatch.yaml").read_text()
                self.write("reelbatch.yaml", text.replace("{env: IACREA_API_KEY}", where))
                self.manifest([f"A-{number}"])
                self.run_feed(code=0, env={"IACREA_API_KEY": None, "OTHER_KEY": KEY})
        self.assert_posts(3)

    def test_the_first_account_of_a_service_is_its_default_and_a_column_names_another(self):
        other = Provider()
        self.addCleanup(other.stop)
        self.write("reelbatch.yaml", "accounts:\n" + "".join(
            f"  {name}:\n    service: iacrea\n    base_url: {service.url}\n    key: {{env: IACREA_API_KEY}}\n"
            for name, service in (("main", self.provider), ("second", other))))
        self.manifest([row("A-1"), row("A-2", account="second")])
        done = self.run_feed(code=0)
        self.assertEqual([r["account"] for r in done.rows], ["main", "second"])
        self.assertEqual((len(self.provider.posts("A-1")), len(other.posts("A-2"))), (1, 1))


class Reading(Case):
    """The ways in which a manifest may be written."""

    def body(self):
        return self.provider.posts()[-1].json

    def test_map(self):
        self.manifest([{"Reference": "A-1", "Texte": description("A-1"), "photo_1": "https://img.example.test/1.jpg",
                        "photo_2": "https://img.example.test/2.jpg", "Ville": "Lyon"}])
        flags = ["--map", "id=Reference", "--map", "description=Texte", "--map", "image_urls=photo_*"]
        done = self.run_feed(*flags, code=0)
        images = ["https://img.example.test/1.jpg", "https://img.example.test/2.jpg"]
        self.assertEqual(self.body(), {"image_urls": images, "description": description("A-1")})
        self.assertEqual(done.rows[0]["Ville"], "Lyon")
        self.assertNotIn("Texte", done.rows[0])
        with self.subTest("from the configuration"):
            self.config(rest="manifest:\n  map: {id: Reference, description: Texte, image_urls: photo_*}\n"
                             "  labels: [Ville]\n  defaults: {format: portrait}\n")
            plan = self.plan()
            self.assertEqual(plan["A-1"]["changed"], ["format"])
            self.run_feed(code=0)
            self.assertEqual(self.body()["format"], "portrait")
        self.assert_posts(2)

    def test_the_apis_own_names(self):
        self.manifest([{"id": "A-1", "image_urls": "https://img.example.test/1.jpg", "description": description("A-1"),
                        "displayLogo": "1", "logoUrl": "https://img.example.test/l.png"}])
        self.run_feed(code=0)
        self.assertEqual(self.body()["displayLogo"], True)
        self.assertEqual(self.body()["logoUrl"], "https://img.example.test/l.png")

    def test_yaml_with_defaults(self):
        self.write("feed.yaml", "defaults:\n  format: portrait\n  agency: Lyon\njobs:\n"
                   f"- id: A-1\n  description: '{description('A-1')}'\n  image_urls: [https://img.example.test/1.jpg]\n"
                   f"- id: A-2\n  description: '{description('A-2')}'\n  image_urls: https://img.example.test/1.jpg\n"
                   "  format: square\n  agency: Paris\n")
        done = self.run_it("run", "feed.yaml")
        self.assertEqual(done.code, 0, done)
        self.assertEqual([p.json["format"] for p in self.provider.posts("A-1") + self.provider.posts("A-2")],
                         ["portrait", "square"])
        self.assertEqual([r["agency"] for r in done.rows], ["Lyon", "Paris"])
        self.assertEqual([r["line"] for r in done.rows], ["5", "8"])
        self.assert_posts(2)

    def test_every_format(self):
        rows = [row("A-1"), row("A-2")]
        for r in rows:
            r["image_urls"] = r["image_urls"].split("|")
        tab = "id\timage_urls\tdescription\n" + "".join(
            f"{r['id']}\t{'|'.join(r['image_urls'])}\t{r['description']}\n" for r in rows)
        files = {"feed.csv": self.manifest(["A-1", "A-2"]).read_text(), "feed.tsv": tab,
                 "feed.json": json.dumps({"jobs": rows}), "list.json": json.dumps(rows),
                 "feed.jsonl": "".join(json.dumps(r) + "\n" for r in rows), "feed.yaml": json.dumps({"jobs": rows}),
                 "mac.csv": self.manifest(["A-1", "A-2"], name="x.csv").read_text().replace("\n", "\r\n"),
                 "bom.csv": "\ufeff" + self.manifest(["A-1", "A-2"], name="x.csv").read_text()}
        for name, text in files.items():
            with self.subTest(name):
                self.write(name, text)
                done = self.run_it("run", name)
                self.assertEqual(done.code, 0, done)
                self.assert_states(done, A_1="done", A_2="done")
                self.assert_posts(2)  # the same content, however it is written

    def test_standard_input(self):
        text = self.manifest(["A-1"]).read_text()
        done = self.run_it("run", "-", text=text)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.state("A-1"), "done")
        self.run_feed(code=0)
        self.assert_posts(1)

    def test_images_are_sent_whole(self):
        urls = [f"https://img.example.test/{i}.jpg?w=1,080&q=75" for i in range(30)]
        self.manifest([row("A-1", image_urls=" | ".join(urls)), row("A-2", image_urls=", ".join(urls))])
        self.run_feed(code=0)
        for ref in ("A-1", "A-2"):
            self.assertEqual(self.provider.posts(ref)[0].json["image_urls"], urls)
        self.assert_posts(2)

    def test_an_empty_cell_is_an_absent_field(self):
        self.manifest([row("A-1", format="", music="  ")])
        self.run_feed(code=0)
        self.assertEqual(sorted(self.body()), ["description", "image_urls"])

    def test_check_names_every_problem_and_spends_nothing(self):
        self.manifest(["A-1", row("A-2", description="short", format="round")])
        done = self.run_it("check", "feed.csv", "--all")
        self.assertEqual(done.code, 1, done)
        self.assertRegex(done.text, r"(?m)^feed\.csv:3:\d+: .*description")
        self.assertRegex(done.text, r"(?m)^feed\.csv:3:\d+: .*format")
        self.assertRegex(done.text, "landscape.*portrait.*square")
        self.assertEqual(self.provider.requests, [])
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["feed.csv"])
        self.manifest(["A-1"])
        self.assertEqual(self.run_it("check", "feed.csv").code, 0)

    def test_plan_counts_and_spends_nothing(self):
        self.provider.on_submit(Answer(lost="after"), ref="A-2")
        self.manifest(["A-1", "A-2"])
        self.run_feed("--max-in-flight", "1", code=4)
        self.manifest(["A-1", "A-2", "A-3", row("A-4", description="short")])
        before = len(self.provider.requests)
        plan = self.plan()[""]
        self.assertEqual(len(self.provider.requests), before)
        self.assertEqual([(r["id"], r["action"]) for r in plan["rows"]],
                         [("A-1", "skip"), ("A-2", "hold"), ("A-3", "submit"), ("A-4", "invalid")])
        counts = {name: count for name, count in plan["counts"].items() if count}
        self.assertEqual(counts, {"submit": 1, "skip": 1, "hold": 1, "invalid": 1})
        self.assertIn("description", plan["rows"][3]["reason"])

    def test_plan_makes_no_ledger(self):
        self.manifest(["A-1"])
        self.assertEqual(self.run_it("plan", "feed.csv").code, 0)
        self.assertFalse((self.folder / "reelbatch.db").exists())

    def test_text_of_strangers_does_not_reach_the_terminal_as_it_is(self):
        self.provider.on_submit(Answer(422, {"error": "\u001b[2J\u0007 red \u009b31m"}))
        self.manifest([row("A-1", agency="\u001b]0;title\u0007")])
        done = self.run_feed(code=1)
        for control in ("\u001b", "\u0007", "\u009b"):
            self.assertNotIn(control, done.text)
        self.assert_posts(1)


if __name__ == "__main__":
    unittest.main()
