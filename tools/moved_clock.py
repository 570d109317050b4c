"""Run the tests on another day: `python -m tools.moved_clock 2031-01-01 [pytest's arguments]`.

Needs libfaketime (Debian's package faketime), which moves the wall clock of this and all child
processes, PostgreSQL included, and a C compiler. The monotonic clock, by which programs wait, stays.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from tests.support.clocks import moved_clock
from tracker import clock

WAITS = Path(__file__).with_name("waits.c")


def main() -> None:
    """Run pytest under a moved clock."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "start", type=datetime.fromisoformat, help="when the tests begin: a day or time (UTC)"
    )
    arguments, pytest_arguments = parser.parse_known_args()
    seconds = int((arguments.start - clock.now().replace(tzinfo=None)).total_seconds())
    moved = moved_clock(seconds)
    if not moved:
        sys.exit("libfaketime is not installed: on Debian, apt-get install faketime")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # for PostgreSQL, which may have an account of its own
        waits = f"{directory}/waits.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", waits, WAITS], check=True)
        moved["LD_PRELOAD"] = f"{waits}:{moved['LD_PRELOAD']}"  # the first one takes precedence
        tests = [sys.executable, "-m", "pytest", *pytest_arguments]
        sys.exit(subprocess.run(tests, env=os.environ | moved, check=False).returncode)


if __name__ == "__main__":
    main()
