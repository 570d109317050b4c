"""Time limits of tests for guarantees in seconds."""

import os

SUITE_FACTOR = 3.0
"""Factor of time limits in the suite, whose tests run concurrently on a busy machine."""


def in_suite() -> bool:
    """Whether pytest runs this, instead of a measuring command."""
    return "PYTEST_VERSION" in os.environ


def within(seconds: float) -> float:
    """Return the time limit for something that is guaranteed within `seconds`.

    In the suite it is several times as long, or by TESTS_TIME_FACTOR. In measuring commands, such as
    `python -m tests.faults`, it is exact.
    """
    factor = SUITE_FACTOR if in_suite() else 1
    return seconds * float(os.environ.get("TESTS_TIME_FACTOR", factor))
