"""GraphQL types of watched sources."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeVar

import strawberry

from schema.base.context import Info
from schema.base.output_types import output_type, struct_field
from schema.inputs.order_by import EventOrder
from schema.types.common import Because, Node, entity_type
from schema.types.connection import PageSource
from schema.types.list_field import list_field
from schema.types.looks import Fetch, FetchOutcome, Look, fetch, look, stream_pages
from tracker.domain.entities.entity import TYPES
from tracker.domain.evidence import watched_source as domain
from tracker.domain.evidence.watched_source_facts import Looked
from tracker.log.entries import RecordedEvent

T = TypeVar("T")


@output_type()
class SourceFailure:
    """A failed request to a watched source."""

    of: strawberry.Private[domain.Failure]


@entity_type(
    domain.WatchedSourceState,
    hidden="looks requests snapshots candidates last_proposed_at",
    first="name publisher adapter address issuers covers every_hours watched_since unwatched_on "
    "unwatched_because look_count last_look last_ended_at last_looked_at "
    "next_look_expected_at covers_until last_fetched_at last_changed_at failing_since "
    "last_failure warnings request_count snapshot_count candidate_count because",
)
class WatchedSource(Node):
    """A watched source: a list of a publisher that is polled on a schedule. Every poll and every fetch
    is an event of the log, also if it failed. The state follows from completed polls."""

    key: str = struct_field(description="Its key, such as `us-federal-register`.")
    state: strawberry.Private[domain.WatchedSourceState]
    because: list[Because] = struct_field()
    """The recorded events that this state follows from, in the order of the log; earlier polls are left
    out."""

    look_count: int = struct_field("looks", description="The number of completed polls.")
    request_count: float = struct_field("requests")
    """The number of requests in all polls."""
    snapshot_count: float = struct_field("snapshots")
    """The number of new snapshots in all polls."""
    candidate_count: float = struct_field("candidates")
    """The number of new candidates in all polls."""

    @list_field(Look, EventOrder, "POSITION_DESC")
    async def looks(self, info: Info, order: Enum) -> PageSource[Look]:
        """Its polls completed by this position, by default the newest first; in a history, all of them."""
        return await self._of(info, [TYPES[Looked]], order, look)

    @list_field(Fetch, EventOrder, "POSITION_DESC")
    async def fetches(
        self, info: Info, order: Enum, outcome: FetchOutcome | None = None
    ) -> PageSource[Fetch]:
        """The requests to its addresses by this position, by default the newest first; in a history, all
        of them.

        - outcome: Only fetches with this outcome.
        """
        types = [outcome.value] if outcome else [one.value for one in FetchOutcome]
        return await self._of(info, types, order, fetch)

    async def _of(
        self, info: Info, types: Sequence[str], order: Enum, show: Callable[[RecordedEvent], T]
    ) -> PageSource[T]:
        services = info.context.services
        moment = self.moment or await services.as_of.resolve()
        return stream_pages(services.recorder, self.entity, types, moment.position, order, show)
