"""Obligations at a moment."""

from enum import Enum

from projections.query.lists import Keyed
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Day
from schema.inputs.arguments import CommodityId, parse_day, parse_word
from schema.inputs.order_by import ObligationOrder
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource, shown_pages
from schema.types.list_field import list_field
from schema.types.obligation import Obligation
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.vocabulary import DueStatus, ObligationRole
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.controls.obligation import ObligationState, next_due

LAST = "9999-12-31"
"""The sort key of obligations without a due day, which follow those with one."""


@object_type
class Obligations(AtMoment):
    """Obligations at a moment."""

    @list_field(Obligation, ObligationOrder)
    async def obligations(
        self,
        info: Info,
        order: Enum,
        role: ObligationRole | None = None,
        place: str | None = None,
        commodity: CommodityId = None,
        due_before: Day | None = None,
        status: DueStatus | None = None,
    ) -> PageSource[Obligation]:
        """Obligations of acts, by the next due day. Those without a due day follow, by key: their status
        says whether they wait for an event, apply at each occasion, or have ended. `commodity` also finds
        obligations that are not limited to commodities.

        - role: Only obligations of this role. Those of any firm count for each.
        - place: Only obligations that apply in this place, such as `DE`, by its own acts or those of a
          union that it is in.
        - due_before: Only obligations with a due day before this date.
        - status: Only obligations with this status, such as OPEN.
        """
        day, before = self.moment.valid_at, parse_day(due_before, "dueBefore")
        goods = None if commodity is None else parse_word(Commodity, commodity, "commodity")
        issuers = None if place is None else parse_word(Place, place, "place")
        places = None if issuers is None else {issuers, *unions_of(issuers, day)}
        listed: list[Keyed[ObligationState]] = []
        for of in await info.context.services.as_of.states(ObligationState, self.moment):
            due = next_due(of, day)
            if (
                (role is None or of.is_of(role))
                and (places is None or of.issuer in places)
                and (goods is None or of.covers(goods))
                and (status is None or due.status is status)
                and (before is None or (due.day is not None and due.day < before))
            ):
                listed.append(((due.day.isoformat() if due.day else LAST, of.id), of))
        scope = self.scope(info, [ActKind.OBLIGATION], places, [goods] if goods else None)
        return shown_pages(
            listed, lambda of: Obligation.at(of, self.moment), "obligations", order.value.down
        ).about(scope)

    @resolver_field
    async def obligation(self, info: Info, id: str) -> Obligation | None:
        """One obligation; null if it is not recorded.

        - id: Its key, such as `eu-2024-1252-24-1`, or its id.
        """
        return await self.one(info, Obligation, id)
