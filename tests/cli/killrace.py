#!/usr/bin/env python3
"""One seed of the kill race: the real binary over real sockets, interrupted at random moments until it is done.

A run is killed (kill -9), suspended and resumed (SIGSTOP, SIGCONT), asked to stop (SIGTERM), and killed while it stops, at
moments that the seed draws: on the way up, between requests, while results are written, while it recovers from the kill before.
The service keeps the record that everything is compared with. tools/killrace runs many seeds; `Race.failures` says what broke.
"""

import collections
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from harness import BINARY, FOLDERS, KEY, row
from provider import Answer, Provider

# A request is counted when its connection is ready to carry it; its bytes reach the server a little later.
SLACK = 0.1
# Limits of one run each: (all requests, submissions). Short windows, because a run after a kill waits for a full one.
PACES = [([(120, 0.3), (600, 2)], [(24, 0.3)]),
         ([(60, 0.2)], [(10, 0.2), (40, 1)]),
         ([(200, 0.5)], [(35, 0.5)])]
# Deliberate mistakes that the checks have to notice, and a word of the failure that does.
BREAKS = {
    "unsynced": "has what came last, is gone",  # what a killed run had written is
    "two-runs": "two runs at once",      # a second run works beside the first, on a ledger of its own
    "pace": "in a window",               # the run keeps twice the limit that is judged
    "double": "accepted 2 times",        # the service takes a submission twice
    "forget": "lost",                    # the service has a job that no report tells of
    "price": "credits",                  # the service charges otherwise than it said
    "unnoticed": "without a kill",       # a kill that the race believes it did not make
}


class Seconds:
    """A wait of a known length, in the place of a threading.Event."""

    def __init__(self, seconds):
        self.seconds = seconds

    def wait(self, timeout):
        time.sleep(min(self.seconds, timeout))


class AnyAnswer:
    """A rule for every request: the usual answer, after a while."""

    def __init__(self, rng, longest):
        self.rng, self.longest = rng, longest

    def takes(self, ref, nth):
        return True

    @property
    def answer(self):
        return Answer(wait=Seconds(self.longest * self.rng.random() ** 3))


class Service(Provider):
    """The service. The first part of a path names the process that asks, so that two of them can be told apart."""

    def __init__(self, seed):
        rng = random.Random(f"service {seed}")
        super().__init__()
        self.credits_mean = "job"
        self.credits_total = 1e6
        self.price = lambda job: 1 + sum(job.ref.encode()) % 7 / 2
        self.steps = ["GENERATING_VIDEO"] * rng.randrange(0, 3) + ["RENDERING_VIDEO"] * rng.randrange(0, 2)
        self.submit_rules = [AnyAnswer(rng, 0.12)]
        self.poll_rules = [AnyAnswer(rng, 0.03)]
        self.told = []  # (time, process), as they arrived
        self.double = 0

    def handle(self, handler, method, body):
        process, _, rest = handler.path[2:].partition("/")
        handler.path = "/" + rest
        with self.lock:
            self.told.append((handler.arrived, int(process)))
        super().handle(handler, method, body)

    def create(self, request, job_id):
        with self.lock:
            if self.double and len(self.jobs) % self.double == self.double - 1:
                super().create(request, None)
            return super().create(request, job_id)

    def asked_by(self, process):
        with self.lock:
            return sum(1 for _, other in self.told if other == process)

    def count(self):
        with self.lock:
            return len(self.told)

    def everything_is_done(self, listings):
        with self.lock:
            return len(self.by_id) >= listings and all(job.done for job in self.by_id.values())


def most_in(times, window):
    """The most in any window, and when it began. `times` are sorted."""
    most, began, first = 0, 0.0, 0
    for last, at in enumerate(times):
        while at - times[first] >= window:
            first += 1
        if last - first + 1 > most:
            most, began = last - first + 1, times[first]
    return most, began


class Race:
    """seed       from it all moments are drawn; one in four (3, 7, ...) has no kill.
    listings   in the manifest.
    broken     a name of BREAKS, or None.
    """

    def __init__(self, seed, listings, broken=None):
        self.seed, self.listings, self.broken = seed, listings, broken
        self.rng = random.Random(f"race {seed}")
        self.kills_allowed = seed % 4 != 3
        self.failures = []
        self.did = collections.Counter()
        self.open_at_kills = 0
        self.continued = []  # when a suspended run went on
        self.processes = 0
        self.refs = [f"L-{number:04d}" for number in range(listings)]
        self.rate, self.submit_rate = self.rng.choice(PACES)
        self.cap = self.rng.choice([8, 20, 60])
        if broken == "pace":
            self.cap = 60
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"killrace-{seed}-", dir=FOLDERS))
        self.service = Service(seed)
        if broken == "double":
            self.service.double = max(listings // 5, 1)

    def fail(self, message):
        if len(self.failures) < 2000:
            self.failures.append(message)

    # ---- the binary

    def start(self, *words, ledger="reelbatch.db"):
        """Starts a command that reports under a number of its own; returns (process, number)."""
        self.processes += 1
        number = self.processes
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "IACREA_API_KEY": KEY}
        config = f"{number}.yaml"
        (self.folder / config).write_text("accounts: {iacrea: {service: iacrea, key: {env: IACREA_API_KEY}, credits: job, "
                                          f"base_url: '{self.service.url}/p{number}'}}}}\n")
        out = open(self.folder / f"{number}.log", "wb")
        process = subprocess.Popen([str(BINARY), *words, "--ledger", ledger, "--config", config], cwd=self.folder, env=env,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        out.close()
        return process, number

    def start_run(self, ledger="reelbatch.db", output="results.csv"):
        words = ["run", "feed.csv", "-o", output, "--max-in-flight", str(self.cap), "--poll-interval", "60ms",
                 "--progress", "none"]
        looser = 2 if self.broken == "pace" else 1
        for flag, windows in (("--rate", self.rate), ("--submit-rate", self.submit_rate)):
            for most, width in windows:
                words += [flag, f"{most * looser}/{round(width * 1000)}ms"]
        return self.start(*words, ledger=ledger)

    def wait(self, process, number, codes, what):
        try:
            code = process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.fail(f"{what} (process {number}) did not end in 120 s")
            return None
        if code not in codes:
            said = (self.folder / f"{number}.log").read_text(errors="replace")[-2000:]
            self.fail(f"{what} (process {number}) ended with {code} and not with one of {sorted(codes)}:\n{said}")
        return code

    def command(self, *words, codes=(0,)):
        process, number = self.start(*words)
        code = self.wait(process, number, set(codes), " ".join(words))
        return code, (self.folder / f"{number}.log").read_text(errors="replace")

    # ---- moments

    def sleep_until(self, condition, process, most=20.0):
        """Until `condition()` or the end of the process; True if the process still runs."""
        end = time.monotonic() + most
        while process.poll() is None and time.monotonic() < end:
            if condition():
                return process.poll() is None
            time.sleep(0.001)
        return process.poll() is None

    def wait_for_a_moment(self, process, number):
        """Draws the next moment and waits for it. False if the run ended before."""
        kind = self.rng.choices(["start", "requests", "submission", "end"], [3, 8, 4, 1])[0]
        if kind == "start":
            after = self.rng.random() ** 2 * 0.25
            alive = self.sleep_until(lambda: False, process, after)
        elif kind == "end":  # while results are written
            alive = self.sleep_until(lambda: self.service.everything_is_done(self.listings), process)
        elif kind == "submission":  # taken, and not answered yet
            goal = len(self.service.jobs) + self.rng.randrange(1, max(self.listings // 12, 2))
            alive = self.sleep_until(lambda: len(self.service.jobs) >= goal and self.service.answering > 0, process, 5)
        else:
            goal = self.service.count() + self.rng.randrange(1, max(self.listings // 8, 2))
            alive = self.sleep_until(lambda: self.service.count() >= goal, process)
        if alive:
            self.sleep_until(lambda: False, process, self.rng.random() ** 2 * 0.02)
        return process.poll() is None

    def kill(self, process, noticed=True):
        process.kill()
        process.wait()
        self.did["kill"] += noticed
        if noticed:
            self.open_at_kills += self.open_submissions()
        if self.broken == "unsynced":
            (self.folder / "reelbatch.db-wal").unlink(missing_ok=True)
            (self.folder / "reelbatch.db-shm").unlink(missing_ok=True)

    def open_submissions(self):
        """Intents without an outcome in the ledger as the killed run left it; looked at in a copy."""
        with tempfile.TemporaryDirectory(dir=self.folder) as copy:
            for name in ("reelbatch.db", "reelbatch.db-wal"):
                if (self.folder / name).exists():
                    shutil.copyfile(self.folder / name, pathlib.Path(copy) / name)
            database = sqlite3.connect(pathlib.Path(copy) / "reelbatch.db")
            try:
                found = database.execute("SELECT count(*) FROM jobs WHERE state = 1").fetchone()[0]
            except sqlite3.OperationalError:  # killed before there was a table
                found = 0
            finally:
                database.close()
        if found > self.cap:
            self.fail(f"{found} submissions were open at a kill, more than --max-in-flight {self.cap}")
        return found

    def interrupt(self, process, number):
        """One interruption. True if the run may go on after it."""
        if self.kills_allowed:
            kind = self.rng.choices(["kill", "stop", "term", "term-kill"], [10, 3, 2, 3])[0]
        else:
            kind = self.rng.choices(["stop", "term"], [3, 2])[0]
        if self.broken == "unnoticed":
            self.kill(process, noticed=False)
            return False
        if kind == "kill":
            self.kill(process)
            return False
        self.did[kind] += 1
        if kind == "stop":
            process.send_signal(signal.SIGSTOP)
            time.sleep(self.rng.choice([0.01, 0.2, 0.7]) * self.rng.random())
            self.continued.append(time.monotonic())
            process.send_signal(signal.SIGCONT)
            return True
        process.send_signal(signal.SIGTERM)
        if kind == "term-kill":
            self.sleep_until(lambda: False, process, self.rng.random() * 0.15)
            if process.poll() is None:
                self.kill(process)
            return False
        self.wait(process, number, {0, 3, 4, -signal.SIGTERM}, "a run that was asked to stop")
        return False

    def try_a_second_run(self, process, number):
        """Beside a run that is at work, another must be refused, and must send nothing."""
        if not self.sleep_until(lambda: self.service.asked_by(number) > 0, process, 5):
            return
        self.did["second"] += 1
        ledger, codes = "reelbatch.db", {6}
        if self.broken == "two-runs":
            ledger, codes = "second.db", {0, 3, 4, 6}
        second, second_number = self.start_run(ledger=ledger, output="second.csv")
        code = second.wait(120)
        if process.poll() is None and code not in codes:
            self.fail(f"a second run ended with {code} beside the first: two runs at once")
        if code == 6 and self.service.asked_by(second_number):
            self.fail("a second run was refused and sent requests all the same")

    # ---- the race

    def run(self):
        try:
            self.race()
            self.check()
        finally:
            self.service.stop()
        if not self.failures and not os.environ.get("KILLRACE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        return self

    def race(self):
        columns = list(row("x"))
        with open(self.folder / "feed.csv", "w", newline="", encoding="utf-8") as feed:
            writer = csv.DictWriter(feed, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row(ref) for ref in self.refs)
        most = 12 + self.rng.randrange(12)  # interruptions; then it is left alone
        while not self.failures:
            process, number = self.start_run()
            left_alone = sum(self.did[kind] for kind in ("kill", "stop", "term", "term-kill")) >= most
            if self.broken == "unnoticed" and self.processes > 6:
                left_alone = True
            if left_alone:
                self.wait(process, number, {0, 4}, "a run that was left alone")
                break
            going = True
            while going and self.wait_for_a_moment(process, number):
                if self.rng.random() < 0.15:
                    self.try_a_second_run(process, number)
                    if process.poll() is not None:
                        break
                going = self.interrupt(process, number)
            self.check_output_is_whole()
            if going:  # it ended by itself
                if self.wait(process, number, {0, 4}, "a run that ended by itself") is not None:
                    break

    # ---- what must hold

    def check_output_is_whole(self):
        path = self.folder / "results.csv"
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        if not text.endswith("\n") or [r["id"] for r in rows] != self.refs:
            self.fail(f"results.csv is not whole: {len(rows)} of {self.listings} rows")

    def results(self):
        self.check_output_is_whole()
        with open(self.folder / "results.csv", newline="", encoding="utf-8") as results:
            return {r["id"]: r for r in csv.DictReader(results)}

    def jobs(self):
        """The service's record: jobs by listing."""
        record = collections.defaultdict(list)
        for job in self.service.by_id.values():
            record[job.ref].append(job)
        return record

    def spoil_the_record(self):
        jobs = list(self.service.by_id.values())
        if self.broken == "forget" and jobs:
            extra = self.service.create(self.service.posts()[0]._replace(ref="L-none"), None)
            extra.done = True
        if self.broken == "price" and jobs:
            jobs[0].price += 1

    def check(self):
        if self.failures:
            return
        self.spoil_the_record()
        rows, record = self.results(), self.jobs()
        self.check_one_run_at_a_time()
        self.check_rows(rows, record)
        held = {ref for ref, found in rows.items() if found["state"] == "held"}
        if len(held) > self.open_at_kills:
            self.fail(f"{len(held)} rows are held and {self.open_at_kills} submissions were open at the kills")
        if held and self.did["kill"] == 0:
            self.fail(f"{len(held)} rows are held in a seed without a kill")
        self.check_pace()
        self.did["held"] = len(held)
        if self.failures:
            return
        self.command("ledger", "verify")
        self.run_again("a further run", {4} if held else {0})
        self.resolve(held, record)

    def check_rows(self, rows, record):
        for ref in self.refs:
            found, jobs = rows.get(ref), record.get(ref, [])
            posts = len(self.service.posts(ref))
            if found is None:
                self.fail(f"{ref} is missing from the report")
            elif len(jobs) > 1 or posts > 1:
                self.fail(f"{ref} was sent {posts} times and accepted {len(jobs)} times")
            elif found["state"] == "done":
                if len(jobs) != 1:
                    self.fail(f"{ref} is reported done and was accepted {len(jobs)} times")
                    continue
                job = jobs[0]
                told = (found["job_id"], found["url"], float(found["credits_used"] or "nan"))
                if told[:2] != (job.id, job.url) or not job.done:
                    self.fail(f"{ref} is reported as {told}, and the service has {job.id}, {job.url}")
                if told[2] != job.price:
                    self.fail(f"{ref} is reported with {told[2]} credits, and the service charged {job.price}")
            elif found["state"] != "held":
                self.fail(f"{ref} is neither done nor held but {found['state']}: {found['reason']}")
        for ref in record:
            if ref not in rows:
                self.fail(f"the service has a job of {ref} that no report tells of: it is lost")
        paid = sum(job.price for jobs in record.values() for job in jobs)
        told = sum(float(found["credits_used"] or 0) for found in rows.values())
        doubt = sum(job.price for ref, jobs in record.items() for job in jobs if rows.get(ref, {}).get("state") == "held")
        if abs(paid - told - doubt) > 1e-6:
            self.fail(f"the service charged {paid} credits; the report has {told}, and {doubt} are of held rows")

    def check_pace(self):
        posts = sorted(r.at for r in self.service.posts())
        everything = sorted(r.at for r in self.service.requests)
        for name, times, windows in (("requests", everything, self.rate), ("submissions", posts, self.submit_rate)):
            for limit, width in windows:
                most, began = most_in(times, width - SLACK)
                # A run may be suspended between "the connection is ready" and the bytes: one request each time.
                late = sum(1 for at in self.continued if began - 0.02 <= at <= began + width)
                if most > limit + late:
                    self.fail(f"{most} {name} in a window of {width} s less {SLACK} s, allowed are {limit}")
        doubt = self.open_at_kills
        if self.service.open_most > self.cap + doubt:
            self.fail(f"{self.service.open_most} jobs in flight, allowed are {self.cap} and {doubt} in doubt")

    def check_one_run_at_a_time(self):
        latest = 0
        for at, process in sorted(self.service.told):
            if process < latest:
                self.fail(f"process {process} sent something after process {latest} had: two runs at once")
                return
            latest = process

    def run_again(self, what, codes):
        before = self.service.count()
        process, number = self.start_run()
        self.wait(process, number, codes, what)
        if self.service.count() != before:
            self.fail(f"{what} sent {self.service.count() - before} requests: nothing had changed")

    def resolve(self, held, record):
        """What an operator does, who sees the jobs at the service. Then everything is done, and paid for once."""
        if not held:
            return
        for ref in held:
            words = ["adopt", record[ref][0].id] if record.get(ref) else ["resubmit"]
            self.command("resolve", ref, *words)
        process, number = self.start_run()
        self.wait(process, number, {0}, "the run after all was resolved")
        rows, record = self.results(), self.jobs()
        self.check_rows(rows, record)
        for ref in self.refs:
            if rows[ref]["state"] != "done":
                self.fail(f"{ref} is {rows[ref]['state']} after all was resolved")
        self.command("ledger", "verify")
        self.run_again("the last run", {0})


def race(seed, listings, broken=None):
    """Runs one seed; returns what tools/killrace prints, as plain values."""
    began = time.monotonic()
    done = Race(seed, listings, broken).run()
    return {"seed": seed, "failures": done.failures, "did": dict(done.did), "seconds": time.monotonic() - began,
            "requests": len(done.service.requests), "posts": len(done.service.posts()),
            "open_at_kills": done.open_at_kills, "folder": str(done.folder)}


if __name__ == "__main__":
    import sys
    print(json.dumps(race(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]), indent=1))
