#!/usr/bin/env python3
"""Whose no is it? One test for each answer in the tables of PRODUCT.md 4.5, 4.6 and 4.7, and 429 of section 5."""

import datetime
import email.utils
import socket
import sqlite3
import time
import unittest

from harness import Answer, Background, Case, KEY, Provider, row, wait_for

def begin_held_spacing(case):
    case.provider.on_submit(Answer(500), times=2)
    case.manifest(["A-1", "A-2", "A-3", "A-4", "A-5"])
    return case.start("run", "feed.csv", "--max-in-flight", "1")


def begin_key_refused(case):
    case.provider.on_poll(Answer(401, {"error": "Unauthorized"}))
    case.manifest(["A-1"])
    return case.start("run", "feed.csv")


background = Background(held_spacing=begin_held_spacing, key_refused=begin_key_refused)
load_tests, setUpModule, tearDownModule = background.load_tests, background.set_up, background.tear_down


class Submission(Case):
    """PRODUCT.md 4.5."""

    def test_a_connection_that_was_refused_is_tried_again(self):
        with socket.socket() as taken:  # a port where nobody listens
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self.manifest(["A-1", "A-2"])
        running = self.start("run", "feed.csv", env={"IACREA_BASE_URL": f"http://127.0.0.1:{port}"})
        wait_for(lambda: "again" in running.text() or running.ended(), what="a warning")
        late = Provider(port=port)
        self.addCleanup(late.stop)
        done = running.wait()
        self.assertEqual(done.code, 0, done)
        self.assertEqual([len(late.posts("A-1")), len(late.posts("A-2"))], [1, 1])
        self.assertEqual(done.row("A-1")["submissions"], "1")

    def test_429_is_sent_again(self):
        self.provider.on_submit(Answer(429, headers={"Retry-After": "1"}), nth=1)
        self.manifest(["A-1"])
        done = self.run_feed(code=0)
        self.assertEqual(done.state("A-1"), "done")
        self.assert_posts(2)
        self.assertEqual(self.provider.accepted("A-1"), 1)
        self.assertEqual(done.row("A-1")["submissions"], "2")  # paid requests of which a byte left

    def test_a_refused_row_has_failed_with_the_services_words(self):
        for status in (400, 413, 415, 422):
            with self.subTest(status):
                ref = f"S-{status}"
                self.provider.on_submit(Answer(status, {"error": f"words for {status} <b>"}), ref=ref)
                self.manifest([ref, f"T-{status}"])
                done = self.run_feed(code=1)
                self.assertEqual(done.state(ref), "failed")
                self.assertIn(f"words for {status} <b>", done.row(ref)["reason"])
                self.assertEqual(done.row(ref)["submissions"], "1")
                self.assertEqual(done.state(f"T-{status}"), "done")
                self.assert_posts(1, ref)

    def refuse_the_account(self, answer, code):
        """A-1 is taken, A-2 refused for the account's fault, A-3 not tried."""
        self.provider.on_submit(answer, ref="A-2")
        self.manifest(["A-1", "A-2", "A-3"])
        done = self.run_feed("--max-in-flight", "2", "--submit-rate", "1/150ms", code=code, pace=False,
                             env={"REELBATCH_RATE": "200/1s", "REELBATCH_POLL_INTERVAL": "150ms"})
        self.assert_states(done, A_1="done", A_2="planned", A_3="planned")
        self.assert_posts(1, "A-2")
        self.assert_posts(0, "A-3")
        return done

    def test_a_refused_key_stops_submissions_and_polls_on(self):
        for status in (401, 403):
            with self.subTest(status):
                self.refuse_the_account(Answer(status, {"error": "no"}), 5)
                self.assertEqual(self.last_json()["run"]["stopped_by"], "key")
                self.again()

    def test_no_credits_stops_submissions_and_polls_on(self):
        answers = (Answer(402), Answer(400, {"error": "Not enough credits"}),
                   Answer(400, {"message": "no credits left"}))
        for answer in answers:
            with self.subTest(status=answer.status, body=answer.body):
                self.refuse_the_account(answer, 3)
                self.assertEqual(self.last_json()["run"]["stopped_by"], "credits")
                self.again()

    def test_a_wrong_address_after_an_acceptance_is_3(self):
        redirect = {"Location": "https://www.example.test/"}
        for answer in (Answer(404), Answer(308, headers=redirect)):
            with self.subTest(answer.status):
                done = self.refuse_the_account(answer, 3)
                self.assertIn("check base_url", done.text)
                self.again()

    def last_json(self):
        import json
        return json.loads((self.folder / "results.json").read_text())

    def again(self):
        """As on the first day."""
        for name in self.folder.iterdir():
            name.unlink()
        self.provider.stop()
        self.provider = Provider()
        self.addCleanup(self.provider.stop)

    def test_a_wrong_address_with_nothing_accepted_is_2(self):
        other = Provider()
        self.addCleanup(other.stop)
        for status in (404, 405, 301, 302, 303, 307, 308):
            with self.subTest(status):
                headers = {"Location": other.url + "/elsewhere"} if status < 400 else {}
                self.provider.on_submit(Answer(status, "<html>not here</html>", headers=headers))
                self.manifest(["A-1"])
                done = self.run_feed(code=2)
                self.assertEqual(done.state("A-1"), "planned")
                self.assertIn("check base_url", done.text)
                self.assert_posts(1)
                self.assertEqual(other.requests, [], "the redirect was followed")
                self.again()

    def assert_held(self, answer, posts=1):
        self.provider.on_submit(answer, ref="A-1")
        self.manifest(["A-1"])
        done = self.run_feed(code=4)
        self.assertEqual(done.state("A-1"), "held", done)
        self.assert_posts(posts, "A-1")
        found = done.row("A-1")
        self.assertEqual(found["submissions"], "1")
        self.assertTrue(found["reason"])
        self.assertIsNone(done.json["run"]["stopped_by"])
        self.assertIn("A-1", done.text)
        self.again()
        return found

    def test_a_lost_answer_is_held(self):
        for lost in ("after", "reset", "half"):
            with self.subTest(lost):
                self.assert_held(Answer(lost=lost))

    def test_what_is_held_is_not_sent_by_later_runs(self):
        self.provider.on_submit(Answer(500), times=1)
        self.manifest(["A-1"])
        for _ in range(3):
            self.assertEqual(self.run_feed(code=4).state("A-1"), "held")
        self.assertEqual(self.run_feed("--retry-failed", code=4).state("A-1"), "held")
        self.assertEqual(self.run_it("resume").code, 4)
        self.assert_posts(1)

    def test_an_answer_that_does_not_come_in_time_is_held(self):
        import threading
        never = threading.Event()
        self.addCleanup(never.set)
        self.provider.on_submit(Answer(wait=never), ref="A-1")
        self.manifest(["A-1"])
        done = self.run_feed("--request-timeout", "500ms", code=4)
        self.assertEqual(done.state("A-1"), "held")
        never.set()
        self.run_feed(code=4)
        self.assert_posts(1)

    def test_a_status_that_says_nothing_certain_is_held(self):
        for status in (408, 409, 425, 418, 451, 500, 501, 502, 503, 504):
            with self.subTest(status):
                found = self.assert_held(Answer(status, {"error": "upstream"}))
                self.assertIn(str(status), found["reason"])

    def test_a_2xx_that_cannot_be_read_is_held(self):
        cases = {
            "HTML": Answer(200, "<!DOCTYPE html><html><body>Welcome</body></html>"),
            "truncated JSON": Answer(201, b'{"id":"gen-77","status":"PEND'),
            "no id": Answer(201, {"status": "PENDING"}),
            "an empty id": Answer(201, {"id": "", "status": "PENDING"}),
            "an id of another type": Answer(201, {"id": {"a": 1}, "status": "PENDING"}),
            "an empty body": Answer(201, b""),
            "204": Answer(204, b""),
            "a list": Answer(201, [{"id": "gen-77"}]),
            "not UTF-8": Answer(201, b'{"id":"\xff\xfe"}'),
        }
        for name, answer in cases.items():
            with self.subTest(name):
                self.assert_held(answer)

    def test_an_id_that_another_row_has_is_held(self):
        self.provider.on_submit(Answer(job_id="gen-same"), times=2)
        self.manifest(["A-1", "A-2"])
        done = self.run_feed("--max-in-flight", "1", code=4)
        self.assert_states(done, A_1="done", A_2="held")
        self.assertIn("gen-same", done.row("A-2")["reason"])
        self.assert_posts(2)
        self.provider.on_submit(Answer(job_id="gen-same"), ref="A-3", times=1)
        self.manifest(["A-3"])  # nor one of an earlier night
        self.assertEqual(self.run_feed(code=4).state("A-3"), "held")
        self.assert_posts(3)

    def test_an_id_of_another_type_than_text_is_taken_as_it_stands(self):
        self.provider.on_submit(Answer(201, {"id": 4711, "status": "PENDING"}), ref="A-1")
        self.provider.on_poll(Answer(200, {"status": "DONE", "url": "https://cdn.example.test/v.mp4"}))
        self.manifest(["A-1"])
        done = self.run_feed(code=0)
        self.assertEqual(done.row("A-1")["job_id"], "4711")
        self.assertTrue(self.provider.requests[-1].path.endswith("/4711"))

    def test_the_submission_is_what_the_vendors_page_asks_for(self):
        self.manifest([row("A-1", format="square", colors="#1a1a2e|#ffffff", font="Inter", music="calm",
                           display_logo="yes", logo_url="https://img.example.test/l.png",
                           webhook_url="https://hook.example.test/1", agency="Lyon")])
        self.run_feed(code=0)
        post = self.provider.posts()[0]
        self.assertEqual(post.path, "/api/video-editor/generate/video/auto")
        self.assertEqual(post.headers.get("x-api-key"), KEY)
        self.assertEqual(post.headers.get("Content-Type", "").split(";")[0], "application/json")
        self.assertNotIn("Expect", post.headers)
        self.assertEqual(post.json, {
            "image_urls": ["https://img.example.test/A-1/1.jpg", "https://img.example.test/A-1/2.jpg"],
            "description": row("A-1")["description"], "format": "square", "colors": ["#1a1a2e", "#ffffff"],
            "font": "Inter", "music": "calm", "displayLogo": True, "logoUrl": "https://img.example.test/l.png",
            "webhookUrl": "https://hook.example.test/1"})


class Held(Case):
    """PRODUCT.md 4.6."""

    def test_hold_limit_of_one_stops_submissions(self):
        self.config(account="hold_limit: 1")
        self.provider.on_submit(Answer(500), ref="A-1")
        self.manifest(["A-1", "A-2", "A-3"])
        done = self.run_feed("--max-in-flight", "1", code=3)
        self.assert_states(done, A_1="held", A_2="planned", A_3="planned")
        self.assert_posts(1)
        self.assertLess(done.seconds, 5)

    def test_not_taken_says_which_status_creates_nothing(self):
        self.config(account="not_taken: [503]")
        self.provider.on_submit(Answer(503, creates=False), ref="A-1", times=2)
        self.provider.on_submit(Answer(500), ref="A-2")
        self.manifest(["A-1", "A-2"])
        done = self.run_feed(code=4)
        self.assert_states(done, A_1="done", A_2="held")
        self.assert_posts(3, "A-1")
        self.assertEqual(self.provider.accepted("A-1"), 1)
        self.assert_posts(1, "A-2")

    def hold(self, *refs):
        for ref in refs:
            self.provider.on_submit(Answer(lost="after"), ref=ref)
        self.manifest(refs)
        self.run_feed("--limit", "1", code=4)

    def test_adopt_makes_it_in_flight(self):
        self.hold("A-1")
        self.provider.forget_rules()
        job = self.provider.jobs_of("A-1")[0].id
        said = self.run_it("resolve", "A-1", "adopt", job)
        self.assertEqual(said.code, 0, said)
        done = self.run_feed(code=0)
        self.assertEqual((done.state("A-1"), done.row("A-1")["job_id"]), ("done", job))
        self.assert_posts(1)
        self.assert_sound()

    def test_adopt_of_a_job_that_another_row_has_is_refused(self):
        self.manifest(["B-1"])
        self.run_feed(code=0)
        self.hold("A-1")
        said = self.run_it("resolve", "A-1", "adopt", self.provider.jobs_of("B-1")[0].id)
        self.assertEqual(said.code, 2, said)
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")

    def test_a_wrong_id_can_be_corrected_until_the_job_is_done(self):
        self.hold("A-1")
        self.provider.forget_rules()
        job = self.provider.jobs_of("A-1")[0].id
        self.assertEqual(self.run_it("resolve", "A-1", "adopt", "vid-of-nobody").code, 0)
        self.assertEqual(self.run_feed("--job-timeout", "1s", code=3).state("A-1"), "timed_out")
        for wrong in ("another-one", job):  # while it is in flight as well
            said = self.run_it("resolve", "A-1", "adopt", f" {wrong} ")
            self.assertEqual(said.code, 0, said)
        done = self.run_feed(code=0)
        self.assertEqual((done.state("A-1"), done.row("A-1")["job_id"]), ("done", job))
        self.assert_posts(1)
        self.assert_sound()
        with sqlite3.connect(self.folder / "reelbatch.db") as ledger:
            told = [detail for detail, in ledger.execute("SELECT detail FROM steps WHERE detail LIKE 'adopted%' ORDER BY id")]
        self.assertEqual(told, [f"adopted by the operator as {each}" for each in ("vid-of-nobody", "another-one", job)])
        said = self.run_it("resolve", "A-1", "adopt", "vid-of-nobody")
        self.assertEqual(said.code, 2, said)
        self.assertIn("no held job has the id 'A-1', nor an adopted one that is not done", said.err)
        self.assertEqual(self.run_feed(code=0).row("A-1")["job_id"], job)

    def test_a_job_that_was_never_in_doubt_has_the_id_that_the_service_gave(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        self.run_feed("--job-timeout", "1s", code=3)
        self.assertEqual(self.run_it("resolve", "A-1", "adopt", "another").code, 2)

    def test_what_can_be_no_id_is_refused(self):
        self.hold("A-1")
        for wrong, why in ((f"{self.provider.url}/video/9", "needs to be the id alone, not the address"),
                           ("..", "needs to be the service's id, not dots"), ("x" * 256, "has 256 characters"),
                           ("  ", "is empty"), ("two words", "has blanks or control characters"),
                           ("a\x1b[31mb", "has blanks or control characters"), ("a\nb", "needs to be on one line")):
            with self.subTest(wrong):
                said = self.run_it("resolve", "A-1", "adopt", wrong)
                self.assertEqual(said.code, 2, said)
                self.assertIn(why, said.err)
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")

    def test_resubmit_makes_it_planned(self):
        self.hold("A-1")
        self.provider.forget_rules()
        self.assertEqual(self.run_it("resolve", "A-1", "resubmit").code, 0)
        plan = self.plan()
        self.assertEqual(plan["A-1"]["action"], "submit")
        self.assert_posts(1)
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(2)
        self.assert_sound()

    def test_resume_submits_what_was_resolved_to_resubmit(self):
        self.hold("A-1")
        self.provider.forget_rules()
        self.assertEqual(self.run_it("resolve", "A-1", "resubmit").code, 0)
        done = self.run_it("resume")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.state("A-1"), "done")
        self.assert_posts(2)

    def test_drop_makes_it_failed(self):
        self.hold("A-1")
        self.provider.forget_rules()
        self.assertEqual(self.run_it("resolve", "A-1", "drop").code, 0)
        done = self.run_feed(code=1)
        self.assertEqual(done.state("A-1"), "failed")
        self.assertEqual(done.row("A-1")["credits_used"], "")
        self.assert_posts(1)
        self.assert_sound()

    def test_all_asks_or_takes_yes(self):
        self.provider.on_submit(Answer(lost="after"))
        self.config(account="hold_limit: 2")
        self.manifest(["A-1"])
        self.run_feed(code=4)
        self.manifest(["A-2"])
        self.run_feed(code=4)
        refused = self.run_it("resolve", "--all", "drop")
        self.assertEqual(refused.code, 2, refused)
        self.assertIn("--yes", refused.err)
        self.manifest(["A-1", "A-2"])
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")
        self.assertEqual(self.run_it("resolve", "--all", "drop", "--yes").code, 0)
        self.assert_states(self.run_feed(code=1), A_1="failed", A_2="failed")
        self.assert_posts(2)

    def test_what_is_not_held_is_not_resolved(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        for words in (["A-1", "resubmit"], ["A-1", "drop"], ["A-1", "adopt", "gen-9"], ["Z-9", "drop"]):
            with self.subTest(words):
                self.assertEqual(self.run_it("resolve", *words).code, 2)
        self.run_feed(code=0)
        self.assert_posts(1)

    def test_what_was_resolved_is_recorded(self):
        self.hold("A-1")
        self.run_it("resolve", "A-1", "drop")
        self.assertIn("dropped", self.run_feed(code=1).row("A-1")["reason"])


class Poll(Case):
    """PRODUCT.md 4.7."""

    def test_404_is_not_yet(self):
        self.provider.on_poll(Answer(404, "<html>no such video</html>"), times=5)
        self.manifest(["A-1"])
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(1)

    def test_a_key_refused_for_a_moment_is_borne(self):
        self.provider.on_poll(Answer(401), times=3)
        self.manifest(["A-1"])
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(1)

    def test_any_other_refusal_is_tried_again(self):
        answers = {
            "400": Answer(400), "402": Answer(402), "403": Answer(403), "405": Answer(405), "410": Answer(410),
            "500": Answer(500), "503": Answer(503),
            "a redirect": Answer(308, headers={"Location": "https://www.example.test/"}),
            "HTML": Answer(200, "<html>maintenance</html>"), "truncated": Answer(200, b'{"status":"DONE","url":"ht'),
            "an empty body": Answer(200, b""), "no status": Answer(200, {"url": "https://x.test/v.mp4"}),
            "lost": Answer(lost="after"), "reset": Answer(lost="reset"), "half": Answer(lost="half"),
            "done without a url": Answer(200, {"status": "DONE"}),
            "done with an empty url": Answer(200, {"status": "DONE", "url": ""}),
            "an unknown word": Answer(200, {"status": "COMPOSING"}),
            "pending again": Answer(200, {"status": "PENDING", "message": "Re-generating video in error"}),
        }
        refs = []
        for number, (name, answer) in enumerate(answers.items()):
            refs.append(f"P-{number:02d}")
            self.provider.on_poll(answer, ref=refs[-1], times=2)
        self.manifest(refs)
        done = self.run_feed(code=0)
        for ref, name in zip(refs, answers):
            with self.subTest(name):
                self.assertEqual(done.state(ref), "done")
                self.assertEqual(done.row(ref)["url"], self.provider.jobs_of(ref)[0].url)
                self.assert_posts(1, ref)
                self.assertGreaterEqual(len(self.provider.polls(ref)), 5)

    def test_a_redirected_poll_is_not_followed(self):
        other = Provider()
        self.addCleanup(other.stop)
        for status in (301, 302, 307, 308):
            self.provider.on_poll(Answer(status, headers={"Location": other.url + "/elsewhere"}), times=1)
        self.manifest(["A-1"])
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assertEqual(other.requests, [])
        self.assert_posts(1)

    def test_polls_refused_until_the_job_timeout(self):
        self.provider.on_poll(Answer(500))
        self.manifest(["A-1"])
        done = self.run_feed("--job-timeout", "1s", code=3)
        self.assertEqual(done.state("A-1"), "timed_out")
        self.assertEqual(done.json["run"]["stopped_by"], "job_timeout")
        self.provider.forget_rules()
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(1)

    def test_a_failed_job_has_the_services_words(self):
        cases = {"E-1": {"status": "ERROR", "message": "the render crashed"},
                 "E-2": {"status": "error", "error": {"message": "the render crashed"}},
                 "E-3": {"status": "FAILED", "error": "the render crashed"}}
        for ref, body in cases.items():
            self.provider.on_poll(Answer(200, body), ref=ref)
        self.manifest(list(cases))
        done = self.run_feed(code=1)
        for ref in cases:
            self.assertEqual(done.state(ref), "failed")
            self.assertIn("the render crashed", done.row(ref)["reason"])
            self.assert_posts(1, ref)

    def test_retry_after_of_a_5xx_is_a_floor_for_that_job_alone(self):
        self.provider.on_poll(Answer(503, headers={"Retry-After": "2"}), ref="A-1", times=1)
        self.provider.steps = ["GENERATING_VIDEO"] * 20
        self.manifest(["A-1", "A-2"])
        self.run_feed(code=0)
        first, second = self.provider.polls("A-1")[:2]
        self.assertGreaterEqual(second.at - first.at, 2.0)
        between = [r for r in self.provider.polls("A-2") if first.at < r.at < first.at + 2]
        self.assertGreater(len(between), 5)

    def assert_account_held(self, seconds, headers, on_poll=True, at_most=None):
        """429 to one request: no other of the account for so long, and soon after it."""
        if on_poll:
            self.provider.on_poll(Answer(429, headers=headers), nth=6, times=1)
        else:
            self.provider.on_submit(Answer(429, headers=headers, creates=False), nth=3, times=1)
        self.provider.steps = ["GENERATING_VIDEO"] * 6
        self.manifest([f"A-{i}" for i in range(6)])
        done = self.run_feed("--max-in-flight", "3", code=0)
        self.assertEqual(self.provider.accepted(), 6)
        times = sorted(r.at for r in self.provider.requests)
        gap = max(b - a for a, b in zip(times, times[1:]))
        self.assertGreaterEqual(gap, seconds - 0.05)
        self.assertLess(gap, (at_most or seconds) + 1.5)
        return done

    def test_429_to_a_poll_holds_the_account_for_the_time_it_says(self):
        self.assert_account_held(2, {"Retry-After": "2"})

    def test_429_to_a_submission_holds_the_account_for_the_time_it_says(self):
        self.assert_account_held(2, {"Retry-After": "2"}, on_poll=False)

    def test_429_with_a_date(self):
        due = []

        def in_two_seconds_or_three():
            now = datetime.datetime.now(datetime.timezone.utc)
            at = (now + datetime.timedelta(seconds=3)).replace(microsecond=0)
            due.append(time.monotonic() + (at - now).total_seconds())
            return email.utils.format_datetime(at, usegmt=True)

        self.assert_account_held(1.5, {"Retry-After": in_two_seconds_or_three}, at_most=3)
        refused = self.provider.polls()[5].at
        early = [r.at for r in self.provider.requests if refused + 0.1 < r.at < due[0] - 0.05]
        self.assertEqual(early, [])

    def test_429_without_or_with_an_unreadable_time_is_one_second(self):
        for headers in ({}, {"Retry-After": "soon"}, {"Retry-After": "-5"},
                        {"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}):
            with self.subTest(headers):
                self.assert_account_held(1, headers)
                for name in self.folder.iterdir():
                    name.unlink()
                self.provider.stop()
                self.provider = Provider()
                self.addCleanup(self.provider.stop)

    def test_429_longer_than_the_outage_timeout_stops_the_account(self):
        self.provider.on_submit(Answer(429, headers={"Retry-After": "600"}))
        self.manifest(["A-1"])
        done = self.run_feed("--outage-timeout", "40s", code=3)
        self.assertLess(done.seconds, 40)
        self.assertEqual(done.state("A-1"), "planned")
        self.assertEqual(done.row("A-1")["submissions"], "1")
        self.assertRegex(done.text, r"\d{4}-\d\d-\d\dT\d\d:\d\d")
        self.assert_posts(1)

    def test_429_longer_than_the_deadline_stops_the_account(self):
        self.provider.on_poll(Answer(429, headers={"Retry-After": "600"}))
        self.manifest(["A-1"])
        done = self.run_feed("--deadline", "30s", "--job-timeout", "10s", code=3)
        self.assertLess(done.seconds, 20)
        self.assertEqual(done.state("A-1"), "in_flight")
        self.assert_posts(1)


class ZBeside(unittest.TestCase):
    """What takes long by contract."""

    def test_after_held_submissions_one_at_a_time_spaced_by_5_s_doubling(self):
        case = background["held_spacing"]
        done = case.running.wait(90)
        self.assertEqual(done.code, 4, done)
        case.assert_states(done, A_1="held", A_2="held", A_3="done", A_4="done", A_5="done")
        times = [r.at for r in case.provider.posts()]
        self.assertEqual(len(times), 5)
        self.assertGreaterEqual(times[1] - times[0], 4.95)
        self.assertLess(times[1] - times[0], 9)
        self.assertGreaterEqual(times[2] - times[1], 9.95)
        self.assertLess(times[2] - times[1], 15)
        self.assertLess(times[4] - times[2], 5)  # once one is accepted, as before

    def test_a_key_refused_to_polls_for_a_minute_stops_the_account(self):
        case = background["key_refused"]
        done = case.running.wait(130)
        self.assertEqual(done.code, 5, done)
        polls = case.provider.polls()
        self.assertGreaterEqual(polls[-1].at - polls[0].at, 59.9)
        self.assertEqual(done.state("A-1"), "in_flight")
        self.assertEqual(done.json["run"]["stopped_by"], "key")
        case.assert_posts(1)
        case.provider.forget_rules()
        case.run_feed(code=0)
        case.assert_posts(1)


if __name__ == "__main__":
    unittest.main()
