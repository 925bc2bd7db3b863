"""The same work as a good asyncio client does it: CPU of the whole process, and the makespan against its lower bound."""

from harness import (Service, asyncio_client, figure, median, python_with_aiohttp, reelbatch, rows_done,
                     write_manifest)

# Jobs of three minutes, polled every three seconds, with 50 in flight; but time runs sixty times faster.
CAP, INTERVAL_S, RATE, SUBMIT_RATE, TAKES_MS, SPREAD = 50, 0.05, 1500, 60, 3000, 40


def takes_s(number):
    """As bench_server.cc draws it."""
    return TAKES_MS * (100 - SPREAD + number * 37 % 101 * 2 * SPREAD // 100) / 100 / 1000


def lower_bound_s(jobs):
    """No schedule is shorter: the cap's places are all taken all the time; submissions leave as fast as they may; and
    each job needs two requests."""
    durations = [takes_s(number) for number in range(jobs)]
    by_cap = sum(durations) / CAP
    by_submissions = (jobs - 1) // SUBMIT_RATE + min(durations)
    by_requests = (2 * jobs - 1) // RATE
    return max(by_cap, by_submissions, by_requests, max(durations))


def makespan_s(service):
    return (max(service.times("D")) - min(service.times("P"))) / 1e9


def measure(binary, workdir, quick):
    jobs = 100 if quick else 500
    write_manifest(workdir / "feed.csv", jobs)
    bound = lower_bound_s(jobs)
    python = python_with_aiohttp()
    cpu, span, polls, seconds = {"ours": [], "theirs": []}, {"ours": [], "theirs": []}, [], []
    for _ in range(1 if quick else 3):
        with Service(binary.parent, workdir, takes_ms=TAKES_MS, spread=SPREAD) as service:
            used = reelbatch(binary, workdir, service.url, "--rate", f"{RATE}/1s", "--submit-rate", f"{SUBMIT_RATE}/1s",
                             "--max-in-flight", CAP, "--poll-interval", f"{int(INTERVAL_S * 1000)}ms")
        assert rows_done(workdir) == jobs
        cpu["ours"].append(used.cpu)
        span["ours"].append(makespan_s(service))
        polls.append(service.count("GD"))
        if not python:
            continue
        with Service(binary.parent, workdir, takes_ms=TAKES_MS, spread=SPREAD) as service:
            used = asyncio_client(python, workdir, service.url, "--rate", f"{RATE}/1", "--submit-rate",
                                  f"{SUBMIT_RATE}/1", "--cap", CAP, "--interval", INTERVAL_S)
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
