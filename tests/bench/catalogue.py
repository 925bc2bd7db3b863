"""Big catalogues: what checking one costs, and a night on which nothing in it changed.

measure() is for tools/bench. By itself: python3 tests/bench/catalogue.py BINARY FOLDER [--quick]
The bound is a program that reads the same file and looks for its line ends; ratios are of CPU time (user and system),
each the least of several runs, taken in turn so that a busy machine disturbs all alike.
"""
import os
import pathlib
import socket
import sys
import threading
import time

PASS_RATIO = 8.0  # so many passes over the file
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


class Ran:
    """A program that ended: CPU and wall seconds, peak memory in MB."""

    def __init__(self, words, folder, environment=None):
        began = time.monotonic()
        log = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        child = os.posix_spawn(words[0], [str(word) for word in words], {**os.environ, **(environment or {})},
                               file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)])
        os.close(log)
        _, status, usage = os.wait4(child, 0)
        self.wall = time.monotonic() - began
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        self.code = os.waitstatus_to_exitcode(status)
        if self.code != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: exit {self.code}\n{(folder / 'output').read_text()}")


def least(runs):
    return min(runs, key=lambda run: run.cpu)


def line(what, figure, ratio, bar, unit):
    return {"what": what, "figure": figure, "ratio": ratio, "bar": bar, "unit": unit,
            "ok": None if ratio is None or bar is None else ratio <= bar}


def figure(run):
    return f"{run.cpu:.2f} s CPU, {run.wall:.2f} s, {run.peak:.0f} MB"


def of_size(binary, folder, rows):
    tool = pathlib.Path(binary).parent / "catalogue"
    feed, ledger, results = folder / "feed.csv", folder / "ledger.db", folder / "results.csv"
    listener = Listener()
    config = folder / "reelbatch.yaml"
    config.write_text(f"accounts: {{main: {{service: iacrea, base_url: '{listener.url}', key: {{env: BENCH_KEY}}}}}}\n")
    Ran([tool, "write", rows, feed], folder)
    Ran([tool, "finish", feed, ledger, listener.url], folder)
    night = [binary, "run", "-q", "--config", config, "--ledger", ledger, "--output", results, feed]
    key = {"BENCH_KEY": "none"}

    opened = least([Ran([binary, "status", "--ledger", ledger], folder) for _ in range(TIMES)])
    first = Ran(night, folder, key)
    passes, checks, nights = [], [], []
    for _ in range(TIMES):
        passes.append(Ran([tool, "pass", feed], folder))
        checks.append(Ran([binary, "check", feed], folder))
        nights.append(Ran(night, folder, key))
    listener.close()
    if listener.connections:
        raise RuntimeError(f"{listener.connections} requests were sent on unchanged nights")
    shown = sum(1 for row in results.open("rb") if b",done," in row and b",unchanged," in row)
    if shown != rows:
        raise RuntimeError(f"{shown} of {rows} rows are shown as done and unchanged")

    bound = least(passes).cpu
    name = f"{rows:,} rows"
    # On a small file the start of a process weighs more than the rows.
    bar = PASS_RATIO if rows >= 100_000 else None

    def passes_of(run, ledger_us):
        return (run.cpu - rows * ledger_us / 1e6) / bound

    return [
        line(f"read+memchr pass, {name}", f"{bound:.3f} s CPU, {feed.stat().st_size / 1e6:.0f} MB", None, None, ""),
        line(f"check, {name}", figure(least(checks)), passes_of(least(checks), 0), bar, "passes"),
        line(f"check, {name}, peak memory", f"{least(checks).peak:.0f} MB", least(checks).peak, 100, "MB"),
        line(f"unchanged night, {name}, 0 requests", figure(least(nights)), passes_of(least(nights), LEDGER_US), bar,
             "passes after 1 us a row"),
        line(f"the first night after the videos were made, {name}", figure(first), passes_of(first, LEDGER_US), None,
             "passes after 1 us a row"),
        line(f"ledger of {rows:,} jobs opened (status)", f"{opened.wall:.3f} s", opened.wall, 1.0, "s"),
    ]


def measure(binary, workdir, quick):
    binary = str(pathlib.Path(binary).resolve())
    lines = []
    for rows in [20_000] if quick else [100_000, 1_000_000]:
        folder = pathlib.Path(workdir) / f"catalogue-{rows}"
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        lines += of_size(binary, folder, rows)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    versions = [Ran([binary, "--version"], pathlib.Path(workdir)) for _ in range(TIMES)]
    fastest = min(version.wall for version in versions)
    lines.append(line("--version", f"{fastest * 1000:.1f} ms", fastest * 1000, 20, "ms"))
    (pathlib.Path(workdir) / "output").unlink()
    return lines


if __name__ == "__main__":
    for row in measure(sys.argv[1], sys.argv[2], "--quick" in sys.argv):
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        bar = "" if row["bar"] is None else f"<= {row['bar']:g}"
        verdict = {True: "ok", False: "TOO MUCH", None: ""}[row["ok"]]
        print(f"{row['what']:<58} {row['figure']:<32} {ratio:>9} {bar:<8} {row['unit']:<24} {verdict}")
