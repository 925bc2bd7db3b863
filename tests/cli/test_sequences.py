#!/usr/bin/env python3
"""IACrea's videos from sequences, from outside: made, followed, and made anew clip by clip."""

import json

from harness import Case
from services import VideoEditor

VIDEO = {"format": "landscape", "colors": ["#ffffff", "#000000"], "sequences": [
    {"order": 0, "duration": 3, "type": "intro"},
    {"order": 1, "duration": 5, "type": "video", "animationType": "CAMERA_PUSH_IN", "url": "https://img.example.test/1.jpg"}]}


class VideoCase(Case):
    def setUp(self):
        super().setUp()
        self.service = VideoEditor()
        self.addCleanup(self.service.stop)

    def environment(self, changes=None):
        return super().environment({"IACREA_BASE_URL": self.service.url, **(changes or {})})

    def jobs(self, *jobs):
        self.write("feed.yaml", json.dumps({"jobs": list(jobs)}))

    def go(self, *args, code=0):
        done = self.run_it("run", "feed.yaml", *args)
        self.assertEqual(done.code, code, done)
        return done

    def sequence(self, ref, video, clip, **fields):
        return {"id": ref, "kind": "iacrea.sequence", "video_id": video, "sequence_id": clip, **fields}


class Videos(VideoCase):
    def test_a_video_is_made_from_sequences(self):
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        done = self.go()
        self.assertEqual(done.row("V-1")["url"], VideoEditor.address("vid-1", 1))
        (post,) = self.service.sent("POST")
        self.assertEqual(post.body, {"video": VIDEO})
        self.assertEqual(len(self.go().rows), 1)
        self.assertEqual(len(self.service.sent("POST")), 1)

    def test_a_followed_video_costs_nothing(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 2, 1
        self.jobs({"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"})
        done = self.go()
        row = done.row("F-1")
        self.assertEqual((row["state"], row["job_id"], row["credits_used"], row["submissions"]), ("done", "old-7", "0", "0"))
        self.assertEqual(self.service.sent("POST"), [])
        self.assertNotIn("earlier runs", done.out + done.err)
        self.assert_sound()
        requests = len(self.service.requests)
        done = self.go()
        self.assertIn("1 from earlier runs", done.out + done.err)
        self.assertEqual(done.row("F-1")["credits_used"], "0")
        self.assertEqual(len(self.service.requests), requests)

    def test_a_video_that_is_followed_and_made_again_is_asked_for_by_one_poll(self):
        follow = {"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"}
        again = [self.sequence(f"S-{i}", "old-7", f"seq-{i}") for i in (1, 2)]
        for name, jobs in (("first", [follow, *again]), ("last", [*again, follow]), ("between", [again[0], follow, again[1]])):
            with self.subTest(name):
                self.service.videos["old-7"], self.service.renders["old-7"] = 3, 1
                self.jobs(*jobs)
                before = len(self.service.requests)
                done = self.go("--ledger", name + ".db")
                self.assertEqual({r["state"] for r in done.rows}, {"done"})
                asked = self.service.requests[before:]
                gets = [request for request in asked if request.method == "GET"]
                self.assertEqual({r["polls"] for r in done.rows}, {str(len(gets))})

    def test_a_video_that_several_rows_follow_is_asked_for_once(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 3, 1
        self.jobs(*({"id": f"F-{i}", "kind": "iacrea.video", "video_id": "old-7"} for i in range(3)))
        done = self.go("--max-in-flight", "1")
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        self.assertEqual(max(int(r["polls"]) for r in done.rows), len(self.service.requests))

    def test_a_lost_video_is_adopted_although_another_row_follows_it(self):
        self.service.rules.append(lambda r: "lost" if r.method == "POST" else None)
        made = {"id": "V-1", "kind": "iacrea.video", "video": VIDEO}
        self.jobs(made)
        self.go(code=4)
        self.service.rules.clear()
        self.jobs(made, {"id": "F-1", "kind": "iacrea.video", "video_id": "vid-1"})
        self.go(code=4)
        done = self.run_it("resolve", "V-1", "adopt", "vid-1")
        self.assertEqual(done.code, 0, done)
        self.assert_states(self.go(), V_1="done", F_1="done")
        self.assertEqual(len(self.service.sent("POST")), 1)
        self.assert_sound()

    def test_following_needs_no_budget(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.jobs({"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"})
        self.go("--max-credits", "0")

    def test_followed_videos_go_on_behind_rows_that_a_budget_leaves_out(self):
        jobs = []
        for i in range(3):
            # More than are passed over in one turn.
            jobs += [{"id": f"V-{i}-{k}", "kind": "iacrea.video", "video": VIDEO} for k in range(300)]
            jobs += [self.sequence(f"S-{i}-{k}", f"old-{i}", f"c{k}") for k in range(3)]
            self.service.videos[f"old-{i}"], self.service.renders[f"old-{i}"] = 2, 1
            jobs.append({"id": f"F-{i}", "kind": "iacrea.video", "video_id": f"old-{i}"})
        self.jobs(*jobs)
        done = self.go("--max-credits", "0", "--max-in-flight", "1", code=3)
        followed = [row for row in done.rows if row["id"].startswith("F-")]
        self.assertEqual([row["state"] for row in followed], ["done"] * 3)
        self.assertEqual({row["state"] for row in done.rows if row not in followed}, {"planned"})
        self.assertEqual(self.service.sent("POST"), [])
        self.assert_sound()

    def test_clips_of_one_video_go_one_after_the_other_then_one_poll(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.jobs(self.sequence("S-1", "old-7", "c1"), self.sequence("S-2", "old-7", "c2", effect="CAMERA_PUSH_IN"),
                  self.sequence("S-3", "old-7", "c3", url="https://img.example.test/9.jpg"))
        done = self.go("--max-in-flight", "1")
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        self.assertEqual([done.row(f"S-{i}")["job_id"] for i in (1, 2, 3)], ["gen-1", "gen-2", "gen-3"])
        order = [r.method for r in self.service.requests]
        self.assertEqual(order[:3], ["POST", "POST", "POST"])
        self.assertNotIn("POST", order[3:])
        posts = self.service.sent("POST")
        self.assertEqual(posts[0].body, {"sequenceId": "c1"})
        self.assertEqual(posts[1].body, {"sequenceId": "c2", "sequence": {"effect": "CAMERA_PUSH_IN"}})
        self.assertEqual(len(self.service.sent("GET")), 3, "one poll for all three")
        self.assert_sound()

    def test_clips_far_apart_in_the_manifest_go_together(self):
        for video in ("old-1", "old-2"):
            self.service.videos[video], self.service.renders[video] = 0, 1
        rows = [self.sequence("S-0", "old-1", "c0")]
        rows += [self.sequence(f"T-{i}", "old-2", f"c{i}") for i in range(70)]
        rows.append(self.sequence("S-1", "old-1", "c1"))
        self.jobs(*rows)
        done = self.go("--max-in-flight", "1", "--rate", "500/1s", "--submit-rate", "500/1s")
        self.assertEqual({r["state"] for r in done.rows}, {"done"})
        self.assertEqual([r.path[-5:] for r in self.service.sent("POST")][:2], ["old-1", "old-1"])
        self.assertEqual(len(self.service.sent("POST")), 72)

    def test_a_clip_made_again_costs_what_it_added_to_the_videos_figure(self):
        self.service.used_is = "video"
        self.write("reelbatch.yaml", "accounts: {iacrea: {service: iacrea, credits: job}}\n")
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.go()
        self.jobs(self.sequence("S-1", "vid-1", "c1"), self.sequence("S-2", "vid-1", "c2"))
        done = self.go()
        self.assertEqual([done.row(ref)["credits_used"] for ref in ("S-1", "S-2")], ["1", "1"])
        sums = done.json["credits"]["iacrea"]
        self.assertEqual((sums["used"], sums["remaining"], sums["unattributed"]), (2, 96, 0))

    def test_of_a_video_that_others_made_the_price_is_not_known(self):
        self.service.used_is = "video"
        self.write("reelbatch.yaml", "accounts: {iacrea: {service: iacrea, credits: job}}\n")
        self.service.videos["old-7"], self.service.renders["old-7"], self.service.used_by["old-7"] = 0, 1, 5
        self.jobs(self.sequence("S-1", "old-7", "c1"))
        self.assertEqual(self.go().row("S-1")["credits_used"], "")

    def test_figures_of_one_video_do_not_tell_what_they_are(self):
        self.service.used_is = "video"
        self.service.videos["old-7"], self.service.renders["old-7"], self.service.used_by["old-7"] = 0, 1, 5
        self.jobs(self.sequence("S-1", "old-7", "c1"), self.sequence("S-2", "old-7", "c2"))
        self.go()  # the sums of used and remaining are the same, and the figure is the video's all the same
        self.assertNotIn("whole account", self.run_it("status").text)

    def test_the_old_render_is_not_taken_for_the_new(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.service.stale_polls = 3
        self.jobs(self.sequence("S-1", "old-7", "c1"))
        done = self.go()
        self.assertEqual(done.row("S-1")["url"], VideoEditor.address("old-7", 2))

    def test_an_older_video_says_by_what_it_was_overtaken(self):
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.go()
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO}, self.sequence("S-1", "vid-1", "c1"))
        done = self.go()
        self.assertIn("S-1", done.row("V-1")["reason"])
        self.jobs(self.sequence("S-1", "vid-1", "c1"), self.sequence("S-2", "vid-1", "c1"))
        done = self.go()
        self.assertIn("S-2", done.row("S-1")["reason"])
        self.assertEqual(len(self.service.sent("POST", "sequence")), 2)

    def test_a_video_that_is_kept_as_it_is_says_by_what_it_was_overtaken_as_well(self):
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.go()
        changed = {"id": "V-1", "kind": "iacrea.video", "video": {**VIDEO, "format": "square"}}
        self.jobs(changed, self.sequence("S-1", "vid-1", "c1"))
        reason = self.go("--on-change", "skip").row("V-1")["reason"]
        self.assertIn("kept by --on-change skip", reason)
        self.assertIn("overtaken by S-1", reason)

    def test_a_followed_video_goes_with_its_clips(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 2, 1
        self.jobs({"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"}, self.sequence("S-1", "old-7", "c1"))
        done = self.go("--max-in-flight", "1")
        self.assertEqual({r["url"] for r in done.rows}, {VideoEditor.address("old-7", 2)})
        self.assertEqual((done.row("F-1")["credits_used"], done.row("F-1")["reason"]), ("0", ""))

    def test_a_clip_that_is_refused_does_not_stop_the_others(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.service.rules.append(lambda r: (400, {"message": "unknown sequence"})
                                  if r.method == "POST" and r.body["sequenceId"] == "bad" else None)
        self.jobs(self.sequence("S-1", "old-7", "bad"), self.sequence("S-2", "old-7", "c2"))
        done = self.go(code=1)
        self.assert_states(done, S_1="failed", S_2="done")

    def test_a_lost_answer_holds_its_clip_alone(self):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.service.rules.append(lambda r: "lost" if r.method == "POST" and r.body["sequenceId"] == "c1" else None)
        self.jobs(self.sequence("S-1", "old-7", "c1"), self.sequence("S-2", "old-7", "c2"))
        done = self.go(code=4)
        self.assert_states(done, S_1="held", S_2="done")
        self.assertEqual(len(self.service.sent("POST")), 2)


class Credits(VideoCase):
    """A service that counts credits by video: `creditsUsed` of a clip made again is that of its whole video."""

    def setUp(self):
        super().setUp()
        self.service.used_is = "video"

    def account(self, more):
        self.write("reelbatch.yaml", "accounts: {iacrea: {service: iacrea, key: {env: IACREA_API_KEY}, "
                                     f"base_url: '{self.service.url}', {more}}}}}")

    def video_of_others(self, credits):
        self.service.videos["old-7"], self.service.renders["old-7"] = 0, 1
        self.service.charge("old-7", credits)

    def credits(self):
        done = self.run_it("credits", "--format", "json")
        self.assertEqual(done.code, 0, done)
        account = json.loads(done.out)["accounts"]["iacrea"]
        return account["used"], account["unknown_jobs"], account["unattributed"]

    def test_clips_of_one_video_prove_nothing_about_the_account(self):
        self.video_of_others(3)
        self.jobs(*[self.sequence(f"S-{i}", "old-7", f"c{i}") for i in range(4)])
        self.go()
        self.assertEqual(self.credits(), (None, 4, 3))
        text = self.run_it("credits").out
        self.assertIn("undecided", text)
        self.assertIn("unknown used by jobs", text)

    def test_a_clip_cost_what_its_video_rose_by(self):
        self.account("credits: job")
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.assertEqual(self.go().row("V-1")["credits_used"], "2")
        self.jobs(*[self.sequence(f"S-{i}", "vid-1", f"c{i}") for i in range(3)])
        done = self.go()
        self.assertEqual([done.row(f"S-{i}")["credits_used"] for i in range(3)], ["1"] * 3)
        self.jobs(self.sequence("S-9", "vid-1", "c0"))
        self.assertEqual(self.go().row("S-9")["credits_used"], "1", "from what the ledger knows of the video")
        self.assertEqual(self.credits(), (6, 0, 0))
        self.assert_sound()

    def test_a_clip_sent_again_does_not_pay_for_the_one_that_was_lost(self):
        self.account("credits: job")
        self.jobs({"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.go()
        lost = iter(("lost",))
        self.service.rules.append(lambda r: next(lost, None) if r.method == "POST" else None)
        self.jobs(self.sequence("S-1", "vid-1", "c1"))
        self.go(code=4)
        self.assertEqual(self.run_it("resolve", "S-1", "resubmit").code, 0)
        done = self.go()
        self.assertEqual(self.service.used_by["vid-1"], 4, "both were charged")
        self.assertEqual(done.row("S-1")["credits_used"], "")
        self.jobs(self.sequence("S-2", "vid-1", "c2"))
        self.assertEqual(self.go().row("S-2")["credits_used"], "", "it is still in the video's figure")

    def test_a_video_in_flight_does_not_pay_for_its_clips_and_shares_their_place(self):
        self.account("credits: job")
        self.service.polls_until_done = 1000
        video = {"id": "V-1", "kind": "iacrea.video", "video": VIDEO}
        self.jobs(video)
        self.assertEqual(self.go("--job-timeout", "1s", code=3).row("V-1")["credits_used"], "")
        self.service.polls_until_done = 2
        self.jobs(video, *[self.sequence(f"S-{i}", "vid-1", f"c{i}") for i in range(2)])
        before = len(self.service.requests)
        done = self.go("--max-in-flight", "1")
        self.assertEqual([done.row(ref)["credits_used"] for ref in ("V-1", "S-0", "S-1")], ["2", "1", "1"])
        self.assertEqual({r["url"] for r in done.rows}, {VideoEditor.address("vid-1", 3)})
        self.assertEqual(done.row("V-1")["reason"], "")
        posts = [r.method == "POST" for r in self.service.requests[before:]]
        self.assertEqual(posts[posts.index(True):], [True, True, False, False, False], "one poll for all three")
        self.assertEqual(self.credits(), (4, 0, 0))
        self.assert_sound()

    def test_a_video_in_flight_whose_clip_is_in_doubt_does_not_tell_its_own_price(self):
        self.account("credits: job")
        self.service.polls_until_done = 1000
        video = {"id": "V-1", "kind": "iacrea.video", "video": VIDEO}
        self.jobs(video)
        self.go("--job-timeout", "1s", code=3)
        self.service.polls_until_done = self.service.videos["vid-1"] = 2
        self.service.rules.append(lambda r: "lost" if r.method == "POST" else None)
        self.jobs(video, self.sequence("S-1", "vid-1", "c1"))
        done = self.go(code=4)
        self.assert_states(done, V_1="done", S_1="held")
        self.assertEqual(done.row("V-1")["credits_used"], "")

    def test_the_first_clip_of_a_video_that_others_made_has_nothing_to_compare_with(self):
        self.account("credits: job")
        self.video_of_others(5)
        self.jobs(*[self.sequence(f"S-{i}", "old-7", f"c{i}") for i in range(3)])
        done = self.go()
        self.assertEqual([done.row(f"S-{i}")["credits_used"] for i in range(3)], ["", "1", "1"])
        self.assertEqual(self.credits(), (2, 1, 0))

    def test_a_followed_video_is_no_price(self):
        self.account("credits: job, budget: {run: 10}")
        self.video_of_others(50)
        follow = {"id": "F-1", "kind": "iacrea.video", "video_id": "old-7"}
        self.jobs(follow)
        self.assertEqual(self.go().row("F-1")["credits_used"], "0")
        self.jobs(follow, {"id": "V-1", "kind": "iacrea.video", "video": VIDEO})
        self.go()
