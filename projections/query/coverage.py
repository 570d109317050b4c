"""Completeness of results: progress in reading the underlying lists.

Like the horizon it depends on the position alone, except that gaps after the effective date are
ignored.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial

from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.lists import Lists
from projections.query.moment import Moment
from projections.runner.progress import ProgressTracker
from tracker.domain.evidence.completeness import (
    Completeness,
    Reading,
    Scope,
    completeness,
    readings,
)
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.watched_source import WatchedSourceState

MAX_STATEMENTS = 50
"""Maximum number of scopes and days whose completeness is cached for a position, until the next event."""
Recorded = Callable[[Scope, date], Completeness]
"""A function from a scope and an effective date to the completeness, of the lists recorded up to a
position."""


class Coverages:
    """Queries for the completeness of lists."""

    def __init__(self, lists: Lists, progress: ProgressTracker | None = None):
        self._lists = lists
        self._recorded = EventCache(progress, MAX_CACHED_MOMENTS, self._read)

    async def completeness(self, scope: Scope, moment: Moment) -> Completeness:
        """Return the completeness of the lists behind a result at a moment."""
        recorded = await self._recorded.get(moment.position)
        return recorded(scope, moment.valid_at)

    async def readings(self, position: int) -> list[Reading]:
        """Return the days on which lists were read, as recorded at a position."""
        return [*readings(*await self._states(position))]

    async def _read(self, position: int) -> Recorded:
        return lru_cache(MAX_STATEMENTS)(partial(completeness, *await self._states(position)))

    async def _states(
        self, position: int
    ) -> tuple[list[CoverageState], dict[str, WatchedSourceState]]:
        moment = Moment(date.max, position)
        lists = await self._lists.page(CoverageState, moment)
        sources = await self._lists.page(WatchedSourceState, moment)
        return [state for _, state in lists], {state.id: state for _, state in sources}
