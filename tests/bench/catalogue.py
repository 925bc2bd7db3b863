"""Big catalogues: what checking one costs, and a night on which nothing in it changed.

The bound is a program that reads the same file and looks for its line ends; ratios are of CPU time (user and system),
each the least of several runs, taken in turn so that a busy machine disturbs all alike.
"""
import os
import socket
import threading

from harness import figure, run

PASS_RATIO = 8.0  # so many passes over the file
LEDGER_US = 1.0  # and so much a row for the ledger
PEAK_MB = 100
TIMES = 5


class Listener:
    """Counts who connects: a night on which nothing changed asks nobody."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def _count(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.connections += 1

    def close(self):
        self.socket.close()


def cpu_line(what, runs, ratio=None, bar=None, unit="passes"):
    """The run with the least CPU time. `bar` is the most that `ratio` may be."""
    best = least(runs)
    return figure(what, best.cpu, "s CPU", ratio, None if bar is None else f"at most {bar:g} {unit}",
                  None if bar is None else ratio <= bar, note=f"{best.seconds:.2f} s, {best.peak_mb:.0f} MB")


def least(runs):
    return min(runs, key=lambda used: used.cpu)


def of_size(binary, folder, rows):
    tool = binary.parent / "catalogue"
    feed, ledger, results = folder / "feed.csv", folder / "ledger.db", folder / "results.csv"
    listener = Listener()
    config = folder / "reelbatch.yaml"
    config.write_text(f"accounts: {{main: {{service: iacrea, base_url: '{listener.url}', key: {{env: BENCH_KEY}}}}}}\n")
    run([tool, "write", rows, feed], folder)
    run([tool, "finish", feed, ledger, listener.url], folder)
    night = [binary, "run", "-q", "--config", config, "--ledger", ledger, "--output", results, feed]
    key = {**os.environ, "BENCH_KEY": "none"}

    opened = least([run([binary, "status", "--ledger", ledger], folder) for _ in range(TIMES)])
    first = run(night, folder, key)
    passes, checks, nights = [], [], []
    for _ in range(TIMES):
        passes.append(run([tool, "pass", feed], folder))
        checks.append(run([binary, "check", feed], folder))
        nights.append(run(night, folder, key))
    listener.close()
    if listener.connections:
        raise RuntimeError(f"{listener.connections} requests were sent on unchanged nights")
    with results.open("rb") as lines:
        shown = sum(1 for row in lines if b",done," in row and b",unchanged," in row)
    if shown != rows:
        raise RuntimeError(f"{shown} of {rows} rows are shown as done and unchanged")

    bound = least(passes).cpu
    name = f"{rows:,} rows"

    def in_passes(runs, ledger_us):
        return (least(runs).cpu - rows * ledger_us / 1e6) / bound

    # On a small file the start of a process weighs more than the rows.
    bar = PASS_RATIO if rows >= 100_000 else None
    after = f"passes after {LEDGER_US:g} us a row"
    peak = least(checks).peak_mb
    return [
        cpu_line(f"read+memchr pass, {name}, {feed.stat().st_size / 1e6:.0f} MB", passes),
        cpu_line(f"check, {name}", checks, in_passes(checks, 0), bar),
        figure(f"check, {name}, peak memory", peak, "MB", None, f"under {PEAK_MB} MB", peak < PEAK_MB, robust=True),
        cpu_line(f"unchanged night, {name}, 0 requests", nights, in_passes(nights, LEDGER_US), bar, after),
        cpu_line(f"the first night after the videos were made, {name}", [first], in_passes([first], LEDGER_US)),
        figure(f"ledger of {rows:,} jobs opened (status)", opened.seconds, "s", None, "under 1 s", opened.seconds < 1),
    ]


def measure(binary, workdir, quick):
    lines = []
    for rows in [20_000] if quick else [100_000, 1_000_000]:
        folder = workdir / f"catalogue-{rows}"
        folder.mkdir()
        lines += of_size(binary, folder, rows)
        for file in folder.iterdir():
            file.unlink()
    return lines
