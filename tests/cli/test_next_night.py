#!/usr/bin/env python3
"""What the next night does (PRODUCT.md 4.1, 4.2): one test for each line of the table, and what counts as a change."""

import contextlib
import signal
import sqlite3
import unittest

from harness import Answer, Case, row, wait_for


class NextNight(Case):
    def done(self, *rows):
        """A first night that makes a video of each."""
        self.manifest(rows)
        return self.run_feed(code=0)

    def assert_plan(self, ref, action, reason, changed=None, args=(), manifest="feed.csv"):
        plan = self.plan(*args, manifest=manifest)
        self.assertEqual((plan[ref]["action"], plan[ref]["reason"]), (action, reason), plan[ref])
        if changed is not None:
            self.assertEqual(plan[ref].get("changed"), changed, plan[ref])

    def left_in_flight(self, *rows):
        """A first night that is stopped while every row is in flight."""
        self.manifest(rows)
        self.provider.paused = True
        first = self.start("run", "feed.csv")
        wait_for(lambda: len({r.ref for r in self.provider.polls()}) == len(rows), what="polls of every row")
        first.signal(signal.SIGTERM)
        done = first.wait()
        self.assertEqual(done.code, 3, done)
        self.provider.paused = False
        return done

    # ---- nothing, or planned and never sent

    def test_nothing_in_the_ledger_is_submitted(self):
        self.manifest(["A-1"])
        self.assert_plan("A-1", "submit", "new")
        done = self.run_feed(code=0)
        self.assertEqual(done.state("A-1"), "done")
        self.assert_posts(1)

    def test_planned_and_never_sent_is_submitted_with_the_newest_content(self):
        self.provider.on_submit(Answer(402, {"error": "no credits"}))
        self.manifest(["A-1"])
        self.assertEqual(self.run_feed(code=3).state("A-1"), "planned")
        self.provider.forget_rules()
        self.manifest([row("A-1", version=2)])
        self.assert_plan("A-1", "submit", "new")
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assertEqual(self.provider.posts()[-1].json["description"], row("A-1", version=2)["description"])
        self.assert_posts(2)  # one refused, one taken
        self.assertEqual(self.provider.accepted("A-1"), 1)

    # ---- in flight, timed out

    def test_in_flight_is_resumed(self):
        self.assertEqual(self.left_in_flight("A-1").state("A-1"), "in_flight")
        self.assert_plan("A-1", "resume", "in_flight")
        done = self.run_feed(code=0)
        self.assertEqual(done.state("A-1"), "done")
        self.assertEqual(done.row("A-1")["submissions"], "0")
        self.assert_posts(1)

    def test_newer_content_waits_for_the_run_after_the_one_in_flight_ends(self):
        self.left_in_flight("A-1")
        self.manifest([row("A-1", version=2)])
        self.assert_plan("A-1", "resume", "in_flight")
        second = self.run_feed(code=0)
        self.assertEqual(second.state("A-1"), "done")
        self.assert_posts(1)
        self.assert_plan("A-1", "submit", "changed", ["description"])
        third = self.run_feed(code=0)
        self.assertEqual(third.state("A-1"), "done")
        self.assert_posts(2)
        self.assertNotEqual(third.row("A-1")["url"], second.row("A-1")["url"])

    def test_timed_out_is_resumed(self):
        self.provider.paused = True
        self.manifest(["A-1"])
        first = self.run_feed("--job-timeout", "300ms", code=3)
        self.assertEqual(first.state("A-1"), "timed_out")
        self.assertEqual(first.json["run"]["stopped_by"], "job_timeout")
        self.provider.paused = False
        self.assert_plan("A-1", "resume", "in_flight")
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(1)

    # ---- held

    def held(self, *rows):
        self.provider.on_submit(Answer(lost="after"), ref="A-1")
        self.manifest(rows or ["A-1"])
        done = self.run_feed(code=4)
        self.assertEqual(done.state("A-1"), "held")
        self.provider.forget_rules()
        return done

    def test_held_is_held(self):
        self.held()
        self.assert_plan("A-1", "hold", "held")
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")
        self.assert_posts(1)

    def test_held_is_held_whatever_the_content_is_now(self):
        self.held()
        self.manifest([row("A-1", version=2)])
        self.assert_plan("A-1", "hold", "held")
        self.assertEqual(self.run_feed(code=4).state("A-1"), "held")
        self.assert_posts(1)

    def test_held_is_held_when_the_row_is_no_longer_valid(self):
        self.held()
        self.manifest([row("A-1", description="short")])
        done = self.run_feed()
        self.assert_posts(1)
        self.assertEqual(done.state("A-1"), "held", done)
        self.assertEqual(done.code, 4, done)

    # ---- done

    def test_done_with_the_same_content_is_skipped_and_shows_its_url(self):
        first = self.done("A-1")
        self.assert_plan("A-1", "skip", "unchanged")
        second = self.run_feed(code=0)
        self.assert_posts(1)
        self.assertEqual(second.state("A-1"), "done")
        self.assertEqual(second.row("A-1")["url"], first.row("A-1")["url"])
        self.assertEqual(second.row("A-1")["submissions"], "0")
        self.assertEqual(len(self.provider.polls("A-1")), 3)

    def test_done_with_other_content_is_submitted_and_names_the_old_url_and_the_fields(self):
        first = self.done("A-1")
        self.manifest([row("A-1", version=2, format="square")])
        plan = self.plan()["A-1"]
        self.assertEqual((plan["action"], plan["reason"]), ("submit", "changed"))
        self.assertEqual(sorted(plan["changed"]), ["description", "format"])
        second = self.run_feed(code=0).row("A-1")
        self.assert_posts(2)
        self.assertEqual(second["state"], "done")
        self.assertNotEqual(second["url"], first.row("A-1")["url"])
        for words in (first.row("A-1")["url"], "description", "format"):
            self.assertIn(words, second["reason"])

    def test_done_with_other_content_is_kept_with_on_change_skip(self):
        first = self.done("A-1").row("A-1")
        self.manifest([row("A-1", version=2)])
        plan = self.plan("--on-change", "skip")["A-1"]
        self.assertEqual(plan["action"], "skip")
        self.assertEqual(plan["changed"], ["description"])
        second = self.run_feed("--on-change", "skip", code=0).row("A-1")
        self.assert_posts(1)
        self.assertEqual((second["state"], second["url"]), ("done", first["url"]))
        self.assertIn("description", second["reason"])

    def test_content_that_returns_to_that_of_an_earlier_job_is_not_bought_again(self):
        first = self.done("A-1").row("A-1")
        self.manifest([row("A-1", version=2)])
        second = self.run_feed(code=0).row("A-1")
        self.assertNotEqual(second["url"], first["url"])
        self.manifest(["A-1"])
        self.assert_plan("A-1", "skip", "unchanged")
        third = self.run_feed(code=0).row("A-1")
        self.assert_posts(2)
        self.assertEqual(third["url"], first["url"])

    def test_content_that_returns_to_that_of_a_failed_job_has_failed_before(self):
        self.failed()
        self.manifest([row("A-1", version=2)])
        self.run_feed(code=0)
        self.manifest(["A-1"])
        self.assert_plan("A-1", "skip", "failed_before")
        self.run_feed(code=1)
        self.assert_posts(2)

    # ---- failed

    def failed(self):
        self.provider.on_submit(Answer(422, {"error": "the pictures are too dark"}), ref="A-1")
        self.manifest(["A-1"])
        done = self.run_feed(code=1)
        self.assertEqual(done.state("A-1"), "failed")
        self.provider.forget_rules()
        return done

    def test_failed_with_the_same_content_is_skipped(self):
        self.failed()
        self.assert_plan("A-1", "skip", "failed_before")
        again = self.run_feed(code=1).row("A-1")
        self.assertEqual((again["state"], again["submissions"]), ("failed", "0"))
        self.assertIn("the pictures are too dark", again["reason"])
        self.assert_posts(1)

    def test_failed_is_submitted_again_with_retry_failed(self):
        self.failed()
        self.assert_plan("A-1", "submit", "retry", args=["--retry-failed"])
        self.assertEqual(self.run_feed("--retry-failed", code=0).state("A-1"), "done")
        self.assert_posts(2)

    def test_retry_failed_is_once_a_run_and_three_times_in_all(self):
        self.failed()
        self.provider.on_submit(Answer(422, {"error": "the pictures are too dark"}))
        for posts in (2, 3, 4):
            self.assertEqual(self.run_feed("--retry-failed", code=1).state("A-1"), "failed")
            self.assert_posts(posts)
        self.assert_plan("A-1", "skip", "failed_before", args=["--retry-failed"])
        self.run_feed("--retry-failed", code=1)
        self.assert_posts(4)

    def test_retry_limit_of_the_configuration(self):
        self.config(rest="retry_limit: 1\n")
        self.failed()
        self.provider.on_submit(Answer(422, {"error": "the pictures are too dark"}))
        self.run_feed("--retry-failed", code=1)
        self.assert_posts(2)
        self.run_feed("--retry-failed", code=1)
        self.assert_posts(2)

    def test_a_job_the_service_gave_up_is_failed_and_is_not_bought_again(self):
        self.provider.on_poll(Answer(200, {"status": "ERROR", "message": "render crashed"}))
        self.manifest(["A-1"])
        first = self.run_feed(code=1).row("A-1")
        self.assertEqual(first["state"], "failed")
        self.assertIn("render crashed", first["reason"])
        self.provider.forget_rules()
        self.run_feed(code=1)
        self.assert_posts(1)
        self.run_feed("--retry-failed", code=0)
        self.assert_posts(2)

    def test_failed_with_other_content_is_submitted(self):
        self.failed()
        self.manifest([row("A-1", version=2)])
        self.assert_plan("A-1", "submit", "changed", ["description"])
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(2)

    def test_retry_failed_leaves_invalid_rows_alone(self):
        self.manifest([row("A-1", description="short"), "A-2"])
        done = self.run_feed("--retry-failed", code=1)
        self.assert_states(done, A_1="invalid", A_2="done")
        self.run_feed("--retry-failed", code=1)
        self.assert_posts(1)

    # ---- dropped

    def dropped(self):
        self.held()
        self.assertEqual(self.run_it("resolve", "A-1", "drop").code, 0)

    def test_dropped_with_the_same_content_is_skipped_even_with_retry_failed(self):
        self.dropped()
        self.assert_plan("A-1", "skip", "dropped")
        self.assertEqual(self.run_feed(code=1).state("A-1"), "failed")
        self.assert_plan("A-1", "skip", "dropped", args=["--retry-failed"])
        again = self.run_feed("--retry-failed", code=1)
        self.assertEqual(again.state("A-1"), "failed")
        self.assertIn("but never what the operator dropped", again.out)
        self.assert_posts(1)

    def test_dropped_with_other_content_is_submitted(self):
        self.dropped()
        self.manifest([row("A-1", version=2)])
        self.assertEqual(self.run_feed(code=0).state("A-1"), "done")
        self.assert_posts(2)

    # ---- what is content and what is not

    def test_what_does_not_count_as_a_change(self):
        rows = [row("A-1", agency="Lyon", webhook_url="https://hook.example.test/1", format="portrait"), row("A-2")]
        self.done(*rows)
        same = [row("A-2", city="Nantes"), row("A-1", agency="Paris", webhook_url="https://hook.example.test/2",
                                               format="portrait", price="12")]
        columns = ["price", "description", "format", "agency", "city", "webhook_url", "image_urls", "id"]
        self.manifest(same, name="other.csv", columns=columns)
        for ref in ("A-1", "A-2"):
            self.assert_plan(ref, "skip", "unchanged", manifest="other.csv")
        done = self.run_it("run", "other.csv")
        self.assertEqual(done.code, 0, done)
        self.assert_states(done, A_1="done", A_2="done")
        self.assert_posts(2)

    def test_how_the_same_content_is_written_does_not_count(self):
        self.done(row("A-1", format="portrait", display_logo="yes", logo_url="https://img.example.test/logo.png"))
        yaml = ("jobs:\n- id: ' A-1 '\n  description: '  " + row("A-1")["description"] + "  '\n  format: portrait\n"
                "  displayLogo: true\n  logoUrl: https://img.example.test/logo.png\n  image_urls:\n"
                "  - https://img.example.test/A-1/1.jpg\n  - https://img.example.test/A-1/2.jpg\n")
        self.write("feed.yaml", yaml)
        self.assert_plan("A-1", "skip", "unchanged", manifest="feed.yaml")
        self.assertEqual(self.run_it("run", "feed.yaml").code, 0)
        self.assert_posts(1)

    def test_a_webhook_is_sent(self):
        self.done(row("A-1", webhook_url="https://hook.example.test/1"))
        self.assertEqual(self.provider.posts()[0].json["webhookUrl"], "https://hook.example.test/1")

    def test_the_order_of_images_counts(self):
        self.done("A-1")
        images = row("A-1")["image_urls"].split("|")
        self.manifest([row("A-1", image_urls="|".join(reversed(images)))])
        self.assert_plan("A-1", "submit", "changed", ["image_urls"])
        self.run_feed(code=0)
        self.assert_posts(2)
        self.assertEqual(self.provider.posts()[-1].json["image_urls"], list(reversed(images)))

    def test_each_content_field_counts(self):
        self.done("A-1")
        changes = {"format": "square", "font": "Inter", "music": "calm", "colors": "#111111|#ffffff",
                   "logo_url": "https://img.example.test/l.png", "display_logo": "no"}
        for field, value in changes.items():
            with self.subTest(field):
                self.manifest([row("A-1", **{field: value})])
                self.assert_plan("A-1", "submit", "changed", [field])

    def test_catalogues_that_number_alike_share_a_ledger(self):
        self.config(rest="catalogue: lyon\n")
        self.done("A-1")
        self.config(rest="catalogue: nantes\n")
        self.assert_plan("A-1", "submit", "new")
        self.run_feed(code=0)
        self.assert_posts(2)
        self.config(rest="catalogue: lyon\n")
        self.assert_plan("A-1", "skip", "unchanged")

    # ---- what is told of a change

    def test_a_change_says_how_and_where(self):
        self.done("A-1")
        images = row("A-1")["image_urls"].split("|")
        added = images[1:] + ["https://img.example.test/A-1/3.jpg", images[0]]
        self.manifest([row("A-1", version=2, image_urls="|".join(added))])
        plan = self.plan()
        self.assertEqual(sorted(plan["A-1"]["changed"]), ["description", "image_urls"])
        shown = self.run_it("plan", "feed.csv")
        self.assertIn("changed A-1: image_urls (1 added, order changed), description\n", shown.out)
        self.assertIn("description: '…A-1, version 1: a bright flat with a terrace.' -> "
                      "'…A-1, version 2: a bright flat with a terrace.'\n", shown.out)
        reason = self.run_feed(code=0).row("A-1")["reason"]
        self.assertIn("changed: image_urls (1 added, order changed), description; the video before: ", reason)

    # ---- what is left out of the comparison

    def tokens(self, night, ref="A-1", host="img.example.test"):
        return "|".join(f"https://{host}/{ref}/{i}.jpg?w=1080&token={night}-{i}" for i in (1, 2))

    def ignoring(self, *parts):
        listed = ", ".join(f'"{part}"' for part in parts)
        self.config(rest=f"manifest: {{ignore: [{listed}]}}\n")

    def test_tokens_of_images_are_a_change_unless_they_are_ignored(self):
        self.done(row("A-1", image_urls=self.tokens(1)))
        self.manifest([row("A-1", image_urls=self.tokens(2))])
        self.assert_plan("A-1", "submit", "changed", ["image_urls"])
        for part in ("image_urls?", "image_urls?token", "image_urls?x&tok*", "image_urls"):
            self.assert_plan("A-1", "skip", "unchanged", args=["--ignore", part])
        self.assert_plan("A-1", "submit", "changed", ["image_urls"], args=["--ignore", "image_urls?w"])

    def test_what_is_ignored_changes_every_night_and_is_sent_when_something_else_changes(self):
        self.ignoring("image_urls?token", "music")
        self.done(row("A-1", image_urls=self.tokens(1)))
        for night in (2, 3, 4):
            self.manifest([row("A-1", image_urls=self.tokens(night), music=f"tune-{night}")])
            self.assert_plan("A-1", "skip", "unchanged")
            self.assertEqual(self.run_feed(code=0).row("A-1")["reason"], "unchanged")
        self.assert_posts(1)
        self.manifest([row("A-1", version=2, image_urls=self.tokens(5), music="tune-5")])
        self.assert_plan("A-1", "submit", "changed", ["description"])
        self.run_feed(code=0)
        sent = self.provider.posts()[-1].json
        self.assertEqual((sent["image_urls"], sent["music"]), (self.tokens(5).split("|"), "tune-5"))
        self.assert_sound()

    def test_an_image_more_counts_whatever_is_ignored_of_the_addresses(self):
        self.ignoring("image_urls?")
        self.done(row("A-1", image_urls=self.tokens(1)))
        for separator in ("|", ", ", ",", " "):
            with self.subTest(separator):
                self.manifest([row("A-1", image_urls=self.tokens(2) + separator + "https://img.example.test/new.jpg")])
                self.assert_plan("A-1", "submit", "changed", ["image_urls"])

    def test_rules_that_come_later_and_go_again(self):
        self.config()
        self.done(row("A-1", image_urls=self.tokens(1)))
        self.ignoring("image_urls?")
        self.manifest([row("A-1", image_urls=self.tokens(2))])
        self.assertEqual(self.run_feed(code=0).row("A-1")["reason"], "unchanged")
        self.config()
        self.assert_plan("A-1", "submit", "changed", ["image_urls"])
        self.manifest([row("A-1", image_urls=self.tokens(1))])
        self.assert_plan("A-1", "skip", "unchanged")

    def test_a_price_in_the_text_is_a_phrase_to_ignore(self):
        def priced(price, rooms=3):
            return row("A-1", description=f"A bright flat with {rooms} rooms.\nPrice: {price} EUR, updated today")
        self.done(priced("345 000"))
        self.manifest([priced("339 000")])
        self.assert_plan("A-1", "submit", "changed", ["description"])
        self.assert_plan("A-1", "skip", "unchanged", args=["--ignore", "description=Price: * EUR"])
        self.manifest([priced("339 000", rooms=4)])
        self.assert_plan("A-1", "submit", "changed", ["description"], args=["--ignore", "description=Price: * EUR"])

    def test_a_plan_is_kept_to_with_what_it_ignored(self):
        self.done(row("A-1", image_urls=self.tokens(1)), "A-2")
        self.manifest([row("A-1", image_urls=self.tokens(2)), row("A-2", version=2)])
        self.plan("--ignore", "image_urls?")
        done = self.run_it("run", "--plan", "plan.json")
        self.assertEqual(done.code, 0, done)
        self.assert_posts(1, ref="A-1")
        self.assert_posts(2, ref="A-2")

    def test_a_slip_in_what_is_ignored_is_refused(self):
        self.manifest(["A-1"])
        for part, words in (("image_url?v", "did you mean 'image_urls'"), ("webhook_url", "never counts as a change"),
                            ("description?v", "holds no addresses"), ("description=*", "is the whole field")):
            self.ignoring(part)
            done = self.run_it("plan", "feed.csv")
            self.assertEqual(done.code, 2, done)
            self.assertIn("manifest.ignore: ", done.err)
            self.assertIn(words, done.err)

    # ---- a listing that left the feed

    def assert_counts_gone(self, done, count):
        self.assertRegex(done.out, rf"(?m)^.*\b{count} listings?\b.*not in this manifest")

    def test_a_listing_that_left_the_feed_is_counted(self):
        self.done("A-1", "A-2", "A-3")
        self.manifest(["A-1"])
        self.assert_counts_gone(self.run_feed(code=0), 2)
        self.assert_posts(3)

    def test_listings_that_left_are_named_ten_of_them_or_all(self):
        refs = [f"A-{i:02d}" for i in range(14)]
        self.done(*refs)
        self.manifest(refs[:2])
        gone = [{"id": ref, "kind": "iacrea.auto", "account": "iacrea"} for ref in refs[2:]]
        self.assertEqual(self.plan()[""]["gone"], gone)
        shown = self.run_it("plan", "feed.csv")
        self.assert_counts_gone(shown, 12)
        self.assertIn("    A-11 (iacrea.auto, iacrea)\n    ... and 2 more; --list-gone names all\n", shown.out)
        self.assertIn("    A-13 (iacrea.auto, iacrea)\n", self.run_it("plan", "--list-gone", "feed.csv").out)
        done = self.run_feed("--list-gone", code=0)
        self.assert_counts_gone(done, 12)
        self.assertIn("    A-13 (iacrea.auto, iacrea)\n", done.out)
        self.assertNotIn("not in this manifest", self.run_feed(code=0).out)  # said once, when they left

    def test_rows_that_are_not_selected_or_not_valid_have_not_left(self):
        self.done("A-1", "A-2", "A-3")
        self.manifest(["A-1", row("A-2", description="short"), row("A-3", kind="iacrea.outo")])
        self.assertEqual(self.plan("--only", "A-1")[""]["gone"], [])
        self.assertEqual(self.plan("--limit", "0")[""]["gone"], [])

    def test_a_listing_is_its_kind_too(self):
        self.done("A-1")
        self.manifest([row("A-1", kind="iacrea.video", image_urls=None, description=None, video_id="v-1")])
        self.assertEqual([gone["kind"] for gone in self.plan()[""]["gone"]], ["iacrea.auto"])

    def test_other_feeds_and_catalogues_of_the_ledger_have_not_left(self):
        self.done("A-1", "A-2")
        self.manifest(["B-1"], name="other.csv")
        self.assertNotIn("not in this manifest", self.run_it("run", "other.csv").out)
        self.manifest(["A-1"])
        self.assertEqual([gone["id"] for gone in self.plan()[""]["gone"]], ["A-2"])
        self.config(rest="catalogue: lyon\n")
        self.assertEqual(self.plan()[""]["gone"], [])

    def test_a_date_in_the_name_makes_no_other_feed(self):
        for name, refs, left in (("feed-2026-11-20.csv", ["A-1", "A-2"], 0), ("feed-2026-11-21.csv", ["A-1"], 1)):
            self.manifest(refs, name=name)
            self.assertEqual(len(self.plan(manifest=name)[""]["gone"]), left)
            self.assertEqual(self.run_it("run", name).code, 0)

    def test_a_listing_that_left_the_feed_unsent_is_not_submitted_and_is_counted(self):
        self.provider.on_submit(Answer(402), ref="A-2")
        self.manifest(["A-1", "A-2"])
        self.run_feed("--max-in-flight", "1", code=3)
        self.assert_posts(2)
        self.provider.forget_rules()
        self.manifest(["A-1"])
        done = self.run_feed(code=0)
        self.assert_posts(2)
        self.assertEqual([r["id"] for r in done.rows], ["A-1"])
        self.assert_counts_gone(done, 1)

    def test_a_listing_that_left_the_feed_is_finished_if_in_flight(self):
        self.left_in_flight("A-1", "A-2")
        self.manifest(["A-1"])
        done = self.run_feed(code=0)
        self.assertEqual([r["id"] for r in done.rows], ["A-1"])
        self.assert_posts(2)
        self.manifest(["A-1", "A-2"])
        self.assert_plan("A-2", "skip", "unchanged")


    def test_a_last_row_that_is_paid_for_is_whole_without_a_line_end(self):
        # The last address looks like one of another form, cut short; what it says was paid for, so it is not.
        rows = [row(f"A-{i}") for i in range(4)] + [row("A-9", image_urls="https://img.example.test/a-hall")]
        columns = ["id", "description", "image_urls"]
        whole = self.manifest(rows, columns=columns).read_text()
        self.run_feed(code=0)
        self.write("feed.csv", whole.rstrip("\n"))
        done = self.run_feed(code=0)
        self.assertEqual(done.state("A-9"), "done")
        self.write("feed.csv", whole.rstrip("\n").replace("A-9", "A-8"))
        self.assertEqual(self.run_feed(code=1).state("A-8"), "invalid")
        self.assert_posts(5)


class Deadline(Case):
    def test_jobs_that_ended_while_no_run_was_going_say_nothing_of_how_long_jobs_take(self):
        self.manifest(["A-1", "A-2", "A-3"])
        self.run_feed(code=0)
        self.manifest(["A-1", "A-2", "A-3", "B-1"])
        self.run_feed(code=0)
        # As if that run had died in its first second, and the next one had found the job ended half an hour later.
        with contextlib.closing(sqlite3.connect(self.folder / "reelbatch.db")) as ledger:
            ledger.execute("UPDATE jobs SET accepted_at = accepted_at - 1800000 WHERE run = 2")
            ledger.execute("UPDATE runs SET finished_at = NULL, exit_code = NULL WHERE id = 2")
            ledger.commit()
        self.manifest(["A-1", "A-2", "A-3", "B-1", "C-1"])
        done = self.run_feed("--deadline", "60s", code=0)
        self.assert_states(done, A_1="done", A_2="done", A_3="done", B_1="done", C_1="done")


class MassChange(Case):
    def first_night(self, count):
        self.refs = [f"A-{i:03d}" for i in range(count)]
        self.provider.steps = []
        self.manifest(self.refs)
        self.run_feed("--max-in-flight", "200", "--rate", "1000/1s", "--submit-rate", "1000/1s", code=0)
        self.assert_posts(count)

    def change(self, count, **fields):
        fields = fields or {"version": 2}
        self.manifest([row(ref, **(fields if i < count else {})) for i, ref in enumerate(self.refs)])

    def test_more_than_20_and_more_than_20_percent_stops_the_run(self):
        self.first_night(25)
        with self.subTest("21 of 25: refused, and names the fields"):
            self.change(21, version=2, format="square")
            done = self.run_feed(code=2)
            self.assert_posts(25)
            self.assertIn("description", done.err)
            self.assertIn("format", done.err)
            self.assertIn("--allow-mass-change", done.err)
        with self.subTest("a row that is new does not count, and is not sent either"):
            self.manifest([row("B-1")] + [row(ref, version=2) for ref in self.refs])
            self.run_feed(code=2)
            self.assert_posts(25)
        with self.subTest("kept with --on-change skip"):
            self.change(21)
            self.run_feed("--on-change", "skip", code=0)
            self.assert_posts(25)
        with self.subTest("exactly 20 are allowed"):
            self.change(20)
            self.run_feed(code=0)
            self.assert_posts(45)
        with self.subTest("--allow-mass-change"):
            self.change(25, version=3)
            self.run_feed("--allow-mass-change", code=0)
            self.assert_posts(70)

    def test_21_of_105_are_no_more_than_20_percent_and_22_are(self):
        self.first_night(105)
        self.change(22)
        self.run_feed(code=2)
        self.assert_posts(105)
        self.change(21)
        self.run_feed(code=0)
        self.assert_posts(126)

    def test_a_new_image_host_is_a_mass_change_and_new_tokens_need_not_be_one(self):
        self.first_night(25)
        moved = [row(ref, image_urls=row(ref)["image_urls"].replace("img.", "cdn.")) for ref in self.refs]
        self.manifest(moved)
        self.assertIn("changed: image_urls (25 rows)", self.run_feed("--ignore", "image_urls?", code=2).err)
        self.assert_posts(25)
        signed = [row(ref, image_urls=row(ref)["image_urls"].replace(".jpg", ".jpg?sig=9")) for ref in self.refs]
        self.manifest(signed)
        self.assertIn("changed: image_urls (25 rows)", self.run_feed(code=2).err)
        self.run_feed("--ignore", "image_urls?sig", code=0)
        self.assert_posts(25)

    def test_a_mass_change_cut_down_by_limit_is_not_one(self):
        self.first_night(21)
        self.change(21)
        self.run_feed("--limit", "2", code=0)
        self.assert_posts(23)


if __name__ == "__main__":
    unittest.main()
