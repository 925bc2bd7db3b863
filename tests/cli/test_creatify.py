#!/usr/bin/env python3
"""Creatify Aurora from outside: headers and slashes, the balance first, many jobs in one poll, lost answers found again."""

import json
import urllib.parse

from harness import Case, wait_for
from services import Creatify


class Aurora(Case):
    def setUp(self):
        super().setUp()
        self.service = Creatify()
        self.addCleanup(self.service.stop)

    def environment(self, changes=None):
        return super().environment({"CREATIFY_API_ID": Creatify.ID, "CREATIFY_API_KEY": Creatify.KEY,
                                    "CREATIFY_BASE_URL": self.service.url, **(changes or {})})

    def feed(self, count, **fields):
        rows = [{"id": f"A-{i}", "kind": "creatify.aurora", "audio": f"https://m.example.test/{i}.mp3",
                 "image": f"https://m.example.test/{i}.png", **fields} for i in range(1, count + 1)]
        return self.manifest(rows)

    def submissions(self):
        return self.service.sent("POST", "/api/aurora/")

    def test_a_job_from_row_to_result(self):
        self.feed(1, name="Villa", model_version="aurora_v1_fast", text_prompt="calm")
        done = self.run_feed(code=0)
        row = done.row("A-1")
        self.assertEqual((row["state"], row["credits_used"], row["account"]), ("done", "7.5", "creatify"))
        self.assertTrue(row["url"].startswith("https://cdn.example.test/"))
        (post,) = self.submissions()
        self.assertEqual(post.body["model_version"], "aurora_v1_fast")
        self.assertTrue(post.body["name"].startswith("Villa "), post.body)
        for request in self.service.requests:
            self.assertTrue(request.path.endswith("/"), request)
        sums = done.json["credits"]["creatify"]
        self.assertEqual((sums["used"], sums["remaining"], sums["unattributed"]), (7.5, 992.5, 0))

    def test_a_figure_from_before_the_end_is_no_price(self):
        # The answer to a submission says 0: no cost, and no price for which a budget would have room for ever.
        for told in (None, "n/a", -3, 1e300):
            with self.subTest(told=told):
                self.service.told_at_end = told
                self.feed(20)
                ledger = f"told-{str(told)[:1]}.db"
                self.write("reelbatch.yaml", "accounts: {creatify: {service: creatify, max_price: {creatify.aurora: 7.5}}}\n")
                before = len(self.submissions())
                done = self.run_feed("--max-credits", "20", "--ledger", ledger, code=3)
                self.assertEqual(len(self.submissions()) - before, 2)
                self.assertEqual({r["credits_used"] for r in done.rows}, {""})
                self.assertEqual(done.json["credits"]["creatify"]["used"], None)
                again = self.run_feed("--ledger", ledger, "--limit", "0", code=0)
                self.assertEqual(again.row("A-1")["credits_used"], "")

    def test_a_job_that_is_said_to_have_cost_nothing_is_no_price_for_the_next(self):
        self.service.told_at_end = 0
        self.feed(3)
        most = []
        self.service.rules.append(lambda r: most.append(len([j for j in self.service.jobs.values() if j["status"] != "done"])))
        done = self.run_feed("--max-credits", "20", code=0)
        self.assertEqual([r["credits_used"] for r in done.rows], ["0", "0", "0"])
        self.assertEqual(max(most), 1, "one at a time while no price is known")

    def test_a_job_that_is_done_and_said_to_have_cost_nothing_is_charged_later(self):
        self.service.told_at_end = 0
        self.write("reelbatch.yaml", "accounts: {creatify: {service: creatify, max_price: {creatify.aurora: 7.5}, "
                                     "budget: {month: 20}}}\n")
        self.feed(6)
        for _ in range(2):  # the next run is held to it as well
            done = self.run_feed(code=3)
            self.assertEqual(len(self.submissions()), 2)
            self.assertRegex(done.out, "15 of 20 spent(, 15 of it assumed for jobs of unknown price)?, the next job may cost 7.5")

    def test_a_job_that_failed_and_cost_nothing_makes_room(self):
        self.service.told_at_end = 0
        self.write("reelbatch.yaml", "accounts: {creatify: {service: creatify, max_price: {creatify.aurora: 7.5}}}\n")
        shown = self.service.shown
        self.service.shown = lambda job: {**shown(job), "status": "failed", "failed_reason": "No face found"}
        self.feed(6)
        self.run_feed("--max-credits", "20", code=1)
        self.assertEqual(len(self.submissions()), 6)

    def test_a_budget_that_nothing_can_be_counted_against_is_told_of(self):
        self.service.told_at_end = None
        self.feed(2)
        done = self.run_feed("--max-credits", "20", code=0)
        self.assertIn("its budget cannot be kept", " ".join(done.text.split()))

    def test_the_balance_is_asked_before_the_first_submission(self):
        self.feed(2)
        self.run_feed(code=0)
        paths = [(r.method, r.path) for r in self.service.requests]
        self.assertEqual(paths[0], ("GET", "/api/remaining_credits/"))

    def test_a_balance_that_is_told_only_when_asked_for_is_kept_all_the_same(self):
        self.feed(20)
        self.write("reelbatch.yaml", "accounts: {talk: {service: creatify, base_url: '" + self.service.url +
                   "', budget: {keep: 970}, max_price: {creatify.aurora: 8}}}\n")
        done = self.run_feed(code=3)
        # 1000 - 3 * 7.5 - 8 are more than 970 only before the fourth.
        self.assertEqual(len(self.submissions()), 3)
        self.assertIn("970 credits are to be kept: 1000 remain, 22.5 of them reserved or not charged yet", done.err + done.out)

    def test_what_a_run_will_be_charged_late_is_held_against_what_the_next_one_keeps(self):
        self.service.charges_late = True
        self.write("reelbatch.yaml", "accounts: {talk: {service: creatify, base_url: '" + self.service.url +
                   "', budget: {keep: 970}, max_price: {creatify.aurora: 8}}}\n")
        self.feed(2)
        self.run_feed(code=0)
        self.feed(20)
        for _ in range(2):
            done = self.run_feed(code=3)
            # 1000 - 2 * 7.5 - 8 are more than 970, for one job.
            self.assertEqual(len(self.submissions()), 3)
            self.assertIn("1000 remain, 22.5 of them reserved or not charged yet", done.out)
        self.service.balance -= 22.5
        done = self.run_feed(code=3)
        self.assertEqual(len(self.submissions()), 3)
        self.assertIn("977.5 remain, 0 of them reserved", done.out)

    def test_costs_after_the_last_balance_that_could_be_read_are_said_to_be_so(self):
        self.feed(2)
        self.service.rules.append(lambda r: (500, {}) if "remaining" in r.path and self.service.order else None)
        self.run_feed(code=0)
        text = " ".join(self.run_it("credits").out.split())
        self.assertIn("it fell by 0: 15 used by jobs, 0 unattributed, of which 15 are not in it: the last balance is from "
                      "before they were charged, and none was told since", text)
        account = json.loads(self.run_it("credits", "--format", "json").out)["accounts"]["creatify"]
        self.assertEqual((account["used"], account["balance"]["elsewhere"]), (15, 15))

    def test_a_balance_from_before_the_last_jobs_is_said_to_be_old_and_resume_asks_for_it_as_a_run_does(self):
        failing = [True]
        self.feed(2)
        self.service.rules.append(
            lambda r: (500, {}) if "remaining" in r.path and self.service.order and failing[0] else None)
        done = self.run_feed(code=0)
        self.assertRegex(done.out, r"1000 remaining at \S+Z, before the last jobs were charged")
        failing[0] = False
        done = self.run_it("resume")
        self.assertEqual(done.code, 0, done)
        self.assertIn("985 remaining\n", done.out)
        asked = len(self.service.requests)
        self.assertEqual(self.run_it("resume").code, 0)
        self.assertEqual(len(self.service.requests), asked)

    def test_members_of_the_api_that_are_not_sent_are_told_of(self):
        self.feed(1, ttl_days="4", output_upload_url="https://m.example.test/up")
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 0, done)
        self.assertIn("'ttl_days' is taken for a label: the service has a member ttl_days, which creatify.aurora does not "
                      "send", " ".join(done.text.split()))
        self.assertIn("'output_upload_url' is taken for a label", " ".join(done.text.split()))
        self.assertEqual(self.run_feed(code=0).row("A-1")["ttl_days"], "4")
        self.assertNotIn("ttl_days", self.submissions()[0].body)
        self.write("reelbatch.yaml", "manifest: {labels: [ttl_days, output_upload_url]}\n")
        self.assertNotIn("is taken for a label", self.run_it("check", "feed.csv").text)

    def test_names_of_a_part_of_a_field_are_told_of(self):
        for column in ("model", "version", "Aurora version"):
            with self.subTest(column):
                self.feed(1, **{column: "aurora_v1_fast"})
                done = self.run_it("check", "feed.csv")
                self.assertEqual(done.code, 0, done)
                self.assertIn(f"'{column}' is taken for a label and not sent: creatify.aurora has the field "
                              f"'model_version'; rename it, map model_version={column}", " ".join(done.text.split()))
        self.write("reelbatch.yaml", "manifest: {map: {model_version: Aurora version}}\n")
        self.run_feed(code=0)
        self.assertEqual(self.submissions()[0].body["model_version"], "aurora_v1_fast")

    def test_a_balance_that_was_missed_at_the_end_is_asked_for_the_next_night_once(self):
        self.feed(2)
        self.service.rules.append(lambda r: (503, {}) if "remaining" in r.path and self.service.order else None)
        self.run_feed(code=0)
        self.service.rules.clear()
        for asked in (1, 0):
            before = len(self.service.requests)
            self.run_feed(code=0)
            self.assertEqual([r.path for r in self.service.requests[before:]], ["/api/remaining_credits/"] * asked)
        account = json.loads(self.run_it("credits", "--format", "json").out)["accounts"]["creatify"]
        self.assertEqual((account["used"], account["unattributed"], account["balance"]["elsewhere"]), (15, 0, 0))

    def test_an_unchanged_night_asks_nothing(self):
        self.feed(3)
        self.run_feed(code=0)
        before = len(self.service.requests)
        self.run_feed(code=0)
        self.assertEqual(len(self.service.requests), before)

    def test_a_refused_key_is_found_out_before_anything_is_bought(self):
        self.feed(2)
        done = self.run_feed(code=5, env={"CREATIFY_API_KEY": "wrong-key-000"})
        self.assertEqual(self.submissions(), [])
        self.assert_states(done, A_1="planned", A_2="planned")

    def test_many_jobs_are_polled_with_one_request(self):
        self.service.polls_until_done = 3
        self.feed(120)
        done = self.run_feed("--max-in-flight", "120", "--poll-interval", "1s", code=0)
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        polls = self.service.sent("GET", "/api/aurora/")
        self.assertLess(len(polls), 40, "single polls would have been 360")
        for poll in polls:
            ids = urllib.parse.parse_qs(poll.query).get("ids", [""])[0].split(",")
            self.assertLessEqual(len(ids), 100)

    def test_a_service_that_refuses_groups_is_asked_for_each_job(self):
        self.service.rules.append(lambda r: (400, {"ids": ["Enter a list."]}) if "ids=" in r.query else None)
        self.feed(6)
        done = self.run_feed(code=0)
        self.assertEqual({r["state"] for r in done.rows}, {"done"})

    def test_a_list_that_leaves_a_job_out_does_not_end_it(self):
        def leave_out(request):
            if "ids=" not in request.query:
                return None
            _, jobs = self.service.serve(request)
            return 200, [job for job in jobs if not job["id"].endswith("1")]
        self.service.rules.append(leave_out)
        self.feed(4)
        done = self.run_feed(code=0)
        self.assertEqual({r["state"] for r in done.rows}, {"done"})

    def test_a_lost_answer_is_found_by_its_name_and_never_sent_twice(self):
        lost = []

        def lose_once(request):
            if request.method == "POST" and not lost:
                lost.append(request)
                return "lost"
            return None
        self.service.rules.append(lose_once)
        self.feed(1)
        done = self.run_feed(code=0)
        self.assertEqual(len(self.submissions()), 1)
        self.assertEqual(done.row("A-1")["state"], "done")
        self.assertEqual(done.row("A-1")["submissions"], "1")
        self.assert_sound()

    def test_a_lost_answer_of_a_job_that_was_not_made_stays_held(self):
        self.service.rules.append(lambda r: (502, "") if r.method == "POST" else None)
        self.feed(1)
        done = self.run_feed(code=4)
        self.assertEqual(done.row("A-1")["state"], "held")
        self.service.rules.clear()
        again = self.run_feed(code=4)
        self.assertEqual(len(self.submissions()), 1)
        self.assertEqual(again.row("A-1")["state"], "held")

    def test_a_killed_submission_is_found_by_the_next_run(self):
        self.service.rules.append(lambda r: "lost" if r.method == "POST" else
                                  (503, "") if r.path == "/api/aurora/" else None)
        self.feed(1)
        self.run_feed(code=4)
        self.service.rules.clear()
        done = self.run_feed(code=0)
        self.assertEqual(done.row("A-1")["state"], "done")
        self.assertEqual(len(self.submissions()), 1)
        self.assert_sound()

    def test_resume_looks_for_killed_submissions(self):
        self.service.rules.append(lambda r: "lost" if r.method == "POST" else
                                  (503, "") if r.path == "/api/aurora/" else None)
        self.feed(2)
        self.run_feed(code=4)
        self.service.rules.clear()
        done = self.run_it("resume")
        self.assertEqual(done.code, 0, done)
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        self.assertEqual(len(self.submissions()), 2)
        self.assert_sound()

    def lose_first(self):
        """The answer to the first submission never comes."""
        lost = []
        self.service.rules.append(lambda r: (lost.append(r), "lost")[1] if r.method == "POST" and not lost else None)

    def listed_after(self, jobs):
        """The account has these jobs too, listed before those of the test."""
        for i in range(jobs):
            other = f"00000000-0000-4000-8000-{i:012d}"
            self.service.jobs[other] = {"id": other, "name": f"other {i}", "status": "done", "polls": 9, "credits_used": 1,
                                        "video_output": "https://cdn.example.test/o.mp4", "text_prompt": "x" * 2000}
            self.service.order.append(other)

    def test_a_lost_answer_is_found_in_a_list_that_is_longer_than_other_answers_may_be(self):
        self.listed_after(4000)  # 8 MB
        self.lose_first()
        self.feed(1)
        done = self.run_feed(code=0)
        self.assert_states(done, A_1="done")
        self.assertEqual(len(self.submissions()), 1)

    def test_a_lost_answer_is_found_in_a_later_part_of_a_list(self):
        self.listed_after(7)
        self.page(lambda number: f"{self.service.url}/api/aurora/?page={number}")
        self.lose_first()
        self.feed(1)
        done = self.run_feed(code=0)
        self.assert_states(done, A_1="done")
        self.assertEqual(len(self.submissions()), 1)

    def page(self, address):
        """Lists in parts of two, with `address` for the next."""
        def part(request):
            asked = urllib.parse.parse_qs(request.query)
            if request.method != "GET" or request.path != "/api/aurora/" or "ids" in asked:
                return None
            number = int(asked.get("page", ["1"])[0])
            jobs = [self.service.public(self.service.jobs[i]) for i in self.service.order[2 * number - 2:2 * number]]
            more = 2 * number < len(self.service.order)
            return 200, {"count": len(self.service.order), "next": address(number + 1) if more else None, "results": jobs}
        self.service.rules.append(part)

    def test_a_next_part_at_another_host_or_without_end_is_not_followed_for_ever(self):
        other = Creatify()
        self.addCleanup(other.stop)
        self.listed_after(3)
        host = other.url.replace("127.0.0.1", "localhost")
        for name, address in (("another host", lambda n: f"{host}/api/aurora/?page={n}"),
                              ("a circle", lambda n: f"{self.service.url}/api/aurora/?page=1")):
            with self.subTest(name):
                self.service.rules.clear()
                self.page(address)
                self.lose_first()
                self.feed(1)
                done = self.run_feed("--ledger", name.replace(" ", "-") + ".db", code=4)
                self.assert_states(done, A_1="held")
                self.assertEqual(other.requests, [])
                self.assertEqual(done.err.count("more than 50 parts"), name == "a circle", done.err)
                lists = [r for r in self.service.sent("GET", "/api/aurora/$") if "ids" not in r.query]
                self.assertLessEqual(len(lists), 4 * 50 + 4)

    def test_a_refund_that_a_killed_run_did_not_see_is_asked_for_by_the_next(self):
        def polls():
            return len(self.service.sent("GET", "/api/aurora/"))

        def balances():
            return len(self.service.sent("GET", "/api/remaining_credits/"))

        self.service.polls_until_done = 10**6
        self.feed(1)
        running = self.start("run", "feed.csv")
        wait_for(polls)
        running.kill()
        # The next run is told the balance, with the job charged, after the job's figure.
        before, handle = polls(), self.service.handle
        self.service.handle = lambda r: ("remaining" in r.path and wait_for(lambda: polls() > before + 1), handle(r))[1]
        asked = balances()
        running = self.start("run", "feed.csv")
        wait_for(lambda: balances() > asked)
        # It is killed when the job has failed, and its refund is not told yet.
        self.service.rules.append(lambda r: "lost" if "remaining" in r.path else None)
        for job in self.service.jobs.values():
            job.update(status="failed", failed_reason="No face found", credits_used=0)
        self.service.balance += self.service.price
        wait_for(lambda: balances() > asked + 1)
        running.kill()
        self.service.rules.clear()
        self.run_feed(code=1)
        account = json.loads(self.run_it("credits", "--format", "json").out)["accounts"]["creatify"]
        self.assertEqual((account["balance"]["last"], account["used"], account["unattributed"]), (1000, 0, 0))

    def test_rejected_is_an_end(self):
        self.service.rules.append(lambda r: (200, [dict(self.service.public(job), status="rejected", failed_reason=None)
                                                   for job in self.service.jobs.values()])
                                  if "ids=" in r.query else
                                  (200, dict(self.service.public(next(iter(self.service.jobs.values()))), status="rejected",
                                             failed_reason="")) if r.path.startswith("/api/aurora/4") else None)
        self.feed(1)
        done = self.run_feed(code=1)
        self.assertEqual(done.row("A-1")["state"], "failed")
        self.assertIn("rejected", done.row("A-1")["reason"])

    def test_two_accounts_by_column(self):
        other = Creatify()
        self.addCleanup(other.stop)
        self.write("reelbatch.yaml", f"""
accounts:
  one: {{service: creatify, base_url: "{self.service.url}", id: {{env: CREATIFY_API_ID}}, key: {{env: CREATIFY_API_KEY}}}}
  two: {{service: creatify, base_url: "{other.url}", id: {{env: CREATIFY_API_ID}}, key: {{env: CREATIFY_API_KEY}}}}
""")
        rows = [{"id": f"B-{i}", "kind": "creatify.aurora", "account": "two" if i % 2 else "",
                 "audio": "https://m.example.test/a.mp3", "image": "https://m.example.test/i.png"} for i in range(4)]
        self.manifest(rows)
        done = self.run_feed(code=0)
        self.assertEqual([r["account"] for r in done.rows], ["one", "two", "one", "two"])
        self.assertEqual((len(self.service.order), len(other.order)), (2, 2))
        self.assertEqual(sorted(done.json["credits"]), ["one", "two"])

    def test_a_misspelt_model_is_refused_with_a_suggestion(self):
        self.manifest([{"id": "A-1", "kind": "creatify.aurora", "audio": "https://m.example.test/a.mp3",
                        "image": "https://m.example.test/i.png", "model_verion": "aurora_v1_fast"}])
        done = self.run_it("check", "feed.csv")
        self.assertNotEqual(done.code, 0)
        self.assertIn("model_version", done.text)

    def test_a_yaml_job_with_two_kinds(self):
        self.write("feed.yaml", json.dumps({"jobs": [
            {"id": "X-1", "kind": "creatify.aurora", "audio": "https://m.example.test/a.mp3",
             "image": "https://m.example.test/i.png", "prompt_guidance_scale": 2},
            {"id": "X-2", "image_urls": ["https://img.example.test/1.jpg"], "description": "A bright flat, quiet."}]}))
        done = self.run_it("run", "feed.yaml")
        self.assertEqual(done.code, 0, done)
        self.assertEqual({r["kind"] for r in done.rows}, {"creatify.aurora", "iacrea.auto"})
