#!/usr/bin/env python3
"""Keys appear nowhere but in the request header (PRODUCT.md section 6)."""

import pathlib
import unittest

from harness import Answer, Case, KEY, wait_for


class Secret(Case):
    def assert_nowhere(self, *outcomes):
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(KEY.encode(), path.read_bytes(), path.name)
        for done in outcomes:
            self.assertNotIn(KEY, done.text)

    def run_loud(self, *args, **named):
        return self.run_feed("--log-level", "debug", "--log-file", "run.log", "--progress", "json", "-o", "results.csv",
                             "-o", "results.json", "-o", "results.jsonl", *args, **named)

    def test_a_run_at_debug_level(self):
        self.provider.paused = True
        self.manifest(["A-1", "A-2"])
        running = self.start("run", "feed.csv", "--log-level", "debug", "--log-file", "run.log")
        wait_for(self.provider.polls)
        self.assertNotIn(KEY.encode(), pathlib.Path(f"/proc/{running.pid}/cmdline").read_bytes())
        self.assert_nowhere()  # the write-ahead log too
        self.provider.paused = False
        done = running.wait()
        self.assertEqual(done.code, 0, done)
        others = [self.run_it(*words) for words in (["status"], ["plan", "feed.csv", "-o", "plan.json"],
                                                    ["ledger", "backup", "copy.db"], ["report"])]
        self.assert_nowhere(done, *others)
        self.assertEqual({r.headers.get("x-api-key") for r in self.provider.requests}, {KEY})
        self.assertFalse([r for r in self.provider.requests if KEY in r.path or KEY.encode() in r.body])
        self.assert_posts(2)

    def test_a_server_that_says_the_key_again(self):
        echoes = {
            "E-1": Answer(422, {"error": f"the key {KEY} may not"}),
            "E-2": Answer(500, f"<html>{KEY}</html>"),
            "E-3": Answer(201, {"id": f"job-{KEY}", "status": "PENDING"}),
            "E-4": Answer(201, f"{{\"id\": \"{KEY}"),
            "E-5": Answer(201, {"id": KEY, "status": KEY}),
        }
        polls = {"P-1": {"status": "DONE", "url": f"https://cdn.example.test/v.mp4?key={KEY}"},
                 "P-2": {"status": "ERROR", "message": f"bad {KEY}"}}
        for ref, answer in echoes.items():
            self.provider.on_submit(answer, ref=ref)
        for ref, body in polls.items():
            self.provider.on_poll(Answer(200, body), ref=ref)
        for ref in [*polls, *echoes]:
            with self.subTest(ref):
                self.manifest([ref])
                done = self.run_loud("--job-timeout", "500ms")
                self.assertIn(done.code, (0, 1, 3, 4), done)
                self.assert_posts(1, ref)
                self.assert_nowhere(done)
                # What is not as the service gave it is not passed off as such.
                state = done.rows[0]["state"]
                if ref in ("E-3", "E-5"):
                    self.assertEqual(state, "held", done)
                    self.assertIn("an id with the account's key in it", done.rows[0]["reason"])
                if ref == "P-1":
                    self.assertEqual((state, done.rows[0]["url"]), ("done", "https://cdn.example.test/v.mp4?key=***"))
                    self.assertIn("the video's address has the account's key in it", done.rows[0]["reason"])
                    self.assertIn("the video's address has the account's key in it", (self.folder / "run.log").read_text())

    def test_the_key_in_an_account_wide_refusal(self):
        answers = {"401": Answer(401, {"error": f"unknown key {KEY}"}),
                   "402": Answer(402, {"error": f"{KEY} has none"}),
                   "404": Answer(404, f"<html>{KEY}</html>"),
                   "308": Answer(308, headers={"Location": f"https://elsewhere.example.test/?key={KEY}"}),
                   "429": Answer(429, {"error": KEY}, headers={"Retry-After": "900"})}
        for name, answer in answers.items():
            with self.subTest(name):
                self.provider.forget_rules()
                self.provider.on_submit(answer)
                self.manifest([f"A-{name}"])
                done = self.run_loud("--outage-timeout", "5s")
                self.assertIn(done.code, (2, 3, 5), done)
                self.assert_nowhere(done)

    def test_the_key_in_a_refused_poll(self):
        for status in (401, 403, 404, 500):
            self.provider.on_poll(Answer(status, {"error": f"no {KEY}", "message": KEY}), nth=None, times=1)
        self.manifest(["A-1"])
        done = self.run_loud(code=0)
        self.assert_nowhere(done)
        self.assert_posts(1)

    def test_errors_in_the_configuration(self):
        self.manifest(["A-1"])
        base = self.provider.url.replace("http://", "")
        cases = {"a key in the address": {"IACREA_BASE_URL": f"http://me:{KEY}@{base}"},
                 "a key that is none": {"IACREA_API_KEY": KEY + "\nx"}}
        for name, env in cases.items():
            with self.subTest(name):
                done = self.run_loud(env=env)
                self.assertEqual(done.code, 2, done)
                self.assert_nowhere(done)
        self.write("key", KEY + "\n").chmod(0o600)
        with self.subTest("a key in the configuration"):
            self.config()
            path = self.folder / "reelbatch.yaml"
            path.write_text(path.read_text().replace("{env: IACREA_API_KEY}", KEY))
            done = self.run_loud()
            self.assertEqual(done.code, 2, done)
            self.assertNotIn(KEY, done.text)
        self.assert_posts(0)


if __name__ == "__main__":
    unittest.main()
