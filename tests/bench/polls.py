"""CPU of the client process, user and system, for each poll."""

import shutil

from harness import (KEY, PATH, Service, allow_files, asyncio_client, figure, median, python_with_aiohttp,
                     reelbatch, rows_done, run, write_manifest)

OPEN = 100
# Each answer is followed by the next poll: the limits stand far above what the machine can do.
SATURATED = ["--rate", "100000/1s", "--submit-rate", "100000/1s", "--poll-interval", "1ms", "--job-timeout", "1h"]


def us(usage, requests):
    return usage.cpu * 1e6 / requests


def measure(binary, workdir, quick):
    return saturated(binary, workdir, quick) + paced(binary, workdir, quick)


def saturated(binary, workdir, quick):
    """100 requests open all the time, half of the answers with clips and credit figures, half without: what a job sees.

    Everything reelbatch does is counted: the start, reading the manifest, submitting, the ledger, the results.
    """
    tools = binary.parent
    jobs, polls = (200, 50) if quick else (1000, 100)
    write_manifest(workdir / "feed.csv", jobs)
    python = python_with_aiohttp()
    took = {name: [] for name in ("reelbatch", "bare", "wrk", "curl", "asyncio")}
    for repetition in range(1 if quick else 3):
        with Service(tools, workdir, polls=polls) as service:
            used = reelbatch(binary, workdir, service.url, *SATURATED, "--max-in-flight", OPEN, "--max-connections",
                             OPEN)
        assert rows_done(workdir) == jobs
        took["reelbatch"].append(us(used, service.count("GD")))
        requests = jobs * polls
        with Service(tools, workdir, jobs=OPEN) as service:
            used = run([tools / "bare_loop", service.url, OPEN, requests, OPEN], workdir)
            took["bare"].append(us(used, requests))
        if repetition > 2:
            continue
        one = f"{PATH}/00000000-0000-4000-8000-0000000000"
        if shutil.which("wrk"):
            with Service(tools, workdir, jobs=OPEN) as service:
                used = run(["wrk", "-t1", f"-c{OPEN}", "-d1s" if quick else "-d2s", "-H", f"x-api-key: {KEY}",
                            service.url + one + "00"], workdir)
            took["wrk"].append(us(used, len(service.requests)))
        if shutil.which("curl"):
            with Service(tools, workdir, jobs=OPEN) as service:
                count = max(requests // 20 // OPEN, 1)
                used = run(["curl", "-q", "--silent", "--parallel", "--parallel-max", OPEN, "--header",
                            f"x-api-key: {KEY}", "--output", "/dev/null",
                            f"{service.url}{one}[00-99]?n=[1-{count}]"], workdir)
            took["curl"].append(us(used, len(service.requests)))
        if python and repetition < (1 if quick else 2):
            write_manifest(workdir / "short.csv", 100)
            with Service(tools, workdir, polls=polls) as service:
                used = asyncio_client(python, workdir, service.url, "--rate", "100000/1", "--submit-rate", "100000/1", "--cap", OPEN, "--interval",
                                      "0", "--connections", OPEN, manifest="short.csv")
            took["asyncio"].append(us(used, service.count("GD")))
    ours, bare = median(took["reelbatch"]), median(took["bare"])
    ratio = median([a / b for a, b in zip(took["reelbatch"], took["bare"])])
    lines = [figure("CPU per poll, 100 open: bare libcurl loop", bare, "us", 1.0),
             figure("CPU per poll, 100 open: reelbatch, everything included", ours, "us", ratio,
                    "at most 1.4 times the bare loop", ratio <= 1.4)]
    names = {"wrk": "wrk", "curl": "curl --parallel", "asyncio": "asyncio and aiohttp"}
    for name, words in names.items():
        if took[name]:
            value = median(took[name])
            lines.append(figure(f"CPU per poll, 100 open: {words}", value, "us", value / bare))
        else:
            lines.append(figure(f"CPU per poll, 100 open: {words}", None, "us", note="not installed"))
    return lines


def paced(binary, workdir, quick):
    """500 requests a second, spread evenly; how long the service takes decides how many are open."""
    tools = binary.parent
    allow_files(4096)
    seconds = 5 if quick else 20
    took = {}
    for _ in range(1 if quick else 3):
        for open_at_once, delay_ms in ((15, 30), (1000, 2000)):
            jobs = 1000
            write_manifest(workdir / "feed.csv", jobs)
            polls = max(seconds * 500 // jobs, 1)
            with Service(tools, workdir, polls=polls, delay_ms=delay_ms) as service:
                used = reelbatch(binary, workdir, service.url, "--rate", "25/50ms", "--submit-rate", "25/50ms",
                                 "--poll-interval", "1ms", "--max-in-flight", jobs, "--max-connections",
                                 open_at_once + open_at_once // 2)
            assert rows_done(workdir) == jobs
            count = len(service.requests)
            took.setdefault(open_at_once, []).append((us(used, count), count / used.seconds))
    few, many = (median([value for value, _ in took[n]]) for n in (15, 1000))
    ratio = median([b[0] / a[0] for a, b in zip(took[15], took[1000])])
    lines = [figure("CPU per request at 500 a second, 15 open", few, "us", 1.0,
                    note=f"{median([r for _, r in took[15]]):.0f} a second"),
             figure("CPU per request at 500 a second, 1,000 open", many, "us", ratio, "at most 3 times that of 15 open",
                    ratio <= 3, note=f"{median([r for _, r in took[1000]]):.0f} a second")]
    return lines
