"""Firms at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import Search, parse_search, parse_words
from schema.inputs.order_by import ORDER_BY, FirmOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.root.as_of.base import AtMoment
from schema.types.connection import Connection
from schema.types.firm import Firm
from tracker.domain.firm import FirmState
from tracker.domain.places import Place
from tracker.domain.vocabulary import ActKind


@object_type
class Firms(AtMoment):
    """Firms of a moment."""

    @resolver_field
    async def firms(
        self,
        info: Info,
        search: Search = None,
        place: Annotated[
            str | None, argument(description="Only firms with their seat there, such as `US`.")
        ] = None,
        order_by: Annotated[FirmOrder, ORDER_BY] = FirmOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Firm]:
        """Firms that are identified."""
        return await self.page(
            info,
            FirmState,
            Filter(search=parse_search(search), places=parse_words(Place, place, "place")),
            lambda state: Firm.at(state, self.moment),
            order_by,
            parse_page(first, after, last, before),
            self.scope(info, [ActKind.ENTITY_LIST, ActKind.ANNOUNCEMENT]),
        )

    @resolver_field
    async def firm(
        self,
        info: Info,
        id: Annotated[str, argument(description="Its key, such as `mp-materials`, or its id.")],
    ) -> Firm | None:
        """One firm; null while it is not identified."""
        state = await self.one(info, FirmState, id)
        return Firm.at(state, self.moment) if state else None
