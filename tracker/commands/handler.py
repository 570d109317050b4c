"""Commands: decided by the aggregates, then appended to the log."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tracker import errors
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
from tracker.commands.decisions import decide_in_steps, referenced_alliances
from tracker.commands.dry_run import DryRun, dry_run
from tracker.commands.entity_cache import EntityCache
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.entity import Entity, RecordedFact, check_stream
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.entities.redaction import Redacted, Redaction
from tracker.domain.evidence.watched_source_facts import SnapshotRedacted
from tracker.log.append import AppendResult
from tracker.log.entries import SOURCE, NewEvent, RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS

MAX_ATTEMPTS = 5
"""Maximum number of attempts of a command without an expected version, if other commands are recorded
first."""


BATCHES = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:batch")
"""Namespace of the ids of facts in a batch, derived from its key and their indexes."""

FETCHES = ("Source.Fetched", "Source.Failed")
"""Event types that name new content."""

CORRECTIONS = uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:correction")
"""Namespace of the id of a correction's retraction, derived from that of its replacement."""


class Commands:
    """Decides and records facts. All facts use this path: mutations, imports, programs."""

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

        A repeated idempotency key returns the first position. `expected_version` is the version that the
        caller saw (0: it must not exist). Raises InvalidInput, NotFound, TooLarge, VersionConflict,
        IdempotencyConflict or Unavailable. Then nothing is recorded, except that it may be after Unavailable.
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
        """Execute commands in order, each after the effects of the previous ones: all or none.

        A repeated key with the same commands returns the first positions. Errors are those of `record`,
        `retract` and `correct`; their paths begin with the index of the command, from 0.
        """
        return await self._execute(*_batch(commands, idempotency_key), actor)

    async def preview(
        self,
        commands: Sequence[Command],
        *,
        idempotency_key: str | None = None,
        actor: str | None = None,
    ) -> DryRun:
        """Return the result that `record_all` would have. Nothing is recorded; it raises the same errors."""
        plan = await self._plan(*_batch(commands, idempotency_key))
        for left in reversed(range(MAX_ATTEMPTS)):
            decided = await self._decide_events(plan, actor)
            if isinstance(decided, Mapping):
                await self._recorded_result(plan, decided)
                return DryRun(await self._recorder.head())
            with _translate_lost_connection():
                run = await dry_run(self._recorder, decided)
            if isinstance(run, DryRun):
                return run
            if not left:
                raise run
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

        `fact` is about the entity `stream`, which may differ from that of the event: a figure may have been
        filed under the wrong place. Key and version are as for `record`; the key becomes the id of the new
        fact, the version is that of the entity of the event. Errors are those of `record` and `retract`; the
        path of one in the fact begins with `replacement`.
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
        """Remove texts of a recorded event permanently: all, or those in some fields.

        The entry stays; the texts are removed in the transaction that records the redaction. Raises NotFound
        for an unknown event. Raises InvalidInput for an event without such a text (`NOTHING_TO_REDACT`), with
        a text in the entry itself (`NOT_REDACTABLE`), or with a redacted one (`ALREADY_REDACTED`).
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
        """Remove the bytes of a snapshot permanently, under the source that first fetched it.

        They are removed in the transaction that records it; a file is removed at the next access. Raises
        NotFound for a snapshot that was never fetched, and InvalidInput (`ALREADY_REDACTED`).
        """
        fact = SnapshotRedacted(sha256=sha256, on=on, reason=reason, by=actor, source=source)
        with _translate_lost_connection():
            fetches = await self._recorder.lookup.with_text(FETCHES, f'"sha256":"{sha256}"')
        if not fetches:
            raise errors.NotFound(f"There is no snapshot {sha256}", path=("sha256",))
        return await self.record(
            fetches[0].stream, fact, idempotency_key=idempotency_key, actor=actor
        )

    async def _event(self, event_id: str) -> RecordedEvent:
        _validate_event_id(event_id, "eventId")
        with _translate_lost_connection():
            event = await self._recorder.event(event_id)
        if event is None:
            raise errors.NotFound(f"There is no event {event_id!r}", path=("eventId",))
        return event

    async def _execute(
        self, commands: Sequence[tuple[Command, errors.Path]], ids: Sequence[str], actor: str | None
    ) -> AppendResult:
        """Execute commands that belong together, each with its path and the id of its fact."""
        plan = await self._plan(commands, ids)
        for left in reversed(range(MAX_ATTEMPTS)):
            decided = await self._decide_events(plan, actor)
            if isinstance(decided, Mapping):
                return await self._recorded_result(plan, decided)
            try:
                return await self._recorder.append(decided)
            except (errors.VersionConflict, errors.IdempotencyConflict):
                # Another command was recorded first: decide again with the present state. It may be this same
                # command. Its commitments have other salts, so only the texts can be compared.
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _plan(
        self, commands: Sequence[tuple[Command, errors.Path]], ids: Sequence[str]
    ) -> list[PlannedEvent]:
        """Return the facts of commands. Raises InvalidInput, NotFound or Unavailable."""
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

    async def _streams_of(self, commands: Sequence[tuple[Command, errors.Path]]) -> dict[str, str]:
        """Return the streams of the events that commands name, by their ids."""
        named = [
            (command.event_id, path)
            for command, path in commands
            if not isinstance(command, RecordFact)
        ]
        for event_id, path in named:
            _validate_event_id(event_id, *path, "eventId")
        with _translate_lost_connection():
            streams = await self._recorder.streams_of([event_id for event_id, _ in named])
        for event_id, path in named:
            if event_id not in streams:
                raise errors.NotFound(f"There is no event {event_id!r}", path=(*path, "eventId"))
        return streams

    async def _decide_events(
        self, plan: Sequence[PlannedEvent], actor: str | None
    ) -> list[NewEvent] | Mapping[str, RecordedFact]:
        """Return the events of a plan, decided on the recorded state.

        If some are already recorded, return the facts under their ids instead, regardless of the expected
        version.
        """
        for planned in plan:
            with planned.locate_errors():
                check_stream(planned.stream, "id")
        with _translate_lost_connection():
            alliances = await self._recorder.existing_streams(
                sorted(referenced_alliances(planned.fact for planned in plan))
            )
            async with self._entities.load({planned.stream for planned in plan}) as entities:
                return find_recorded(entities, plan) or await decide_in_steps(
                    entities, plan, alliances, actor
                )

    async def _recorded_result(
        self, plan: Sequence[PlannedEvent], again: Mapping[str, RecordedFact]
    ) -> AppendResult:
        """Return the first positions of a plan with recorded events."""
        with _translate_lost_connection():
            texts = await self._recorder.annexes.texts(known.fact for known in again.values())
            outcome = replay_result(plan, again, texts)
            await self._recorder.confirm()
        return outcome


@contextmanager
def _translate_lost_connection() -> Iterator[None]:
    """Convert a connection error before anything was sent."""
    try:
        yield
    except CONNECTION_ERRORS as error:
        raise errors.Unavailable(
            "The log could not be read, so nothing was recorded; try again"
        ) from error


async def load(recorder: Recorder, streams: Collection[str]) -> dict[str, Entity]:
    """Return the entities of some streams as recorded; at version 0 if there are none."""
    async with EntityCache(recorder).load(streams) as entities:
        return entities


def _batch(
    commands: Sequence[Command], idempotency_key: str | None
) -> tuple[list[tuple[Command, errors.Path]], list[str]]:
    """Return commands with their indexes, and the ids of their facts."""
    key = _event_id(idempotency_key)
    ids = [str(uuid.uuid5(BATCHES, f"{index}:{key}")) for index in range(len(commands))]
    return [(command, (index,)) for index, command in enumerate(commands)], ids


def _event_id(idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return str(uuid.uuid4())
    return _validate_event_id(idempotency_key, "idempotencyKey")


def _validate_event_id(event_id: str, *path: str | int) -> str:
    if not 0 < len(event_id) <= 200 or not event_id.isprintable():
        raise errors.InvalidInput("expected 1 to 200 printable characters", path=path)
    return event_id
