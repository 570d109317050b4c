"""How long tests wait for what is promised within some seconds."""

from __future__ import annotations

import os

SUITE_FACTOR = 3.0
"""How many times as long the suite waits: its tests run side by side on a machine that may be busy."""


def in_suite() -> bool:
    """Whether pytest runs this, not a command that measures."""
    return "PYTEST_VERSION" in os.environ


def within(seconds: float) -> float:
    """The seconds that something may take which is promised within `seconds`.

    In the suite several times as many, or as TESTS_TIME_FACTOR says; in commands that measure, such as
    `python -m tests.faults`, exactly so many.
    """
    factor = SUITE_FACTOR if in_suite() else 1
    return seconds * float(os.environ.get("TESTS_TIME_FACTOR", factor))
