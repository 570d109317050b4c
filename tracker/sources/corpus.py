"""The corpus format: one JSON object a line, each a fact to be recorded.

    {"id": "cn-mofcom-2023-23", "type": "ExportControl.Announced",
     "entity": "export-control/cn-mofcom-2023-23", "data": {…}}

`id` becomes the event id, so that a line counts once however often it is imported. `entity` may be
left out where the fact names it: the series of a claim, the scope of an order of publishers. `data`
is the fact, as in the event itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated

import msgspec

from tracker.commands import Order, decide_all, load, mentioned
from tracker.domain.codec import decode, encode
from tracker.domain.entity import Entity, check_stream
from tracker.domain.kinds import fact_type, kind_of
from tracker.domain.values import Fact
from tracker.errors import IdempotencyConflict, InvalidInput, TooLarge, TrackerError
from tracker.log.mapper import NewEvent
from tracker.log.recorder import Recorder

ACTOR = "import"
"""The actor of what is imported."""
MOST_BYTES = 1_000_000
"""The longest line that is looked at."""

NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A character that PostgreSQL keeps in no text, as JSON writes it."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line as it is written."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    type: str
    data: msgspec.Raw
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line can't be imported: where, and what was expected."""

    line: int
    error: TrackerError

    def __str__(self) -> str:
        field = ".".join(map(str, self.error.path)) or "line"
        return f"line {self.line}: {field}: {self.error.message} ({self.error.code})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: events to append, lines that are in the log already, problems."""

    events: list[NewEvent]
    unchanged: int
    problems: list[Problem]


def shipped() -> Iterator[bytes]:
    """The lines of the corpus that ships with the tracker."""
    with files("tracker.corpus").joinpath("corpus.jsonl").open("rb") as lines:
        yield from lines


def write(event_id: str, type_: str, fact: Fact, entity: str | None = None) -> bytes:
    """A line of the corpus format, with its line end."""
    data = msgspec.Raw(encode(fact))
    return encode(Line(id=event_id, type=type_, data=data, entity=entity)) + b"\n"


def parse(line: bytes) -> Order:
    """The order that a line gives. Raises InvalidInput or TooLarge, with the path of the field."""
    if len(line) > MOST_BYTES:
        raise TooLarge(f"expected at most {MOST_BYTES} bytes, got {len(line)}")
    parsed = decode(Line, line)
    if not parsed.id.isprintable():
        raise InvalidInput("expected printable characters", path=("id",))
    if NUL.search(parsed.data):
        raise InvalidInput("expected text without NUL characters", path=("data",))
    kind = fact_type(parsed.type)
    try:
        fact = decode(kind, parsed.data)
    except InvalidInput as error:
        raise error.below("data") from None
    return Order(_stream(parsed, fact), fact, parsed.id)


def _stream(line: Line, fact: Fact) -> str:
    if line.entity is None:
        if fact.stream is None:
            raise InvalidInput("expected the entity that the fact is about", path=("entity",))
        return fact.stream
    check_stream(line.entity, "entity")
    if kind_of(line.entity).__name__ != line.type.partition(".")[0]:
        raise InvalidInput(f"expected an entity that {line.type} is about", path=("entity",))
    return line.entity


async def plan(recorder: Recorder, lines: Iterable[bytes]) -> Plan:
    """Check every line against the format, the rules and the log. Writes nothing."""
    orders, numbers, problems = _parse_all(lines)
    alliances = await recorder.existing(sorted(mentioned(orders)))
    entities = await load(recorder, dict.fromkeys(order.stream for order in orders))
    in_log = await recorder.known_ids([order.event_id for order in orders])
    first = _firsts(orders, entities, in_log)
    fresh = [i for i, order in enumerate(orders) if first[order.event_id] is order]
    events, refused = decide_all(entities, [orders[i] for i in fresh], alliances, ACTOR)
    problems += [Problem(numbers[fresh[i]], error) for i, error in refused]
    problems += [Problem(number, _reused(order.event_id))
                 for number, order in zip(numbers, orders, strict=True)
                 if first[order.event_id] != order]
    unchanged = sum(first[order.event_id] == order for order in orders) - len(fresh)
    return Plan(events, unchanged, sorted(problems, key=lambda p: p.line))


def _firsts(
    orders: Iterable[Order], entities: Mapping[str, Entity], in_log: Iterable[str]
) -> dict[str, Order | None]:
    """What every event id stood for first, in the log or in this file; None: an entity that this
    file is not about."""
    first: dict[str, Order | None] = dict.fromkeys(in_log)
    for stream, entity in entities.items():
        first.update({k.event_id: Order(stream, k.fact, k.event_id) for k in entity.known})
    for order in orders:
        first.setdefault(order.event_id, order)
    return first


def _reused(event_id: str) -> IdempotencyConflict:
    error = IdempotencyConflict(event_id)
    error.path = ("id",)
    return error


def _parse_all(lines: Iterable[bytes]) -> tuple[list[Order], list[int], list[Problem]]:
    orders: list[Order] = []
    numbers: list[int] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            orders.append(parse(line))
            numbers.append(number)
        except TrackerError as error:
            problems.append(Problem(number, error))
    return orders, numbers, problems


