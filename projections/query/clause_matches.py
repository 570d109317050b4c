"""Which clauses of a control answer to a question: found out once for each state.

A state of a control is one object for as long as it is cached, and so are the licences that follow from
the same states. What is found of them is kept, whoever asks, on whichever day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from projections.lru_cache import SizedLruCache
from tracker.domain.clause import ClauseState
from tracker.domain.clause_query import ClauseQuery, matching_clauses
from tracker.domain.export_control import ExportControlState
from tracker.domain.matching import NO_LICENCES, IssuerLicences, Licences, licences_in_force

MAX_CACHE_BYTES = 32 * 1024 * 1024
MEMORY_BYTES_PER_CLAUSE = 4000
MAX_QUESTIONS = 50
"""Questions whose answers are kept for one state."""
MAX_LICENCES = 100
"""Sets of licences that are kept."""

MatchesByQuestion: TypeAlias = dict[
    tuple[object, int], tuple[IssuerLicences, Sequence[ClauseState]]
]
"""Clauses, by what is asked and the identity of the licences, which are kept beside them."""


class ClauseMatches:
    """Finds the clauses of controls that match."""

    def __init__(self) -> None:
        self._matched: SizedLruCache[int, tuple[ExportControlState, MatchesByQuestion]] = (
            SizedLruCache(MAX_CACHE_BYTES)
        )
        self._licences: dict[tuple[int, ...], tuple[Sequence[ExportControlState], Licences]] = {}

    def licences(self, controls: Sequence[ExportControlState]) -> Licences:
        """The dual-use licences of controls; the same object for the same controls."""
        key = tuple(map(id, controls))
        if key not in self._licences:
            if len(self._licences) >= MAX_LICENCES:
                self._licences.clear()
            self._licences[key] = controls, licences_in_force(controls)
        return self._licences[key][1]

    def matcher(
        self, query: ClauseQuery, licences: Licences
    ) -> Callable[[ExportControlState], Sequence[ClauseState]]:
        """How to find the clauses of a control that answer to all that is asked. It is remembered,
        unless the day decides who is in a union."""
        asked = query.on_any_day
        if asked is None:
            return lambda state: matching_clauses(query, state, licences)

        def clauses(state: ExportControlState) -> Sequence[ClauseState]:
            own = licences.get(state.issuer, NO_LICENCES)
            answered = self._answers_for(state)
            found = answered.get((asked, id(own)))
            if found is None:
                if len(answered) >= MAX_QUESTIONS:
                    answered.clear()
                found = own, matching_clauses(query, state, licences)
                answered[asked, id(own)] = found
            return found[1]

        return clauses

    def _answers_for(self, state: ExportControlState) -> MatchesByQuestion:
        kept = self._matched.get(id(state))
        if kept is None:
            kept = state, {}
            self._matched.put(id(state), kept, MEMORY_BYTES_PER_CLAUSE * len(state.clauses))
        return kept[1]
