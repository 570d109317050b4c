"""Figures and the claims in them as GraphQL shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import field

from projections.analysis import claims, revisions
from projections.query.figure_claims import ClaimColumns, FigureClaims, claim_at
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, read_from, resolver_field
from schema.base.memo import Once, memoize_by_identity
from schema.base.scalars import Position
from schema.types.annex_text import WithQuotation
from schema.types.common import (
    Because,
    Commodity,
    Node,
    Place,
    Quantity,
    Source,
    at_moment,
    because,
    because_event,
    commodity,
    from_state,
    place,
    source,
)
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.ranked_figure import RankedFigure
from tracker.domain import figure as domain
from tracker.domain import figure_facts as facts
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import ActKind, PreferenceRule, Stage, Statistic


@object_type
class Series:
    """The series of a figure: commodity, place, statistic, stage and period."""

    commodity: Commodity = field(description="The commodity.")
    place: Place = field(description="The place.")
    statistic: Statistic = field(description="The statistic, such as production.")
    stage: Stage | None = field(description="The stage of the supply chain; null for reserves.")
    form: str | None = field(
        description="The product, where one stage has several; null otherwise."
    )
    period: int | None = field(description="The year that it is for; null for reserves.")


CLAIM_PATHS = {
    "figure": "on.id",
    "publisher": "of.source.publisher",
    "published_on": "of.source.published_on",
    **{name: f"of.{name}" for name in ("edition", "edition_version", "as_of", "latest")},
    **{name: f"of.{name}" for name in ("position", "event_id")},
    **{one.name: f"of.quantity.{one.name}" for one in fields(Quantity)},
}
"""Where a claim has the values of its fields."""


@read_from(
    CLAIM_PATHS,
    {
        "series": lambda claim: series(claim.on.state.series),
        "source": lambda claim: source(claim_of(claim).source),
        "because": lambda claim: because((claim_of(claim).because,)),
        "preferred": lambda claim: claim.on.preferred.position == claim.of.position,
    },
)
@object_type
class Claim(Quantity, WithQuotation):
    """One publisher's number for one series, in one edition. Later editions do not overwrite it."""

    on: strawberry.Private[RankedFigure]
    of: strawberry.Private[domain.Claim | ClaimColumns]

    figure: str = field(description="The key of the figure that it belongs to.")
    series: Series = field(description="The series that the number is for.")
    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    edition: str = field(description="The edition of the publication that has it.")
    edition_version: str | None = field(description="The version of the edition.")
    published_on: PartialDate = field(description="When the edition was published.")
    as_of: int | None = field(
        description="The year in which reserves were estimated, where the publisher says so."
    )
    latest: bool = field(description="False once its publisher has restated it.")
    preferred: bool | None = field(
        description="Whether it is the preferred claim on its figure; null below `history`, since"
        " preferences change independently of figures."
    )
    position: Position = field(description="The position of its event in the log.")
    event_id: str = field(description="The id of its event, which `retractEvent` takes.")
    source: Source = field(description="The source that publishes the number.")
    because: list[Because] = field(
        description="The event that recorded the claim, in a list for uniformity."
    )


@object_type
class Choice:
    """Why a claim is preferred."""

    rule: PreferenceRule = field(description="The rule that decided.")
    reason: str | None = field(description="The recorded reason; null where none is recorded.")
    event: Because | None = field(
        description="The event that recorded the judgement or the order; null where there is none."
    )


@object_type
class Spread:
    """The spread of comparable claims of several publishers."""

    minimum: Decimal = field(description="The smallest number.")
    maximum: Decimal = field(description="The greatest number.")
    absolute: Decimal = field(description="The difference between the two.")
    relative: Decimal | None = field(
        description="The difference as a fraction of the smallest number, rounded to 4 decimal places;"
        " null if that number is not above 0, or the difference is a thousand times as large or more."
    )
    unit: str = field(description="The unit of these numbers.")
    basis: str | None = field(description="The basis of the weight; null where no publisher says.")
    claims: list[Claim] = field(description="The compared claims.")
    equivalences: list[str] = field(
        description="The declared equivalences of bases that the comparison rests on, with the reason of"
        " each: what `metal content` and `contained cobalt` have in common."
    )


@object_type
class NotComparable:
    """A claim that is not comparable with the others."""

    claim: Claim = field(description="The claim.")
    reason: str = field(description="Why, in words.")


@object_type
class SideBySide:
    """Every publisher's latest claim on a figure."""

    latest: list[Claim] = field(
        description="The latest claim of every publisher, in the order in which they first published."
    )
    spread: Spread | None = field(
        description="The spread of the claims that are comparable with the preferred one or, if that has"
        " no number, with the first that has; null with fewer than two."
    )
    not_comparable: list[NotComparable] = field(
        description="The claims that are not comparable: of another basis, without a number, or only a"
        " bound."
    )


@object_type
class Revision(Quantity):
    """A claim beside the claim of the same publisher that it restates. Nothing else is compared:
    other publishers are below `sideBySide`.
    """

    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    edition: str = field(description="The edition of the publication that has it.")
    edition_version: str | None = field(description="The version of the edition.")
    published_on: PartialDate = field(description="When the edition was published.")
    position: Position = field(description="The position of its event in the log.")
    change: Decimal | None = field(
        description="The number less that of the claim before, in the unit of this claim; null for the"
        " first claim of a publisher, and where the two are not comparable."
    )
    change_percent: Decimal | None = field(
        description="The change in percent of the number before, rounded to 2 decimal places; null also"
        " where that number is not above 0, or the change is a thousand times as large or more."
    )
    change_unavailable_reason: str | None = field(
        description="Why there is no change, in words; null where there is one, and for a first claim."
    )
    claim: Claim = field(description="The claim.")
    before: Claim | None = field(
        description="The claim of the same publisher before it; null for its first."
    )


@object_type
class Figure(Node):
    """The claims of all publishers for one series and period."""

    key: str = field(description="Its series as a path: `rare_earths/CN/production/mine/2023`.")
    entity: str = field(description="Its name in the log, `figure/<key>`.")
    series: Series = field(description="Its series.")
    claims: list[Claim] = field(
        description="All claims that were public on this day, the oldest first."
    )
    preferred: Claim | None = field(
        description="The preferred claim: by a judgement on this figure, else by the most specific order"
        " of publishers (`preferences`), else the latest claim of the publisher that published"
        " first. Null below `history`, since preferences change independently of figures."
    )
    choice: Choice | None = field(description="Why it is preferred; null below `history`.")
    revisions: list[Revision] = field(
        description="Its claims in the order of publication, each beside the claim of the same publisher"
        " that it restates: how the number changed from edition to edition. For reserves, which"
        " have no year, a change is also one of what is in the ground."
    )
    side_by_side: SideBySide | None = field(
        description="The latest claim of every publisher, and their spread; null below `history`."
    )
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of figures. Null in a history."""
        return await completeness(answer_scope(info, self.moment, [ActKind.FIGURE]))


def claim(state: domain.FigureState, of: domain.Claim, preferred: bool | None) -> Claim:
    """The GraphQL type of a claim of which it is said whether it is the preferred one."""
    shown = _claim(RankedFigure(state.id, (), state), of)
    shown.preferred = preferred
    return shown


def claim_of(of: Claim) -> domain.Claim:
    """The whole of a claim."""
    if isinstance(of.of, domain.Claim):
        return of.of
    return claim_at(of.on.state, of.of.position)


def _claim(on: RankedFigure, of: domain.Claim | ClaimColumns) -> Claim:
    self: Claim = object.__new__(Claim)
    self.on, self.of = on, of
    if of.note is not None:
        self.note_text = of.note
    if of.quotation is not None:
        self.quotation_text = of.quotation
    return self


def preferred_claim(of: claims.PreferredClaim) -> Claim:
    """The GraphQL type of the claim to use."""
    return claim(of.figure, of.claim, preferred=True)


def referenced_claim(of: claims.ClaimRef, orders: claims.Orders) -> Claim:
    """The GraphQL type of a claim of a figure, where orders decide whether it is the preferred one."""
    figure, cited = of
    return claims_of(figure, orders)[cited.position]


def claims_weight(state: domain.FigureState) -> int:
    """The weight of a figure in the memo: its number of claims."""
    return 1 + len(state.claims)


@memoize_by_identity(claims_weight)
def claims_of(state: domain.FigureState, orders: claims.Orders) -> Mapping[int, Claim]:
    """The GraphQL types of the claims of a figure, by position; which one is the preferred one is
    found out when somebody asks."""
    on = RankedFigure(state.id, orders, state)
    return {of.position: _claim(on, of) for of in state.claims}


def listed_claims(of: FigureClaims, orders: claims.Orders) -> Mapping[int, Claim]:
    """The same for a list of claims, without decoding the figure before somebody asks for more."""
    return of.made(orders, _listed_claims)


def _listed_claims(listed: FigureClaims, orders: claims.Orders) -> Mapping[int, Claim]:
    on = RankedFigure(listed.id, orders, listed.json)
    return {of.position: _claim(on, of) for of in listed.claims}


def revisions_of(state: domain.FigureState, shown: Iterable[Claim]) -> dict[int, Revision]:
    """The GraphQL types of the revisions of a figure, by position; `shown` are its claims."""
    by_position = {int(claim.position): claim for claim in shown}
    return {
        of.claim.position: from_state(
            Revision,
            of.claim.quantity,
            of.claim,
            publisher=of.claim.publisher,
            published_on=of.claim.published_on,
            change=of.change,
            change_percent=of.change_percent,
            change_unavailable_reason=of.incomparable_reason,
            claim=by_position[of.claim.position],
            before=by_position[of.before.position] if of.before else None,
        )
        for of in revisions.revisions(state)
    }


def series(of: facts.Series) -> Series:
    """The GraphQL type of a series."""
    return from_state(Series, of, commodity=commodity(of.commodity), place=place(of.place))


def figure(state: domain.FigureState, orders: claims.Orders, moment: Moment) -> Figure:
    """The GraphQL type of a figure at a moment, with the orders of that moment."""
    return at_moment(_content(state, orders), moment)


@memoize_by_identity(claims_weight)
def _content(state: domain.FigureState, orders: claims.Orders) -> Figure:
    by_position = claims_of(state, orders)

    compared = Once(lambda: claims.compare(state, orders))

    return _figure(
        state,
        {
            "claims": lambda: list(by_position.values()),
            "preferred": lambda: by_position[compared().chosen.claim.position],
            "choice": lambda: choice(compared().chosen),
            "side_by_side": lambda: side_by_side(compared(), by_position),
        },
    )


def past_figure(state: domain.FigureState, moment: Moment | None) -> Figure:
    """A figure without a choice, which is a matter of the orders of a moment: in a history, or as a
    state beside others."""
    shown = _figure(
        state,
        {"claims": lambda: [claim(state, of, None) for of in state.claims]},
        preferred=None,
        choice=None,
        side_by_side=None,
    )
    shown.version_start = moment
    return shown


def choice(of: claims.PreferredClaim) -> Choice:
    """The GraphQL type of why a claim is preferred."""
    return Choice(
        rule=of.rule, reason=of.reason, event=because_event(of.event) if of.event else None
    )


def side_by_side(of: claims.Comparison, by_position: Mapping[int, Claim]) -> SideBySide:
    """The GraphQL types of claims side by side."""
    spread = of.spread
    return SideBySide(
        latest=[by_position[one.position] for one in of.latest],
        spread=Spread(
            minimum=spread.minimum,
            maximum=spread.maximum,
            absolute=spread.absolute,
            relative=spread.relative,
            unit=spread.unit,
            basis=spread.basis,
            claims=[by_position[one.position] for one in spread.claims],
            equivalences=list(spread.equivalences),
        )
        if spread
        else None,
        not_comparable=[
            NotComparable(claim=by_position[one.position], reason=reason)
            for one, reason in of.not_comparable
        ],
    )


def _figure(
    state: domain.FigureState, later: Mapping[str, Callable[[], Any]], **chosen: Any
) -> Figure:
    return from_state(
        Figure,
        state,
        key=state.id,
        entity=f"figure/{state.id}",
        later={
            "series": lambda: series(state.series),
            "because": lambda: because(state.because),
            "revisions": lambda: [*revisions_of(state, later["claims"]()).values()],
            **later,
        },
        **chosen,
    )
