"""The log as a list of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from projections.lists import Found, Key, Span, part
from schema.arguments import LAST_POSITION, entity_path, position, short
from schema.connections import Listing
from schema.scalars import Position
from schema.sorting import EventOrder
from schema.types.event import Event, event
from tracker.domain.kinds import kind_of
from tracker.log.mapper import Recorded
from tracker.log.recorder import Recorder

TICK = timedelta(microseconds=1)
"""The least time between two moments."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of the log: those of some types, between two positions, which are both left out."""

    types: Sequence[str] | None
    after: int
    before: int


async def stretch(
    recorder: Recorder, types: Sequence[str] | None, first: datetime | None, last: datetime | None
) -> Stretch:
    """The events of some types that were recorded from one moment to another, both inclusive."""
    earliest = first is not None and first > datetime.min.replace(tzinfo=first.tzinfo)
    after = await recorder.position_at(first - TICK) if first and earliest else 0
    before = await recorder.position_at(last) + 1 if last else LAST_POSITION
    return Stretch(types, after, before)


def in_log(recorder: Recorder, wanted: Stretch, order: EventOrder) -> Listing[Event]:
    """Events of the log, by position."""
    down = order.value.down

    async def items(span: Span) -> list[Found[Event]]:
        low, high = (span.before, span.after) if down else (span.after, span.before)
        open_ = 0 if span.closed else 1
        after = wanted.after if low is None else max(wanted.after, int(low[0]) - 1 + open_)
        before = wanted.before if high is None else min(wanted.before, int(high[0]) + 1 - open_)
        found = await recorder.page(after, before, limit=span.limit or 0, types=wanted.types,
                                    from_end=span.from_end is not down)
        return [_found(of) for of in (found[::-1] if down else found)]

    return Listing(items, lambda: recorder.count(wanted.after, wanted.before, wanted.types),
                   _sealed, _opened)


async def of_entity(
    recorder: Recorder, entity: str, wanted: Stretch, order: EventOrder
) -> Listing[Event]:
    """Events of one entity, by position."""
    events = (await recorder.read_streams([entity]))[entity] if known_entity(entity) else []
    found = [_found(of) for of in events
             if (wanted.types is None or of.type in wanted.types)
             and wanted.after < of.position < wanted.before]
    down = order.value.down

    async def items(span: Span) -> Sequence[Found[Event]]:
        return part(found[::-1] if down else found, span, down)

    async def count() -> int:
        return len(found)

    return Listing(items, count, _sealed, _opened)


def known_entity(entity: str) -> bool:
    """Whether this can be the name of an entity. Raises InvalidInput for an unknown kind."""
    kind = kind_of(short(entity, "entity")).KIND
    return entity_path(kind, entity.removeprefix(f"{kind}/")) is not None


def _found(of: Recorded) -> Found[Event]:
    return Found((of.position,), event(of))


def _sealed(key: Key) -> str:
    return str(key[0])


def _opened(given: str, path: str) -> Key:
    return (position(Position(given), path) or 0,)
