#!/usr/bin/env python3
"""Every exit code of PRODUCT.md section 2, and what must not have happened by then."""

import pathlib
import shlex
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import unittest

from harness import Answer, Background, Case, Provider, row, wait_for

def begin_drain(case):
    case.never = threading.Event()
    case.provider.on_submit(Answer(wait=case.never))
    case.manifest(["A-1"])
    running = case.start("run", "feed.csv")
    wait_for(case.provider.posts)
    running.signal()
    return running


background = Background(drain=begin_drain)
load_tests, setUpModule, tearDownModule = background.load_tests, background.set_up, background.tear_down


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Finished(Case):
    def test_0_every_selected_row_has_its_video(self):
        self.manifest(["A-1", "A-2"])
        self.assert_states(self.run_feed(code=0), A_1="done", A_2="done")
        self.assert_posts(2)

    def test_0_for_an_empty_feed(self):
        self.manifest([])
        done = self.run_feed(code=0)
        self.assertEqual(done.rows, [])
        self.assert_posts(0)

    def test_0_when_rows_that_are_not_selected_have_failed(self):
        self.manifest(["A-1", row("A-2", description="short")])
        self.run_feed("--only", "A-1", code=0)
        self.assert_posts(1)

    def test_1_some_rows_failed(self):
        self.provider.on_submit(Answer(422), ref="A-1")
        self.manifest(["A-1", "A-2"])
        self.assert_states(self.run_feed(code=1), A_1="failed", A_2="done")
        self.assert_states(self.run_feed(code=1), A_1="failed", A_2="done")
        self.assert_posts(2)

    def test_1_some_rows_are_invalid(self):
        long_id, odd_id = "x" * 256, "A\t3"
        rows = {
            "a short description": row("I-1", description="short"), "no description": row("I-2", description=None),
            "no images": row("I-3", image_urls=""), "no address": row("I-4", image_urls="not an address"),
            "another scheme": row("I-5", image_urls="ftp://img.example.test/1.jpg"),
            "an unknown format": row("I-6", format="round"), "one colour": row("I-7", colors="#111111"),
            "no boolean": row("I-8", display_logo="perhaps"), "a logo without address": row("I-9", display_logo="yes"),
            "an empty id": row(""), "a long id": row(long_id), "a control character": row(odd_id),
            "an unknown kind": row("I-10", kind="iacrea.teapot"),
            "an unknown account": row("I-11", account="elsewhere"),
        }
        self.manifest([*rows.values(), row("A-1"), row("x" * 255)])
        done = self.run_feed(code=1)
        self.assertEqual([r["state"] for r in done.rows], ["invalid"] * len(rows) + ["done", "done"])
        self.assertTrue(all(r["reason"] for r in done.rows[:-2]))
        self.assert_posts(2)
        self.assertEqual(self.run_it("check", "feed.csv").code, 1)

    def test_a_shifted_row_is_never_submitted(self):
        head = "id,image_urls,description\n"
        self.write("feed.csv", head + "A-1,https://img.example.test/1.jpg,A bright, quiet flat\n"
                   "A-2,https://img.example.test/1.jpg,A bright and quiet flat\nA-3,https://img.example.test/1.jpg\n")
        done = self.run_feed(code=1)
        self.assert_states(done, A_1="invalid", A_2="done", A_3="invalid")
        self.assertIn("feed.csv:2:", done.err)
        self.assert_posts(1)

    def test_a_line_that_is_no_json_is_never_submitted(self):
        self.write("feed.jsonl", '{"id": "A-1", "description"\n{"id": "A-2", "description": "A bright flat.", '
                   '"image_urls": ["https://img.example.test/1.jpg"]}\n')
        done = self.run_it("run", "feed.jsonl")
        self.assertIn(done.code, (1, 2), done)
        self.assert_posts(1 if done.code == 1 else 0)

    def test_malformed_utf8_is_invalid(self):
        text = self.manifest(["A-1", "A-2"]).read_bytes()
        self.write("feed.csv", text.replace(b"Listing A-1", b"Listing \xc3\x28 A-1"))
        done = self.run_feed(code=1)
        self.assert_states(done, A_1="invalid", A_2="done")
        self.assert_posts(1)

    def test_4_some_rows_are_held(self):
        self.provider.on_submit(Answer(lost="after"), ref="A-1")
        self.provider.on_submit(Answer(422), ref="A-2")
        self.manifest(["A-2", "A-1"])
        self.assert_states(self.run_feed("--max-in-flight", "1", code=4), A_2="failed", A_1="held")
        self.assert_posts(2)

    def test_4_a_held_row_of_another_manifest_decides_nothing(self):
        self.provider.on_submit(Answer(lost="after"), ref="A-1")
        self.manifest(["A-1"])
        self.run_feed(code=4)
        self.manifest(["A-2"])
        done = self.run_feed(code=0)
        self.assertRegex(done.out, "(?m)^.*held.*other manifest")

    def test_5_comes_before_3_and_4(self):
        self.provider.on_submit(Answer(401), ref="A-2")
        self.provider.on_submit(Answer(lost="after"), ref="A-1")
        self.provider.on_submit(Answer(401), ref="A-3")
        self.config(account="hold_limit: 5")
        self.manifest(["A-3", "A-2", "A-1"])
        self.run_feed("--max-in-flight", "1", code=5)
        self.assert_posts(1)

    def test_check_knows_the_accounts_of_a_configuration(self):
        self.manifest([row("A-1", account="iacrea"), row("A-2", account="paris")])
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 0)  # which accounts there will be is not said
        self.assertIn("no account 'paris' of the service iacrea is configured (warning)", done.text)
        self.config()
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 1, done)
        self.assertIn("feed.csv:3:1: account: no account 'paris' of the service iacrea is configured", done.out)
        self.assertIn("2 rows: 1 valid, 1 invalid", done.out)


class Wrong(Case):
    """2: nothing was submitted."""

    def assert_wrong(self, *args, words=(), **named):
        before = len(self.provider.requests)
        done = self.run_it("run", *args, **named)
        self.assertEqual(self.provider.requests[before:], [], done)
        self.assertEqual(done.code, 2, done)
        self.assertTrue(done.err)
        for word in words:
            self.assertIn(word, done.err)
        return done

    def test_a_manifest_that_is_no_manifest(self):
        head = "id,image_urls,description\n"
        line = f"A-1,https://img.example.test/1.jpg,{row('A-1')['description'].replace(',', ';')}\n"
        files = {
            "no-id-column.csv": head.replace("id,", "agency,", 1) + line,
            "twice.csv": head + line + line,
            "twice-trimmed.csv": head + line + " " + line,
            "open-quote.csv": head + line + 'A-2,https://img.example.test/1.jpg,"Never closed\n',
            "column-twice.csv": head.replace("\n", ",description\n") + line.replace("\n", ",again and again\n"),
            "empty.csv": "",
            "nearly.csv": head.replace("description", "descripton") + line,
            "nearly-images.csv": head.replace("image_urls", "image_url_s") + line,
            "feed.xyz": head + line,
            "broken.yaml": "jobs:\n  - id: A-1\n   description: [",
            "no-jobs.yaml": "listings: []\n",
            "twice.yaml": "jobs:\n" + "- {id: A-1, description: A bright flat, image_urls: [http://x.test/1]}\n" * 2,
            "broken.json": '{"jobs": [{"id": "A-1"',
            "nearly.yaml": "jobs:\n- id: A-1\n  descripton: A bright flat.\n  image_urls: [https://x.test/1.jpg]\n",
        }
        for name, text in files.items():
            with self.subTest(name):
                self.write(name, text)
                self.assert_wrong(name)
                self.assertEqual(self.run_it("check", name).code, 2)
        self.assert_posts(0)

    def test_what_is_nearly_a_field_is_named_with_a_suggestion(self):
        self.manifest([{"id": "A-1", "image_urls": "https://img.example.test/1.jpg", "descripton": "A bright flat."}])
        done = self.assert_wrong("feed.csv", words=["feed.csv:1:", "descripton", "description"])
        self.assertRegex(done.err, r"feed\.csv:1:\d+: ")
        with self.subTest("a label of that name is meant"):
            self.config(rest="manifest:\n  labels: [descripton]\n")
            self.manifest([row("A-1", descripton="x")])
            self.run_feed(code=0)
        with self.subTest("of a short name only a warning"):
            self.config()
            self.manifest([row("A-2", musik="calm")])
            self.assertIn("music", self.run_feed(code=0).err)

    def test_an_id_twice_across_manifests(self):
        self.manifest(["A-1"], name="one.csv")
        self.manifest(["A-2", "A-1"], name="two.csv")
        self.assert_wrong("one.csv", "two.csv", words=["A-1"])

    def test_a_manifest_that_is_not_there(self):
        self.assert_wrong("nowhere.csv", words=["nowhere.csv"])

    def test_usage(self):
        self.manifest(["A-1"])
        cases = [["--no-such-option"], ["--poll-interval", "fast"], ["--rate", "10"], ["--rate", "0/1s"],
                 ["--max-in-flight", "0"], ["--on-change", "burn"], ["--limit", "-1"], ["--max-credits", "lots"],
                 ["--deadline", "someday"], ["-o", "results.doc"], ["--map", "description"], ["--only", "Z-9"],
                 ["--job-timeout", "20"], ["--progress", "loud"], ["-c", "nowhere.yaml"]]
        for words in cases:
            with self.subTest(words):
                self.assert_wrong("feed.csv", *words, pace=False)
        for words in ([], ["frobnicate"], ["run"], ["resolve", "A-1"], ["resolve", "A-1", "adopt"]):
            with self.subTest(words):
                done = self.run_it(*words, outputs=False) if words else self.run_it("", outputs=False)
                self.assertEqual(done.code, 2, done)
        self.assert_posts(0)

    def test_the_environment_and_the_configuration(self):
        self.manifest(["A-1"])
        for name, value in {"REELBATCH_LIMIT": "some", "REELBATCH_RATE": "fast"}.items():
            with self.subTest(name):
                self.assert_wrong("feed.csv", env={name: value}, words=[value], pace=False)
        for text, word in {"accounts: [": "reelbatch.yaml", "polling: {intervall: 3s}": "interval",
                           "retry_limit: many": "retry_limit", "ledgr: {}": "ledger"}.items():
            with self.subTest(text):
                self.write("reelbatch.yaml", text + "\n")
                self.assert_wrong("feed.csv", words=[word])

    def test_no_key(self):
        self.manifest(["A-1"])
        for key in (None, ""):
            with self.subTest(key):
                self.assert_wrong("feed.csv", env={"IACREA_API_KEY": key}, words=["IACREA_API_KEY"])

    def test_a_key_that_no_header_can_carry(self):
        self.manifest(["A-1"])
        done = self.assert_wrong("feed.csv", env={"IACREA_API_KEY": "se\ncret: 1"})
        self.assertNotIn("cret: 1", done.text)

    def test_plain_http_to_another_machine(self):
        self.manifest(["A-1"])
        for url in ("http://192.0.2.1", "http://iacrea.example.test", "http://127.0.0.1.example.test"):
            with self.subTest(url):
                self.assert_wrong("feed.csv", env={"IACREA_BASE_URL": url}, words=["http"])

    def test_a_base_url_that_is_none(self):
        self.manifest(["A-1"])
        for url in ("iacrea.com", "ftp://iacrea.com", "https://", "https://user:secret@iacrea.com"):
            with self.subTest(url):
                done = self.assert_wrong("feed.csv", env={"IACREA_BASE_URL": url})
                self.assertNotIn("user:secret", done.text)

    def test_a_ledger_that_must_exist(self):
        self.config(rest="ledger: {must_exist: true}\n")
        self.manifest(["A-1"])
        self.assert_wrong("feed.csv", words=["reelbatch.db"])
        self.assertFalse((self.folder / "reelbatch.db").exists())

    def test_an_account_that_stands_for_another_service(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        other = Provider()
        self.addCleanup(other.stop)
        self.manifest(["A-1", "A-2"])
        done = self.run_feed(env={"IACREA_BASE_URL": other.url})
        self.assertEqual(done.code, 2, done)
        self.assertEqual(other.requests, [])
        self.assertIn(other.url, done.err)
        self.run_feed(code=0)
        self.assert_posts(2)

    def test_a_ledger_of_another_kind(self):
        self.manifest(["A-1"])
        self.write("reelbatch.db", "this is no ledger, but somebody's notes\n" * 200)
        done = self.run_feed()
        self.assertIn(done.code, (2, 7), done)
        self.assert_posts(0)
        self.assertIn("somebody's notes", (self.folder / "reelbatch.db").read_text())

    def test_a_ledger_of_a_newer_version(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        with sqlite3.connect(self.folder / "reelbatch.db") as ledger:
            ledger.execute("PRAGMA user_version = 9999")
        ledger.close()
        self.manifest(["A-1", "A-2"])
        done = self.run_feed()
        self.assertIn(done.code, (2, 7), done)
        self.assert_posts(1)

    def test_looking_at_a_ledger_that_is_not_there(self):
        for words in (["status"], ["report"], ["resume"], ["ledger", "verify"], ["resolve", "A-1", "drop"]):
            with self.subTest(words):
                done = self.run_it(*words, outputs=False, pace=words[0] == "resume")
                self.assertIn(done.code, (0, 2, 7), done)
                made = (self.folder / "reelbatch.db").exists()
                for name in self.folder.iterdir():
                    name.unlink()
                self.assertFalse(made, "it made one")


class Incomplete(Case):
    """3: run again to continue."""

    def in_flight(self, *args, refs=("A-1",)):
        self.provider.paused = True
        self.manifest(refs)
        running = self.start("run", "feed.csv", *args)
        wait_for(lambda: {r.ref for r in self.provider.polls()} >= set(refs), what="polls")
        return running

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name):
                running = self.in_flight("--max-in-flight", "2", refs=(f"{number.name}-1", f"{number.name}-2"))
                running.signal(number)
                done = running.wait(10)
                self.assertEqual(done.code, 3, done)
                self.assertEqual({r["state"] for r in done.rows}, {"in_flight"})
                self.assertEqual(done.json["run"]["stopped_by"], "signal")
                self.assertEqual(done.json["run"]["exit_code"], 3)
                self.provider.paused = False
                self.run_feed(code=0)
        self.assert_posts(6)

    def test_after_a_signal_nothing_is_submitted(self):
        release = threading.Event()
        self.provider.on_submit(Answer(wait=release), nth=2)
        self.manifest([f"A-{i}" for i in range(6)])
        running = self.start("run", "feed.csv", "--max-in-flight", "1")
        wait_for(lambda: len(self.provider.posts()) == 2)
        running.signal()
        release.set()
        done = running.wait(20)
        self.assertEqual(done.code, 3, done)
        self.assert_posts(2)
        self.assertEqual([r["state"] for r in done.rows], ["done", "in_flight"] + ["planned"] * 4)
        self.assertEqual(self.run_it("resume").code, 0)
        self.assert_posts(6)

    def test_a_second_signal_ends_it_at_once(self):
        never = threading.Event()
        self.addCleanup(never.set)
        self.provider.on_submit(Answer(wait=never))
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv")
        wait_for(self.provider.posts)
        running.signal()
        with self.assertRaises(subprocess.TimeoutExpired):
            running.process.wait(0.7)  # it waits for the answer
        running.signal()
        done = running.wait(8)  # less than it would wait for the answer
        self.assertEqual(done.code, 3, done)
        never.set()
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")
        self.assert_posts(1)

    def test_deadline(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        done = self.run_feed("--deadline", "2s", "--job-timeout", "1500ms", code=3)
        self.assertLess(done.seconds, 8)
        self.assert_posts(1)
        self.assertIn(done.json["run"]["stopped_by"], ("deadline", "job_timeout"))

    def test_deadline_ends_polling(self):
        running = self.in_flight()
        running.signal()
        running.wait()
        done = self.run_feed("--deadline", "1s", code=3)
        self.assertLess(done.seconds, 8)
        self.assertEqual(done.state("A-1"), "in_flight")
        self.assertEqual(done.json["run"]["stopped_by"], "deadline")
        self.assert_posts(1)

    def test_nothing_is_submitted_that_would_not_be_finished_by_the_deadline(self):
        self.manifest(["A-1"])
        done = self.run_feed("--deadline", "5m", code=3)
        self.assert_posts(0)
        self.assertLess(done.seconds, 10)
        self.assertEqual(done.json["run"]["stopped_by"], "deadline")
        self.run_feed("--deadline", "1h", code=0)
        self.assert_posts(1)
        with self.subTest("past run times count, where there are any"):
            self.manifest(["A-2"])
            self.run_feed("--deadline", "5m", code=0)

    def test_outage_with_nobody_there(self):
        self.manifest(["A-1"])
        nobody = {"IACREA_BASE_URL": f"http://127.0.0.1:{free_port()}"}
        done = self.run_feed("--outage-timeout", "2s", env=nobody, code=3)
        self.assertGreaterEqual(done.seconds, 1.9)
        self.assertLess(done.seconds, 10)
        self.assert_states(done, A_1="planned")
        self.assertEqual(done.row("A-1")["submissions"], "0")
        self.assertEqual(done.json["run"]["stopped_by"], "outage")

    def test_outage_while_polling(self):
        self.provider.on_poll(Answer(502))
        self.manifest(["A-1"])
        done = self.run_feed("--outage-timeout", "2s", code=3)
        self.assertLess(done.seconds, 15)
        self.assertEqual(done.state("A-1"), "in_flight")
        self.assertEqual(done.json["run"]["stopped_by"], "outage")
        self.provider.forget_rules()
        self.run_feed(code=0)
        self.assert_posts(1)

    def test_max_credits(self):
        self.provider.price = 3
        self.config(account="max_price: {iacrea.auto: 3}\ncredits: job")
        self.provider.credits_mean = "job"
        self.manifest([f"A-{i}" for i in range(5)])
        done = self.run_feed("--max-credits", "7", code=3)
        self.assert_posts(2)
        self.assertEqual(done.json["run"]["stopped_by"], "budget")
        self.assertEqual(done.json["credits"]["iacrea"]["used"], 6)
        self.run_feed("--max-credits", "7", code=3)
        self.assert_posts(4)

    def test_a_budget_with_no_price_known_goes_one_at_a_time(self):
        self.config(account="credits: job\nbudget: {run: 4}")
        self.provider.credits_mean, self.provider.price = "job", 2
        self.manifest([f"A-{i}" for i in range(5)])
        done = self.run_feed(code=3)
        self.assert_posts(2)
        self.assertEqual(self.provider.open_most, 1)
        self.assertEqual(done.json["run"]["stopped_by"], "budget")

    def test_3_comes_before_4_and_1(self):
        self.provider.on_submit(Answer(422), ref="A-1")
        self.provider.on_submit(Answer(lost="after"), ref="A-2")
        self.config(account="hold_limit: 1")
        self.manifest(["A-1", "A-2", "A-3"])
        self.assert_states(self.run_feed("--max-in-flight", "1", code=3), A_1="failed", A_2="held", A_3="planned")
        self.assert_posts(2)


class AnotherRun(Case):
    """6: says which process since when."""

    def going_on(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        self.manifest(["A-2"], name="other.csv")
        return running

    def test_a_second_run(self):
        running = self.going_on()
        for words in (["run", "other.csv"], ["resume"], ["resolve", "A-1", "drop"]):
            with self.subTest(words):
                done = self.run_it(*words, "-o", "other-results.csv") if words[0] == "run" else self.run_it(*words)
                self.assertEqual(done.code, 6, done)
                self.assertIn(str(running.pid), done.err)
                self.assertRegex(done.err, r"\d\d:\d\d")
        for words in (["status"], ["plan", "other.csv"], ["ledger", "verify"]):
            with self.subTest(words):
                self.assertEqual(self.run_it(*words).code, 0)
        self.provider.paused = False
        self.assertEqual(running.wait().code, 0)
        self.assert_posts(1)

    def test_wait(self):
        running = self.going_on()
        with self.subTest("not long enough"):
            done = self.run_it("run", "other.csv", "--wait", "300ms", "-o", "other-results.csv")
            self.assertEqual(done.code, 6, done)
        waiting = self.start("run", "other.csv", "--wait", "30s")
        self.provider.paused = False
        self.assertEqual(running.wait().code, 0)
        self.assertEqual(waiting.wait().code, 0)
        self.assert_posts(2)

    def test_the_lock_dies_with_its_process(self):
        self.going_on().kill()
        self.provider.paused = False
        self.run_feed(code=0)
        self.assert_posts(1)


class Unwritable(Case):
    """7: outputs are opened before the first request."""

    def test_paths_where_nothing_can_be_written(self):
        self.manifest(["A-1"])
        (self.folder / "folder.csv").mkdir()
        cases = {"an output in a missing folder": ["-o", "nowhere/results.csv"],
                 "one of two outputs": ["-o", "good.csv", "-o", "nowhere/results.json"],
                 "an output that is a folder": ["-o", "folder.csv"],
                 "a ledger in a missing folder": ["--ledger", "nowhere/reelbatch.db"],
                 "a ledger that is a folder": ["--ledger", "folder.csv"],
                 "a log in a missing folder": ["--log-file", "nowhere/log"]}
        for name, words in cases.items():
            with self.subTest(name):
                done = self.run_feed(*words, code=7)
                self.assertIn(words[-1].split("/")[0], done.err)
                self.assertFalse((self.folder / "nowhere").exists())
                self.assert_posts(0)

    def small_disk(self, size):
        disk = pathlib.Path(tempfile.mkdtemp(prefix="reelbatch-disk-"))
        self.addCleanup(disk.rmdir)
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        mounted = subprocess.run(words, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no small disk can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        return disk

    @staticmethod
    def fill(disk):
        with open(disk / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 1024)
            except OSError:
                pass

    def test_a_full_disk(self):
        disk = self.small_disk("64k")
        self.fill(disk)
        self.manifest(["A-1"])
        self.run_feed("--ledger", str(disk / "reelbatch.db"), code=7)
        self.assert_posts(0)

    def test_a_disk_that_is_full_when_the_acceptance_comes(self):
        disk = self.small_disk("4m")
        accepted = threading.Event()
        self.addCleanup(accepted.set)
        self.provider.on_submit(Answer(wait=accepted))
        self.manifest(["A-1"])
        self.run_feed("--ledger", str(disk / "reelbatch.db"), "--limit", "0")
        # Who reads what was there before keeps the journal from being used again from its beginning.
        reader = sqlite3.connect(f"file:{disk}/reelbatch.db?mode=ro", uri=True, isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchall()
        running = self.start("run", "feed.csv", "--ledger", disk / "reelbatch.db")
        wait_for(self.provider.posts)
        self.fill(disk)
        accepted.set()
        done = running.wait(30)
        reader.close()
        self.assertEqual(done.code, 7, done)
        line = next((x for x in done.err.splitlines() if "reelbatch resolve" in x and "adopt" in x), None)
        self.assertIsNotNone(line, done)
        words = shlex.split(line[line.index("reelbatch resolve"):])
        self.assertEqual(words[:5], ["reelbatch", "resolve", "A-1", "adopt", self.provider.jobs_of("A-1")[0].id])
        (disk / "filler").unlink()
        said = self.run_it(*words[1:], "--ledger", str(disk / "reelbatch.db"))
        self.assertEqual(said.code, 0, said)
        self.run_feed("--ledger", str(disk / "reelbatch.db"), code=0)
        self.assert_posts(1)

    def test_a_disk_that_is_full_when_the_results_are_written(self):
        disk = self.small_disk("64k")
        self.provider.paused = True
        self.manifest([row(f"A-{i}", agency="x" * 500) for i in range(10)])
        running = self.start("run", "feed.csv", "-o", disk / "results.csv")
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == 10)
        self.fill(disk)
        self.provider.paused = False
        done = running.wait(30)
        self.assertEqual(done.code, 7, done)
        (disk / "filler").unlink()
        self.assertEqual(self.run_it("report", "-o", str(disk / "results.csv")).code, 0)
        self.assertEqual((disk / "results.csv").read_text().count(",done,"), 10)
        self.assert_posts(10)


class ZBeside(unittest.TestCase):
    def test_a_submission_on_the_wire_is_waited_for_ten_seconds(self):
        case = background["drain"]
        done = case.running.wait(20)
        case.never.set()
        self.assertEqual(done.code, 3, done)
        case.assert_states(done, A_1="held")
        case.assert_posts(1)


if __name__ == "__main__":
    unittest.main()
