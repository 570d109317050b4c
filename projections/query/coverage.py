"""Completeness of results: progress in reading the underlying lists.

Like the horizon it depends on the position alone, except that gaps after the effective date are
ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.lists import Lists
from projections.query.moment import Moment
from projections.runner.progress import ProgressTracker
from tracker.domain.completeness import Completeness, Scope, completeness
from tracker.domain.coverage import CoverageState
from tracker.domain.watched_source import WatchedSourceState

Recorded = tuple[Sequence[CoverageState], dict[str, WatchedSourceState]]


class Coverages:
    """Queries for the completeness of lists."""

    def __init__(self, lists: Lists, progress: ProgressTracker | None = None):
        self._lists = lists
        self._recorded = EventCache(progress, MAX_CACHED_MOMENTS, self._read)

    async def completeness(self, scope: Scope, moment: Moment) -> Completeness:
        """Return the completeness of the lists behind a result at a moment."""
        lists, sources = await self._recorded.get(moment.position)
        return completeness(lists, sources, scope, moment.valid_at)

    async def _read(self, position: int) -> Recorded:
        moment = Moment(date.max, position)
        lists = await self._lists.page(CoverageState, moment)
        sources = await self._lists.page(WatchedSourceState, moment)
        return [state for _, state in lists], {state.id: state for _, state in sources}
