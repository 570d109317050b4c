"""Subscriptions: the moments at which the result of an as-of query may change."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from typing import Any

from msgspec import Struct

from projections.query.as_of import AsOf
from projections.query.moment import Moment
from projections.runner.projector import Projector
from tracker import clock
from tracker.domain.events.registry import entity_type
from tracker.domain.figures.preference import Preference
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_selected, follow_selected

MIN_INTERVAL_SECONDS = 0.2
"""Minimum interval between two moments in seconds; a burst of events is one change."""
PROJECTION_TIMEOUT_SECONDS = 60
"""Timeout in seconds for the projection, which imports can leave far behind the log."""


class ChangeFeed(Struct, frozen=True):
    """The moments at which the result of a query may change.

    Only the position of the last moment is stored. A slow consumer skips intermediate moments but
    always gets the last one.
    """

    recorder: Recorder
    follower: Follower
    projector: Projector[Any]
    as_of: AsOf

    async def moments(
        self, selection: Selection, valid_at: date | None
    ) -> AsyncGenerator[Moment, None]:
        """Yield the current moment, and then each moment at which a selected event was recorded.

        Without `valid_at` also yield each new day, because suspensions end and controls begin on days.

        Raises Unavailable if the projection does not process an event within
        `PROJECTION_TIMEOUT_SECONDS`, and the errors of `Follower.pages` if the log cannot be read.
        """
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            moment = await self.as_of.resolve(valid_at)
            yield moment
            left = None if valid_at else clock.seconds_until_day_after(moment.valid_at)
            touched = await self._wait_touched(selection, moment.position, left)
            await asyncio.sleep(started + MIN_INTERVAL_SECONDS - loop.time())
            await self.projector.reach(touched, seconds=PROJECTION_TIMEOUT_SECONDS)

    async def _wait_touched(self, selection: Selection, after: int, seconds: float | None) -> int:
        """Wait for an event in the selection and return its position, or 0 after the timeout."""
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
    """Whether any of some events may change a result for a selection.

    A publisher order always may, because it chooses among the claims of many figures.
    """
    return any(entity_type(event.stream) is Preference for event in events) or bool(
        await filter_selected(recorder, events, selection)
    )
