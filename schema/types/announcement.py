"""Announcements as GraphQL shows them."""

from __future__ import annotations

import strawberry

from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import made_field, output_type, shows
from schema.types.annex_text import WithQuotation
from schema.types.common import Node, Quantity, Source, entity_type
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.links import linked_node, linked_nodes
from tracker.domain.actors import announcement as domain
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.entities.provenance import cite


@output_type(hidden="quantity")
class Amount(Quantity):
    """An amount in an announcement."""

    of: strawberry.Private[domain.Amount]


@shows(domain.Amount)
def amount(of: domain.Amount) -> Amount:
    """Return the GraphQL type of an amount."""
    return Amount(of=of, number=of.quantity)


@entity_type(
    AnnouncementState,
    first="date kind title original_title actors commodities topic about amounts firms until"
    " conflicts_with supersedes superseded_by source",
)
class Announcement(Node, WithQuotation):
    """An announcement of states or alliances: a statement, a commitment, a project, a dispute, a
    response or an assessment.
    """

    state: strawberry.Private[AnnouncementState]

    def __post_init__(self) -> None:
        self.note_text, self.quotation_text = self.state.note, self.state.quotation

    @made_field
    def source(self) -> Source:
        """The source of the report."""
        return Source(of=cite(self.state.source, self.state.issuers))

    @resolver_field
    async def actor_alliances(self, info: Info) -> list[Node]:
        """The alliances among its actors, at this moment; in a history, at the present one. Alliances
        without a recorded state are left out."""
        named = [f"alliance/{id}" for id in self.state.actors if id.islower()]
        return [one for one in await linked_nodes(info, named, self.moment) if one is not None]

    @resolver_field
    async def about_entities(self, info: Info) -> list[Node | None]:
        """The entities of `about` at this moment, in their order; in a history, their present states.
        Null for an entity without a recorded state."""
        return await linked_nodes(info, self.state.about, self.moment)

    @resolver_field
    async def conflicts_with_entities(self, info: Info) -> list[Node | None]:
        """The entities of `conflictsWith` at this moment; in a history, their present states. Null for
        an entity without a recorded state."""
        return await linked_nodes(info, self.state.conflicts_with, self.moment)

    @resolver_field
    async def supersedes_announcements(self, info: Info) -> list[Announcement | None]:
        """The announcements of `supersedes` at this moment; in a history, their present states. Null for
        one without a recorded state."""
        nodes = await linked_nodes(info, self.state.supersedes, self.moment)
        return [one if isinstance(one, Announcement) else None for one in nodes]

    @resolver_field
    async def superseded_by_announcement(self, info: Info) -> Announcement | None:
        """The announcement of `supersededBy`; null if it is not recorded at this moment."""
        by = self.state.superseded_by
        if by is None:
            return None
        node = await linked_node(info, by if "/" in by else f"announcement/{by}", self.moment)
        return node if isinstance(node, Announcement) else None

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the recorded announcements of its actors. Null in a history."""
        kinds = [ActKind.ANNOUNCEMENT]
        return await completeness(answer_scope(info, self.moment, kinds, self.state.actors))
