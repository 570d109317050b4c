"""Run the tests on another day: `python -m tests.moved_clock 2031-01-01 [pytest's arguments]`.

Needs libfaketime (Debian's package faketime), which moves the wall clock of this and all child
processes, PostgreSQL included. The monotonic clock, by which programs wait, stays.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from datetime import datetime

from tracker import clock


def main() -> None:
    """Replace this process by pytest under a moved clock."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "start", type=datetime.fromisoformat, help="when the tests begin: a day or time (UTC)"
    )
    arguments, pytest_arguments = parser.parse_known_args()
    seconds = int((arguments.start - clock.now().replace(tzinfo=None)).total_seconds())
    moved = {
        "LD_PRELOAD": library(),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    tests = [sys.executable, "-m", "pytest", *pytest_arguments]
    os.execve(sys.executable, tests, os.environ | moved)


def library() -> str:
    """Return the path of libfaketime for programs with threads, as its own command names it."""
    program = shutil.which("faketime")
    if program is None:
        sys.exit("faketime is not installed: on Debian, apt-get install faketime")
    asked = [program, "-m", "-f", "+0s", "printenv", "LD_PRELOAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
