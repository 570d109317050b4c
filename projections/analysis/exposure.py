"""Which supply is under which export controls: shares of the world's output, by clause. Pure.

A supply is what the world makes of one commodity at one stage in one year. Supplies are never added
up: bauxite, alumina and aluminium are one metal three times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from projections.analysis.claims import ClaimRef, Orders, PreferredClaim, several_editions
from projections.analysis.distribution import (
    NOT_COUNTRIES,
    Distribution,
    Share,
    claims_used,
    distribution,
)
from projections.analysis.quantities import rounded, total
from tracker.domain.clause import Clause, ClauseState
from tracker.domain.commodities import Commodity, ancestors, commodities, descendants
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.values import Place
from tracker.domain.vocabulary import ClauseStatus, Covers, Direction, Measure, Stage

Supply = tuple[Commodity, Stage | None, str | None, int | None]
"""Commodity, stage, form and year."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the controls of `issuer` (None: of anybody) toward a destination (None: any),
    on a commodity and what is below it (None: on whatever they name)."""

    commodity: Commodity | None = None
    issuer: Place | None = None
    destination: Place | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A clause that reaches a supply. `limits` say in words why only a part of it; none: all."""

    control: ExportControlState
    clause: ClauseState
    limits: tuple[str, ...]

    @property
    def in_force(self) -> bool:
        """Whether it is in force; the others are suspended."""
        return self.clause.status is ClauseStatus.IN_FORCE

    @property
    def full(self) -> bool:
        """Whether it is in force for all that its issuer supplies."""
        return self.in_force and not self.limits


@dataclass(frozen=True, slots=True)
class Controlled:
    """A place that controls a supply, with its clauses that reach it.

    `share` is absent where there is no figure for its part of the supply.
    """

    place: Place
    share: Share | None
    in_force: tuple[Applied, ...]
    suspended: tuple[Applied, ...]

    @property
    def exact(self) -> Decimal:
        """Its share of the supply, unrounded; 0 where none is known."""
        return (self.share and self.share.exact) or Decimal(0)

    @property
    def full(self) -> bool:
        """Whether all of its supply is under a clause in force."""
        return any(applied.full for applied in self.in_force)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One supply and who controls it.

    `controlled_share` is the part of the world's output that comes from places with a clause in
    force for all of it; `partly_controlled_share` from places where clauses in force reach only a
    part. Both are fractions of 1 to 4 places, and None where no share is known at all.
    """

    commodity: Commodity
    stage: Stage | None
    form: str | None
    year: int | None
    world: PreferredClaim | None
    places: tuple[Controlled, ...]
    controlled_share: Decimal | None
    partly_controlled_share: Decimal | None
    measures: tuple[tuple[Measure, Decimal], ...]
    computed_from: tuple[ClaimRef, ...]

    @property
    def mixed_editions(self) -> bool:
        """Whether claims of several editions or publishers went into the shares."""
        return several_editions(claim for _, claim in self.computed_from)


def subjects(asked: Question, controls: Iterable[ExportControlState]) -> list[Commodity]:
    """The commodities that a question is about: the one it asks for, or all that clauses name."""
    if asked.commodity:
        return [asked.commodity]
    return list(
        dict.fromkeys(
            commodity
            for _, state in reaching(asked, controls)
            for commodity in state.clause.commodities
        )
    )


def exposures(
    asked: Question,
    controls: Sequence[ExportControlState],
    figures: Iterable[FigureState],
    orders: Orders,
) -> list[Exposure]:
    """Every supply that a question is about, in the order of the tree.

    A commodity that is asked for, or that a control names, stands there without shares where no
    figures for it are known. Where no commodity is asked for, supplies of those below what controls
    name are left out if none of the controlling places contributes to them.
    """
    supplies: dict[Supply, list[FigureState]] = defaultdict(list)
    for figure in figures:
        series = figure.series
        supplies[series.commodity, series.stage, series.form, series.period].append(figure)
    named, known = subjects(asked, controls), {commodity for commodity, *_ in supplies}
    supplies.update({(one, None, None, None): [] for one in named if one not in known})
    found = [
        _exposure(supply, list(applied(asked, supply[0], controls)), distribution(of, orders))
        for supply, of in supplies.items()
    ]
    order = {commodity: number for number, commodity in enumerate(commodities())}
    found.sort(key=lambda e: (order[e.commodity], e.stage or "", e.form or "", e.year or 0))
    return [
        e
        for e in found
        if asked.commodity or e.commodity in named or any(p.share for p in e.places)
    ]


def applied(
    asked: Question, commodity: Commodity, controls: Iterable[ExportControlState]
) -> Iterator[Applied]:
    """The clauses in force or suspended that reach what their issuers supply of a commodity."""
    for control, state in reaching(asked, controls):
        limits = coverage(state.clause, commodity)
        if limits is not None:
            limits = *limits, *_limits(control, state.clause, asked.destination)
            yield Applied(control, state, limits)


def reaching(
    asked: Question, controls: Iterable[ExportControlState]
) -> Iterator[tuple[ExportControlState, ClauseState]]:
    """The clauses on exports, in force or suspended, that count for a destination: those for all
    and those for it. What a place supplies to itself is no export."""
    for control in controls:
        if control.direction is not Direction.EXPORT or control.issuer == asked.destination:
            continue
        if asked.issuer not in (None, control.issuer):
            continue
        for state in control.clauses:
            to = state.clause.destinations
            if state.status in (ClauseStatus.IN_FORCE, ClauseStatus.SUSPENDED) and (
                not to or asked.destination is None or asked.destination in to
            ):
                yield control, state


def coverage(clause: Clause, commodity: Commodity) -> tuple[str, ...] | None:
    """How far the goods of a clause are those of a commodity: limits in words, none if it covers
    all of it; None if it covers nothing of it.

    A clause that names a commodity together with some below it (rare earths: samarium, dysprosium)
    may mean the latter only, so it is not taken to cover all of the former.
    """
    named = set(clause.commodities)
    scope = next((one for one in (commodity, *ancestors(commodity)) if one in named), None)
    narrower = named & descendants(scope or commodity) - {scope or commodity}
    if scope is None and not narrower:
        return None
    if not narrower:
        return ()
    return (f"of {scope or commodity} it names {', '.join(sorted(narrower))}",)


def _limits(
    control: ExportControlState, clause: Clause, destination: Place | None
) -> Iterator[str]:
    """Why a clause reaches only a part of the goods that it names."""
    if clause.destinations and destination is None:
        yield f"only to {', '.join(clause.destinations)}"
    if clause.covers is not Covers.GOODS:
        yield f"only {clause.covers}, not the goods"
    if clause.end_use:
        yield f"only for the end use {clause.end_use}"
    if clause.entities or clause.entity_count:
        yield f"only for {clause.entity_count or len(clause.entities)} named entities"
    if clause.de_minimis_percent is not None:
        yield f"only goods made abroad, from a share of {clause.de_minimis_percent} %"
    if clause.exemptions:
        yield f"except: {clause.exemptions}"
    if not control.official:
        yield "reported by others, denied by its issuer"


def _exposure(supply: Supply, clauses: Sequence[Applied], spread: Distribution) -> Exposure:
    shares = {s.place: s for s in spread.shares if s.place not in NOT_COUNTRIES}
    places = _places(shares, clauses)
    known = any(share.exact is not None for share in shares.values())
    return Exposure(
        *supply,
        spread.world,
        places,
        _part(p for p in places if p.full) if known else None,
        _part(p for p in places if p.in_force and not p.full) if known else None,
        tuple(_by_measure(places)) if known else (),
        claims_used(p.share for p in places if p.in_force and p.share),
    )


def _places(shares: dict[Place, Share], clauses: Sequence[Applied]) -> tuple[Controlled, ...]:
    """The controlling places, the greatest supplier first, those without a figure last."""
    found = [
        Controlled(
            place=issuer,
            share=shares.get(issuer),
            in_force=tuple(of for of in clauses if of.control.issuer == issuer and of.in_force),
            suspended=tuple(
                of for of in clauses if of.control.issuer == issuer and not of.in_force
            ),
        )
        for issuer in {of.control.issuer for of in clauses}
    ]
    return tuple(sorted(found, key=lambda one: (-one.exact, one.share is None, one.place)))


def _by_measure(places: Iterable[Controlled]) -> Iterator[tuple[Measure, Decimal]]:
    """The share under each kind of measure, of places with such a clause for all of their supply;
    one place can be under several."""
    for measure in Measure:
        under = [
            p
            for p in places
            if any(of.full and of.clause.clause.measure is measure for of in p.in_force)
        ]
        if under:
            yield measure, _part(under)


def _part(places: Iterable[Controlled]) -> Decimal:
    return rounded(total(place.exact for place in places))
