"""Live questions: the moments at which an as-of question has a new answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Any

from projections.query.as_of import AsOf
from projections.query.moment import Moment
from projections.runner.projector import Projector
from tracker import clock
from tracker.domain.preference import Preference
from tracker.domain.registry import entity_type
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_selected, follow_selected

MIN_INTERVAL_SECONDS = 0.2
"""Seconds between two moments at least: a burst of events is one change, not many."""
PROJECTION_TIMEOUT_SECONDS = 60
"""Seconds that a change waits for the projection; imports can be far ahead of it."""


@dataclass(frozen=True, slots=True)
class ChangeFeed:
    """The moments at which a question has a new answer. Between two nothing is kept but the position
    of the first, so a slow consumer misses some of those between, and never the last.
    """

    recorder: Recorder
    follower: Follower
    projector: Projector[Any]
    as_of: AsOf

    async def moments(
        self, selection: Selection, valid_at: date | None
    ) -> AsyncGenerator[Moment, None]:
        """Now, and then each moment at which an event of a selection was recorded; for today
        (no `valid_at`) also each new day, on which suspensions end and controls begin.

        Raises Unavailable when the projection does not get to an event in
        `PROJECTION_TIMEOUT_SECONDS`, and what `Follower.pages` raises when the log can't be read.
        """
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time()
            moment = await self.as_of.resolve(valid_at)
            yield moment
            left = None if valid_at else clock.seconds_until_day_after(moment.valid_at)
            touched = await self._wait_touched(selection, moment.position, left)
            await asyncio.sleep(asked + MIN_INTERVAL_SECONDS - loop.time())
            await self.projector.reach(touched, seconds=PROJECTION_TIMEOUT_SECONDS)

    async def _wait_touched(self, selection: Selection, after: int, seconds: float | None) -> int:
        """The position of an event that touches the selection once there is one; or 0 when so many
        seconds have passed.
        """
        by_type = Selection(types=selection.types)
        try:
            async with (
                asyncio.timeout(seconds),
                aclosing(follow_selected(self.recorder, self.follower, after, by_type)) as pages,
            ):
                async for page in pages:
                    if await affects(self.recorder, page, selection):
                        return page[-1].position
        except TimeoutError:
            pass
        return 0


async def affects(
    recorder: Recorder, events: Sequence[RecordedEvent], selection: Selection
) -> bool:
    """Whether any of some events may change an answer about a selection.

    An order of publishers may, whatever it names: it chooses among the claims of many figures.
    """
    return any(entity_type(event.stream) is Preference for event in events) or bool(
        await filter_selected(recorder, events, selection)
    )
