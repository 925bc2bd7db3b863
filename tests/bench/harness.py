"""What the measurements share: the service, the clients that are compared, manifests, and figures of a process.

Client and service never share a core where there are two: the client runs on the first, the service on the last.
"""

import csv
import json
import os
import pathlib
import resource
import select
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KEY = "sk-bench-5d1f0c8a9e7b4632"
CORES = sorted(os.sched_getaffinity(0))
LOOK_EVERY_S = 0.02
PATH = "/api/video-editor/generate/video/auto"


def figure(what, value, unit, ratio=None, bar=None, ok=None, robust=False, note=""):
    """One line of the table. `bar` in words, `ok` None where there is none; `robust`: it holds whatever the machine is
    busy with, so that CI may insist on it."""
    return {"what": what, "figure": value, "unit": unit, "ratio": ratio, "bar": bar, "ok": ok, "robust": robust,
            "note": note}


def pin(core):
    return lambda: os.sched_setaffinity(0, {core})


class Usage:
    """What a finished process used, and for how long it ran."""

    def __init__(self, code, seconds, used, peak_kb, output):
        self.code, self.seconds, self.output = code, seconds, output
        self.cpu = used.ru_utime + used.ru_stime
        self.peak_mb = peak_kb / 1024


def peak_kb_of(pid, known):
    """The most memory that a process had so far; `known` where it has ended.

    Not ru_maxrss: that begins with what this interpreter had when it forked.
    """
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return known
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), known)


def run(words, cwd, env=None, while_running=None, accept=(0,)):
    """Runs a client on its core. `while_running(pid)` is called now and then."""
    log = pathlib.Path(cwd) / "client.out"
    with open(log, "wb") as out:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in words], cwd=cwd, env=env, stdout=out, stderr=out,
                                   stdin=subprocess.DEVNULL, preexec_fn=pin(CORES[0]))
        try:
            peak_kb = 0
            ended = os.pidfd_open(process.pid)
            while not select.select([ended], [], [], LOOK_EVERY_S)[0]:
                peak_kb = peak_kb_of(process.pid, peak_kb)
                if while_running:
                    while_running(process.pid)
            os.close(ended)
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    if process.returncode not in accept:
        sys.exit(f"bench: {' '.join(map(str, words))}: exit {process.returncode}\n{text[-4000:]}")
    return Usage(process.returncode, seconds, used, peak_kb, text)


class Service:
    """The service of bench_server.cc, while the block lasts. Afterwards `requests` holds its record."""

    def __init__(self, tools, workdir, **options):
        self.record = pathlib.Path(workdir) / "record.txt"
        self.words = [str(tools / "bench_server"), "--record", str(self.record)]
        for name, value in options.items():
            self.words += ["--" + name.replace("_", "-"), str(value)]
        self.requests = []

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True, preexec_fn=pin(CORES[-1]))
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().split()[1]}"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()
        with open(self.record, encoding="ascii") as lines:
            self.offset = int(next(lines).split()[1])
            for line in lines:
                at, what, job, ready = line.split()
                self.requests.append((int(at), what, int(job), int(ready)))
        self.record.unlink()

    def times(self, kinds="PGD"):
        return [at for at, what, _, _ in self.requests if what in kinds]

    def count(self, kinds):
        return sum(what in kinds for _, what, _, _ in self.requests)


def write_manifest(path, rows, hosts=("https://img.example.test",)):
    """Five images a row, those of each row on the next of `hosts`."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["id", "image_urls", "description", "agency", "city"])
        for number in range(rows):
            host = hosts[number % len(hosts)]
            photos = "|".join(f"{host}/{number}/{photo}.jpg" for photo in range(1, 6))
            text = f"Listing {number}: a bright flat with three rooms, a terrace and a view of the river."
            out.writerow([f"A-{number}", photos, text, f"agency {number % 7}", f"city {number % 31}"])
    return path


def environment(url):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("REELBATCH_", "IACREA_"))}
    env.update(IACREA_API_KEY=KEY, IACREA_BASE_URL=url)
    return env


def reelbatch(binary, workdir, url, *options, manifest="feed.csv", fresh=True, **named):
    """One run on a new ledger."""
    if fresh:
        for old in pathlib.Path(workdir).glob("bench.db*"):
            old.unlink()
    words = [binary, "run", "--ledger", "bench.db", "-o", "results.json", "--progress", "none", *options, manifest]
    return run(words, workdir, environment(url), **named)


def rows_done(workdir):
    return json.loads((pathlib.Path(workdir) / "results.json").read_text())["counts"]["done"]


def python_with_aiohttp():
    """The interpreter that has the comparison's library, or None. Debian's package belongs to Debian's interpreter."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import aiohttp"], capture_output=True).returncode == 0:
            return python
    return None


def asyncio_client(python, workdir, url, *options, manifest="feed.csv"):
    words = [python, HERE / "asyncio_client.py", url, manifest, "asyncio_results.csv", *options]
    return run(words, workdir, environment(url))


def median(values):
    return statistics.median(values)


def allow_files(count):
    """A soft limit on open files that a service with many connections needs; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
