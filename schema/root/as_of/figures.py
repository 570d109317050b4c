"""Figures, their claims and the orders of publishers at a moment."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from projections.query.figure_claims import FigureClaims
from projections.query.lists import Filter, Keyed, KeyRange, Lists
from projections.query.moment import Moment, kind_name
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import key_of
from schema.inputs import arguments
from schema.inputs.order_by import ClaimOrder, FigureOrder, KeyOrder, cursor_name
from schema.inputs.pagination import Cursors
from schema.inputs.ranges import DayRange, YearRange
from schema.inputs.ranges import parse_years as year_range
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource, entity_pages
from schema.types.figure import Claim, Figure, Revision, figure, listed_claims, revisions_of
from schema.types.list_field import SOURCES, list_field
from schema.types.preference import Preference
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import FigureState

T = TypeVar("T")

FIGURE_FILTERS = ArgumentGroup(
    commodity=arguments.CommodityId,
    hs_code=arguments.HsCode,
    **ArgumentGroup.of(
        place=(str, "Only figures of this place, such as `CN` or `WORLD`."),
        statistic=(Statistic, "Only figures of this statistic."),
        stage=(Stage, "Only figures of this stage of the supply chain; reserves have none."),
        years=(
            YearRange,
            "Only figures for one of these years, both inclusive; reserves have none.",
        ),
    ),
)
PREFERENCE_FILTERS = FIGURE_FILTERS.only("commodity statistic")
CLAIM_SOURCES = ArgumentGroup(
    ArgumentGroup.of(
        published=(DayRange, "Only claims that were published in this period."),
        publisher=(str, "Only claims of this publisher, such as `usgs`."),
        verified=(bool, "Whether the publisher's own text or file was read for the claim."),
        primary=(bool, "Whether the source of the claim is the publisher's own."),
    ),
    level=arguments.Level,
    checked=arguments.CheckedAs,
)
"""The arguments about the source of a claim, by name."""


@object_type
class Figures(AtMoment):
    """Figures at a moment."""

    @list_field(Preference, KeyOrder)
    async def preferences(
        self, info: Info, order: Enum, filters: ArgumentGroup = PREFERENCE_FILTERS
    ) -> PageSource[Preference]:
        """Orders of preference between publishers, for all figures or for those of one commodity or
        statistic.
        """
        narrowed = Filter(
            commodities=arguments.parse_with_descendants(filters["commodity"]),
            category=arguments.domain_value(filters["statistic"]),
        )
        return self.listing(info, Preference, order, narrowed)

    @list_field(Figure, FigureOrder, sources=SOURCES)
    async def figures(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        filters: ArgumentGroup = FIGURE_FILTERS,
    ) -> PageSource[Figure]:
        """Figures: each a series and period with the claims of all publishers."""
        narrowed = figure_filter(filters, sources)
        orders = await self.orders(info)
        return entity_pages(
            info.context.services.as_of,
            FigureState,
            self.moment,
            narrowed,
            lambda state: figure(state, orders, self.moment),
            order,
        ).about(self.scope(info, [ActKind.FIGURE]))

    @resolver_field
    async def figure(self, info: Info, id: str) -> Figure | None:
        """One figure; null if there is no claim on it.

        - id: Its series as a path, such as `rare_earths/CN/production/mine/2023`; or its id.
        """
        key, as_of = key_of(kind_name(FigureState), id), info.context.services.as_of
        state = await as_of.state(FigureState, key, self.moment) if key else None
        return figure(state, await self.orders(info), self.moment) if state else None

    @list_field(Claim, ClaimOrder, sources=CLAIM_SOURCES)
    async def claims(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        filters: ArgumentGroup = FIGURE_FILTERS,
    ) -> PageSource[Claim]:
        """Claims on figures, each with its series, by series and position."""
        narrowed = figure_filter(filters, sources)
        orders = await self.orders(info)
        of = claim_pages(
            info.context.services.as_of.lists,
            self.moment,
            narrowed,
            lambda of: listed_claims(of, orders),
            order,
        )
        return of.about(self.scope(info, [ActKind.FIGURE]))

    @list_field(Revision, ClaimOrder, sources=CLAIM_SOURCES)
    async def revisions(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        filters: ArgumentGroup = FIGURE_FILTERS,
    ) -> PageSource[Revision]:
        """Claims on figures, each beside the previous claim of the same publisher: the changes of numbers
        from edition to edition. The filters apply to the newer claim."""
        narrowed = figure_filter(filters, sources)
        orders = await self.orders(info)
        of = claim_pages(
            info.context.services.as_of.lists,
            self.moment,
            narrowed,
            lambda of: revisions_of(of.state, listed_claims(of, orders).values()),
            order,
        )
        return of.about(self.scope(info, [ActKind.FIGURE]))


def figure_filter(filters: Mapping[str, Any], sources: Mapping[str, Any]) -> Filter:
    """Return the filter of figures, or of their claims, with their sources.

    It includes figures of the commodity that are filed under another one. Raises InvalidInput.
    """
    commodity, at_stage = filters["commodity"], arguments.domain_value(filters["stage"])
    commodities = arguments.parse_commodities(commodity, filters["hs_code"])
    filed = Commodity(commodity).filed_figures if commodity else None
    if filed and commodities and at_stage in (None, filed.stage or at_stage):
        commodities, at_stage = sorted({*commodities, filed.commodity}), at_stage or filed.stage
    return Filter(
        commodities=commodities,
        places=arguments.parse_words(Place, filters["place"], "place"),
        category=arguments.domain_value(filters["statistic"]),
        stage=at_stage,
        period=year_range(filters["years"], "years"),
        **sources,
    )


def claim_pages(
    lists: Lists,
    moment: Moment,
    narrowed: Filter,
    show: Callable[[FigureClaims], Mapping[Any, T]],
    order: Enum,
) -> PageSource[T]:
    """Return pages of claims at a moment by their positions; `show` converts those of a figure."""
    cursors = Cursors("figure", cursor_name(order), positioned=True)

    async def items(span: KeyRange) -> list[Keyed[T]]:
        shown: list[Keyed[T]] = []
        figure: FigureClaims | None = None
        by_position: Mapping[Any, T] = {}
        for key, of in await lists.claims(moment, narrowed, order.value, span):
            if of is not figure:  # the claims of a figure are mostly adjacent
                figure, by_position = of, show(of)
            shown.append((key, by_position[key[-1]]))
        return shown

    return PageSource(
        items, lambda: lists.count_claims(moment, narrowed), cursors.encode, cursors.decode
    )
