"""The same work as a good asyncio client does it: CPU of the whole process, and the makespan against its lower bound."""

from harness import (Service, asyncio_client, figure, median, python_with_aiohttp, reelbatch, rows_done,
                     write_manifest)

# Every listing in flight at once, polled as often as the vendors advise.
INTERVAL_S, RATE, SUBMIT_RATE, SPREAD = 3, 2000, 200, 20


def lower_bound_s(jobs, cap, takes_ms):
    """No schedule is shorter: the cap's places are all taken all the time; submissions leave as fast as they may; and
    each job needs two requests. Durations as bench_server.cc draws them."""
    durations = [takes_ms * (100 - SPREAD + number * 37 % 101 * 2 * SPREAD // 100) / 100 / 1000
                 for number in range(jobs)]
    by_cap = sum(durations) / cap
    by_submissions = (jobs - 1) // SUBMIT_RATE + min(durations)
    by_requests = (2 * jobs - 1) // RATE
    return max(by_cap, by_submissions, by_requests, max(durations))


def makespan_s(service):
    return (max(service.times("D")) - min(service.times("P"))) / 1e9


def measure(binary, workdir, quick):
    jobs, cap, takes_ms = (200, 200, 6000) if quick else (3000, 1500, 45_000)
    write_manifest(workdir / "feed.csv", jobs)
    bound = lower_bound_s(jobs, cap, takes_ms)
    python = python_with_aiohttp()
    cpu, span, polls, seconds = {"ours": [], "theirs": []}, {"ours": [], "theirs": []}, [], []
    for _ in range(1 if quick else 2):
        with Service(binary.parent, workdir, takes_ms=takes_ms, spread=SPREAD) as service:
            used = reelbatch(binary, workdir, service.url, "--rate", f"{RATE}/1s", "--submit-rate", f"{SUBMIT_RATE}/1s",
                             "--max-in-flight", cap, "--poll-interval", f"{INTERVAL_S}s")
        assert rows_done(workdir) == jobs
        cpu["ours"].append(used.cpu)
        span["ours"].append(makespan_s(service))
        polls.append(service.count("GD"))
        if not python:
            continue
        with Service(binary.parent, workdir, takes_ms=takes_ms, spread=SPREAD) as service:
            used = asyncio_client(python, workdir, service.url, "--rate", f"{RATE}/1", "--submit-rate",
                                  f"{SUBMIT_RATE}/1", "--cap", cap, "--interval", INTERVAL_S)
        assert service.count("D") == jobs
        cpu["theirs"].append(used.cpu)
        span["theirs"].append(makespan_s(service))
    ours, span_ours = median(cpu["ours"]), median(span["ours"])
    lines = [figure(f"makespan of {jobs} jobs, lower bound", bound, "s", 1.0),
             figure(f"makespan of {jobs} jobs, reelbatch", span_ours, "s", span_ours / bound,
                    note=f"{polls[0] / jobs:.1f} polls a job")]
    if not python:
        return lines + [figure("the same work, asyncio and aiohttp", None, "s", note="not installed")]
    theirs, span_theirs = median(cpu["theirs"]), median(span["theirs"])
    share = median([a / b for a, b in zip(cpu["ours"], cpu["theirs"])])
    longer = median([a / b for a, b in zip(span["ours"], span["theirs"])])
    lines[1].update(bar="no longer than asyncio's, within 1 %", ok=longer <= 1.01)
    lines += [figure(f"makespan of {jobs} jobs, asyncio", span_theirs, "s", span_theirs / bound),
              figure(f"CPU of {jobs} jobs, asyncio", theirs, "CPU s", 1.0),
              figure(f"CPU of {jobs} jobs, reelbatch", ours, "CPU s", share, "at most a tenth of asyncio's",
                     share <= 0.1)]
    return lines
