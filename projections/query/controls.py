"""Export controls by what is asked of their clauses: the database narrows, the rule decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from msgspec import structs

from projections.query.clause_matches import ClauseMatches
from projections.query.confirmations import Confirmations
from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.list_statements import Ordering
from projections.query.lists import Filter, Keyed, Lists
from projections.query.moment import Moment, MomentSeries
from projections.query.suspended_days import MatchingControl, in_force_on
from projections.runner.progress import ProgressTracker
from tracker.domain.clause_query import ClauseQuery
from tracker.domain.confirmation import confirmation
from tracker.domain.export_control import ExportControlState
from tracker.domain.matching import Licences, controls_about
from tracker.domain.vocabulary import ClauseStatus, Measure
from tracker.log.recorder import Recorder

MAX_CACHED_SERIES = 10
"""Series whose licences are kept until the next event."""
LICENCES_IN_FORCE = Filter(measure=Measure.DUAL_USE_LICENCE, status=ClauseStatus.IN_FORCE)


class Controls:
    """Finds controls by their clauses."""

    def __init__(
        self,
        lists: Lists,
        recorder: Recorder,
        confirmations: Confirmations,
        progress: ProgressTracker | None = None,
    ):
        self._lists = lists
        self._confirmations = confirmations
        self._recorder = recorder
        self._matches = ClauseMatches()
        self._licences = EventCache(progress, MAX_CACHED_MOMENTS, self._read_licences)
        self._licences_by_day = EventCache(progress, MAX_CACHED_SERIES, self._read_licences_on)

    async def licences(self, moment: Moment) -> Licences:
        """The dual-use licences in force, by which it is known what dual-use items are."""
        if moment.series is None:
            return await self._licences.get(moment)
        return (await self.licences_on(moment.series))[moment.valid_at]

    async def licences_on(self, series: MomentSeries) -> Mapping[date, Licences]:
        """Those on each day of a series; the same object where the same licences are in force."""
        asked = series.position, tuple(series.days)
        return await series.read(Controls, lambda: self._licences_by_day.get(asked))

    async def _read_licences(self, moment: Moment) -> Licences:
        found = await self._lists.page(ExportControlState, moment, LICENCES_IN_FORCE)
        return self._matches.licences([state for _, state in found])

    async def _read_licences_on(
        self, asked: tuple[int, tuple[date, ...]]
    ) -> Mapping[date, Licences]:
        position, of = asked
        days = await self._lists.on_each_day(
            ExportControlState, MomentSeries(of, position), LICENCES_IN_FORCE
        )
        return {day: self._matches.licences(states) for day, states in days.items()}

    async def matching_on(
        self, series: MomentSeries, query: ClauseQuery, filter: Filter, order: Ordering
    ) -> Mapping[date, Sequence[Keyed[MatchingControl]]]:
        """What `matching` finds on each day of a series, of a query that the day does not decide: the
        same object on days on which it is the same."""
        narrowed = _with_a_clause(filter, query)
        licences = await self.licences_on(series) if query.is_about_goods else {}
        days = await self._lists.keyed_on_each_day(ExportControlState, series, narrowed, order)
        made: dict[tuple[int, ...], Sequence[Keyed[MatchingControl]]] = {}
        found = {}
        for day, keyed in days.items():
            await series.give_way()
            match = self._matches.matcher(query, licences.get(day, {}))
            matching = [(item, clauses) for item in keyed if (clauses := match(item[1]))]
            key = tuple([id(of) for item, clauses in matching for of in (item, *clauses)])
            if key not in made:
                made[key] = [
                    (item[0], MatchingControl(item[1], clauses)) for item, clauses in matching
                ]
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
        match = self._matches.matcher(query, licences)
        matching = [
            (key, MatchingControl(state, clauses))
            for key, state in found
            if (clauses := match(state))
        ]
        if not query.needs_acts:
            return matching
        controls = await self.narrowed_by_acts(moment, [of for _, of in matching], query)
        return [(key, of) for (key, _), of in zip(matching, controls, strict=True) if of.clauses]

    async def narrowed_by_acts(
        self, moment: Moment, controls: Sequence[MatchingControl], query: ClauseQuery
    ) -> Sequence[MatchingControl]:
        """Leave the clauses that answer to what takes more than their state: whether they are in force on
        one of some days, and how far their status is supported."""
        if query.in_force is not None:
            controls = await in_force_on(self._recorder, moment, controls, query.in_force)
        if query.confirmation is None:
            return controls
        first_days = await self._confirmations.first_days(moment)
        return [
            MatchingControl(
                of.state,
                [
                    item
                    for item in of.clauses
                    if confirmation(of.state, item, moment.valid_at, first_days)
                    is query.confirmation
                ],
            )
            for of in controls
        ]

    async def having(
        self, moment: Moment, query: ClauseQuery, filter: Filter
    ) -> list[ExportControlState]:
        """All controls that may have a clause that answers to all that is asked of clauses, without
        clauses that are in force on none of the days that are asked for."""
        found = await self._lists.page(ExportControlState, moment, _with_a_clause(filter, query))
        states = [state for _, state in found]
        if not query.needs_acts:
            return states
        controls = [MatchingControl(state, state.clauses) for state in states]
        return [
            structs.replace(of.state, clauses=tuple(of.clauses))
            for of in await self.narrowed_by_acts(moment, controls, query)
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
