"""Run the tests on another day: `python -m tests.moved_clock 2031-01-01 [pytest's arguments]`.

Needs libfaketime (Debian's package faketime), which moves the wall clock of this and all child
processes, PostgreSQL included. The monotonic clock, by which programs wait, stays.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime

from tests.support.clocks import moved_clock
from tracker import clock


def main() -> None:
    """Replace this process by pytest under a moved clock."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "start", type=datetime.fromisoformat, help="when the tests begin: a day or time (UTC)"
    )
    arguments, pytest_arguments = parser.parse_known_args()
    seconds = int((arguments.start - clock.now().replace(tzinfo=None)).total_seconds())
    moved = moved_clock(seconds)
    if not moved:
        sys.exit("libfaketime is not installed: on Debian, apt-get install faketime")
    tests = [sys.executable, "-m", "pytest", *pytest_arguments]
    os.execve(sys.executable, tests, os.environ | moved)


if __name__ == "__main__":
    main()
