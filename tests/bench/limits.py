"""Rate limits counted where they matter: when the service read each request."""

import concurrent.futures
import os
import signal
import time

from harness import Service, figure, reelbatch, write_manifest

# Requests travel; a window at the service may be shorter by what two of them took.
SLACK_S = 0.1
# Options, the window that binds, how long to run, and which share of its slots has to be used.
SETTINGS = [("50/1s", ["50/1s"], (50, 1), 21, 0.95),
            ("200/10s", ["200/10s"], (200, 10), 41, 0.99),
            ("20/1s and 300/30s", ["20/1s", "300/30s"], (300, 30), 92, 0.99)]
QUICK = [("50/1s", ["50/1s"], (50, 1), 11, 0.95),
         ("20/1s and 60/10s", ["20/1s", "60/10s"], (60, 10), 21, 0.99)]


def parse(text):
    limit, width = text.split("/")
    return int(limit), float(width.rstrip("s"))


def violations(times, limit, width):
    """How many requests came too early: the one `limit` before was read less than the window, less the slack, ago."""
    return sum(later - earlier < width - SLACK_S for earlier, later in zip(times, times[limit:]))


def used(times, limit, width):
    """The share of slots used while work was ready: the window over how long `limit` requests took."""
    rounds = (len(times) - 1) // limit
    return rounds * width / (times[rounds * limit] - times[0])


def stop_after(seconds):
    """For harness.run: asks the process to stop when its time is up."""
    end = time.monotonic() + seconds
    asked = []

    def look(pid):
        if not asked and time.monotonic() > end:
            asked.append(True)
            os.kill(pid, signal.SIGTERM)
    return look


def one(binary, workdir, setting):
    name, rates, (limit, width), seconds, least = setting
    folder = workdir / name.replace("/", "-").replace(" ", "")
    folder.mkdir()
    write_manifest(folder / "feed.csv", 300)
    options = []
    for rate in rates:
        options += ["--rate", rate, "--submit-rate", rate]
    with Service(binary.parent, folder, polls=1_000_000) as service:
        reelbatch(binary, folder, service.url, *options, "--max-in-flight", 300, "--poll-interval", "50ms",
                  while_running=stop_after(seconds), accept=(3,))
    times = [at / 1e9 for at in service.times()]
    too_early = sum(violations(times, *parse(rate)) for rate in rates)
    share = used(times, limit, width)
    return [figure(f"{name}: requests above the limit", too_early, f"of {len(times):,}", None,
                   "none in windows of W less 100 ms", too_early == 0, robust=True),
            figure(f"{name}: slots used", share * 100, "%", None, f"at least {least * 100:.0f} %", share >= least)]


def measure(binary, workdir, quick):
    """All settings at once: they hardly load the machine."""
    settings = QUICK if quick else SETTINGS
    with concurrent.futures.ThreadPoolExecutor(len(settings)) as pool:
        found = list(pool.map(lambda setting: one(binary, workdir, setting), settings))
    return [line for lines in found for line in lines]
