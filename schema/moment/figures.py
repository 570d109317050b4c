"""Figures, the claims in them and the orders of publishers at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.as_of import EVERYTHING, Filter
from schema.arguments import (
    After,
    CommodityId,
    First,
    HsCode,
    Publisher,
    goods,
    page_size,
    publishers,
    value_of,
    with_below,
    words,
)
from schema.connections import Connection, connection, cursor, event_after
from schema.described import answer, output
from schema.moment.at import AtMoment
from schema.request import Info
from schema.types.figure import Claim, Figure, cited_claim, figure
from schema.types.preference import Preference, preference
from tracker.domain.figure import FigureState
from tracker.domain.places import Place
from tracker.domain.preference import PreferenceState
from tracker.domain.vocabulary import (
    Statistic,
)


@output
class Figures(AtMoment):
    """Figures of a moment."""

    @answer
    async def preferences(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[Preference]:
        """In which order to trust publishers, for everything and for single commodities and
        statistics.
        """
        return await self.page(info, PreferenceState, EVERYTHING, preference, first, after)

    @answer
    async def figures(
        self,
        info: Info,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: Annotated[str | None, argument(
            description="Only those for this place, such as `CN` or `WORLD`.")] = None,
        statistic: Annotated[Statistic | None, argument(
            description="Only those that count this.")] = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Figure]:
        """Figures: a series and period with every publisher's claims."""
        narrowed = Filter(
            commodities=goods(commodity, hs_code),
            places=words(Place, place, "place"),
            publishers=publishers(publisher),
            category=value_of(statistic),
        )
        orders = await self.orders(info)
        return await self.page(info, FigureState, narrowed,
                                lambda state: figure(state, orders), first, after)

    @answer
    async def figure(
        self, info: Info,
        id: Annotated[str, argument(
            description="Its series as a path, such as `rare_earths/CN/production/mine/2023`;"
            " or its id.")],
    ) -> Figure | None:
        """One figure; null while nobody has claimed a number for it."""
        state = await self.one(info, FigureState, id)
        return figure(state, await self.orders(info)) if state else None

    @answer
    async def claims(
        self,
        info: Info,
        publisher: Annotated[str | None, argument(
            description="Only claims of this publisher, such as `usgs`.")] = None,
        commodity: CommodityId = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Claim]:
        """Claims on figures, each with its series, by series and position."""
        as_of, moment = info.context.services.as_of, self.moment
        narrowed = Filter(commodities=with_below(commodity), publishers=publishers(publisher))
        found = await as_of.claims(moment, narrowed, after=event_after("figure", after),
                                   limit=page_size(first))
        orders = await self.orders(info)
        return connection(
            [cited_claim(item, orders) for item in found],
            [cursor("figure", state.id, of.position) for state, of in found],
            first, after, lambda: as_of.count_claims(moment, narrowed),
        )
