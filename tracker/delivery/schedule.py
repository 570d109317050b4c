"""When a delivery that failed is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SCHEDULE_SECONDS = (0, 5, 300, 1_800, 7_200, 18_000, 36_000)
"""Seconds before each try of a delivery, counted from the try before it."""
LAST_INTERVAL_SECONDS = 43_200
"""Seconds between the tries after those, until somebody decides."""
JITTER_SHARE = 0.1
"""The part of an interval by which a try comes earlier or later, so that those who failed together do
not come back together."""
MAX_RETRY_AFTER_SECONDS = 86_400
"""The longest time for which a receiver may ask us to stay away."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times between the tries of a delivery."""

    seconds: tuple[float, ...] = SCHEDULE_SECONDS
    last_seconds: float = LAST_INTERVAL_SECONDS

    def next_try(
        self, failures: int, now: datetime, random: float, retry_after_seconds: float | None = None
    ) -> datetime:
        """The time of the next try after so many failures in a row, of which the last was now.

        `random` is from 0 to 1. A receiver that said when it can be asked again is asked then, but no
        sooner than after a first failure: many answer 503 with `Retry-After: 0`, for hours. The first
        times are exact: only the last ones, every 12 hours, have a jitter.
        """
        if retry_after_seconds is not None:
            seconds = min(max(retry_after_seconds, self.seconds[1]), MAX_RETRY_AFTER_SECONDS)
        elif failures < len(self.seconds):
            seconds = self.seconds[failures]
        else:
            seconds = self.last_seconds * (1 + JITTER_SHARE * (2 * random - 1))
        return now + timedelta(seconds=seconds)


STANDARD_SCHEDULE = Schedule()
