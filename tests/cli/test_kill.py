#!/usr/bin/env python3
"""Kill it anywhere, start it again, and nothing is paid for twice or lost (PRODUCT.md section 1, 4.3, 4.5, 4.6)."""

import random
import threading
import time
import unittest

from harness import Answer, Case, row, wait_for


class Kill(Case):
    def refs(self, count):
        return [f"A-{i:02d}" for i in range(count)]

    def assert_paid_once(self, refs):
        for ref in refs:
            self.assertEqual(self.provider.accepted(ref), 1, ref)
            self.assert_posts(1, ref)

    def adopt_held(self, done):
        """Resolves every held row as an operator would, who sees the jobs at the service."""
        held = [r["id"] for r in done.rows if r["state"] == "held"]
        for ref in held:
            jobs = self.provider.jobs_of(ref)
            words = ["adopt", jobs[0].id] if jobs else ["resubmit"]
            said = self.run_it("resolve", ref, *words)
            self.assertEqual(said.code, 0, said)
        return held

    def kill_while_unanswered(self, nth, rows=6, parallel=3):
        """Killed when the nth submission was received, taken, and not answered."""
        never = threading.Event()
        self.addCleanup(never.set)
        self.provider.on_submit(Answer(wait=never), nth=nth)
        self.manifest(self.refs(rows))
        # Far enough apart that no later submission is on its way when the nth arrives: its intent would be on disk, and it held.
        pace = ["--rate", "200/1s", "--submit-rate", "1/400ms", "--poll-interval", "50ms"]
        running = self.start("run", "feed.csv", "--max-in-flight", str(parallel), *pace, pace=False)
        wait_for(lambda: len(self.provider.posts()) >= nth)
        running.kill()
        never.set()
        return self.provider.posts()[nth - 1].ref

    def test_after_the_nth_submission_was_received_and_not_answered(self):
        for nth in (1, 3, 6):
            with self.subTest(nth):
                for path in self.folder.iterdir():
                    path.unlink()
                self.provider.requests.clear()
                self.provider.by_id.clear()
                self.provider.nth_submit = 0
                self.provider.forget_rules()
                unanswered = self.kill_while_unanswered(nth)
                sent_then = {p.ref for p in self.provider.posts()}
                done = self.run_feed(code=4)
                states = {r["id"]: r["state"] for r in done.rows}
                self.assertEqual(states[unanswered], "held", done)
                held = {ref for ref, state in states.items() if state == "held"}
                self.assertLessEqual(len(held), 3)  # no more than were open
                self.assertLessEqual(held, sent_then)
                self.assertLessEqual(set(states.values()), {"done", "held"})
                self.assert_posts(6)
                self.adopt_held(done)
                done = self.run_feed(code=0)
                self.assertEqual({r["state"] for r in done.rows}, {"done"})
                self.assert_paid_once(self.refs(6))
                self.assert_sound()

    def test_after_it_was_answered(self):
        self.provider.paused = True
        self.manifest(self.refs(3))
        running = self.start("run", "feed.csv", "--max-in-flight", "1")
        wait_for(lambda: self.provider.polls())  # its acceptance was on disk before anything else happened to it
        running.kill()
        self.provider.paused = False
        done = self.run_feed(code=0)
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        self.assertEqual([r["submissions"] for r in done.rows], ["0", "1", "1"])
        self.assert_paid_once(self.refs(3))

    def test_as_soon_as_it_was_answered(self):
        self.manifest(["A-00"])
        running = self.start("run", "feed.csv")
        wait_for(lambda: self.provider.open_now == 1)
        running.kill()
        done = self.run_feed()
        self.assertIn(done.state("A-00"), ("held", "done"))
        self.adopt_held(done)
        self.assertEqual(self.run_feed(code=0).state("A-00"), "done")
        self.assert_paid_once(["A-00"])

    def test_during_polls(self):
        self.provider.steps = ["GENERATING_VIDEO"] * 8
        refs = self.refs(5)
        self.manifest(refs)
        for polls in (5, 12, 20, 30):
            running = self.start("run", "feed.csv")
            wait_for(lambda: len(self.provider.polls()) >= polls or running.ended())
            running.kill()
        done = self.run_feed()
        self.assertLessEqual({r["state"] for r in done.rows}, {"done", "held"}, done)
        self.adopt_held(done)
        self.assertEqual({r["state"] for r in self.run_feed(code=0).rows}, {"done"})
        self.assert_paid_once(refs)

    def test_at_many_points(self):
        """Killed again and again at moments that a seed chooses, resolved by hand, and at last left alone."""
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        refs = self.refs(24)
        self.manifest(refs)
        for number in range(10):
            before = len(self.provider.requests)
            running = self.start("run", "feed.csv", "--max-in-flight", "6", "--rate", "500/100ms", "--submit-rate",
                                 "20/100ms", pace=False, env={"REELBATCH_POLL_INTERVAL": "20ms"})
            more = rng.randrange(1, 16)
            wait_for(lambda: len(self.provider.requests) >= before + more or running.ended())
            time.sleep(rng.random() * 0.01)  # a moment between two writes is as likely as any other
            running.kill()
        for number in range(3):
            done = self.run_feed()
            if not self.adopt_held(done):
                break
        with self.subTest(seed=seed):
            self.assertEqual({r["state"] for r in done.rows}, {"done"}, done)
            for ref in refs:
                self.assertEqual(self.provider.accepted(ref), 1, ref)
            self.assert_sound()

    def test_the_answer_to_a_killed_run_is_told(self):
        ref = self.kill_while_unanswered(1, rows=1)
        done = self.run_feed(code=4)
        self.assertIn(ref, done.out)
        self.assertIn("reelbatch resolve", done.out)
        self.assertIn(ref, self.run_it("status").out)

    def test_a_killed_run_resolved_before_another(self):
        ref = self.kill_while_unanswered(1, rows=1)
        job = self.provider.jobs_of(ref)[0].id
        said = self.run_it("resolve", ref, "adopt", job)
        self.assertEqual(said.code, 0, said)
        done = self.run_it("resume")
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.state(ref), done.row(ref)["job_id"]), ("done", job))
        self.assert_paid_once([ref])

    def test_resubmit_and_drop_after_a_kill(self):
        never = threading.Event()
        self.addCleanup(never.set)
        self.provider.on_submit(Answer(wait=never))
        refs = self.refs(2)
        self.manifest(refs)
        running = self.start("run", "feed.csv")
        wait_for(lambda: len(self.provider.posts()) == 2)
        running.kill()
        never.set()
        self.provider.forget_rules()
        self.assertEqual(self.run_it("resolve", refs[0], "resubmit").code, 0)
        self.assertEqual(self.run_it("resolve", refs[1], "drop").code, 0)
        done = self.run_feed(code=1)
        self.assertEqual([r["state"] for r in done.rows], ["done", "failed"])
        self.assertEqual([len(self.provider.posts(ref)) for ref in refs], [2, 1])
        self.run_feed(code=1)
        self.assert_posts(3)
        self.assert_sound()

    def test_changed_content_after_a_kill_is_not_sent(self):
        ref = self.kill_while_unanswered(1, rows=1)
        self.manifest([row(ref, version=2)])
        self.assertEqual(self.run_feed(code=4).state(ref), "held")
        self.assert_posts(1)


class Limits(Case):
    """What a restart may send at once."""

    def count_in_window(self, requests, window):
        times = sorted(r.at for r in requests)
        return max((sum(1 for t in times if at <= t < at + window) for at in times), default=0)

    def test_windows_start_full_after_a_kill(self):
        self.provider.paused = True
        self.manifest([f"A-{i}" for i in range(4)])
        pace = ["--rate", "200/1s", "--submit-rate", "2/2s", "--poll-interval", "50ms"]
        running = self.start("run", "feed.csv", *pace, pace=False)
        wait_for(lambda: len(self.provider.posts()) == 2)
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == 2)
        running.kill()
        self.provider.paused = False
        self.run_feed(*pace, pace=False, code=0)
        self.assert_posts(4)
        self.assertLessEqual(self.count_in_window(self.provider.posts(), 1.9), 2)

    def test_a_clean_end_stores_the_recent_sends(self):
        pace = ["--rate", "200/1s", "--submit-rate", "2/2s", "--poll-interval", "50ms"]
        self.manifest(["A-1", "A-2"])
        self.run_feed(*pace, pace=False, code=0)
        self.manifest(["B-1", "B-2"])
        self.run_feed(*pace, pace=False, code=0)
        self.assert_posts(4)
        self.assertLessEqual(self.count_in_window(self.provider.posts(), 1.9), 2)

    def test_longer_windows_count_the_recorded_sends(self):
        pace = ["--rate", "200/1s", "--submit-rate", "2/5m", "--poll-interval", "50ms"]
        self.provider.paused = True
        self.manifest(["A-1", "A-2", "A-3"])
        running = self.start("run", "feed.csv", *pace, pace=False)
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == 2)
        running.kill()
        self.provider.paused = False
        done = self.run_feed(*pace, "--job-timeout", "3s", "--deadline", "6s", pace=False, code=3)
        self.assertEqual([r["state"] for r in done.rows], ["done", "done", "planned"], done)
        self.assert_posts(2)


if __name__ == "__main__":
    unittest.main()
