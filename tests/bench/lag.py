"""How long after a video was ready reelbatch knew of it, against what that costs in polls."""

import contextlib
import sqlite3

from harness import Service, figure, reelbatch, rows_done, write_manifest

JOBS, TAKES_MS, SPREAD = 200, 5000, 40


def measure(binary, workdir, quick):
    lines = []
    for interval_ms in (1000,) if quick else (250, 500, 1000, 2000, 3000):
        write_manifest(workdir / "feed.csv", JOBS)
        with Service(binary.parent, workdir, takes_ms=TAKES_MS, spread=SPREAD) as service:
            reelbatch(binary, workdir, service.url, "--rate", "5000/1s", "--submit-rate", "100/1s", "--max-in-flight",
                      JOBS, "--poll-interval", f"{interval_ms}ms")
        assert rows_done(workdir) == JOBS
        ready = {f"{job:012x}": at for _, what, job, at in service.requests if what == "D"}
        with contextlib.closing(sqlite3.connect(workdir / "bench.db")) as ledger:
            known = ledger.execute("SELECT remote_id, finished_at FROM jobs").fetchall()
        lags = sorted(finished - (ready[name[-12:]] + service.offset) / 1e6 for name, finished in known)
        mean, most = sum(lags) / len(lags), lags[len(lags) * 95 // 100]
        polls = service.count("GD") / JOBS
        lines.append(figure(f"lag, polled every {interval_ms / 1000:g} s", mean, "ms", mean / (interval_ms / 2),
                            note=f"ratio to half the interval; 95 % within {most:.0f} ms; {polls:.1f} polls a job"))
        lines.append(figure(f"polls a job of 5 s, every {interval_ms / 1000:g} s", polls, "polls"))
    return lines
