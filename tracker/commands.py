"""Commands: what the world asks to be recorded, decided by the aggregates, appended to the log."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from eventsourcing.domain import datetime_now_with_tzinfo

from tracker.domain.annex import free_texts, opened, says_the_same
from tracker.domain.announcement import Made
from tracker.domain.entity import Entity, Known, Retracted, check_stream
from tracker.domain.kinds import kind_of
from tracker.domain.redaction import Redacted, Redaction
from tracker.domain.values import Fact, PartialDate, Source
from tracker.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Path,
    TooLarge,
    TrackerError,
    Unavailable,
    VersionConflict,
)
from tracker.log.database import LOST
from tracker.log.mapper import NO_TEXTS, SOURCE, NewEvent, Recorded, new_event, replayed
from tracker.log.recorder import Appended, Recorder

GROUPINGS = frozenset({"g7"})
"""Groups that act in announcements without being alliances of this tracker."""

ATTEMPTS = 5
"""How often a command without an expected version is decided anew when others get in before it."""


BATCHES = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:batch")
"""Makes the ids of the facts of a batch from its key and their places in it, always the same."""

CORRECTIONS = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:correction")
"""Makes the id of a correction's retraction from that of its replacement, always the same."""


@dataclass(frozen=True, slots=True)
class Order:
    """A fact to be recorded of an entity, under an event id that counts once.

    `path` leads to the fact in what the caller gave; errors in the fact are said to be there.
    """

    stream: str
    fact: Fact
    event_id: str
    path: Path = ()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Put errors in the fact where it stands."""
        try:
            yield
        except (InvalidInput, NotFound, TooLarge) as error:
            raise error.below(*self.path) from None


class Commands:
    """Decides and records facts. Every fact goes this way: mutations, imports, programs."""

    def __init__(self, recorder: Recorder):
        self._recorder = recorder

    async def record(
        self,
        stream: str,
        fact: Fact,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        actor: str | None = None,
    ) -> Appended:
        """Record a fact of an entity and return its position once it is durable.

        The same idempotency key again returns the first position. `expected_version` is the
        version that the caller saw (0: it must not exist). Raises InvalidInput, NotFound, TooLarge,
        VersionConflict, IdempotencyConflict or Unavailable; then nothing of it is recorded, except
        that after Unavailable it may be.
        """
        order = Order(stream, fact, _event_id(idempotency_key))
        return await self._carry_out([order], expected_version, actor)

    async def record_all(
        self,
        facts: Sequence[tuple[str, Fact]],
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> Appended:
        """Record facts of entities in their order, each seeing those before it: all, or none.

        The same key with the same facts again returns the first positions. Errors are those of
        `record`; the path of one in a fact begins with its place, from 0.
        """
        key = _event_id(idempotency_key)
        orders = [Order(stream, fact, str(uuid.uuid5(BATCHES, f"{index}:{key}")), path=(index,))
                  for index, (stream, fact) in enumerate(facts)]
        return await self._carry_out(orders, None, actor)

    async def retract(
        self,
        event_id: str,
        reason: str,
        source: Source,
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> Appended:
        """Retract a recorded event, or a retraction. Raises NotFound for an unknown event."""
        stream = (await self._event(event_id)).stream
        fact = Retracted(retracts=event_id, reason=reason, source=source)
        return await self.record(stream, fact, idempotency_key=idempotency_key, actor=actor)

    async def correct(
        self,
        event_id: str,
        stream: str,
        fact: Fact,
        reason: str,
        source: Source,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        actor: str | None = None,
    ) -> Appended:
        """Retract a recorded event and record a fact in its place: both, or neither.

        `fact` is about the entity `stream`, which need not be that of the event: a figure may have
        been filed under the wrong place. Key and version mean what they do for `record`; the key
        becomes the id of the new fact, the version is that of the entity of the event. Errors are
        those of `record` and `retract`; the path of one in the fact begins with `replacement`.
        """
        key = _event_id(idempotency_key)
        retraction = Retracted(retracts=event_id, reason=reason, source=source, replacement=key)
        wrong = await self._event(event_id)
        orders = (
            Order(wrong.stream, retraction, str(uuid.uuid5(CORRECTIONS, key))),
            Order(stream, fact, key, path=("replacement",)),
        )
        return await self._carry_out(orders, expected_version, actor)

    async def redact(
        self,
        event_id: str,
        reason: str,
        on: PartialDate,
        source: Source,
        *,
        fields: Sequence[str] = (),
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> Appended:
        """Take texts out of a recorded event for ever, all that it has or those in some fields.

        The entry stays; the texts go in the transaction that records the redaction. Raises
        NotFound for an unknown event, and InvalidInput for one without such a text
        (`NOTHING_TO_REDACT`), with one in the entry itself (`NOT_REDACTABLE`), or without it by
        now (`ALREADY_REDACTED`).
        """
        event = await self._event(event_id)
        there = redactable(event.fact, fields)
        fact = Redacted(redacts=event_id, fields=there, on=on, reason=reason, by=actor,
                        source=source)
        return await self.record(f"{Redaction.KIND}/{event.position}", fact,
                                 idempotency_key=idempotency_key, actor=actor)

    async def _event(self, event_id: str) -> Recorded:
        event = await self._recorder.event(_checked(event_id, "eventId"))
        if event is None:
            raise NotFound(f"There is no event {event_id!r}", path=("eventId",))
        return event

    async def _carry_out(
        self, orders: Sequence[Order], expected: int | None, actor: str | None
    ) -> Appended:
        for attempt in range(ATTEMPTS):
            try:
                return await self._try(orders, expected, actor)
            except VersionConflict:
                if expected is not None or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def _try(
        self, orders: Sequence[Order], expected: int | None, actor: str | None
    ) -> Appended:
        """Decide orders that belong together on what the log knows now, and append them."""
        for order in orders:
            with order.errors():
                check_stream(order.stream, "id")
        try:
            entities = await load(self._recorder, {order.stream for order in orders})
            if again := recorded_before(entities, orders):
                return await self._repeated(orders, again)
            alliances = await self._recorder.existing(sorted(mentioned(orders)))
        except LOST as error:
            raise Unavailable("The log could not be read, so nothing was recorded; try again"
                              ) from error
        first = entities[orders[0].stream]
        if expected is not None and first.version != expected:
            raise VersionConflict(first.id, expected, first.version)
        events, founded = [], set(alliances)
        for order in orders:
            with order.errors():
                events.append(decide(entities[order.stream], order, founded, actor))
            founded.add(order.stream)
        try:
            return await self._recorder.append(events)
        except IdempotencyConflict:
            # The same command may have come first at the same moment. Its commitments have other
            # salts, so the log can't tell: what they open to can.
            entities = await load(self._recorder, entities)
            if again := recorded_before(entities, orders):
                return await self._repeated(orders, again)
            raise

    async def _repeated(self, orders: Sequence[Order], again: Mapping[str, Known]) -> Appended:
        """The first positions of orders that are recorded. Raises IdempotencyConflict."""
        texts = await self._recorder.annexes.texts(known.fact for known in again.values())
        return repeated(orders, again, texts)


def recorded_before(
    entities: Mapping[str, Entity], orders: Sequence[Order]
) -> dict[str, Known]:
    """What entities know under the event ids of orders, each of its own entity."""
    asked = {(order.stream, order.event_id) for order in orders}
    return {k.event_id: k for stream, entity in entities.items() for k in entity.known
            if (stream, k.event_id) in asked}


def repeated(
    orders: Sequence[Order], again: Mapping[str, Known], texts: Mapping[str, str]
) -> Appended:
    """The first positions of orders of which events are recorded already, the texts of these given
    by commitment. Raises IdempotencyConflict unless they are the same facts, all of them.
    """
    for order in orders:
        known = again.get(order.event_id)
        if known is None or not says_the_same(opened(known.fact, texts), order.fact):
            raise IdempotencyConflict(order.event_id)
    first = again[orders[0].event_id].position
    return Appended(range(first, first + len(orders)), repeated=True)


def redactable(fact: Fact, fields: Sequence[str]) -> tuple[str, ...]:
    """The texts to redact of a recorded fact: those that are asked for, or all that there are.

    Raises InvalidInput where one is not there, or stands in the entry itself.
    """
    there = free_texts(fact)
    if not there:
        raise InvalidInput("expected an event with a note or a quotation: this one has none",
                           code="NOTHING_TO_REDACT", path=("eventId",))
    for index, field in enumerate(fields):
        if field not in there:
            raise InvalidInput(f"{field!r}: expected one of the texts of the event: "
                               + ", ".join(there), code="NOTHING_TO_REDACT",
                               path=("fields", index))
    asked = tuple(fields) or tuple(there)
    inline = [field for field in asked if isinstance(there[field], str)]
    if inline:
        raise InvalidInput(
            f"{', '.join(inline)} can't be redacted: the event was recorded before there were"
            " annexes, so the text is part of the entry, which never changes",
            code="NOT_REDACTABLE", path=("eventId",))
    return asked


def decide(
    entity: Entity, order: Order, alliances: Iterable[str], actor: str | None = None
) -> NewEvent:
    """The event that records an order, after the rules agreed; the entity moves on with it.

    Raises InvalidInput, NotFound or TooLarge, and IdempotencyConflict if the entity has an event of
    this id; then the entity is unchanged.
    """
    if any(k.event_id == order.event_id for k in entity.known):
        raise IdempotencyConflict(order.event_id)
    check_actors(order.fact, alliances)
    event = new_event(_event(order, entity.version), actor)
    entity.record(order.fact, order.event_id)
    entity.collect_events()
    return event


def decide_all(
    entities: Mapping[str, Entity], orders: Sequence[Order], alliances: Iterable[str],
    actor: str | None = None,
) -> tuple[list[NewEvent], list[tuple[int, TrackerError]]]:
    """Decide orders one after the other, each seeing what those before it did.

    Returns the events, and the orders that break a rule by their index.
    """
    founded = set(alliances)
    events: list[NewEvent] = []
    refused: list[tuple[int, TrackerError]] = []
    for index, order in enumerate(orders):
        try:
            events.append(decide(entities[order.stream], order, founded, actor))
            founded.add(order.stream)
        except TrackerError as error:
            refused.append((index, error))
    return events, refused


async def load(recorder: Recorder, streams: Collection[str]) -> dict[str, Entity]:
    """The entities of some streams as the log knows them; at version 0 where it does not."""
    for stream in streams:
        kind_of(stream)
    found = await recorder.read_streams(streams)
    return {stream: restored(stream, events) for stream, events in found.items()}


def restored(
    stream: str, events: Iterable[Recorded], texts: Mapping[str, str] = NO_TEXTS
) -> Entity:
    """The entity that these events of a stream make, as far as there are texts by commitment."""
    entity = kind_of(stream).blank(stream)
    for event in events:
        replayed(event, texts).mutate(entity)
    return entity


def mentioned(orders: Iterable[Order]) -> set[str]:
    """The streams of the alliances that act in these orders."""
    return {
        f"alliance/{actor}"
        for order in orders
        if isinstance(order.fact, Made)
        for actor in order.fact.actors
        if actor.islower()
    }


def check_actors(fact: Fact, alliances: Iterable[str]) -> None:
    """Refuse an actor that is neither a place nor a known alliance. Raises InvalidInput."""
    for index, actor in enumerate(fact.actors if isinstance(fact, Made) else ()):
        known = actor in GROUPINGS or f"alliance/{actor}" in alliances
        if actor.islower() and not known:
            raise InvalidInput(f"{actor!r} is not an actor: expected a place such as US, or an"
                               " alliance that has been founded", code="UNKNOWN_ACTOR",
                               path=("actors", index))


def _event(order: Order, version: int) -> Entity.Event:
    """The event of an order in the first place after `version`, not yet decided."""
    return Entity.Event(order.stream, version + 1, datetime_now_with_tzinfo(), order.event_id,
                        order.fact)


def _event_id(idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return str(uuid.uuid4())
    return _checked(idempotency_key, "idempotencyKey")


def _checked(event_id: str, field: str) -> str:
    if not 0 < len(event_id) <= 200 or not event_id.isprintable():
        raise InvalidInput("expected 1 to 200 printable characters", path=(field,))
    return event_id
