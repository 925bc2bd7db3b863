#!/usr/bin/env python3
"""A night on which names changed and nothing else did: what was paid for is not paid for again under another name."""

import json
import signal
import unittest

from harness import Case, row, wait_for

WIDE = ("--max-in-flight", "200", "--rate", "1000/1s", "--submit-rate", "1000/1s")


class Renamed(Case):
    def night(self, rows, *args, code=0):
        self.provider.steps = []
        self.manifest(rows)
        return self.run_feed(*WIDE, *args, code=code)

    def first_night(self, count):
        self.refs = [f"{i}" for i in range(100, 100 + count)]
        self.night(self.refs)
        self.assert_posts(count)

    def padded(self, refs):
        return [row(ref, id=f"00{ref}") for ref in refs]

    def account(self, name):
        self.write("reelbatch.yaml", f"accounts:\n  {name}:\n    service: iacrea\n    base_url: {self.provider.url}\n"
                   "    key: {env: IACREA_API_KEY}\n")

    def test_ids_in_another_form_are_not_paid_for_again(self):
        self.first_night(25)
        done = self.night(self.padded(self.refs), code=2)
        self.assertIn("25 of 25 listings that are new to the ledger say what was paid for under other "
                      "names: '00100' says what '100' of account iacrea said; nothing was submitted", done.err)
        self.assertIn("--allow-mass-change", done.err)
        self.assert_posts(25)
        plan = self.run_it("plan", "feed.csv")
        self.assertEqual(plan.code, 2, plan)
        self.assertIn("'00100' says what '100' of account iacrea said", plan.err)
        self.night(self.refs)  # the names are back, and so is what was paid for
        self.assert_posts(25)
        self.night(self.padded(self.refs), "--allow-mass-change")
        self.assert_posts(50)

    def test_ids_in_another_form_and_the_same_written_another_way(self):
        self.first_night(25)
        rows = self.padded(self.refs)
        for what, change in (("markup", lambda r: {"description": f"<p>{r['description']}</p>"}),
                             ("blanks and a separator", lambda r: {"description": r["description"] + "  ",
                                                                   "image_urls": r["image_urls"] + "|"})):
            with self.subTest(what):
                self.night([{**r, **change(r)} for r in rows], code=2)
                self.assert_posts(25)
        with self.subTest("JSON"):
            self.write("feed.json", json.dumps([{**r, "image_urls": r["image_urls"].split("|")} for r in rows]))
            done = self.run_it("run", "feed.json", *WIDE)
            self.assertEqual(done.code, 2, done)
            self.assertIn("what was paid for under other names", done.err)
            self.assert_posts(25)

    def test_an_account_that_was_renamed_does_not_pay_again(self):
        self.account("first")
        self.first_night(25)
        self.account("second")
        done = self.night(self.refs, code=2)
        self.assertIn("'100' says what '100' of account first said", done.err)
        self.assert_posts(25)

    def test_a_catalogue_that_got_a_name_does_not_pay_again(self):
        self.first_night(25)
        self.config(rest="catalogue: south\n")
        done = self.night(self.refs, code=2)
        self.assertIn("'south/100' says what '100' of account iacrea said", done.err)
        self.assert_posts(25)

    def test_what_is_still_in_flight_counts_as_paid_for(self):
        self.manifest([str(i) for i in range(100, 125)])
        self.provider.paused = True
        first = self.start("run", "feed.csv", *WIDE)
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == 25, what="polls of every row")
        first.signal(signal.SIGKILL)
        first.wait()
        self.provider.paused = False
        self.night(self.padded(str(i) for i in range(100, 125)), code=2)
        self.assert_posts(25)

    def test_what_does_not_count_as_a_change_does_not_hide_it(self):
        self.first_night(25)
        signed = [row(ref, id=f"00{ref}", image_urls=row(ref)["image_urls"].replace(".jpg", ".jpg?sig=9"))
                  for ref in self.refs]
        self.night(signed, "--ignore", "image_urls?sig", code=2)
        self.assert_posts(25)
        self.night(signed)
        self.assert_posts(50)

    def test_a_few_are_let_through_and_so_is_what_says_something_else(self):
        self.first_night(105)
        with self.subTest("no more than 20"):
            self.night(self.refs[20:] + self.padded(self.refs[:20]))
            self.assert_posts(125)
        with self.subTest("no more than a fifth"):
            self.night(self.refs[41:] + self.padded(self.refs[:41]))
            self.assert_posts(125 + 21)

    def test_listings_that_are_both_there_are_two(self):
        self.first_night(25)
        self.night(self.refs + self.padded(self.refs))
        self.assert_posts(50)

    def test_listings_that_all_say_the_same_are_none_that_could_be_told_apart(self):
        same = {"image_urls": row("X")["image_urls"], "description": row("X")["description"]}
        self.night([row(f"A-{i}", **same) for i in range(25)])
        self.night([row(f"B-{i}", **same) for i in range(25)])
        self.assert_posts(50)


if __name__ == "__main__":
    unittest.main()
