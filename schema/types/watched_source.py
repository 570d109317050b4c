"""Watched sources as GraphQL shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import strawberry
from strawberry import argument, field

from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.memo import memoize_by_identity
from schema.base.scalars import Day, Instant
from schema.inputs.order_by import ORDER_BY, EventOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.types.common import Actor, Because, Node, actor, at_moment, because, from_state
from schema.types.connection import Connection, PageSource
from schema.types.links import node_of
from schema.types.looks import Fetch, FetchOutcome, Look, fetch, look, stream_pages
from tracker.domain import watched_source as domain
from tracker.domain.entity import TYPES
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import FetchFailure
from tracker.domain.watched_source_facts import Looked
from tracker.log.entries import RecordedEvent

T = TypeVar("T")


@object_type
class SourceFailure:
    """A request to a watched source that failed."""

    look: int = field(description="The number of the look that it was part of.")
    at: Instant = field(description="When it failed.")
    address: str = field(description="The address that was asked for.")
    code: FetchFailure = field(description="Why, for programs.")
    reason: str = field(description="Why, in one line.")
    status: int | None = field(description="The status of the answer; null where there was none.")


@object_type
class WatchedSource(Node):
    """A source that is watched: a list of a publisher that is looked through again and again. Every
    look and every fetch of it is an event of the log, whatever came of it. The state follows from the
    looks that have ended.
    """

    key: str = field(description="Its key, such as `us-federal-register`.")
    entity: str = field(description="Its name in the log, `source/<key>`.")
    name: str = field(description="What it is called.")
    publisher: str = field(description="The short id of its publisher, such as `federal_register`.")
    adapter: str = field(description="By what its lists are read, such as `feed`.")
    address: str = field(description="The address at which it is.")
    issuers: list[Actor] = field(description="Whose acts it has.")
    covers: str | None = field(description="What it lists, in words; null where nobody says so.")
    every_hours: float = field(description="The hours from one look to the next.")
    watched_since: PartialDate = field(description="The day from which it has been watched.")
    unwatched_on: PartialDate | None = field(
        description="The day from which it is watched no more; null while it is."
    )
    unwatched_because: str | None = field(
        description="Why it is watched no more; null while it is."
    )
    look_count: int = field(description="The number of looks that have ended.")
    last_look: int = field(description="The number of the last look that has ended; 0 before it.")
    last_ended_at: Instant | None = field(
        description="When the last look ended, whatever came of it; null before it."
    )
    last_looked_at: Instant | None = field(
        description="When a look last read everything; null where none has."
    )
    next_look_expected_at: Instant | None = field(
        description="When it should have been read again by its rhythm: after that, answers about its"
        " issuers are older than they should be. Null where it is not watched, or was never read."
    )
    covers_until: Day | None = field(
        description="The day up to which all that the publisher had announced was seen; null where that"
        " can't be said."
    )
    last_fetched_at: Instant | None = field(
        description="When an address of it was last read; null where none was."
    )
    last_changed_at: Instant | None = field(
        description="When something new was last fetched; null where nothing was."
    )
    failing_since: Instant | None = field(
        description="When the first look ended since then that could not read everything; null where"
        " the last one did."
    )
    last_failure: SourceFailure | None = field(
        description="The last request that failed; null where none did. It may be of a look that read"
        " everything in the end: see `failingSince`."
    )
    warnings: list[str] = field(
        description="What was odd in the last look without being a failure, at most 20."
    )
    request_count: float = field(description="The number of requests of all looks.")
    snapshot_count: float = field(description="The number of new snapshots of all looks.")
    candidate_count: float = field(description="The number of new candidates of all looks.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log; the"
        " looks before those are left out."
    )
    state: strawberry.Private[domain.WatchedSourceState]

    @resolver_field
    async def looks(
        self,
        info: Info,
        order_by: Annotated[EventOrder, ORDER_BY] = EventOrder.POSITION_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Look]:
        """Its looks that had ended by this position, by default the newest first; in a history, all
        of them."""
        asked = parse_page(first, after, last, before)
        return await (await self._of(info, [TYPES[Looked]], order_by, look)).page(asked)

    @resolver_field
    async def fetches(
        self,
        info: Info,
        outcome: Annotated[
            FetchOutcome | None, argument(description="Only those of which this came.")
        ] = None,
        order_by: Annotated[EventOrder, ORDER_BY] = EventOrder.POSITION_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Fetch]:
        """The requests to its addresses by this position, by default the newest first; in a history,
        all of them."""
        asked = parse_page(first, after, last, before)
        types = [outcome.value] if outcome else [one.value for one in FetchOutcome]
        return await (await self._of(info, types, order_by, fetch)).page(asked)

    async def _of(
        self,
        info: Info,
        types: Sequence[str],
        order: EventOrder,
        show: Callable[[RecordedEvent], T],
    ) -> PageSource[T]:
        """Events of its stream."""
        services = info.context.services
        moment = self.moment or await services.as_of.resolve()
        return stream_pages(services.recorder, self.entity, types, moment.position, order, show)


@node_of.register(domain.WatchedSourceState)
def watched_source(state: domain.WatchedSourceState, moment: Moment | None) -> WatchedSource:
    """The GraphQL type of a watched source at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: domain.WatchedSourceState) -> WatchedSource:
    failure = state.last_failure
    return from_state(
        WatchedSource,
        state,
        key=state.id,
        entity=f"source/{state.id}",
        issuers=[actor(one) for one in state.issuers],
        look_count=state.looks,
        next_look_expected_at=state.next_look_expected_at,
        covers_until=Day(state.covers_until.isoformat()) if state.covers_until else None,
        last_failure=from_state(SourceFailure, failure) if failure else None,
        request_count=float(state.requests),
        snapshot_count=float(state.snapshots),
        candidate_count=float(state.candidates),
        state=state,
        later={"because": lambda: because(state.because)},
    )
