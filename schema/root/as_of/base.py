"""The base of all fields below `asOf`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeVar

import strawberry

from projections.analysis.claims import Orders
from projections.fold.replay import STATE_FORMAT
from projections.query.lists import Filter
from projections.query.moment import Moment, S, kind_name
from projections.query.transitions import TransitionFilter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import encode_moment, key_of
from schema.base.scalars import Day, Instant, Position
from schema.inputs.arguments import domain_value, parse_publisher
from schema.inputs.pagination import PageRequest
from schema.inputs.ranges import DayRange, parse_days
from schema.types.completeness import AnswerScope, answer_scope, scope_of_filter
from schema.types.connection import Connection, entity_pages
from tracker.domain.vocabulary import ActKind, Checked

T = TypeVar("T")


@object_type
class AtMoment:
    """A moment: what it is, and how entities are found at it."""

    moment: strawberry.Private[Moment]
    turns: strawberry.Private[asyncio.Semaphore | None] = None
    """Of many moments that are asked about at once: how many fields are worked on at a time."""

    @resolver_field
    def id(self) -> strawberry.ID:
        """An id of the moment. Caches that keep objects by their ids put together by it what several
        questions asked about the same moment.
        """
        return strawberry.ID(encode_moment(self.moment))

    @resolver_field
    def position(self) -> Position:
        """The position of the log that the answer is computed from. A query with this `position`
        and `validAt` always gets the same answer.
        """
        return Position(str(self.moment.position))

    @resolver_field
    def valid_at(self) -> Day:
        """The day that the answer is about."""
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
        """The SHA-256 of the whole state at this moment, in hexadecimal digits. A replay of the log
        gives the same (`tracker replay`).
        """
        return await info.context.services.as_of.digest(self.moment)

    @resolver_field
    def state_format(self) -> int:
        """The number of the form in which this release writes states. Digests are comparable only
        if their state formats are equal.
        """
        return STATE_FORMAT

    async def one(self, info: Info, kind: type[S], id: str) -> S | None:
        """The state of the entity that a key or an id stands for."""
        known = key_of(kind_name(kind), id)
        return await info.context.services.as_of.state(kind, known, self.moment) if known else None

    async def page(
        self,
        info: Info,
        kind: type[S],
        narrowed: Filter,
        show: Callable[[S], T],
        order: Enum,
        asked: PageRequest,
        scope: AnswerScope | None = None,
    ) -> Connection[T]:
        """A page of the entities of a kind."""
        as_of = info.context.services.as_of
        pages = entity_pages(as_of, kind, self.moment, narrowed, show, order)
        return await pages.page(asked, scope)

    def scope(
        self,
        info: Info,
        kinds: Iterable[ActKind],
        issuers: Iterable[str] | None = None,
        commodities: Iterable[str] | None = None,
    ) -> AnswerScope | None:
        """Return the scope of a list of acts; None stands for all issuers or all commodities."""
        return answer_scope(info, self.moment, kinds, issuers, commodities)

    def policy_scope(self, info: Info, about: TransitionFilter) -> AnswerScope | None:
        """Return the scope of a list of policy facts."""
        issuers = [*(about.issuers or ()), *filter(None, [about.alliance])]
        return scope_of_filter(info, self.moment, about, issuers)

    async def orders(self, info: Info) -> Orders:
        """The orders of publishers, by which to choose among claims."""
        return await info.context.services.as_of.orders(self.moment)


def filter_by_source(
    published: DayRange | None,
    publisher: str | None,
    verified: bool | None,
    primary: bool | None,
    checked: Checked | None,
) -> Filter:
    """Return the filter on the sources of facts, which lists of acts share."""
    return Filter(
        publishers=parse_publisher(publisher),
        published=parse_days(published, "published"),
        verified=verified,
        primary=primary,
        checked=domain_value(checked),
    )
