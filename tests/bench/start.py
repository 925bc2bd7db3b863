"""How long it takes to start."""

import os
import time

from harness import CORES, figure, median


def spawn(words):
    """Wall time in ms from before the process exists until after it is gone."""
    actions = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.monotonic()
    process = os.posix_spawn(words[0], words, dict(os.environ), file_actions=actions)
    os.waitpid(process, 0)
    return (time.monotonic() - began) * 1000


def measure(binary, workdir, quick):
    count = 20 if quick else 100
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[0]})
    try:
        times, nothing = [], []
        for _ in range(count):
            times.append(spawn([str(binary), "--version"]))
            nothing.append(spawn(["/bin/true"]))
    finally:
        os.sched_setaffinity(0, before)
    value = median(times)
    return [figure("--version", value, "ms", value / median(nothing), "under 20 ms", value < 20,
                   note=f"ratio to /bin/true; the fastest of {count} took {min(times):.1f} ms")]
