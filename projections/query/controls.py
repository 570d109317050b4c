"""Export controls by clause filters: the database preselects, the domain rule decides."""

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
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.controls.clause_query import ClauseQuery, settled_matches
from tracker.domain.controls.confirmation import confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Licences, controls_about
from tracker.log.recorder import Recorder

MAX_CACHED_SERIES = 10
"""Maximum of series whose licences are cached until the next event."""
LICENCES_IN_FORCE = Filter(measure=Measure.DUAL_USE_LICENCE, status=ClauseStatus.IN_FORCE)


class Controls:
    """Queries for controls by their clauses."""

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
        """Return the dual-use licences in force, which define the dual-use items."""
        if moment.series is None:
            return await self._licences.get(moment)
        return (await self.licences_on(moment.series))[moment.valid_at]

    async def licences_on(self, series: MomentSeries) -> Mapping[date, Licences]:
        """Return the licences on each day of a series. Days with equal licences share one object."""
        key = series.position, tuple(series.days)
        return await series.read(Controls, lambda: self._licences_by_day.get(key))

    async def _read_licences(self, moment: Moment) -> Licences:
        states = await self._lists.page(ExportControlState, moment, LICENCES_IN_FORCE)
        return self._matches.licences([state for _, state in states])

    async def _read_licences_on(self, key: tuple[int, tuple[date, ...]]) -> Mapping[date, Licences]:
        position, of = key
        days = await self._lists.on_each_day(
            ExportControlState, MomentSeries(of, position), LICENCES_IN_FORCE
        )
        return {day: self._matches.licences(states) for day, states in days.items()}

    async def matching_on(
        self, series: MomentSeries, query: ClauseQuery, filter: Filter, order: Ordering
    ) -> Mapping[date, Sequence[Keyed[MatchingControl]]]:
        """Return the result of `matching` on each day of a series.

        The query must not depend on the day. Days with equal results share one object.
        """
        narrowed = _with_a_clause(filter, query)
        licences = await self.licences_on(series) if query.is_about_goods else {}
        days = await self._lists.keyed_on_each_day(ExportControlState, series, narrowed, order)
        made: dict[tuple[object, ...], Sequence[Keyed[MatchingControl]]] = {}
        by_day = {}
        for day, keyed in days.items():
            await series.give_way()
            of_day = replace(query, day=day)
            matching = self._matching(of_day, licences.get(day, {}), keyed)
            key = tuple(
                [
                    (id(of.state), *map(id, of.clauses), of.query and of.query.unpaid)
                    for _, of in matching
                ]
            )
            by_day[day] = made.setdefault(key, matching)
        return by_day

    async def matching(
        self,
        moment: Moment,
        query: ClauseQuery,
        licences: Licences,
        filter: Filter,
        order: Ordering,
    ) -> list[Keyed[MatchingControl]]:
        """Return all controls with a clause that matches a query, in an order.

        The database finds the controls that may have one, and the domain rule decides.
        """
        narrowed = _with_a_clause(filter, query)
        states = await self._lists.page(ExportControlState, moment, narrowed, order)
        matching = self._matching(query, licences, states)
        if not query.needs_acts:
            return matching
        controls = await self.narrowed_by_acts(moment, [of for _, of in matching], query)
        return [(key, of) for (key, _), of in zip(matching, controls, strict=True) if of.clauses]

    def _matching(
        self, query: ClauseQuery, licences: Licences, states: Sequence[Keyed[ExportControlState]]
    ) -> list[Keyed[MatchingControl]]:
        """Return the controls with matching clauses; those for a code with the query that they match."""
        of_any_match = replace(query, match=None) if query.hs_code else query
        match = self._matches.matcher(of_any_match, licences)
        keyed = [(key, (state, found)) for key, state in states if (found := match(state))]
        if query.hs_code is None:
            return [(key, MatchingControl(*one)) for key, one in keyed]
        settled = map(MatchingControl._make, settled_matches(query, [one for _, one in keyed]))
        return [(key, of) for (key, _), of in zip(keyed, settled, strict=True) if of.clauses]

    async def narrowed_by_acts(
        self, moment: Moment, controls: Sequence[MatchingControl], query: ClauseQuery
    ) -> Sequence[MatchingControl]:
        """Keep the clauses that match the filters that need more than the state.

        These are "in force on one of some days" and the confirmation of the status.
        """
        if query.in_force is not None:
            controls = await in_force_on(self._recorder, moment, controls, query.in_force)
        if query.confirmation is None:
            return controls
        grounds = await self._confirmations.grounds(moment)
        return [
            of._replace(
                clauses=[
                    item
                    for item in of.clauses
                    if confirmation(of.state, item, moment.valid_at, grounds) is query.confirmation
                ]
            )
            for of in controls
        ]

    async def having(
        self, moment: Moment, query: ClauseQuery, filter: Filter
    ) -> list[ExportControlState]:
        """Return all controls that may have a matching clause.

        Clauses that are in force on none of the requested days are removed.
        """
        candidates = await self._lists.page(
            ExportControlState, moment, _with_a_clause(filter, query)
        )
        states = [state for _, state in candidates]
        if not query.needs_acts:
            return states
        controls = [MatchingControl(state, state.clauses) for state in states]
        return [
            structs.replace(of.state, clauses=tuple(of.clauses))
            for of in await self.narrowed_by_acts(moment, controls, query)
        ]


def _with_a_clause(filter: Filter, query: ClauseQuery) -> Filter:
    """Return a filter of the controls that may have a matching clause."""
    return replace(
        filter,
        commodities=controls_about([query.commodity]) if query.commodity else None,
        measure=query.measure,
        status=query.status,
        in_force=query.in_force,
    )
