"""Firms at a moment."""

from enum import Enum

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import Search, parse_search, parse_words
from schema.inputs.order_by import FirmOrder
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource
from schema.types.firm import Firm
from schema.types.list_field import list_field
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.catalogue.places import Place


@object_type
class Firms(AtMoment):
    """Firms at a moment."""

    @list_field(Firm, FirmOrder)
    async def firms(
        self, info: Info, order: Enum, search: Search = None, place: str | None = None
    ) -> PageSource[Firm]:
        """Identified firms.

        - place: Only firms with their seat in this place, such as `US`.
        """
        narrowed = Filter(search=parse_search(search), places=parse_words(Place, place, "place"))
        scope = self.scope(info, [ActKind.ENTITY_LIST, ActKind.ANNOUNCEMENT])
        return self.listing(info, Firm, order, narrowed).about(scope)

    @resolver_field
    async def firm(self, info: Info, id: str) -> Firm | None:
        """One firm; null if it is not identified.

        - id: Its key, such as `mp-materials`, or its id.
        """
        return await self.one(info, Firm, id)
