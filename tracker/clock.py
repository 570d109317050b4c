"""The clock: the one place that gives the current instant and the current day (UTC), and times pauses.

Queries without an effective date are about `today()`. `now()` is for transaction time, schedules and
time stamps, which must agree with the clock of the database.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic

YIELD_INTERVAL_SECONDS = 0.002
"""Seconds of work after which other tasks run. A socket takes a part of a page at a time: at 10 ms a rebuild
waited a quarter of its time for its own reads and writes."""


class Clock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the current instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the current day in UTC."""
        return self.now().date()


@dataclass(frozen=True)
class FixedDay(Clock):
    """A clock whose day never changes; its instants are those of this machine."""

    day: date

    def today(self) -> date:
        """Return the fixed day."""
        return self.day


_clock = Clock()


def now() -> datetime:
    """Return the current instant, in UTC."""
    return _clock.now()


def today() -> date:
    """Return the current day in UTC: the effective date of queries that name none."""
    return _clock.today()


def seconds_until_day_after(day: date) -> float:
    """Return the seconds until the day after `day` begins (UTC); 0 if it has begun."""
    instant, days_ahead = now(), (day - today()).days
    if days_ahead < 0:
        return 0
    midnight = datetime.combine(instant.date() + timedelta(days=1 + days_ahead), time(), UTC)
    return (midnight - instant).total_seconds()


def set_clock(clock: Clock) -> Clock:
    """Use another clock in this process and return the previous one."""
    global _clock
    previous, _clock = _clock, clock
    return previous


@contextmanager
def use_clock(clock: Clock) -> Iterator[None]:
    """Use another clock within a `with` block."""
    previous = set_clock(clock)
    try:
        yield
    finally:
        set_clock(previous)


class Pauses:
    """The pauses of one task, in which other tasks run."""

    def __init__(self) -> None:
        self._since = monotonic()

    async def pause(self) -> None:
        """Let other tasks run, if this one has worked for a while."""
        if monotonic() - self._since > YIELD_INTERVAL_SECONDS:
            await asyncio.sleep(0)
            self._since = monotonic()
