"""Commands: what the world asks to be recorded, decided by the aggregates, appended to the log."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tracker.commands.commands import (
    Command,
    CorrectEvent,
    PlannedEvent,
    RecordFact,
    RetractEvent,
    find_recorded,
    redactable_fields,
    replay_result,
    retraction_fact,
)
from tracker.commands.decisions import decide_in_turns, referenced_alliances
from tracker.commands.dry_run import DryRun, dry_run
from tracker.commands.entity_cache import EntityCache
from tracker.domain.entity import Entity, RecordedFact, check_stream
from tracker.domain.redaction import Redacted, Redaction
from tracker.domain.values import Fact, PartialDate, Source
from tracker.domain.watched_source_facts import SnapshotRedacted
from tracker.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Path,
    Unavailable,
    VersionConflict,
)
from tracker.log.append import AppendResult
from tracker.log.entries import SOURCE, NewEvent, RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS

MAX_ATTEMPTS = 5
"""How often a command without an expected version is decided anew when others get in before it."""


BATCHES = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:batch")
"""Makes the ids of the facts of a batch from its key and their places in it, always the same."""

FETCHES = ("Source.Fetched", "Source.Failed")
"""Events that name what came for the first time."""

CORRECTIONS = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:correction")
"""Makes the id of a correction's retraction from that of its replacement, always the same."""


class Commands:
    """Decides and records facts. Every fact goes this way: mutations, imports, programs."""

    def __init__(self, recorder: Recorder):
        self._recorder = recorder
        self._entities = EntityCache(recorder)

    async def record(
        self,
        stream: str,
        fact: Fact,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        actor: str | None = None,
    ) -> AppendResult:
        """Record a fact of an entity and return its position once it is durable.

        The same idempotency key again returns the first position. `expected_version` is the
        version that the caller saw (0: it must not exist). Raises InvalidInput, NotFound, TooLarge,
        VersionConflict, IdempotencyConflict or Unavailable; then nothing of it is recorded, except
        that after Unavailable it may be.
        """
        command = RecordFact(stream, fact, expected_version)
        return await self._execute([(command, ())], [_event_id(idempotency_key)], actor)

    async def record_all(
        self,
        commands: Sequence[Command],
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> AppendResult:
        """Carry out commands in their order, each seeing those before it: all, or none.

        The same key with the same commands again returns the first positions. Errors are those of
        `record`, `retract` and `correct`; the path of one begins with the place of its command,
        from 0.
        """
        return await self._execute(*_batch(commands, idempotency_key), actor)

    async def preview(
        self,
        commands: Sequence[Command],
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> DryRun:
        """What `record_all` would record. Nothing is recorded; it raises what that would raise."""
        plan = await self._plan(*_batch(commands, idempotency_key))
        for left in reversed(range(MAX_ATTEMPTS)):
            decided = await self._decide_events(plan, actor)
            if isinstance(decided, Mapping):
                await self._recorded_result(plan, decided)
                return DryRun(await self._recorder.head())
            with _translate_lost_connection():
                found = await dry_run(self._recorder, decided)
            if isinstance(found, DryRun):
                return found
            if not left:
                raise found
        raise AssertionError("unreachable")

    async def retract(
        self,
        event_id: str,
        reason: str,
        source: Source,
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> AppendResult:
        """Retract a recorded event, or a retraction. Raises NotFound for an unknown event."""
        command = RetractEvent(event_id, reason, source)
        return await self._execute([(command, ())], [_event_id(idempotency_key)], actor)

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
    ) -> AppendResult:
        """Retract a recorded event and record a fact in its place: both, or neither.

        `fact` is about the entity `stream`, which need not be that of the event: a figure may have
        been filed under the wrong place. Key and version mean what they do for `record`; the key
        becomes the id of the new fact, the version is that of the entity of the event. Errors are
        those of `record` and `retract`; the path of one in the fact begins with `replacement`.
        """
        command = CorrectEvent(event_id, stream, fact, reason, source, expected_version)
        return await self._execute([(command, ())], [_event_id(idempotency_key)], actor)

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
    ) -> AppendResult:
        """Take texts out of a recorded event for ever, all that it has or those in some fields.

        The entry stays; the texts go in the transaction that records the redaction. Raises
        NotFound for an unknown event, and InvalidInput for one without such a text
        (`NOTHING_TO_REDACT`), with one in the entry itself (`NOT_REDACTABLE`), or without it by
        now (`ALREADY_REDACTED`).
        """
        event = await self._event(event_id)
        there = redactable_fields(event.fact, fields)
        fact = Redacted(
            redacts=event_id, fields=there, on=on, reason=reason, by=actor, source=source
        )
        return await self.record(
            f"{Redaction.KIND}/{event.position}", fact, idempotency_key=idempotency_key, actor=actor
        )

    async def redact_snapshot(
        self,
        sha256: str,
        reason: str,
        on: PartialDate,
        source: Source,
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> AppendResult:
        """Take the bytes of a snapshot out for ever, by the source that it was first fetched from.

        They go in the transaction that records it; a file goes when somebody asks for it. Raises NotFound
        for one that was never fetched, and InvalidInput (`ALREADY_REDACTED`).
        """
        fact = SnapshotRedacted(sha256=sha256, on=on, reason=reason, by=actor, source=source)
        with _translate_lost_connection():
            found = await self._recorder.lookup.with_text(FETCHES, f'"sha256":"{sha256}"')
        if not found:
            raise NotFound(f"There is no snapshot {sha256}", path=("sha256",))
        return await self.record(
            found[0].stream, fact, idempotency_key=idempotency_key, actor=actor
        )

    async def _event(self, event_id: str) -> RecordedEvent:
        _validate_event_id(event_id, "eventId")
        with _translate_lost_connection():
            event = await self._recorder.event(event_id)
        if event is None:
            raise NotFound(f"There is no event {event_id!r}", path=("eventId",))
        return event

    async def _execute(
        self, commands: Sequence[tuple[Command, Path]], ids: Sequence[str], actor: str | None
    ) -> AppendResult:
        """Carry out commands that belong together, each with its path and the id of its fact."""
        plan = await self._plan(commands, ids)
        for left in reversed(range(MAX_ATTEMPTS)):
            decided = await self._decide_events(plan, actor)
            if isinstance(decided, Mapping):
                return await self._recorded_result(plan, decided)
            try:
                return await self._recorder.append(decided)
            except (VersionConflict, IdempotencyConflict):
                # Others got in before: decide anew, on what they made. It may be this very command:
                # its commitments have other salts, so the log can't tell, but their texts can.
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _plan(
        self, commands: Sequence[tuple[Command, Path]], ids: Sequence[str]
    ) -> list[PlannedEvent]:
        """The facts that commands ask for. Raises InvalidInput, NotFound or Unavailable."""
        streams = await self._streams_of(commands)
        plan: list[PlannedEvent] = []
        for (command, path), id in zip(commands, ids, strict=True):
            match command:
                case RecordFact():
                    plan.append(
                        PlannedEvent(command.stream, command.fact, id, path, command.expected)
                    )
                case RetractEvent():
                    plan.append(
                        PlannedEvent(
                            streams[command.event_id], retraction_fact(command, path), id, path
                        )
                    )
                case CorrectEvent():
                    plan.append(
                        PlannedEvent(
                            streams[command.event_id],
                            retraction_fact(command, path, replacement=id),
                            str(uuid.uuid5(CORRECTIONS, id)),
                            path,
                            command.expected,
                        )
                    )
                    plan.append(
                        PlannedEvent(command.stream, command.fact, id, (*path, "replacement"))
                    )
        return plan

    async def _streams_of(self, commands: Sequence[tuple[Command, Path]]) -> dict[str, str]:
        """The streams of the events that commands are about, by their ids."""
        asked = [
            (command.event_id, path)
            for command, path in commands
            if not isinstance(command, RecordFact)
        ]
        for event_id, path in asked:
            _validate_event_id(event_id, *path, "eventId")
        with _translate_lost_connection():
            streams = await self._recorder.streams_of([event_id for event_id, _ in asked])
        for event_id, path in asked:
            if event_id not in streams:
                raise NotFound(f"There is no event {event_id!r}", path=(*path, "eventId"))
        return streams

    async def _decide_events(
        self, plan: Sequence[PlannedEvent], actor: str | None
    ) -> list[NewEvent] | Mapping[str, RecordedFact]:
        """The events that carry out a plan, decided on what the log knows now; or, where some are
        recorded already, whatever version they expected then, what is known under their ids."""
        for planned in plan:
            with planned.locate_errors():
                check_stream(planned.stream, "id")
        with _translate_lost_connection():
            alliances = await self._recorder.existing_streams(
                sorted(referenced_alliances(planned.fact for planned in plan))
            )
            async with self._entities.load({planned.stream for planned in plan}) as entities:
                return find_recorded(entities, plan) or await decide_in_turns(
                    entities, plan, alliances, actor
                )

    async def _recorded_result(
        self, plan: Sequence[PlannedEvent], again: Mapping[str, RecordedFact]
    ) -> AppendResult:
        """The first positions of a plan of which events are recorded already."""
        with _translate_lost_connection():
            texts = await self._recorder.annexes.texts(known.fact for known in again.values())
            outcome = replay_result(plan, again, texts)
            await self._recorder.confirm()
        return outcome


@contextmanager
def _translate_lost_connection() -> Iterator[None]:
    """Tell a database that is lost before anything was sent to it."""
    try:
        yield
    except CONNECTION_ERRORS as error:
        raise Unavailable(
            "The log could not be read, so nothing was recorded; try again"
        ) from error


async def load(recorder: Recorder, streams: Collection[str]) -> dict[str, Entity]:
    """The entities of some streams as the log knows them; at version 0 where it does not."""
    async with EntityCache(recorder).load(streams) as entities:
        return entities


def _batch(
    commands: Sequence[Command], idempotency_key: str | None
) -> tuple[list[tuple[Command, Path]], list[str]]:
    """Commands with their places, and the ids of their facts."""
    key = _event_id(idempotency_key)
    ids = [str(uuid.uuid5(BATCHES, f"{index}:{key}")) for index in range(len(commands))]
    return [(command, (index,)) for index, command in enumerate(commands)], ids


def _event_id(idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return str(uuid.uuid4())
    return _validate_event_id(idempotency_key, "idempotencyKey")


def _validate_event_id(event_id: str, *path: str | int) -> str:
    if not 0 < len(event_id) <= 200 or not event_id.isprintable():
        raise InvalidInput("expected 1 to 200 printable characters", path=path)
    return event_id
