#!/usr/bin/env python3
"""A mixed manifest on a bad night: every kind, two accounts of each service, answers that are lost, refusals and kills,
against the sandbox; what is reported is compared with the services' own record, row by row and credit by credit."""

import json
import pathlib
import random
import time
import unittest
import urllib.error
import urllib.request

from harness import Case, wait_for

KEYS = {"LYON": "key-of-lyon-81c2", "NICE": "key-of-nice-45d9", "LYON_ID": "id-of-lyon", "NICE_ID": "id-of-nice",
        "LYON_TALK": "talk-of-lyon-77", "NICE_TALK": "talk-of-nice-31"}
FAULTS = ("post:500-before=0.02,post:500-after=0.03,post:lost-before=0.02,post:lost-after=0.03,post:cut=0.02,"
          "429@1s=0.05,get:503=0.05,get:lost-after=0.05,get:500-after=0.05,get:html=0.03")
ENDS = {"done": ("DONE", "done"), "failed": ("ERROR", "failed", "rejected")}


class Night(Case):
    """Both accounts of both services at one sandbox, which keeps what it knows between its starts."""

    def begin_sandbox(self, *words, port=0):
        running = self.start("sandbox", "--port", str(port), "--speed", "400", "--state", self.home / "services.state", *words)
        said = wait_for(lambda: running.out.read_text().partition("listening on ")[2].strip())
        self.url = said
        return running

    def accounts(self, meaning):
        account = {"rate": ["400/1s"], "submit_rate": ["50/1s"], "max_in_flight": 8, "base_url": self.url, "hold_limit": 50,
                   "credits": meaning}
        accounts = {}
        for city in ("lyon", "nice"):
            name = city.upper()
            accounts[city] = {**account, "service": "iacrea", "key": {"env": name}}
            talk = {k: v for k, v in account.items() if k != "credits"}
            accounts[f"{city}_talk"] = {**talk, "service": "creatify", "id": {"env": name + "_ID"},
                                        "key": {"env": name + "_TALK"}}
        self.write("reelbatch.yaml", json.dumps({"accounts": accounts}))

    def rows(self):
        """Ids say the account and the kind; every row has something in its request that no other has."""
        for city in ("lyon", "nice"):
            for i in range(5):
                yield {"id": f"{city}-auto-{i}", "account": city, "description": f"A bright flat: {city}-auto-{i}.",
                       "image_urls": [f"https://img.example.test/{n}.jpg" for n in range(1 + i % 3)]}
            for i in range(3):
                yield {"id": f"{city}-video-{i}", "account": city, "kind": "iacrea.video", "video": {
                    "format": "square", "colors": ["#000000", "#ffffff"], "description": f"{city}-video-{i}.",
                    "sequences": [{"order": n, "duration": 5, "type": "image", "url": f"https://img.example.test/{n}.jpg"}
                                  for n in range(2)]}}
            for i in range(5):
                yield {"id": f"{city}-talk-{i}", "account": f"{city}_talk", "kind": "creatify.aurora",
                       "audio": f"https://m.example.test/{city}-{i}.mp3", "image": "https://m.example.test/i.png",
                       "text_prompt": f"{city}-talk-{i}."}

    def later_rows(self):
        """Of videos that are there: their clips made again, and some that are only followed."""
        for city in ("lyon", "nice"):
            made = [r for r in self.known if r["account"] == city and r["kind"] == "iacrea.video" and r["state"] == "done"]
            for i, video in enumerate(made):
                clips = self.ask(f"/api/video-editor/generate/video/{video['job_id']}", city)["generatedContent"]
                for n, clip in enumerate(clips):
                    yield {"id": f"{city}-again-{i}-{n}", "account": city, "kind": "iacrea.sequence",
                           "video_id": video["job_id"], "sequence_id": clip["id"],
                           "url": f"https://img.example.test/{city}-again-{i}-{n}..jpg"}
                yield {"id": f"{city}-follow-{i}", "account": city, "kind": "iacrea.video", "video_id": video["job_id"]}

    def ask(self, path, city=None, tries=50):
        request = urllib.request.Request(self.url + path, headers={"x-api-key": KEYS[city.upper()]} if city else {})
        for _ in range(tries):
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return json.loads(answer.read())
            except (OSError, ValueError):  # a fault
                time.sleep(0.02)
        raise AssertionError(f"no answer to {path}")

    def truth(self):
        return self.ask("/sandbox/jobs")["jobs"]

    def run_killed(self, rows, kills, rng):
        """A run that is killed and begun again, the last time to its end."""
        self.write("feed.json", json.dumps({"jobs": rows}))
        words = ["run", "feed.json"]
        for _ in range(kills):
            before = len(self.truth())
            running = self.start(*words, env=KEYS)
            more = rng.randrange(2, 8)
            wait_for(lambda: len(self.truth()) >= before + more or running.ended(), timeout=90)
            time.sleep(rng.random() * 0.05)
            running.kill()
            words = rng.choice((["run", "feed.json"], ["resume"]))
        done = self.run_it("run", "feed.json", env=KEYS, timeout=180)
        self.assertIn(done.code, (0, 1, 3, 4), done)
        self.known = done.rows
        return done

    def assert_true(self, done, rows):
        """Every row is in the state that the services know, and paid for once at most."""
        jobs = self.truth()
        status_of = {job["id"]: job["status"] for job in jobs}
        remade = {r["video_id"] for r in rows if r.get("kind") == "iacrea.sequence"}  # what was done may have failed since
        video_of = {r["id"]: r.get("video_id") for r in rows}
        perhaps_made = {video_of[row["id"]] for row in done.rows if row["state"] == "held"}  # nobody waits for its end
        owners = {}
        for row in done.rows:
            ref, state = row["id"], row["state"]
            made = [job for job in jobs if f"{ref}." in job["request"]]
            self.assertLessEqual(len(made), 1, f"{ref} was paid for twice")
            with self.subTest(row=ref, state=state):
                self.assertIn(state, ("done", "failed", "held", "planned"), done)
                if "-follow-" in ref:
                    self.assertEqual(made, [])
                    if row["job_id"] not in remade:
                        self.assertIn(status_of[row["job_id"]], ENDS[state])
                elif state in ENDS:
                    (job,) = made
                    owners.setdefault(row["account"], set()).add(job["customer"])
                    self.assertEqual(float(row["credits_used"] or job["charged"]), job["charged"])
                    if "-again-" in ref:  # its job is the video's, which a later row may have made anew
                        if video_of[ref] not in perhaps_made:
                            self.assertIn(job["status"], ("DONE", "ERROR"))
                        continue
                    self.assertEqual(row["job_id"], job["id"])
                    if job["id"] not in remade:
                        self.assertIn(job["status"], ENDS[state])
                elif state == "planned":
                    self.assertEqual(made, [])
        self.assertEqual({len(customers) for customers in owners.values()}, {1}, owners)
        self.assertEqual(len(set.union(*owners.values())), len(owners), "an account sent with the key of another")
        return {account: customers.pop() for account, customers in owners.items()}

    def settle(self, done):
        """What an operator does about rows that stayed held: looks at the service, and says what is there."""
        jobs = self.truth()
        for row in done.rows:
            if row["state"] != "held":
                continue
            made = [job for job in jobs if f"{row['id']}." in job["request"]]
            words = ["adopt", made[0]["id"]] if made else ["resubmit"]
            said = self.run_it("resolve", row["id"], *words)
            self.assertEqual(said.code, 0, said)

    def assert_adds_up(self, owners):
        """Attributed and unattributed are the change of the balance, and the balance is the service's."""
        charged = {customer: sum(job["charged"] for job in self.truth() if job["customer"] == customer)
                   for customer in owners.values()}
        for by in ("account", "kind", "day"):
            said = self.run_it("credits", "--by", by, "--format", "json")
            self.assertEqual(said.code, 0, said)
            report = json.loads(said.out)
            self.assertEqual(sorted(report["accounts"]), sorted(owners))
            for name, customer in owners.items():
                account = report["accounts"][name]
                balance = account["balance"]
                self.assertEqual(balance["last"], 1000 - charged[customer], (name, account, [(j["status"], j["charged"]) for j in self.truth() if j["customer"] == customer]))
                self.assertEqual((account["used"] or 0) + account["unattributed"],
                                 balance["first"] - balance["last"] + balance["elsewhere"], name)
                self.assertLessEqual(account["used"] or 0, charged[customer], name)
                if account["unknown_jobs"] == 0:
                    self.assertEqual(account["used"], charged[customer], name)
            for member in ("used", "unattributed"):
                self.assertEqual(sum(line[member] or 0 for line in report["lines"]), report["sums"][member] or 0)
                self.assertEqual(sum(account[member] or 0 for account in report["accounts"].values()),
                                 report["sums"][member] or 0)

    def a_bad_night(self, meaning, *manners):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        with self.subTest(seed=seed):
            sandbox = self.begin_sandbox("--seed", str(seed), "--failures", "0.1", "--fault", FAULTS, *manners)
            port = int(self.url.rsplit(":", 1)[1])
            self.accounts(meaning)
            rows = list(self.rows())
            done = self.run_killed(rows, 2, rng)
            self.assert_true(done, rows)
            rows += list(self.later_rows())
            done = self.run_killed(rows, 2, rng)
            self.assert_true(done, rows)
            sandbox.signal()
            sandbox.wait()
            # The faults are over: what is held is looked up, and everything comes to an end.
            self.begin_sandbox("--failures", "0.1", *manners, port=port)
            self.settle(done)
            done = self.run_it("run", "feed.json", env=KEYS, timeout=180)
            self.assertIn(done.code, (0, 1), done)
            self.assertLessEqual({row["state"] for row in done.rows}, {"done", "failed"}, done)
            owners = self.assert_true(done, rows)
            self.assert_sound()
            self.assert_adds_up(owners)

    def test_where_figures_are_each_jobs(self):
        self.a_bad_night("job", "--used-per-job")

    def test_where_figures_are_the_accounts_and_failures_are_refunded(self):
        self.a_bad_night("account", "--rejections", "0.1", "--refunds")


if __name__ == "__main__":
    unittest.main()
