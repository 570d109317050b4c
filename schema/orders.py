"""What clients order, and what they can order of recorded events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracker.commands import Commands
from tracker.domain.codec import convert
from tracker.domain.values import Name, PartialDate, Source, Value
from tracker.log.recorder import Appended


@dataclass(frozen=True, slots=True)
class Order:
    """What a client ordered: the input as JSON data, and what stands beside it."""

    data: dict[str, Any]
    actor: str
    key: str | None
    expected: int | None = None


Record: TypeAlias = Callable[[Commands, Order], Awaitable[Appended]]


class Retraction(Value, frozen=True, kw_only=True):
    """An event was wrong: from now on nothing follows from it. It stays in the log."""

    event_id: Name
    reason: Name
    source: Source


class Redacting(Value, frozen=True, kw_only=True):
    """Texts of an event have to go, by a law: its note, its quotation. They are deleted for ever;
    the event stays, and the log says which texts went, why and by whom.
    """

    event_id: Name
    reason: Name
    on: PartialDate
    source: Source
    fields: tuple[Name, ...] = ()


async def record_retraction(commands: Commands, order: Order) -> Appended:
    """Record that an event was wrong."""
    retraction = convert(Retraction, order.data)
    return await commands.retract(
        retraction.event_id, retraction.reason, retraction.source, idempotency_key=order.key,
        actor=order.actor)


async def record_redaction(commands: Commands, order: Order) -> Appended:
    """Record that texts had to go, with which they go."""
    asked = convert(Redacting, order.data)
    return await commands.redact(
        asked.event_id, asked.reason, asked.on, asked.source, fields=asked.fields,
        idempotency_key=order.key, actor=order.actor)
