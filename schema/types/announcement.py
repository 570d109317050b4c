"""Announcements as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.memo import memoize_by_identity
from schema.types import original_title as original_titles
from schema.types.annex_text import WithQuotation
from schema.types.common import (
    Actor,
    Because,
    Commodity,
    Node,
    Quantity,
    Source,
    actor,
    at_moment,
    because,
    commodity,
    from_state,
    source,
)
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.links import linked_node, linked_nodes, node_of
from tracker.domain.announcement import AnnouncementState
from tracker.domain.provenance import cite
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import ActKind, AnnouncementKind


@object_type
class Amount(Quantity):
    """An amount that an announcement names."""

    label: str = field(description="The thing that the amount counts, such as `investment`.")


@object_type
class Announcement(Node, WithQuotation):
    """An announcement of states or alliances: a statement, a commitment, a project, a dispute, a
    response or an assessment.
    """

    key: str = field(description="Its key.")
    entity: str = field(description="Its name in the log, `announcement/<key>`.")
    date: PartialDate = field(description="The date on which it was made.")
    kind: AnnouncementKind = field(description="Its kind, such as a commitment.")
    title: str = field(description="Its title, or what it says, in one line.")
    original_title: original_titles.OriginalTitle | None = field(
        description=original_titles.DESCRIPTION
    )
    actors: list[Actor] = field(description="Who makes it or is party to it.")

    @resolver_field
    async def actor_alliances(self, info: Info) -> list[Node]:
        """The alliances among its actors, at this moment; those that have no state then are left out.
        In a history they are those of the present moment."""
        named = [f"alliance/{one.key}" for one in self.actors if one.place is None]
        return [one for one in await linked_nodes(info, named, self.moment) if one is not None]

    commodities: list[Commodity] = field(description="The commodities that it is about.")
    topic: str | None = field(description="Its topic, in a word or two.")
    about: list[str] = field(description="Entities that it is about, such as `alliance/quad`.")

    @resolver_field
    async def about_entities(self, info: Info) -> list[Node | None]:
        """The entities of `about` at this moment, in their order; null for one that has no state. In a
        history they are those of the present moment.
        """
        return await linked_nodes(info, self.about, self.moment)

    amounts: list[Amount] = field(description="The amounts that it names.")
    firms: list[str] = field(description="The firms that take part, as the source writes them.")
    until: PartialDate | None = field(description="The date by which it promises something.")
    conflicts_with: list[str] = field(
        description="The names of entities that report the same matter differently, such as"
        " `announcement/…`."
    )

    @resolver_field
    async def conflicts_with_entities(self, info: Info) -> list[Node | None]:
        """The entities of `conflictsWith`, likewise."""
        return await linked_nodes(info, self.conflicts_with, self.moment)

    supersedes: list[str] = field(
        description="The names of announcements that it replaces, such as `announcement/…`."
    )

    @resolver_field
    async def supersedes_announcements(self, info: Info) -> list[Announcement | None]:
        """The announcements of `supersedes`, likewise."""
        found = await linked_nodes(info, self.supersedes, self.moment)
        return [one if isinstance(one, Announcement) else None for one in found]

    superseded_by: str | None = field(
        description="The announcement that replaced it; null while none has."
    )

    @resolver_field
    async def superseded_by_announcement(self, info: Info) -> Announcement | None:
        """The announcement of `supersededBy`; null where it is not recorded at this moment."""
        by = self.superseded_by
        if by is None:
            return None
        found = await linked_node(info, by if "/" in by else f"announcement/{by}", self.moment)
        return found if isinstance(found, Announcement) else None

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of announcements of its actors. Null in a history."""
        actors = [one.key for one in self.actors]
        kinds = [ActKind.ANNOUNCEMENT]
        return await completeness(answer_scope(info, self.moment, kinds, actors))

    source: Source = field(description="The source that reports it.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )


@node_of.register(AnnouncementState)
def announcement(state: AnnouncementState, moment: Moment | None) -> Announcement:
    """The GraphQL type of an announcement at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: AnnouncementState) -> Announcement:
    return from_state(
        Announcement,
        state,
        key=state.id,
        entity=f"announcement/{state.id}",
        later={
            "original_title": lambda: original_titles.original_title(state.original_title),
            "actors": lambda: [actor(id) for id in state.actors],
            "commodities": lambda: [commodity(id) for id in state.commodities],
            "amounts": lambda: [
                from_state(Amount, amount, amount.quantity) for amount in state.amounts
            ],
            "source": lambda: source(cite(state.source, state.issuers)),
            "because": lambda: because(state.because),
        },
        note_text=state.note,
        quotation_text=state.quotation,
    )
