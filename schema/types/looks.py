"""Looks at a watched source and the fetches of it as GraphQL shows them, from the events of its stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeVar

from strawberry import field

from projections.query.lists import Key, Keyed, KeyRange
from schema.base.decorators import object_type
from schema.base.enums import described_enum
from schema.base.scalars import Day, Instant, Position
from schema.inputs.order_by import EventOrder
from schema.inputs.pagination import cursor_error
from schema.types.common import from_state
from schema.types.connection import PageSource
from tracker.domain import watched_source_facts as facts
from tracker.domain.entity import TYPES
from tracker.domain.vocabulary import FetchFailure
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder, StreamRange

T = TypeVar("T")


class FetchOutcome(Enum):
    """What came of a fetch."""

    FETCHED = TYPES[facts.Fetched]
    UNCHANGED = TYPES[facts.Unchanged]
    FAILED = TYPES[facts.Failed]


described_enum(
    FetchOutcome,
    {
        FetchOutcome.FETCHED.value: "Something new came.",
        FetchOutcome.UNCHANGED.value: "The same came as last time.",
        FetchOutcome.FAILED.value: "Nothing came that can be used.",
    },
)


@object_type
class Look:
    """A look at a watched source that has ended."""

    look: int = field(description="Its number: 1, 2, 3, ….")
    started_at: Instant = field(description="When it began.")
    at: Instant = field(description="When it ended.")
    requests: int = field(description="The number of its requests.")
    snapshots: int = field(description="How many of their answers were new.")
    candidates: int = field(description="How many new candidates were found.")
    complete: bool = field(description="Whether everything of the list was read.")
    covers_until: Day | None = field(
        description="The day up to which all that the publisher had announced was seen; null where that"
        " can't be said."
    )
    warnings: list[str] = field(description="What was odd without being a failure, at most 20.")
    position: Position = field(description="The position of its event in the log.")
    event_id: str = field(description="The id of its event.")


@object_type
class Fetch:
    """A request to an address of a watched source, and what came of it."""

    look: int = field(description="The number of the look that it was part of.")
    at: Instant = field(description="When the answer had come, or failed to.")
    outcome: FetchOutcome = field(description="What came of it.")
    address: str = field(description="The address that was asked for.")
    moved_to: str | None = field(
        description="Where the answer came from in the end; null if from the address itself."
    )
    status: int | None = field(description="The status of the answer; null where there was none.")
    sha256: str | None = field(
        description="The SHA-256 of what came, as hexadecimal digits; it is kept at"
        " `/snapshots/<sha256>`. Null where nothing came that was kept."
    )
    size: float | None = field(description="Its size in bytes; null unless it is new.")
    media_type: str | None = field(
        description="Its media type, as the publisher has it; null unless it is new and has one."
    )
    code: FetchFailure | None = field(
        description="Why it failed, for programs; null if it did not."
    )
    reason: str | None = field(description="Why it failed, in one line; null if it did not.")
    position: Position = field(description="The position of its event in the log.")
    event_id: str = field(description="The id of its event.")


def look(of: RecordedEvent) -> Look:
    """The GraphQL type of the end of a look."""
    fact = of.fact
    assert isinstance(fact, facts.Looked)
    return from_state(
        Look,
        fact,
        covers_until=Day(fact.covers_until.isoformat()) if fact.covers_until else None,
        position=Position(str(of.position)),
        event_id=of.event_id,
    )


def fetch(of: RecordedEvent) -> Fetch:
    """The GraphQL type of a fetch."""
    fact = of.fact
    assert isinstance(fact, facts.FetchFact)
    nothing = dict.fromkeys(("moved_to", "status", "sha256", "media_type", "code", "reason"))
    said = {**nothing, **{name: getattr(fact, name) for name in nothing if hasattr(fact, name)}}
    return from_state(
        Fetch,
        fact,
        **said,
        size=float(fact.size) if isinstance(fact, facts.Fetched) else None,
        outcome=FetchOutcome(of.type),
        position=Position(str(of.position)),
        event_id=of.event_id,
    )


def stream_pages(
    recorder: Recorder,
    stream: str,
    types: Sequence[str],
    until: int,
    order: EventOrder,
    show: Callable[[RecordedEvent], T],
) -> PageSource[T]:
    """Events of one stream that are of some types, as known at a position."""
    about, down = [StreamRange(stream, f"{stream} ")], order.value.down

    async def items(span: KeyRange) -> list[Keyed[T]]:
        open_ = 0 if span.closed else 1
        low, high = (span.before, span.after) if down else (span.after, span.before)
        found = await recorder.page(
            -1 if low is None else int(low[0]) - 1 + open_,
            until + 1 if high is None else min(until + 1, int(high[0]) + 1 - open_),
            limit=span.limit or 0,
            types=types,
            about=about,
            from_end=span.from_end is not down,
        )
        return [((of.position,), show(of)) for of in (found[::-1] if down else found)]

    return PageSource(
        items, lambda: recorder.count(0, until + 1, types, about), _encode_cursor, _decode_cursor
    )


def _encode_cursor(key: Key) -> str:
    return str(key[0])


def _decode_cursor(given: str, path: str) -> Key:
    """The position that a cursor is. Raises InvalidInput for any other text."""
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise cursor_error(path)
    return (int(given),)
