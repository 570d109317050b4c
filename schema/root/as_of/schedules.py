"""Announced transitions, with changes of their dates, at a moment."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated

from strawberry import argument

from projections.query.transitions import TransitionFilter
from schema.base.context import Info
from schema.base.decorators import object_type
from schema.inputs.arguments import (
    CommodityId,
    HsCode,
    Publisher,
    parse_commodities,
    parse_entity_of_kind,
    parse_publisher,
    parse_words,
)
from schema.inputs.order_by import TransitionOrder
from schema.root.as_of.base import AtMoment
from schema.root.as_of.transitions import (
    POLICY_KINDS,
    NamingFirm,
    OfAlliance,
    OfEntity,
    OfIssuer,
    parse_alliance,
    parse_window,
)
from schema.root.changes import AboutPlace, OfKind, parse_kinds
from schema.types.connection import PageSource, shown_pages
from schema.types.export_control import firm_names
from schema.types.list_field import list_field
from schema.types.schedule import ScheduledTransition, scheduled_transition
from tracker.domain.catalogue.places import Place

SCHEDULED = "scheduled"
"""Name of the list in cursors."""


@object_type
class Schedules(AtMoment):
    """Announced transitions, as known at a moment."""

    @list_field(ScheduledTransition, TransitionOrder)
    async def scheduled(
        self,
        info: Info,
        order: Enum,
        days: Annotated[int, argument(description="The number of days before this date.")] = 0,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: AboutPlace = None,
        issuer: OfIssuer = None,
        alliance: OfAlliance = None,
        firm: NamingFirm = None,
        entity: OfEntity = None,
        kind: OfKind = None,
        publisher: Publisher = None,
    ) -> PageSource[ScheduledTransition]:
        """Announced transitions from `days` before this date on, by the date that was announced last,
        including withdrawn ones. Unlike in `upcoming`, each has a key that stays the same if its date
        changes, and all its announced dates. Transitions of figures are left out, because they are not
        announced."""
        about = TransitionFilter(
            kinds=parse_kinds(kind, POLICY_KINDS),
            commodities=parse_commodities(commodity, hs_code),
            places=parse_words(Place, place, "place"),
            publishers=parse_publisher(publisher),
            entity=parse_entity_of_kind(entity),
            issuers=parse_words(Place, issuer, "issuer"),
            firms=await firm_names(info, firm, self.moment),
            alliance=parse_alliance(alliance),
        )
        today = self.moment.valid_at
        since = today - min(parse_window(days), today - date.min)
        scheduled = await info.context.services.as_of.schedules.since(self.moment, since, about)
        listing = shown_pages(
            [
                ((of.transition.day.isoformat(), of.transition.entity, of.id), of)
                for of in scheduled
            ],
            lambda of: scheduled_transition(of, self.moment.position),
            SCHEDULED,
            order.value.down,
        )
        return listing.about(self.policy_scope(info, about))
