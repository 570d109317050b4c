"""Supplies under export controls: shares of world output by clause. Pure.

A supply is the world's output of one commodity at one stage in one year. Supplies are never added up:
bauxite, alumina and aluminium contain the same metal.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from projections.analysis.applied_clause import AppliedClause
from projections.analysis.claims import ClaimRef, Orders, PreferredClaim, several_editions
from projections.analysis.distribution import (
    NOT_COUNTRIES,
    Distribution,
    Share,
    claims_used,
    distribution,
)
from projections.analysis.export_clauses import ExportClauses, ExposureQuery
from projections.analysis.quantities import rounded, sum_of_shares
from tracker.domain.basics.control_vocabulary import (
    UNCONFIRMED,
    Confirmation,
    Match,
    Measure,
    Reach,
)
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.commodities import Commodity, commodities, descendants
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, match_of
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import DUAL_USE_ITEMS, Goods
from tracker.domain.controls.reach import (
    SupplyForms,
    form_limit,
    forms_at,
    limits_of,
    other_than_goods,
)
from tracker.domain.figures.figure import FigureState

YearlySupply = tuple[Commodity, Stage | None, str | None, int | None]
"""Commodity, stage, form and year."""

NO_OUTPUT_LIMIT = "no output of its issuer is recorded, so the group may not include these goods"
GROUP_LIMIT = "it names only a group of goods, without codes, so it may not cover these"
REACHES = (Reach.FULL, Reach.PARTLY, Reach.OTHER)
"""Degrees of coverage, widest first."""

EMPTY = distribution((), ())
"""The distribution of a supply without figures."""


@dataclass(frozen=True, slots=True)
class ControllingPlace:
    """A place that controls a supply, with its clauses that cover it.

    `share` is None without a figure for the place.
    """

    place: Place
    """The place."""
    share: Share | None
    in_force: tuple[AppliedClause, ...]
    """The clauses that are in force."""
    suspended: tuple[AppliedClause, ...]
    """The suspended clauses that will be in force again. They do not count in the shares."""

    @property
    def exact(self) -> Decimal:
        """The unrounded share of the supply; 0 if unknown."""
        return (self.share and self.share.exact) or Decimal(0)

    @property
    def full(self) -> bool:
        """Whether a clause in force covers all of the place's supply."""
        return any(applied.full for applied in self.in_force)

    @property
    def confirmation(self) -> Confirmation | None:
        """The confirmation of the best supported clause that covers all of its supply; null if no clause
        does."""
        supported = {applied.confirmation for applied in self.in_force if applied.full}
        return next((one for one in Confirmation if one in supported), None)

    @property
    def partly(self) -> bool:
        """Whether clauses in force cover only a part of the place's supply."""
        return not self.full and any(applied.partly for applied in self.in_force)


class MeasureShares(NamedTuple):
    """The share of world output under one kind of measure, with its assumed and contradicted parts."""

    measure: Measure
    """The measure."""
    share: Decimal
    """The share of the world's production from places with this measure in force for all of their supply,
    as a fraction of 1, rounded to 4 decimal places."""
    assumed: Decimal
    contradicted: Decimal


class Exposure(Struct, frozen=True):
    """A supply and the places that control it."""

    commodity: Commodity
    """The commodity."""
    stage: Stage | None
    """The stage of the supply chain; null without figures."""
    form: str | None
    """The product, if one stage has several; null otherwise."""
    year: int | None
    """The year of the figures; null without figures."""
    figures_of: Commodity | None
    """The commodity under which publishers file the figures, such as graphite for natural graphite; null
    without figures."""
    world: PreferredClaim | None
    """The preferred claim for the world; null if not recorded."""
    places: tuple[ControllingPlace, ...]
    """The places that control its export, the largest supplier first."""
    controlled_share: Decimal | None
    """The fully covered share: the share of the world's production, as a fraction of 1, from places with a
    clause in force for all of their supply. Null if no share is known."""
    partly_controlled_share: Decimal | None
    """The partly covered share: the share from places where the clauses in force cover only a part of the
    supply. `controlledShare` does not include it, and the covered amount is not known."""
    assumed_share: Decimal | None
    """The part of `controlledShare` from places where the clauses are in force by their own terms, not
    confirmed: it follows from the dates of older acts alone."""
    contradicted_share: Decimal | None
    """The part of `controlledShare` from places where a recorded statement contradicts the status: it says
    that the clauses are suspended."""
    as_recorded_share: Decimal | None
    """The part of `controlledShare` from places where a record supports the status, but the date is later
    than all records that name the clauses."""
    measures: tuple[MeasureShares, ...]
    """`controlledShare` by measure. One place can be under several."""
    computed_from: tuple[ClaimRef, ...]
    """The claims from which the shares are computed, the world's claim first."""

    @property
    def mixed_editions(self) -> bool:
        """Whether these claims are of several editions or publishers."""
        return several_editions(claim for _, claim in self.computed_from)


def yearly_supplies(
    figures: Iterable[FigureState], orders: Orders
) -> dict[YearlySupply, Distribution]:
    """Return the distribution of each supply with figures over places."""
    groups: dict[YearlySupply, list[FigureState]] = defaultdict(list)
    for figure in figures:
        series = figure.series
        groups[series.commodity, series.stage, series.form, series.period].append(figure)
    return {supply: distribution(of, orders) for supply, of in groups.items()}


def _with_filed_supplies(
    spread: Mapping[YearlySupply, Distribution], named: Sequence[Commodity]
) -> dict[YearlySupply, Distribution]:
    """Return supplies; named commodities without own figures get those filed under another."""
    own = {commodity for commodity, *_ in spread}
    borrowed = {
        (commodity, *of[1:]): one
        for commodity in named
        if commodity not in own and commodity.filed_figures
        for of, one in spread.items()
        if of[0] == commodity.filed_figures.commodity and commodity.filed_figures.include(of[1])
    }
    commodities = frozenset[Commodity]().union(*map(descendants, named))
    return {**{of: one for of, one in spread.items() if of[0] in commodities}, **borrowed}


def exposures(
    query: ExposureQuery, clauses: ExportClauses, spread: Mapping[YearlySupply, Distribution]
) -> list[Exposure]:
    """Return every supply of a query, in the order of the tree.

    A requested or controlled commodity without figures is listed without shares. Without a requested
    commodity, supplies below the controlled commodities are omitted if no controlling place contributes
    to them.
    """
    named = clauses.subjects(query)
    supplies = {
        of: one
        for of, one in _with_filed_supplies(spread, named).items()
        if query.stage in (None, of[1])
    }
    known = {commodity for commodity, *_ in supplies}
    supplies |= {(one, query.stage, None, None): EMPTY for one in named if one not in known}
    results = [
        _exposure(supply, [*applied(query, *supply[:2], clauses)], one)
        for supply, one in supplies.items()
    ]
    order = {commodity: number for number, commodity in enumerate(commodities())}
    results.sort(key=lambda e: (order[e.commodity], e.stage or "", e.form or "", e.year or 0))
    return [
        e
        for e in results
        if query.commodity or e.commodity in named or any(p.share for p in e.places)
    ]


def applied(
    query: ExposureQuery, commodity: Commodity, stage: Stage | None, clauses: ExportClauses
) -> Iterator[AppliedClause]:
    """Yield the clauses that apply to the supply of a commodity at a stage."""
    return applied_to(query, commodity, forms_at(stage, commodity), clauses)


def applied_to(
    query: ExposureQuery, commodity: Commodity, forms: SupplyForms, clauses: ExportClauses
) -> Iterator[AppliedClause]:
    """Yield the clauses that apply to a supply of a commodity in some forms."""
    for control, state, goods in clauses.about(commodity):
        if clauses.count(query, state):
            yield min(
                (
                    _apply(query, commodity, forms, control, state, each, clauses.grounds)
                    for each in goods
                ),
                key=lambda one: (REACHES.index(one.reach), len(one.limits)),
            )


def _apply(
    query: ExposureQuery,
    commodity: Commodity,
    forms: SupplyForms,
    control: ExportControlState,
    state: ClauseState,
    goods: Goods,
    grounds: Grounds,
) -> AppliedClause:
    others = tuple(other_than_goods(state.clause))
    limits = (*goods.limits, *limits_of(control, state, query.destination, query.day))
    form = form_limit(goods, forms)
    if form is not None:
        limits = (form.limit, *limits)
    supported = confirmation(control, state, query.day, grounds)
    match = match_of(ClauseQuery(query.day, commodity=commodity), state.clause)
    if match is Match.POSSIBLE:
        limits = (GROUP_LIMIT, *limits)
    if others or (form is not None and not form.reaches):
        reach, limits = Reach.OTHER, (*others, *limits)
    else:
        reach = Reach.PARTLY if limits else Reach.FULL
    return AppliedClause(control, state, reach, limits, supported, match)


def _exposure(
    supply: YearlySupply, clauses: Sequence[AppliedClause], spread: Distribution
) -> Exposure:
    shares = {s.place: s for s in spread.shares if s.place not in NOT_COUNTRIES}
    places = _places(shares, [_of_own_output(one, shares) for one in clauses])
    known = any(share.exact is not None for share in shares.values())
    by_terms, contradicted, as_recorded = (
        _part(p for p in places if p.confirmation is one) if known else None for one in UNCONFIRMED
    )
    return Exposure(
        *supply,
        spread.figures_of,
        spread.world,
        places,
        _part(p for p in places if p.full) if known else None,
        _part(p for p in places if p.partly) if known else None,
        by_terms,
        contradicted,
        as_recorded,
        tuple(_by_measure(places)) if known else (),
        claims_used(p.share for p in places if p.in_force and p.share),
    )


def _of_own_output(applied: AppliedClause, shares: Mapping[Place, Share]) -> AppliedClause:
    """Mark a clause on an issuer's minerals as not covering a supply without recorded output of the
    issuer."""
    names_only_group = (
        applied.match is Match.POSSIBLE
        and DUAL_USE_ITEMS not in applied.clause.clause.commodities
        and applied.reach is not Reach.OTHER
    )
    if not (names_only_group and shares) or applied.control.issuer in shares:
        return applied
    return replace(applied, reach=Reach.OTHER, limits=(NO_OUTPUT_LIMIT, *applied.limits))


def _places(
    shares: dict[Place, Share], clauses: Sequence[AppliedClause]
) -> tuple[ControllingPlace, ...]:
    """Return the controlling places, largest supplier first, those without a figure last."""
    places = [
        ControllingPlace(
            place=issuer,
            share=shares.get(issuer),
            in_force=tuple(of for of in clauses if of.control.issuer == issuer and of.in_force),
            suspended=tuple(
                of for of in clauses if of.control.issuer == issuer and not of.in_force
            ),
        )
        for issuer in {of.control.issuer for of in clauses}
    ]
    return tuple(sorted(places, key=lambda one: (-one.exact, one.share is None, one.place)))


def _by_measure(places: Iterable[ControllingPlace]) -> Iterator[MeasureShares]:
    """Yield the shares by measure, of places whose whole supply is under such a clause.

    A place can be under several measures.
    """
    for measure in Measure:
        under = [
            replace(place, in_force=clauses)
            for place in places
            if (
                clauses := tuple(
                    of for of in place.in_force if of.full and of.clause.clause.measure is measure
                )
            )
        ]
        if under:
            yield MeasureShares(
                measure,
                _part(under),
                *(_part(p for p in under if p.confirmation is one) for one in UNCONFIRMED[:2]),
            )


def _part(places: Iterable[ControllingPlace]) -> Decimal:
    return rounded(sum_of_shares(place.exact for place in places))
