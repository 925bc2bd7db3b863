#!/usr/bin/env python3
"""What the credits went to, what they may go to, and what is said about both before and after."""

import csv
import io
import json
import unittest

from harness import Case, row, wait_for
from provider import Answer

COLUMNS = ["key", "jobs", "used", "reserved", "unattributed", "unknown_jobs", "line", "balance_first",
           "balance_first_at", "balance_last", "balance_last_at", "balance_elsewhere", "time_zone"]


class CreditsCase(Case):
    def setUp(self):
        super().setUp()
        self.provider.credits_mean = "job"
        self.config(account="credits: job")

    def credits(self, *args, code=0, **named):
        done = self.run_it("credits", "--format", "json", *args, **named)
        self.assertEqual(done.code, code, done)
        return json.loads(done.out) if code == 0 else done

    def assert_adds_up(self, report):
        for name, account in report["accounts"].items():
            balance = account["balance"]
            fall = balance["first"] - balance["last"]
            self.assertEqual((account["used"] or 0) + account["unattributed"], fall + balance["elsewhere"], name)
        for member in ("jobs", "used", "unattributed", "unknown_jobs"):
            total = sum(line[member] or 0 for line in report["lines"])
            self.assertEqual(total, report["sums"][member] or 0, member)


class Views(CreditsCase):
    def test_half_credits_by_everything(self):
        self.provider.price = 2.5
        self.manifest([row(f"A-{i}", agency="Lyon" if i % 3 else "Nice") for i in range(7)])
        self.run_feed(code=0)
        uid = json.loads((self.folder / "results.json").read_text())["run"]["id"]
        for by in ("day", "week", "month", "run", "account", "kind", "label:agency"):
            report = self.credits("--by", by)
            self.assert_adds_up(report)
            self.assertEqual(report["by"], by)
            self.assertEqual(report["sums"], {"jobs": 7, "used": 17.5, "reserved": 0, "unattributed": 0,
                                              "unknown_jobs": 0})
            self.assertEqual(report["balance"]["iacrea"]["first"], 1000)
            self.assertEqual(report["balance"]["iacrea"]["last"], 982.5)
            keys = [line["key"] for line in report["lines"]]
            if by == "run":
                self.assertEqual(keys, [uid])
            if by == "account":
                self.assertEqual(keys, ["iacrea"])
            if by == "kind":
                self.assertEqual(keys, ["iacrea.auto", None])
            if by == "label:agency":
                self.assertEqual(keys, ["Lyon", "Nice", None])
                self.assertEqual([line["used"] for line in report["lines"]], [10, 7.5, 0])
                self.assertEqual([line["unattributed"] for line in report["lines"]], [None, None, 0])

    def test_others_spend_and_someone_tops_up(self):
        self.manifest(["A-1", "A-2"])
        self.run_feed(code=0)
        self.provider.credits_total -= 10.5
        self.manifest(["A-1", "A-2", "A-3"])
        self.run_feed(code=0)
        self.assertEqual(self.credits()["sums"]["unattributed"], 10.5)
        self.assertIn("others use the account too", self.run_it("credits").out)
        self.provider.credits_total += 500
        self.manifest(["A-1", "A-2", "A-3", "A-4"])
        done = self.run_feed(code=0)
        self.assertEqual(done.json["credits"]["iacrea"]["unattributed"], -500)
        report = self.credits("--by", "run")
        self.assert_adds_up(report)
        self.assertEqual([line["unattributed"] for line in report["lines"]], [0, 10.5, -500])
        self.assertIn("came back to it or were bought", self.run_it("credits").out)

    def test_what_is_unknown_is_never_0(self):
        self.provider.credits_mean = None
        self.config()
        self.manifest(["A-1", "A-2"])
        self.run_feed(code=0)
        report = self.credits("--by", "account")
        self.assertEqual(report["lines"], [{"key": "iacrea", "jobs": 2, "used": None, "reserved": 0,
                                            "unattributed": None, "unknown_jobs": 2}])
        self.assertIsNone(report["balance"]["iacrea"])
        self.assertIsNone(report["accounts"]["iacrea"]["credits_used_is"])
        text = self.run_it("credits", "--by", "account").out
        self.assertIn("unknown", text)
        self.assertIn("undecided", text)
        self.assertIn("credits: job", text)
        self.assertIn("undecided", self.run_it("status").out)
        done = self.run_it("credits", "--by", "account", "--format", "csv")
        self.assertEqual(done.out.splitlines()[1], "iacrea,2,,0,,2,account,,,,,,UTC")

    def test_csv_and_table(self):
        self.provider.price = 1.5
        self.manifest([row("A-1", agency="=HYPERLINK(1)"), row("A-2", agency="a \x1b[31m, b"), "A-3"])
        self.run_feed(code=0)
        done = self.run_it("credits", "--by", "label:agency", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(done.out, newline="")))
        self.assertEqual(list(rows[0]), COLUMNS)
        self.assertEqual([(r["line"], r["key"], r["jobs"], r["used"], r["unattributed"]) for r in rows],
                         [("label", "'=HYPERLINK(1)", "1", "1.5", ""), ("label", "a ?[31m, b", "1", "1.5", ""),
                          ("label", "", "1", "1.5", ""), ("unattributed", "unattributed", "0", "0", "0"),
                          ("sum", "sum", "3", "4.5", "0"), ("balance", "iacrea", "3", "4.5", "0")])
        self.assertEqual((rows[-1]["balance_first"], rows[-1]["balance_last"]), ("1000", "995.5"))
        table = self.run_it("credits", "--by", "label:agency").out
        self.assertNotIn("\x1b", table)
        self.assertIn("(none)", table)
        self.assertIn("(unattributed)", table)
        self.assertIn("UTC", table)

    def test_times(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        self.assertEqual(self.credits("--since", "2020-01-01", "--until", "2020-01-31")["lines"], [])
        report = self.credits("--since", "2020-01-01", env={"TZ": "Europe/Paris"})
        self.assertEqual(report["sums"]["jobs"], 1)
        self.assertEqual(report["since"], "2019-12-31T23:00:00Z")
        self.assertRegex(report["time_zone"], r"UTC\+0[12]:00")
        later = self.credits("--since", "2099-01-01T00:00:00+01:00")
        self.assertEqual(later["sums"]["jobs"], 0)
        self.assertEqual(later["balance"]["iacrea"]["first"], 999)

    def test_while_a_run_is_going(self):
        self.provider.paused = True
        self.config(account="credits: job\nmax_price: {iacrea.auto: 4}")
        self.manifest(["A-1"])
        running = self.start("run", "feed.csv")
        wait_for(lambda: len(self.provider.polls()) > 2)
        self.assertEqual(self.credits()["sums"], {"jobs": 1, "used": 1, "reserved": 3, "unattributed": 0,
                                                  "unknown_jobs": 0})
        self.provider.paused = False
        self.assertEqual(running.wait().code, 0)

    def test_what_is_wrong_is_said(self):
        self.assertEqual(self.run_it("credits").code, 2)  # no ledger
        self.manifest([row("A-1", agency="Lyon")])
        self.run_feed(code=0)
        for args, words in ((["--by", "wek"], "did you mean 'week'?"), (["--by", "label"], "label:NAME"),
                            (["--by", "label:agencies"], "there are agency"), (["--since", "yesterday"], "2026-11-01"),
                            (["--since", "2026-02-30"], "no date"), (["--format", "xml"], "table, csv, json"),
                            (["--since", "2026-02-02", "--until", "2026-02-01"], "is not after")):
            done = self.run_it("credits", *args)
            self.assertEqual(done.code, 2, done)
            self.assertIn(words, done.err)
        self.assertIn("unattributed", self.run_it("credits", "--help").out)


class Budgets(CreditsCase):
    def feed(self):
        return [row(f"L-{i}", agency="Lyon") for i in range(6)] + [row(f"N-{i}", agency="Nice") for i in range(4)]

    def test_a_label_that_has_spent_its_budget_does_not_stop_the_others(self):
        self.provider.price = 3
        self.config(account='credits: job\nmax_price: {iacrea.auto: 3}\n'
                            'budget: {"label:agency": {Lyon: {month: 10}}}')
        self.manifest(self.feed())
        done = self.run_feed(code=3)
        states = [done.state(f"L-{i}") for i in range(6)]
        self.assertEqual((states.count("done"), states.count("planned")), (3, 3))
        self.assertEqual([done.state(f"N-{i}") for i in range(4)], ["done"] * 4)
        self.assertEqual(done.json["run"]["stopped_by"], "budget")
        reason = "the budget month of agency=Lyon: 9 of 10 spent, the next job may cost 3"
        self.assertIn(reason, done.row("L-5")["reason"])
        self.assertIn(reason, done.out)
        done = self.run_feed(code=3)  # the month goes on
        self.assertEqual(len(self.provider.posts()), 7)
        self.assertIn(reason, done.row("L-5")["reason"])
        self.assertIn(reason, self.run_it("report", "-o", "again.csv") and (self.folder / "again.csv").read_text())
        self.config(account='credits: job\nbudget: {"label:agency": {Lyon: {month: 100}}}')
        self.run_feed(code=0)
        self.assertEqual(len(self.provider.posts()), 10)

    def test_rows_that_waited_for_open_jobs_go_on_when_these_were_cheaper(self):
        self.provider.price = 1
        self.config(account='credits: job\nmax_price: {iacrea.auto: 5}\nbudget: {"label:agency": {Lyon: {run: 6}}}')
        self.manifest(self.feed())
        done = self.run_feed("--max-in-flight", "20", code=3)
        # Spent 2 and one more may cost 5.
        self.assertEqual(sum(done.state(f"L-{i}") == "done" for i in range(6)), 2)
        self.assertEqual(sum(done.state(f"N-{i}") == "done" for i in range(4)), 4)

    def test_soft_submits_until_it_is_spent(self):
        self.provider.price = 3
        self.config(account="credits: job\nmax_price: {iacrea.auto: 3}\nbudget: {run: 7, mode: soft}")
        self.manifest(self.feed())
        done = self.run_feed("--max-in-flight", "1", code=3)
        self.assertIn("9 of 7 spent, over by 2", done.out)
        self.assertEqual(len(self.provider.posts()), 3)  # 6 are spent when the third goes
        done = self.run_it("report", "-o", "again.json")
        self.assertEqual(done.code, 0, done)
        again = json.loads((self.folder / "again.json").read_text())
        self.assertIn("9 of 7 spent, over by 2", [r["reason"] for r in again["rows"] if r["state"] == "planned"][0])

    def test_cautious_counts_the_likely_price(self):
        self.provider.price = 2
        self.config(account="credits: job\nmax_price: {iacrea.auto: 9}\nbudget: {run: 10, mode: cautious}")
        self.manifest(self.feed())
        done = self.run_feed("--max-in-flight", "1", code=3)
        self.assertEqual(len(self.provider.posts()), 5)
        self.assertIn("10 of 10 spent", done.out)
        self.assertIn("the next run has a budget anew", done.out)

    def killed_with_jobs_in_flight(self, jobs):
        self.provider.paused = True
        running = self.start("run", "feed.csv", "--max-in-flight", str(jobs))
        wait_for(lambda: len({poll.path for poll in self.provider.polls()}) >= jobs)
        running.kill()
        self.provider.paused = False

    def test_jobs_of_a_killed_run_are_settled_in_the_budget(self):
        self.provider.price = 2
        self.config(account="credits: job\nmax_price: {iacrea.auto: 4}\nbudget: {day: 12}")
        self.manifest(self.feed())
        self.killed_with_jobs_in_flight(3)  # they reserve all of it, and cost half
        done = self.run_feed(code=3)
        self.assertEqual(len(self.provider.posts()), 5)
        self.assertIn("10 of 12 spent, the next job may cost 4", done.out)

    def test_jobs_of_a_killed_run_are_settled_in_the_budget_of_their_label(self):
        self.provider.price = 2
        self.config(account='credits: job\nmax_price: {iacrea.auto: 4}\nbudget: {"label:city": {Lyon: {day: 12}}}')
        feed = self.feed()
        rows = [{**one, "city": "Lyon" if i < 6 else "Nice"} for i, one in enumerate(feed)]
        self.manifest(rows)
        self.killed_with_jobs_in_flight(3)  # they reserve all of it, and cost half
        done = self.run_feed(code=3)
        lyon = [r for r in done.rows if r["city"] == "Lyon"]
        self.assertEqual([r["state"] for r in lyon].count("done"), 5)
        self.assertEqual({r["state"] for r in done.rows if r["city"] == "Nice"}, {"done"})
        self.assertIn("of city=Lyon: 10 of 12 spent, the next job may cost 4", done.text)

    def test_a_job_of_a_killed_run_that_costs_more_than_it_reserved_stops_the_next(self):
        self.provider.price = 9
        self.config(account="credits: job\nmax_price: {iacrea.auto: 4}\nbudget: {day: 40}")
        self.manifest(self.feed())
        self.killed_with_jobs_in_flight(2)
        done = self.run_feed("--max-in-flight", "2", code=3)
        self.assertEqual(len(self.provider.posts()), 2)
        self.assertIn("more than the 4 reserved for it: an overrun", done.out)

    def test_amounts_finer_than_what_is_counted_are_refused(self):
        self.manifest(["A-1"])
        done = self.run_feed("--max-credits", "0.0005", code=2)
        self.assertIn("finer than a thousandth", done.err)

    def test_an_overrun_is_said_even_by_a_quiet_run_that_leaves_nothing_to_do(self):
        self.provider.price = 9
        self.config(account="credits: job\nmax_price: {iacrea.auto: 4}\nbudget: {day: 40}")
        self.manifest(["A-1"])
        done = self.run_feed("-q", code=0)
        self.assertEqual(done.out, "")
        self.assertRegex(done.err, r"\Aiacrea: job \S+ cost 9 credits, more than the 4 reserved for it: an overrun; say "
                                   r"in max_price what such a job may cost\n\Z")

    def test_a_price_of_nothing_is_refused(self):
        self.config(account="max_price: {iacrea.auto: 0}")
        self.manifest(["A-1"])
        done = self.run_feed(code=2)
        self.assertIn("0 would reserve nothing", done.err)

    def test_keep_says_what_the_next_job_may_cost(self):
        self.config(account="credits: job\nbudget: {keep: 998.5}")
        self.manifest(["A-1", "A-2"])
        done = self.run_feed(code=3)
        self.assertIn("998.5 credits are to be kept: 999 remain, 0 of them reserved, the next job may cost 1", done.out)

    def test_keep_waits_for_what_a_job_of_a_killed_run_says_of_the_balance(self):
        self.config(account="credits: job\nmax_price: {iacrea.auto: 1}\nbudget: {keep: 999}")
        self.manifest(["A-1", "A-2"])
        self.provider.on_submit(Answer(201))  # says nothing of the balance
        self.provider.on_poll(Answer(200, {"status": "PENDING"}))
        self.killed_with_jobs_in_flight(1)
        self.provider.forget_rules()
        self.provider.on_poll(Answer(200, {"status": "PENDING"}), times=3)
        done = self.run_feed(code=3)
        self.assertEqual(len(self.provider.posts()), 1)
        self.assertIn("999 credits are to be kept: 999 remain", done.out)

    def test_a_budget_that_cannot_be_kept_is_told(self):
        self.provider.credits_mean = None
        self.config(account='budget: {day: 5, "label:city": {Lyon: {run: 1}}}')
        self.manifest(["A-1", "A-2"])
        done = self.run_feed(code=0)
        self.assertIn("its budget cannot be kept", done.err)
        self.assertIn("max_price", done.err)
        self.assertIn("label:city", done.err)


class Plans(CreditsCase):
    def forecast(self, *args):
        return self.plan(*args)[""]

    def test_what_it_will_cost_by_what_it_has_cost(self):
        self.provider.price = 2.5
        self.manifest(["A-1", "A-2", "A-3"])
        first = self.forecast()
        self.assertIsNone(first["credits"])
        self.assertIsNone(first["seconds"])
        self.assertIn("unknown", self.run_it("plan", "feed.csv").out)
        self.run_feed(code=0)
        self.manifest([f"A-{i}" for i in range(1, 9)])
        second = self.forecast()
        self.assertEqual(second["credits"], {"low": 12.5, "likely": 12.5, "high": 12.5})
        self.assertEqual(second["counts"]["submit"], 5)
        self.assertGreaterEqual(second["seconds"], 5)
        self.assertIn("12.5", self.run_it("plan", "feed.csv").out)
        self.assertEqual(self.forecast("--limit", "0")["credits"], {"low": 0, "likely": 0, "high": 0})

    def test_a_run_keeps_to_its_plan(self):
        self.manifest(["A-1", "A-2", "A-3"])
        self.plan("--limit", "2")
        done = self.run_it("run", "--plan", "plan.json")
        self.assertEqual(done.code, 0, done)
        self.assertEqual([done.state(f"A-{i}") for i in (1, 2, 3)], ["done", "done", "planned"])
        done = self.run_it("run", "--plan", "plan.json")
        self.assertEqual(done.code, 2, done)
        self.assertIn("the ledger has moved on", done.err)
        self.plan()
        self.manifest(["A-1", "A-2", row("A-3", version=2)])
        done = self.run_it("run", "--plan", "plan.json")
        self.assertEqual(done.code, 2, done)
        self.assertIn("the manifest has changed", done.err)
        self.assertEqual(len(self.provider.posts()), 2)
        self.plan()
        self.assertEqual(self.run_it("run", "feed.csv", "--plan=plan.json").code, 0)
        self.assertEqual(len(self.provider.posts()), 3)
        self.write("no.json", "{}")
        done = self.run_it("run", "--plan", "no.json")
        self.assertEqual(done.code, 2, done)
        self.assertIn("no plan", done.err)

    def test_a_plan_is_not_kept_to_when_a_label_that_a_budget_looks_at_changed(self):
        self.config(account='credits: job\nmax_price: {iacrea.auto: 3}\n'
                            'budget: {"label:agency": {Lyon: {month: 100}}}')
        self.manifest([row("A-1", agency="Lyon", city="a"), row("A-2", agency="Nice", city="a")])
        self.plan()
        self.manifest([row("A-1", agency="Lyon", city="a"), row("A-2", agency="Lyon", city="a")])
        done = self.run_it("run", "--plan", "plan.json")
        self.assertEqual(done.code, 2, done)
        self.assertIn("the manifest has changed", done.err)
        self.assertEqual(self.provider.posts(), [])
        # One that no budget looks at is carried to the report and decides nothing.
        self.manifest([row("A-1", agency="Lyon", city="b"), row("A-2", agency="Nice", city="b")])
        self.assertEqual(self.run_it("run", "--plan", "plan.json").code, 0)

    def test_a_plan_and_other_options_are_refused(self):
        self.manifest(["A-1", "A-2", "A-3"])
        self.plan()
        for words in (["--limit", "1"], ["--only", "A-1"], ["--retry-failed"], ["--on-change", "skip"]):
            done = self.run_it("run", "--plan", "plan.json", *words)
            self.assertEqual(done.code, 2, done)
            self.assertIn(f"another {words[0]}", done.err)
        self.assertEqual(self.provider.posts(), [])
        self.plan("--limit", "1")
        self.assertEqual(self.run_it("run", "--plan", "plan.json", "--limit", "1").code, 0)
        self.assertEqual(len(self.provider.posts()), 1)

    def test_a_canary_says_what_the_rest_costs(self):
        self.provider.price = 1.5
        self.manifest([f"A-{i}" for i in range(10)])
        done = self.run_feed("--limit", "2", code=0)
        self.assertIn("2 jobs cost 3 credits; the 8 rows left out by --limit would cost 12", done.out)
        self.assertIn("reelbatch run", done.out)
        self.assertIn("feed.csv`", done.out)


    def test_a_canary_of_some_rows_speaks_of_these_alone(self):
        prices = iter([1, 1, 2])
        self.provider.price = lambda job: next(prices)
        self.manifest([f"A-{i}" for i in range(10)])
        named = [word for i in range(5) for word in ("--only", f"A-{i}")]
        done = self.run_feed("--limit", "3", *named, code=0)
        self.assertIn("3 jobs cost 4 credits, from 1 to 2 each; the 2 rows left out by --limit would cost about 2.7 (from "
                      "2 to 4)", done.out)
        self.assertIn("feed.csv --only A-0 --only A-1", done.out)


class SoftBudget(CreditsCase):
    def test_what_was_open_passes_it_and_that_is_told_even_where_every_row_is_done(self):
        self.provider.price = lambda job: 2
        self.config("credits: job\nmax_price: {iacrea.auto: 3}\nbudget: {month: 3, mode: soft}")
        self.manifest([f"A-{i}" for i in range(9)])
        done = self.run_feed("-q", "--max-in-flight", "9", code=0)
        self.assertIn("iacrea: the budget month of account iacrea: 18 of 3 spent, over by 15", done.err)
        self.assertEqual(self.run_feed("-q", code=0).err, "")


class Meaning(CreditsCase):
    def test_one_constant_price_and_jobs_side_by_side_decide(self):
        self.config()
        self.manifest([f"A-{i}" for i in range(12)])
        self.run_feed("--max-in-flight", "3", code=0)
        report = self.credits()
        self.assertEqual(report["accounts"]["iacrea"]["credits_used_is"], "job")
        self.assertEqual(report["sums"]["used"], 12)
        self.assert_adds_up(report)
        self.assertIn("counted per job", self.run_it("status").out)


if __name__ == "__main__":
    unittest.main()
