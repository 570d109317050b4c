"""Export controls by what is asked of their clauses: the database narrows, the rule decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, TypeAlias

from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.list_statements import Ordering
from projections.query.lists import Filter, Keyed, Lists
from projections.query.moment import Moment
from projections.query.series import MomentSeries
from projections.runner.progress import ProgressTracker
from tracker.domain.clause import ClauseState
from tracker.domain.export_control import ExportControlState
from tracker.domain.matching import (
    ClauseQuery,
    Licences,
    controls_about,
    licences_in_force,
    matching_clauses,
)
from tracker.domain.vocabulary import ClauseStatus, Measure

Judged: TypeAlias = dict[int, tuple[ExportControlState, Sequence[ClauseState]]]
"""Controls by their identity, with the clauses that answer to a query."""


class MatchingControl(NamedTuple):
    """A control with the clauses that answer to all that was asked of clauses."""

    state: ExportControlState
    clauses: Sequence[ClauseState]


LICENCES_IN_FORCE = Filter(measure=Measure.DUAL_USE_LICENCE, status=ClauseStatus.IN_FORCE)


class Controls:
    """Finds controls by their clauses."""

    def __init__(self, lists: Lists, progress: ProgressTracker | None = None):
        self._lists = lists
        self._licences = EventCache(progress, MAX_CACHED_MOMENTS, self._read_licences)

    async def licences(self, moment: Moment) -> Licences:
        """The dual-use licences in force, by which it is known what dual-use items are."""
        if moment.series is None:
            return await self._licences.get(moment)
        return (await self.licences_on(moment.series))[moment.valid_at]

    async def licences_on(self, series: MomentSeries) -> Mapping[date, Licences]:
        """Those on each day of a series; the same object where the same licences are in force."""
        return await series.read(Controls, lambda: self._read_licences_on(series))

    async def candidates_on(
        self, series: MomentSeries, query: ClauseQuery, filter: Filter, order: Ordering
    ) -> Mapping[date, Sequence[object]]:
        """What `matching` decides on, on each day of a series: the same objects on days on which it
        is the same."""
        narrowed = _with_a_clause(filter, query)
        return await self._lists.keyed_on_each_day(ExportControlState, series, narrowed, order)

    async def _read_licences(self, moment: Moment) -> Licences:
        found = await self._lists.page(ExportControlState, moment, LICENCES_IN_FORCE)
        return licences_in_force([state for _, state in found])

    async def _read_licences_on(self, series: MomentSeries) -> Mapping[date, Licences]:
        days = await self._lists.on_each_day(ExportControlState, series, LICENCES_IN_FORCE)
        made: dict[tuple[int, ...], Licences] = {}
        found = {}
        for day, states in days.items():
            key = tuple(map(id, states))
            if key not in made:
                made[key] = licences_in_force(states)
            found[day] = made[key]
        return found

    async def matching(
        self,
        moment: Moment,
        query: ClauseQuery,
        licences: Licences,
        filter: Filter,
        order: Ordering,
    ) -> list[Keyed[MatchingControl]]:
        """All controls with a clause that answers to all that is asked of clauses, in an order.

        The database finds those that may have one; of the rest the rule decides.
        """
        narrowed = _with_a_clause(filter, query)
        found = await self._lists.page(ExportControlState, moment, narrowed, order)
        matching = _matching_once(moment, query, licences)
        return [
            (key, MatchingControl(state, clauses))
            for key, state in found
            if (clauses := matching(state))
        ]

    async def having(
        self, moment: Moment, query: ClauseQuery, filter: Filter
    ) -> list[ExportControlState]:
        """All controls that may have a clause that answers to all that is asked of clauses."""
        return [
            state
            for _, state in await self._lists.page(
                ExportControlState, moment, _with_a_clause(filter, query)
            )
        ]


def _with_a_clause(filter: Filter, query: ClauseQuery) -> Filter:
    """A filter of controls that may have a clause that answers to all that is asked of clauses."""
    return replace(
        filter,
        commodities=controls_about([query.commodity]) if query.commodity else None,
        measure=query.measure,
        status=query.status,
        in_force=query.in_force,
    )


def _matching_once(
    moment: Moment, query: ClauseQuery, licences: Licences
) -> Callable[[ExportControlState], Sequence[ClauseState]]:
    """The clauses of a control that answer to a query. Of a series, each state is judged once,
    unless the day decides who is in a union."""
    series = moment.series
    asked = query.on_any_day
    if series is None or asked is None:
        return lambda state: matching_clauses(query, state, licences)
    fresh: Judged = {}
    _, judged = series.remember((asked, id(licences)), lambda: (licences, fresh))

    def matching(state: ExportControlState) -> Sequence[ClauseState]:
        found = judged.get(id(state))
        if found is None:
            found = judged[id(state)] = state, matching_clauses(query, state, licences)
        return found[1]

    return matching
