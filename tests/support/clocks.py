"""The fixed day of tests, so that no result depends on the calendar.

Code under test gets it in this process (`tests/conftest.py`) and in forked commands
(`loaded_tracker.py`). A test that needs the real day uses the fixture `real_clock`, or starts its
command with `**REAL_CLOCK`. A command in a separate interpreter has the real day.
"""

import os
from datetime import date
from pathlib import Path

from tracker.clock import FixedDay, set_clock

TODAY = date(2026, 11, 29)
REAL_CLOCK = {"TESTS_REAL_CLOCK": "1"}


def offset_seconds() -> int:
    """Return the seconds by which the clock of this process is moved."""
    return int(os.environ.get("FAKETIME", "0s").removesuffix("s"))


def moved_clock(seconds: int) -> dict[str, str]:
    """Return the variables that move the wall clock of a new process, with libfaketime.

    It is Debian's package faketime; without it the result is empty. The offset is relative to this
    process. The monotonic clock and file times do not change.
    """
    libraries = [
        found
        for root in (Path("/usr/lib"), Path("/usr/local/lib"))
        for found in root.glob("**/faketime/libfaketimeMT.so.1")
    ]
    if not libraries:
        return {}
    return {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": f"{seconds + offset_seconds():+d}s",
        "FAKETIME_DISABLE_SHM": "1",  # killed processes would leave theirs behind
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # it delays thread switches of Python by seconds
        "FAKE_UTIME": "0",
        "NO_FAKE_STAT": "1",
    }


def fix_day() -> None:
    """Make `TODAY` the current day of this process."""
    set_clock(FixedDay(TODAY))
