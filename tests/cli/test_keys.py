#!/usr/bin/env python3
"""Where an account's key is found, from outside: rotated between two runs, readable by others, and from commands that fail."""

import os
import unittest

from harness import Answer, Case, KEY, Provider, row, wait_for

NEW = "sk-test-rotated-40b7"


class KeyCase(Case):
    def key_from(self, where):
        self.config()
        path = self.folder / "reelbatch.yaml"
        path.write_text(path.read_text().replace("{env: IACREA_API_KEY}", where))

    def refused(self, *words, **named):
        """A run that may not begin: says why, whose key it is, and sends nothing."""
        self.manifest(["A-1"])
        done = self.run_feed(code=2, **named)
        for word in ("account 'iacrea': key: ", *words):
            self.assertIn(word, done.err)
        self.assertEqual(self.provider.requests, [])
        return done


class Rotated(KeyCase):
    """The account stays the same when its key changes: its jobs in flight are polled with the new one."""

    def rotate(self, where, put):
        put(KEY)
        self.key_from(where)
        self.manifest(["A-1", "A-2"])
        self.provider.paused = True
        env = {"IACREA_API_KEY": None, **(put(KEY) or {})}
        running = self.start("run", "feed.csv", env=env)
        wait_for(lambda: len({poll.path for poll in self.provider.polls()}) == 2)
        running.kill()
        self.provider.paused, self.provider.key = False, NEW
        before = len(self.provider.requests)
        env = {"IACREA_API_KEY": None, **(put(NEW) or {})}
        done = self.run_feed(code=0, env=env)
        self.assert_states(done, A_1="done", A_2="done")
        self.assertEqual({r.headers.get("x-api-key") for r in self.provider.requests[before:]}, {NEW})
        self.assert_posts(2)
        self.assert_sound()

    def put_in_file(self, key):
        self.write("key", key + "\n").chmod(0o600)

    def test_in_the_environment(self):
        self.rotate("{env: ROTATED}", lambda key: {"ROTATED": key})

    def test_in_a_file(self):
        self.rotate("{file: key}", self.put_in_file)

    def test_in_what_a_command_prints(self):
        self.rotate("{command: cat key}", self.put_in_file)

    def test_the_old_key_is_refused_and_the_jobs_stay_in_flight(self):
        self.manifest(["A-1"])
        self.provider.paused = True
        running = self.start("run", "feed.csv")
        wait_for(self.provider.polls)
        running.kill()
        self.provider.paused, self.provider.key = False, NEW
        done = self.run_feed("--deadline", "2s")
        self.assertIn(done.code, (3, 5), done)
        self.assert_states(done, A_1="in_flight")
        self.assert_states(self.run_feed(code=0, env={"IACREA_API_KEY": NEW}), A_1="done")
        self.assert_posts(1)


class Files(KeyCase):
    def test_a_file_that_others_can_read_is_refused(self):
        self.key_from("{file: key}")
        for mode in (0o644, 0o640, 0o602):
            with self.subTest(oct(mode)):
                self.write("key", KEY + "\n").chmod(mode)
                done = self.refused("key file", f"others may use it (mode {mode:04o})", "run chmod 600")
                self.assertNotIn(KEY, done.text)

    def test_a_file_that_is_not_there_or_empty(self):
        self.key_from("{file: key}")
        self.refused("cannot open key file", "No such file")
        self.write("key", "\n").chmod(0o600)
        self.refused("is empty: a key is expected")

    @unittest.skipIf(os.geteuid() == 0, "root may read every file")
    def test_a_file_that_cannot_be_read(self):
        self.key_from("{file: key}")
        self.write("key", KEY).chmod(0o200)
        self.refused("cannot open key file", "Permission denied")


class Commands(KeyCase):
    def test_one_that_fails(self):
        self.key_from("{command: \"echo hidden-word; exit 3\"}")
        self.assertNotIn("hidden-word", self.refused("the key command: it exited with status 3").text)
        self.key_from("{command: no-such-program-here}")
        self.refused("the key command: it exited with status 127")

    def test_one_that_prints_nothing(self):
        for command in ("true", "echo", "echo '  '"):
            with self.subTest(command):
                self.key_from(f"{{command: \"{command}\"}}")
                self.refused("the first line that the key command prints is empty")

    def test_of_two_lines_the_first_is_the_key(self):
        self.key_from(f"{{command: \"printf '{KEY}\\\\nurl: https://x.example.test\\\\n'\"}}")
        self.manifest(["A-1"])
        self.run_feed(code=0, env={"IACREA_API_KEY": None})
        self.assertEqual({r.headers.get("x-api-key") for r in self.provider.requests}, {KEY})

    def test_one_that_waits_for_an_answer_gets_none(self):
        self.key_from("{command: \"read word; echo $word\"}")
        self.assertNotIn("feed-word", self.refused("the first line that the key command prints is empty",
                                                   text="feed-word\n").text)


class Shared(KeyCase):
    """Two names for one account at the service."""

    def accounts(self, second_url, second_key="OTHER", budget=", budget: {keep: 900}"):
        self.write("reelbatch.yaml", f"""
accounts:
  lyon: {{service: iacrea, base_url: "{self.provider.url}", key: {{env: IACREA_API_KEY}}}}
  nice: {{service: iacrea, base_url: "{second_url}", key: {{env: {second_key}}}{budget}}}
""")

    def test_the_same_key_at_the_same_service_is_refused_where_a_balance_is_to_be_kept(self):
        self.manifest([row("A-1", account="lyon"), row("A-2", account="nice")])
        for name, url, key in (("one variable", self.provider.url, "IACREA_API_KEY"), ("one value", self.provider.url, "OTHER"),
                               ("another way to write it", self.provider.url.upper().replace("HTTP", "http") + "/", "OTHER")):
            with self.subTest(name):
                self.accounts(url, key)
                done = self.run_feed(code=2, env={"OTHER": KEY})
                said = " ".join(done.err.split())
                self.assertIn(f"accounts 'lyon' and 'nice' have the same key at {self.provider.url}", said)
                self.assertIn("Give each the key of its own account", said)
                self.assertNotIn(KEY, done.text)
                self.assertEqual(self.provider.requests, [])
                self.assertFalse((self.folder / "reelbatch.db").exists())

    def test_the_same_key_at_the_same_service_is_told(self):
        self.manifest([row("A-1", account="lyon"), row("A-2", account="nice")])
        self.accounts(self.provider.url, budget="")
        done = self.run_feed(code=0, env={"OTHER": KEY})
        self.assertIn("warning: accounts 'lyon' and 'nice' have the same key at", done.err)
        self.assertNotIn(KEY, done.text)

    def test_one_job_is_not_adopted_for_listings_of_both(self):
        self.manifest([row("A-1", account="lyon"), row("A-2", account="nice")])
        self.accounts(self.provider.url, budget="")
        self.provider.on_submit(Answer(lost="after"))
        self.run_feed(code=4, env={"OTHER": KEY})
        job = self.provider.jobs_of("A-1")[0].id
        self.assertEqual(self.run_it("resolve", "A-1", "adopt", job).code, 0)
        done = self.run_it("resolve", "A-2", "adopt", job)
        self.assertEqual(done.code, 2, done)
        self.assertIn("belongs to another listing already", done.err)
        done = self.run_it("resolve", "A-1", "drop")
        self.assertEqual(done.code, 2, done)
        self.assertIn("'A-1' was adopted and is in_flight now, no longer held", done.err)

    def test_an_account_that_no_row_needs_may_have_the_key_of_another(self):
        self.accounts(self.provider.url, "IACREA_API_KEY")
        self.manifest([row("A-1", account="lyon")])
        self.run_feed(code=0)

    def test_the_same_key_at_another_service_is_another_account(self):
        other = Provider()
        self.addCleanup(other.stop)
        self.accounts(other.url)
        self.manifest([row("A-1", account="lyon"), row("A-2", account="nice")])
        self.run_feed(code=0, env={"OTHER": KEY})
        self.assertEqual((len(self.provider.posts()), len(other.posts())), (1, 1))


class ZBesideCommands(KeyCase):
    """What takes long by contract."""

    def test_one_that_hangs(self):
        self.key_from("{command: sleep 1000}")
        done = self.refused("the key command: it took longer than 30s")
        self.assertLess(done.seconds, 45)


if __name__ == "__main__":
    unittest.main()
