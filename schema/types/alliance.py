"""Alliances as GraphQL shows them."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry
from strawberry import argument, field

from projections.query.lists import Filter
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.memo import memoize_by_identity
from schema.inputs.arguments import domain_value, parse_word
from schema.inputs.order_by import ORDER_BY, AnnouncementOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.types.announcement import Announcement, announcement
from schema.types.common import Because, Node, Place, at_moment, because, from_state
from schema.types.common import place as show_place
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.connection import Connection, entity_pages
from schema.types.links import linked_node, node_of
from tracker.domain import places
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import (
    ActKind,
    AllianceStatus,
    AnnouncementKind,
    MemberRole,
    MembershipKind,
)


@object_type
class Member:
    """A member of an alliance on a day."""

    place: Place = field(description="The member.")
    since: PartialDate = field(description="The day on which it joined, as exactly as known.")
    role: MemberRole = field(
        description="In which role it takes part; only MEMBER and CHAIR are members."
    )


@object_type
class Membership:
    """How a place belongs to an alliance."""

    kind: MembershipKind = field(description="Itself, through a union, or not.")
    role: MemberRole | None = field(description="The role in which it takes part itself.")
    union: Place | None = field(description="The union through which it belongs to it.")


@object_type
class Alliance(Node):
    """An alliance of states, or an initiative with members of its own."""

    key: str = field(description="Its key, such as `quad`.")
    entity: str = field(description="Its name in the log, `alliance/<key>`.")
    name: str = field(description="Its name on this day.")
    status: AllianceStatus = field(
        description="Whether it exists, was succeeded or was dissolved, on this day."
    )
    founded_on: PartialDate = field(description="The day on which it was founded.")
    ended_on: PartialDate | None = field(
        description="The day on which it was dissolved or succeeded; null while it exists."
    )
    members: list[Member] = field(
        description="Its members on this day, and who takes part in another role."
    )
    members_known: bool = field(description="False while no list of members has been published.")
    part_of: str | None = field(
        description="The key of the alliance that it is an initiative of; null if of none."
    )

    @resolver_field
    async def part_of_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `partOf` at this moment; in a history, at the present one. Null where it is of
        none, or that is not recorded.
        """
        return await self._linked(info, self.part_of)

    replaces: str | None = field(
        description="The key of the alliance that it replaced; null if none."
    )

    @resolver_field
    async def replaces_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `replaces`, likewise."""
        return await self._linked(info, self.replaces)

    succeeded_by: str | None = field(
        description="The key of the alliance that replaced it; null while none has."
    )

    @resolver_field
    async def succeeded_by_alliance(self, info: Info) -> Alliance | None:
        """The alliance of `succeededBy`, likewise."""
        return await self._linked(info, self.succeeded_by)

    former_names: list[str] = field(description="Its earlier names, the oldest first.")
    purpose: str | None = field(description="Its purpose.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )
    state: strawberry.Private[AllianceState]

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of acts on it. Null in a history."""
        return await completeness(answer_scope(info, self.moment, [ActKind.ALLIANCE], [self.key]))

    @resolver_field
    async def membership(
        self,
        info: Info,
        place: Annotated[str, argument(description="The code of the place, such as `FR`.")],
    ) -> Membership:
        """How a place belongs to it: as a member, through a union such as the EU that is one, or not.
        Unions are those of the same day; in a history, of the latest one.
        """
        moment = self.moment or await info.context.services.as_of.resolve()
        asked = parse_word(places.Place, place, "place")
        kind, role, union = self.state.membership(asked, moment.valid_at)
        return Membership(kind=kind, role=role, union=show_place(union) if union else None)

    @resolver_field
    async def announcements(
        self,
        info: Info,
        kind: Annotated[
            AnnouncementKind | None, argument(description="Only announcements of this kind.")
        ] = None,
        order_by: Annotated[AnnouncementOrder, ORDER_BY] = AnnouncementOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Announcement]:
        """Announcements that it makes or is party to, at the same moment as the alliance; below
        `history`, at the present one.
        """
        as_of = info.context.services.as_of
        narrowed = Filter(places=[self.key], category=domain_value(kind))
        moment = self.moment or await as_of.resolve()
        made = entity_pages(
            as_of,
            AnnouncementState,
            moment,
            narrowed,
            lambda state: announcement(state, moment),
            order_by,
        )
        return await made.page(parse_page(first, after, last, before))

    async def _linked(self, info: Info, key: str | None) -> Alliance | None:
        if key is None:
            return None
        found = await linked_node(info, f"alliance/{key}", self.moment)
        return cast(Alliance | None, found)


@node_of.register(AllianceState)
def alliance(state: AllianceState, moment: Moment | None) -> Alliance:
    """The GraphQL type of an alliance at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda state: 1 + len(state.members))
def _content(state: AllianceState) -> Alliance:
    return from_state(
        Alliance,
        state,
        key=state.id,
        entity=f"alliance/{state.id}",
        state=state,
        later={
            "members": lambda: [
                from_state(Member, member, place=show_place(member.place))
                for member in state.members
            ],
            "because": lambda: because(state.because),
        },
    )
