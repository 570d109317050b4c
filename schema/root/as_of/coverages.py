"""Lists of acts that were read, and the completeness of responses, at a moment."""

from datetime import date
from enum import Enum
from typing import Annotated

from projections.query.lists import Filter
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs import arguments
from schema.inputs.order_by import CoverageOrder
from schema.root.as_of.base import AtMoment
from schema.types.completeness import Completeness, completeness
from schema.types.connection import PageSource
from schema.types.coverage import CoverageStatement
from schema.types.list_field import list_field
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor

OfIssuer = Annotated[str | None, "Only acts of this place (`CN`) or alliance (`quad`)."]


@object_type
class Coverages(AtMoment):
    """Lists of acts that were read, at a moment."""

    @list_field(CoverageStatement, CoverageOrder)
    async def coverages(
        self,
        info: Info,
        order: Enum,
        search: arguments.Search = None,
        issuer: OfIssuer = None,
        acts: ActKind | None = None,
    ) -> PageSource[CoverageStatement]:
        """Lists of acts that were read, with their periods and omissions, including withdrawn lists. They
        depend on the position only, not on `validAt`.

        - acts: Only lists of this kind of act.
        """
        narrowed = Filter(
            search=arguments.parse_search(search),
            places=arguments.parse_words(Actor, issuer, "issuer"),
            category=arguments.domain_value(acts),
        )
        return self._latest().listing(info, CoverageStatement, order, narrowed)

    @resolver_field
    async def coverage(self, info: Info, id: str) -> CoverageStatement | None:
        """One list of acts that was read; null before its declaration was recorded.

        - id: Its key, such as `cn-mofcom-entity-lists`, or its id.
        """
        return await self._latest().one(info, CoverageStatement, id)

    @resolver_field
    async def completeness(
        self,
        info: Info,
        acts: list[ActKind] | None = None,
        issuer: OfIssuer = None,
        commodity: arguments.CommodityId = None,
    ) -> Completeness:
        """The completeness of recorded acts at this moment: which lists were read, to which date, and what
        was left out. It depends on the position. `validAt` only removes later gaps.

        - acts: Only these kinds of act; all kinds if left out.
        """
        goods = (
            None if commodity is None else [arguments.parse_word(Commodity, commodity, "commodity")]
        )
        issuers = arguments.parse_words(Actor, issuer, "issuer")
        scope = self.scope(info, acts or ActKind, issuers, goods)
        recorded = await completeness(scope)
        assert recorded is not None  # a moment always has a scope
        return recorded

    def _latest(self) -> AtMoment:
        """Return the same position on the last date: a list counts as soon as it is recorded."""
        return AtMoment(moment=Moment(date.max, self.moment.position))
