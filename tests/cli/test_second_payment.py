#!/usr/bin/env python3
"""Ways to pay twice, or to lose what was paid for, that need no fault of the service: files that were moved, streams that
broke, processes that were stopped, and what an operator said (PRODUCT.md 4)."""

import collections
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

from harness import Answer, BINARY, Case, FAST, OUTPUTS, row, wait_for
from services import VideoEditor

REFS = [f"A-{i}" for i in range(30)]


class Cases(Case):
    def paid(self):
        """How often each content was submitted."""
        return collections.Counter(p.json["description"] for p in self.provider.posts())

    def assert_paid_once(self):
        self.assertEqual([text for text, times in self.paid().items() if times > 1], [])

    def config_of(self, *names, extra=""):
        self.write("reelbatch.yaml", "accounts:\n" + "".join(
            f"  {name}: {{service: iacrea, base_url: \"{self.provider.url}\", key: {{env: IACREA_API_KEY}}{extra}}}\n"
            for name in names))


class Resolved(Cases):
    def night(self, version, *args):
        self.manifest([row("A-1", version)])
        return self.run_feed(*args)

    def lose(self, version):
        """A night on which that content is held."""
        self.provider.on_submit(Answer(500, creates=False), times=1)
        self.assertEqual(self.night(version).state("A-1"), "held")

    def resubmit_and_resume(self, action, reason, *args):
        """What the operator let go while the feed said content 1: the row is taken as a new run would take it."""
        self.night(1, *args)
        self.assertEqual(self.run_it("resolve", "A-1", "resubmit").code, 0)
        planned = self.plan(*args)["A-1"]
        self.assertEqual((planned["action"], planned["reason"]), (action, reason))
        done = self.run_it("resume", *args)
        self.assert_sound()
        return done

    def test_content_that_has_its_video_is_not_bought_again(self):
        self.assertEqual(self.night(1).state("A-1"), "done")
        self.lose(2)
        done = self.resubmit_and_resume("skip", "unchanged")
        self.assertEqual(done.state("A-1"), "done")
        self.assertEqual(done.code, 0, done)
        self.assert_paid_once()

    def test_content_that_failed_is_not_sent_again(self):
        self.provider.on_submit(Answer(422, creates=False), times=1)
        self.assertEqual(self.night(1).state("A-1"), "failed")
        self.lose(2)
        self.resubmit_and_resume("skip", "failed_before")
        self.assert_paid_once()

    def test_content_that_was_dropped_is_not_sent_again(self):
        self.lose(1)
        self.assertEqual(self.run_it("resolve", "A-1", "drop").code, 0)
        self.lose(2)
        self.resubmit_and_resume("skip", "dropped")
        self.assert_paid_once()

    def test_what_is_let_go_is_sent(self):
        self.lose(1)
        self.assertEqual(self.run_it("resolve", "A-1", "resubmit").code, 0)
        done = self.run_it("resume")
        self.assertEqual(done.state("A-1"), "done")
        self.assert_posts(2)

    def test_another_feeds_listing_is_not_meant(self):
        self.lose(1)
        self.config(rest="catalogue: lyon\n")
        done = self.run_it("resolve", "A-1", "resubmit")
        self.assertEqual(done.code, 2, done)
        self.assertIn("no held job has the id 'A-1'", done.err)


class Files(Cases):
    def start_and_kill(self, accepted=20, **named):
        self.provider.steps = ["GENERATING_VIDEO"] * 5
        self.manifest(REFS)
        running = self.start("run", "feed.csv", **named)
        wait_for(lambda: self.provider.accepted() >= accepted)
        return running

    def assert_refused(self, *args):
        accepted = self.provider.accepted()
        done = self.run_feed(*args)
        self.assertEqual(done.code, 2, done)
        self.assertIn("-wal, which has what came last, is gone: put it back", done.err)
        self.assertEqual(self.provider.accepted(), accepted)

    def test_a_ledger_without_the_journal_that_a_killed_run_left(self):
        self.start_and_kill().kill()
        new = self.folder / "new"
        new.mkdir()
        shutil.move(self.folder / "reelbatch.db", new / "reelbatch.db")
        self.assert_refused("--ledger", "new/reelbatch.db")
        self.assert_refused("--ledger", "new/reelbatch.db")  # looking does not make it whole
        self.assertEqual(self.run_it("status", "--ledger", "new/reelbatch.db").code, 2)
        shutil.move(self.folder / "reelbatch.db-wal", new / "reelbatch.db-wal")
        self.assertIn(self.run_feed("--ledger", "new/reelbatch.db").code, (0, 4))
        self.assert_paid_once()

    def test_a_second_name(self):
        running = self.start_and_kill()
        os.link(self.folder / "reelbatch.db", self.folder / "other.db")
        running.kill()
        self.assert_refused("--ledger", "other.db")

    def test_a_journal_that_is_removed_while_a_run_works(self):
        running = self.start_and_kill(accepted=5)
        (self.folder / "reelbatch.db-wal").unlink()
        done = running.wait()
        self.assertEqual(done.code, 7, done)
        self.assertIn("reelbatch.db-wal was deleted or moved away while it was in use", done.err)

    def test_who_says_that_it_is_lost(self):
        self.start_and_kill().kill()
        (self.folder / "reelbatch.db-wal").unlink()
        self.assert_refused()
        self.write("reelbatch.db-wal", "")  # as a program that only looks may leave one
        self.assert_refused()
        self.assertNotIn("is gone", self.run_feed("--allow-lost-journal").err)
        self.assertEqual(self.run_feed().code, 0)

    def test_looking_at_what_a_killed_run_left_takes_nothing_away(self):
        self.start_and_kill().kill()
        for words in (["status"], ["plan", "feed.csv"], ["ledger", "verify"], ["ledger", "backup", "copy.db"],
                      ["resolve", "none", "drop"], ["status"]):
            done = self.run_it(*words)
            self.assertNotIn("is gone", done.err)
        self.assertEqual(self.run_it("status", "--ledger", "copy.db").code, 0)
        self.assertIn(self.run_feed().code, (0, 4))
        self.assert_paid_once()

    def test_a_clean_end_leaves_one_file_that_is_whole(self):
        self.manifest(REFS)
        self.assertEqual(self.run_feed("--limit", "1").code, 0)
        reader = sqlite3.connect(f"file:{self.folder}/reelbatch.db?mode=ro", uri=True)
        reader.execute("select count(*) from jobs").fetchall()
        self.assertEqual(self.run_feed().code, 0)
        new = self.folder / "new"
        new.mkdir()
        shutil.copy(self.folder / "reelbatch.db", new / "reelbatch.db")
        reader.close()
        self.assertEqual(self.run_feed("--ledger", "new/reelbatch.db").code, 0)
        self.assert_paid_once()
        self.assertEqual(self.run_feed().code, 0)
        self.assertFalse((self.folder / "reelbatch.db-wal").exists())


class Streams(Cases):
    def test_a_reader_of_standard_error_that_goes_away(self):
        self.provider.steps = ["GENERATING_VIDEO"] * 3
        answers = threading.Event()
        self.addCleanup(answers.set)
        self.provider.on_submit(Answer(500, creates=False), nth=10)
        self.provider.on_submit(Answer(wait=answers))
        self.manifest(REFS)
        process = subprocess.Popen([str(BINARY), "run", "feed.csv", *FAST, *OUTPUTS, "--progress", "plain"],
                                   cwd=self.folder, env=self.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        process.stderr.readline()
        process.stderr.close()
        wait_for(lambda: len(self.provider.posts()) >= 10)
        answers.set()
        self.assertEqual(process.wait(30), 4)
        self.assertEqual(self.provider.accepted(), 29)
        self.assert_paid_once()

    def test_streams_that_are_full_or_closed(self):
        for number, redirection in enumerate(["2>/dev/full", "2>&-", "2>&- <&-", "2>&1 | head -c 1"]):
            with self.subTest(redirection):
                refs = [f"S{number}-{i}" for i in range(3)]
                self.manifest(refs)
                command = f"{BINARY} run feed.csv {' '.join(FAST)} --progress plain {redirection}; echo ${{PIPESTATUS[0]}} > rc"
                subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment(), timeout=60,
                               stdout=subprocess.DEVNULL, check=False)
                self.assertIn((self.folder / "rc").read_text().strip(), ("0", "7") if "|" in redirection else ("0",))
                for ref in refs:
                    self.assert_posts(1, ref)
                self.assert_sound()


class Stopped(Cases):
    def test_answers_that_came_while_the_process_was_stopped_count(self):
        answers = threading.Event()
        self.addCleanup(answers.set)
        self.provider.on_submit(Answer(wait=answers))
        self.manifest(REFS[:10])
        running = self.start("run", "feed.csv", "--request-timeout", "2s")
        wait_for(lambda: len(self.provider.posts()) >= 5)
        running.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WNOWAIT)
        answers.set()
        wait_for(lambda: self.provider.answering == 0)
        time.sleep(2.5)  # the timeout passes without the process: that is what is tested
        running.signal(signal.SIGCONT)
        done = running.wait()
        self.assertEqual(done.code, 0, done)
        self.assert_posts(10)

    def test_a_job_that_a_killed_run_left_long_ago_has_its_time(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        running.kill()
        ledger = sqlite3.connect(self.folder / "reelbatch.db")
        ledger.execute("update jobs set submitted_at = submitted_at - 691200000, accepted_at = accepted_at - 691200000")
        ledger.commit()
        ledger.close()
        job = self.provider.jobs_of("A-1")[0]
        seen = job.polls
        second = self.start("run", "feed.csv")
        wait_for(lambda: job.polls >= seen + 3)
        self.provider.paused = False
        self.assertEqual(second.wait().state("A-1"), "done")
        self.assert_posts(1)

    def test_one_signal_ends_a_run_that_has_nothing_to_end(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        waiting = self.start("run", "feed.csv", "--wait", "1h")
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        reading = self.start("run", "-", "--ledger", "other.db", stdin=reader)
        os.close(reader)
        os.write(writer, b"id,image_urls,description\n")
        for running in (waiting, reading):
            # Once the handlers are there, which nothing shows from outside, one is enough; before, it ends it anyway.
            wait_for(lambda process=running: process.ended() or process.signal(signal.SIGTERM) or process.ended())
            self.assertIn(running.wait().code, (3, -signal.SIGTERM))
        self.assert_posts(1)


class Ids(Cases):
    def test_the_id_of_a_video_that_another_row_follows(self):
        video = {"format": "landscape", "colors": ["#ffffff", "#000000"],
                 "sequences": [{"order": 0, "duration": 3, "type": "intro"},
                               {"order": 1, "duration": 5, "type": "video", "animationType": "CAMERA_PUSH_IN",
                                "url": "https://img.example.test/1.jpg"}]}
        service = VideoEditor()
        self.addCleanup(service.stop)
        service.videos["old-7"], service.renders["old-7"] = 0, 1
        service.rules.append(lambda r: (201, {"id": "old-7", "status": "PENDING"}) if r.method == "POST" else None)

        self.write("feed.yaml", json.dumps({"jobs": [{"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"},
                                                     {"id": "V-1", "kind": "iacrea.video", "video": video}]}))
        done = self.run_it("run", "feed.yaml", env={"IACREA_BASE_URL": service.url})
        self.assertEqual(done.state("V-1"), "held", done)
        self.assertEqual(done.state("F-1"), "done")

    def test_the_id_of_a_row_of_another_account_at_the_same_place(self):
        self.config_of("one", "two")
        self.manifest([row("A-1", account="one"), row("A-2", account="two")])
        self.provider.on_submit(Answer(201, job_id="gen-same"))
        done = self.run_feed()
        self.assertEqual(sorted(r["state"] for r in done.rows), ["done", "held"], done)


class Limits(Cases):
    LIMITS = ["--rate", "10/20s", "--submit-rate", "10/20s", "--poll-interval", "100ms", "-o", "r.csv"]

    def busy(self):
        self.provider.on_submit(Answer(429, headers={"Retry-After": "0"}))

    def test_the_clean_end_of_one_account_is_none_of_another(self):
        self.config_of("one", "two")
        self.manifest([row(ref, account="one") for ref in REFS], name="one.csv")
        self.manifest([row("Z-1", account="two")], name="two.csv")
        self.busy()
        running = self.start("run", "one.csv", *self.LIMITS, pace=False)
        wait_for(lambda: len(self.provider.posts()) >= 10)
        running.kill()
        self.provider.forget_rules()
        self.assertEqual(self.run_it("run", "two.csv", "--poll-interval", "100ms", "-o", "r.csv", pace=False).code, 0)
        self.busy()
        self.run_it("run", "one.csv", *self.LIMITS, "--deadline", "3s", "--job-timeout", "1s", pace=False)
        self.assertEqual(len([p for p in self.provider.posts() if p.ref != "Z-1"]), 10)

    def test_a_clock_that_is_set_forward_between_two_runs(self):
        self.busy()
        self.manifest(REFS)
        until = [*self.LIMITS, "--deadline", "3s", "--job-timeout", "1s"]
        self.run_it("run", "feed.csv", *until, pace=False)
        self.assertEqual(len(self.provider.posts()), 10)
        ledger = sqlite3.connect(self.folder / "reelbatch.db")
        ledger.execute("update sends set at = at - 3600000")  # as the clock is an hour on by then
        ledger.commit()
        ledger.close()
        self.run_it("run", "feed.csv", *until, pace=False)
        self.assertEqual(len(self.provider.posts()), 10)


if __name__ == "__main__":
    unittest.main()
