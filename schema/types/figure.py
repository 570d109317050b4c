"""GraphQL types of figures and their claims."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Self, TypeAlias

import strawberry
from strawberry import field

from projections.analysis import claims as analysis
from projections.analysis import revisions
from projections.query.figure_claims import ClaimColumns, FigureClaims, claim_at
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, read_from, resolver_field
from schema.base.memo import Once, memoize_by_identity
from schema.base.output_types import made_field, output_type, shows, struct_field
from schema.base.scalars import Position
from schema.types.annex_text import WithQuotation
from schema.types.common import Because, Node, Quantity, Source, at_moment, entity_type
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.origins import Origins, shown_origins
from schema.types.ranked_figure import RankedFigure
from tracker.domain.basics import values
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.entity import EntityState
from tracker.domain.figures import figure as domain
from tracker.domain.figures import figure_facts as facts


@output_type(first="commodity place statistic stage form period until")
class Series:
    """The series of a figure: commodity, place, statistic, stage and period."""

    of: strawberry.Private[facts.Series]


ByPosition: TypeAlias = "Mapping[int, Claim]"
"""Claims of a figure by the positions of their events."""

CLAIM_PATHS = {
    "figure": "on.id",
    "publisher": "of.source.publisher",
    "published_on": "of.source.published_on",
    **{name: f"of.{name}" for name in ("edition", "edition_version", "as_of", "latest")},
    **{name: f"of.{name}" for name in ("position", "event_id")},
    **{name: f"of.quantity.{name}" for name in values.Quantity.__struct_fields__},
}
"""Paths of the fields of a claim."""


@read_from(
    CLAIM_PATHS,
    {
        "series": lambda claim: Series(of=claim.on.state.series),
        "source": lambda claim: Source(of=claim_of(claim).source),
        "origins": lambda claim: shown_origins(claim_of(claim).origins),
        "because": lambda claim: [Because(of=claim_of(claim).because)],
        "preferred": lambda claim: claim.on.preferred.position == claim.of.position,
    },
)
@object_type
class Claim(Quantity, WithQuotation):
    """One publisher's number for one series, in one edition. Later editions do not overwrite it."""

    on: strawberry.Private[RankedFigure]
    of: strawberry.Private[domain.Claim | ClaimColumns]

    figure: str = field(description="The key of its figure.")
    series: Series = field(description="The series of the number.")
    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    edition: str = field(description="The edition of the publication.")
    edition_version: str | None = field(description="The version of the edition.")
    published_on: PartialDate = field(description="The publication date of the edition.")
    as_of: int | None
    """The year in which reserves were estimated, if the publisher states it."""
    origins: Origins | None
    """The origins in the list, for `import_origins` and `import_ranks`; null for other statistics. The
    number of the claim is then the whole."""
    latest: bool = field(description="False after its publisher restated it.")
    preferred: bool | None
    """Whether it is the preferred claim of its figure; null below `history`, since preferences change
    independently of figures."""
    position: Position = field(description="The position of its event in the log.")
    event_id: str = field(description="The id of its event, which `retractEvent` takes.")
    source: Source = field(description="The source that publishes the number.")
    because: list[Because]
    """The event that recorded the claim, in a list for uniformity."""


@output_type(only_spelled=True, first="rule reason")
class Choice:
    """The reason why a claim is preferred."""

    of: strawberry.Private[analysis.PreferredClaim]

    event: Because | None = struct_field()


@output_type(
    only_spelled=True, first="minimum maximum absolute relative unit basis claims equivalences"
)
class Spread:
    """The spread of comparable claims of several publishers."""

    of: strawberry.Private[analysis.Spread]
    by_position: strawberry.Private[ByPosition]

    minimum: Decimal = struct_field(description="The smallest number.")
    maximum: Decimal = struct_field(description="The largest number.")
    absolute: Decimal = struct_field(description="The difference between the two.")
    relative: Decimal | None = struct_field()
    """The difference as a fraction of the smallest number, rounded to 4 decimal places. Null if that number
    is not above 0, or if the fraction is 1000 or more."""
    unit: str = struct_field(description="The unit of these numbers.")
    basis: str | None = struct_field()
    """The basis of the weight; null if no publisher states it."""
    equivalences: list[str] = struct_field()
    """The declared equivalences of bases that the comparison rests on, with the reason of each, such as
    `metal content` and `contained cobalt`."""

    @made_field
    def claims(self) -> list[Claim]:
        """The compared claims."""
        return [self.by_position[one.position] for one in self.of.claims]


@object_type
class NotComparable:
    """A claim that is not comparable with the others."""

    claim: Claim = field(description="The claim.")
    reason: str = field(description="The reason, in words.")


@object_type
class SideBySide:
    """Every publisher's latest claim on a figure."""

    of: strawberry.Private[analysis.Comparison]
    by_position: strawberry.Private[ByPosition]

    @resolver_field
    def latest(self) -> list[Claim]:
        """The latest claim of every publisher, in the order in which they first published."""
        return [self.by_position[one.position] for one in self.of.latest]

    @resolver_field
    def spread(self) -> Spread | None:
        """The spread of the claims that are comparable with the preferred one or, if that has no number,
        with the first claim with a number; null with fewer than two."""
        spread = self.of.spread
        return Spread(of=spread, by_position=self.by_position) if spread else None

    @resolver_field
    def not_comparable(self) -> list[NotComparable]:
        """The claims that are not comparable: of another basis, without a number, or only a bound."""
        return [
            NotComparable(claim=self.by_position[one.position], reason=reason)
            for one, reason in self.of.not_comparable
        ]


@output_type(
    stated=domain.Claim,
    of=revisions.Revision,
    only_spelled=True,
    first="publisher edition edition_version published_on position change change_percent "
    "change_unavailable_reason claim before",
)
class Revision(Quantity):
    """A claim beside the previous claim of the same publisher. Claims of other publishers are not
    compared here: see `sideBySide`."""

    stated: strawberry.Private[domain.Claim]
    of: strawberry.Private[revisions.Revision]
    by_position: strawberry.Private[ByPosition]

    position: Position = struct_field()

    @made_field
    def change_unavailable_reason(self) -> str | None:
        """The reason why there is no change, in words; null if there is one, and for a first claim."""
        return self.of.incomparable_reason

    @made_field
    def claim(self) -> Claim:
        """The claim."""
        return self.by_position[self.of.claim.position]

    @made_field
    def before(self) -> Claim | None:
        """The previous claim of the same publisher; null for its first."""
        return self.by_position[self.of.before.position] if self.of.before else None


@entity_type(
    domain.FigureState,
    hidden="judgement judged",
    first="series claims preferred choice revisions side_by_side because",
)
class Figure(Node):
    """The claims of all publishers for one series and period."""

    state: strawberry.Private[domain.FigureState]
    orders: strawberry.Private[analysis.Orders | None] = None
    """The orders of publishers at its moment; None below `history`."""
    compare: strawberry.Private[Once[analysis.Comparison] | None] = None
    """The comparison of its claims, computed once for all moments with these orders."""
    key: str = struct_field()
    """Its series as a path: `rare_earths/CN/production/mine/2023`."""
    series: Series = struct_field()
    because: list[Because] = struct_field()

    @made_field
    def claims(self) -> list[Claim]:
        """All claims that were public on this date, the oldest first."""
        return [*self.by_position.values()]

    @made_field
    def preferred(self) -> Claim | None:
        """The preferred claim: by a judgement on this figure, else by the most specific order of
        publishers (`preferences`), else the latest claim of the publisher that published first. Null
        below `history`, since preferences change independently of figures."""
        compared = self.compared
        return self.by_position[compared.chosen.claim.position] if compared else None

    @made_field
    def choice(self) -> Choice | None:
        """The reason why it is preferred; null below `history`."""
        compared = self.compared
        return Choice(of=compared.chosen) if compared else None

    @made_field
    def revisions(self) -> list[Revision]:
        """Its claims in the order of publication, each beside the previous claim of the same publisher:
        the change of the number from edition to edition. Reserves have no year, so their changes can
        also be real changes in the ground."""
        return [*revisions_of(self.state, self.claims).values()]

    @made_field
    def side_by_side(self) -> SideBySide | None:
        """The latest claim of every publisher, and their spread; null below `history`."""
        compared = self.compared
        return SideBySide(of=compared, by_position=self.by_position) if compared else None

    @classmethod
    def at(cls, state: EntityState, moment: Moment | None) -> Self:
        """Return the figure without a choice, which depends on the orders of a moment.

        It is for a history, or a state beside others.
        """
        assert isinstance(state, domain.FigureState)
        return cls(state=state, version_start=moment)

    @cached_property
    def by_position(self) -> ByPosition:
        """Return its claims by position."""
        if self.orders is None:
            return {of.position: claim(self.state, of, None) for of in self.state.claims}
        return claims_of(self.state, self.orders)

    @property
    def compared(self) -> analysis.Comparison | None:
        """Return its claims side by side; None below `history`."""
        return self.compare() if self.compare else None

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of figures. Null in a history."""
        return await completeness(answer_scope(info, self.moment, [ActKind.FIGURE]))


def claim(state: domain.FigureState, of: domain.Claim, preferred: bool | None) -> Claim:
    """Return the GraphQL type of a claim; `preferred` marks the preferred one."""
    shown = _claim(RankedFigure(state.id, (), state), of)
    shown.preferred = preferred
    return shown


def claim_of(of: Claim) -> domain.Claim:
    """Return the complete claim."""
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


def preferred_claim(of: analysis.PreferredClaim) -> Claim:
    """Return the GraphQL type of a preferred claim."""
    return claim(of.figure, of.claim, preferred=True)


@shows(analysis.ClaimRef, given="orders")
def referenced_claim(
    of: analysis.ClaimRef | analysis.PreferredClaim, orders: analysis.Orders
) -> Claim:
    """Return the GraphQL type of a claim of a figure.

    The orders decide whether it is the preferred one.
    """
    if isinstance(of, analysis.PreferredClaim):
        return preferred_claim(of)
    figure, cited = of
    return claims_of(figure, orders)[cited.position]


def claims_weight(state: domain.FigureState) -> int:
    """Return the weight of a figure in the memo: its number of claims."""
    return 1 + len(state.claims)


@memoize_by_identity(claims_weight)
def claims_of(state: domain.FigureState, orders: analysis.Orders) -> Mapping[int, Claim]:
    """Return the GraphQL types of the claims of a figure, by position.

    The preferred claim is computed on first access.
    """
    on = RankedFigure(state.id, orders, state)
    return {of.position: _claim(on, of) for of in state.claims}


def listed_claims(of: FigureClaims, orders: analysis.Orders) -> Mapping[int, Claim]:
    """Return the GraphQL types of a list of claims, by position.

    The figure is decoded on first access to other data.
    """
    return of.made(orders, _listed_claims)


def _listed_claims(listed: FigureClaims, orders: analysis.Orders) -> Mapping[int, Claim]:
    on = RankedFigure(listed.id, orders, listed.json)
    return {of.position: _claim(on, of) for of in listed.claims}


def revisions_of(state: domain.FigureState, shown: Iterable[Claim]) -> dict[int, Revision]:
    """Return the GraphQL types of the revisions of a figure, by position; `shown` are its claims."""
    by_position = {int(claim.position): claim for claim in shown}
    return {
        of.claim.position: Revision(
            number=of.claim.quantity, stated=of.claim, of=of, by_position=by_position
        )
        for of in revisions.revisions(state)
    }


def figure(state: domain.FigureState, orders: analysis.Orders, moment: Moment) -> Figure:
    """Return the GraphQL type of a figure at a moment, with the orders of that moment."""
    return at_moment(_content(state, orders), moment)


@memoize_by_identity(claims_weight)
def _content(state: domain.FigureState, orders: analysis.Orders) -> Figure:
    compare = Once(lambda: analysis.compare(state, orders))
    return Figure(state=state, orders=orders, compare=compare)
