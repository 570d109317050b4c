"""The export clauses that count for a query about exposure. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.basics.word import Phase
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.confirmation import Grounds
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import (
    DUAL_USE_ITEMS,
    NO_LICENCES,
    Goods,
    IssuerLicences,
    controls_about,
    goes_to,
    goods_of,
    licences_in_force,
)


@dataclass(frozen=True, slots=True)
class ExposureQuery:
    """The parameters of an exposure query; None does not filter.

    The controls of `issuer` toward `destination`, on a commodity and its descendants, at a stage, on a
    day.
    """

    day: date
    commodity: Commodity | None = None
    issuer: Place | None = None
    destination: Place | None = None
    stage: Stage | None = None


EFFECTIVE = frozenset(one for one in ClauseStatus if one.phase is Phase.CURRENT)
"""Statuses of clauses that are in force or will be in force again."""
UPCOMING = frozenset(one for one in ClauseStatus if one.phase in (Phase.NOT_LAW, Phase.UPCOMING))
"""Statuses of clauses that were never in force and may be."""


class ExportClauses:
    """The export clauses of some controls, by default those that are in force or suspended.

    The clauses of a commodity are computed once for all queries and supplies. The clauses of a query
    are computed once for all commodities.
    """

    def __init__(
        self,
        controls: Sequence[ExportControlState],
        grounds: Grounds,
        statuses: frozenset[ClauseStatus] = EFFECTIVE,
    ):
        self.grounds = grounds
        self._licences = licences_in_force(controls)
        self._clauses = [
            (control, state)
            for control in controls
            if control.direction is Direction.EXPORT
            for state in control.clauses
            if state.status in statuses
        ]
        self._about: dict[
            Commodity, list[tuple[ExportControlState, ClauseState, Sequence[Goods]]]
        ] = {}
        self._counting: dict[ExposureQuery, frozenset[int]] = {}

    def about(
        self, commodity: Commodity
    ) -> Sequence[tuple[ExportControlState, ClauseState, Sequence[Goods]]]:
        """Return the clauses covering a commodity, with the goods covered."""
        clauses = self._about.get(commodity)
        if clauses is None:
            related = frozenset(controls_about([commodity]))
            clauses = self._about[commodity] = [
                (control, state, goods)
                for control, state in self._clauses
                if not related.isdisjoint(state.clause.commodities)
                and (goods := goods_of(state.clause, commodity, self._licences_of(control)))
            ]
        return clauses

    def subjects(self, query: ExposureQuery) -> list[Commodity]:
        """Return the commodities of a query: the requested one, or all that clauses name."""
        if query.commodity:
            return [query.commodity]
        named = (
            commodity
            for control, state in self._clauses
            if self.count(query, state)
            for commodity in _named_commodities(state.clause, self._licences_of(control))
        )
        return list(dict.fromkeys(named))

    def count(self, query: ExposureQuery, state: ClauseState) -> bool:
        """Whether one of these clauses counts for a query."""
        counting = self._counting.get(query)
        if counting is None:
            counting = self._counting[query] = frozenset(
                id(one) for control, one in self._clauses if _counts(query, control, one)
            )
        return id(state) in counting

    def _licences_of(self, control: ExportControlState) -> IssuerLicences:
        return self._licences.get(control.issuer, NO_LICENCES)


def _named_commodities(clause: Clause, licences: IssuerLicences) -> Iterator[Commodity]:
    yield from clause.commodities
    if DUAL_USE_ITEMS in clause.commodities:
        for licence in licences.clauses:
            yield from licence.commodities


def _counts(query: ExposureQuery, control: ExportControlState, state: ClauseState) -> bool:
    """Whether a clause is of the requested issuer and applies to the destination.

    Clauses for all destinations count too. A place's supply to itself is not an export.
    """
    return query.issuer in (None, control.issuer) and (
        query.destination is None or goes_to(control, state.clause, query.destination, query.day)
    )
