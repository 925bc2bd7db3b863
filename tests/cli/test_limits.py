#!/usr/bin/env python3
"""The limits as the server sees them (PRODUCT.md sections 2 and 5)."""

import signal
import time
import unittest

from harness import Answer, Case, wait_for

# A request is counted when its connection is ready to carry it; its bytes reach the server a little later.
SLACK = 0.1


def most_in(requests, window):
    """The most requests in any window of `window` seconds."""
    times = sorted(r.at for r in requests)
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


class Limits(Case):
    def assert_rates(self, limits, requests, what):
        for count, window in limits:
            self.assertLessEqual(most_in(requests, window - SLACK), count, f"{what}: {count}/{window}s")

    def go(self, rows, rate, submit_rate, *args, poll="100ms", steps=2):
        self.provider.steps = ["GENERATING_VIDEO"] * steps
        self.manifest([f"A-{i:02d}" for i in range(rows)])
        words = ["--poll-interval", poll]
        for flag, limits in (("--rate", rate), ("--submit-rate", submit_rate)):
            for count, window in limits:
                words += [flag, f"{count}/{int(window * 1000)}ms"]
        begun = time.monotonic()
        self.run_feed(*words, *args, pace=False, code=0)
        self.assert_posts(rows)
        self.assert_rates(rate, self.provider.requests, "all")
        self.assert_rates(submit_rate, self.provider.posts(), "submissions")
        return time.monotonic() - begun

    def test_submissions(self):
        self.go(12, [(100, 1)], [(4, 1)])
        times = sorted(r.at for r in self.provider.posts())
        self.assertLess(times[-1] - times[0], 4)  # three windows of four: no slot is wasted

    def test_all_requests(self):
        took = self.go(8, [(10, 1)], [(10, 1)])
        self.assertLess(took, 8)  # 8 submissions and 24 polls are four windows

    def test_several_windows(self):
        self.go(12, [(8, 0.5), (20, 2)], [(3, 0.5), (6, 2)], poll="300ms", steps=1)

    def test_the_slots_are_used(self):
        self.go(10, [(20, 1)], [(20, 1)], steps=3)
        times = sorted(r.at for r in self.provider.requests)
        self.assertEqual(len(times), 50)
        self.assertLess(times[-1] - times[0], 4)

    def test_jobs_in_flight(self):
        self.go(12, [(200, 1)], [(100, 1)], "--max-in-flight", "4", poll="50ms", steps=3)
        self.assertEqual(self.provider.open_most, 4)  # reached, and never passed

    def test_one_job_at_a_time(self):
        self.go(4, [(200, 1)], [(100, 1)], "--max-in-flight", "1", poll="50ms")
        self.assertEqual(self.provider.open_most, 1)

    def test_held_jobs_do_not_count_as_in_flight(self):
        self.config(account="hold_limit: 3")
        self.provider.on_submit(Answer(500), ref="A-0", times=1)
        self.provider.paused = True
        self.manifest(["A-0"])
        self.run_feed("--max-in-flight", "1", code=4)
        self.provider.paused = False
        self.manifest(["A-0", "A-1"])
        self.run_feed("--max-in-flight", "1", code=4)
        self.assert_posts(1, "A-1")

    def test_polls_keep_their_distance(self):
        self.provider.steps = ["GENERATING_VIDEO"] * 5
        self.manifest(["A-1"])
        self.run_feed("--rate", "100/1s", "--submit-rate", "10/1s", "--poll-interval", "300ms", pace=False, code=0)
        times = sorted(r.at for r in self.provider.requests)
        gaps = [b - a for a, b in zip(times, times[1:])]
        self.assertGreaterEqual(min(gaps), 0.25)
        self.assertLess(sorted(gaps)[len(gaps) // 2], 0.6)  # jobs are polled on time

    def test_a_suspended_process_causes_no_burst(self):
        self.provider.paused = True
        self.manifest([f"A-{i}" for i in range(4)])
        running = self.start("run", "feed.csv", "--rate", "10/1s", "--submit-rate", "4/1s", "--poll-interval", "200ms",
                             pace=False)
        wait_for(lambda: len(self.provider.polls()) > 8)
        running.signal(signal.SIGSTOP)
        resumed = time.monotonic() + 1.5
        wait_for(lambda: time.monotonic() > resumed)
        self.provider.paused = False
        running.signal(signal.SIGCONT)
        self.assertEqual(running.wait().code, 0)
        self.assert_rates([(10, 1)], self.provider.requests, "all")
        self.assert_posts(4)


if __name__ == "__main__":
    unittest.main()
