"""Start time of `tracker demo` until its three queries are answered, in seconds.

    python -m tools.benchmarks.start [--rounds 3] [--write PAGE]

Cold: an empty data directory (initdb, corpus, projection). Warm: the same directory again.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.processes import Running
from tools.benchmarks.harness import machine, markdown, options, publish


def seconds(data_dir: Path) -> float:
    """Return the seconds from the command to the end of the greeting."""
    running = Running("demo", data_dir=data_dir)
    running.rest("Ctrl-C stops")
    taken = running.seconds_since_start()
    running.stop()
    return taken


def cold_and_warm() -> tuple[float, float]:
    """Return the seconds of two starts on a new directory."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)
        return seconds(Path(directory) / "data"), seconds(Path(directory) / "data")


def report(taken: Sequence[tuple[float, float]]) -> str:
    """Return the times of cold and warm starts as a table."""
    cold, warm = zip(*taken, strict=True)
    rows = [
        [name, f"{statistics.median(times):.2f}", f"{max(times):.2f}"]
        for name, times in (("cold", cold), ("warm", warm))
    ]
    table = markdown(["`tracker demo`", "median", "slowest"], rows)
    return f"{machine()}; rounds: {len(taken)}; seconds.\n\n{table}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    chosen = options(__doc__).parse_args(arguments)
    publish("start", report([cold_and_warm() for _ in range(chosen.rounds)]), chosen.write)


if __name__ == "__main__":
    main()
