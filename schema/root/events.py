"""The log as a list of events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, TypeVar

from strawberry import argument

from projections.query.lists import Key, Keyed, KeyRange
from projections.query.lists import slice_range as within
from projections.query.search import EventRange, Searches
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import entity_path
from schema.base.scalars import Position
from schema.inputs.arguments import parse_position, parse_short_text, parse_stored_text, parse_token
from schema.inputs.moment import MinPosition, wait_for_position
from schema.types.connection import PageSource
from schema.types.event import Event
from tracker.domain.events.registry import entity_type
from tracker.errors import InvalidInput
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder, StreamRange
from tracker.log.resume_token import MAX_POSITION, parse_resume_token
from tracker.log.resumption import check_in_log
from tracker.log.selection import Selection, read_entity, streams_selected

T = TypeVar("T")

CLOCK_RESOLUTION = timedelta(microseconds=1)
"""Smallest time between two recorded times."""


@dataclass(frozen=True, slots=True)
class LogRange:
    """Selected events of the log between two positions, both exclusive."""

    selection: Selection
    after: int
    before: int


async def log_range(
    recorder: Recorder, selection: Selection, first: datetime | None, last: datetime | None
) -> LogRange:
    """Return the selected events that were recorded in a period, both ends inclusive."""
    earliest = first is not None and first > datetime.min.replace(tzinfo=first.tzinfo)
    after = await recorder.position_at(first - CLOCK_RESOLUTION) if first and earliest else 0
    before = await recorder.position_at(last) + 1 if last else MAX_POSITION
    return LogRange(selection, after, before)


async def event_pages(
    recorder: Recorder, part: LogRange, order: Enum, show: Callable[[RecordedEvent], T]
) -> PageSource[T]:
    """Return pages of the events of a range of the log, by position."""
    if part.selection.entity is not None:
        return await _of_entity(recorder, part.selection.entity, part, order, show)
    about = None
    if part.selection.by_subject:  # two steps, so that the list ends at the head of the first step
        part = replace(part, before=min(part.before, await recorder.head() + 1))
        about = await streams_selected(recorder, part.selection, part.before)
    return _in_log(recorder, part, about, order, show)


def _in_log(
    recorder: Recorder,
    part: LogRange,
    about: Sequence[StreamRange] | None,
    order: Enum,
    show: Callable[[RecordedEvent], T],
) -> PageSource[T]:
    """Return pages of events of the log, or of some of its streams."""
    down, types = order.value.down, part.selection.types

    async def items(span: KeyRange) -> list[Keyed[T]]:
        low, high = (span.before, span.after) if down else (span.after, span.before)
        open_ = 0 if span.closed else 1
        after = part.after if low is None else max(part.after, int(low[0]) - 1 + open_)
        before = part.before if high is None else min(part.before, int(high[0]) + 1 - open_)
        events = await recorder.page(
            after,
            before,
            limit=span.limit or 0,
            types=types,
            about=about,
            from_end=span.from_end is not down,
        )
        return [_keyed(of, show) for of in (events[::-1] if down else events)]

    return PageSource(
        items,
        lambda: recorder.count(part.after, part.before, types, about),
        _encode_cursor,
        _decode_cursor,
    )


async def _of_entity(
    recorder: Recorder, entity: str, part: LogRange, order: Enum, show: Callable[[RecordedEvent], T]
) -> PageSource[T]:
    events = (
        await read_entity(recorder, part.selection, part.after, part.before - 1)
        if is_entity_name(entity)
        else []
    )
    keyed = [_keyed(of, show) for of in events]
    down = order.value.down

    async def items(span: KeyRange) -> Sequence[Keyed[T]]:
        return within(keyed[::-1] if down else keyed, span, down)

    async def count() -> int:
        return len(keyed)

    return PageSource(items, count, _encode_cursor, _decode_cursor)


async def search_pages(
    recorder: Recorder,
    searches: Searches,
    text: str,
    part: LogRange,
    order: Enum,
    show: Callable[[RecordedEvent], T],
) -> PageSource[T]:
    """Return pages of the events of a range of the log that match a search, by position."""
    streams = await _selected_streams(recorder, part)
    before = min(part.before, await recorder.head() + 1)
    event_range = EventRange(part.after, before, part.selection.types, streams)
    positions = [
        ((position,), position) for position in await searches.event_positions(text, event_range)
    ]
    down = order.value.down

    async def items(span: KeyRange) -> list[Keyed[T]]:
        keyed = within(positions[::-1] if down else positions, span, down)
        events = await recorder.lookup.by_position([position for _, position in keyed])
        return [_keyed(events[position], show) for _, position in keyed]

    async def count() -> int:
        return len(positions)

    return PageSource(items, count, _encode_cursor, _decode_cursor)


async def _selected_streams(recorder: Recorder, part: LogRange) -> list[StreamRange] | None:
    """Return the streams of the selected events; None for all."""
    entity = part.selection.entity
    about = None
    if part.selection.by_subject:
        about = await streams_selected(recorder, part.selection, part.before)
    if entity is None:
        return about
    since = [0] if about is None else [one.since for one in about if one.low <= entity < one.high]
    return [StreamRange(entity, f"{entity} ", at) for at in since if is_entity_name(entity)]


@object_type
class OneEvent:
    """One event of the log, by its position or its id."""

    @resolver_field
    async def event(
        self,
        info: Info,
        at: Annotated[
            Position | None,
            argument(name="position", description="The position of the event in the log."),
        ] = None,
        event_id: str | None = None,
        min_position: MinPosition = None,
    ) -> Event | None:
        """One event by its position or by its id, not both; null if no event has it. The bytes of its entry
        are at `/log/entries/<position>`.

        - event_id: The unique id of the event, as in `events`.
        """
        position = parse_position(at, "position")
        if (position is None) == (event_id is None):
            raise InvalidInput(
                "expected either position or eventId", code="BAD_REQUEST", path=("position",)
            )
        await wait_for_position(info, min_position)
        loaders = info.context.loaders
        if position is not None:
            event = await loaders.event_at.load(position)
        else:
            event = await loaders.event_by_id.load(parse_stored_text(event_id or "", "eventId"))
        return Event(of=event) if event else None


def is_entity_name(entity: str) -> bool:
    """Return whether this can be the name of an entity. Raises InvalidInput for an unknown kind."""
    kind = entity_type(parse_short_text(entity, "entity")).KIND
    return entity_path(kind, entity.removeprefix(f"{kind}/")) is not None


def _keyed(of: RecordedEvent, show: Callable[[RecordedEvent], T]) -> Keyed[T]:
    return (of.position,), show(of)


def _encode_cursor(key: Key) -> str:
    return str(key[0])


def _decode_cursor(text: str, path: str) -> Key:
    return (parse_resume_token(text, path).position,)


async def check_tokens(recorder: Recorder, **given: str | None) -> None:
    """Refuse resume tokens of events that the log no longer contains. Raises InvalidInput."""
    for field, text in given.items():
        token = parse_token(text, field)
        if token and token.hash is not None:
            await check_in_log(recorder, token, await recorder.head(), field)
