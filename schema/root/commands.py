"""Execution of single mutations: a fact, a retraction, a correction, or a redaction.

Every mutation returns when the projection has processed its events, so that the client reads its own write.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Annotated, Any, TypeAlias

import strawberry
from msgspec import Struct, structs
from strawberry import argument, field

from projections.runner.folds import AnotherRelease
from schema.base.context import Info
from schema.base.decorators import description_of, object_type
from schema.base.scalars import Position
from schema.inputs.input_types import check_text, to_camel, to_plain_json
from schema.root.fact_mutations import INPUT_PARSERS
from schema.telemetry.operation import current_operation, step
from schema.types.event import Event
from tracker.auth.scopes import Scope
from tracker.commands.handler import Commands
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import Name, PartialDate, Sha256, Value
from tracker.domain.entities.fact import Fact, Source
from tracker.errors import Path, TrackerError, Unavailable
from tracker.log.append import AppendResult
from tracker.postgres.database import CONNECTION_ERRORS

BESIDE_FACT = tuple((name,) for name in ("id", "revision", "reason"))
"""The fields of an edit beside its fact."""
BESIDE_INPUT = frozenset({"idempotencyKey", "expectedVersion"})
"""Arguments beside the input."""

REPLICA_TIMEOUT_SECONDS = 1.0
"""Maximum time in seconds that a mutation waits until the replica shows its events."""
REPLICA_POLL_SECONDS = 0.01

Key: TypeAlias = Annotated[
    str | None,
    argument(
        description="An idempotency key of your choice. The same mutation sent again with"
        " it returns the first result and records nothing. It becomes the id"
        " of the event. Keys that contain `~`, or begin with `import-`, are"
        " reserved for imports. Keys that begin with `candidate-` are"
        " reserved for accepted candidates."
    ),
]
Version: TypeAlias = Annotated[
    int | None,
    argument(
        description="The version that the entity must have, or the mutation fails with"
        " `VERSION_CONFLICT`; 0: it must not exist. Not checked if left out."
    ),
]


@object_type
class CommandResult:
    """The result of a mutation."""

    positions: list[Position] = field(description="The positions of the recorded events.")
    position: Position
    """The last of these positions. `asOf(position:)` shows the state after it."""
    event_id: str = field(description="The id of the event, which `retractEvent` takes.")
    entity: str = field(description="The entity, such as `alliance/quad`.")
    repeated: bool
    """Whether the same idempotency key recorded this before. In that case nothing was recorded again, and
    the positions are those of the first time."""

    version: int
    """The version of the entity after this event: the `expectedVersion` of the next mutation."""
    event: Event = field(description="The recorded event.")


class RetractionInput(Value, frozen=True, kw_only=True):
    """Retracts a wrong event, so that no state follows from it. It remains in the log."""

    event_id: Name
    reason: Name
    source: Source


class RedactionInput(Value, frozen=True, kw_only=True):
    """Redacts texts of an event, its note and quotation, if a law requires it. The texts are deleted
    permanently. The event remains, and the log contains which texts were redacted, the reason and the
    author."""

    event_id: Name
    reason: Name
    on: PartialDate
    source: Source
    fields: tuple[Name, ...] = ()


class SnapshotRedactionInput(Value, frozen=True, kw_only=True):
    """Redacts a snapshot, the bytes that a publisher sent, if a law requires it. They are deleted
    permanently, and not stored if they arrive again. The events that name them remain, and the log contains
    the reason and the author."""

    sha256: Sha256
    reason: Name
    on: PartialDate
    source: Source


class MutationRequest(Struct, frozen=True):
    """The arguments of a mutation: its input as JSON data, and the arguments beside it."""

    data: dict[str, Any]
    actor: str
    key: str | None
    expected: int | None = None


Record: TypeAlias = Callable[[Commands, MutationRequest], Awaitable[AppendResult]]


def recorder_for(name: str) -> Record:
    """Return the function that records a mutation."""

    async def record(commands: Commands, order: MutationRequest) -> AppendResult:
        stream, fact = INPUT_PARSERS[name](order.data)
        return await commands.record(
            stream,
            fact,
            idempotency_key=order.key,
            expected_version=order.expected,
            actor=order.actor,
        )

    return record


def recorder_of(kind: type[Value], method: Callable[..., Awaitable[AppendResult]]) -> Record:
    """Return the function that records an input by a method of `Commands` that takes its fields by name."""

    async def record(commands: Commands, order: MutationRequest) -> AppendResult:
        fields = structs.asdict(from_builtins(kind, order.data))
        return await method(commands, **fields, idempotency_key=order.key, actor=order.actor)

    return record


async def record_correction(commands: Commands, order: MutationRequest) -> AppendResult:
    """Record a correction: a retraction and its replacement, both or neither."""
    with replacement_errors(order.data):
        retraction, stream, fact = parse_correction(order.data)
        return await commands.correct(
            retraction.event_id,
            stream,
            fact,
            retraction.reason,
            retraction.source,
            idempotency_key=order.key,
            expected_version=order.expected,
            actor=order.actor,
        )


def parse_correction(data: dict[str, Any]) -> tuple[RetractionInput, str, Fact]:
    """Parse a correction: the event to retract, and the stream and the fact that replace it."""
    [(name, right)] = data["replacement"].items()
    retraction = from_builtins(
        RetractionInput, {of: data[of] for of in data if of != "replacement"}
    )
    try:
        return retraction, *INPUT_PARSERS[name](right)
    except TrackerError as error:
        raise error.below("replacement") from None


@contextmanager
def replacement_errors(data: dict[str, Any]) -> Iterator[None]:
    """Put errors in the replacement of a correction under its name."""
    try:
        yield
    except TrackerError as error:
        match error.path:
            case ("replacement", *rest):
                error.path = ("replacement", *data["replacement"], *rest)
        raise


async def execute_command(
    info: Info,
    input: Any,
    key: str | None,
    expected: int | None,
    record: Record,
    scope: Scope = Scope.RECORD,
) -> CommandResult:
    """Record a mutation of a caller with the scope, and wait until its events can be read."""
    services, actor = info.context.services, info.context.require_actor(scope)
    services.projector.progress.require_own_rows()  # refuse before recording what could not be read back
    try:
        check_text(key or "", "idempotencyKey")
        order = MutationRequest(to_plain_json(input), actor, key, expected)
        with step("append"):
            appended = await record(services.commands, order)
    except TrackerError as error:
        error.path = camel_path(error.path)
        raise error if set(error.path[:1]) & BESIDE_INPUT else error.below("input") from None
    await wait_until_readable(info, appended)
    return await command_result(info, appended)


async def wait_until_readable(info: Info, appended: AppendResult) -> None:
    """Wait until recorded events can be read; on a replica, for a limited time."""
    last = appended.positions[-1]
    current_operation().note_position(last)
    with step("projection"):
        try:
            await info.context.services.projector.reach(last)
        except AnotherRelease as error:
            raise Unavailable(f"{error.message}; the events are recorded") from error
    reading = info.context.reading
    if reading and reading.replica and reading.replica.trouble is None:
        with step("replica"), suppress(Unavailable, *CONNECTION_ERRORS):
            await reading.projector.reach(
                last, seconds=REPLICA_TIMEOUT_SECONDS, poll_seconds=REPLICA_POLL_SECONDS
            )


async def command_result(info: Info, appended: AppendResult) -> CommandResult:
    """Return the result of a mutation, read back from the log."""
    last = appended.positions[-1]
    [recorded] = await info.context.services.recorder.read(last - 1, limit=1)
    return CommandResult(
        positions=[Position(str(position)) for position in appended.positions],
        position=Position(str(last)),
        event_id=recorded.event_id,
        entity=recorded.stream,
        repeated=appended.repeated,
        version=recorded.version,
        event=Event(of=recorded),
    )


def camel_path(path: Path) -> Path:
    """Return a path in the names of the API."""
    return tuple(to_camel(step) if isinstance(step, str) else step for step in path)


@contextmanager
def input_errors(fact_path: tuple[str, ...] = ()) -> Iterator[None]:
    """Put errors below the input, in the names of the API.

    Errors without another path are at `fact_path`, if a fact was given.
    """
    try:
        yield
    except TrackerError as error:
        error.path = camel_path(error.path)
        if fact_path and error.path[:1] not in BESIDE_FACT and error.path[:1] != fact_path[:1]:
            error.path = (*fact_path, *error.path)
        raise error.below("input") from None


def scoped_mutations(resolvers: Mapping[str, Callable[..., Any]], needs: str) -> list[Any]:
    """Return mutations by name, with their required scope at the end of their descriptions."""
    return [
        strawberry.mutation(
            resolver=resolve, name=name, description=f"{description_of(resolve)} {needs}"
        )
        for name, resolve in resolvers.items()
    ]
