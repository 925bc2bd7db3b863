"""How long it takes to start."""

from harness import figure, median, run


def measure(binary, workdir, quick):
    times = [run([binary, "--version"], workdir).seconds * 1000 for _ in range(10 if quick else 40)]
    value = median(times)
    return [figure("--version", value, "ms", None, "under 20 ms", value < 20,
                   note=f"the fastest of {len(times)} took {min(times):.1f} ms")]
