"""Run the tests on another day: `python -m tools.moved_clock 2031-01-01 [pytest's arguments]`.

It needs a C compiler and libfaketime (Debian's package faketime). This moves the wall clock of this and
all child processes, including PostgreSQL. The monotonic clock, used for waits, does not change.
"""

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
        "start", type=datetime.fromisoformat, help="start of the tests: a day or time (UTC)"
    )
    arguments, pytest_arguments = parser.parse_known_args()
    seconds = int((arguments.start - clock.now().replace(tzinfo=None)).total_seconds())
    moved = moved_clock(seconds)
    if not moved:
        sys.exit("libfaketime is not installed: on Debian, apt-get install faketime")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # for PostgreSQL, which may run under another account
        waits = f"{directory}/waits.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", waits, WAITS], check=True)
        moved["LD_PRELOAD"] = f"{waits}:{moved['LD_PRELOAD']}"  # the first one takes precedence
        tests = [sys.executable, "-m", "pytest", *pytest_arguments]
        sys.exit(subprocess.run(tests, env=os.environ | moved, check=False).returncode)


if __name__ == "__main__":
    main()
