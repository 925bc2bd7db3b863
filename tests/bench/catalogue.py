"""Big catalogues: what checking one costs, and a night on which nothing in it changed.

The bound is a program that reads the same file and looks for its line ends; ratios are of CPU time (user and system),
each the least of several runs, taken in turn so that a busy machine disturbs all alike.
"""
import os
import socket
import threading

from harness import figure, run

PASS_RATIO = 8.0  # so many passes over the file
EVENTS_RATIO = 1.5  # so many times what yaml-cpp takes for its events alone
YAML_ROWS, YAML_MB = 10_000, 20
LEDGER_US = 1.0  # and so much a row for the ledger
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


def least(runs):
    return min(runs, key=lambda used: used.cpu)


def cpu(what, used, ratio=None, bar=None, of=""):
    return figure(what, used.cpu, "s CPU", ratio, None if bar is None else f"at most {bar:g} {of}",
                  None if bar is None else ratio <= bar, note=f"{used.seconds:.2f} s, {used.peak_mb:.0f} MB")


def memory(what, used, bar):
    return figure(what, used.peak_mb, "MB", None, f"at most {bar} MB", used.peak_mb <= bar, robust=True)


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
    shown = sum(1 for row in results.open("rb") if b",done," in row and b",unchanged," in row)
    if shown != rows:
        raise RuntimeError(f"{shown} of {rows} rows are shown as done and unchanged")

    bound = least(passes)
    name = f"{rows:,} rows"
    # On a small file the start of a process weighs more than the rows.
    bar = PASS_RATIO if rows >= 100_000 else None

    def passes_of(used, ledger_us):
        return (used.cpu - rows * ledger_us / 1e6) / bound.cpu

    after = "passes after 1 us a row"
    return [
        cpu(f"read+memchr pass, {name}, {feed.stat().st_size / 1e6:.0f} MB", bound),
        cpu(f"check, {name}", least(checks), passes_of(least(checks), 0), bar, "passes"),
        memory(f"check, {name}, peak memory", least(checks), 100),
        cpu(f"unchanged night, {name}, 0 requests", least(nights), passes_of(least(nights), LEDGER_US), bar, after),
        cpu(f"the first night after the videos were made, {name}", first, passes_of(first, LEDGER_US)),
        figure(f"ledger of {rows:,} jobs opened (status)", opened.seconds, "s", None, "under 1 s", opened.seconds < 1),
    ]


def compared(binary, folder, rows, feed, bound_word):
    """The least of a bare pass over a catalogue, written for this, and of `check` on it."""
    tool = binary.parent / "catalogue"
    run([tool, "write", rows, feed], folder)
    bounds, checks = [], []
    for _ in range(TIMES):
        bounds.append(run([tool, bound_word, feed], folder))
        checks.append(run([binary, "check", feed], folder))
    size = feed.stat().st_size / 1e6
    feed.unlink()
    return least(bounds), least(checks), size


def of_json_lines(binary, folder, rows):
    bound, check, size = compared(binary, folder, rows, folder / "feed.jsonl", "pass")
    name = f"JSON Lines, {rows:,} rows"
    bar = PASS_RATIO if rows >= 100_000 else None
    return [
        cpu(f"read+memchr pass, {name}, {size:.0f} MB", bound),
        cpu(f"check, {name}", check, check.cpu / bound.cpu, bar, "passes"),
        memory(f"check, {name}, peak memory", check, 100),
    ]


def of_yaml(binary, folder, rows):
    bound, check, size = compared(binary, folder, rows, folder / "feed.yaml", "events")
    name = f"YAML, {rows:,} jobs"
    bar = EVENTS_RATIO if rows >= YAML_ROWS else None
    return [
        cpu(f"yaml-cpp's events, {name}, {size:.0f} MB", bound),
        cpu(f"check, {name}", check, check.cpu / bound.cpu, bar, "event passes"),
        memory(f"check, {name}, peak memory", check, YAML_MB),
    ]


def measure(binary, workdir, quick):
    lines = []
    for rows in [20_000] if quick else [100_000, 1_000_000]:
        folder = workdir / f"catalogue-{rows}"
        folder.mkdir()
        lines += of_size(binary, folder, rows)
        lines += of_json_lines(binary, folder, rows)
        for file in folder.iterdir():
            file.unlink()
    return lines + of_yaml(binary, workdir, 2_000 if quick else YAML_ROWS)
