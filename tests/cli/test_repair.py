#!/usr/bin/env python3
"""Clips that stay in error, from outside: made again by policy, each time paid for, never twice for one doubt."""

import json
import threading

from harness import Case, wait_for
from services import VideoEditor

VIDEO = {"format": "landscape", "colors": ["#ffffff", "#000000"], "sequences": [
    {"order": 0, "duration": 5, "type": "video", "animationType": "CAMERA_PUSH_IN", "url": "https://img.example.test/1.jpg"}]}
POLICY = "repair: {after: 200ms, times: 1}\n"


class Repair(Case):
    def setUp(self):
        super().setUp()
        self.service = VideoEditor()
        self.addCleanup(self.service.stop)
        self.service.breaks = ["c1"]
        self.write("feed.yaml", json.dumps({"jobs": [{"id": "V-1", "kind": "iacrea.video", "video": VIDEO}]}))

    def environment(self, changes=None):
        return super().environment({"IACREA_BASE_URL": self.service.url, **(changes or {})})

    def policy(self, text=POLICY, account=""):
        self.write("reelbatch.yaml", text + (f"accounts: {{iacrea: {{service: iacrea, {account}}}}}\n" if account else ""))

    def go(self, *args, code=0):
        done = self.run_it("run", "feed.yaml", *args)
        self.assertEqual(done.code, code, done)
        return done

    def remakes(self):
        return self.service.sent("POST", "sequence")

    def lose_remakes(self):
        self.service.rules.append(lambda r: "lost" if r.method == "POST" and "sequence" in r.path else None)

    def test_nothing_is_made_again_unless_it_is_asked_for(self):
        done = self.go("--job-timeout", "1s", code=3)
        self.assertEqual(done.state("V-1"), "timed_out")
        self.assertEqual(self.remakes(), [])

    def test_a_clip_in_error_is_made_again(self):
        self.policy()
        done = self.go()
        (post,) = self.remakes()
        self.assertEqual((post.path, post.body), (VideoEditor.BASE + "sequence/vid-1", {"sequenceId": "c1"}))
        row = done.row("V-1")
        self.assertEqual((row["state"], row["submissions"], row["url"]), ("done", "2", VideoEditor.address("vid-1", 2)))
        self.assertIn("1 part made again", row["reason"])
        self.assert_sound()
        requests = len(self.service.requests)
        self.assertEqual(self.go().state("V-1"), "done")
        self.assertEqual(len(self.service.requests), requests)

    def test_it_waits_for_as_long_as_the_policy_says(self):
        self.policy("repair: {after: 1h}\n")
        done = self.go("--job-timeout", "1s", code=3)
        self.assertEqual(self.remakes(), [])
        self.assertIn("repair.after is 3600s", done.err)

    def test_a_clip_is_made_again_so_often_and_no_more(self):
        self.service.breaks_again = True
        self.policy("repair: {after: 100ms, times: 2}\n")
        done = self.go("--job-timeout", "2s", code=3)
        self.assertEqual([post.body["sequenceId"] for post in self.remakes()], ["c1", "gen-1"])
        self.assertEqual(done.state("V-1"), "timed_out")
        self.go("--job-timeout", "1s", code=3)
        self.assertEqual(len(self.remakes()), 2)
        self.assert_sound()

    def test_each_clip_counts_for_itself(self):
        self.service.breaks = ["c1", "c2", "c3"]
        self.policy()
        self.assertEqual(self.go("--max-in-flight", "1").row("V-1")["submissions"], "4")
        self.assertEqual([post.body["sequenceId"] for post in self.remakes()], ["c1", "c2", "c3"])

    def test_its_price_is_the_videos(self):
        for per_video, meaning in ((True, "job"), (False, "account")):
            with self.subTest(meaning):
                self.service.used_is = "video" if per_video else "account"
                self.policy(account=f"credits: {meaning}")
                self.write("feed.yaml", json.dumps({"jobs": [{"id": f"V-{meaning}", "kind": "iacrea.video", "video": VIDEO}]}))
                self.service.total, self.service.used = 100, 0
                done = self.go("--ledger", f"{meaning}.db")
                # Before the first answer nobody knows the account's figures.
                self.assertEqual(done.row(f"V-{meaning}")["credits_used"], "2" if per_video else "")
                sums = done.json["credits"]["iacrea"]
                self.assertEqual((sums["remaining"], sums["unattributed"]), (98, 0 if per_video else 1))

    def test_only_within_the_budget(self):
        self.policy(account="max_price: {iacrea.video: 1, iacrea.sequence: 1}")
        done = self.go("--max-credits", "1", "--job-timeout", "1s", code=3)
        self.assertEqual((done.state("V-1"), self.remakes()), ("timed_out", []))
        self.go("--max-credits", "1")
        self.assertEqual(len(self.remakes()), 1)

    def test_a_budget_that_has_no_room_does_not_stop_the_run(self):
        self.policy(account="max_price: {iacrea.video: 1, iacrea.sequence: 1}")
        heal = []

        def heal_later(request):
            if request.method == "GET":
                heal.append(request)
                if len(heal) > 10:
                    self.service.broken["vid-1"] = []
            return None
        self.service.rules.append(heal_later)
        self.assertEqual(self.go("--max-credits", "1").state("V-1"), "done")
        self.assertEqual(self.remakes(), [])

    def test_without_a_price_a_budget_lets_none_through(self):
        self.policy(account="max_price: {iacrea.video: 1}")
        self.go("--max-credits", "9", "--job-timeout", "1s", code=3)
        self.assertEqual(self.remakes(), [])

    def test_a_lost_answer_is_in_doubt_and_never_sent_again(self):
        self.policy()
        self.lose_remakes()
        done = self.go()
        self.assertEqual(done.state("V-1"), "done")
        self.assertIn("V-1/repair/2", done.row("V-1")["reason"])
        self.assertIn("V-1/repair/2", self.run_it("status").text)
        self.service.breaks_again = True
        self.go()
        self.assertEqual(len(self.remakes()), 1)
        self.assert_sound()
        self.assertEqual(self.run_it("resolve", "V-1/repair/2", "drop").code, 0)
        self.assert_sound()

    def test_a_clip_in_doubt_stays_as_it_is(self):
        self.policy()
        self.service.rules.append(lambda r: (502, "") if r.method == "POST" and "sequence" in r.path else None)
        self.go("--job-timeout", "1s", code=3)
        self.service.rules.clear()
        done = self.go("--job-timeout", "1s", code=3)
        self.assertEqual(len(self.remakes()), 1)
        self.assertIn("V-1/repair/2", done.row("V-1")["reason"])
        self.assertEqual(self.run_it("resolve", "V-1/repair/2", "resubmit").code, 0)
        self.assertEqual(self.go().state("V-1"), "done")
        self.assertEqual(len(self.remakes()), 2)
        self.assert_sound()

    def test_killed_while_it_is_sent_it_is_not_sent_again(self):
        self.policy()
        answer = threading.Event()
        self.addCleanup(answer.set)

        def hang(request):
            if request.method == "POST" and "sequence" in request.path:
                answer.wait(30)
                return "lost"
            return None
        real = self.service.handle

        def handle(request):  # waits without the lock, so that polls go on
            with self.service.lock:
                self.service.requests.append(request)
            return hang(request) or self.service.serve(request)
        self.service.handle = handle
        running = self.start("run", "feed.yaml")
        wait_for(self.remakes, what="the repair")
        running.kill()
        answer.set()
        self.service.handle = real
        self.service.broken["vid-1"] = ["c1"]
        done = self.go("--job-timeout", "1s", code=3)
        self.assertEqual(len(self.remakes()), 1)
        self.assertIn("V-1/repair/2", done.row("V-1")["reason"])
        self.assert_sound()

    def test_killed_after_it_was_accepted_it_is_polled(self):
        self.policy()
        self.service.polls_until_done = 10 ** 9
        running = self.start("run", "feed.yaml")
        wait_for(lambda: self.remakes() and len(self.service.sent("GET")) > 12, what="polls after the repair")
        running.kill()
        self.service.videos["vid-1"] = 2
        done = self.go("--max-in-flight", "1")
        self.assertEqual((done.state("V-1"), len(self.remakes())), ("done", 1))
        self.assertEqual(self.run_it("ledger", "verify").code, 0)

    def test_too_many_requests_put_it_off(self):
        self.policy()
        said = []

        def refuse_once(request):
            if request.method == "POST" and "sequence" in request.path and not said:
                said.append(request)
                return 429, ""
            return None
        self.service.rules.append(refuse_once)
        self.assertEqual(self.go().row("V-1")["submissions"], "3")
        self.assertEqual(len(self.remakes()), 2)
        self.assert_sound()

    def test_a_clip_that_is_not_known_stops_nothing_else(self):
        self.policy()
        self.service.rules.append(lambda r: (404, {"error": "Sequence not found"}) if "sequence" in r.path else None)
        self.service.breaks = ["c1"]
        jobs = [{"id": f"V-{i}", "kind": "iacrea.video", "video": {**VIDEO, "music": str(i)}} for i in (1, 2)]
        self.write("feed.yaml", json.dumps({"jobs": jobs}))
        done = self.go("--max-in-flight", "1", "--job-timeout", "1s", code=3)
        self.assert_states(done, V_1="timed_out", V_2="timed_out")
        self.assertEqual(done.json["run"]["stopped_by"], "job_timeout")
        self.assertEqual(len(self.remakes()), 2)

    def test_a_followed_video_is_left_alone(self):
        self.policy()
        self.service.videos["old-7"], self.service.renders["old-7"], self.service.broken["old-7"] = 0, 1, ["c1"]
        self.write("feed.yaml", json.dumps({"jobs": [{"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"}]}))
        self.go("--job-timeout", "1s", code=3)
        self.assertEqual(self.service.sent("POST"), [])

    def test_what_the_configuration_may_say(self):
        for text, words in (("repair: {aftr: 5m}", "did you mean 'after'"), ("repair: {after: 0s}", "too short"),
                            ("repair: {times: -1}", "repair.times"), ("repair: yes", "repair")):
            with self.subTest(text):
                self.policy(text + "\n")
                done = self.run_it("plan", "feed.yaml")
                self.assertEqual(done.code, 2, done)
                self.assertIn(words, done.err)
