#!/usr/bin/env python3
"""A check that cannot fail shows nothing: the kill race against deliberate mistakes, each of which it has to notice."""

import shutil
import unittest

import killrace


class Mistakes(unittest.TestCase):
    def assert_noticed(self, mistake):
        for seed in (1, 2, 4, 5, 6):  # one seed may be over before the mistake matters
            done = killrace.race(seed, 40, mistake)
            shutil.rmtree(done["folder"], ignore_errors=True)
            if any(killrace.BREAKS[mistake] in failure for failure in done["failures"]):
                return
        self.fail(f"the mistake '{mistake}' was not noticed: {done}")

    def test_what_a_killed_run_had_written_is_gone(self):
        self.assert_noticed("unsynced")

    def test_two_runs_at_once(self):
        self.assert_noticed("two-runs")

    def test_twice_the_pace(self):
        self.assert_noticed("pace")

    def test_a_service_that_counts_twice(self):
        self.assert_noticed("double")

    def test_a_job_that_no_report_tells_of(self):
        self.assert_noticed("forget")

    def test_another_price(self):
        self.assert_noticed("price")

    def test_held_without_a_kill(self):
        self.assert_noticed("unnoticed")


if __name__ == "__main__":
    unittest.main()
