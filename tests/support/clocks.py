"""The day on which tests run: a fixed one, so that no answer depends on the calendar.

Code under test gets it in this process (`tests/conftest.py`) and in commands that tests fork
(`loaded_tracker.py`). A test that needs the real day asks for the fixture `real_clock`, or starts its
command with `**REAL_CLOCK`. A command in an interpreter of its own has the real day.
"""

from __future__ import annotations

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
    """Return the variables under which a new process has its wall clock moved by libfaketime (Debian's
    package faketime), from that of this process; nothing where that is not installed.

    The monotonic clock and the times of files stay.
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
        "FAKETIME_DISABLE_SHM": "1",  # processes that are killed would leave theirs behind
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # it delays how threads of Python take turns by seconds
        "FAKE_UTIME": "0",
        "NO_FAKE_STAT": "1",
    }


def fix_day() -> None:
    """Make `TODAY` the current day of this process."""
    set_clock(FixedDay(TODAY))
