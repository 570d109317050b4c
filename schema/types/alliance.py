"""Alliances as GraphQL shows them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast

import strawberry
from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import output_type, struct_field
from schema.inputs.arguments import domain_value, parse_word
from schema.inputs.order_by import AnnouncementOrder
from schema.types.announcement import Announcement
from schema.types.common import Node, Place, entity_type
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.connection import PageSource, node_pages
from schema.types.links import linked_node
from schema.types.list_field import list_field
from tracker.domain.actors import alliance as domain
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.vocabulary import AnnouncementKind
from tracker.domain.catalogue import places


@output_type(first="kind role")
class Membership:
    """The relation of a place to an alliance."""

    of: strawberry.Private[domain.Membership]
    union: Place | None = struct_field()


@entity_type(
    AllianceState,
    weight=lambda state: 1 + len(state.members),
    first="name status founded_on ended_on members members_known part_of replaces succeeded_by"
    " former_names purpose",
)
class Alliance(Node):
    """An alliance of states, or an initiative with members of its own."""

    state: strawberry.Private[AllianceState]
    key: str = struct_field(description="Its key, such as `quad`.")

    @resolver_field
    async def part_of_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `partOf` at this moment; in a history, its present state. Null if none is
        recorded."""
        return await self._linked(info, self.state.part_of)

    @resolver_field
    async def replaces_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `replaces` at this moment; in a history, its present state. Null if none is
        recorded."""
        return await self._linked(info, self.state.replaces)

    @resolver_field
    async def succeeded_by_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `succeededBy` at this moment; in a history, its present state. Null if none is
        recorded."""
        return await self._linked(info, self.state.succeeded_by)

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the recorded acts of the alliance. Null in a history."""
        return await completeness(answer_scope(info, self.moment, [ActKind.ALLIANCE], [self.key]))

    @resolver_field
    async def membership(
        self,
        info: Info,
        place: Annotated[str, argument(description="The code of the place, such as `FR`.")],
    ) -> Membership:
        """The relation of a place to the alliance: member, member through a union such as the EU, or no
        member. Unions are those of the same day; in a history, of the latest one."""
        moment = self.moment or await info.context.services.as_of.resolve()
        code = parse_word(places.Place, place, "place")
        return Membership(of=self.state.membership(code, moment.valid_at))

    @list_field(Announcement, AnnouncementOrder)
    async def announcements(
        self,
        info: Info,
        order: Enum,
        kind: Annotated[
            AnnouncementKind | None, argument(description="Only announcements of this kind.")
        ] = None,
    ) -> PageSource[Announcement]:
        """Announcements by the alliance or with it as a party, at the same moment as the alliance; in a
        history, at the present one."""
        as_of = info.context.services.as_of
        narrowed = Filter(places=[self.key], category=domain_value(kind))
        moment = self.moment or await as_of.resolve()
        return node_pages(as_of, Announcement, moment, narrowed, order)

    async def _linked(self, info: Info, key: str | None) -> Alliance | None:
        if key is None:
            return None
        node = await linked_node(info, f"alliance/{key}", self.moment)
        return cast(Alliance | None, node)
