"""The base of all fields below `asOf`."""

import asyncio
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

import strawberry

from projections.analysis.claims import Orders
from projections.fold.replay import STATE_FORMAT
from projections.query.lists import Filter
from projections.query.moment import Moment, kind_name
from projections.query.transitions import TransitionFilter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import encode_moment, key_of
from schema.base.scalars import Day, Instant, Position
from schema.types.common import Node
from schema.types.completeness import AnswerScope, answer_scope, scope_of_filter
from schema.types.connection import PageSource, node_pages
from tracker.audit.format.signed_note import to_base64
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.controls.clause_query import ClauseQuery
from tracker.domain.evidence.completeness import control_kinds

N = TypeVar("N", bound=Node)


@object_type
class AtMoment:
    """A moment, with the queries of entities at it."""

    moment: strawberry.Private[Moment]
    slots: strawberry.Private[asyncio.Semaphore | None] = None
    """A limit on concurrent fields, if many moments are queried at once."""

    @resolver_field
    def id(self) -> strawberry.ID:
        """An id of the moment. Client caches use it to merge the fields of several queries about the same
        moment."""
        return strawberry.ID(encode_moment(self.moment))

    @resolver_field
    def position(self) -> Position:
        """The position of the log from which the response is computed. A query with this `position` and
        `validAt` always returns the same response."""
        return Position(str(self.moment.position))

    @resolver_field
    def valid_at(self) -> Day:
        """The effective date of the response."""
        return Day(self.moment.valid_at.isoformat())

    @resolver_field
    async def known_at(self, info: Info) -> Instant | None:
        """The time at which the event at this position was recorded; null at position 0."""
        recorder = info.context.services.recorder
        events = await recorder.read(self.moment.position - 1, limit=1)
        at_start = self.moment.position == 0 or not events
        return None if at_start else events[0].recorded_at  # type: ignore[return-value]  # the scalar writes it

    @resolver_field
    async def digest(self, info: Info) -> str:
        """The SHA-256 of the whole state at this moment, in hexadecimal digits. A replay of the log returns
        the same digest (`tracker replay`)."""
        return await info.context.services.as_of.digest(self.moment)

    @resolver_field
    async def log_root(self, info: Info) -> str:
        """The root hash of the Merkle tree over the events up to this position, in base64. It commits to
        every one of them, signed or not; a checkpoint of this size signs the same root. In a scenario, that
        of the recorded events."""
        recorded = min(self.moment.position, info.context.last_recorded)
        return to_base64(await info.context.services.proofs.root(recorded))

    @resolver_field
    def state_format(self) -> int:
        """The number of the format in which this release writes states. Digests are comparable only if
        their state formats are equal."""
        return STATE_FORMAT

    async def one(self, info: Info, kind: type[N], id: str) -> N | None:
        """Return the entity of a kind with a key or an id."""
        key = key_of(kind_name(kind.state_type), id)
        state = (
            await info.context.services.as_of.state(kind.state_type, key, self.moment)
            if key
            else None
        )
        return kind.at(state, self.moment) if state else None

    def listing(self, info: Info, kind: type[N], order: Enum, narrowed: Filter) -> PageSource[N]:
        """Return the entities of a kind, in an order."""
        return node_pages(info.context.services.as_of, kind, self.moment, narrowed, order)

    def scope(
        self,
        info: Info,
        kinds: Iterable[ActKind],
        issuers: Iterable[str] | None = None,
        commodities: Iterable[str] | None = None,
    ) -> AnswerScope | None:
        """Return the scope of a list of acts; None means all issuers or all commodities."""
        return answer_scope(info, self.moment, kinds, issuers, commodities)

    def clause_scope(
        self, info: Info, filters: Mapping[str, Any], narrowed: Filter, query: ClauseQuery
    ) -> AnswerScope | None:
        """Return the scope of a list of clauses."""
        measures = [filters["measure"]] if filters["measure"] else []
        kinds = control_kinds(filters["direction"], measures)
        return self.scope(info, kinds, narrowed.places, query.requested_goods)

    def policy_scope(self, info: Info, about: TransitionFilter) -> AnswerScope | None:
        """Return the scope of a list of policy facts."""
        issuers = [*(about.issuers or ()), *filter(None, [about.alliance])]
        return scope_of_filter(info, self.moment, about, issuers)

    async def orders(self, info: Info) -> Orders:
        """Return the orders of publishers, which select preferred claims."""
        return await info.context.services.as_of.orders(self.moment)
