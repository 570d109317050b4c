"""Alliances and announcements at a moment."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from projections.query.announcements import AnnouncementQuery
from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs import arguments
from schema.inputs.order_by import AllianceOrder, AnnouncementOrder
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.types.alliance import Alliance
from schema.types.announcement import Announcement
from schema.types.connection import PageSource, node_pages
from schema.types.export_control import firm_names
from schema.types.list_field import SOURCES, list_field
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.vocabulary import AllianceStatus, AnnouncementKind
from tracker.domain.catalogue.places import Actor, Place

MAX_ACTORS = 20
"""Maximum number of actors in a query."""

OfKind = Annotated[AnnouncementKind | None, "Only announcements of this kind."]
OfActor = Annotated[str | None, "Only announcements of this place (`US`) or alliance (`quad`)."]
OfActors = Annotated[
    list[str] | None, "Only announcements by or with all of these places and alliances; at most 20."
]
AboutEntity = Annotated[
    str | None, "Only announcements about this entity, such as `alliance/quad`."
]
WithFirm = Annotated[
    str | None, "Only announcements in which this firm takes part, by any of its names or its key."
]


@object_type
class Alliances(AtMoment):
    """Alliances and announcements at a moment."""

    @list_field(Alliance, AllianceOrder, sources=SOURCES)
    async def alliances(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        search: arguments.Search = None,
        member: str | None = None,
        status: AllianceStatus | None = None,
        founded: DayRange | None = None,
    ) -> PageSource[Alliance]:
        """Alliances and initiatives.

        - member: Only alliances with this member, such as `JP`.
        - status: Only alliances of this status.
        - founded: Only alliances founded in this period.
        """
        narrowed = Filter(
            search=arguments.parse_search(search),
            places=arguments.parse_words(Place, member, "member"),
            category=arguments.domain_value(status),
            dated=parse_days(founded, "founded"),
            **sources,
        )
        scope = self.scope(info, [ActKind.ALLIANCE])
        return self.listing(info, Alliance, order, narrowed).about(scope)

    @resolver_field
    async def alliance(self, info: Info, id: str) -> Alliance | None:
        """One alliance; null before it is founded.

        - id: Its key, such as `quad`, or its id.
        """
        return await self.one(info, Alliance, id)

    @list_field(Announcement, AnnouncementOrder, sources=SOURCES)
    async def announcements(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        search: arguments.Search = None,
        kind: OfKind = None,
        actor: OfActor = None,
        actors: OfActors = None,
        about: AboutEntity = None,
        topic: str | None = None,
        firm: WithFirm = None,
        commodity: arguments.CommodityId = None,
        hs_code: arguments.HsCode = None,
        date: DayRange | None = None,
    ) -> PageSource[Announcement]:
        """Announcements.

        - topic: Only announcements on this topic. Case does not matter.
        - date: Only announcements made in this period.
        """
        query = AnnouncementQuery(
            actors=arguments.parse_some(Actor, actors, "actors", MAX_ACTORS),
            about=arguments.parse_entity(about, "about"),
            topic=arguments.parse_optional_text(topic, "topic"),
            firm=await firm_names(info, firm, self.moment),
        )
        narrowed = Filter(
            search=arguments.parse_search(search),
            about=query.words,
            commodities=arguments.parse_commodities(commodity, hs_code),
            places=arguments.parse_words(Actor, actor, "actor"),
            category=arguments.domain_value(kind),
            dated=parse_days(date, "date"),
            **sources,
        )
        as_of, matches = (
            info.context.services.as_of,
            query.matches if query.words is not None else None,
        )
        listing = node_pages(as_of, Announcement, self.moment, narrowed, order, matches)
        issuers = [*(narrowed.places or ()), *(query.actors or ())] or None
        scope = self.scope(info, [ActKind.ANNOUNCEMENT], issuers, narrowed.commodities)
        return listing.about(scope)

    @resolver_field
    async def announcement(self, info: Info, id: str) -> Announcement | None:
        """One announcement; null before it is made.

        - id: Its key or its id.
        """
        return await self.one(info, Announcement, id)
