#!/usr/bin/env python3
"""Runs the built binary as a user would: a folder of its own, files in it, a clean environment, a bound on time.

REELBATCH names the binary; by default it is build/reelbatch of this checkout.
"""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from provider import Answer, KEY, Provider, description

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("REELBATCH", CHECKOUT / "build" / "reelbatch")).resolve()

# A killed process needs no disk that survives the machine, and a busy disk makes tests of time fail.
FOLDERS = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
TIMEOUT = float(os.environ.get("REELBATCH_TEST_TIMEOUT", 60))
FAST = ["--rate", "200/1s", "--submit-rate", "100/1s", "--poll-interval", "50ms"]
OUTPUTS = ["-o", "results.csv", "-o", "results.json"]

# Under nohup, or behind a script's `&`, these are ignored, and so they would be by the binary.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

COLUMNS = ["id", "kind", "account", "state", "url", "job_id", "credits_used", "submitted_at", "finished_at", "seconds",
           "polls", "submissions", "reason", "file", "line"]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def wait_for(condition, timeout=20, what="the condition"):
    """The first true value of `condition()`; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)


def row(ref, version=1, **fields):
    """A manifest row of the listing `ref`. A field that is None is left out."""
    base = {"id": ref, "image_urls": f"https://img.example.test/{ref}/1.jpg|https://img.example.test/{ref}/2.jpg",
            "description": description(ref, version)}
    base.update(fields)
    return {name: value for name, value in base.items() if value is not None}


class Outcome:
    """What a command did. `rows` are those of results.csv as it stood when the command had ended, by column."""

    def __init__(self, folder, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds
        self.files = {name: (folder / name).read_text(encoding="utf-8")
                      for name in ("results.csv", "results.json") if (folder / name).is_file()}

    @property
    def text(self):
        return self.out + self.err

    @property
    def rows(self):
        return list(csv.DictReader(io.StringIO(self.files["results.csv"], newline="")))

    @property
    def json(self):
        return json.loads(self.files["results.json"])

    def row(self, ref):
        found = [r for r in self.rows if r["id"] == ref]
        assert len(found) == 1, f"{ref} stands {len(found)} times in the results"
        return found[0]

    def state(self, ref):
        return self.row(ref)["state"]

    def __repr__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Running:
    """A command that goes on. `wait` ends it in an Outcome."""

    def __init__(self, case, process, out, err):
        self.case, self.process, self.out, self.err = case, process, out, err
        self.started = time.monotonic()

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        return self.wait()

    def ended(self):
        return self.process.poll() is not None

    def wait(self, timeout=TIMEOUT):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {timeout} s\n{self.text()}") from None
        return Outcome(self.case.folder, code, self.out.read_text(errors="replace"),
                       self.err.read_text(errors="replace"), time.monotonic() - self.started)

    def text(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")


class Case(unittest.TestCase):
    """A test with a folder (self.folder), a provider (self.provider) and the binary (self.run_it, self.start)."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reelbatch-test-", dir=FOLDERS))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="reelbatch-home-", dir=FOLDERS))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.provider = Provider()
        self.addCleanup(self.provider.stop)
        self.started = []
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for running in self.started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()

    # ---- files

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8") if isinstance(text, str) else path.write_bytes(text)
        return path

    def manifest(self, rows, name="feed.csv", columns=None):
        """Writes `rows` as CSV. A row is a listing's id or what row() makes."""
        rows = [row(r) if isinstance(r, str) else r for r in rows]
        if columns is None:
            columns = list(dict.fromkeys(column for r in rows for column in r)) or ["id", "image_urls", "description"]
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
        return self.write(name, text.getvalue())

    def config(self, account="", rest="", name="reelbatch.yaml"):
        """A configuration with the account `iacrea` at the provider; `account` are further lines of it."""
        lines = ["accounts:", "  iacrea:", "    service: iacrea", f"    base_url: {self.provider.url}",
                 "    key: {env: IACREA_API_KEY}"]
        lines += ["    " + line for line in account.splitlines()]
        return self.write(name, "\n".join(lines) + "\n" + rest)

    def plan(self, *args, manifest="feed.csv"):
        """The rows of the plan by id, after `plan -o plan.json`; the whole of it under ''."""
        done = self.run_it("plan", manifest, "-o", "plan.json", *args)
        self.assertEqual(done.code, 0, done)
        plan = json.loads((self.folder / "plan.json").read_text())
        return {"": plan, **{r["id"]: r for r in plan["rows"]}}

    # ---- the binary

    def environment(self, changes=None):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "IACREA_API_KEY": KEY,
               "IACREA_BASE_URL": self.provider.url}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        for name, value in (changes or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def start(self, *args, env=None, stdin=None, pace=True, outputs=True):
        """Starts a command; `run` and `resume` with the suite's pace and outputs unless told otherwise."""
        words = [str(arg) for arg in args]
        if words[0] in ("run", "resume"):
            words += (FAST if pace else []) + (OUTPUTS if outputs and "-o" not in words else [])
        number = len(self.started)
        out, err = self.home / f"{number}.out", self.home / f"{number}.err"
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            process = subprocess.Popen([str(BINARY), *words], cwd=self.folder, env=self.environment(env),
                                       stdin=subprocess.DEVNULL if stdin is None else stdin, stdout=out_file,
                                       stderr=err_file, start_new_session=True)
        running = Running(self, process, out, err)
        self.started.append(running)
        return running

    def run_it(self, *args, timeout=TIMEOUT, text=None, **named):
        """Runs a command to its end. `text` is its standard input."""
        if text is None:
            return self.start(*args, **named).wait(timeout)
        path = self.home / "stdin"
        path.write_text(text, encoding="utf-8")
        with open(path, "rb") as stdin:
            return self.start(*args, stdin=stdin, **named).wait(timeout)

    def run_feed(self, *args, code=None, **named):
        """`run feed.csv`, and checks its exit code if one is given."""
        done = self.run_it("run", "feed.csv", *args, **named)
        if code is not None:
            self.assertEqual(done.code, code, done)
        return done

    # ---- what must hold

    def assert_posts(self, count, ref=None):
        posts = self.provider.posts(ref)
        self.assertEqual(len(posts), count, f"submissions received: {[p.ref for p in posts]}")

    def assert_states(self, done, **states):
        found = {r["id"].replace("-", "_"): r["state"] for r in done.rows}
        self.assertEqual(found, states, done)

    def assert_sound(self):
        done = self.run_it("ledger", "verify")
        self.assertEqual(done.code, 0, done)


class Background:
    """Runs that take long by contract, beside the other tests of a file.

    begins  by name, what starts one: takes a Case, returns the Running.

    A file that has one gives `load_tests`, `set_up` and `tear_down` as its load_tests, setUpModule and tearDownModule.
    All begin first when the whole file is run; a test that is run alone begins what it asks for.
    """

    class Beside(Case):
        def runTest(self):
            pass

    def __init__(self, **begins):
        self.begins, self.cases, self.whole = begins, {}, False

    def load_tests(self, loader, tests, pattern):
        self.whole = True
        return tests

    def set_up(self):
        for name in self.begins if self.whole else ():
            self[name]

    def tear_down(self):
        for case in self.cases.values():
            case.doCleanups()

    def __getitem__(self, name):
        """The Case, with its Running as `running`."""
        if name not in self.cases:
            case = self.cases[name] = Background.Beside()
            case.setUp()
            case.running = self.begins[name](case)
        return self.cases[name]


__all__ = ["Answer", "BINARY", "Background", "COLUMNS", "Case", "FAST", "KEY", "OUTPUTS", "Outcome", "Provider",
           "Running", "TIME", "description", "row", "wait_for"]
