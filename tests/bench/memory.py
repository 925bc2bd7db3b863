"""Memory of the process: for each job in flight, for each row of a manifest, for each image that is looked at."""

import os
import signal
import time

from harness import Service, environment, figure, reelbatch, run, write_manifest

BAR_MB = 60
PROBE_BAR_MB = 60


def in_flight(binary, workdir, jobs):
    """Peak in MB of a run with `jobs` in flight, stopped after all were polled."""
    write_manifest(workdir / "feed.csv", jobs)
    state = {}

    def look(pid):
        # The service writes its record at its end, which then says whether this was long enough.
        if "end" not in state:
            state["end"] = time.monotonic() + jobs / 500 + 8
        if time.monotonic() > state["end"] and "asked" not in state:
            state["asked"] = True
            os.kill(pid, signal.SIGTERM)

    with Service(binary.parent, workdir, polls=1_000_000) as service:
        used = reelbatch(binary, workdir, service.url, "--rate", "8000/1s", "--submit-rate", "4000/1s",
                         "--max-in-flight", jobs, "--poll-interval", "5s", while_running=look, accept=(3,))
    submitted, polls = service.count("P"), service.count("G")
    return used.peak_mb, submitted, polls


def probe(binary, workdir, addresses):
    """Peak in MB of a check that looks at so many images of two hosts."""
    with Service(binary.parent, workdir) as service:
        hosts = [service.url, service.url.replace("127.0.0.1", "localhost")]
        write_manifest(workdir / "feed.csv", addresses // 5, hosts)
        used = run([binary, "check", "feed.csv", "--probe-images", "--probe-rate", "100000/1s"], workdir,
                   environment(service.url))
    assert f"{addresses:,}".replace(",", "") + " addresses looked at, all fine" in used.output, used.output[-2000:]
    return used.peak_mb


def measure(binary, workdir, quick):
    few, many = (100, 2000) if quick else (100, 10_000)
    base, _, _ = in_flight(binary, workdir, few)
    peak, submitted, polls = in_flight(binary, workdir, many)
    everything = submitted == many and polls >= many
    each = (peak - base) * 1024 / (many - few)
    lines = [figure(f"memory, {many:,} in flight", peak, "MB", None, f"under {BAR_MB} MB",
                    everything and peak < BAR_MB, robust=True,
                    note="" if everything else f"only {submitted} in flight, {polls} polls"),
             figure("memory for each job in flight", each, "KB")]
    rows = 20_000 if quick else 200_000
    peaks = []
    for count in (1000, rows):
        write_manifest(workdir / "feed.csv", count)
        peaks.append(run([binary, "check", "feed.csv"], workdir, environment("http://127.0.0.1:1")).peak_mb)
    lines.append(figure(f"memory of check, {rows:,} rows", peaks[1], "MB"))
    lines.append(figure("memory for each row of a manifest", max(peaks[1] - peaks[0], 0) * 1024 * 1024 / (rows - 1000),
                        "bytes"))
    few, many = (1000, 20_000) if quick else (1000, 200_000)
    peaks = [probe(binary, workdir, count) for count in (few, many)]
    lines.append(figure(f"memory of check --probe-images, {many:,} images", peaks[1], "MB", None,
                        f"under {PROBE_BAR_MB} MB", peaks[1] < PROBE_BAR_MB, robust=True))
    lines.append(figure("memory for each image looked at", max(peaks[1] - peaks[0], 0) * 1024 * 1024 / (many - few),
                        "bytes"))
    return lines
