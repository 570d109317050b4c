"""GraphQL types of polls of a watched source and of their fetches, from the events of its stream."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry import field

from projections.query.lists import Key, Keyed, KeyRange
from schema.base.enums import described_enum
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Instant, Position
from schema.inputs.pagination import cursor_error
from schema.types.connection import PageSource
from tracker.domain.basics.vocabulary import FetchFailure
from tracker.domain.entities.entity import TYPES
from tracker.domain.evidence import watched_source_facts as facts
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder, StreamRange

T = TypeVar("T")


@described_enum
class FetchOutcome(Enum):
    """The outcome of a fetch."""

    FETCHED = TYPES[facts.Fetched]
    """A new response."""
    UNCHANGED = TYPES[facts.Unchanged]
    """The same response as last time."""
    FAILED = TYPES[facts.Failed]
    """No usable response."""


@output_type(
    event=RecordedEvent,
    of=facts.Looked,
    only_spelled=True,
    first="look started_at at requests snapshots candidates complete covers_until warnings position"
    " event_id",
)
class Look:
    """A completed poll of a watched source."""

    of: strawberry.Private[facts.Looked]
    event: strawberry.Private[RecordedEvent]
    look: int = struct_field(description="Its number: 1, 2, 3, ….")
    at: Instant = struct_field(description="The time at which it ended.")
    position: Position = struct_field(description="The position of its event in the log.")
    event_id: str = struct_field(description="The id of its event.")


@output_type(
    event=RecordedEvent,
    of=facts.FetchFact,
    only_spelled=True,
    first="look at outcome address moved_to status sha256 size media_type code reason",
)
class Fetch:
    """A request to an address of a watched source, and its outcome."""

    of: strawberry.Private[facts.FetchFact]
    event: strawberry.Private[RecordedEvent]
    look: int = struct_field(description="The number of its poll.")
    at: Instant = struct_field()
    """The time at which the response arrived or the request failed."""
    outcome: FetchOutcome = field(description="The outcome.")
    moved_to: str | None
    """The final address after redirects; null if there was none."""
    status: int | None = field(description="The status of the response; null if there was none.")
    sha256: str | None
    """The SHA-256 of the response body, as hexadecimal digits; the body is stored at `/snapshots/<sha256>`.
    Null if nothing was stored."""
    size: float | None = field(description="Its size in bytes; null unless it is new.")
    media_type: str | None
    """Its media type, as declared by the publisher; null unless it is new and has one."""
    code: FetchFailure | None
    """The reason of the failure, for programs; null if it succeeded."""
    reason: str | None
    """The reason of the failure, in one line; null if it succeeded."""
    position: Position = struct_field(description="The position of its event in the log.")
    event_id: str = struct_field(description="The id of its event.")


def look(of: RecordedEvent) -> Look:
    """Return the GraphQL type of the end of a poll."""
    fact = of.fact
    assert isinstance(fact, facts.Looked)
    return Look(of=fact, event=of)


def fetch(of: RecordedEvent) -> Fetch:
    """Return the GraphQL type of a fetch."""
    fact = of.fact
    assert isinstance(fact, facts.FetchFact)
    results = ("moved_to", "status", "sha256", "size", "media_type", "code", "reason")
    values: dict[str, Any] = {name: getattr(fact, name, None) for name in results}
    return Fetch(of=fact, event=of, outcome=FetchOutcome(of.type), **values)


def stream_pages(
    recorder: Recorder,
    stream: str,
    types: Sequence[str],
    until: int,
    order: Enum,
    show: Callable[[RecordedEvent], T],
) -> PageSource[T]:
    """Return pages of the events of one stream with the given types, as known at a position."""
    about, down = [StreamRange(stream, f"{stream} ")], order.value.down

    async def items(span: KeyRange) -> list[Keyed[T]]:
        open_ = 0 if span.closed else 1
        low, high = (span.before, span.after) if down else (span.after, span.before)
        events = await recorder.page(
            -1 if low is None else int(low[0]) - 1 + open_,
            until + 1 if high is None else min(until + 1, int(high[0]) + 1 - open_),
            limit=span.limit or 0,
            types=types,
            about=about,
            from_end=span.from_end is not down,
        )
        return [((of.position,), show(of)) for of in (events[::-1] if down else events)]

    return PageSource(
        items, lambda: recorder.count(0, until + 1, types, about), _encode_cursor, _decode_cursor
    )


def _encode_cursor(key: Key) -> str:
    return str(key[0])


def _decode_cursor(text: str, path: str) -> Key:
    """Return the position in a cursor. Raises InvalidInput for any other text."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise cursor_error(path)
    return (int(text),)
