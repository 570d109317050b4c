"""How long `tracker demo` takes until it has answered its three questions.

    python -m tests.benchmarks.start [--rounds 5]

Cold: an empty data directory (initdb, corpus, projection). Warm: the same directory again.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from pathlib import Path

from tests.processes import Running


def seconds(data_dir: Path) -> float:
    """From the command to the end of the greeting."""
    running = Running("demo", data_dir=data_dir)
    running.rest("Ctrl-C stops")
    taken = running.seconds_since_start()
    running.stop()
    return taken


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cold, warm = [], []
    for _ in range(rounds):
        directory = Path(tempfile.mkdtemp(prefix="tracker-bench-"))
        os.chmod(directory, 0o755)
        cold.append(seconds(directory / "data"))
        warm.append(seconds(directory / "data"))
        shutil.rmtree(directory)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
          f" {rounds} rounds; seconds")
    print("| start | median | slowest |\n| --- | --- | --- |")
    for name, taken in (("cold", cold), ("warm", warm)):
        print(f"| {name} | {statistics.median(taken):.2f} | {max(taken):.2f} |")


if __name__ == "__main__":
    main()
