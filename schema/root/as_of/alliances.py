"""Alliances and announcements at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import answer, output
from schema.inputs.arguments import (
    CheckedAs,
    CommodityId,
    HsCode,
    Primary,
    Publisher,
    Search,
    Verified,
    goods,
    publishers,
    sought,
    value_of,
    words,
)
from schema.inputs.order_by import IN_ORDER, AllianceOrder, AnnouncementOrder
from schema.inputs.pagination import After, Before, First, Last, page
from schema.inputs.ranges import DayRange, PublishedIn, days
from schema.root.as_of.base import AtMoment
from schema.types.alliance import Alliance, alliance
from schema.types.announcement import Announcement, announcement
from schema.types.connection import Connection
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.places import Place
from tracker.domain.values import Actor
from tracker.domain.vocabulary import AllianceStatus, AnnouncementKind


@output
class Alliances(AtMoment):
    """Alliances and announcements of a moment."""

    @answer
    async def alliances(
        self,
        info: Info,
        search: Search = None,
        member: Annotated[
            str | None,
            argument(description="Only those that this place is a member of, such as `JP`."),
        ] = None,
        status: Annotated[
            AllianceStatus | None, argument(description="Only those that stand there.")
        ] = None,
        founded: Annotated[
            DayRange | None,
            argument(description="Only those that were founded on one of these days."),
        ] = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[AllianceOrder, IN_ORDER] = AllianceOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Alliance]:
        """Alliances and initiatives."""
        narrowed = Filter(
            search=sought(search),
            places=words(Place, member, "member"),
            publishers=publishers(publisher),
            category=value_of(status),
            dated=days(founded, "founded"),
            published=days(published, "published"),
            verified=verified,
            primary=primary,
            checked=value_of(checked),
        )
        return await self.page(
            info,
            AllianceState,
            narrowed,
            lambda state: alliance(state, self.moment),
            order_by,
            page(first, after, last, before),
        )

    @answer
    async def alliance(
        self,
        info: Info,
        id: Annotated[str, argument(description="Its key, such as `quad`, or its id.")],
    ) -> Alliance | None:
        """One alliance; null while it is not founded."""
        state = await self.one(info, AllianceState, id)
        return alliance(state, self.moment) if state else None

    @answer
    async def announcements(
        self,
        info: Info,
        search: Search = None,
        kind: Annotated[
            AnnouncementKind | None, argument(description="Only those that do this.")
        ] = None,
        actor: Annotated[
            str | None,
            argument(description="Only those of this place (`US`) or alliance (`quad`)."),
        ] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        date: Annotated[
            DayRange | None, argument(description="Only those that were made on one of these days.")
        ] = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[AnnouncementOrder, IN_ORDER] = AnnouncementOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Announcement]:
        """Announcements."""
        narrowed = Filter(
            search=sought(search),
            commodities=goods(commodity, hs_code),
            places=words(Actor, actor, "actor"),
            publishers=publishers(publisher),
            category=value_of(kind),
            dated=days(date, "date"),
            published=days(published, "published"),
            verified=verified,
            primary=primary,
            checked=value_of(checked),
        )
        return await self.page(
            info,
            AnnouncementState,
            narrowed,
            announcement,
            order_by,
            page(first, after, last, before),
        )

    @answer
    async def announcement(
        self, info: Info, id: Annotated[str, argument(description="Its key or its id.")]
    ) -> Announcement | None:
        """One announcement; null while it is not made."""
        state = await self.one(info, AnnouncementState, id)
        return announcement(state) if state else None
