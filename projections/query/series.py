"""Many days asked about together: what is read for one of them is read for all, in one round trip.

A list of a day is the versions that hold on it. Those that hold on any day from the first to the
last are hardly more, so they are read at once, and each day takes its own from memory.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from time import monotonic
from typing import Any, TypeVar

from projections.query.moment import Moment

T = TypeVar("T")

YIELD_INTERVAL_SECONDS = 0.01
"""After which others have their turn."""


class MomentSeries:
    """Some days in order, at one position."""

    def __init__(self, days: Sequence[date], position: int):
        self.days = sorted(set(days))
        self.position = position
        self._reads: dict[Hashable, asyncio.Task[Any]] = {}
        self._worked_since, self._yielding = monotonic(), False
        self._memo: dict[Hashable, Any] = {}
        self._days_of: dict[int, Mapping[date, Any]] = {}

    @property
    def first(self) -> date:
        """The first day."""
        return self.days[0]

    @property
    def last(self) -> date:
        """The last day."""
        return self.days[-1]

    def moments(self) -> list[Moment]:
        """The moments of the series, in order."""
        return [Moment(day, self.position, self) for day in self.days]

    async def read(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """What `fetch` gives for the whole series, fetched once for all that wait for the same key."""
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.ensure_future(_run(fetch))
        if not task.done():
            await task
        await self.give_way()
        found: T = task.result()
        return found

    async def give_way(self) -> None:
        """Let others have their turn where the moments have been worked on for a while: all of them
        are worked on together, or wait for the same reads and would go on at once."""
        while monotonic() - self._worked_since > YIELD_INTERVAL_SECONDS:
            if not self._yielding:
                self._yielding = True
                asyncio.get_running_loop().call_soon(self._go_on)
            await asyncio.sleep(0)

    def _go_on(self) -> None:
        self._worked_since, self._yielding = monotonic(), False

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once. Whatever a key names by its identity has to be in the value,
        so that it is not forgotten meanwhile."""
        if key not in self._memo:
            self._memo[key] = make()
        value: T = self._memo[key]
        return value

    async def on_each_day(self, make: Callable[[Moment], Awaitable[T]]) -> dict[date, T]:
        """What `make` gives for each moment."""
        found = {}
        for moment in self.moments():
            await self.give_way()
            found[moment.valid_at] = await make(moment)
        return found

    def on(self, day: date, days: Mapping[date, T]) -> T:
        """What is so on one of the days, by which `days_of` finds what is so on the others."""
        value = days[day]
        self._days_of[id(value)] = days
        return value

    def days_of(self, value: T) -> Mapping[date, T] | None:
        """What is so on each day, where the value of one was made together with those of the others."""
        return self._days_of.get(id(value))

    def by_day(self, found: Iterable[tuple[date, date, T]]) -> dict[date, list[T]]:
        """What holds on each day, of items with the first and the last day on which they hold, in
        the order of the items."""
        held: dict[date, list[T]] = {day: [] for day in self.days}
        for first, last, item in found:
            for day in self.days[bisect_left(self.days, first) :]:
                if day > last:
                    break
                held[day].append(item)
        return held


async def _run(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()
