"""Batches of commands: all of them are recorded, or none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from msgspec import Struct
from strawberry import field

from projections.query import preview as previews
from schema.base.context import Info
from schema.base.decorators import description_of, input_object, object_type
from schema.base.scalars import Position
from schema.inputs.input_types import check_text, input_type, one_of_type, to_plain_json
from schema.inputs.moment import report_moment
from schema.root.commands import RetractionInput, camel_path, parse_correction, wait_until_readable
from schema.root.fact_mutations import INPUT_PARSERS, INPUTS
from schema.telemetry.operation import step
from schema.types.event import Event
from schema.types.preview import Preview, preview
from tracker.commands import commands as orders
from tracker.domain.basics.codec import from_builtins
from tracker.errors import InvalidInput, TrackerError
from tracker.log.append import AppendResult

MAX_COMMANDS = 1000
"""Maximum number of commands in a batch."""

FACT_INPUT = one_of_type(
    "FactInput",
    INPUTS,
    "A fact to record: the input of one mutation, in the field with the name of that mutation.",
)
RETRACTION_INPUT = input_type("RetractEventInput", RetractionInput, description_of(RetractionInput))
CORRECTION_INPUT = input_type(
    "CorrectEventInput",
    RetractionInput,
    "Retracts a wrong event and records the right fact, both or neither.",
    {"replacement": FACT_INPUT},
)
VERSIONED_INPUT = one_of_type(
    "VersionedCommandInput",
    {**INPUTS, "correctEvent": CORRECTION_INPUT},
    "A command that can expect a version of an entity: a fact to record, or a correction.",
)


def command_count_error() -> InvalidInput:
    """Return the error for an empty batch or one with too many commands."""
    return InvalidInput(
        f"expected 1 to {MAX_COMMANDS} commands", code="INVALID_BATCH_SIZE", path=("commands",)
    )


@input_object
class IfVersionInput:
    """A command that is refused (`VERSION_CONFLICT`) unless the entity has this version."""

    version: int
    """The version that the entity must have before this command, counting the earlier commands of the
    batch; 0: it must not exist. For a correction, the entity of the corrected event."""
    command: VERSIONED_INPUT  # type: ignore[valid-type]  # known at run time only
    """The command."""


COMMAND_INPUT = one_of_type(
    "CommandInput",
    {
        **INPUTS,
        "retractEvent": RETRACTION_INPUT,
        "correctEvent": CORRECTION_INPUT,
        "ifVersion": IfVersionInput,
    },
    "A command: the input of one mutation, in the field with the name of that mutation;"
    " or `ifVersion`, a command with an expected version.",
)


@object_type
class BatchResult:
    """The result of commands that were recorded together."""

    positions: list[Position]
    """The positions of their events, in the order of the commands; a correction has two, its retraction and
    its replacement."""
    position: Position
    """The last of these positions. `asOf(position:)` shows the state after it."""
    events: list[Event] = field(description="The recorded events.")
    repeated: bool
    """Whether the same idempotency key recorded these commands before. In that case nothing was recorded
    again, and the positions are those of the first time."""


class BatchCommand(Struct, frozen=True):
    """A command of a batch: the names that lead to its input, and the input."""

    names: tuple[str, ...]
    data: dict[str, Any]
    version: int | None = None

    def read(self) -> orders.Command:
        """Return the command. Its errors have paths within the input."""
        match self.names[-1]:
            case "retractEvent":
                wrong = from_builtins(RetractionInput, self.data)
                return orders.RetractEvent(wrong.event_id, wrong.reason, wrong.source)
            case "correctEvent":
                wrong, stream, fact = parse_correction(self.data)
                return orders.CorrectEvent(
                    wrong.event_id, stream, fact, wrong.reason, wrong.source, self.version
                )
            case name:
                return orders.RecordFact(*INPUT_PARSERS[name](self.data), self.version)

    def path(self, within: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Return the path of an error in the command, below the path of the command."""
        match within:
            case ("expectedVersion",):
                return (self.names[0], "version")
            case ("replacement", *rest):
                return (*self.names, "replacement", *self.data["replacement"], *rest)
        return (*self.names, *within)


def parse_command(command: Any, index: int) -> BatchCommand:
    """Parse one command of a batch."""
    return parse_plain_command(to_plain_json(command, "commands", index))


def parse_plain_command(command: Mapping[str, Any]) -> BatchCommand:
    """Parse a command from its plain JSON."""
    [(name, data)] = command.items()
    if name != "ifVersion":
        return BatchCommand((name,), data)
    [(inner, of)] = data["command"].items()
    return BatchCommand((name, "command", inner), of, data["version"])


async def execute_batch(info: Info, commands: Sequence[Any], key: str | None) -> BatchResult:
    """Record commands, all or none, and wait until they can be read."""
    services, actor = info.context.services, info.context.require_actor()
    services.projector.progress.require_own_rows()
    with read_batch(parse_batch(commands, key)) as planned, step("append"):
        appended = await services.commands.record_all(planned, idempotency_key=key, actor=actor)
    await wait_until_readable(info, appended)
    return await batch_result(info, appended)


async def execute_preview(
    info: Info, commands: Sequence[Any], key: str | None, day: date | None
) -> Preview:
    """Return the events and changes that commands would cause, as of a date; nothing is recorded."""
    services, actor = info.context.services, info.context.require_actor()
    with read_batch(parse_batch(commands, key)) as batch, step("dry_run"):
        run = await services.commands.preview(batch, idempotency_key=key, actor=actor)
    with step("projection"):
        await services.projector.reach(run.position)
    start = await services.as_of.resolve(day, None, run.position)
    planned = previews.Preview(run.position, run.known, run.events)
    info.context.loaders.planned.add(planned, run.decided)
    return preview(report_moment(info, start), planned, run)


def parse_batch(commands: Sequence[Any], key: str | None) -> list[BatchCommand]:
    """Parse the commands of a batch. Raises InvalidInput."""
    check_text(key or "", "idempotencyKey")
    if not 1 <= len(commands) <= MAX_COMMANDS:
        raise command_count_error()
    return [parse_command(command, index) for index, command in enumerate(commands)]


@contextmanager
def read_batch(batched: Sequence[BatchCommand]) -> Iterator[list[orders.Command]]:
    """Return the commands of a batch. Errors within it have paths in the batch."""
    try:
        yield [read_command(index, of) for index, of in enumerate(batched)]
    except TrackerError as error:
        match camel_path(error.path):
            case (int() as index, *rest):
                error.path = ("commands", index, *batched[index].path(tuple(rest)))
        raise


def read_command(index: int, of: BatchCommand) -> orders.Command:
    """Read a command; its errors have paths in the batch."""
    try:
        return of.read()
    except TrackerError as error:
        raise error.below(index) from None


async def batch_result(info: Info, appended: AppendResult) -> BatchResult:
    """Return the result of a batch, read back from the log."""
    positions = appended.positions
    events = await info.context.services.recorder.read(positions[0] - 1, limit=len(positions))
    return BatchResult(
        positions=[Position(str(position)) for position in positions],
        position=Position(str(positions[-1])),
        events=[Event(of=recorded) for recorded in events],
        repeated=appended.repeated,
    )
