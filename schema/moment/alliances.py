"""Alliances and announcements at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.as_of import Filter
from schema.arguments import (
    After,
    CommodityId,
    First,
    HsCode,
    Publisher,
    goods,
    publishers,
    value_of,
    words,
)
from schema.connections import Connection
from schema.described import answer, output
from schema.moment.at import AtMoment
from schema.request import Info
from schema.types.alliance import Alliance, alliance
from schema.types.announcement import Announcement, announcement
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.places import Place
from tracker.domain.values import Actor
from tracker.domain.vocabulary import (
    AnnouncementKind,
)


@output
class Alliances(AtMoment):
    """Alliances and announcements of a moment."""

    @answer
    async def alliances(
        self,
        info: Info,
        member: Annotated[str | None, argument(
            description="Only those that this place is a member of, such as `JP`.")] = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Alliance]:
        """Alliances and initiatives."""
        narrowed = Filter(places=words(Place, member, "member"), publishers=publishers(publisher))
        return await self.page(info, AllianceState, narrowed,
                                lambda state: alliance(state, self.moment), first, after)

    @answer
    async def alliance(
        self, info: Info,
        id: Annotated[str, argument(description="Its key, such as `quad`, or its id.")],
    ) -> Alliance | None:
        """One alliance; null while it is not founded."""
        state = await self.one(info, AllianceState, id)
        return alliance(state, self.moment) if state else None

    @answer
    async def announcements(
        self,
        info: Info,
        kind: Annotated[AnnouncementKind | None, argument(
            description="Only those that do this.")] = None,
        actor: Annotated[str | None, argument(
            description="Only those of this place (`US`) or alliance (`quad`).")] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Announcement]:
        """Announcements."""
        narrowed = Filter(
            commodities=goods(commodity, hs_code),
            places=words(Actor, actor, "actor"),
            publishers=publishers(publisher),
            category=value_of(kind),
        )
        return await self.page(info, AnnouncementState, narrowed, announcement, first, after)

    @answer
    async def announcement(
        self, info: Info,
        id: Annotated[str, argument(description="Its key or its id.")],
    ) -> Announcement | None:
        """One announcement; null while it is not made."""
        state = await self.one(info, AnnouncementState, id)
        return announcement(state) if state else None
