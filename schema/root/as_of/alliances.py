"""Alliances and announcements at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.query.announcements import AnnouncementQuery
from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import (
    CheckedAs,
    CommodityId,
    HsCode,
    Primary,
    Publisher,
    Search,
    Verified,
    domain_value,
    parse_commodities,
    parse_entity,
    parse_optional_text,
    parse_publisher,
    parse_search,
    parse_some,
    parse_words,
)
from schema.inputs.order_by import ORDER_BY, AllianceOrder, AnnouncementOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.inputs.ranges import DayRange, PublishedIn, parse_days
from schema.root.as_of.base import AtMoment
from schema.types.alliance import Alliance
from schema.types.announcement import Announcement
from schema.types.connection import Connection, entity_pages, matching_pages
from schema.types.export_control import firm_names
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.places import Place
from tracker.domain.values import Actor
from tracker.domain.vocabulary import ActKind, AllianceStatus, AnnouncementKind

MAX_ACTORS = 20
"""Actors that are asked for at once, at most."""


@object_type
class Alliances(AtMoment):
    """Alliances and announcements of a moment."""

    @resolver_field
    async def alliances(
        self,
        info: Info,
        search: Search = None,
        member: Annotated[
            str | None, argument(description="Only alliances with this member, such as `JP`.")
        ] = None,
        status: Annotated[
            AllianceStatus | None, argument(description="Only alliances of this status.")
        ] = None,
        founded: Annotated[
            DayRange | None, argument(description="Only alliances founded on one of these days.")
        ] = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[AllianceOrder, ORDER_BY] = AllianceOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Alliance]:
        """Alliances and initiatives."""
        narrowed = Filter(
            search=parse_search(search),
            places=parse_words(Place, member, "member"),
            publishers=parse_publisher(publisher),
            category=domain_value(status),
            dated=parse_days(founded, "founded"),
            published=parse_days(published, "published"),
            verified=verified,
            primary=primary,
            checked=domain_value(checked),
        )
        return await self.page(
            info,
            AllianceState,
            narrowed,
            lambda state: Alliance.at(state, self.moment),
            order_by,
            parse_page(first, after, last, before),
            self.scope(info, [ActKind.ALLIANCE]),
        )

    @resolver_field
    async def alliance(
        self,
        info: Info,
        id: Annotated[str, argument(description="Its key, such as `quad`, or its id.")],
    ) -> Alliance | None:
        """One alliance; null before it is founded."""
        state = await self.one(info, AllianceState, id)
        return Alliance.at(state, self.moment) if state else None

    @resolver_field
    async def announcements(
        self,
        info: Info,
        search: Search = None,
        kind: Annotated[
            AnnouncementKind | None, argument(description="Only announcements of this kind.")
        ] = None,
        actor: Annotated[
            str | None,
            argument(description="Only announcements of this place (`US`) or alliance (`quad`)."),
        ] = None,
        actors: Annotated[
            list[str] | None,
            argument(
                description="Only announcements that all of these places and alliances make or are party"
                " to; at most 20."
            ),
        ] = None,
        about: Annotated[
            str | None,
            argument(description="Only announcements about this entity, such as `alliance/quad`."),
        ] = None,
        topic: Annotated[
            str | None,
            argument(description="Only announcements on this topic, whatever its capitals."),
        ] = None,
        firm: Annotated[
            str | None,
            argument(
                description="Only announcements in which this firm takes part, by any of its names"
                " or its key."
            ),
        ] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        date: Annotated[
            DayRange | None, argument(description="Only announcements made on one of these days.")
        ] = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[AnnouncementOrder, ORDER_BY] = AnnouncementOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Announcement]:
        """Announcements."""
        query = AnnouncementQuery(
            actors=parse_some(Actor, actors, "actors", MAX_ACTORS),
            about=parse_entity(about, "about"),
            topic=parse_optional_text(topic, "topic"),
            firm=await firm_names(info, firm, self.moment),
        )
        narrowed = Filter(
            search=parse_search(search),
            about=query.words,
            commodities=parse_commodities(commodity, hs_code),
            places=parse_words(Actor, actor, "actor"),
            publishers=parse_publisher(publisher),
            category=domain_value(kind),
            dated=parse_days(date, "date"),
            published=parse_days(published, "published"),
            verified=verified,
            primary=primary,
            checked=domain_value(checked),
        )
        asked = parse_page(first, after, last, before)
        as_of, moment = info.context.services.as_of, self.moment

        def show(state: AnnouncementState) -> Announcement:
            return Announcement.at(state, moment)

        if query.words is None:
            listing = entity_pages(as_of, AnnouncementState, moment, narrowed, show, order_by)
        else:
            listing = matching_pages(
                as_of, AnnouncementState, moment, narrowed, query.matches, show, order_by
            )
        issuers = [*(narrowed.places or ()), *(query.actors or ())] or None
        scope = self.scope(info, [ActKind.ANNOUNCEMENT], issuers, narrowed.commodities)
        return await listing.page(asked, scope)

    @resolver_field
    async def announcement(
        self, info: Info, id: Annotated[str, argument(description="Its key or its id.")]
    ) -> Announcement | None:
        """One announcement; null before it is made."""
        state = await self.one(info, AnnouncementState, id)
        return Announcement.at(state, self.moment) if state else None
