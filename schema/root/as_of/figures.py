"""Figures, the claims in them and the orders of publishers at a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

from strawberry import argument

from projections.query.figure_claims import FigureClaims
from projections.query.lists import Filter, Keyed, KeyRange, Lists
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import (
    CheckedAs,
    CommodityId,
    HsCode,
    Primary,
    Publisher,
    Verified,
    domain_value,
    parse_commodities,
    parse_publisher,
    parse_with_descendants,
    parse_words,
)
from schema.inputs.order_by import ORDER_BY, ClaimOrder, FigureOrder, KeyOrder, cursor_name
from schema.inputs.pagination import After, Before, Cursors, First, Last, parse_page
from schema.inputs.ranges import DayRange, PublishedIn, YearRange, parse_days
from schema.inputs.ranges import parse_years as year_range
from schema.root.as_of.base import AtMoment
from schema.types.connection import Connection, PageSource
from schema.types.figure import Claim, Figure, Revision, figure, listed_claims, revisions_of
from schema.types.preference import Preference
from tracker.domain.commodities import Commodity
from tracker.domain.figure import FigureState
from tracker.domain.places import Place
from tracker.domain.preference import PreferenceState
from tracker.domain.vocabulary import ActKind, Checked, Stage, Statistic

T = TypeVar("T")

OfPlace: TypeAlias = Annotated[
    str | None, argument(description="Only those of this place, such as `CN` or `WORLD`.")
]
CountedAs: TypeAlias = Annotated[
    Statistic | None, argument(description="Only those of this statistic.")
]
AtStage: TypeAlias = Annotated[
    Stage | None,
    argument(description="Only those of this stage of the supply chain; reserves have none."),
]
OfYears: TypeAlias = Annotated[
    YearRange | None,
    argument(description="Only those for one of these years, both inclusive; reserves have none."),
]
ClaimPublished: TypeAlias = Annotated[
    DayRange | None, argument(description="Only claims that were published on one of these days.")
]
ClaimPublisher: TypeAlias = Annotated[
    str | None, argument(description="Only claims of this publisher, such as `usgs`.")
]
ClaimVerified: TypeAlias = Annotated[
    bool | None,
    argument(description="Whether the publisher's own text or file was read for the claim."),
]
ClaimPrimary: TypeAlias = Annotated[
    bool | None, argument(description="Whether the source of the claim is the publisher's own.")
]


@object_type
class Figures(AtMoment):
    """Figures of a moment."""

    @resolver_field
    async def preferences(
        self,
        info: Info,
        commodity: CommodityId = None,
        statistic: CountedAs = None,
        order_by: Annotated[KeyOrder, ORDER_BY] = KeyOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Preference]:
        """Orders of preference between publishers, for all figures or for those of one commodity or
        statistic.
        """
        narrowed = Filter(
            commodities=parse_with_descendants(commodity), category=domain_value(statistic)
        )
        return await self.page(
            info,
            PreferenceState,
            narrowed,
            lambda state: Preference.at(state, self.moment),
            order_by,
            parse_page(first, after, last, before),
        )

    @resolver_field
    async def figures(
        self,
        info: Info,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: OfPlace = None,
        statistic: CountedAs = None,
        stage: AtStage = None,
        years: OfYears = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[FigureOrder, ORDER_BY] = FigureOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Figure]:
        """Figures: each a series and period with the claims of every publisher."""
        sources = narrowed_sources(published, publisher, verified, primary, checked)
        narrowed = figure_filter(commodity, hs_code, place, statistic, stage, years, sources)
        orders = await self.orders(info)
        return await self.page(
            info,
            FigureState,
            narrowed,
            lambda state: figure(state, orders, self.moment),
            order_by,
            parse_page(first, after, last, before),
            self.scope(info, [ActKind.FIGURE]),
        )

    @resolver_field
    async def figure(
        self,
        info: Info,
        id: Annotated[
            str,
            argument(
                description="Its series as a path, such as `rare_earths/CN/production/mine/2023`;"
                " or its id."
            ),
        ],
    ) -> Figure | None:
        """One figure; null while there is no claim on it."""
        state = await self.one(info, FigureState, id)
        return figure(state, await self.orders(info), self.moment) if state else None

    @resolver_field
    async def claims(
        self,
        info: Info,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: OfPlace = None,
        statistic: CountedAs = None,
        stage: AtStage = None,
        years: OfYears = None,
        published: ClaimPublished = None,
        publisher: ClaimPublisher = None,
        verified: ClaimVerified = None,
        primary: ClaimPrimary = None,
        checked: CheckedAs = None,
        order_by: Annotated[ClaimOrder, ORDER_BY] = ClaimOrder.FIGURE,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Claim]:
        """Claims on figures, each with its series, by series and position."""
        sources = narrowed_sources(published, publisher, verified, primary, checked)
        narrowed = figure_filter(commodity, hs_code, place, statistic, stage, years, sources)
        orders = await self.orders(info)
        of = claim_pages(
            info.context.services.as_of.lists,
            self.moment,
            narrowed,
            lambda of: listed_claims(of, orders),
            order_by,
        )
        return await of.page(
            parse_page(first, after, last, before), self.scope(info, [ActKind.FIGURE])
        )

    @resolver_field
    async def revisions(
        self,
        info: Info,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: OfPlace = None,
        statistic: CountedAs = None,
        stage: AtStage = None,
        years: OfYears = None,
        published: ClaimPublished = None,
        publisher: ClaimPublisher = None,
        verified: ClaimVerified = None,
        primary: ClaimPrimary = None,
        checked: CheckedAs = None,
        order_by: Annotated[ClaimOrder, ORDER_BY] = ClaimOrder.FIGURE,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Revision]:
        """Claims on figures, each beside the claim of the same publisher that it restates: how
        numbers changed from edition to edition. The filters are asked of the claim itself.
        """
        sources = narrowed_sources(published, publisher, verified, primary, checked)
        narrowed = figure_filter(commodity, hs_code, place, statistic, stage, years, sources)
        orders = await self.orders(info)
        of = claim_pages(
            info.context.services.as_of.lists,
            self.moment,
            narrowed,
            lambda of: revisions_of(of.state, listed_claims(of, orders).values()),
            order_by,
        )
        return await of.page(
            parse_page(first, after, last, before), self.scope(info, [ActKind.FIGURE])
        )


def figure_filter(
    commodity: str | None,
    hs_code: str | None,
    place: str | None,
    statistic: Statistic | None,
    stage: Stage | None,
    years: YearRange | None,
    sources: Mapping[str, Any],
) -> Filter:
    """What figures, or the claims in them, are narrowed to, with what their sources are. Figures of the
    commodity that are filed under another are among them. Raises InvalidInput."""
    commodities, at_stage = parse_commodities(commodity, hs_code), domain_value(stage)
    filed = Commodity(commodity).filed_figures if commodity else None
    if filed and commodities and at_stage in (None, filed.stage or at_stage):
        commodities, at_stage = sorted({*commodities, filed.commodity}), at_stage or filed.stage
    return Filter(
        commodities=commodities,
        places=parse_words(Place, place, "place"),
        category=domain_value(statistic),
        stage=at_stage,
        period=year_range(years, "years"),
        **sources,
    )


def narrowed_sources(
    published: DayRange | None,
    publisher: str | None,
    verified: bool | None,
    primary: bool | None,
    checked: Checked | None,
) -> dict[str, Any]:
    """What the sources of these are narrowed to. Raises InvalidInput."""
    return {
        "publishers": parse_publisher(publisher),
        "published": parse_days(published, "published"),
        "verified": verified,
        "primary": primary,
        "checked": domain_value(checked),
    }


def claim_pages(
    lists: Lists,
    moment: Moment,
    narrowed: Filter,
    show: Callable[[FigureClaims], Mapping[Any, T]],
    order: ClaimOrder,
) -> PageSource[T]:
    """Claims at a moment, as `show` does those of a figure, by their positions."""
    cursors = Cursors("figure", cursor_name(order), positioned=True)

    async def items(span: KeyRange) -> list[Keyed[T]]:
        shown: list[Keyed[T]] = []
        figure: FigureClaims | None = None
        by_position: Mapping[Any, T] = {}
        for key, of in await lists.claims(moment, narrowed, order.value, span):
            if of is not figure:  # a figure's claims mostly follow each other
                figure, by_position = of, show(of)
            shown.append((key, by_position[key[-1]]))
        return shown

    return PageSource(
        items, lambda: lists.count_claims(moment, narrowed), cursors.encode, cursors.decode
    )
