"""Retry schedule of failed deliveries. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct

SCHEDULE_SECONDS = (0, 5, 300, 1_800, 7_200, 18_000, 36_000)
"""Seconds before each retry, counted from the previous attempt."""
LAST_INTERVAL_SECONDS = 43_200
"""Seconds between later retries, until a person decides."""
JITTER_SHARE = 0.1
"""Random share by which an interval is shorter or longer, so that simultaneous failures are not retried
together."""
MAX_RETRY_AFTER_SECONDS = 86_400
"""Maximum delay in seconds that a receiver may request."""


class Schedule(Struct, frozen=True):
    """The intervals between the attempts of a delivery."""

    seconds: tuple[float, ...] = SCHEDULE_SECONDS
    last_seconds: float = LAST_INTERVAL_SECONDS

    def next_try(
        self, failures: int, now: datetime, random: float, retry_after_seconds: float | None = None
    ) -> datetime:
        """Return the time of the next retry after a number of consecutive failures, the last of them now.

        `random` is from 0 to 1. A delay requested by the receiver applies, but is at least the interval after
        a first failure: many receivers answer 503 with `Retry-After: 0` for hours. Only the last intervals,
        every 12 hours, have jitter.
        """
        if retry_after_seconds is not None:
            seconds = min(max(retry_after_seconds, self.seconds[1]), MAX_RETRY_AFTER_SECONDS)
        elif failures < len(self.seconds):
            seconds = self.seconds[failures]
        else:
            seconds = self.last_seconds * (1 + JITTER_SHARE * (2 * random - 1))
        return now + timedelta(seconds=seconds)


STANDARD_SCHEDULE = Schedule()
