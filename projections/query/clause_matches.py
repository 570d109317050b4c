"""Clauses of a control that match a query, computed once per state.

A cached state of a control is one object, and so are the licences derived from equal states. Their
matches are cached for all clients and days.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from projections.lru_cache import SizedLruCache
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import (
    NO_LICENCES,
    IssuerLicences,
    Licences,
    licences_in_force,
)

MAX_CACHE_BYTES = 32 * 1024 * 1024
MEMORY_BYTES_PER_CLAUSE = 4000
MAX_QUERIES = 50
"""Maximum of cached queries per state."""
MAX_LICENCES = 100
"""Maximum of cached sets of licences."""

MatchesByQuery: TypeAlias = dict[tuple[object, int], tuple[IssuerLicences, Sequence[ClauseState]]]
"""Clauses by query and the identity of the licences, which are stored with them."""


class ClauseMatches:
    """A cache of the matching clauses of controls."""

    def __init__(self) -> None:
        # Accessed by the thread of the event loop only. The first one drops its least recently used states
        # above its size; the second one, which is small, is emptied when it has MAX_LICENCES entries.
        self._matched: SizedLruCache[int, tuple[ExportControlState, MatchesByQuery]] = (
            SizedLruCache(MAX_CACHE_BYTES)
        )
        self._licences: dict[tuple[int, ...], tuple[Sequence[ExportControlState], Licences]] = {}

    def licences(self, controls: Sequence[ExportControlState]) -> Licences:
        """Return the dual-use licences of controls. Equal controls get the same object."""
        key = tuple(map(id, controls))
        if key not in self._licences:
            if len(self._licences) >= MAX_LICENCES:
                self._licences.clear()
            self._licences[key] = controls, licences_in_force(controls)
        return self._licences[key][1]

    def matcher(
        self, query: ClauseQuery, licences: Licences
    ) -> Callable[[ExportControlState], Sequence[ClauseState]]:
        """Return a function that selects the matching clauses of a control.

        Its results are cached, unless the membership of a union depends on the day.
        """
        query_key = query.on_any_day
        if query_key is None:
            return lambda state: matching_clauses(query, state, licences)

        def clauses(state: ExportControlState) -> Sequence[ClauseState]:
            own = licences.get(state.issuer, NO_LICENCES)
            answered = self._answers_for(state)
            result = answered.get((query_key, id(own)))
            if result is None:
                if len(answered) >= MAX_QUERIES:
                    answered.clear()
                result = own, matching_clauses(query, state, licences)
                answered[query_key, id(own)] = result
            return result[1]

        return clauses

    def _answers_for(self, state: ExportControlState) -> MatchesByQuery:
        entry = self._matched.get(id(state))
        if entry is None:
            entry = state, {}
            self._matched.put(id(state), entry, MEMORY_BYTES_PER_CLAUSE * len(state.clauses))
        return entry[1]
